//! One call on all cells of a parallel node: tasks, terminals, limits, and one true summary.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::call::{Code, in_own_task, overdue};
use super::crew::Crew;
use super::one_cell::no_cells;
use super::{ActionError, Cause, CellOutcome, Env, Outcome, ParallelResult, Skipped};
use crate::logger::Event;
use crate::terminal::{Announced, TypeAhead};
use crate::value::Value;

/// How long cells may take to end after the run was cancelled; the others are reported as interrupted.
const GRACE: Duration = Duration::from_secs(10);

/// Runs code on all cells. All of them finish, then there is a result in host order, or one error with every outcome
/// (rows C-05..C-12 with design 8).
pub(super) async fn run(env: &Env, name: &str, code: &Code, args: Vec<Value>) -> Result<Value, ActionError> {
    let cells = env.cells();
    let logger = &env.context().logger;
    if cells.is_empty() {
        logger.emit(Event::Message(no_cells(env, name))).await;
        return Ok(Value::Parallel(Arc::new(ParallelResult { entries: Vec::new() })));
    }
    let (node, action) = (env.node().to_string(), name.to_string());
    let labels: Vec<String> = cells.iter().map(|cell| cell.node().cell_label()).collect();
    logger.emit(Event::ParallelStarted { node: node.clone(), action: action.clone(), labels: labels.clone() }).await;
    let outcomes = match cells.as_slice() {
        [only] => vec![alone(only, labels[0].clone(), name, code, args).await],
        cells => fork(env, cells, labels, name, code, args).await,
    };
    logger.emit(Event::ParallelFinished { node, action, outcomes: outcomes.clone() }).await;
    join(cells, outcomes)
}

fn join(cells: Vec<Env>, outcomes: Vec<CellOutcome>) -> Result<Value, ActionError> {
    if !outcomes.iter().all(|cell| cell.outcome.is_ok()) {
        return Err(ActionError::new(Cause::Parallel(outcomes)));
    }
    let value = |cell: CellOutcome| match cell.outcome {
        Outcome::Ok(value) => value,
        _ => Value::Foreign(Arc::new(Skipped)),
    };
    let entries = cells.into_iter().zip(outcomes.into_iter().map(value)).collect();
    Ok(Value::Parallel(Arc::new(ParallelResult { entries })))
}

/// Exactly one cell runs in the caller's own terminal (row C-10).
async fn alone(cell: &Env, label: String, name: &str, code: &Code, args: Vec<Value>) -> CellOutcome {
    let started = Instant::now();
    let result = cell.run_here(name, code.clone(), args).await;
    CellOutcome { label, outcome: outcome(result), elapsed: started.elapsed() }
}

/// Each cell in a terminal of its own, so many at once. Dropping this future ends them all.
async fn fork(
    env: &Env,
    cells: &[Env],
    labels: Vec<String>,
    name: &str,
    code: &Code,
    args: Vec<Value>,
) -> Vec<CellOutcome> {
    let started = Instant::now();
    let context = env.context();
    let title = format!("{}.{name}", env.node());
    let announced = Announced::begin(&context.terminal, title, labels.clone(), context.cancel.clone()).await;
    let work = Work {
        cells: cells.to_vec(),
        limit: context.parallel_limit.unwrap_or(cells.len()).max(1),
        cancel: context.cancel.clone(),
        announced: announced.clone(),
        name: name.to_string(),
        code: code.clone(),
        args,
    };
    let ended = match code.by_turns() {
        // Apart from the caller, which watches the keyboard.
        true => in_own_task(async { Ok(work.run(Crew::new(true)).await) }).await.unwrap_or_default(),
        false => work.run(Crew::new(false)).await,
    };
    announced.finish().await;
    let mut ended = ended.into_iter();
    let unfinished = || (Outcome::Interrupted(ActionError::new(Cause::Interrupted)), started.elapsed());
    let outcome = |label| {
        let (outcome, elapsed) = ended.next().flatten().unwrap_or_else(unfinished);
        CellOutcome { label, outcome, elapsed }
    };
    labels.into_iter().map(outcome).collect()
}

