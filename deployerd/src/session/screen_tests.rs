//! Repaints, cropped views, and sizes.

#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

const SIZE: Size = Size { rows: 8, cols: 30 };

/// What a terminal shows, cell by cell, with cursor and modes.
fn looks(parser: &vt100::Parser<Title>) -> String {
    let screen = parser.screen();
    let mut text = format!(
        "{:?} {:?} {:?} {:?} {} {} {}\n",
        String::from_utf8_lossy(&parser.callbacks().0),
        screen.cursor_position(),
        screen.input_mode_formatted(),
        screen.attributes_formatted(),
        screen.alternate_screen(),
        screen.hide_cursor(),
        screen.bracketed_paste(),
    );
    for row in 0..SIZE.rows {
        for col in 0..SIZE.cols {
            let cell = screen.cell(row, col).unwrap();
            let colours = (cell.fgcolor(), cell.bgcolor(), cell.bold());
            match colours == (vt100::Color::Default, vt100::Color::Default, false) {
                true => text.push_str(cell.contents()),
                false => text.push_str(&format!("{}{colours:?}", cell.contents())),
            }
        }
        text.push('\n');
    }
    text
}

/// Cut anywhere, even within a character: a client that comes then, into a terminal in any state, shows in the
/// end what one shows that was there all along.
fn check(stream: &[u8]) {
    for cut in 0..=stream.len() {
        same_look(stream, cut);
    }
}

fn same_look(stream: &[u8], cut: usize) {
    let (before, after) = stream.split_at(cut);
    let mut there_all_along = Vt100::new(SIZE);
    there_all_along.feed(stream);
    let mut model = Vt100::new(SIZE);
    model.feed(before);
    let mut newcomer = Vt100::new(SIZE);
    newcomer.feed(b"\x1b[?1049h\x1b[1;31mrubbish\x1b[2;3r\x1b[?25l\x1b[?2004h");
    newcomer.feed(&model.repaint());
    newcomer.feed(after);
    let cut = format!("{} | {}", before.escape_ascii(), after.escape_ascii());
    let (newcomer, there_all_along) = (looks(&newcomer.parser), looks(&there_all_along.parser));
    let differ = newcomer.lines().zip(there_all_along.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None, "{cut}");
}

// rows: Q-09
#[test]
fn a_repaint_at_any_byte_equals_having_been_there() {
    check(b"plain text\r\nand \x1b[1;32mcolour\x1b[m, and more of it that wraps around the line\r\n");
    check("wide 漢字 and combining e\u{301} and emoji 🦀\r\n".as_bytes());
    check(b"\x1b[?2004h\x1b[?1h\x1b=prompt\x1b[3D\x1b[K\x1b[?25l");
    check(b"\x1b]0;a title\x07after\x1b]2;another\x1b\\end \x1bP1$r0m\x1b\\x");
    check(b"one\r\ntwo\r\nthree\x1b[2;4r\x1b[4;1H\nmore\nlines\x1b[r\x1b[8;1Hbottom");
    check(b"one\x1b[31m\x1b7two\r\n\x1b[mthree\x1b8four\r\n\x1b8five");
    check(b"\x1b[2;99Hx\x1b7one\x1b8wraps");
    check(b"\x1b[38;2;10;20;30mtrue\x1b[48;5;200mcolour\x1b[0m\x08\x08\x1b[2Pshort\x1b[5;5H\x1b[1J");
}

#[test]
fn characters_in_pieces_of_one_byte_are_whole() {
    let text = "漢e\u{301}🦀ß1\u{301}2";
    let mut model = Vt100::new(SIZE);
    text.bytes().for_each(|byte| model.feed(&[byte]));
    assert_eq!(model.parser.screen().contents(), text);
    model.feed(b"\xcc");
    model.feed(b"x\xff\xe6");
    model.feed(b"y");
    assert_eq!(model.parser.screen().contents(), format!("{text}xy"));
}

#[test]
fn a_newcomer_sees_the_alternate_screen() {
    let mut model = Vt100::new(SIZE);
    model.feed(b"shell\x1b[?1049h\x1b[Heditor");
    let mut newcomer = parser(SIZE);
    newcomer.process(&model.repaint());
    assert!(newcomer.screen().alternate_screen() && model.alternate());
    assert_eq!(newcomer.screen().contents(), "editor");
}

#[test]
fn a_smaller_terminal_sees_the_part_around_the_cursor() {
    let mut model = Vt100::new(SIZE);
    model.feed(b"1\r\n2\r\n3\r\n4\r\n5 is a line that is too long");
    let mut small = vt100::Parser::new(NonZeroU16::new(2).unwrap(), NonZeroU16::new(10).unwrap(), 0);
    let rows = model.cropped(Size { rows: 2, cols: 10 });
    for (i, row) in rows.iter().enumerate() {
        small.process(format!("\x1b[{};1H{row}", i + 1).as_bytes());
    }
    assert_eq!(small.screen().contents(), "4\n5 is a lin");
    assert_eq!(small.screen().cursor_position(), (1, 9));
}

#[test]
fn the_smallest_and_the_largest_screens_hold() {
    for size in [Size { rows: 1, cols: 2 }, Size { rows: 1000, cols: 2000 }] {
        let mut model = Vt100::new(size);
        model.feed("漢字\r\n漢\x1b[999;999H漢".as_bytes());
        model.resize(Size { rows: 2, cols: 3 });
        model.feed("漢字漢字".as_bytes());
        model.resize(size);
        assert!(!model.repaint().is_empty());
    }
}

/// Pieces of output as programs make them. Not among them: the alternate screen, which is the session's business, and
/// wide characters, of which the model loses track when one half is overwritten.
/// Saved cursors are not among them: where a line is full and its last cell was blanked since, vt100 says where the cursor
/// is by saving it, which a repaint cannot tell from what the program has saved.
fn piece() -> impl Strategy<Value = String> {
    let number = 0u16..12;
    prop_oneof![
        4 => "[a-z ]{1,40}",
        1 => "[éß]{1,20}",
        1 => Just("e\u{301}".to_string()),
        3 => Just("\r\n".to_string()),
        1 => prop_oneof![Just("\n"), Just("\r"), Just("\x08"), Just("\t"), Just("\x1bM")].prop_map(String::from),
        2 => (number.clone(), 0u16..40).prop_map(|(row, col)| format!("\x1b[{row};{col}H")),
        2 => (number.clone(), "[ABCDGdXP@LMSTJK]").prop_map(|(count, end)| format!("\x1b[{count}{end}")),
        2 => (0u16..110).prop_map(|attribute| format!("\x1b[{attribute}m")),
        1 => (0u8..=255, any::<bool>()).prop_map(|(n, back)| format!("\x1b[{}8;5;{n}m", if back { 4 } else { 3 })),
        1 => (number.clone(), number).prop_map(|(top, bottom)| format!("\x1b[{top};{bottom}r")),
        1 => (prop_oneof![Just("1"), Just("25"), Just("2004"), Just("1000"), Just("1006")], "[hl]")
            .prop_map(|(mode, set)| format!("\x1b[?{mode}{set}")),
        1 => "[a-z]{0,9}".prop_map(|title| format!("\x1b]0;{title}\x07")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    // rows: Q-09
    #[test]
    fn a_repaint_equals_having_been_there(pieces in proptest::collection::vec(piece(), 0..40), at in any::<prop::sample::Index>()) {
        let stream = pieces.concat();
        let cut = at.index(stream.len() + 1);
        same_look(stream.as_bytes(), cut);
    }
}
