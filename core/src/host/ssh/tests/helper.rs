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

/// The helper stops and does nothing that it is given from now on.
async fn frozen(operator: &OneOperator) -> String {
    let number = operator.helper().await;
    let freeze = piped(&format!("kill -STOP {number}"));
    assert_eq!(finish(operator.host.spawn(freeze, &operator.reach).await.unwrap()).await.status, ExitStatus::Code(0));
    number
}

fn kill(number: &str) {
    let pid = rustix::process::Pid::from_raw(number.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_helper_that_dies_is_replaced_and_its_command_has_an_unknown_outcome() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    let number = operator.helper().await;
    let count = sshd.path("count");
    let line = format!("echo begun | tee -a {}; kill -KILL $$; sleep 1000", count.display());
    match operator.run(&line).await {
        Finished { status: ExitStatus::Unknown(why), .. } => assert!(why.contains("while it ran"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "begun\n");
    assert_ne!(operator.helper().await, number);
}

#[tokio::test]
async fn a_command_that_a_dying_helper_did_not_begin_runs_elsewhere_and_once() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    let count = sshd.path("count");
    let line = format!("echo once | tee -a {}", count.display());
    for round in 1..=10 {
        // Given to it before it dies, or after, or when its death is known: nobody notices.
        let number = frozen(&operator).await;
        let killing = async {
            if round % 2 == 0 {
                let kill = piped(&format!("kill -KILL {number}"));
                finish(operator.host.spawn(kill, &operator.reach).await.unwrap()).await;
            } else {
                kill(&number);
            }
        };
        let (finished, ()) = tokio::join!(operator.run(&line), killing);
        assert_eq!((finished.out(), &finished.status), ("once\n", &ExitStatus::Code(0)), "round {round}");
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "once\n".repeat(round), "round {round}");
    }
}

#[tokio::test]
async fn with_the_connection_what_the_helper_said_may_be_lost_so_nothing_runs_again() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    let number = frozen(&operator).await;
    let count = sshd.path("count");
    let line = format!("echo once >> {}", count.display());
    let losing = async {
        // Whatever is asked over the same connection later comes after the command.
        finish(operator.host.spawn(piped("true"), &operator.reach).await.unwrap()).await;
        sshd.kill_sessions();
    };
    let (finished, ()) = tokio::join!(operator.run(&line), losing);
    assert!(matches!(finished.status, ExitStatus::Unknown(_)), "{finished:?}");
    assert!(!count.exists());
    kill(&number);
}

#[tokio::test]
async fn whoever_stops_waiting_for_a_helper_that_hangs_has_a_command_to_end() {
    let sshd = Sshd::start().await;
    let operator = OneOperator::new(&sshd, &pool());
    frozen(&operator).await;
    let cancelled = operator.reach.cancel.clone();
    let spawn = Spawn { unattended: true, ..piped("echo never") };
    let later = async {
        finish(operator.host.spawn(piped("true"), &reach()).await.unwrap()).await;
        cancelled.cancel();
    };
    let (process, ()) = tokio::join!(operator.host.spawn(spawn, &operator.reach), later);
    let process = process.unwrap();
    process.control.signal(crate::host::Signal::Kill);
    let finished = finish(process).await;
    assert_eq!((finished.out(), &finished.status), ("", &ExitStatus::Signal("KILL".into())));
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
