//! One action, property or query on one Env: log group, errors with their chain, Retry, Skip or Abort.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{ActionError, Cause, Env, Frame, one_cell, parallel};
use crate::host::{Question, QuestionKind, RunError, RunFailure};
use crate::logger::{Event, Logger};
use crate::node::{Action, ActionFlags, Class, Member, NodeError, Position};
use crate::query::{self, Query};
use crate::value::{Foreign, Value};

/// How long code may go on after its run was cancelled, to end commands properly; then it is dropped. Shorter than
/// what a parallel call waits, so that a cell reports its own end.
const GRACE: Duration = Duration::from_secs(9);

/// Longest argument in a log entry, in characters.
const ARGUMENT_SHOWN: usize = 200;

/// What an action gives that the operator skipped (row E-15). Reading anything of it is an error of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped;

impl Foreign for Skipped {
    fn describe(&self) -> String {
        "skipped".to_string()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What is run.
#[derive(Clone)]
pub(super) enum Code {
    Action(Action),
    Property(Action),
    Query(Query),
}

impl Code {
    fn flags(&self) -> ActionFlags {
        match self {
            Code::Action(action) => action.flags,
            Code::Property(_) | Code::Query(_) => ActionFlags::default(),
        }
    }

    /// Whether its calls are better made by turns than on many threads.
    pub(super) fn by_turns(&self) -> bool {
        match self {
            Code::Action(code) | Code::Property(code) => code.body.by_turns(),
            Code::Query(_) => false,
        }
    }

    fn position(&self) -> Option<Position> {
        match self {
            Code::Action(action) | Code::Property(action) => action.position.clone(),
            Code::Query(query) => query.position.clone(),
        }
    }

    async fn run(self, env: Env, args: Vec<Value>) -> Result<Value, ActionError> {
        match self {
            Code::Action(code) | Code::Property(code) => code.body.call(env, args).await,
            Code::Query(query) => query::evaluate(&query, &env).await,
        }
    }
}

impl Class {
    /// Calls an action of this class on an Env of a class that overrides it: the superclass call (row A-17).
    ///
    /// # Errors
    /// When the class has no such action; else as [`super::BoundAction::call`].
    pub async fn call(&self, env: &Env, name: &str, args: Vec<Value>) -> Result<Value, ActionError> {
        match self.member(name) {
            Some(Member::Action(action)) => env.call_action(name, &action, args).await,
            _ => {
                Err(NodeError { path: env.node().to_string(), message: format!("{self} has no action '{name}'") }
                    .into())
            }
        }
    }
}

impl Env {
    /// Runs an action on this Env, whatever the class of its node says about the name.
    ///
    /// # Errors
    /// As [`super::BoundAction::call`].
    pub async fn call_action(&self, name: &str, action: &Action, args: Vec<Value>) -> Result<Value, ActionError> {
        self.perform(name, Code::Action(action.clone()), args).await
    }

    pub(super) async fn compute(&self, name: &str, code: Code) -> Result<Value, ActionError> {
        self.perform(name, code, Vec::new()).await
    }

    /// Once here, on one cell, or on all cells. Boxed: actions call actions.
    fn perform<'a>(&'a self, name: &'a str, code: Code, args: Vec<Value>) -> BoxFuture<'a, Result<Value, ActionError>> {
        Box::pin(async move {
            // Reading is not acting: what a property or query reaches on hosts is refused there.
            if let Code::Action(_) = code {
                self.admitted(name)?;
            }
            let flags = code.flags();
            if !self.node().forks() || flags.dont_isolate_yet {
                return self.run_here(name, code, args).await;
            }
            if !flags.isolate_one_only {
                return parallel::run(self, name, &code, args).await;
            }
            match one_cell::choose(self, name).await? {
                Some(cell) => cell.run_here(name, code, args).await,
                None => Ok(Value::Nil),
            }
        })
    }

    /// Whether whoever is behind this run may act on this node.
    fn admitted(&self, name: &str) -> Result<(), ActionError> {
        let gate = &self.context().gate;
        gate.admit(self.node()).map_err(|why| {
            gate.refused(self.node(), name, &why);
            ActionError::new(Cause::Forbidden(why))
        })
    }

    /// Once, on this very Env: a call from within a cell stays in the cell (row C-27).
    pub(super) async fn run_here(&self, name: &str, code: Code, args: Vec<Value>) -> Result<Value, ActionError> {
        let group = Group::enter(self, name, &args).await;
        let result = self.attempts(name, code, args).await;
        group.leave(result.is_ok()).await;
        result
    }

    /// Until it ends well, or nobody wants to try again (rows E-10..E-17).
    async fn attempts(&self, name: &str, code: Code, args: Vec<Value>) -> Result<Value, ActionError> {
        let computed = !matches!(code, Code::Action(_));
        let position = code.position();
        loop {
            let mut error = match self.attempt(name, computed, code.clone(), args.clone()).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let innermost = !error.was_logged();
            let position = error.position.take().or_else(|| position.clone());
            let error = error.through(Frame { node: self.node().to_string(), action: name.to_string(), position });
            if !innermost {
                return Err(error);
            }
            self.context().logger.emit(Event::Failed(error.clone())).await;
            let Cause::Run(RunError::Failed(failure)) = &*error.cause else {
                return Err(error);
            };
            match self.ask(failure).await {
                Choice::Retry => {}
                Choice::Skip => return Ok(Value::Foreign(Arc::new(Skipped))),
                Choice::Abort => return Err(error),
            }
        }
    }

    async fn attempt(&self, name: &str, computed: bool, code: Code, args: Vec<Value>) -> Result<Value, ActionError> {
        let calls = self.calls.enter(self.node(), name, computed)?;
        let apart = calls.needs_own_task();
        let run = guarded(Env { calls, ..self.clone() }, code, args);
        if apart { in_own_task(run).await } else { run.await }
    }

    /// What the operator wants after a failed command (row E-13).
    async fn ask(&self, failure: &RunFailure) -> Choice {
        if !self.context().asker.attended() {
            return Choice::Abort;
        }
        let cell = self.node().cell_label();
        let question = Question {
            label: if cell.is_empty() { failure.host.clone() } else { cell },
            // The log has just told what failed.
            notice: String::new(),
            prompt: String::new(),
            kind: QuestionKind::Choice {
                options: ["abort", "retry", "skip"].map(str::to_string).to_vec(),
                default: Some("abort".to_string()),
            },
        };
        let context = self.context();
        let answer = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return Choice::Abort,
            answer = context.asker.ask(question) => answer,
        };
        match answer.as_ref().map(|answer| answer.0.as_str()) {
            Ok("retry") => Choice::Retry,
            Ok("skip") => Choice::Skip,
            _ => Choice::Abort,
        }
    }
}

enum Choice {
    Abort,
    Retry,
    Skip,
}

/// Runs code; a panic in it is its own failure, and a cancelled run ends even when the code does not look.
async fn guarded(env: Env, code: Code, args: Vec<Value>) -> Result<Value, ActionError> {
    let cancel = env.context().cancel.clone();
    if cancel.is_cancelled() {
        return Err(ActionError::new(Cause::Interrupted));
    }
    let body = AssertUnwindSafe(code.run(env, args)).catch_unwind();
    tokio::select! {
        biased;
        result = body => result.unwrap_or_else(|panic| Err(panicked(&*panic))),
        () = overdue(&cancel, GRACE) => Err(ActionError::new(Cause::Interrupted)),
    }
}

/// Runs in a task that ends when this future is dropped.
pub(super) async fn in_own_task<T: Send + 'static>(
    run: impl Future<Output = Result<T, ActionError>> + Send + 'static,
) -> Result<T, ActionError> {
    let mut task = JoinSet::new();
    task.spawn(run);
    match task.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(error)) => Err(fault(error)),
        None => Err(ActionError::new(Cause::Interrupted)),
    }
}

