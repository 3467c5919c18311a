#![allow(clippy::unwrap_used)]

use super::*;
use crate::terminal::Size;
use crate::terminal::scripted::ScriptedTerminal;

fn question(kind: QuestionKind) -> Question {
    Question { label: "web1".to_string(), notice: String::new(), prompt: "go on?".to_string(), kind }
}

fn choice(default: Option<&str>) -> QuestionKind {
    let options = ["abort", "retry", "skip"].map(str::to_string).to_vec();
    QuestionKind::Choice { options, default: default.map(str::to_string) }
}

/// What a person sees on a screen of 80 columns.
fn screen(terminal: &ScriptedTerminal) -> String {
    let mut screen = vt100::Parser::new(40.try_into().unwrap(), 80.try_into().unwrap(), 0);
    screen.process(terminal.output().as_bytes());
    screen.screen().contents()
}

async fn asked(kind: QuestionKind, keys: &str) -> (Result<String, NoAnswer>, String) {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_at("go on?", keys);
    let console = Console::new(terminal.clone());
    let answer = console.ask(question(kind)).await;
    (answer.map(|answer| answer.0.to_string()), screen(&terminal))
}

// rows: I-02 I-05
#[tokio::test]
async fn a_line_is_asked_in_cyan_with_the_host_in_front() {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys("main\x7f\x7fi\u{e9}\r").await;
    let answer = Console::new(terminal.clone()).ask(question(QuestionKind::Line)).await.unwrap();
    assert_eq!(answer.0.as_str(), "mai\u{e9}");
    assert!(terminal.output().contains("\x1b[36m  web1: go on?: \x1b[0m"), "{:?}", terminal.output());
    assert_eq!(screen(&terminal), "  web1: go on?: mai\u{e9}\n".trim_end());
}

// rows: I-06
#[tokio::test]
async fn a_secret_shows_one_star_for_each_character() {
    let (answer, screen) = asked(QuestionKind::Secret, "s\u{e9}cretx\x7f\r").await;
    assert_eq!(answer.unwrap(), "s\u{e9}cret");
    assert_eq!(screen, "  web1: go on?: ******");
}

// rows: I-19
#[tokio::test]
async fn confirm_wants_yes_or_no() {
    let (answer, screen) = asked(QuestionKind::Confirm, "\rmaybe\ry\r").await;
    assert_eq!(answer.unwrap(), "yes");
    assert_eq!(screen.lines().filter(|line| line.contains("please type yes or no")).count(), 1, "{screen}");
    assert_eq!(asked(QuestionKind::Confirm, "No\r").await.0.unwrap(), "no");
}

// rows: I-04 I-07 E-18
#[tokio::test]
async fn a_choice_takes_its_words_and_asks_again_on_others() {
    let (answer, screen) = asked(choice(Some("abort")), "x\rre\r").await;
    assert_eq!(answer.unwrap(), "retry");
    assert_eq!(
        screen,
        "  web1: go on? (abort, retry or skip) [abort] x\n  please type abort, retry or skip; a beginning is enough\n  \
         web1: go on? (abort, retry or skip) [abort] re"
    );
    assert_eq!(asked(choice(Some("abort")), "\r").await.0.unwrap(), "abort");
    assert_eq!(asked(choice(None), "\rskip\r").await.0.unwrap(), "skip");
}

fn laid_out(question: &Question, columns: usize) -> String {
    let (above, prompt) = Wording::new(question).laid_out(columns);
    format!("{above}{prompt}|")
}

// rows: E-13
#[tokio::test]
async fn after_a_failure_one_line_asks_and_a_letter_answers() {
    let after_failure = Question { prompt: String::new(), ..question(choice(Some("abort"))) };
    assert_eq!(laid_out(&after_failure, 80), "  web1: abort, retry or skip? [abort] |");
    for (key, meant) in [("a", "abort"), ("r", "retry"), ("S", "skip")] {
        let terminal = ScriptedTerminal::interactive();
        terminal.type_keys(&format!("{key}\r")).await;
        let answer = Console::new(terminal.clone()).ask(after_failure.clone()).await.unwrap();
        assert_eq!(answer.0.as_str(), meant);
        assert_eq!(screen(&terminal), format!("  web1: abort, retry or skip? [abort] {key}"));
    }
}

#[tokio::test]
async fn options_that_begin_alike_are_told_apart() {
    let options = ["web1", "web10", "Db"].map(str::to_string).to_vec();
    let hosts = || QuestionKind::Choice { options: options.clone(), default: None };
    assert_eq!(asked(hosts(), "WEB1\r").await.0.unwrap(), "web1");
    assert_eq!(asked(hosts(), "d\r").await.0.unwrap(), "Db");
    let (answer, screen) = asked(hosts(), "w\rweb10\r").await;
    assert_eq!(answer.unwrap(), "web10");
    assert!(screen.contains("  that may be web1 or web10: please type more of it\n"), "{screen}");
}

