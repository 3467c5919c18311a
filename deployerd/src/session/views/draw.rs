//! The pictures of a view: tiles, folded lines, one isolation alone. Each picture is one text per row.

use std::time::Duration;

use deployer_core::terminal::style::{self, Style};
use tokio::time::Instant;

use super::names;
use super::pane::{Pane, Standing};
use super::stage::{Line, Mode, Stage};
use super::{PaneId, cells};

/// How long news stands in the last line.
const NEWS: Duration = Duration::from_secs(4);
/// Columns for the names of hosts in folded lines.
const NAMES: std::ops::RangeInclusive<usize> = 8..=28;
/// Width of the longest word of a standing.
const WORD: usize = 8;

/// What a terminal is to show.
pub(super) struct Picture {
    /// One text per row, each complete in itself.
    pub(super) rows: Vec<String>,
    /// Where the cursor stands, when it is shown.
    pub(super) cursor: Option<(u16, u16)>,
    /// Modes that the program in front wants of the terminal: keys, pastes, mouse.
    pub(super) modes: String,
}

impl Stage {
    /// The picture of now.
    pub(super) fn picture(&mut self, now: Instant) -> Picture {
        if let Mode::Focus(ids) = self.mode.clone() {
            return self.alone(&ids, now);
        }
        let mut rows = vec![self.heading(now)];
        match self.tiles() {
            Some(tiles) => rows.extend(self.tiled(&tiles, now)),
            None => rows.extend(self.folded_lines(now)),
        }
        let last = usize::from(self.size.rows).saturating_sub(1);
        rows.resize(last.max(1), String::new());
        rows.push(self.footer(now));
        rows.truncate(usize::from(self.size.rows));
        Picture { rows, cursor: None, modes: String::new() }
    }

    fn heading(&mut self, now: Instant) -> String {
        let cols = usize::from(self.size.cols);
        let title = self.runs.first().map_or_else(String::new, |run| style::escaped(&run.run.title));
        let begun = self.runs.iter().map(|run| run.begun).min().unwrap_or(now);
        let more = if self.runs.len() > 1 { format!(" and {} more", self.runs.len() - 1) } else { String::new() };
        let time = style::clock(now.duration_since(begun));
        let hosts = if self.panes.len() == 1 { "host" } else { "hosts" };
        let counts = self.counts(now);
        let words: Vec<String> =
            counts.iter().map(|(standing, count)| format!("{count} {}", standing.word())).collect();
        let rest = format!("{more}  {} {hosts}: {}", self.panes.len(), words.join(", "));
        let room = cols.saturating_sub(style::width(&rest) + time.len() + 4).max(8);
        let text = format!(" {}{rest}", style::cut(&title, room));
        bar(&justified(&text, &time, cols), "7", self.colour)
    }

    fn footer(&mut self, now: Instant) -> String {
        let cols = usize::from(self.size.cols);
        if let Some((text, since)) = &self.message
            && now.duration_since(*since) < NEWS
        {
            return bar(
                &style::padded(&style::cut(&format!(" {}", style::escaped(text)), cols), cols),
                "1",
                self.colour,
            );
        }
        let keys: &[&str] = match self.mode {
            Mode::Ask(_) if self.stopping() && self.can_leave => {
                &["still ending:", "s: wait no longer", "l: leave it in the background", "g: go on waiting"]
            }
            Mode::Ask(_) if self.stopping() => &["still ending:", "s: wait no longer", "g: go on waiting"],
            Mode::Ask(_) if self.can_leave => {
                &["Ctrl-C:", "s: stop all hosts", "l: leave it in the background", "g: go on"]
            }
            Mode::Ask(_) => &["Ctrl-C:", "s: stop all hosts", "g: go on"],
            Mode::Done => &["all have ended", "q: close", "arrows: select", "Enter: open", "v: view"],
            _ if self.tiles().is_some() => {
                &["arrows: select", "Enter: open", "Tab: next that waits", "v: lines", "Ctrl-C: stop"]
            }
            _ => &[
                "up/down: select",
                "Enter: open",
                "a: type to all of it",
                "Tab: next that waits",
                "v: tiles",
                "Ctrl-C: stop",
            ],
        };
        let code = if matches!(self.mode, Mode::Ask(_)) { "1;33" } else { "2" };
        let mut text = String::new();
        for key in keys {
            let longer = format!("{text} {key} ");
            if style::width(&longer) > cols {
                break;
            }
            text = longer;
        }
        bar(&style::padded(&text, cols), code, self.colour)
    }