/// How a cell ended and how long it took; `None` when it was not waited for any longer.
type End = Option<(Outcome, Duration)>;

/// What is to be done in which cells.
struct Work {
    cells: Vec<Env>,
    /// How many at once.
    limit: usize,
    cancel: CancellationToken,
    announced: Arc<Announced>,
    name: String,
    code: Code,
    args: Vec<Value>,
}

impl Work {
    /// Does it; the ends are in host order.
    async fn run(self, mut crew: Crew<(Outcome, Duration)>) -> Vec<End> {
        let started = Instant::now();
        let mut late = pin!(overdue(&self.cancel, GRACE));
        let mut waiting = self.cells.iter().enumerate();
        let mut ended: Vec<End> = vec![None; self.cells.len()];
        loop {
            while crew.len() < self.limit && !self.cancel.is_cancelled() {
                let Some((index, cell)) = waiting.next() else { break };
                crew.add(index, self.job(index, cell).run());
            }
            let next = tokio::select! {
                biased;
                next = crew.next() => next,
                () = &mut late => None,
            };
            let Some((index, end)) = next else { break };
            ended[index] = Some(end.unwrap_or_else(|error| (outcome(Err(error)), started.elapsed())));
        }
        for (index, _) in waiting {
            self.announced.ended(index, Outcome::NotStarted.word(), Duration::ZERO);
            ended[index] = Some((Outcome::NotStarted, Duration::ZERO));
        }
        ended
    }

    fn job(&self, index: usize, cell: &Env) -> Job {
        Job {
            env: cell.clone(),
            index,
            announced: self.announced.clone(),
            name: self.name.clone(),
            code: self.code.clone(),
            args: self.args.clone(),
        }
    }
}

/// One cell's part of the work.
struct Job {
    env: Env,
    index: usize,
    announced: Arc<Announced>,
    name: String,
    code: Code,
    args: Vec<Value>,
}

impl Job {
    async fn run(self) -> (Outcome, Duration) {
        let (outcome, elapsed) = self.turn().await;
        self.announced.ended(self.index, outcome.word(), elapsed);
        (outcome, elapsed)
    }

    async fn turn(&self) -> (Outcome, Duration) {
        let context = self.env.context();
        if context.cancel.is_cancelled() {
            return (Outcome::NotStarted, Duration::ZERO);
        }
        let started = Instant::now();
        let terminal = match self.announced.open(self.index).await {
            Ok(terminal) => terminal,
            Err(error) => {
                let label = self.env.node().cell_label();
                let message = format!("{label}: not run, no terminal could be opened: {error}");
                return (Outcome::Failed(ActionError::usage(message)), started.elapsed());
            }
        };
        let context = context.on(terminal.clone(), &self.env.node().cell_label());
        let env = Env::placed(self.env.node().clone(), context, self.env.calls.clone());
        let result = watched(&env, env.run_here(&self.name, self.code.clone(), self.args.clone())).await;
        let elapsed = started.elapsed();
        // The summary comes after the last line of every cell. Where nobody can see it any more, that is no failure.
        let _nobody_looks = terminal.finish().await;
        (outcome(result), elapsed)
    }
}

/// Runs a cell's code; where its terminal has a keyboard of its own, Ctrl-C there ends this cell alone. Programs that read
/// keys hold a newer lease, so their Ctrl-C is theirs.
async fn watched<T>(env: &Env, run: impl Future<Output = T>) -> T {
    let context = env.context();
    if !context.terminal.interactive() {
        return run.await;
    }
    let mut typed = TypeAhead::new(context.terminal.keyboard());
    tokio::pin!(run);
    tokio::select! {
        biased;
        result = &mut run => return result,
        () = typed.interrupted() => context.cancel.cancel(),
    }
    run.await
}

fn outcome(result: Result<Value, ActionError>) -> Outcome {
    match result {
        Ok(value) if value.is_skipped() => Outcome::Skipped,
        Ok(value) => Outcome::Ok(value),
        Err(error) if error.is_interrupted() => Outcome::Interrupted(error),
        Err(error) => Outcome::Failed(error),
    }
}
