//! Commands on a helper shell: the same as runs of their own.

use super::*;
use crate::host::conformance;

/// A host as one operator has it, whoever asks.
struct OneOperator {
    host: SshHost,
    reach: Reach,
}

impl std::fmt::Debug for OneOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.host.fmt(f)
    }
}

impl OneOperator {
    fn new(sshd: &Sshd, pool: &Arc<SshPool>) -> OneOperator {
        let settings = HostSettings { helper_shell: Some(true), ..sshd.settings() };
        OneOperator { host: host(settings, pool), reach: reach() }
    }

    async fn run(&self, line: &str) -> Finished {
        let spawn = Spawn { unattended: true, ..piped(line) };
        finish(self.host.spawn(spawn, &self.reach).await.unwrap()).await
    }

    async fn out(&self, line: &str) -> String {
        self.run(line).await.out().to_string()
    }

    /// The helper's process number, once there is one: each shell of its own has another. The first command after a
    /// helper's death is not worth a new one, and when the death is noticed is not known.
    async fn helper(&self) -> String {
        let mut before = self.out("echo $$").await;
        for _ in 0..100 {
            let number = self.out("echo $$").await;
            if number == before {
                return number;
            }
            before = number;
        }
        panic!("no two commands ran in one helper");
    }
}

#[async_trait]
impl Host for OneOperator {
    fn definition(&self) -> &crate::node::HostDef {
        self.host.definition()
    }

    async fn start_path(&self, reach: &Reach) -> Result<String, HostError> {
        self.host.start_path(reach).await
    }

    async fn spawn(&self, spawn: Spawn, reach: &Reach) -> Result<Process, HostError> {
        self.host.spawn(spawn, &Reach { asker: self.reach.asker.clone(), cancel: reach.cancel.clone() }).await
    }
}

// rows: F-05..F-09 F-13 F-16 F-27 F-28 F-36
#[tokio::test]
async fn everything_that_holds_for_hosts_holds_on_a_helper() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    operator.helper().await;
    conformance::all(Arc::new(operator)).await;
}

#[tokio::test]
async fn nothing_of_a_command_stays_for_the_next() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    let number = operator.helper().await;
    let before = operator.out("pwd; umask; ulimit -n; set | grep -v '^_\\|^_deployer'").await;
    for (line, status) in [
        ("cd /; umask 0777; ulimit -n 20; A=1; export A; trap 'echo trapped' EXIT TERM; exit 7", 7),
        ("set -e; false; echo never", 1),
        ("echo (", 2),
        ("exec false", 1),
        ("exec >/dev/null 2>&1 3>&- 4>&- 8>&-; false", 1),
        ("set -- a b; shift; return 4", 4),
        ("sh -c 'kill -KILL $$'", 137),
    ] {
        assert_eq!(operator.run(line).await.status, ExitStatus::Code(status), "{line}");
    }
    assert_eq!(operator.out("pwd; umask; ulimit -n; set | grep -v '^_\\|^_deployer'").await, before);
    assert_eq!(operator.out("echo $$").await, number);
    assert_eq!(operator.out("echo \"$0 $#\"; cat; echo over").await, "/bin/sh 0\nover\n");
}

#[tokio::test]
async fn any_bytes_arrive_on_the_stream_they_were_written_to() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    operator.helper().await;
    let finished = operator.run(r"printf '\000\377\033_deployer:\033\\'; printf '\001no line end' >&2").await;
    assert_eq!(finished.out, b"\x00\xff\x1b_deployer:\x1b\\");
    assert_eq!(finished.err, b"\x01no line end");
}

#[tokio::test]
async fn what_is_left_behind_lives_on_and_prints_into_no_later_command() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    let number = operator.helper().await;
    let left = operator.out("(sleep 1000; echo noise) & echo $!").await;
    assert_eq!(operator.out("echo mine").await, "mine\n");
    assert_ne!(operator.helper().await, number, "another helper has taken over");
    assert_eq!(operator.out(&format!("kill {} && echo it lived", left.trim())).await, "it lived\n");
}

#[tokio::test]
async fn a_helper_that_dies_is_replaced_and_its_command_has_an_unknown_outcome() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    let number = operator.helper().await;
    match operator.run("echo begun; kill -KILL $$; sleep 1000").await {
        Finished { status: ExitStatus::Unknown(why), .. } => assert!(why.contains("helper shell"), "{why}"),
        other => panic!("{other:?}"),
    }
    let second = operator.helper().await;
    assert_ne!(second, number);
    // While it waits: whoever comes next notices nothing, or is told, when the server has not reported the death yet.
    finish(operator.host.spawn(piped(&format!("kill -KILL {second}")), &operator.reach).await.unwrap()).await;
    match operator.run("echo still here").await {
        Finished { status: ExitStatus::Unknown(why), .. } => assert!(why.contains("helper shell"), "{why}"),
        finished => assert_eq!((finished.out(), &finished.status), ("still here\n", &ExitStatus::Code(0))),
    }
    assert_ne!(operator.helper().await, second);
}

#[tokio::test]
async fn a_stopped_command_takes_its_helper_along_and_nothing_else() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    operator.helper().await;
    let spawn = Spawn { unattended: true, ..piped("echo pid=$$; trap '' TERM; sleep 1000 & wait; sleep 1000") };
    let mut process = operator.host.spawn(spawn, &operator.reach).await.unwrap();
    let number = read_until(&mut process, "\n").await;
    let number = number.trim().trim_start_matches("pid=").to_string();
    process.control.signal(crate::host::Signal::Term);
    assert_eq!(finish(process).await.status, ExitStatus::Signal("TERM".into()));
    // Whoever is the parent now may take its time to reap it.
    let gone = format!("while kill -0 {number} 2>/dev/null; do sleep 0.05; done; echo gone");
    assert_eq!(operator.out(&gone).await, "gone\n");
}

#[tokio::test]
async fn operators_do_not_share_helpers_and_two_commands_at_once_do_not_wait() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let (one, other) = (OneOperator::new(&sshd, &pool), OneOperator::new(&sshd, &pool));
    assert_ne!(one.helper().await, other.helper().await);
    let number = one.out("echo $$").await;
    let slow = Spawn { unattended: true, ..piped("echo $$; sleep 1000") };
    let mut slow = one.host.spawn(slow, &one.reach).await.unwrap();
    assert_eq!(read_until(&mut slow, "\n").await, number);
    assert_ne!(one.out("echo $$").await, number);
}

#[tokio::test]
async fn where_no_helper_can_be_had_commands_run_on_their_own() {
    let force = "ForceCommand /bin/sh -c 'case $SSH_ORIGINAL_COMMAND in *\"sh -s\"*) echo only my commands; exit 1;; \
                 esac; eval \"$SSH_ORIGINAL_COMMAND\"'";
    let sshd = Sshd::start_with(force).await;
    let operator = OneOperator::new(&sshd, &pool());
    for _ in 0..3 {
        assert_eq!(operator.out("echo works").await, "works\n");
    }
    let numbers = [operator.out("echo $$").await, operator.out("echo $$").await];
    assert_ne!(numbers[0], numbers[1]);
}
