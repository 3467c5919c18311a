//! A trace as text (row L-14).

use std::fmt;

use super::{Trace, TraceBranch, TraceItem};
use crate::host::files::OpenMode;
use crate::logger::{FileEntry, FileOperation, RunEntry, summary};
use crate::terminal::style::{Style, escaped};

impl Trace {
    /// Indented text, a line for each thing that happened; harmless on any screen.
    pub fn shown(&self, colour: bool) -> String {
        let mut text = Text { colour, out: String::new() };
        text.items(&self.items, 0);
        if self.missing > 0 {
            text.line(0, Style::Yellow, &format!("... and {} entries that there was no room for", self.missing));
        }
        text.out
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(false))
    }
}

struct Text {
    colour: bool,
    out: String,
}

impl Text {
    fn line(&mut self, depth: usize, style: Style, text: &str) {
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(&style.paint(self.colour, &escaped(&text.replace('\n', "\\n"))));
        self.out.push('\n');
    }

    fn items(&mut self, items: &[TraceItem], depth: usize) {
        items.iter().for_each(|item| self.item(item, depth));
    }

    fn item(&mut self, item: &TraceItem, depth: usize) {
        match item {
            TraceItem::Call { node, action, args, ok, items } => {
                let (style, word) = ended(*ok);
                self.line(depth, style, &format!("{node}.{action}({}): {word}", args.join(", ")));
                self.items(items, depth + 1);
            }
            TraceItem::Fork { node, action, branches } => {
                let labels: Vec<String> = branches.iter().map(|branch| branch.label.clone()).collect();
                self.line(depth, Style::Bold, &summary::title(node, action, &labels));
                branches.iter().for_each(|branch| self.branch(branch, depth + 1));
            }
            TraceItem::Run { run, status, elapsed } => {
                let (style, word) = match (status, elapsed) {
                    (_, None) => (Style::Yellow, "running".to_string()),
                    (None, Some(_)) => (Style::Red, "not started".to_string()),
                    (Some(status), Some(elapsed)) => {
                        let style = if status.success() { Style::Plain } else { Style::Red };
                        let word = if status.success() { "ok".to_string() } else { status.to_string() };
                        (style, format!("{word}, {}", summary::duration(*elapsed)))
                    }
                };
                self.line(depth, style, &format!("{} $ {}{}: {word}", run.host, marks(run), run.command.trim()));
            }
            TraceItem::File { file, ok, bytes } => {
                let (style, word) = ended(*ok);
                self.line(depth, style, &format!("{} {}: {word}, {bytes} bytes", file.host, what_was_done(file)));
            }
            TraceItem::Failed(why) => self.line(depth, Style::BoldRed, &format!("failed: {why}")),
            TraceItem::Message(text) => self.line(depth, Style::Plain, text),
        }
    }

    fn branch(&mut self, branch: &TraceBranch, depth: usize) {
        let style = match branch.outcome {
            Some("ok") => Style::Green,
            Some("failed") => Style::Red,
            _ => Style::Yellow,
        };
        self.line(depth, style, &format!("{}: {}", branch.label, branch.outcome.unwrap_or("running")));
        self.items(&branch.items, depth + 1);
    }
}

fn ended(ok: Option<bool>) -> (Style, &'static str) {
    match ok {
        Some(true) => (Style::Green, "ok"),
        Some(false) => (Style::Red, "failed"),
        None => (Style::Yellow, "running"),
    }
}

fn marks(run: &RunEntry) -> String {
    let marks = [(run.use_sudo, "[sudo] "), (run.sandbox, "[sandbox] ")];
    marks.iter().filter_map(|(on, mark)| on.then_some(*mark)).collect()
}

fn what_was_done(file: &FileEntry) -> String {
    let sudo = if file.use_sudo { "[sudo] " } else { "" };
    match (file.operation, &file.local) {
        (FileOperation::Put, local) => format!("put {sudo}{} -> {}", local.as_deref().unwrap_or("-"), file.remote),
        (FileOperation::Get, local) => format!("get {sudo}{} -> {}", file.remote, local.as_deref().unwrap_or("-")),
        (FileOperation::Open(OpenMode::Read), _) => format!("read {sudo}{}", file.remote),
        (FileOperation::Open(OpenMode::Write), _) => format!("write {sudo}{}", file.remote),
        (FileOperation::Open(OpenMode::Append), _) => format!("append {sudo}{}", file.remote),
    }
}
