//! One person's trouble never becomes another's.

use std::io::{Read, Write};
use std::net::TcpStream;

use deployer_tests::{TIMEOUT, World};
use rustix::process::Signal;

const FLOOD: &str = r#"
local Box = Node { Hosts = { host = LocalHost } }
function Box:flood() self.hosts:run("echo ready; until [ -e start ]; do sleep 0.02; done; seq 1 400000;"
  .. "until [ -e go ]; do sleep 0.02; done; echo the flood is over") end
function Box:deluge() self.hosts:run("echo ready; until [ -e start ]; do sleep 0.02; done; seq 1 2000000;"
  .. "until [ -e go ]; do sleep 0.02; done; echo the flood is over") end
function Box:say(word) self.hosts:run("echo " .. deployer.esc1(word)) end
return Box
"#;

#[test]
fn a_client_that_stops_reading_holds_up_nobody_and_catches_up() {
    let world = World::new();
    world.deploy(FLOOD);
    let _daemon = world.listen();
    let mut slow = world.connect("slow", &[]);
    slow.wait_for_prompt("deploy > ");
    let name = world.sessions()[0].name.clone();
    let quick = world.connect("quick", &["--session", &name]);
    quick.wait_for_prompt("deploy > ");
    slow.send_line("flood");
    slow.wait_for_line("the calm before the flood", "ready");
    slow.signal(Signal::STOP);
    world.write("start", "");
    quick.wait_for_line("the end of the flood", "400000");
    slow.signal(Signal::CONT);
    slow.wait_for_line("the end of the flood, later", "400000");
    world.write("go", "");
    for client in [&quick, &slow] {
        client.wait_for_line("what comes after", "the flood is over");
        client.wait_for_prompt("deploy > ");
    }
    assert_eq!(slow.contents(), quick.contents());
}

#[test]
fn a_flood_in_one_session_leaves_the_others_quick() {
    let world = World::new();
    world.deploy(FLOOD);
    let _daemon = world.listen();
    let mut flooded = world.connect("flooded", &[]);
    let mut other = world.connect("other", &[]);
    flooded.wait_for_prompt("deploy > ");
    other.wait_for_prompt("deploy > ");
    flooded.send_line("flood");
    world.write("start", "");
    flooded.wait_for("the flood", |screen| {
        screen.contents().lines().filter(|line| line.parse::<u32>().is_ok()).count() > 20
    });
    other.send_line("say hello");
    other.wait_for_line("hello", "hello");
    world.write("go", "");
    flooded.wait_for_line("its end", "the flood is over");
}

#[test]
fn ten_operators_come_and_go() {
    let world = World::new();
    world.deploy(FLOOD);
    let daemon = world.listen();
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    let visit = || {
        let mut visitors: Vec<_> = (0..10).map(|_| world.connect("visitor", &[])).collect();
        visitors.iter().for_each(|visitor| visitor.wait_for_prompt("deploy > "));
        assert_eq!(world.sessions().len(), 10);
        for (index, visitor) in visitors.iter_mut().enumerate() {
            visitor.send_line(&format!("say from-{index}"));
        }
        for (index, visitor) in visitors.iter_mut().enumerate() {
            visitor.wait_for_line("the word", &format!("from-{index}"));
            visitor.wait_for_prompt("deploy > ");
            visitor.send_line("exit");
            assert_eq!(visitor.exit_status(), 0);
        }
        world.eventually_sessions("all have left", <[_]>::is_empty);
    };
    visit();
    let after_one = descriptors();
    visit();
    deployer_tests::eventually(
        "the second ten cost no descriptor more than the first",
        || descriptors() <= after_one,
        || format!("{after_one} after the first, {} after the second", descriptors()),
    );
}

/// Opens a session as telnet does: its own negotiation, 80 by 24, and keys; nothing is read.
fn telnet_that_never_reads(port: &str, keys: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
        .write_all(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0")
        .unwrap();
    stream.write_all(keys).unwrap();
    stream
}

// rows: Q-11
#[test]
fn twenty_who_do_not_read_cost_little_and_are_shown_the_end() {
    let world = World::new();
    world.deploy(FLOOD);
    let daemon = world.listen_with(&["-f", "deploy.lua", "telnet-server", "--port", "0", "--drain", "0"]);
    let mut telnet = telnet_that_never_reads(&daemon.telnet_port(), b"deluge\r");
    world.eventually_sessions("the session of the telnet client is at work", |sessions| {
        sessions.first().is_some_and(|session| session.running.is_some())
    });
    let mut sleepers: Vec<_> = (0..20).map(|_| world.connect("sleeper", &["--session", "s1"])).collect();
    let quick = world.connect("quick", &["--session", "s1"]);
    let mut other = world.connect("other", &[]);
    for sleeper in &sleepers {
        sleeper.wait_for_line("the calm before the flood", "ready");
        sleeper.signal(Signal::STOP);
    }
    quick.wait_for_line("the calm before the flood", "ready");
    other.wait_for_prompt("deploy > ");
    let before = daemon.peak_memory();
    world.write("start", "");
    quick.wait_for("the flood", |screen| screen.contents().lines().any(|line| line.parse::<u32>().is_ok()));
    other.send_line("say hello");
    other.wait_for_line("another session is answered", "hello");
    assert_eq!(world.sessions()[0].clients, 22);
    quick.wait_for_line("the end of the flood", "2000000");
    // Fifteen megabytes passed by; each of those who did not read may have one of them waiting.
    let grown = daemon.peak_memory() - before;
    assert!(grown < 100 << 20, "{grown} bytes more than before the flood");
    let late = sleepers.pop().unwrap();
    late.signal(Signal::CONT);
    late.wait_for_line("the end of the flood, later", "2000000");
    assert_eq!(late.contents(), quick.contents());
    world.write("go", "");
    for client in [&quick, &late] {
        client.wait_for_prompt("deploy > ");
    }
    let killed = world.run(&["kill-session", "s1"]);
    assert_eq!(killed.status, Some(0), "{killed:#?}");
    let mut read = Vec::new();
    telnet.read_to_end(&mut read).unwrap();
    let text = String::from_utf8_lossy(&read);
    assert!(text.contains("the flood is over") && text.contains("deployer: session s1 was ended by"), "{text}");
    assert!(read.len() < 8 << 20, "it was sent {} bytes, not what it had missed", read.len());
    for mut client in sleepers.into_iter().chain([quick, late]) {
        client.signal(Signal::CONT);
        client.wait_for_text("why the session is gone", "session s1 was ended by");
        client.exit_status();
    }
}
