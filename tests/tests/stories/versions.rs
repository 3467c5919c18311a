//! A daemon and a client of which one is older: what protocol 1.0 said, recorded with the release that spoke it.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use deployer_tests::{TIMEOUT, World};

const SESSION: &str = include_str!("../../../protocol/tests/transcripts/1.0-session.txt");
const PLAIN: &str = include_str!("../../../protocol/tests/transcripts/1.0-plain.txt");
const KILL: &str = include_str!("../../../protocol/tests/transcripts/1.0-kill.txt");

const GREET: &str = r#"
local Box = Node { Hosts = { host = LocalHost } }
--- Greet somebody.
function Box:greet(name) self.hosts:run("echo hello " .. deployer.esc1(name or "world")) end
return Box
"#;

/// The frames of one side.
fn frames(transcript: &str, side: char) -> Vec<Vec<u8>> {
    let lines = transcript.lines().filter_map(|line| line.strip_prefix(side)).map(str::trim);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    lines.map(|hex| hex.as_bytes().chunks(2).map(byte).collect()).collect()
}

/// An old client of a new daemon.
struct OldClient {
    stream: UnixStream,
    heard: Vec<u8>,
}

impl OldClient {
    fn dial(socket: &Path) -> OldClient {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        OldClient { stream, heard: Vec::new() }
    }

    fn says(&mut self, frames: &[Vec<u8>]) {
        frames.iter().for_each(|frame| self.stream.write_all(frame).unwrap());
    }

    /// Reads until the daemon has sent this.
    fn hears(&mut self, what: &[u8]) {
        let mut chunk = [0; 4096];
        while !self.heard.windows(what.len()).any(|window| window == what) {
            let length = match self.stream.read(&mut chunk) {
                Ok(length) => length,
                // A child of the test has ended.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    panic!("{error}; waited for {:?}, heard {:?}", String::from_utf8_lossy(what), self.lossy())
                }
            };
            assert!(length > 0, "the daemon hung up; heard {:?}", self.lossy());
            self.heard.extend_from_slice(&chunk[..length]);
        }
    }

    fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }
}

#[test]
fn a_client_of_protocol_1_0_works_with_this_daemon() {
    let world = World::new();
    world.deploy(GREET);
    let daemon = world.listen();

    let said = frames(SESSION, '>');
    let [hello, open, resize, greet, detach] = &said[..] else { panic!("five frames") };
    let mut client = OldClient::dial(daemon.socket());
    client.says(&[hello.clone(), open.clone(), resize.clone()]);
    client.hears(b"> ");
    client.says(std::slice::from_ref(greet));
    client.hears(b"hello you\r\n");
    client.says(std::slice::from_ref(detach));
    client.hears(b"comes back");
    let name = world.sessions()[0].name.clone();
    assert_eq!(name, "s1", "the name in the recorded message");

    let mut killing = OldClient::dial(daemon.socket());
    killing.says(&frames(KILL, '>'));
    killing.hears(&frames(KILL, '<')[1]);

    let mut plain = OldClient::dial(daemon.socket());
    plain.says(&frames(PLAIN, '>'));
    for frame in &frames(PLAIN, '<')[3..] {
        plain.hears(frame);
    }
}

#[test]
fn this_client_works_with_a_daemon_of_protocol_1_0() {
    let world = World::new();
    let directory = world.runtime_dir().join("deployer");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
    let socket = directory.join("7.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let old_daemon = thread::spawn(move || {
        for transcript in [SESSION, PLAIN, KILL] {
            let (mut stream, _) = listener.accept().unwrap();
            frames(transcript, '<').iter().for_each(|frame| stream.write_all(frame).unwrap());
            // To the end of what the client says, so that its last frames do not meet a closed socket.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let mut shell = world.connect("shell", &["--socket", "7"]);
    assert_eq!(shell.exit_status(), 0, "{}", shell.evidence());
    shell.wait_for_text("what the old session showed", "hello you");
    shell.wait_for_text("where it went", "detached from session s1");

    let cron = world.run(&["connect", "--socket", "7", "--", "greet", "cron"]);
    assert_eq!((cron.status, cron.stdout.as_str()), (Some(0), "hello cron\n"), "{cron:#?}");
    let killed = world.run(&["kill-session", "--socket", "7", "s1"]);
    assert_eq!((killed.status, killed.stderr.as_str()), (Some(0), "session s1 has ended\n"), "{killed:#?}");
    old_daemon.join().unwrap();
    std::fs::remove_file(socket).unwrap();
}
