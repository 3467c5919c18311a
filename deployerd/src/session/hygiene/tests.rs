//! Bytes in, bytes out.

use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { rows: 24, cols: 80 };

fn shown(pieces: Vec<Piece>) -> Vec<u8> {
    let show = |piece| match piece {
        Piece::Show(bytes) => bytes,
        Piece::Asked(_) => Vec::new(),
    };
    pieces.into_iter().flat_map(show).collect()
}

fn passes(bytes: &[u8]) -> String {
    shown(Hygiene::default().feed(bytes)).escape_ascii().to_string()
}

#[test]
fn what_draws_is_passed_on_as_it_is() {
    for bytes in [
        &b"text\r\n\ttab\x08\x07"[..],
        "漢字 é ß \u{a0}x 🦀".as_bytes(),
        b"\x1b[1;31mred\x1b[m\x1b[38;2;1;2;3m\x1b[4:3m\x1b[10;20H\x1b[2J\x1b[K\x1b[?25l\x1b[2;10r\x1b[3P\x1b[s\x1b[u",
        b"\x1b7\x1b8\x1bM\x1b=\x1b>\x1bc\x1b(0\x1b(B\x1b#8",
        b"\x1b[?1049h\x1b[?2004h\x1b[?1000;1006h\x1b[4h\x1b[2 q\x1b[!p",
        b"\x1b]0;a title\x07\x1b]8;;https://example.org/x?y=1\x1b\\link\x1b]8;;\x1b\\\x1b]133;A\x07",
        b"broken \xff\xe6\xbc utf-8",
    ] {
        assert_eq!(passes(bytes), bytes.escape_ascii().to_string());
    }
}

#[test]
fn what_reaches_beyond_the_screen_is_dropped() {
    for bytes in [
        &b"\x1b]52;c;cm0gLXJmIH4=\x07"[..],
        b"\x1b]52;c;?\x1b\\",
        b"\x1b]9;you have mail\x07\x1b]777;notify;a;b\x07\x1b]1337;File=:AAAA\x07\x1b]50;font\x07",
        b"\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;#ff0000\x07\x1b]104\x07",
        b"\x1b]8;;file:///bin/sh\x1b\\\x1b]8;;javascript:x\x07",
        b"\x1bPq#0;2;0;0;0\x1b\\\x1bP$q\"p\x1b\\\x1bP+q544e\x1b\\\x1b_Gf=100\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
        b"\x1bP0;1|17/08\x1b\\",
        b"\x1b[21t\x1b[8;1;1t\x1b[3;0;0t\x1b[5i\x1b[x\x1b[1;1;1;1;1;1*y\x1b[?u\x1b[>1u\x1b[>4;2m\x1b[>q",
        b"\x1b[?3h\x1b[?1004h\x1b[?9001h\x1b[2h\x1b[12l\x1b[?5r",
        b"\x05\xc2\x9b21t\x1b%@".split_at(1).0,
        b"\xc2\x9d52;c;AAAA\x9c".split_at(2).0,
        b"\x1b%@\x1b%G\x1bkname\x1b\\",
        b"\x1b]2;never ended \x18",
    ] {
        assert_eq!(passes(bytes), "");
    }
    assert_eq!(
        passes(b"\xc2\x1b[6n\x9b31m"),
        "\u{fffd}\u{9b}31m".as_bytes().escape_ascii().to_string().replace(r"\xc2\x9b", r"\x9b")
    );
    // Of several modes, those that are known.
    assert_eq!(passes(b"\x1b[?1049;1004;25h"), r"\x1b[?1049;25h");
}

#[test]
fn titles_are_short_and_cannot_hide_anything() {
    let long = format!("\x1b]2;{}\x07", "x".repeat(4000));
    assert_eq!(passes(long.as_bytes()), format!(r"\x1b]2;{}\x07", "x".repeat(128)));
    assert_eq!(passes("\x1b]2;a\u{202e}b\u{9b}c\rd\x1b\\".as_bytes()), r"\x1b]2;abcd\x07");
    let endless = format!("\x1b]2;{}\x07after", "x".repeat(100_000));
    assert_eq!(passes(endless.as_bytes()), "after");
}

#[test]
fn questions_are_answered_once_and_from_here() {
    let mut hygiene = Hygiene::default();
    let pieces = hygiene.feed(b"a\x1b[6nb\x1b[c\x1b[>0c\x1bZ\x1b[5n\x1b[?6n\x1b[?2026$p\x1b[4$p");
    let answers: Vec<String> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Asked(query) => Some(query.answer((2, 200), SIZE).escape_ascii().to_string()),
            Piece::Show(_) => None,
        })
        .collect();
    let kind = r"\x1b[?62;22c";
    let modes = [r"\x1b[?2026;0$y", r"\x1b[4;0$y"];
    let expected = [r"\x1b[3;80R", kind, r"\x1b[>1;10;0c", kind, r"\x1b[0n", r"\x1b[?3;80R", modes[0], modes[1]];
    assert_eq!(answers, expected);
    assert_eq!(shown(pieces), b"ab");
    // In the order of the stream: what stands before a question is on the screen when it is answered.
    assert_eq!(
        Hygiene::default().feed(b"x\x1b[6ny"),
        [Piece::Show(b"x".to_vec()), Piece::Asked(Query::Cursor { private: false }), Piece::Show(b"y".to_vec())]
    );
}

fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        Just(b"\x1b[".to_vec()),
        Just(b"\x1b]".to_vec()),
        Just(b"\x1b]52;c;QQ==".to_vec()),
        Just(b"\x1b]2;t".to_vec()),
        Just(b"\x1bP".to_vec()),
        Just(b"\x1b\\".to_vec()),
        Just(b"\x07".to_vec()),
        Just(b"\xc2\x9b".to_vec()),
        "[0-9;?>$ ]{0,4}[a-zA-Z]".prop_map(String::into_bytes),
        Just(b"[6n".to_vec()),
        Just("漢é".as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn merged(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (merged.last_mut(), piece) {
            (_, Piece::Show(bytes)) if bytes.is_empty() => {}
            (Some(Piece::Show(before)), Piece::Show(more)) => before.extend(more),
            (_, piece) => merged.push(piece),
        }
    }
    merged
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_make_no_difference(bytes in soup()) {
        let mut hygiene = Hygiene::default();
        let bytewise = bytes.iter().flat_map(|byte| hygiene.feed(&[*byte])).collect();
        prop_assert_eq!(merged(Hygiene::default().feed(&bytes)), merged(bytewise));
    }

    #[test]
    fn what_was_passed_on_is_passed_on_again(bytes in soup()) {
        let once = shown(Hygiene::default().feed(&bytes));
        let pieces = Hygiene::default().feed(&once);
        prop_assert!(pieces.iter().all(|piece| matches!(piece, Piece::Show(_))), "{:?}", pieces);
        prop_assert_eq!(shown(pieces), once);
    }
}