    fn tiled(&mut self, tiles: &[super::layout::Tile], now: Instant) -> Vec<String> {
        let mut rows = vec![String::new(); usize::from(self.area().rows)];
        let (selected, colour) = (self.selected, self.colour);
        for (tile, (id, pane)) in tiles.iter().zip(&mut self.panes) {
            let width = tile.size.cols;
            for line in 0..tile.size.rows {
                let row = &mut rows[usize::from(tile.row + line)];
                if tile.col > 0 {
                    row.push(if line == 0 { ' ' } else { '|' });
                }
                match line {
                    0 => row.push_str(&title(pane, usize::from(width), selected == Some(*id), now, colour)),
                    _ => match pane.screen() {
                        Some(screen) => row.push_str(&cells::row(screen, line - 1, width, colour)),
                        None => row.push_str(&" ".repeat(usize::from(width))),
                    },
                }
            }
        }
        rows
    }

    fn folded_lines(&mut self, now: Instant) -> Vec<String> {
        let lines = self.lines(now);
        let height = usize::from(self.area().rows);
        let selected = self.selected.and_then(|id| lines.iter().position(|line| line.members.contains(&id)));
        if let Some(at) = selected {
            self.top = self.top.clamp((at + 1).saturating_sub(height), at);
        }
        self.top = self.top.min(lines.len().saturating_sub(height));
        let names: Vec<String> = lines.iter().map(|line| self.names(line)).collect();
        let widest =
            names.iter().map(|names| style::width(names)).max().unwrap_or(0).clamp(*NAMES.start(), *NAMES.end());
        let mut rows = Vec::new();
        for (at, line) in lines.iter().enumerate().skip(self.top).take(height) {
            rows.push(self.folded_line(line, &names[at], widest, selected == Some(at), now));
        }
        let below = lines.len().saturating_sub(self.top + height);
        if let (Some(last), true) = (rows.last_mut(), below > 0) {
            let text = format!("  ... {} more lines below", below + 1);
            *last = bar(&style::padded(&text, usize::from(self.size.cols)), "2", self.colour);
        }
        rows
    }

    fn folded_line(&self, line: &Line, names: &str, widest: usize, selected: bool, now: Instant) -> String {
        let cols = usize::from(self.size.cols);
        let longest = line.members.iter().filter_map(|id| self.panes.get(id)?.elapsed(now)).max();
        let time = longest.map(style::clock).unwrap_or_default();
        let head = style::padded(line.standing.word(), WORD);
        let mark = if selected { '>' } else { ' ' };
        let rest =
            format!(" {} {time:>7}  {}", style::padded(&style::cut(names, widest), widest), style::escaped(&line.text));
        let rest = style::cut(&rest, cols.saturating_sub(WORD + 1));
        if selected {
            return bar(&style::padded(&format!("{mark}{head}{rest}"), cols), "7", self.colour);
        }
        let colour = hue(line.standing);
        format!("{mark}{}{rest}", colour.paint(self.colour, &head))
    }

    fn names(&self, line: &Line) -> String {
        let labels: Vec<String> =
            line.members.iter().filter_map(|id| self.panes.get(id)).map(|pane| style::escaped(&pane.label)).collect();
        let folded = names::fold(labels.iter().map(String::as_str));
        match labels.len() {
            1 => folded,
            many => format!("{many}: {folded}"),
        }
    }

