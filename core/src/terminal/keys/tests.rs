use proptest::prelude::*;

use super::*;

fn keys(bytes: &[u8]) -> Vec<Key> {
    let mut decoder = KeyDecoder::new();
    decoder.feed(bytes);
    std::iter::from_fn(|| decoder.next_key()).collect()
}

// rows: N-57
#[test]
fn arrows_home_end_and_delete_in_the_usual_variants() {
    for (bytes, key) in [
        ("\x1b[A", Key::Up),
        ("\x1bOB", Key::Down),
        ("\x1b[C", Key::Right),
        ("\x1bOD", Key::Left),
        ("\x1b[1;5C", Key::WordRight),
        ("\x1b[1;3D", Key::WordLeft),
        ("\x1b[H", Key::Home),
        ("\x1bOH", Key::Home),
        ("\x1b[1~", Key::Home),
        ("\x1b[7~", Key::Home),
        ("\x1b[F", Key::End),
        ("\x1bOF", Key::End),
        ("\x1b[4~", Key::End),
        ("\x1b[8~", Key::End),
        ("\x1b[3~", Key::Delete),
        ("\x1bb", Key::Alt('b')),
        ("\x1b\x7f", Key::AltBackspace),
        ("\x01", Key::Ctrl('a')),
        ("\x1f", Key::Ctrl('_')),
        ("\x1b[24;80R", Key::Other),
        ("\x1b[[A", Key::Other),
    ] {
        assert_eq!(keys(bytes.as_bytes()), [key], "{bytes:?}");
    }
}

// rows: W-60
#[test]
fn text_is_utf8_and_bad_bytes_are_no_text() {
    assert_eq!(keys("é漢🦀".as_bytes()), [Key::Char('é'), Key::Char('漢'), Key::Char('🦀')]);
    assert_eq!(keys(b"\xffa\xc3(b"), [Key::Other, Key::Char('a'), Key::Other, Key::Char('('), Key::Char('b')]);
}

#[test]
fn one_enter_of_telnet_is_one_enter() {
    assert_eq!(keys(b"y\r\nn\r\0\n"), [Key::Char('y'), Key::Enter, Key::Char('n'), Key::Enter, Key::Enter]);
}

#[test]
fn a_paste_is_text_whatever_it_contains() {
    let pasted = keys(b"\x1b[200~rm -rf /\n\xff\x1b[A\x1b[201~x");
    assert_eq!(pasted, [Key::Paste("rm -rf /\n\u{fffd}\x1b[A".to_string()), Key::Char('x')]);
}

#[test]
fn a_paste_without_end_cannot_take_the_keyboard_for_ever() {
    assert_eq!(keys(b"\x1b[200~lost\x03a"), [Key::Ctrl('c'), Key::Char('a')]);
}

#[test]
fn a_long_paste_comes_in_pieces_and_loses_nothing() {
    let text = "\u{e9}".repeat(PASTE_PIECE);
    let mut decoder = KeyDecoder::new();
    let mut pasted = String::new();
    for chunk in format!("\x1b[200~{text}\x1b[201~x").as_bytes().chunks(1000) {
        decoder.feed(chunk);
        while let Some(key) = decoder.next_key() {
            match key {
                Key::Paste(piece) => pasted.push_str(&piece),
                other => assert_eq!(other, Key::Char('x')),
            }
        }
    }
    assert_eq!(pasted, text);
}

#[test]
fn what_follows_an_answer_is_given_back() {
    let mut decoder = KeyDecoder::new();
    decoder.feed(b"y\r\nls\r");
    assert_eq!(decoder.next_key(), Some(Key::Char('y')));
    assert_eq!(decoder.next_key(), Some(Key::Enter));
    assert_eq!(decoder.take_rest().as_ref(), b"ls\r");
}

fn typed() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        "[a-zé漢\r\n\t]{0,6}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "\x1b[A",
            "\x1b[200~",
            "\x1b[201~",
            "\x1b",
            "\x1b[1;5C",
            "\x1bO",
            "\r\n",
            "\x1b[<0;1;1M"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_keys(bytes in typed(), cuts in prop::collection::vec(1usize..5, 0..80)) {
        let whole = keys(&bytes);
        let mut decoder = KeyDecoder::new();
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            decoder.feed(now);
            pieces.extend(std::iter::from_fn(|| decoder.next_key()));
            rest = later;
        }
        decoder.feed(rest);
        pieces.extend(std::iter::from_fn(|| decoder.next_key()));
        prop_assert_eq!(whole, pieces);
    }
}
