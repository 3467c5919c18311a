//! The summary of a parallel run: every host in host order, then totals.

use std::time::Duration;

use super::failure;
use super::screen::Look;
use crate::env::{ActionError, Cause, CellOutcome, Outcome};
use crate::host::{ConnectError, RunError};
use crate::terminal::style::{Style, cut, escaped, escaped_lines, folded, padded, width};

/// Lines of output shown for a host that failed.
const OUTPUT_LINES: usize = 5;
/// Widest column of labels.
const LABEL_COLUMNS: usize = 40;
/// Width of the longest word of an outcome.
const WORD_COLUMNS: usize = 11;

/// `production.web.checkout on 3 hosts: web1, web2, web3`.
pub(super) fn title(node: &str, action: &str, labels: &[String]) -> String {
    let hosts = if labels.len() == 1 { "host" } else { "hosts" };
    format!("{node}.{action} on {} {hosts}: {}", labels.len(), labels.join(", "))
}

/// The table and the totals. `elapsed` is how long the whole took, where that is known.
pub(super) fn table(
    look: &Look,
    node: &str,
    action: &str,
    outcomes: &[CellOutcome],
    elapsed: Option<Duration>,
) -> String {
    let labels: Vec<String> = outcomes.iter().map(|o| cut(&escaped(&o.label), LABEL_COLUMNS)).collect();
    let columns = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    let mut out = look.line(Style::Bold, &format!("{node}.{action}:"));
    for (label, cell) in labels.iter().zip(outcomes) {
        out.push_str(&format!("  {}  ", padded(label, columns)));
        row(look, cell, columns + 4, &mut out);
    }
    let elapsed = elapsed.or_else(|| outcomes.iter().map(|o| o.elapsed).max()).unwrap_or_default();
    out.push_str(&look.line(total_style(outcomes), &format!("{} in {}", totals(outcomes), duration(elapsed))));
    out
}

fn row(look: &Look, cell: &CellOutcome, before: usize, out: &mut String) {
    let word = cell.outcome.word();
    let mut line = style(&cell.outcome).paint(look.colour, word);
    if !matches!(cell.outcome, Outcome::NotStarted) {
        line.push_str(&" ".repeat(WORD_COLUMNS - word.len()));
        line.push_str(&format!(" {:>8}", duration(cell.elapsed)));
    }
    let error = match &cell.outcome {
        Outcome::Failed(error) | Outcome::Interrupted(error) => error,
        _ => {
            out.push_str(line.trim_end());
            out.push('\n');
            return;
        }
    };
    let room = look.columns.saturating_sub(before + WORD_COLUMNS + 11).max(20);
    let why = escaped(&cause(error, &cell.label));
    out.push_str(&format!("{line}  {}\n", cut(&why, room)));
    if let Some(error) = failure::connect_error(error) {
        out_of_reach(look, error, width(&why) > room, out);
    }
    if let (Outcome::Failed(_), Some(run)) = (&cell.outcome, failure::command_of(error)) {
        for line in failure::last_lines(&run.output, OUTPUT_LINES) {
            out.push_str(&format!("      | {}\n", cut(&escaped(&line), look.columns.saturating_sub(8))));
        }
    }
}

/// Where the connection was to go and what to do about it, with the reason when there was no room for it above.
fn out_of_reach(look: &Look, error: &ConnectError, was_cut: bool, out: &mut String) {
    let reason = if was_cut { format!(": {}", error.reason) } else { String::new() };
    let told = format!("{}{reason}\n{}", failure::address(error), failure::after_connect(error));
    for line in escaped_lines(&told, OUTPUT_LINES) {
        for line in folded(&line, look.columns.saturating_sub(8).max(20)) {
            out.push_str(&format!("      | {line}\n"));
        }
    }
}

/// Why, on one line, without the host that stands in front of it.
fn cause(error: &ActionError, label: &str) -> String {
    if let Cause::Run(RunError::Failed(run)) = &*error.cause {
        return format!("{}: {}", failure::how_it_ended(run), run.command);
    }
    if let Some(error) = failure::connect_error(error) {
        return error.reason.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    }
    let text = error.to_string();
    let text = text.strip_prefix(label).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text);
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

fn style(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Ok(_) => Style::Green,
        Outcome::Failed(_) => Style::BoldRed,
        Outcome::Skipped | Outcome::Interrupted(_) | Outcome::NotStarted => Style::Yellow,
    }
}

fn total_style(outcomes: &[CellOutcome]) -> Style {
    if outcomes.iter().all(|o| o.outcome.is_ok()) { Style::Green } else { Style::BoldRed }
}

/// `3 ok, 1 failed`; words in a fixed order, those that do not occur left out.
pub(super) fn totals(outcomes: &[CellOutcome]) -> String {
    let count = |word: &str| outcomes.iter().filter(|o| o.outcome.word() == word).count();
    let words = ["ok", "failed", "skipped", "interrupted", "not started"];
    let counted: Vec<String> =
        words.iter().map(|word| (count(word), word)).filter(|(n, _)| *n > 0).map(|(n, w)| format!("{n} {w}")).collect();
    if counted.is_empty() { "no hosts".to_string() } else { counted.join(", ") }
}

/// A duration for people: `0.2 s`, `3 min 05 s`, `2 h 10 min`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}