    fn alone(&mut self, ids: &[PaneId], now: Instant) -> Picture {
        let whole = self.whole();
        let (cols, colour) = (usize::from(self.size.cols), self.colour);
        let others = ids.len().saturating_sub(1);
        let (mut rows, mut cursor, mut modes) = (Vec::new(), None, String::new());
        let mut words = String::new();
        let mut standing = Standing::Queued;
        if let Some(pane) = ids.first().and_then(|id| self.panes.get_mut(id)) {
            standing = pane.standing(now);
            let time = pane.elapsed(now).map(style::clock).unwrap_or_default();
            words = format!(" {}  {} {time}", style::escaped(&pane.label), standing.word());
            if let Some(screen) = pane.screen() {
                rows = (0..whole.rows).map(|row| cells::row(screen, row, whole.cols, colour)).collect();
                modes = screen.input_mode_formatted();
                let (row, col) = screen.cursor_position();
                cursor = (!screen.hide_cursor() && row < whole.rows).then(|| (row, col.min(whole.cols - 1)));
            }
        }
        if others > 0 {
            let all = ids.iter().filter_map(|id| self.panes.get(id)).map(|pane| pane.label.as_str());
            words.push_str(&format!("   typing to {} hosts: {}", ids.len(), style::escaped(&names::fold(all))));
        }
        let back = match standing.is_under_way() {
            true => "Ctrl-G: back ",
            false => "Ctrl-G, q: back ",
        };
        rows.resize(usize::from(whole.rows), String::new());
        let text = style::cut(&words, cols.saturating_sub(back.len() + 1));
        rows.push(bar(&justified(&text, back, cols), standing_bar(standing), colour));
        rows.truncate(usize::from(self.size.rows));
        Picture { rows, cursor, modes }
    }
}

/// The title of a tile.
fn title(pane: &mut Pane, width: usize, selected: bool, now: Instant, colour: bool) -> String {
    let standing = pane.standing(now);
    let time = pane.elapsed(now).map(style::clock).unwrap_or_default();
    let right = format!("{} {time} ", standing.word());
    let mark = if selected { '>' } else { ' ' };
    let left = format!("{mark}{}", style::escaped(&pane.label));
    let left = style::cut(&left, width.saturating_sub(style::width(&right) + 1));
    let code = standing_bar(standing);
    let code = if selected { format!("1;{code}") } else { code.to_string() };
    bar(&style::cut(&justified(&left, &right, width), width), &code, colour)
}

fn justified(left: &str, right: &str, cols: usize) -> String {
    let gap = cols.saturating_sub(style::width(left) + style::width(right));
    style::cut(&format!("{left}{}{right}", " ".repeat(gap)), cols)
}

/// Text in these attributes. Without colours what stood out still does.
fn bar(text: &str, code: &str, colour: bool) -> String {
    let code = match colour {
        true => code,
        false if code.contains('7') || code.contains('4') => "7",
        false => "0",
    };
    format!("\x1b[0;{code}m{text}\x1b[m")
}

/// Attributes of a bar that belongs to an isolation.
fn standing_bar(standing: Standing) -> &'static str {
    match standing {
        Standing::Failed => "37;41",
        Standing::Waiting | Standing::PerhapsWaiting => "30;43",
        Standing::Running => "30;46",
        Standing::Done => "30;42",
        Standing::Queued | Standing::Stopped | Standing::Skipped => "30;47",
    }
}

fn hue(standing: Standing) -> Style {
    match standing {
        Standing::Failed => Style::BoldRed,
        Standing::Waiting | Standing::PerhapsWaiting => Style::Yellow,
        Standing::Running => Style::Cyan,
        Standing::Done => Style::Green,
        Standing::Queued | Standing::Stopped | Standing::Skipped => Style::Grey,
    }
}
