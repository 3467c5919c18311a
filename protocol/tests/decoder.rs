//! What the decoder does with bytes that a peer of ours would not send (rows W-01, W-57).

#![allow(clippy::unwrap_used)]

use bytes::{Bytes, BytesMut};
use deployer_protocol::{
    Claim, ErrorKind, FrameCodec, FrameError, FromClient, FromDaemon, Hello, Join, MAX_FRAME, Open, OpenTerminal,
    OpenWindow, Version,
};
use proptest::prelude::*;
use tokio_util::codec::{Decoder, Encoder};

fn of_client() -> FrameCodec<FromClient, FromDaemon> {
    FrameCodec::default()
}

fn of_daemon() -> FrameCodec<FromDaemon, FromClient> {
    FrameCodec::default()
}

fn frame(number: u16, body: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.extend(((body.len() + 2) as u32).to_be_bytes());
    bytes.extend(number.to_be_bytes());
    bytes.extend(body);
    bytes
}

// rows: W-57
#[test]
fn a_length_out_of_bounds_is_refused_before_anything_is_allocated() {
    for length in [0, 1, MAX_FRAME as u32 + 1, u32::MAX] {
        let mut bytes = BytesMut::from(&length.to_be_bytes()[..]);
        let error = of_client().decode(&mut bytes).unwrap_err();
        assert!(matches!(error, FrameError::Length(found) if found == u64::from(length)), "{error}");
        assert!(bytes.capacity() < 1024, "{length}: {} bytes of memory", bytes.capacity());
    }
}

#[test]
fn the_longest_frame_arrives_and_one_byte_more_is_not_sent() {
    // The length of the bytes takes five bytes of its own.
    let longest = Bytes::from(vec![7; MAX_FRAME - 2 - 5]);
    let mut bytes = BytesMut::new();
    of_daemon().encode(FromClient::Input(longest.clone()), &mut bytes).unwrap();
    assert_eq!(of_client().decode(&mut bytes).unwrap(), Some(FromClient::Input(longest)));
    of_daemon().encode(FromClient::List(()), &mut bytes).unwrap();
    let too_long = FromClient::Input(Bytes::from(vec![7; MAX_FRAME]));
    of_daemon().encode(too_long, &mut bytes).unwrap_err();
    assert_eq!(of_client().decode(&mut bytes).unwrap(), Some(FromClient::List(())), "nothing of it was written");
    assert!(bytes.is_empty());
}

#[test]
fn half_a_frame_waits_and_is_an_error_at_the_end() {
    let whole = frame(7, &[]);
    for have in 1..whole.len() {
        let mut bytes = BytesMut::from(&whole[..have]);
        assert!(of_client().decode(&mut bytes).unwrap().is_none());
        let error = of_client().decode_eof(&mut bytes).unwrap_err();
        assert!(matches!(error, FrameError::Truncated(found) if found == have), "{error}");
    }
    assert!(of_client().decode_eof(&mut BytesMut::new()).unwrap().is_none());
}

#[test]
fn numbers_of_newer_peers_are_survived() {
    let mut bytes = frame(999, b"whatever it means");
    bytes.extend(frame(7, &[]));
    assert_eq!(of_client().decode(&mut bytes).unwrap(), Some(FromClient::Unknown(999)));
    assert_eq!(of_client().decode(&mut bytes).unwrap(), Some(FromClient::Detach(())));
    let mut bytes = frame(0, &[]);
    assert_eq!(of_daemon().decode(&mut bytes).unwrap(), Some(FromDaemon::Unknown(0)));
}

// rows: W-01
#[test]
fn lengths_inside_a_body_are_not_believed() {
    let huge = [&[0xfd][..], &(1u64 << 40).to_le_bytes()].concat();
    let most = [&[0xfd][..], &u64::MAX.to_le_bytes()].concat();
    for length in [huge, most, vec![0xfc, 0xff, 0xff, 0xff, 0x7f], vec![0xff], vec![0xfe, 1, 2, 3]] {
        // As text, as bytes, as the number of words of a path, as the number of sessions.
        for (number, before) in [(9, &[][..]), (4, &[]), (2, &[0]), (3, &[])] {
            let mut bytes = frame(number, &[before, &length].concat());
            let error = of_client().decode(&mut bytes).unwrap_err();
            assert!(matches!(error, FrameError::Body { .. }), "{number}: {error}");
        }
        let mut bytes = frame(9, &[&[1, 1, 0][..], &length].concat());
        of_daemon().decode(&mut bytes).unwrap_err();
    }
}

