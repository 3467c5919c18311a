//! What a telnet peer may say, and what it gets.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// Everything that came of these bytes, one piece each.
fn fed(machine: &mut Machine, pieces: &[&[u8]]) -> (Vec<Event>, Vec<u8>) {
    pieces.iter().for_each(|piece| machine.feed(piece).unwrap());
    (machine.take_events(), machine.take_answers())
}

fn keys(bytes: &[u8]) -> Vec<Event> {
    vec![Event::Keys(bytes.to_vec())]
}

/// A peer that has agreed to everything but the binary option.
fn agreed() -> Machine {
    let mut machine = Machine::default();
    machine.begin();
    let yes: Vec<u8> = [[IAC, DO, ECHO], [IAC, DO, SUPPRESS_GO_AHEAD], [IAC, WILL, SUPPRESS_GO_AHEAD]].concat();
    let more =
        [[IAC, WILL, WINDOW_SIZE], [IAC, WILL, TERMINAL_TYPE], [IAC, DONT, BINARY], [IAC, WONT, BINARY]].concat();
    machine.feed(&[yes, more].concat()).unwrap();
    machine.take_answers();
    machine
}

fn naws(bytes: &[u8]) -> Vec<u8> {
    [&[IAC, SB, WINDOW_SIZE], bytes, &[IAC, SE]].concat()
}

// rows: R-03
#[test]
fn character_mode_size_and_terminal_are_asked_for_once() {
    let mut machine = Machine::default();
    machine.begin();
    let asked = machine.take_answers();
    for request in [[IAC, WILL, ECHO], [IAC, WILL, SUPPRESS_GO_AHEAD], [IAC, DO, WINDOW_SIZE], [IAC, DO, TERMINAL_TYPE]]
    {
        assert_eq!(asked.windows(3).filter(|window| *window == request).count(), 1, "{request:?}");
    }
    machine.begin();
    assert!(machine.take_answers().is_empty());
    assert!(!machine.settled());
}

// rows: R-03 R-04
#[test]
fn a_client_tells_size_and_terminal() {
    let mut machine = agreed();
    assert!(!machine.settled());
    let name = [&[IAC, SB, TERMINAL_TYPE, IS][..], b"XTERM", &[IAC, SE]].concat();
    let (events, answers) = fed(&mut machine, &[&naws(&[0, 132, 0, 43]), &name]);
    assert_eq!((events, answers), (vec![Event::Size(Size { rows: 43, cols: 132 })], vec![]));
    assert!(machine.settled());
    assert_eq!((machine.size(), machine.term().as_str()), (Size { rows: 43, cols: 132 }, "xterm"));
}

// rows: R-04
#[test]
fn who_does_not_negotiate_has_80_columns_and_types_all_the_same() {
    let mut machine = Machine::default();
    machine.begin();
    assert_eq!(fed(&mut machine, &[b"ls\r\n"]).0, keys(b"ls\r"));
    assert_eq!((machine.size(), machine.term().as_str()), (Size { rows: 24, cols: 80 }, "vt100"));
}

// rows: R-04
#[test]
fn sizes_with_a_byte_of_255_are_doubled_on_the_wire() {
    for (bytes, size) in [
        (&[0, 255, 255, 0, 80][..], Size { rows: 80, cols: 255 }),
        (&[0, 255, 255, 0, 255, 255], Size { rows: 255, cols: 255 }),
        (&[255, 255, 255, 255, 255, 255, 255, 255], Size { rows: 1000, cols: 2000 }),
        (&[0, 0, 0, 0], Size::DEFAULT),
    ] {
        assert_eq!(fed(&mut agreed(), &[&naws(bytes)]).0, [Event::Size(size)], "{bytes:?}");
    }
    for odd in [&[0, 80, 0][..], &[0, 80, 0, 24, 0], &[]] {
        assert_eq!(fed(&mut agreed(), &[&naws(odd)]).0, [], "{odd:?}");
    }
    assert_eq!(fed(&mut Machine::default(), &[&naws(&[0, 80, 0, 24])]).0, [], "not asked for");
}

#[test]
fn a_return_is_one_key_however_it_is_sent_and_cut() {
    for bytes in [&b"a\rb"[..], b"a\r\nb", b"a\r\0b"] {
        assert_eq!(fed(&mut Machine::default(), &[bytes]).0, keys(b"a\rb"));
        let (head, tail) = bytes.split_at(2);
        assert_eq!(fed(&mut Machine::default(), &[head, tail]).0, keys(b"a\rb"));
    }
    assert_eq!(fed(&mut Machine::default(), &[b"\r\r\n\n\0"]).0, keys(b"\r\r\n\0"));
    let mut binary = Machine::default();
    binary.begin();
    binary.feed(&[IAC, WILL, BINARY]).unwrap();
    assert_eq!(fed(&mut binary, &[b"\r\n\r\0"]).0, keys(b"\r\n\r\0"));
}

