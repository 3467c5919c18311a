//! What the view of a session's parallel runs knows: who takes part, where the operator looks. No input or output.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use deployer_core::terminal::keys::KeyDecoder;
use deployer_core::terminal::{CellState, KeyboardHub, ParallelRun, Size};
use tokio::sync::watch;
use tokio::time::Instant;

use super::layout::{self, Tile};
use super::pane::{Ends, Pane, Standing};
use super::transcript;
use super::{Opened, PaneId};

/// Everything about the parallel runs of one session.
pub(super) struct Stage {
    pub(super) size: Size,
    pub(super) colour: bool,
    /// Lines even where tiles would fit.
    pub(super) folded: bool,
    /// Stay until a key says to go when all has ended (row Q-21).
    pub(super) keep_open: bool,
    /// Whether the action can be left running in the background.
    pub(super) can_leave: bool,
    /// That of the session; those of isolations are below it.
    keyboard: KeyboardHub,
    pub(super) runs: Vec<Run>,
    pub(super) panes: BTreeMap<PaneId, Pane>,
    next: u64,
    pub(super) mode: Mode,
    /// Where Enter goes.
    pub(super) selected: Option<PaneId>,
    /// Shown on a line of their own although they could be folded with others.
    pub(super) apart: BTreeSet<PaneId>,
    /// First line that is shown of more than fit.
    pub(super) top: usize,
    pub(super) decoder: KeyDecoder,
    /// News for the last line, and since when it is there.
    pub(super) message: Option<(String, Instant)>,
}

/// One run.
pub(super) struct Run {
    pub(super) run: Arc<ParallelRun>,
    states: watch::Receiver<Vec<CellState>>,
    ids: Vec<PaneId>,
    pub(super) begun: Instant,
    within: Option<PaneId>,
}

/// Where keys go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// To the view.
    Overview,
    /// To these isolations; the first one fills the screen.
    Focus(Vec<PaneId>),
    /// To the question what Ctrl-C shall mean; since when it is asked.
    Ask(Instant),
    /// All has ended; to the view until it is left.
    Done,
}

/// One line of the folded view: isolations that look the same.
pub(super) struct Line {
    pub(super) standing: Standing,
    pub(super) text: String,
    pub(super) members: Vec<PaneId>,
}

impl Stage {
    /// Nothing runs yet.
    pub(super) fn new(size: Size, colour: bool, keyboard: KeyboardHub) -> Stage {
        Stage {
            size,
            colour,
            folded: false,
            keep_open: false,
            can_leave: false,
            keyboard,
            runs: Vec::new(),
            panes: BTreeMap::new(),
            next: 0,
            mode: Mode::Overview,
            selected: None,
            apart: BTreeSet::new(),
            top: 0,
            decoder: KeyDecoder::new(),
            message: None,
        }
    }

    /// A run begins.
    pub(super) fn begin(&mut self, run: Arc<ParallelRun>, within: Option<PaneId>) {
        if self.runs.is_empty() {
            *self = Stage {
                folded: self.folded,
                keep_open: self.keep_open,
                can_leave: self.can_leave,
                next: self.next,
                ..Stage::new(self.size, self.colour, self.keyboard.clone())
            };
        }
        let outer =
            within.and_then(|id| self.panes.get(&id)).map(|pane| format!("{}/", pane.label)).unwrap_or_default();
        let ids: Vec<PaneId> = (self.next..).take(run.labels.len()).map(PaneId).collect();
        self.next += run.labels.len() as u64;
        for (id, label) in ids.iter().zip(&run.labels) {
            self.panes.insert(*id, Pane::new(format!("{outer}{label}")));
        }
        self.runs.push(Run { states: run.states(), run, ids, begun: Instant::now(), within });
        self.arrange();
    }

    /// An isolation begins; its side of its place.
    pub(super) fn open(&mut self, run: &Arc<ParallelRun>, index: usize) -> Option<Opened> {
        let run = self.runs.iter().find(|known| Arc::ptr_eq(&known.run, run))?;
        let id = *run.ids.get(index)?;
        let size = self.size_of(id);
        let (ends, opened) = Ends::pair(id, size, self.keyboard.below());
        self.panes.get_mut(&id)?.open(ends, size);
        Some(opened)
    }