// rows: I-07
#[test]
fn what_does_not_fit_stands_above_the_line_with_the_answer() {
    let options = ["main", "a-branch-with-a-name", "another-of-these", "release-2026-11"].map(str::to_string).to_vec();
    let kind = QuestionKind::Choice { options, default: Some("main".to_string()) };
    let branch = Question { label: "web1".to_string(), notice: String::new(), prompt: "branch".to_string(), kind };
    let listed = "    main\n    a-branch-with-a-name\n    another-of-these\n    release-2026-11\n";
    assert_eq!(laid_out(&branch, 80), format!("{listed}  web1: branch: [main] |"));
    assert_eq!(laid_out(&branch, 40), format!("{listed}  web1: branch: [main] |"));
    let nameless = Question { prompt: String::new(), ..branch.clone() };
    assert_eq!(laid_out(&nameless, 80), format!("{listed}  web1: which one? [main] |"));
    let told = "main  stable\na-branch-with-a-name\nanother-of-these\nrelease-2026-11";
    let told = Question { notice: told.to_string(), ..branch.clone() };
    assert_eq!(laid_out(&told, 80).matches("release-2026-11").count(), 1, "a table of the options is list enough");
    let numbers: Vec<String> = (1..=60).map(|number| number.to_string()).collect();
    let table: String = numbers.iter().map(|number| format!("{number}) branch {number}\n")).collect();
    let kind = QuestionKind::Choice { options: numbers, default: None };
    let numbered = laid_out(&Question { notice: table, kind, ..branch.clone() }, 80);
    assert!(numbered.ends_with("  60) branch 60\n  web1: branch: |"), "{numbered}");
    let prompt = "on which of the branches of this repository shall it be".to_string();
    let narrow = "  web1: on which of the branches of this\n  repository shall it be:\n";
    assert_eq!(laid_out(&Question { prompt, ..branch }, 44), format!("{listed}{narrow}  web1: [main] |"));
}

// rows: I-08 I-09 W-46
#[tokio::test]
async fn giving_up_is_no_answer() {
    assert_eq!(asked(QuestionKind::Line, "abc\x03").await.0, Err(NoAnswer::Cancelled));
    assert_eq!(asked(QuestionKind::Secret, "\x04").await.0, Err(NoAnswer::Cancelled));
    assert_eq!(asked(QuestionKind::Confirm, "").await.0, Err(NoAnswer::Cancelled));
}

// rows: I-10 I-11 K-15 W-46
#[tokio::test]
async fn nobody_there_takes_the_default_or_nothing() {
    let terminal = ScriptedTerminal::new();
    let console = Console::new(terminal.clone());
    assert_eq!(console.ask(question(choice(Some("abort")))).await.unwrap().0.as_str(), "abort");
    assert_eq!(terminal.output(), "  web1: go on? (abort, retry or skip) [abort] abort [non interactive]\n");
    for kind in [choice(None), choice(Some("other")), QuestionKind::Line, QuestionKind::Secret, QuestionKind::Confirm] {
        assert_eq!(console.ask(question(kind)).await.map(|_| ()), Err(NoAnswer::NobodyThere));
    }
}

#[tokio::test]
async fn what_is_typed_beyond_the_answer_goes_to_the_next_reader() {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_at("go on?", "yes\r\nls\r");
    let console = Console::new(terminal.clone());
    assert!(console.ask(question(QuestionKind::Confirm)).await.unwrap().is_yes());
    assert_eq!(terminal.keyboard().read().await.as_deref(), Some(&b"ls\r"[..]));
}

#[tokio::test]
async fn a_host_cannot_draw_over_the_label() {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_at("password:", "x\r");
    terminal.resize(Size { rows: 24, cols: 300 });
    let mut asked = question(QuestionKind::Secret);
    asked.notice = "\x1b[2Jwelcome\n\n\tbye".to_string();
    asked.prompt = "\rdb1: password:".to_string();
    Console::new(terminal.clone()).ask(asked).await.unwrap();
    let output = terminal.output();
    assert!(output.contains("  \\x1b[2Jwelcome\r\n\r\n      bye\r\n"), "{output:?}");
    assert!(output.contains("  web1: \\rdb1: password: "), "{output:?}");
}

#[tokio::test]
async fn what_was_typed_before_answers_a_line_but_neither_a_password_nor_a_confirmation() {
    for (kind, answer) in [(QuestionKind::Line, "no"), (QuestionKind::Secret, "yes"), (QuestionKind::Confirm, "yes")] {
        let terminal = ScriptedTerminal::interactive();
        terminal.type_keys("no\r").await;
        terminal.type_at("go on?", "yes\r");
        let given = Console::new(terminal.clone()).ask(question(kind)).await.unwrap();
        assert_eq!(given.0.as_str(), answer);
    }
}

// rows: I-28
#[tokio::test]
async fn tab_completes_the_answers_of_a_choice_and_lists_them() {
    let (answer, screen) = asked(choice(None), "R\t\r").await;
    assert_eq!(answer.unwrap(), "retry");
    assert!(screen.trim_end().ends_with("retry"), "{screen}");
    let (answer, screen) = asked(choice(None), "\t\tab\t\r").await;
    assert_eq!(answer.unwrap(), "abort");
    assert!(screen.contains("abort  retry  skip\n"), "{screen}");
}

#[test]
fn very_many_options_are_not_all_listed_above_the_question() {
    let options = (0..100).map(|n| format!("node{n}")).collect();
    let wanted = question(QuestionKind::Choice { options, default: None });
    let shown = laid_out(&wanted, 80);
    assert!(shown.contains("node39\n") && !shown.contains("node40"), "{shown}");
    assert!(shown.contains("... and 60 more: Tab completes\n"), "{shown}");
}
