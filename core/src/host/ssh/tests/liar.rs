//! Servers that let us in and then say what makes no sense.

use std::sync::atomic::Ordering;

use tokio::net::TcpListener;

use super::hostile::{MEMORY, count_panics, memory, string};
use super::raw_server::Raw;
use super::*;
use crate::host::conformance::{self, Stage};
use crate::host::{RunError, RunOptions};
use crate::node::{HostKeyPolicy, Secret};

/// What is sent at one point: the messages, and how often.
type Script = (Vec<Vec<u8>>, usize);

/// What a server does after login.
#[derive(Clone, Default)]
struct Lies {
    /// Instead of letting in, for every try to log in.
    login: Script,
    /// When a channel is opened; `CLIENT` stands for its number. Nothing: the channel is opened.
    open: Script,
    /// When a command is sent, before the server says that it runs, prints `output` and ends with status 3.
    exec: Script,
    /// After the status, instead of the end of the channel.
    end: Script,
    /// The line is closed then.
    gone: bool,
}

/// The number that the client gave its channel: the first one is this.
fn channel() -> [u8; 4] {
    2_u32.to_be_bytes()
}

fn message(number: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[number][..], &parts.concat()].concat()
}

async fn play(mut raw: Raw, lies: Lies) -> Option<()> {
    let say = async |raw: &mut Raw, (messages, times): &Script, number: [u8; 4]| {
        for _ in 0..*times {
            for message in messages {
                // Where a script names the channel, it is the one that the client has opened.
                let mut message = message.clone();
                if let Some(at) = message.windows(6).position(|window| window == b"CLIENT") {
                    message.splice(at..at + 6, number);
                }
                raw.send(&message).await?;
            }
        }
        Some(())
    };
    if lies.login.1 == 0 {
        raw.let_in().await?;
    }
    let mut number = channel();
    loop {
        let received = raw.receive().await?;
        match received.first() {
            Some(5) => raw.send(&message(6, &[&string(b"ssh-userauth")])).await?,
            Some(50) => say(&mut raw, &lies.login, number).await?,
            Some(90) => {
                // string "session", then the number.
                number = received.get(12..16)?.try_into().ok()?;
                match lies.open.1 {
                    0 => raw.send(&message(91, &[&number, &[0; 4], &[0, 32, 0, 0], &[0, 0, 128, 0]])).await?,
                    _ => say(&mut raw, &lies.open, number).await?,
                }
            }
            Some(98) if received.windows(4).any(|window| window == b"exec") => {
                say(&mut raw, &lies.exec, number).await?;
                raw.send(&message(99, &[&number])).await?;
                raw.send(&message(94, &[&number, &string(b"output")])).await?;
                raw.send(&message(98, &[&number, &string(b"exit-status"), &[0], &[0, 0, 0, 3]])).await?;
                match lies.end.1 {
                    0 => {
                        raw.send(&message(96, &[&number])).await?;
                        raw.send(&message(97, &[&number])).await?;
                    }
                    _ => say(&mut raw, &lies.end, number).await?,
                }
                if lies.gone {
                    return raw.hang_up().await;
                }
            }
            _ => {}
        }
    }
}

/// A server that lies; it ends when dropped.
struct Liar {
    serving: tokio::task::JoinHandle<()>,
    port: u16,
    known: tempfile::TempDir,
}

