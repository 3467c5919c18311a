#![allow(clippy::unwrap_used)]

use super::*;
use crate::terminal::scripted::ScriptedTerminal;

async fn bar(terminal: &Arc<ScriptedTerminal>, look: ProgressLook) -> ProgressBar {
    ProgressBar::begin(terminal.clone(), "copy", look).await.unwrap()
}

fn expected(expected: u64) -> ProgressLook {
    ProgressLook { expected: Some(expected), ..ProgressLook::default() }
}

fn screen(terminal: &ScriptedTerminal) -> String {
    let mut screen = vt100::Parser::new(10.try_into().unwrap(), 80.try_into().unwrap(), 0);
    screen.process(terminal.output().as_bytes());
    screen.screen().contents()
}

// rows: I-24 I-25
#[tokio::test]
async fn one_line_counts_and_stays_when_it_is_done() {
    let terminal = ScriptedTerminal::interactive();
    let mut bar = bar(&terminal, expected(4)).await;
    assert_eq!(screen(&terminal), "copy: 0/4  0%  0:00");
    // Just drawn: counted, and not drawn again.
    bar.next().await;
    bar.set_progress(2, false).await;
    assert_eq!(screen(&terminal), "copy: 0/4  0%  0:00");
    bar.drawn = bar.drawn.and_then(|at| at.checked_sub(PAUSE));
    bar.next().await;
    assert_eq!((screen(&terminal), bar.counter()), ("copy: 3/4  75%  0:00".to_string(), 3));
    bar.set_progress(4, true).await;
    terminal.print("output of others\n").await.unwrap();
    bar.finish(true).await;
    bar.finish(false).await;
    assert!(screen(&terminal).ends_with("copy: 4/4  100%  0:00  DONE"), "{}", screen(&terminal));
    terminal.print("next\n").await.unwrap();
    assert!(screen(&terminal).ends_with("DONE\nnext"), "{}", screen(&terminal));
}

// rows: I-24
#[tokio::test]
async fn without_an_end_or_with_a_format_of_its_own() {
    let terminal = ScriptedTerminal::interactive();
    let mut unknown = bar(&terminal, ProgressLook::default()).await;
    unknown.set_progress(7, true).await;
    assert_eq!(screen(&terminal), "copy: 7  0:00");
    unknown.finish(false).await;
    assert_eq!(screen(&terminal), "copy: 7  0:00  failed");
    let terminal = ScriptedTerminal::interactive();
    let format = "{counter} of {expected} ({percentage}) {message} {status} {".to_string();
    let mut own = bar(&terminal, ProgressLook { format: Some(format), ..expected(0) }).await;
    own.finish(true).await;
    assert_eq!(screen(&terminal), "0 of 0 (100%) copy DONE {");
    let wrong = ProgressLook { format: Some("{counter} {speed}".to_string()), ..expected(1) };
    let error = ProgressBar::begin(terminal.clone(), "x", wrong).await.err().unwrap();
    assert!(error.starts_with("the format of a progress bar has no {speed}: there is {message}, {counter}"), "{error}");
}

// rows: I-26
#[tokio::test]
async fn the_line_can_go_when_it_is_done() {
    let terminal = ScriptedTerminal::interactive();
    terminal.print("before\n").await.unwrap();
    let mut bar = bar(&terminal, ProgressLook { clear_on_finish: true, ..expected(1) }).await;
    bar.finish(true).await;
    terminal.print("after\n").await.unwrap();
    assert_eq!(screen(&terminal), "before\nafter");
}

// rows: I-27
#[tokio::test]
async fn steps_say_what_is_done() {
    let terminal = ScriptedTerminal::interactive();
    let steps = BTreeMap::from([(1, "resolve".to_string()), (4, "log in".to_string())]);
    let mut bar = bar(&terminal, ProgressLook { steps: steps.clone(), ..ProgressLook::default() }).await;
    bar.set_progress(1, true).await;
    assert_eq!(screen(&terminal), "copy: 1/4  25%  0:00  resolve");
    bar.set_progress(2, true).await;
    assert_eq!(screen(&terminal), "copy: 2/4  50%  0:00");
    let both = ProgressLook { steps, ..expected(4) };
    let error = ProgressBar::begin(terminal.clone(), "x", both).await.err().unwrap();
    assert_eq!(error, "a progress bar has steps or an expected count, not both");
}

#[tokio::test]
async fn where_there_is_no_screen_the_end_is_one_line() {
    let terminal = ScriptedTerminal::new();
    let mut bar = bar(&terminal, expected(2)).await;
    bar.set_progress(2, true).await;
    bar.finish(true).await;
    assert_eq!(terminal.output(), "copy: 2/2  100%  0:00  DONE\n");
}
