#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::host::HostContext;
use crate::host::compose::{Home, compose};

fn marks() -> Marks {
    Marks { prompt: "[sudo 11]".to_string(), mark: ("[run 22".to_string(), "33]".to_string()) }
}

/// Feeds the pieces and adds up what was heard.
fn hear(talk: &mut SudoTalk, pieces: &[&[u8]]) -> Heard {
    let mut all = Heard::default();
    for piece in pieces {
        let heard = talk.feed(piece);
        all.prompts += heard.prompts;
        all.started |= heard.started;
        all.talk.extend(heard.talk);
        all.output.extend(heard.output);
    }
    all.talk.extend(talk.finish());
    all
}

fn heard(prompts: usize, started: bool, talk: &str, output: &str) -> Heard {
    Heard { prompts, started, talk: talk.into(), output: output.into() }
}

// rows: F-19 F-20 F-21 W-04 W-15 W-16 W-17
#[test]
fn the_whole_command_runs_under_sudo() {
    let mut context = HostContext::default();
    context.push_directory("~/it's", true, false);
    context.push_variable("A", "1", true);
    context.push_prefix("true");
    let line = compose(&context, "xterm", "id && id", Home::Argument).unwrap();
    assert_eq!(
        marks().line(&line, Some("o'connor"), true, false),
        r#"exec sudo -p '[sudo 11]' -u 'o'\''connor' -- /bin/sh -c 'printf %s%s '\''[run 22'\'' '\''33]'\'' && cd "${1:?}"/'\''it'\''\'\'''\''s'\'' && shift && export TERM=xterm && export A='\''1'\'' && (true && { id && id"#
            .to_string()
            + "\n})' sh \"${HOME:?}\""
    );
    let piped = marks().line(&compose(&HostContext::default(), "", "id", Home::Argument).unwrap(), None, false, false);
    assert!(piped.starts_with("exec sudo -S -p '[sudo 11]' -- /bin/sh -c"), "{piped}");
    assert!(!piped.contains("[run 2233]"), "sudo quotes the command when it refuses it");
}

// rows: F-22 W-32
#[test]
fn what_sudo_says_is_told_from_what_the_command_prints() {
    let cases: &[(bool, &str, Heard)] = &[
        (true, "[run 2233]out\r\n", heard(0, true, "", "out\r\n")),
        (true, "[sudo 11]\r\n[run 2233]out", heard(1, true, "", "out")),
        (true, "Lecture\r\n[sudo 11]\r\n[run 2233]", heard(1, true, "Lecture\r\n", "")),
        (true, "[sudo 11]secret\r\n[run 2233]out", heard(1, true, "", "out")),
        (true, "[sudo 11]******\r\nSorry\r\n[sudo 11]", heard(2, false, "Sorry\r\n", "")),
        (true, "[sudo 11]secret", heard(1, false, "", "")),
        (true, "sudo: [sudo 1", heard(0, false, "sudo: [sudo 1", "")),
        (true, "[run 2233][sudo 11][run 2233]", heard(0, true, "", "[sudo 11][run 2233]")),
        (
            false,
            "[sudo 11]sudo: 1 incorrect password attempt\n",
            heard(1, false, "sudo: 1 incorrect password attempt\n", ""),
        ),
    ];
    for (echo, text, expected) in cases {
        assert_eq!(hear(&mut marks().listen(*echo), &[text.as_bytes()]), *expected, "{text:?}");
    }
}

#[test]
fn the_texts_are_fresh_for_every_run() {
    let (one, two) = (Marks::new(), Marks::new());
    assert!(one.prompt != two.prompt && one.mark != two.mark && one.prompt.len() > 32);
}

proptest! {
    // rows: F-22
    #[test]
    fn chunks_make_no_difference(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("[sudo 11]"), Just("[run 2233]"), Just("[sudo 1"), Just("[run 22"), Just("33]"), Just("["),
                Just("secret\r\n"), Just("\n"), Just("text"),
            ],
            0..12,
        ),
        cuts in proptest::collection::vec(0usize..12, 0..40),
        echo: bool,
    ) {
        let text = parts.concat().into_bytes();
        let mut pieces = Vec::new();
        let mut rest = &text[..];
        for cut in cuts {
            let (piece, more) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        pieces.push(rest);
        let whole = hear(&mut marks().listen(echo), &[&text]);
        prop_assert_eq!(hear(&mut marks().listen(echo), &pieces), whole);
    }

    #[test]
    fn an_echoed_password_is_never_heard(password in "[a-zA-Z0-9]{6,20}", cut in 0usize..60) {
        let text = format!("lecture\r\n[sudo 11]{password}\r\nsorry\r\n[sudo 11]{password}\r\nsudo: no\r\n").into_bytes();
        let (one, two) = text.split_at(cut.min(text.len()));
        let all = hear(&mut marks().listen(true), &[one, two]);
        prop_assert_eq!(all, heard(2, false, "lecture\r\nsorry\r\nsudo: no\r\n", ""));
    }
}
