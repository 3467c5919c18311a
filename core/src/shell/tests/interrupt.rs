//! What interrupts an action, and what is typed while one runs.

use super::*;

/// A session in the background, its screen and its end.
struct Running {
    terminal: Arc<ScriptedTerminal>,
    seen: Arc<Seen>,
    cancel: CancellationToken,
    ended: tokio::task::JoinHandle<i32>,
}

impl Running {
    fn start() -> Running {
        let terminal = ScriptedTerminal::interactive();
        let (session, seen) = session(terminal.clone(), &[]);
        let cancel = session.cancel.clone();
        Running { terminal, seen, cancel, ended: tokio::spawn(run(session)) }
    }

    async fn wait_for(&self, text: &str) {
        self.wait_until(text, || up_to_cursor(&self.terminal).contains(text)).await;
    }

    async fn wait_until(&self, what: &str, fact: impl Fn() -> bool) {
        let seen = async {
            while !fact() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), seen).await;
        assert!(waited.is_ok(), "no {what:?} on:\n{}", screen(&self.terminal));
    }
}

#[tokio::test]
async fn ctrl_c_interrupts_and_a_second_one_asks() {
    let shell = Running::start();
    shell.terminal.type_keys("stuck\r").await;
    let runs = || shell.seen.0.lock().unwrap().contains(&"runs R.stuck".to_string());
    shell.wait_until("the action runs", runs).await;
    shell.terminal.type_keys("typed before\x03").await;
    shell.wait_for("interrupting").await;
    shell.terminal.type_keys("\x03").await;
    shell.wait_for("stop or wait? [wait]").await;
    shell.terminal.type_keys("wait\r").await;
    shell.wait_for("[wait] wait\n").await;
    shell.terminal.type_keys("\x03").await;
    shell.terminal.type_keys("stop\rgreet typed ahead\r").await;
    shell.wait_for("interrupted\nR > greet typed ahead\nR: <typed><ahead>\nR >").await;
    assert!(!screen(&shell.terminal).contains("typed before"));
    shell.terminal.type_keys("exit\r").await;
    assert_eq!(shell.ended.await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_typed_while_an_action_runs_comes_after_it() {
    let (screen, _) = typed("open\rreturn\rgreet\r").await;
    assert!(screen.ends_with("R > greet\nR:\nR >"), "{screen}");
}

#[tokio::test]
async fn a_cancelled_session_ends() {
    let shell = Running::start();
    shell.wait_for("R >").await;
    shell.cancel.cancel();
    assert_eq!(shell.ended.await.unwrap(), 130);
}
