//! Shells without a screen: scripts from a pipe, one action.

use super::*;

struct Broken;

impl Tree for Broken {
    fn load(&self) -> Result<Node, LoadError> {
        Err(LoadError { position: None, message: "no node is returned".to_string() })
    }

    fn origin(&self) -> String {
        "a test".to_string()
    }
}

/// Output to a file, input from a pipe.
struct Pipe {
    shown: Arc<ScriptedTerminal>,
    keys: KeyboardHub,
}

impl Pipe {
    fn with(input: &'static str) -> Arc<Pipe> {
        let keys = KeyboardHub::new();
        let pushed = keys.clone();
        tokio::spawn(async move {
            for piece in input.as_bytes().chunks(5) {
                pushed.push(bytes::Bytes::from_static(piece)).await;
            }
            pushed.close();
        });
        Arc::new(Pipe { shown: ScriptedTerminal::new(), keys })
    }
}

#[async_trait]
impl Terminal for Pipe {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.shown.write(bytes).await
    }

    fn kind(&self) -> Kind {
        Kind::Plain
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.shown.size()
    }

    fn term(&self) -> String {
        String::new()
    }

    fn interactive(&self) -> bool {
        false
    }

    fn keyboard(&self) -> Keyboard {
        self.keys.lease()
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        self.shown.auxiliary(request).await
    }
}

// rows: W-44
#[tokio::test]
async fn without_a_screen_lines_are_a_script_that_stops_at_the_first_failure() {
    let pipe = Pipe::with("cd production\n\ndeploy x\r\nfail\n");
    let status = run(session(pipe.clone(), &[]).0).await;
    assert_eq!(status, 2, "fail is no action of production");
    let output = pipe.shown.output();
    assert!(output.starts_with("R.production: <x>\nno action or node 'fail'"), "{output}");

    let pipe = Pipe::with("greet one\nfail\ngreet two");
    assert_eq!(run(session(pipe.clone(), &[]).0).await, 1);
    assert!(!pipe.shown.output().contains("two"));

    let pipe = Pipe::with("greet one\nexit\ngreet two");
    assert_eq!(run(session(pipe.clone(), &[]).0).await, 0);
    assert_eq!(pipe.shown.output(), "R: <one>\n");

    let pipe = Pipe::with("greet 'one");
    assert_eq!(run(session(pipe.clone(), &[]).0).await, 2);
}

// rows: W-20 P-11
#[tokio::test]
async fn an_unknown_path_or_a_broken_file_runs_nothing() {
    let terminal = ScriptedTerminal::new();
    let (mut wrong, _) = session(terminal.clone(), &["greet"]);
    wrong.path = vec!["production".to_string(), "typo".to_string()];
    assert_eq!(run(wrong).await, 2);
    assert_eq!(terminal.output(), "--path production typo: no node 'typo' in R.production\n");

    let terminal = ScriptedTerminal::new();
    let (mut broken, _) = session(terminal.clone(), &["greet"]);
    broken.tree = Arc::new(Broken);
    assert_eq!(run(broken).await, 2);
    assert_eq!(terminal.output(), "no node is returned\n");

    let terminal = ScriptedTerminal::new();
    let (mut there, _) = session(terminal.clone(), &["checkout"]);
    there.path = ["production", "web", ":w1"].map(str::to_string).to_vec();
    assert_eq!(run(there).await, 0);
    assert!(terminal.output().contains("R.production.web[w1]: "));
}

#[tokio::test]
async fn one_action_may_be_a_command() {
    assert_eq!(one_action(&["find", "staging"]).await, ("no actions in R.staging and below\n".to_string(), 0));
    assert_eq!(one_action(&["help", "zzz"]).await.1, 2);
}
