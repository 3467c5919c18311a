//! Servers that no honest administrator runs, played byte by byte.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::scripted::{Rules, Scripted};
use super::*;
use crate::node::HostKeyPolicy;

pub(super) const GREETING: &[u8] = b"SSH-2.0-odd\r\n";
/// Nothing that a server sends may cost more than this: 64 MiB.
pub(super) const MEMORY: usize = 64 * 1024 * 1024;

/// Counts panics of whatever thread or task, from now on.
pub(super) fn count_panics() -> Arc<AtomicUsize> {
    let panics = Arc::new(AtomicUsize::new(0));
    let (counter, before) = (panics.clone(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        counter.fetch_add(1, Ordering::AcqRel);
        before(panic);
    }));
    panics
}

/// Memory of this process in bytes, as the kernel counts it.
pub(super) fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// A packet as it goes over the line before keys are agreed on.
pub(super) fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 16 - (payload.len() + 5) % 8;
    let length = u32::try_from(payload.len() + padding + 1).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

pub(super) fn string(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
}

/// SSH_MSG_KEXINIT with these lists: key exchange, host key, cipher, MAC.
fn kexinit(lists: [&[u8]; 4]) -> Vec<u8> {
    let [kex, key, cipher, mac] = lists;
    let mut payload = vec![20];
    payload.extend_from_slice(&[7; 16]);
    for list in [kex, key, cipher, cipher, mac, mac, b"none", b"none", b"", b""] {
        payload.extend(string(list));
    }
    payload.extend_from_slice(&[0; 5]);
    packet(&payload)
}

pub(super) fn good_kexinit() -> Vec<u8> {
    kexinit([b"curve25519-sha256", b"ssh-ed25519", b"aes256-gcm@openssh.com", b"hmac-sha2-256"])
}

/// What a server says, and what it does then.
#[derive(Clone)]
enum Act {
    /// Says it and keeps the line open.
    Hold(Vec<u8>),
    /// Says it and closes the line.
    Close(Vec<u8>),
    /// Says the first once and the second for ever.
    Flood(Vec<u8>, Vec<u8>),
}

impl Act {
    async fn play(self, mut stream: TcpStream) {
        let (text, flood) = match &self {
            Act::Hold(text) | Act::Close(text) => (text.clone(), None),
            Act::Flood(text, flood) => (text.clone(), Some(flood.repeat(1 + 65536 / flood.len()))),
        };
        if stream.write_all(&text).await.is_err() {
            return;
        }
        if let Some(flood) = flood {
            while stream.write_all(&flood).await.is_ok() {}
        }
        if matches!(self, Act::Hold(_)) {
            while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {}
        }
    }
}

/// What the user is told, without the host in front, which is checked.
async fn told(act: Act) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act.clone().play(stream));
        }
    });
    let settings = HostSettings {
        slug: "odd".into(),
        address: Some("127.0.0.1".into()),
        port: Some(port),
        username: Some("anna".into()),
        known_hosts: Some(vec!["/nonexistent".into()]),
        host_keys: Some(HostKeyPolicy::Strict),
        config_filename: Some("/dev/null".into()),
        timeout: Some(Duration::from_millis(500)),
        ..HostSettings::default()
    };
    let pool = pool();
    let started = within("an error", host(settings, &pool).spawn(piped("true"), &reach())).await;
    server.abort();
    let message = error(started);
    assert!(message.len() < 3000, "{} characters are too many for one error", message.len());
    assert!(!message.chars().any(|c| c.is_control() && c != '\n'), "{message:?}");
    match message.strip_prefix(&format!("odd: cannot connect to anna@127.0.0.1:{port}: ")) {
        Some(reason) => reason.to_string(),
        None => panic!("host and address come first: {message}"),
    }
}

