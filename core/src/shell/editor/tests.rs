#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::terminal::keys::KeyDecoder;
use crate::terminal::style::Style;

const NAMES: [&str; 5] = ["checkout", "check", "clean", "start", "_private"];

fn complete(left: &str) -> Completion {
    let start = left.rfind(' ').map_or(0, |at| at + 1);
    let candidates = NAMES
        .iter()
        .filter(|name| name.starts_with(&left[start..]))
        .map(|name| Candidate { text: name.to_string(), shown: name.to_string(), mark: "*", style: Style::Plain })
        .collect();
    Completion { start, candidates }
}

fn feed(editor: &mut Editor, bytes: &str) -> Vec<Step> {
    let mut decoder = KeyDecoder::new();
    decoder.feed(bytes.as_bytes());
    std::iter::from_fn(|| decoder.next_key()).map(|key| editor.key(key, &complete)).collect()
}

/// The line after these keys, a bar where the cursor is.
fn typed(bytes: &str) -> String {
    let mut editor = Editor::default();
    feed(&mut editor, bytes);
    let (left, right) = editor.text().split_at(editor.cursor());
    format!("{left}|{right}")
}

// rows: N-56 N-57
#[test]
fn emacs_keys() {
    for (keys, expected) in [
        ("hello\x01a", "a|hello"),
        ("hello\x01\x05!", "hello!|"),
        ("ab\x02\x02x\x06y", "xay|b"),
        ("one two\x02\x02\x02\x0b", "one |"),
        ("one two\x15", "|"),
        ("one two-three\x17", "one |"),
        ("one two\x17\x19\x19", "one twotwo|"),
        ("one two-three\x1b\x7f", "one two-|"),
        ("one two\x1bb\x1bb\x1bd", "| two"),
        ("one two\x01\x1bf", "one| two"),
        ("abc\x7f\x08", "a|"),
        ("abc\x1b[D\x1b[3~", "ab|"),
        ("abc\x1b[H\x1b[3~", "|bc"),
        ("a b\x1b[1;5D\x1b[1;5D", "|a b"),
        ("漢字\x1b[Dé", "漢é|字"),
        ("e\u{301}x\x02\x02y", "y|e\u{301}x"),
    ] {
        assert_eq!(typed(keys), expected, "{keys:?}");
    }
}

// rows: N-56
#[test]
fn interrupt_end_clear_and_the_bell() {
    let mut editor = Editor::default();
    assert_eq!(feed(&mut editor, "\x7f"), [Step::Bell]);
    assert_eq!(feed(&mut editor, "abc\x03").last(), Some(&Step::Interrupted));
    assert_eq!(editor.text(), "");
    assert_eq!(feed(&mut editor, "a\x0c").last(), Some(&Step::Clear));
    assert_eq!(feed(&mut editor, "\x04"), [Step::End]);
    assert_eq!(editor.text(), "a");
}

// rows: N-54 W-60
#[test]
fn history_goes_back_and_forth_without_duplicates() {
    let mut editor = Editor::default();
    feed(&mut editor, "one\rtwo\r \rone\r");
    assert_eq!(editor.history().lines().collect::<Vec<_>>(), ["two", "one"]);
    feed(&mut editor, "draft\x1b[A");
    assert_eq!(editor.text(), "one");
    feed(&mut editor, "\x10");
    assert_eq!(editor.text(), "two");
    assert_eq!(feed(&mut editor, "\x10"), [Step::Bell]);
    feed(&mut editor, "\x0e\x1b[B");
    assert_eq!(editor.text(), "draft");
    assert_eq!(feed(&mut editor, "\x1b[B"), [Step::Bell]);
}

// rows: W-60
#[test]
fn reverse_search_finds_older_and_older_lines() {
    let mut editor = Editor::default();
    feed(&mut editor, "deploy web\rrestart db\rdeploy db\r");
    feed(&mut editor, "\x12dep");
    assert_eq!(editor.text(), "deploy db");
    feed(&mut editor, "\x12");
    assert_eq!(editor.text(), "deploy web");
    assert_eq!(feed(&mut editor, "\x12"), [Step::Bell]);
    assert_eq!(feed(&mut editor, "\r"), [Step::Line("deploy web".to_string())]);
    feed(&mut editor, "kept\x12restart\x07");
    assert_eq!(editor.text(), "kept");
    feed(&mut editor, "\x12rest\x05!");
    assert_eq!(editor.text(), "restart db!");
}

