//! What happened, kept as a tree for programs: calls, commands, files, and a branch for each isolation (row L-13).

mod shown;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{Event, FileEntry, Listener, RunEntry};
use crate::host::ExitStatus;
use crate::terminal::Terminal;

/// Entries that are kept; what comes after them is counted. A program that wants more takes the trace in between.
const ENTRIES_MAX: usize = 100_000;

/// What happened so far. Prints as an indented text; [`Trace::shown`] with colours (row L-14).
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// In the order in which they began.
    pub items: Vec<TraceItem>,
    /// Entries that there was no room for.
    pub missing: u64,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum TraceItem {
    /// An action, property or query.
    Call {
        /// Dotted path of the node.
        node: String,
        /// Name of the action.
        action: String,
        /// Arguments as they print.
        args: Vec<String>,
        /// Whether it ended well; `None` while it runs.
        ok: Option<bool>,
        /// What happened in it.
        items: Vec<TraceItem>,
    },
    /// A call on all cells of an array.
    Fork {
        /// Dotted path of the array.
        node: String,
        /// Name of the action.
        action: String,
        /// One for each cell, in host order.
        branches: Vec<TraceBranch>,
    },
    /// A command.
    Run {
        /// Where, what and how.
        run: RunEntry,
        /// How it ended; `None` while it runs, and when it was never started.
        status: Option<ExitStatus>,
        /// How long it took; `None` while it runs.
        elapsed: Option<Duration>,
    },
    /// A file that was opened or transferred.
    File {
        /// Which, and what was done with it.
        file: FileEntry,
        /// Whether all of it was read or written; `None` while it is open.
        ok: Option<bool>,
        /// Bytes that were read or written.
        bytes: u64,
    },
    /// An error, where it began.
    Failed(String),
    /// A notice for the operator.
    Message(String),
}

/// One cell of a [`TraceItem::Fork`].
#[derive(Clone, Debug)]
pub struct TraceBranch {
    /// Label of the cell.
    pub label: String,
    /// What became of it, a word such as `ok` or `failed`; `None` while it runs.
    pub outcome: Option<&'static str>,
    /// What happened in it.
    pub items: Vec<TraceItem>,
}

/// Keeps what it hears as a [`Trace`]. Attach it with [`Logger::with`](super::Logger::with).
pub struct TraceLogger {
    entries: Arc<Mutex<Entries>>,
    /// The calls that this one is in, the innermost last; the first is the root or the branch.
    open: Mutex<Vec<usize>>,
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    missing: u64,
}

struct Entry {
    what: What,
    below: Vec<usize>,
}

enum What {
    /// The whole; nothing of its own.
    Root,
    Branch(String, Option<&'static str>),
    /// Anything else, its lists empty until somebody asks.
    Item(TraceItem),
}

impl Entries {
    /// A new entry below another one; `None` when there are too many.
    fn add(&mut self, parent: usize, what: What) -> Option<usize> {
        if self.all.len() >= ENTRIES_MAX {
            self.missing += 1;
            return None;
        }
        let index = self.all.len();
        self.all.push(Entry { what, below: Vec::new() });
        if let Some(parent) = self.all.get_mut(parent) {
            parent.below.push(index);
        }
        Some(index)
    }

    fn item(&mut self, index: usize) -> Option<&mut TraceItem> {
        match &mut self.all.get_mut(index)?.what {
            What::Item(item) => Some(item),
            What::Root | What::Branch(..) => None,
        }
    }

    fn below(&self, index: usize) -> &[usize] {
        self.all.get(index).map_or(&[], |entry| &entry.below)
    }

    /// The newest entry below one of these that `is_it`.
    fn newest(&mut self, open: &[usize], is_it: impl Fn(&TraceItem) -> bool) -> Option<&mut TraceItem> {
        let found = open.iter().rev().find_map(|place| {
            let below = self.below(*place).iter().rev().copied();
            below.into_iter().find(|index| matches!(&self.all[*index].what, What::Item(item) if is_it(item)))
        })?;
        self.item(found)
    }

    fn items(&self, index: usize) -> Vec<TraceItem> {
        let shown = self.below(index).iter().filter_map(|index| match &self.all[*index].what {
            What::Item(item) => Some(self.whole(item, *index)),
            What::Root | What::Branch(..) => None,
        });
        shown.collect()
    }

    /// An item with what is below it.
    fn whole(&self, item: &TraceItem, index: usize) -> TraceItem {
        let mut item = item.clone();
        match &mut item {
            TraceItem::Call { items, .. } => *items = self.items(index),
            TraceItem::Fork { branches, .. } => {
                let branch = |index: &usize| match &self.all[*index].what {
                    What::Branch(label, outcome) => {
                        Some(TraceBranch { label: label.clone(), outcome: *outcome, items: self.items(*index) })
                    }
                    What::Root | What::Item(_) => None,
                };
                *branches = self.below(index).iter().filter_map(branch).collect();
            }
            _ => {}
        }
        item
    }
}

impl TraceLogger {
    /// An empty trace.
    pub fn new() -> Arc<TraceLogger> {
        let entries = Entries { all: vec![Entry { what: What::Root, below: Vec::new() }], missing: 0 };
        Arc::new(TraceLogger { entries: Arc::new(Mutex::new(entries)), open: Mutex::new(vec![0]) })
    }