    /// An isolation has printed.
    pub(super) fn output(&mut self, id: PaneId, bytes: &[u8]) {
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.output(bytes);
        }
    }

    /// Looks how the isolations stand.
    pub(super) fn look(&mut self) {
        for run in &mut self.runs {
            for (id, state) in run.ids.iter().zip(run.states.borrow_and_update().iter()) {
                if let Some(pane) = self.panes.get_mut(id) {
                    let ends = matches!(state, CellState::Ended { .. }) && pane.state != *state;
                    pane.state = *state;
                    if ends {
                        pane.close();
                    }
                }
            }
        }
    }

    /// A run is over: what it has shown.
    pub(super) fn end(&mut self, run: &Arc<ParallelRun>) -> String {
        self.look();
        let Some(at) = self.runs.iter().position(|known| Arc::ptr_eq(&known.run, run)) else { return String::new() };
        let ended = self.runs.remove(at);
        let panes: Vec<Pane> = ended.ids.iter().filter_map(|id| self.panes.remove(id)).collect();
        panes.iter().for_each(Pane::close);
        if let Mode::Focus(ids) = &mut self.mode {
            ids.retain(|id| !ended.ids.contains(id));
            if ids.is_empty() {
                self.mode = Mode::Overview;
            }
        }
        if self.selected.is_some_and(|id| ended.ids.contains(&id)) {
            self.selected = ended.within;
        }
        self.arrange();
        transcript::of(&panes.iter().collect::<Vec<_>>(), self.colour)
    }

    /// Whether somebody waits for an answer of the operator.
    pub(super) fn asks(&mut self) -> bool {
        let now = Instant::now();
        self.panes.values_mut().any(|pane| pane.standing(now) == Standing::Waiting)
    }

    /// Another size of the session's terminal.
    pub(super) fn resize(&mut self, size: Size) {
        self.size = size;
        self.arrange();
    }

    /// Where tiles go; `None` for the folded view.
    pub(super) fn tiles(&self) -> Option<Vec<Tile>> {
        match self.folded {
            true => None,
            false => layout::tiles(self.panes.len(), self.area()),
        }
    }

    /// The screen without the line above and the one below.
    pub(super) fn area(&self) -> Size {
        Size { rows: self.size.rows.saturating_sub(2).max(1), cols: self.size.cols }
    }

    /// The screen without the line below: what a focused isolation has.
    pub(super) fn whole(&self) -> Size {
        Size { rows: self.size.rows.saturating_sub(1).max(1), cols: self.size.cols }
    }

    fn size_of(&self, id: PaneId) -> Size {
        if matches!(&self.mode, Mode::Focus(ids) if ids.contains(&id)) {
            return self.whole();
        }
        // Of the thousands that are shown as lines nobody's place is looked for.
        let tile = self.tiles().and_then(|tiles| {
            let place = self.panes.keys().position(|known| *known == id)?;
            tiles.get(place).map(Tile::inner)
        });
        tile.unwrap_or_else(|| self.whole())
    }

    /// Gives every isolation the size that it is shown with.
    pub(super) fn arrange(&mut self) {
        let sizes: Vec<(PaneId, Size)> = self.panes.keys().map(|id| (*id, self.size_of(*id))).collect();
        for (id, size) in sizes {
            if let Some(pane) = self.panes.get_mut(&id) {
                pane.resize(size);
            }
        }
    }

    /// The lines of the folded view: those that want attention first, equal ones folded.
    pub(super) fn lines(&mut self, now: Instant) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let mut places: BTreeMap<(Standing, String), usize> = BTreeMap::new();
        for (id, pane) in &mut self.panes {
            let (standing, text) = (pane.standing(now), pane.last_line().to_string());
            if self.apart.contains(id) {
                lines.push(Line { standing, text, members: vec![*id] });
                continue;
            }
            match places.get(&(standing, text.clone())) {
                Some(place) => lines[*place].members.push(*id),
                None => {
                    places.insert((standing, text.clone()), lines.len());
                    lines.push(Line { standing, text, members: vec![*id] });
                }
            }
        }
        lines.sort_by_key(|line| line.standing);
        lines
    }

    /// How many stand how, in the order of attention.
    pub(super) fn counts(&mut self, now: Instant) -> Vec<(Standing, usize)> {
        let mut counts: BTreeMap<Standing, usize> = BTreeMap::new();
        for pane in self.panes.values_mut() {
            *counts.entry(pane.standing(now)).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    /// Types at whoever has the focus; false when somebody did not take it.
    pub(super) fn type_at(&self, ids: &[PaneId], bytes: &Bytes) -> bool {
        // Everybody gets them, also behind one who does not take them.
        let refused = ids.iter().filter(|id| !self.panes.get(id).is_some_and(|pane| pane.keys(bytes.clone()))).count();
        refused == 0
    }

    /// News for the last line.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.message = Some((text.into(), Instant::now()));
    }
}
