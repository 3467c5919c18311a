//! The bytes of every message, pinned. A change here breaks peers that are installed: add messages
//! with new numbers instead.

#![allow(clippy::unwrap_used)]

use bytes::{Bytes, BytesMut};
use deployer_protocol::{
    Claim, ClientInfo, DaemonInfo, ErrorKind, FrameCodec, FromClient, FromDaemon, Hello, Join, NodeNames, Open,
    OpenTerminal, OpenWindow, SessionInfo, SessionPeople, SessionState, Share, Version,
};
use tokio_util::codec::{Decoder, Encoder};

fn unhex(text: &str) -> BytesMut {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_client(message: FromClient, golden: &str) {
    let golden = unhex(golden);
    let mut bytes = BytesMut::new();
    FrameCodec::<FromDaemon, FromClient>::default().encode(message.clone(), &mut bytes).unwrap();
    assert_eq!(hex(&bytes), hex(&golden), "{message:?}");
    let decoded = FrameCodec::<FromClient, FromDaemon>::default().decode(&mut bytes).unwrap();
    assert_eq!(decoded, Some(message));
}

fn from_daemon(message: FromDaemon, golden: &str) {
    let golden = unhex(golden);
    let mut bytes = BytesMut::new();
    FrameCodec::<FromClient, FromDaemon>::default().encode(message.clone(), &mut bytes).unwrap();
    assert_eq!(hex(&bytes), hex(&golden), "{message:?}");
    let decoded = FrameCodec::<FromDaemon, FromClient>::default().decode(&mut bytes).unwrap();
    assert_eq!(decoded, Some(message));
}

fn hello() -> Hello {
    Hello { version: Version { major: 1, minor: 0 }, software: "deployer 0.1.0".to_string() }
}

fn terminal() -> OpenTerminal {
    OpenTerminal { rows: 24, cols: 80, term: "xterm".to_string(), colour: true }
}

// rows: Q-07 W-01
#[test]
fn messages_of_clients() {
    from_client(FromClient::Hello(hello()), "00000013 0001 0100 0e 6465706c6f79657220302e312e30");
    from_client(
        FromClient::Open(Open {
            name: None,
            path: vec!["prod".to_string(), "web".to_string()],
            action: None,
            terminal: Some(terminal()),
            interactive: true,
        }),
        "00000019 0002 00 02 04 70726f64 03 776562 00 01 18 50 05 787465726d 01 01",
    );
    from_client(
        FromClient::Open(Open {
            name: Some("release".to_string()),
            path: vec![],
            action: Some(vec!["start".to_string(), "x".to_string()]),
            terminal: None,
            interactive: false,
        }),
        "00000018 0002 01 07 72656c65617365 00 01 02 05 7374617274 01 78 00 00",
    );
    from_client(
        FromClient::Join(Join {
            name: "s1".to_string(),
            watch: true,
            terminal: OpenTerminal { rows: 300, cols: 132, term: String::new(), colour: false },
        }),
        "0000000c 0003 02 7331 01 fb2c01 84 00 00",
    );
    from_client(FromClient::Input(Bytes::from_static(b"ls\r")), "00000006 0004 03 6c730d");
    from_client(FromClient::EndOfInput(()), "00000002 0005");
    from_client(FromClient::Resize((50, 251)), "00000006 0006 32 fbfb00");
    from_client(FromClient::Detach(()), "00000002 0007");
    from_client(FromClient::List(()), "00000002 0008");
    from_client(FromClient::Kill("s1".to_string()), "00000005 0009 02 7331");
    from_client(FromClient::Interrupt(()), "00000002 000a");
    from_client(FromClient::OpensWindows(true), "00000003 001f 01");
    let claim = || Claim { name: "0a1b".to_string(), terminal: terminal() };
    from_client(FromClient::Claim(claim()), "00000010 0020 04 30613162 18 50 05 787465726d 01");
    from_client(FromClient::WindowRefused(("0a1b".to_string(), "no".to_string())), "0000000a 0021 04 30613162 02 6e6f");
    from_client(FromClient::Monitor(claim()), "00000010 0022 04 30613162 18 50 05 787465726d 01");
    from_client(
        FromClient::SetOption(("parallel".to_string(), "4".to_string())),
        "0000000d 001e 08 706172616c6c656c 01 34",
    );
    from_client(FromClient::Names(vec!["prod".to_string(), ":w1".to_string()]), "0000000c 003c 02 0470726f64 033a7731");
    from_client(FromClient::Unknown(65535), "00000002 ffff");
}

// rows: Q-08
#[test]
fn messages_of_daemons() {
    from_daemon(FromDaemon::Hello(hello()), "00000013 0001 0100 0e 6465706c6f79657220302e312e30");
    from_daemon(FromDaemon::Attached("s1".to_string()), "00000005 0002 02 7331");
    from_daemon(FromDaemon::Output(Bytes::from_static(b"\x1b[H")), "00000006 0003 03 1b5b48");
    from_daemon(FromDaemon::Stdout(Bytes::from_static(b"\xff\0")), "00000005 0004 02 ff00");
    from_daemon(FromDaemon::Stderr(Bytes::from_static(b"")), "00000003 0005 00");
    from_daemon(FromDaemon::Finished(0), "00000003 0006 00");
    from_daemon(FromDaemon::Finished(-1), "00000003 0006 01");
    from_daemon(FromDaemon::Finished(130), "00000005 0006 fb0401");
    from_daemon(FromDaemon::Detached("bye".to_string()), "00000006 0007 03 627965");
    for (kind, number) in [
        (ErrorKind::Protocol, "00"),
        (ErrorKind::Session, "01"),
        (ErrorKind::Permission, "02"),
        (ErrorKind::Deployment, "03"),
        (ErrorKind::Unavailable, "04"),
    ] {
        from_daemon(FromDaemon::Error((kind, "no".to_string())), &format!("00000006 0008 {number} 02 6e6f"));
    }
    from_daemon(FromDaemon::Killed("s1".to_string()), "00000005 000a 02 7331");
    let (ticket, title) = ("0a1b".to_string(), "w1".to_string());
    from_daemon(
        FromDaemon::OpenWindow(OpenWindow { ticket, title, focus: true }),
        "0000000b 001e 04 30613162 02 7731 01",
    );
    from_daemon(FromDaemon::DetachKey(28), "00000003 001f 1c");
    from_daemon(
        FromDaemon::Names(NodeNames {
            nodes: vec!["web".to_string()],
            cells: vec![":w1".to_string()],
            actions: vec!["go".to_string()],
        }),
        "00000010 003c 01 03776562 01 033a7731 01 02676f",
    );
    from_daemon(FromDaemon::Unknown(11), "00000002 000b");
}

// rows: Q-26
#[test]
fn the_answer_to_list() {
    let session = |name: &str, clients: &[&str], state| SessionInfo {
        name: name.to_string(),
        owner: "ann".to_string(),
        created_ms: 1_700_000_000_000,
        clients: clients.iter().map(|client| client.to_string()).collect(),
        node: "prod".to_string(),
        state,
    };
    from_daemon(
        FromDaemon::Info(DaemonInfo {
            pid: 4711,
            started_ms: 1_600_000_000_000,
            tree: "/d.lua".to_string(),
            private: true,
            sessions: vec![
                session("s1", &["ann", "bob (watching)"], SessionState::Idle),
                session("s2", &[], SessionState::Running { action: "prod.go".to_string(), since_ms: 5 }),
            ],
        }),
        "00000061 0009 fb6712 fd00806e8774010000 06 2f642e6c7561 01 02
         02 7331 03 616e6e fd0068e5cf8b010000 02 03 616e6e 0e 626f62202877617463 68696e6729 04 70726f64 00
         02 7332 03 616e6e fd0068e5cf8b010000 00 04 70726f64 01 07 70726f642e676f 05",
    );
}

#[test]
fn who_has_to_do_with_sessions() {
    from_client(FromClient::People(()), "00000002 0028");
    let share = Share { session: "s1".to_string(), user: "bob".to_string(), on: true };
    from_client(FromClient::Share(share), "0000000a 0029 02 7331 03 626f62 01");
    from_client(FromClient::HandOver(("s1".to_string(), "1001".to_string())), "0000000a 002a 02 7331 04 31303031");
    let client = ClientInfo { user: "bob".to_string(), uid: 1001, rank: "viewer".to_string(), watch: true };
    let people = SessionPeople {
        session: "s1".to_string(),
        owner: "ann".to_string(),
        owner_uid: 1000,
        shared: vec!["bob".to_string()],
        clients: vec![client],
    };
    from_daemon(
        FromDaemon::People(vec![people]),
        "00000022 0028 01 02 7331 03 616e6e fbe803 01 03 626f62 01 03 626f62 fbe903 06 766965776572 01",
    );
    from_daemon(FromDaemon::Given("done".to_string()), "00000007 0029 04 646f6e65");
}