/// What became of a task that did not come back: its panic is contained.
pub(super) fn fault(error: JoinError) -> ActionError {
    match error.try_into_panic() {
        Ok(panic) => panicked(&*panic),
        Err(_aborted) => ActionError::new(Cause::Interrupted),
    }
}

/// Waits until a run was cancelled and then had this much time to end.
pub(super) async fn overdue(cancel: &CancellationToken, grace: Duration) {
    cancel.cancelled().await;
    tokio::time::sleep(grace).await;
}

/// A panic as an error of the code that panicked.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> ActionError {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_string());
    ActionError::new(Cause::Script { message: format!("panicked: {text}"), traceback: None, value: None })
}

/// An open log group. Left on every way out (row E-27), also when the call is dropped in the middle.
struct Group {
    logger: Logger,
    node: String,
    action: String,
    open: bool,
}

impl Group {
    async fn enter(env: &Env, action: &str, args: &[Value]) -> Group {
        let (logger, node, action) = (env.context().logger.clone(), env.node().to_string(), action.to_string());
        let args = args.iter().map(|arg| shortened(&format!("{arg:?}"))).collect();
        let group = Group { logger, node, action, open: true };
        group.logger.emit(Event::Entered { node: group.node.clone(), action: group.action.clone(), args }).await;
        group
    }

    async fn leave(mut self, ok: bool) {
        self.open = false;
        let event = self.left(ok);
        self.logger.emit(event).await;
    }

    fn left(&self, ok: bool) -> Event {
        Event::Left { node: self.node.clone(), action: self.action.clone(), ok }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Dropped while open: the call was given up. Listeners are told from a task, since drop cannot wait.
        if let (true, Ok(runtime)) = (self.open, tokio::runtime::Handle::try_current()) {
            let (logger, event) = (self.logger.clone(), self.left(false));
            runtime.spawn(async move { logger.emit(event).await });
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ARGUMENT_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_string(),
    }
}