// rows: F-68
#[tokio::test]
async fn whatever_a_server_says_before_keys_are_agreed_on_ends_in_an_error_with_the_step() {
    let after_greeting = |bytes: &[u8]| [GREETING, bytes].concat();
    let header = |length: u32, padding: u8| [&length.to_be_bytes()[..], &[padding], &[0; 64]].concat();
    let disconnect = |text: &[u8]| packet(&[&[1, 0, 0, 0, 2][..], &string(text), &string(b"")].concat());
    let reply = |payload: &[u8]| [GREETING, &good_kexinit(), &packet(payload)].concat();
    let huge = [0xff; 4];
    let late = "no answer within 0.5 s";
    let cases: Vec<(&str, Act, &str, &str)> = vec![
        ("silence", Act::Hold(vec![]), "SSH greeting", late),
        ("closes at once", Act::Close(vec![]), "SSH greeting", "closes the connection before it greets"),
        ("half a greeting", Act::Hold(b"SSH-2.0-od".to_vec()), "", late),
        ("half a greeting, then the end", Act::Close(b"SSH-2.0-od".to_vec()), "", ""),
        ("a greeting without end", Act::Flood(b"SSH-2.0-".to_vec(), b"x".to_vec()), "", ""),
        ("a banner without end", Act::Flood(vec![], b"x".to_vec()), "SSH greeting", ""),
        ("lines without end", Act::Flood(vec![], b"hello\r\n".to_vec()), "SSH greeting", ""),
        ("zeros without end", Act::Flood(vec![], vec![0]), "SSH greeting", ""),
        ("SSH 1", Act::Close(b"SSH-1.5-old\r\n".to_vec()), "", ""),
        ("a greeting and silence", Act::Hold(GREETING.to_vec()), "key exchange", late),
        ("a greeting and the end", Act::Close(GREETING.to_vec()), "key exchange", "the connection"),
        ("4 GiB", Act::Hold(after_greeting(&header(u32::MAX, 4))), "key exchange", ""),
        ("2 GiB", Act::Hold(after_greeting(&header(1 << 31, 4))), "key exchange", ""),
        ("a length of nothing", Act::Hold(after_greeting(&header(0, 0))), "key exchange", ""),
        ("a length of one", Act::Hold(after_greeting(&header(1, 0))), "key exchange", ""),
        ("more padding than packet", Act::Hold(after_greeting(&header(12, 255))), "key exchange", ""),
        ("an odd message", Act::Hold(after_greeting(&packet(&[255, 1, 2, 3]))), "key exchange", ""),
        ("an empty message", Act::Hold(after_greeting(&packet(&[]))), "key exchange", ""),
        ("success before all", Act::Hold(after_greeting(&packet(&[52]))), "key exchange", ""),
        ("new keys before all", Act::Hold(after_greeting(&packet(&[21]))), "key exchange", ""),
        (
            "an end with words",
            Act::Hold(after_greeting(&disconnect(b"go\x1b[2J away"))),
            "key exchange",
            "the server closed the connection",
        ),
        ("an end with many words", Act::Hold(after_greeting(&disconnect(&[b'x'; 30_000]))), "key exchange", ""),
        ("ignored for ever", Act::Flood(GREETING.to_vec(), packet(&[2, 0, 0, 0, 0])), "key exchange", ""),
        ("lists for ever", Act::Flood(GREETING.to_vec(), good_kexinit()), "key exchange", ""),
        (
            "lists of 4 GiB",
            Act::Hold(after_greeting(&packet(&[&[20][..], &[7; 16], &huge].concat()))),
            "key exchange",
            "",
        ),
        ("no lists", Act::Hold(after_greeting(&packet(&[20]))), "key exchange", ""),
        ("empty lists", Act::Hold(after_greeting(&kexinit([b"", b"", b"", b""]))), "key exchange", "offers nothing"),
        ("odd lists", Act::Hold(after_greeting(&kexinit([b",,\x1b,", b"x", b"x", b"x"]))), "key exchange", ""),
        (
            "long lists",
            Act::Hold(after_greeting(&kexinit([&[b"x,".repeat(7000), b"x".to_vec()].concat(), b"x", b"x", b"x"]))),
            "key exchange",
            "",
        ),
        ("a good list and silence", Act::Hold(after_greeting(&good_kexinit())), "key exchange", late),
        ("a good list and the end", Act::Close(after_greeting(&good_kexinit())), "key exchange", ""),
        ("an empty reply", Act::Hold(reply(&[31])), "key exchange", ""),
        ("a reply of 4 GiB", Act::Hold(reply(&[&[31][..], &huge].concat())), "key exchange", ""),
        (
            "a reply without meaning",
            Act::Hold(reply(&[&[31][..], &string(b"key"), &string(&[9; 32]), &string(b"signature")].concat())),
            "key exchange",
            "",
        ),
        (
            "a key that is no point",
            Act::Hold(reply(
                &[
                    &[31][..],
                    &string(&[string(b"ssh-ed25519"), string(&[0xff; 32])].concat()),
                    &string(&[0; 32]),
                    &string(&[string(b"ssh-ed25519"), string(&[0; 64])].concat()),
                ]
                .concat(),
            )),
            "key exchange",
            "",
        ),
        ("new keys without a reply", Act::Hold(reply(&[21])), "key exchange", ""),
    ];
    let (panics, before, mut wrong) = (count_panics(), memory(), String::new());
    for (name, act, step, word) in cases {
        let reason = told(act).await;
        let steps = ["SSH greeting: ", "key exchange: "];
        let right = match step {
            "" => steps.iter().any(|step| reason.starts_with(step)),
            step => reason.starts_with(step),
        };
        if !right || !reason.contains(word) {
            wrong.push_str(&format!("{name}: {reason}\n"));
        }
        let grown = memory().saturating_sub(before);
        assert!(grown < MEMORY, "{name}: {grown} bytes");
    }
    assert_eq!(wrong, "");
    assert_eq!(panics.load(Ordering::Acquire), 0, "nothing may panic");
}

