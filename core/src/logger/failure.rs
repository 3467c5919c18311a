//! The text of a failure: what, where, how it came there, what to do next.

use super::screen::Look;
use crate::env::{ActionError, Cause};
use crate::host::{ConnectError, ExitStatus, HostError, RunError, RunFailure, RunOutput};
use crate::terminal::LineFilter;
use crate::terminal::style::{Style, cut, escaped, escaped_lines, folded};

/// Lines of output that a failure shows.
const OUTPUT_LINES: usize = 10;
/// Lines of a script's traceback that are shown.
const TRACEBACK_LINES: usize = 12;
/// Columns in front of a detail.
const DETAIL_COLUMNS: usize = 11;
/// How much of the end of an output is looked at for its last lines, bytes.
const TAIL: usize = 64 * 1024;

/// One line, for the terminal of an isolation.
pub(super) fn brief(look: &Look, error: &ActionError) -> String {
    // Where there is no room for all of it, the reason is worth more than the address.
    let text = match connect_error(error) {
        Some(error) => format!("{}: {} ({})", error.host, error.reason, address(error)),
        None => error.to_string(),
    };
    let first = text.lines().next().unwrap_or_default();
    if error.is_interrupted() {
        return look.line(Style::Yellow, first);
    }
    look.line(Style::Red, &format!("failed: {first}"))
}

/// What a log of lines says of it.
pub(super) fn first_line(error: &ActionError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

/// What of a failed command is on the screen already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing.
    Nothing,
    /// Host and status, not its output.
    Status,
    /// Host, status and output.
    Output,
}

/// The whole story, for the terminal of the session, without what was told.
pub(super) fn full(look: &Look, error: &ActionError, told: Told) -> String {
    let mut text = Text { look, out: String::new() };
    if told == Told::Nothing {
        text.headline(error);
    }
    text.command(error, told);
    text.traceback(error);
    for (i, frame) in error.chain.iter().enumerate() {
        let position = frame.position.as_ref().map(|p| format!(" ({p})")).unwrap_or_default();
        text.detail(if i == 0 { "in" } else { "" }, &format!("{}.{}{position}", frame.node, frame.action));
    }
    if let Some(next) = next_step(error) {
        text.detail("next", &next);
    }
    text.out
}

struct Text<'a> {
    look: &'a Look,
    out: String,
}

impl Text<'_> {
    fn headline(&mut self, error: &ActionError) {
        let look = self.look;
        let message = escaped_lines(&error.to_string(), 40);
        let (word, style) = match &*error.cause {
            // It says itself how many failed.
            Cause::Parallel(_) => ("", Style::BoldRed),
            _ if error.is_interrupted() => ("", Style::Yellow),
            _ => ("failed: ", Style::BoldRed),
        };
        for (i, line) in message.iter().enumerate() {
            let word = if i == 0 { word } else { "" };
            for line in folded(&format!("{word}{line}"), look.columns) {
                self.out.push_str(&style.paint(look.colour, &line));
                self.out.push('\n');
            }
        }
    }

    fn detail(&mut self, name: &str, text: &str) {
        let room = self.look.columns.saturating_sub(DETAIL_COLUMNS).max(20);
        let lines = folded(&escaped(text), room);
        for (i, line) in lines.iter().enumerate() {
            let line = format!("  {:<8} {line}", if i == 0 { name } else { "" });
            self.out.push_str(line.trim_end());
            self.out.push('\n');
        }
    }

    fn quoted(&mut self, lines: &[String]) {
        for line in lines {
            self.out.push_str(&format!("    | {}\n", cut(&escaped(line), self.look.columns.saturating_sub(6))));
        }
    }

    /// Command failures are told in full (row L-11): the line of the command was cut perhaps, the headline is not.
    fn command(&mut self, error: &ActionError, told: Told) {
        let Some(run) = command_of(error) else { return };
        if told != Told::Nothing {
            self.detail("command", &format!("{}{}", run.command, if run.use_sudo { " (sudo)" } else { "" }));
        }
        if told == Told::Status {
            let lines = last_lines(&run.output, OUTPUT_LINES);
            self.detail("output", if lines.is_empty() { "none" } else { "" });
            self.quoted(&lines);
        }
    }

    fn traceback(&mut self, error: &ActionError) {
        if let Cause::Script { traceback: Some(traceback), .. } = &*error.cause {
            self.quoted(&escaped_lines(traceback, TRACEBACK_LINES));
        }
    }
}

