//! What became of each cell of a parallel call.

use std::fmt;
use std::time::Duration;

use super::{ActionError, Env};
use crate::value::Value;

/// Values of all cells, in host order (rows C-05, C-07, C-08 with design 8).
#[derive(Clone, Debug)]
pub struct ParallelResult {
    /// The Env of each cell and its value.
    pub entries: Vec<(Env, Value)>,
}

impl ParallelResult {
    /// Number of cells.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there was no cell.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The values, in host order; what iterating gives (row C-07).
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The Envs of the cells, in host order.
    pub fn cells(&self) -> impl Iterator<Item = &Env> {
        self.entries.iter().map(|(env, _)| env)
    }

    /// The value of a cell.
    pub fn of(&self, cell: &Env) -> Option<&Value> {
        self.entries.iter().find(|(env, _)| env.node().same_place(cell.node())).map(|(_, value)| value)
    }

    /// The value of the cell with this label: the slug, joined with `/` over several dimensions.
    pub fn by_label(&self, label: &str) -> Option<&Value> {
        self.entries.iter().find(|(env, _)| env.node().cell_label() == label).map(|(_, value)| value)
    }
}

/// What became of one cell.
#[derive(Clone, Debug)]
pub struct CellOutcome {
    /// How the cell is shown: the slug, joined with `/` over several dimensions.
    pub label: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, waiting for its turn not counted.
    pub elapsed: Duration,
}

/// The ways a cell can end.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It returned this.
    Ok(Value),
    /// It failed.
    Failed(ActionError),
    /// The operator chose Skip (row E-15).
    Skipped,
    /// It was stopped while it ran.
    Interrupted(ActionError),
    /// The run ended before it began.
    NotStarted,
}

impl Outcome {
    /// Whether the cell did its work.
    pub fn is_ok(&self) -> bool {
        matches!(self, Outcome::Ok(_) | Outcome::Skipped)
    }

    /// The word of the summary.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Ok(_) => "ok",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped => "skipped",
            Outcome::Interrupted(_) => "interrupted",
            Outcome::NotStarted => "not started",
        }
    }
}

/// `{ web1: value, web2: value }` (row C-07).
impl fmt::Display for ParallelResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (env, value)) in self.entries.iter().enumerate() {
            write!(f, "{} {}: {value}", if i == 0 { "" } else { "," }, env.node().cell_label())?;
        }
        f.write_str(" }")
    }
}