impl Liar {
    async fn start(lies: Lies) -> Liar {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let lies = lies.clone();
                tokio::spawn(async move {
                    if let Some(raw) = Raw::shake_hands(stream).await {
                        play(raw, lies).await;
                    }
                });
            }
        });
        Liar { serving, port, known: tempfile::tempdir().unwrap() }
    }

    fn host(&self, pool: &Arc<SshPool>) -> SshHost {
        let settings = HostSettings {
            slug: "odd".into(),
            address: Some("127.0.0.1".into()),
            port: Some(self.port),
            username: Some("anna".into()),
            password: Some(Secret::new("x")),
            known_hosts: Some(vec![self.known.path().join("known_hosts").display().to_string()]),
            host_keys: Some(HostKeyPolicy::AcceptNew),
            config_filename: Some("/dev/null".into()),
            timeout: Some(Duration::from_secs(1)),
            keepalive: Some(Duration::from_millis(300)),
            ..HostSettings::default()
        };
        host(settings, pool)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What the user is told: the error, or output and status.
async fn told(lies: Lies) -> String {
    let (liar, pool) = (Liar::start(lies).await, pool());
    let told = match within("an outcome", liar.host(&pool).spawn(piped("x"), &reach())).await {
        Ok(process) => {
            let finished = finish(process).await;
            format!("{} {:?}", String::from_utf8_lossy(&finished.out), finished.status)
        }
        Err(error) => {
            let told = error.to_string();
            assert!(told.starts_with("odd: "), "{told}");
            told
        }
    };
    assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
    told
}

fn cut(after_status: Vec<Vec<u8>>) -> Lies {
    Lies { end: (after_status, 1), gone: true, ..Lies::default() }
}

fn more_output() -> Vec<u8> {
    message(94, &[b"CLIENT", &string(b", and the rest is")])
}

// rows: F-36
#[tokio::test]
async fn a_status_whose_output_was_cut_off_is_no_success_and_no_plain_failure() {
    let told_before_end = told(cut(vec![more_output()])).await;
    assert_eq!(
        told_before_end,
        "output, and the rest is CutOff { ended: Code(3), why: \"the server closed the connection\" }"
    );
    // All of it has come: the status is what it is.
    let end_of_output = message(96, &[b"CLIENT"]);
    let told_after_end = told(cut(vec![more_output(), end_of_output])).await;
    assert_eq!(told_after_end, "output, and the rest is Code(3)");
}

// rows: F-28 F-36
#[tokio::test]
async fn who_ignores_the_status_is_still_told_that_output_is_missing() {
    let (liar, pool) = (Liar::start(cut(vec![more_output()])).await, pool());
    let host: Arc<dyn Host> = Arc::new(liar.host(&pool));
    let options = RunOptions { ignore_exit_status: true, ..conformance::hidden() };
    let failed = Stage::plain(&host).host.run_with("echo all", &options).await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "odd: ended with status 3, but output may be missing: the server closed the connection: echo all"
    );
    let RunError::Failed(failure) = failed else { panic!("{failed:?}") };
    assert_eq!(failure.output.text(), "output, and the rest is");
}

