//! `isolate_one_only`: which one cell (rows E-22, E-23).

use rand::Rng;

use super::{ActionError, Cause, Env};
use crate::host::{NoAnswer, Question, QuestionKind};
use crate::logger::Event;

/// Asks for one of the cells; a random one when nobody is there, the only one without asking. `None` when there are no
/// cells, with a notice.
pub(super) async fn choose(env: &Env, action: &str) -> Result<Option<Env>, ActionError> {
    let mut cells = env.cells();
    if cells.is_empty() {
        env.context().logger.emit(Event::Message(no_cells(env, action))).await;
        return Ok(None);
    }
    if cells.len() == 1 {
        return Ok(cells.pop());
    }
    let random = rand::rng().random_range(0..cells.len());
    let chosen = match env.context().asker.ask(question(env, action, &cells, random)).await {
        Ok(answer) => position(&cells, &answer.0)?,
        Err(NoAnswer::NobodyThere) => random,
        Err(NoAnswer::Cancelled) => return Err(ActionError::new(Cause::Interrupted)),
    };
    Ok(Some(cells.swap_remove(chosen)))
}

/// The notice for an action on an array without hosts (row C-09).
pub(super) fn no_cells(env: &Env, action: &str) -> String {
    format!("{}.{action}: nothing to do, the role 'host' has no hosts", env.node())
}

fn question(env: &Env, action: &str, cells: &[Env], random: usize) -> Question {
    let labels: Vec<String> = cells.iter().map(|cell| cell.node().cell_label()).collect();
    let width = labels.iter().map(String::len).max().unwrap_or(0);
    let address = |cell: &Env| cell.node().cell().map_or_else(String::new, |cell| cell.host.address().to_string());
    let lines = labels.iter().zip(cells).map(|(label, cell)| format!("{label:width$}  {}", address(cell)));
    Question {
        label: env.node().to_string(),
        notice: lines.collect::<Vec<_>>().join("\n"),
        prompt: format!("On which host shall {action} run"),
        kind: QuestionKind::Choice { default: labels.get(random).cloned(), options: labels },
    }
}

fn position(cells: &[Env], answer: &str) -> Result<usize, ActionError> {
    let label = |cell: &Env| cell.node().cell_label();
    let exact = cells.iter().position(|cell| label(cell) == answer);
    let found = exact.or_else(|| cells.iter().position(|cell| label(cell).eq_ignore_ascii_case(answer)));
    found.ok_or_else(|| ActionError::usage(format!("no host '{answer}' to run on")))
}