// rows: N-41 N-42 N-43
#[test]
fn tab_completes_then_lists() {
    assert_eq!(typed("sta\t"), "start |");
    assert_eq!(typed("c\t"), "c|");
    assert_eq!(typed("ch\t"), "check|");
    let mut editor = Editor::default();
    let steps = feed(&mut editor, "ch\t\t\t");
    assert_eq!(steps[2..4], [Step::Edited, Step::Bell]);
    let Step::List(listed) = &steps[4] else { panic!("{steps:?}") };
    assert_eq!(columns(listed, 80, false), "checkout*  check*\n");
    assert_eq!(columns(listed, 12, false), "checkout*\ncheck*\n");
    assert_eq!(feed(&mut editor, "zz\t").last(), Some(&Step::Bell));
}

#[test]
fn tab_in_mid_line_keeps_the_right_part() {
    assert_eq!(typed("sta web\x02\x02\x02\x02\t"), "start |web");
    assert_eq!(typed("staweb\x02\x02\x02\t"), "start |web");
}

#[test]
fn a_paste_is_one_edit_and_never_runs_anything() {
    let mut editor = Editor::default();
    let steps = feed(&mut editor, "\x1b[200~rm -rf /\r\n\x07exit\t\n\x1b[201~");
    assert_eq!(steps, [Step::Edited]);
    assert_eq!(editor.text(), "rm -rf /\nexit ");
    let drawn = drawn(&editor, 40);
    assert!(drawn.contains("rm -rf /^Jexit"), "{drawn:?}");
}

fn drawn(editor: &Editor, columns: usize) -> String {
    let prompt = [("production.web".to_string(), Style::Red), (" > ".to_string(), Style::Cyan)];
    let view = View { prompt: &prompt, prompt_columns: columns / 2, spans: &[], columns, colour: false, moves: true };
    String::from_utf8(render(editor, &view)).unwrap()
}

// rows: N-52 N-53
#[test]
fn narrow_terminals_cut_the_prompt_and_scroll_the_line() {
    let mut editor = Editor::default();
    assert_eq!(drawn(&editor, 80), "\rproduction.web > \x1b[K\r\x1b[17C");
    assert_eq!(drawn(&editor, 20), "\ron.web > \x1b[K\r\x1b[10C".replace("on.web", "ion.web"));
    feed(&mut editor, "abcdefghijklm");
    assert_eq!(drawn(&editor, 20), "\rion.web > efghijklm\x1b[K\r\x1b[19C");
    feed(&mut editor, "\x01");
    assert_eq!(drawn(&editor, 20), "\rion.web > abcdefghi\x1b[K\r\x1b[10C");
}

#[test]
fn a_terminal_that_moves_no_cursor_gets_blanks() {
    let mut editor = Editor::default();
    feed(&mut editor, "abc\x02");
    let view = View {
        prompt: &[(">".to_string(), Style::Plain)],
        prompt_columns: 4,
        spans: &[],
        columns: 8,
        colour: false,
        moves: false,
    };
    assert_eq!(String::from_utf8(render(&editor, &view)).unwrap(), "\r>abc   \r>ab");
}

fn keys() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~é漢🦀\u{301}\n]{0,5}",
        (0u8..32).prop_map(|byte| char::from(byte).to_string()),
        prop::sample::select(vec![
            "\x1b[A",
            "\x1b[B",
            "\x1b[C",
            "\x1b[D",
            "\x1b[3~",
            "\x1bb",
            "\x1bf",
            "\x1bd",
            "\x1b\x7f",
            "\x7f",
            "\t\t",
            "\x1b[200~a\nb\x1b[31m漢\x1b[201~",
            "\x12c",
            "\x1b[H",
        ])
        .prop_map(str::to_string),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_keys_break_the_editor_or_its_picture(keys in keys(), columns in 2u16..60, shown in 0usize..3) {
        let mut editor = Editor::default();
        let mut decoder = KeyDecoder::new();
        decoder.feed(keys.as_bytes());
        while let Some(key) = decoder.next_key() {
            let pasted = matches!(key, Key::Paste(_));
            let step = editor.key(key, &complete);
            prop_assert!(!pasted || matches!(step, Step::Edited | Step::Bell));
            prop_assert!(editor.cursor() <= editor.text().len() && editor.text().is_char_boundary(editor.cursor()));
            prop_assert!(!editor.text().chars().any(|c| c != '\n' && crate::terminal::style::is_unsafe(c)));
            let prompt = [("名前name > ".repeat(shown), Style::Red)];
            let view = View { prompt: &prompt, prompt_columns: usize::from(columns) / 2, spans: &[(0..3, Style::Red)], columns: columns.into(), colour: true, moves: true };
            let mut screen = vt100::Parser::new(4.try_into().unwrap(), columns.try_into().unwrap(), 0);
            screen.process(b"above\r\n");
            let (row, _) = screen.screen().cursor_position();
            screen.process(&render(&editor, &view));
            let (now, column) = screen.screen().cursor_position();
            prop_assert_eq!(now, row, "the line stays on its row");
            prop_assert!(column < columns);
        }
    }
}