#[tokio::test]
async fn lies_after_login_end_in_the_truth_or_in_an_error() {
    let c = b"CLIENT";
    let unknown = 99_u32.to_be_bytes();
    let most = u32::MAX.to_be_bytes();
    let confirm = |window: &[u8], size: &[u8]| message(91, &[c, &[0; 4], window, size]);
    let before = |messages: Vec<Vec<u8>>, times| Lies { exec: (messages, times), ..Lies::default() };
    let opened = |messages: Vec<Vec<u8>>| Lies { open: (messages, 1), ..Lies::default() };
    let ended = |messages: Vec<Vec<u8>>| Lies { end: (messages, 1), ..Lies::default() };
    let login = |messages: Vec<Vec<u8>>, times| Lies { login: (messages, times), ..Lies::default() };
    let three = "output Code(3)";
    let cases: Vec<(&str, Lies, &str)> = vec![
        ("an honest server", Lies::default(), three),
        ("data for no channel", before(vec![message(94, &[&unknown, &string(b"x")])], 1), ""),
        ("errors for no channel", before(vec![message(95, &[&unknown, &[0, 0, 0, 1], &string(b"x")])], 1), ""),
        ("a window for no channel", before(vec![message(93, &[&unknown, &most])], 1), ""),
        ("the end of no channel", before(vec![message(96, &[&unknown]), message(97, &[&unknown])], 1), ""),
        ("success for no channel", before(vec![message(99, &[&unknown]), message(100, &[&unknown])], 1), ""),
        ("no channel is opened", before(vec![message(91, &[&unknown, &[0; 4], &most, &most])], 1), ""),
        ("no channel is refused", before(vec![message(92, &[&unknown, &[0; 4], &string(b""), &string(b"")])], 1), ""),
        ("windows without end", before(vec![message(93, &[c, &most])], 1000), three),
        ("a status that is cut", before(vec![message(98, &[c, &string(b"exit-status"), &[0, 0]])], 1), ""),
        ("data of 4 GiB", before(vec![message(94, &[c, &most])], 1), ""),
        ("errors of an odd kind", before(vec![message(95, &[c, &[0, 0, 0, 7], &string(b"x")])], 1), ""),
        ("questions without end", before(vec![message(80, &[&string(b"x@example.org"), &[1]])], 5000), three),
        ("an odd channel of theirs", before(vec![message(90, &[&string(b"x"), &[0; 4], &most, &most])], 100), ""),
        ("messages that are none", before(vec![vec![200], vec![]], 1), ""),
        ("more than the window", before(vec![message(94, &[c, &string(&[b'x'; 30_000])])], 700), ""),
        ("a window of nothing", opened(vec![confirm(&[0; 4], &[0, 0, 128, 0])]), three),
        ("packets of nothing", opened(vec![confirm(&most, &[0; 4])]), "odd: cannot connect"),
        ("a window of everything", opened(vec![confirm(&most, &most)]), three),
        ("opened twice", opened(vec![confirm(&most, &most), confirm(&most, &most)]), ""),
        (
            "opened and refused",
            opened(vec![confirm(&most, &most), message(92, &[c, &[0; 4], &string(b"no"), &string(b"")])]),
            "",
        ),
        (
            "refused with an odd reason",
            opened(vec![message(92, &[c, &most, &string(b"go\x1b[2J"), &string(b"")])]),
            "odd: ",
        ),
        ("an end before anything", opened(vec![confirm(&most, &most), message(97, &[c])]), ""),
        ("an end with words", ended(vec![message(1, &[&[0, 0, 0, 2], &string(b"go\x1b[2J away"), &string(b"")])]), ""),
        (
            "two statuses",
            ended(vec![message(98, &[c, &string(b"exit-status"), &[0], &[0; 4]]), message(97, &[c])]),
            three,
        ),
        ("refused without end", login(vec![message(51, &[&string(b"password"), &[0]])], 1), "odd: cannot connect"),
        (
            "nearly let in without end",
            login(vec![message(51, &[&string(b"password"), &[1]])], 1),
            "odd: cannot connect",
        ),
        ("odd ways to log in", login(vec![message(51, &[&string(b",x,,\x1b"), &[0]])], 1), "odd: cannot connect"),
        (
            "a banner without end",
            login(vec![message(53, &[&string(&[b'x'; 30_000]), &string(b"")])], 3000),
            "odd: cannot connect",
        ),
        (
            "questions out of turn",
            login(vec![message(60, &[&string(b""), &string(b""), &string(b""), &most])], 1),
            "odd: ",
        ),
    ];
    let (panics, start, mut wrong) = (count_panics(), memory(), String::new());
    for (name, lies, expected) in cases {
        let told = told(lies).await;
        // The server says 3, so nobody may be told anything else; least of all that it went well.
        let lie = told.contains("Code(") && !told.contains("Code(3)");
        if lie || !told.contains(expected) {
            wrong.push_str(&format!("{name}: {}\n", told.chars().take(300).collect::<String>()));
        }
        let grown = memory().saturating_sub(start);
        if grown > MEMORY {
            wrong.push_str(&format!("{name}: {grown} bytes\n"));
        }
    }
    assert_eq!(wrong, "");
    assert_eq!(panics.load(Ordering::Acquire), 0, "nothing may panic");
}
