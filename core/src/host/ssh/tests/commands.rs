//! One command on one host: output, status, input, signals, terminals.

use super::*;
use crate::host::Signal;

// rows: F-16 F-36 F-62
#[tokio::test]
async fn streams_are_apart_and_the_status_is_told() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let finished = run(&host, piped("echo out; echo err >&2; exit 7")).await;
    assert_eq!(finished.out(), "out\n");
    assert_eq!(finished.err, b"err\n");
    assert_eq!(finished.status, ExitStatus::Code(7));
}

#[tokio::test]
async fn a_line_reaches_sh_as_it_was_written() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let finished = run(
        &host,
        piped(
            r#"printf '%s|' 'it'\''s' "a\\b" 'c\d' "$0" '
'; set -- x; echo "$1!""#,
        ),
    )
    .await;
    assert_eq!(finished.out(), "it's|a\\b|c\\d|/bin/sh|\n|x!\n");
}

// rows: F-29
#[tokio::test]
async fn death_by_signal_is_told_by_name() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    assert_eq!(run(&host, piped("kill -SEGV $$")).await.status, ExitStatus::Signal("SEGV".into()));
    let process = host.spawn(piped("echo ready; exec sleep 1000"), &reach()).await.unwrap();
    let control = process.control.clone();
    let mut process = process;
    read_until(&mut process, "ready").await;
    control.signal(Signal::Term);
    assert_eq!(finish(process).await.status, ExitStatus::Signal("TERM".into()));
}

// rows: F-15 F-32
#[tokio::test]
async fn a_terminal_has_the_size_it_was_given_and_follows() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let line = "trap 'stty size; exit 3' WINCH; stty size; echo $TERM >&2; echo ready; while :; do sleep 0.05; done";
    let mut process = host.spawn(pty(line, 33, 99), &reach()).await.unwrap();
    let seen = read_until(&mut process, "ready").await;
    assert_eq!(seen, "33 99\r\nxterm-256color\r\nready\r\n");
    process.control.resize(Size { rows: 50, cols: 132 }).await;
    let finished = finish(process).await;
    assert_eq!((finished.out(), &finished.status), ("50 132\r\n", &ExitStatus::Code(3)));
}

// rows: F-15
#[tokio::test]
async fn keys_reach_a_terminal_and_ctrl_c_interrupts() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let line = "read line; echo \"got $line\"; trap 'echo interrupted; exit 130' INT; echo ready; while :; do sleep 0.05; done";
    let mut process = host.spawn(pty(line, 24, 80), &reach()).await.unwrap();
    process.control.input(bytes("hello\r")).await;
    read_until(&mut process, "got hello\r\nready").await;
    process.control.input(bytes("\x03")).await;
    let finished = finish(process).await;
    assert!(finished.out().contains("interrupted"), "{finished:?}");
    assert_eq!(finished.status, ExitStatus::Code(130));
}

// rows: W-47
#[tokio::test]
async fn the_end_of_input_reaches_the_command() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let process = host.spawn(piped("wc -c"), &reach()).await.unwrap();
    // More than the server's window, so that some of it has to wait.
    for _ in 0..100 {
        process.control.input(Bytes::from(vec![b'x'; 40_000])).await;
    }
    process.control.eof().await;
    assert_eq!(finish(process).await.out().trim(), "4000000");
}

// rows: F-36
#[tokio::test]
async fn four_megabytes_arrive_exactly() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let line = "i=0; while [ $i -lt 4096 ]; do printf '%01024d' $i; i=$((i+1)); done; exit 5";
    let finished = run(&host, piped(line)).await;
    let expected: String = (0..4096).map(|i| format!("{i:01024}")).collect();
    assert_eq!(finished.out.len(), expected.len());
    assert!(finished.out == expected.as_bytes(), "same length, other bytes");
    assert_eq!(finished.status, ExitStatus::Code(5));
}

