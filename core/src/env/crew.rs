//! The cells of a parallel run that are at work, and how they share the processor.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::{Id, JoinSet};

use super::ActionError;
use super::call::{fault, panicked};

/// Cells at work, each known by its index. Dropping it ends them.
pub(super) enum Crew<T> {
    /// Each in a task of its own, on all threads.
    Apart { tasks: JoinSet<T>, indices: HashMap<Id, usize> },
    /// One after the other, whenever one can go on, within the task that waits for them: for code that runs one piece
    /// at a time anyway. As tasks they would wait for each other and keep every thread from others meanwhile.
    ByTurns(FuturesUnordered<BoxFuture<'static, Ended<T>>>),
}

/// The index of a cell, and what it came to; its panic is its own failure.
type Ended<T> = (usize, Result<T, ActionError>);

impl<T: Send + 'static> Crew<T> {
    /// Nobody yet.
    pub(super) fn new(by_turns: bool) -> Crew<T> {
        match by_turns {
            true => Crew::ByTurns(FuturesUnordered::new()),
            false => Crew::Apart { tasks: JoinSet::new(), indices: HashMap::new() },
        }
    }

    /// How many are at work.
    pub(super) fn len(&self) -> usize {
        match self {
            Crew::Apart { tasks, .. } => tasks.len(),
            Crew::ByTurns(cells) => cells.len(),
        }
    }

    /// One more begins.
    pub(super) fn add(&mut self, index: usize, work: impl Future<Output = T> + Send + 'static) {
        match self {
            Crew::Apart { tasks, indices } => {
                indices.insert(tasks.spawn(work).id(), index);
            }
            Crew::ByTurns(cells) => cells.push(Box::pin(async move {
                let ended = AssertUnwindSafe(work).catch_unwind().await;
                (index, ended.map_err(|panic| panicked(&*panic)))
            })),
        }
    }

    /// Waits for the next that ends; `None` when nobody is at work. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Ended<T>> {
        match self {
            Crew::Apart { tasks, indices } => loop {
                let (id, end) = match tasks.join_next_with_id().await? {
                    Ok((id, end)) => (id, Ok(end)),
                    Err(error) => (error.id(), Err(fault(error))),
                };
                if let Some(index) = indices.remove(&id) {
                    return Some((index, end));
                }
            },
            Crew::ByTurns(cells) => cells.next().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Barrier;

    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn all_are_at_work_at_once_and_a_panic_is_that_of_one() {
        for by_turns in [false, true] {
            let mut crew = Crew::new(by_turns);
            // Nobody leaves before all are there.
            let all_in = Arc::new(Barrier::new(3));
            for index in 0..3 {
                let all_in = all_in.clone();
                crew.add(index, async move {
                    all_in.wait().await;
                    assert_ne!(index, 1, "oh no");
                    index * 10
                });
            }
            assert_eq!(crew.len(), 3);
            let mut ended = Vec::new();
            while let Some((index, end)) = crew.next().await {
                ended.push((index, end.map_err(|error| error.to_string().contains("oh no"))));
            }
            ended.sort_by_key(|(index, _)| *index);
            assert_eq!(ended, [(0, Ok(0)), (1, Err(true)), (2, Ok(20))]);
        }
    }
}
