#![allow(clippy::unwrap_used)]

//! Runs under a sudo that is a script of ours: it asks, counts, lectures and refuses as the real one does.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::host::conformance::{Stage, hidden, within};
use crate::host::local::LocalHost;
use crate::host::{
    Answer, Asker, Host, HostContainer, HostError, NoAnswer, NobodyToAsk, Process, Question, QuestionKind, Reach,
    RunError, RunIo, RunOptions, RunOutput, Spawn,
};
use crate::node::{HostDef, HostKind, HostSettings, Secret};

const SUDO: &str = r#"#!/bin/sh
dir=$(dirname "$0")
echo "$*" >> "$dir/calls"
stdin=
while :; do
  case $1 in
    -S) stdin=1; shift ;;
    -p) prompt=$2; shift 2 ;;
    -u) user=$2; shift 2 ;;
    --) shift; break ;;
  esac
done
if test -e "$dir/requiretty" && ! test -t 0; then
  echo "sudo: sorry, you must have a tty to run sudo" >&2
  exit 1
fi
if test -e "$dir/denied"; then
  echo "Sorry, user joe is not allowed to execute '$*' as root on here." >&2
  exit 1
fi
export SUDO_USER_ASKED="$user"
test -e "$dir/password" || exec "$@"
if test -e "$dir/careless"; then
  printf '%s\n' "$prompt" >/dev/tty
  IFS= read -r answer </dev/tty
  echo "bad luck" >&2
  exit 1
fi
echo "We trust you have received the usual lecture." >&2
for try in 1 2 3; do
  if test "$stdin"; then
    printf %s "$prompt" >&2
    IFS= read -r answer || exit 1
  else
    stty -echo </dev/tty
    printf %s "$prompt" >/dev/tty
    IFS= read -r answer </dev/tty
    stty echo </dev/tty
    echo >/dev/tty
  fi
  echo "$answer" >> "$dir/answers"
  test "$answer" = "$(cat "$dir/password")" && exec "$@"
  echo "Sorry, try again." >&2
done
echo "sudo: 3 incorrect password attempts" >&2
exit 1
"#;

/// The local host with the script in front of the real sudo.
#[derive(Debug)]
struct WithSudo {
    local: LocalHost,
    dir: tempfile::TempDir,
}

#[async_trait]
impl Host for WithSudo {
    fn definition(&self) -> &HostDef {
        self.local.definition()
    }

    async fn start_path(&self, reach: &Reach) -> Result<String, HostError> {
        self.local.start_path(reach).await
    }

    async fn spawn(&self, spawn: Spawn, reach: &Reach) -> Result<Process, HostError> {
        let line = spawn.line.map(|line| format!("PATH='{}':$PATH\n{line}", self.dir.path().display()));
        self.local.spawn(Spawn { line, ..spawn }, reach).await
    }
}

/// Answers with these, the last one first, and keeps the questions.
#[derive(Default)]
struct Person {
    answers: Mutex<Vec<&'static str>>,
    asked: Mutex<Vec<Question>>,
}

#[async_trait]
impl Asker for Person {
    async fn ask(&self, question: Question) -> Result<Answer, NoAnswer> {
        self.asked.lock().unwrap().push(question);
        let answer = self.answers.lock().unwrap().pop();
        answer.map(|answer| Answer(Zeroizing::new(answer.to_string()))).ok_or(NoAnswer::Cancelled)
    }
}

struct Scene {
    host: Arc<WithSudo>,
    stage: Stage,
    dir: std::path::PathBuf,
}

impl Scene {
    fn new(tty: bool, known: Option<&str>, asker: Arc<dyn Asker>) -> Scene {
        let settings = HostSettings {
            slug: "here".to_string(),
            username: Some("joe".to_string()),
            password: known.map(Secret::new),
            ..HostSettings::default()
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_path_buf();
        write_program(&path.join("sudo"));
        let local = LocalHost::new(HostDef::new(HostKind::Local, settings));
        let host = Arc::new(WithSudo { local, dir });
        let as_host: Arc<dyn Host> = host.clone();
        let mut stage = if tty { Stage::tty(&as_host) } else { Stage::plain(&as_host) };
        let io = RunIo { asker, ..stage.host.io().clone() };
        stage.host = HostContainer::of(as_host, io);
        Scene { host, stage, dir: path }
    }

    fn wants(self, password: &str) -> Scene {
        std::fs::write(self.dir.join("password"), password).unwrap();
        self
    }

    async fn sudo(&self, command: &str) -> Result<Arc<RunOutput>, RunError> {
        let options = RunOptions { use_sudo: true, ..RunOptions::default() };
        within(command, self.stage.host.run_with(command, &options)).await
    }

    fn answers(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.dir.join("answers")).unwrap_or_default();
        text.lines().map(str::to_string).collect()
    }
}

fn write_program(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, SUDO).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn why(result: Result<Arc<RunOutput>, RunError>) -> String {
    match result {
        Err(RunError::Host(HostError::Refused { host, reason })) if host == "here" => reason,
        other => panic!("sudo was to refuse it: {other:?}"),
    }
}

// rows: F-18 F-19 F-21 F-22 W-04 W-32
#[tokio::test]
async fn a_known_password_is_given_once_and_never_seen() {
    for tty in [true, false] {
        let scene = Scene::new(tty, Some("pass'word \"$x"), Arc::new(NobodyToAsk)).wants("pass'word \"$x");
        let output = scene.sudo("echo one; echo two").await.unwrap();
        assert_eq!(output.text().replace("\r\n", "\n"), "one\ntwo");
        let hidden = RunOptions { use_sudo: true, ..hidden() };
        let output = within("hidden", scene.stage.host.run_with("echo out; cat; echo err >&2", &hidden)).await.unwrap();
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        assert_eq!(scene.answers().len(), 2);

        let shown = scene.stage.terminal.output();
        assert!(shown.contains("one"), "{shown:?}");
        let calls = std::fs::read_to_string(scene.dir.join("calls")).unwrap();
        for text in [&shown, &calls, &format!("{output:?} {:?}", scene.host)] {
            assert!(!text.contains("pass'word"), "{text}");
        }
        assert!(!shown.contains("[sudo ") && !shown.contains("[run "), "{shown:?}");
    }
}

