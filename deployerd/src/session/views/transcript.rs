//! What the isolations of a run have shown, for the session's own terminal when the run is over; equal outputs once.

use deployer_core::terminal::style::{self, Style};

use super::names;
use super::pane::Pane;

/// Lines that are told of all isolations together.
const LINES_MAX: usize = 2000;
/// Lines of each that are told at least.
const LINES_MIN: usize = 10;
/// Widest label in front of lines, columns.
const LABEL_MAX: usize = 32;

/// Text with `\n` line ends; empty when nothing was shown.
pub(super) fn of(panes: &[&Pane], colour: bool) -> String {
    let mut groups: Vec<(Vec<&str>, Vec<String>, usize)> = Vec::new();
    for pane in panes {
        let (lines, dropped) = pane.lines(colour);
        if lines.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|group| (&group.1, group.2) == (&lines, dropped)) {
            Some(group) => group.0.push(&pane.label),
            None => groups.push((vec![&pane.label], lines, dropped)),
        }
    }
    let each = (LINES_MAX / groups.len().max(1)).max(LINES_MIN);
    let labels = groups.iter().filter(|group| group.0.len() == 1).flat_map(|group| &group.0);
    let width = labels.map(|label| style::width(&style::escaped(label))).max().unwrap_or(4).min(LABEL_MAX);
    groups.iter().map(|(labels, lines, dropped)| told(labels, lines, *dropped, each, width, colour)).collect()
}

fn told(labels: &[&str], lines: &[String], dropped: usize, each: usize, width: usize, colour: bool) -> String {
    let mut out = String::new();
    let mut label = String::new();
    match labels {
        [one] => label = style::escaped(one),
        many => {
            let title = format!("{} hosts, the same output: {}", many.len(), names::fold(many.iter().copied()));
            out.push_str(&Style::Cyan.paint(colour, &style::escaped(&title)));
            out.push('\n');
        }
    }
    let label = Style::Cyan.paint(colour, &style::padded(&style::cut(&label, width), width));
    let left_out = lines.len().saturating_sub(each);
    if left_out > 0 {
        out.push_str(&format!("{label} | ... {left_out} lines left out here\n"));
    } else if dropped > 0 {
        out.push_str(&format!("{label} | ... {dropped} bytes before were not kept\n"));
    }
    for line in &lines[left_out..] {
        out.push_str(&format!("{label} | {line}\n"));
    }
    out
}
