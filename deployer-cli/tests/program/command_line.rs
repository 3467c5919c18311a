//! `deployer_cli::start`: the example program as its user has it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A built example, beside the binary of the package.
fn example(name: &str, dir: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_deployer")).with_file_name("examples").join(name);
    assert!(program.exists(), "{} is missing: `cargo build -p deployer-cli --examples` builds it", program.display());
    let mut command = Command::new(program);
    let shown = dir.display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    command.current_dir(dir).env_clear().stdin(Stdio::null());
    command.envs([("HOME", &shown), ("XDG_RUNTIME_DIR", &shown), ("PATH", &path), ("TERM", &"xterm".to_string())]);
    command
}

fn hello(dir: &Path) -> Command {
    example("hello", dir)
}

fn finished(dir: &TempDir, args: &[&str]) -> (i32, String, String) {
    let output = hello(dir.path()).args(args).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

// rows: P-01 P-03
#[test]
fn its_help_is_that_of_deployer_without_a_deployment_file() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["--help"][..], &["run", "--help"], &["listen", "--help"]] {
        let (status, stdout, stderr) = finished(&dir, args);
        assert_eq!((status, stderr.as_str()), (0, ""), "{args:?}");
        assert!(
            stdout.contains("Usage: hello") && !stdout.contains("--file") && !stdout.contains("deploy.lua"),
            "{stdout}"
        );
    }
    for args in [&["-f", "x.lua", "run"][..], &["run", "-f", "x.lua", "--", "hello"], &["listen", "-f", "x.lua"]] {
        let (status, stdout, stderr) = finished(&dir, args);
        assert_eq!((status, stdout.as_str()), (2, ""), "{args:?}");
        assert!(stderr.contains("-f is not for this program, it brings a tree of its own"), "{stderr}");
    }
}

// rows: P-01 P-05 P-06 P-12 P-14 E-28 W-45
#[test]
fn it_runs_its_own_actions_with_and_without_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    for (args, status, said, talk) in [
        (&["run", "--", "hello"][..], 0, "Hello from deployer\n", ""),
        (&["run", "-s", "--", "hello"], 0, "Hello from deployer\n", ""),
        (&["run", "-s", "--", "greet", "X's friend"], 0, "Hello, X's friend!\n", ""),
        (&["run", "--path", "machine", "--", "disk"], 0, "Filesystem", ""),
        (&["run", "-s", "--", "greet"], 1, "", "parameter 1 of 'greet' is missing: name; it is called as `greet name`"),
        (&["run", "-s", "--", "greet", "a", "b"], 1, "", "'greet' takes one parameter, got 2"),
        (&["run", "--", "nope"], 2, "", "nope"),
        (&["run", "-s", "--path", "nowhere", "--", "hello"], 2, "", "nowhere"),
    ] {
        let (code, stdout, stderr) = finished(&dir, args);
        assert_eq!(code, status, "{args:?} {stdout} {stderr}");
        assert!(stdout.starts_with(said) && stderr.contains(talk), "{args:?} {stdout} {stderr}");
    }
    assert!(!dir.path().join("deployer/0.sock").exists());
}

struct Listening(Child, PathBuf);

impl Drop for Listening {
    fn drop(&mut self) {
        // It has ended already where the test went well.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn listening(dir: &TempDir) -> Listening {
    let mut child = hello(dir.path()).arg("listen").stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("(connect with: hello connect --socket 0)"), "{line}");
    let socket = line.split_whitespace().nth(2).unwrap().into();
    Listening(child, socket)
}

// rows: P-21 Q-06
#[test]
fn it_listens_and_connects() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = listening(&dir);
    let (status, stdout, stderr) = finished(&dir, &["connect", "--", "greet", "you"]);
    assert_eq!((status, stdout.as_str()), (0, "Hello, you!\n"), "{stderr}");
    let (status, stdout, _) = finished(&dir, &["list-sessions"]);
    assert!(status == 0 && stdout.contains("examples/hello"), "{stdout}");
    assert!(daemon.1.exists());
    kill_process(Pid::from_child(&daemon.0), Signal::TERM).unwrap();
    assert_eq!(daemon.0.wait().unwrap().code(), Some(0));
    assert!(!daemon.1.exists());
}

// rows: L-15 L-17
#[test]
fn its_own_listener_hears_of_every_session_with_and_without_a_daemon() {
    let dir = tempfile::tempdir().unwrap();
    for (args, status) in
        [(&["run", "--", "hello"][..], 0), (&["run", "-s", "--", "hello"], 0), (&["run", "--", "fail"], 1)]
    {
        let output = example("audit", dir.path()).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?} {output:?}");
    }
    let heard = std::fs::read_to_string(dir.path().join("audit.log")).unwrap();
    assert_eq!(
        heard,
        "localhost: echo hello: status 0\nlocalhost: echo hello: status 0\nlocalhost: exit 3: status 3\n"
    );
}