#[tokio::test]
async fn a_reader_that_is_slow_loses_nothing_when_it_is_alone() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = host(sshd.settings(), &pool);
    // Thirty times what is kept in memory.
    let process = host.spawn(piped("head -c 120000000 /dev/zero; echo end >&2"), &reach()).await.unwrap();
    until("the connection is held up", || {
        let other = pool.shared.vitals_for_tests();
        other.first().is_some_and(|vitals| vitals.stalled())
    })
    .await;
    // Meanwhile others are served, over another connection.
    assert_eq!(run(&host, piped("echo other")).await.out(), "other\n");
    let finished = finish(process).await;
    assert_eq!((finished.out.len(), finished.err.as_slice()), (120_000_000, &b"end\n"[..]));
    assert_eq!(pool.connections().len(), 2);
}

// rows: F-37
#[tokio::test]
async fn without_a_line_there_is_a_login_shell() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let spawn = Spawn { line: None, ..Spawn::line("", SpawnMode::Pty { size: Size::DEFAULT, term: "dumb".into() }) };
    let process = host.spawn(spawn, &reach()).await.unwrap();
    process.control.input(bytes("shopt -q login_shell && echo lo''gin; exit 4\r")).await;
    let finished = finish(process).await;
    assert!(finished.out().contains("login\r\n"), "{finished:?}");
    assert_eq!(finished.status, ExitStatus::Code(4));
}

// rows: F-39
#[tokio::test]
async fn the_start_path_is_the_home_directory_there() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let path = host.start_path(&reach()).await.unwrap();
    assert!(path.starts_with('/'), "{path}");
    assert_eq!(path, run(&host, piped("cd; pwd")).await.out().trim());
}

fn is_running(pid: i32) -> bool {
    // A zombie is no longer running.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
}

async fn pid_of(process: &mut Process) -> i32 {
    let seen = read_until(process, "\n").await;
    seen.trim().parse().unwrap_or_else(|_| panic!("no process id: {seen:?}"))
}

#[tokio::test]
async fn a_dropped_process_ends_there_too() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = host(sshd.settings(), &pool);
    for spawn in [
        piped("echo $$; exec sleep 1000"),
        pty("echo $$; exec sleep 1000", 24, 80),
        // Deaf to everything polite.
        piped("trap '' INT TERM HUP; echo $$; while :; do sleep 0.1; done"),
        pty("trap '' INT TERM HUP; echo $$; while :; do sleep 0.1; done", 24, 80),
        // Nobody reads what it prints.
        piped("echo $$; exec yes"),
    ] {
        let mut process = host.spawn(spawn.clone(), &reach()).await.unwrap();
        let pid = match &spawn.line {
            Some(line) if line.ends_with("yes") => {
                let seen = read_until(&mut process, "y\n").await;
                seen.split('\n').next().unwrap().parse().unwrap()
            }
            _ => pid_of(&mut process).await,
        };
        assert!(is_running(pid));
        drop(process);
        until(&format!("the end of {spawn:?}"), || !is_running(pid)).await;
    }
    until("all channels are free", || pool.connections().iter().all(|connection| connection.channels == 0)).await;
}

#[tokio::test]
async fn a_cancelled_run_is_interrupted() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let reach = reach();
    reach.cancel.cancel();
    assert_eq!(error(host.spawn(piped("true"), &reach).await), "web1: interrupted");
}

// rows: F-37
#[tokio::test]
async fn a_server_that_gives_no_terminal_says_so_and_nothing_runs() {
    let sshd = Sshd::start_with("PermitTTY no").await;
    let host = host(sshd.settings(), &pool());
    let mark = sshd.path("mark");
    let message = error(host.spawn(pty(&format!("touch {}", mark.display()), 24, 80), &reach()).await);
    assert_eq!(message, "web1: the command was not started: the server gives no terminal (PermitTTY)");
    assert_eq!(run(&host, piped("echo piped")).await.out(), "piped\n");
    assert!(!mark.exists());
}

/// What every kind of host has to do.
macro_rules! conforms {
    ($($case:ident)*) => {mod conformance {$(
        #[tokio::test]
        async fn $case() {
            let sshd = super::Sshd::start().await;
            let host: std::sync::Arc<dyn crate::host::Host> =
                std::sync::Arc::new(super::host(sshd.settings(), &super::pool()));
            crate::host::conformance::$case(&host).await;
        }
    )*}};
}

conforms! {
    status_and_streams death_by_signal context_reaches_the_command odd_directories a_lot_of_output end_of_input
    keys_and_size something_left_behind cancelled ctrl_c_at_the_command dropped too_slow sandbox
}