#[test]
fn a_body_that_goes_on_or_stops_short_is_refused() {
    for (number, body) in
        [(7, &b"x"[..]), (6, &[24]), (6, &[24, 80, 0]), (9, &[2, b's']), (9, &[2, 0xff, 0xfe]), (2, &[7]), (1, &[])]
    {
        let mut bytes = frame(number, body);
        let error = of_client().decode(&mut bytes).unwrap_err();
        assert!(matches!(error, FrameError::Body { number: found, .. } if found == number), "{error}");
    }
}

fn text() -> impl Strategy<Value = String> {
    ".{0,40}"
}

fn terminal() -> impl Strategy<Value = OpenTerminal> {
    (any::<u16>(), any::<u16>(), text(), any::<bool>()).prop_map(|(rows, cols, term, colour)| OpenTerminal {
        rows,
        cols,
        term,
        colour,
    })
}

fn words() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(text(), 0..5)
}

fn bytes() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn client_message() -> impl Strategy<Value = FromClient> {
    prop_oneof![
        (any::<u16>(), any::<u16>(), text()).prop_map(|(major, minor, software)| FromClient::Hello(Hello {
            version: Version { major, minor },
            software
        })),
        (
            proptest::option::of(text()),
            words(),
            proptest::option::of(words()),
            proptest::option::of(terminal()),
            any::<bool>()
        )
            .prop_map(|(name, path, action, terminal, interactive)| {
                FromClient::Open(Open { name, path, action, terminal, interactive })
            }),
        (text(), any::<bool>(), terminal()).prop_map(|(name, watch, terminal)| FromClient::Join(Join {
            name,
            watch,
            terminal
        })),
        bytes().prop_map(FromClient::Input),
        any::<(u16, u16)>().prop_map(FromClient::Resize),
        text().prop_map(FromClient::Kill),
        Just(FromClient::EndOfInput(())),
        Just(FromClient::Interrupt(())),
        proptest::collection::vec(".{0,20}", 0..5).prop_map(FromClient::Names),
        (text(), text()).prop_map(FromClient::SetOption),
        (text(), text()).prop_map(FromClient::WindowRefused),
        any::<bool>().prop_map(FromClient::OpensWindows),
        (text(), terminal()).prop_map(|(name, terminal)| FromClient::Claim(Claim { name, terminal })),
        (text(), terminal()).prop_map(|(name, terminal)| FromClient::Monitor(Claim { name, terminal })),
        (100..u16::MAX).prop_map(FromClient::Unknown),
    ]
}

fn daemon_message() -> impl Strategy<Value = FromDaemon> {
    prop_oneof![
        text().prop_map(FromDaemon::Attached),
        bytes().prop_map(FromDaemon::Output),
        bytes().prop_map(FromDaemon::Stderr),
        any::<i32>().prop_map(FromDaemon::Finished),
        any::<u8>().prop_map(FromDaemon::DetachKey),
        (text(), text(), any::<bool>()).prop_map(|(ticket, title, focus)| FromDaemon::OpenWindow(OpenWindow {
            ticket,
            title,
            focus
        })),
        text().prop_map(|text| FromDaemon::Error((ErrorKind::Permission, text))),
    ]
}

proptest! {
    #[test]
    fn messages_arrive_as_sent_however_the_bytes_are_cut(
        messages in proptest::collection::vec(client_message(), 1..6),
        piece in 1usize..50,
    ) {
        let mut wire = BytesMut::new();
        for message in &messages {
            of_daemon().encode(message.clone(), &mut wire).unwrap();
        }
        let (mut codec, mut arrived, mut buffer) = (of_client(), Vec::new(), BytesMut::new());
        for part in wire.chunks(piece) {
            buffer.extend(part);
            while let Some(message) = codec.decode(&mut buffer).unwrap() {
                arrived.push(message);
            }
        }
        prop_assert_eq!(arrived, messages);
        prop_assert!(codec.decode_eof(&mut buffer).unwrap().is_none());
    }

    #[test]
    fn answers_arrive_as_sent_byte_by_byte(message in daemon_message()) {
        let mut wire = BytesMut::new();
        of_client().encode(message.clone(), &mut wire).unwrap();
        let (mut codec, mut buffer) = (of_daemon(), BytesMut::new());
        let last = wire.len() - 1;
        for (i, byte) in wire.iter().enumerate() {
            buffer.extend([*byte]);
            let decoded = codec.decode(&mut buffer).unwrap();
            prop_assert_eq!(decoded, (i == last).then(|| message.clone()));
        }
    }

    #[test]
    fn garbage_is_an_error_or_a_message_and_never_a_panic(
        number in 0u16..16,
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _either = of_client().decode(&mut frame(number, &body));
        let _either = of_daemon().decode(&mut frame(number, &body));
        let mut raw = BytesMut::from(&body[..]);
        while let Ok(Some(_)) = of_client().decode(&mut raw) {}
    }
}