    /// What happened so far, that of all isolations included.
    pub fn trace(&self) -> Trace {
        let entries = lock(&self.entries);
        let root = lock(&self.open).first().copied().unwrap_or_default();
        Trace { items: entries.items(root), missing: entries.missing }
    }

    fn place(open: &[usize]) -> usize {
        open.last().copied().unwrap_or_default()
    }

    fn fork(entries: &mut Entries, open: &mut Vec<usize>, node: &str, action: &str, labels: &[String]) {
        let fork = TraceItem::Fork { node: node.to_string(), action: action.to_string(), branches: Vec::new() };
        let Some(fork) = entries.add(TraceLogger::place(open), What::Item(fork)) else { return };
        open.push(fork);
        for label in labels {
            let branch = entries.add(fork, What::Branch(label.clone(), None));
            // The only cell has no logger of its own.
            if labels.len() == 1 {
                open.extend(branch);
            }
        }
    }

    /// Closes the innermost call that `is_it`, with whatever is open in it.
    fn close(entries: &mut Entries, open: &mut Vec<usize>, is_it: impl Fn(&TraceItem) -> bool) -> Option<usize> {
        let at = open.iter().rposition(|index| entries.item(*index).is_some_and(|item| is_it(item)))?;
        let closed = open[at];
        open.truncate(at);
        Some(closed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Listener for TraceLogger {
    async fn event(&self, event: &Event, _: &Arc<dyn Terminal>) {
        let mut entries = lock(&self.entries);
        let mut open = lock(&self.open);
        let here = TraceLogger::place(&open);
        match event {
            Event::Entered { node, action, args } => {
                let (node, action, args) = (node.clone(), action.clone(), args.clone());
                let call = TraceItem::Call { node, action, args, ok: None, items: Vec::new() };
                open.extend(entries.add(here, What::Item(call)));
            }
            Event::Left { node: left, action: name, ok: well } => {
                let is_it = |item: &TraceItem| matches!(item, TraceItem::Call { node, action, .. } if node == left && action == name);
                if let Some(closed) = TraceLogger::close(&mut entries, &mut open, is_it)
                    && let Some(TraceItem::Call { ok, .. }) = entries.item(closed)
                {
                    *ok = Some(*well);
                }
            }
            Event::ParallelStarted { node, action, labels } => {
                TraceLogger::fork(&mut entries, &mut open, node, action, labels);
            }
            Event::ParallelFinished { node: over, action: name, outcomes } => {
                let is_it = |item: &TraceItem| matches!(item, TraceItem::Fork { node, action, .. } if node == over && action == name);
                let Some(closed) = TraceLogger::close(&mut entries, &mut open, is_it) else { return };
                for (branch, cell) in entries.below(closed).to_vec().into_iter().zip(outcomes) {
                    if let Some(Entry { what: What::Branch(_, outcome), .. }) = entries.all.get_mut(branch) {
                        *outcome = Some(cell.outcome.word());
                    }
                }
            }
            Event::RunStarted(run) => {
                let run = TraceItem::Run { run: run.clone(), status: None, elapsed: None };
                entries.add(here, What::Item(run));
            }
            Event::RunFinished { run: over, status: ended, elapsed: took, .. } => {
                let is_it = |item: &TraceItem| matches!(item, TraceItem::Run { run, elapsed: None, .. } if run == over);
                if let Some(TraceItem::Run { status, elapsed, .. }) = entries.newest(&open, is_it) {
                    (*status, *elapsed) = (ended.clone(), Some(*took));
                }
            }
            Event::FileStarted(file) => {
                let file = TraceItem::File { file: file.clone(), ok: None, bytes: 0 };
                entries.add(here, What::Item(file));
            }
            Event::FileFinished { file: over, ok: well, bytes: moved, .. } => {
                let is_it = |item: &TraceItem| matches!(item, TraceItem::File { file, ok: None, .. } if file == over);
                if let Some(TraceItem::File { ok, bytes, .. }) = entries.newest(&open, is_it) {
                    (*ok, *bytes) = (Some(*well), *moved);
                }
            }
            Event::Failed(error) => {
                entries.add(here, What::Item(TraceItem::Failed(error.to_string())));
            }
            Event::Message(text) => {
                entries.add(here, What::Item(TraceItem::Message(text.clone())));
            }
            Event::RanUnseen { .. } | Event::Connecting { .. } => {}
        }
    }

    fn branch(&self, label: &str) -> Option<Arc<dyn Listener>> {
        let entries = lock(&self.entries);
        let open = lock(&self.open);
        let is_it = |index: &&usize| matches!(&entries.all[**index].what, What::Branch(name, _) if name == label);
        let branch = open.iter().rev().find_map(|fork| entries.below(*fork).iter().find(is_it).copied());
        // A branch that there was no room for: what happens in it is counted, or belongs to the call around it.
        let place = branch.unwrap_or_else(|| TraceLogger::place(&open));
        Some(Arc::new(TraceLogger { entries: self.entries.clone(), open: Mutex::new(vec![place]) }))
    }
}