#[tokio::test]
async fn garbage_ends_in_an_error() {
    let (panics, before) = (count_panics(), memory());
    let mut trying = tokio::task::JoinSet::new();
    for seed in 0..200_u64 {
        // xorshift: the same garbage in every run.
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut garbage: Vec<u8> = (0..600)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_be_bytes()[0]
            })
            .collect();
        // Some of it looks like a packet at first.
        if seed % 2 == 0 {
            garbage[..5].copy_from_slice(&[0, 0, 1, 0, 8]);
        }
        let start = if seed % 4 < 2 { GREETING.to_vec() } else { [GREETING, &good_kexinit()].concat() };
        trying.spawn(told(Act::Close([start, garbage].concat())));
    }
    while let Some(tried) = trying.join_next().await {
        let reason = tried.unwrap();
        assert!(reason.starts_with("key exchange: "), "{reason}");
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < MEMORY, "{grown} bytes");
    assert_eq!(panics.load(Ordering::Acquire), 0, "nothing may panic");
}

#[tokio::test]
async fn questions_without_end_come_to_an_end() {
    let rules = Rules {
        methods: vec![russh::MethodKind::KeyboardInteractive],
        rounds: vec![&[("More: ", false)]],
        endless: true,
        ..Rules::default()
    };
    let server = Scripted::start(rules.clone()).await;
    let person = Person::who_says(&[Ok("x"); 100]);
    let message = error(host(server.settings(), &pool()).spawn(piped("true"), &person.reach()).await);
    assert!(message.contains("authentication: the server never stops asking"), "{message}");
    assert_eq!(person.questions().len(), 20);
    // Empty rounds ask nobody anything.
    let server = Scripted::start(Rules { rounds: vec![&[]], ..rules }).await;
    let message = error(host(server.settings(), &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("authentication: the server never stops asking"), "{message}");
}

#[tokio::test]
async fn a_login_without_answer_is_told_with_its_step() {
    let rules = Rules { methods: vec![russh::MethodKind::Password], deaf: true, ..Rules::default() };
    let server = Scripted::start(rules).await;
    let settings = HostSettings { password: Some(crate::node::Secret::new("x")), ..server.settings() };
    let message = error(host(settings, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("authentication: no answer within 10 s"), "{message}");
}