// rows: F-18 F-20
#[tokio::test]
async fn nothing_is_asked_when_sudo_does_not_ask() {
    for tty in [true, false] {
        let scene = Scene::new(tty, None, Arc::new(NobodyToAsk));
        let options = RunOptions { use_sudo: true, user: Some("o'connor".to_string()), ..hidden() };
        let output = scene.stage.host.run_with("echo \"$SUDO_USER_ASKED\"", &options).await.unwrap();
        assert_eq!(output.text(), "o'connor");
        let failed = scene.sudo("echo so far; exit 5").await;
        assert!(matches!(&failed, Err(RunError::Failed(failure)) if failure.use_sudo), "{failed:?}");
    }
}

// rows: F-59
#[tokio::test]
async fn a_person_is_asked_when_sudo_asks_and_only_once() {
    for tty in [true, false] {
        let person = Arc::new(Person::default());
        person.answers.lock().unwrap().push("secret");
        let scene = Scene::new(tty, None, person.clone()).wants("secret");
        scene.sudo("true").await.unwrap();
        scene.sudo("true").await.unwrap();
        let asked = person.asked.lock().unwrap();
        assert_eq!((asked.len(), asked[0].label.as_str()), (1, "here"));
        assert_eq!(asked[0].kind, QuestionKind::Secret);
        assert!(asked[0].prompt.starts_with("sudo password") && asked[0].prompt.ends_with("on here"));
    }
}

// rows: F-22 F-60 W-33
#[tokio::test]
async fn a_wrong_password_is_tried_once_and_forgotten() {
    for tty in [true, false] {
        let person = Arc::new(Person::default());
        person.answers.lock().unwrap().extend(["right", "wrong"]);
        let scene = Scene::new(tty, None, person.clone()).wants("right");
        let ignoring = RunOptions { use_sudo: true, ignore_exit_status: true, ..RunOptions::default() };
        let reason = why(within("wrong", scene.stage.host.run_with("echo never", &ignoring)).await);
        assert!(reason.starts_with("sudo: wrong password"), "{reason}");
        assert_eq!(scene.answers().first().map(String::as_str), Some("wrong"));
        scene.sudo("echo then").await.unwrap();
        assert_eq!(person.asked.lock().unwrap().len(), 2);
        assert!(!scene.stage.terminal.output().contains("never"));
    }
}

#[tokio::test]
async fn with_nobody_to_ask_the_error_says_what_to_do() {
    for tty in [true, false] {
        let reason = why(Scene::new(tty, None, Arc::new(NobodyToAsk)).wants("secret").sudo("true").await);
        assert!(reason.contains("nobody is there") && reason.contains("NOPASSWD"), "{reason}");
    }
}

#[tokio::test]
async fn who_gives_up_interrupts_the_run() {
    for tty in [true, false] {
        let result = Scene::new(tty, None, Arc::new(Person::default())).wants("secret").sudo("true").await;
        assert!(matches!(result, Err(RunError::Interrupted { .. })), "{result:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_sudos_own_words() {
    for tty in [true, false] {
        let scene = Scene::new(tty, None, Arc::new(NobodyToAsk));
        std::fs::write(scene.dir.join("denied"), "").unwrap();
        let reason = why(scene.sudo("echo never").await);
        assert!(reason.contains("joe is not allowed"), "{reason}");
    }
}

// rows: F-22 W-05
#[tokio::test]
async fn what_was_typed_ahead_is_for_the_command() {
    let scene = Scene::new(true, Some("secret"), Arc::new(NobodyToAsk)).wants("secret");
    scene.stage.terminal.type_keys("typed ahead\n").await;
    scene.stage.terminal.end_of_input();
    let output = scene.sudo("read line; echo \"<$line>\"; cat; printf %s over").await.unwrap();
    assert!(output.text().contains("<typed ahead>") && output.text().ends_with("over"), "{output:?}");
    assert_eq!(scene.answers(), ["secret"]);
}

#[tokio::test]
async fn an_echo_of_the_password_is_not_shown_to_anybody() {
    let scene = Scene::new(true, Some("secret"), Arc::new(NobodyToAsk)).wants("secret");
    std::fs::write(scene.dir.join("careless"), "").unwrap();
    assert_eq!(why(scene.sudo("echo never").await), "sudo: bad luck");
    assert!(!scene.stage.terminal.output().contains("secret"), "{}", scene.stage.terminal.output());
}

#[tokio::test]
async fn a_sudo_that_requires_a_terminal_gets_one() {
    let scene = Scene::new(false, Some("secret"), Arc::new(NobodyToAsk)).wants("secret");
    std::fs::write(scene.dir.join("requiretty"), "").unwrap();
    let options = RunOptions { use_sudo: true, ..hidden() };
    let output = within("requiretty", scene.stage.host.run_with("echo one; cat; echo two", &options)).await.unwrap();
    assert_eq!(&output.stdout[..], b"one\ntwo\n");
    let streams = scene.sudo("echo shown").await.unwrap();
    assert_eq!(&streams.stdout[..], b"shown\n");
    assert!(scene.stage.terminal.output().ends_with("\nshown\n"), "{}", scene.stage.terminal.output());
    assert_eq!(scene.answers(), ["secret", "secret"]);
}