#[test]
fn commands_are_keys() {
    let sent = [b"a", &[IAC, IP, IAC, BRK, IAC, IAC][..], "ä".as_bytes(), &[IAC, EOF, IAC, EC, IAC, 241]].concat();
    assert_eq!(fed(&mut Machine::default(), &[&sent]).0, keys(b"a\x03\x03\xff\xc3\xa4\x04\x7f"));
    assert_eq!(fed(&mut Machine::default(), &[&[IAC, AYT, IAC, AYT]]).0, [Event::AreYouThere]);
}

#[test]
fn unwanted_options_are_refused() {
    let (events, answers) =
        fed(&mut Machine::default(), &[&[IAC, WILL, 34, IAC, DO, 34, IAC, WONT, 34, IAC, DONT, 35]]);
    assert_eq!((events, answers), (vec![], vec![IAC, DONT, 34, IAC, WONT, 34]));
}

#[test]
fn storms_and_endless_subnegotiations_end_the_connection() {
    let mut machine = Machine::default();
    let storm = [IAC, DO, ECHO, IAC, DONT, ECHO].repeat(501);
    assert_eq!(machine.feed(&storm), Err(Trouble::Storm));
    let mut machine = Machine::default();
    machine.feed(&[IAC, SB]).unwrap();
    machine.feed(&[IAC; 100_000]).unwrap();
    assert!(machine.subnegotiation.capacity() <= 2 * SUBNEGOTIATION_MAX);
    let long = [&[IAC, SB][..], &[7; 600], &[IAC, SE]].concat();
    let mut machine = Machine::default();
    assert_eq!(fed(&mut machine, &[&long, &long, b"x"]).0, keys(b"x"));
    assert_eq!(machine.feed(&long), Err(Trouble::TooLong));
}

#[test]
fn a_forgotten_end_of_a_subnegotiation_is_no_trap() {
    let mut machine = agreed();
    let sent = [&[IAC, SB, WINDOW_SIZE, 0, 80][..], &[IAC, IP], b"x"].concat();
    assert_eq!(fed(&mut machine, &[&sent]).0, keys(b"\x03x"));
}

/// Bytes as peers send them: a lot of protocol, some text.
fn talk() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => Just(IAC),
        3 => prop::sample::select(vec![WILL, WONT, DO, DONT, SB, SE, IP, AYT]),
        3 => prop::sample::select(vec![0, 1, 3, 24, 31, 34]),
        2 => prop::sample::select(vec![b'\r', b'\n', 0]),
        2 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..120)
}

/// Keys of neighbouring events as one.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut joined: Vec<Event> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(Event::Keys(before)), Event::Keys(keys)) => before.extend(keys),
            (Some(Event::Size(before)), Event::Size(size)) => *before = size,
            (Some(Event::AreYouThere), Event::AreYouThere) => {}
            (_, event) => joined.push(event),
        }
    }
    joined
}

proptest! {
    #[test]
    fn pieces_do_not_matter(bytes in talk(), cuts in prop::collection::vec(1usize..9, 1..40)) {
        let (mut whole, mut cut) = (Machine::default(), Machine::default());
        whole.begin();
        cut.begin();
        prop_assert_eq!(whole.take_answers(), cut.take_answers());
        let outcome = whole.feed(&bytes);
        let (mut events, mut answers) = (Vec::new(), Vec::new());
        let (mut rest, mut sizes, mut pieces) = (&bytes[..], cuts.iter().cycle(), Ok(()));
        while !rest.is_empty() && pieces.is_ok() {
            let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            pieces = cut.feed(piece);
            events.extend(cut.take_events());
            answers.extend(cut.take_answers());
            rest = after;
        }
        prop_assert_eq!(outcome, pieces);
        prop_assert_eq!(joined(whole.take_events()), joined(events));
        prop_assert_eq!(whole.take_answers(), answers);
        prop_assert_eq!(whole.settled(), cut.settled());
    }

    /// A question about the terminal (6 bytes) follows the agreement (3 bytes) or a name (at least 6).
    #[test]
    fn answers_are_never_much_longer_than_what_was_said(bytes in talk()) {
        let mut machine = Machine::default();
        let _outcome = machine.feed(&bytes);
        let answers = machine.take_answers();
        prop_assert!(answers.len() <= bytes.len() * 3, "{} for {}", answers.len(), bytes.len());
        prop_assert!(machine.subnegotiation.len() <= SUBNEGOTIATION_MAX + 1);
    }

    /// Two servers that are connected with each other come to rest.
    #[test]
    fn two_of_us_come_to_rest(noise in talk()) {
        let (mut a, mut b) = (Machine::default(), Machine::default());
        a.begin();
        b.begin();
        if a.feed(&noise).is_err() { return Ok(()) }
        for _ in 0..100 {
            let to_b = a.take_answers();
            let to_a = b.take_answers();
            if b.feed(&to_b).is_err() || a.feed(&to_a).is_err() { return Ok(()) }
        }
        prop_assert_eq!((a.take_answers(), b.take_answers()), (vec![], vec![]));
    }
}