/// The command behind an error, when there is one.
pub(super) fn command_of(error: &ActionError) -> Option<&RunFailure> {
    match &*error.cause {
        Cause::Run(RunError::Failed(run)) => Some(run),
        Cause::Query { inner, .. } => command_of(inner),
        _ => None,
    }
}

/// The connection that could not be made, when that is what failed.
pub(super) fn connect_error(error: &ActionError) -> Option<&ConnectError> {
    match &*error.cause {
        Cause::Run(RunError::Host(HostError::Connect(error))) => Some(error),
        Cause::Query { inner, .. } => connect_error(inner),
        _ => None,
    }
}

/// Whom it was about: `deploy@10.0.0.9:2222`.
pub(super) fn address(error: &ConnectError) -> String {
    format!("{}@{}:{}", error.user, error.address, error.port)
}

/// What to do about a connection that could not be made.
pub(super) fn after_connect(error: &ConnectError) -> String {
    match &error.hint {
        Some(hint) => hint.clone(),
        None => format!("try it by hand: ssh -p {} {}@{}", error.port, error.user, error.address),
    }
}

/// `status 1`, and what is to say beyond it.
pub(super) fn how_it_ended(run: &RunFailure) -> String {
    let reason = run.reason.as_ref().map(|reason| format!(" ({reason})"));
    format!("{}{}", run.status, reason.unwrap_or_default())
}

/// The last lines of an output as a person would have read them, blank ones left out.
pub(super) fn last_lines(output: &RunOutput, count: usize) -> Vec<String> {
    let bytes = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let mut filter = LineFilter::new(false);
    let mut lines = filter.push(&bytes[bytes.len().saturating_sub(TAIL)..]);
    lines.extend(filter.finish());
    lines.retain(|line| !line.trim().is_empty());
    lines.split_off(lines.len().saturating_sub(count)).iter().map(|line| line.replace('\t', "    ")).collect()
}

/// What the operator can do about it, where that is known.
fn next_step(error: &ActionError) -> Option<String> {
    Some(match &*error.cause {
        Cause::Run(RunError::Failed(run)) => after_command(run),
        // A hint is part of the message already.
        Cause::Run(RunError::Host(HostError::Connect(error))) if error.hint.is_none() => after_connect(error),
        Cause::Run(RunError::Interrupted { host, certain: false, .. }) => {
            format!("look on {host} whether it still runs before you run it again")
        }
        Cause::Parallel(outcomes) => {
            let failed = outcomes.iter().find(|outcome| !outcome.outcome.is_ok())?;
            let action = error.chain.first().map(|frame| frame.action.as_str()).unwrap_or("ACTION");
            format!("see the table above; to run it on one host only: :{} {action}", failed.label)
        }
        Cause::Required { name, node, .. } => format!("give '{name}' a value in {node} or override it above"),
        Cause::Query { inner, .. } => return next_step(inner),
        _ => return None,
    })
}

fn after_command(run: &RunFailure) -> String {
    let host = &run.host;
    match &run.status {
        ExitStatus::Code(127) => format!("{host} knows no such command: check its name and PATH there"),
        ExitStatus::Code(126) => format!("the file may not be executed: check its mode on {host}"),
        ExitStatus::Code(_) => "correct the cause, then run the action again".to_string(),
        ExitStatus::Signal(name) if name == "KILL" => {
            format!("something killed it; look on {host} whether memory ran out")
        }
        ExitStatus::Signal(_) => format!("find out on {host} who sent the signal, then run the action again"),
        ExitStatus::CutOff { .. } => format!("it has run on {host}: run it again only if that does no harm"),
        ExitStatus::Unknown(_) => format!("look on {host} what became of it before you run it again"),
    }
}
