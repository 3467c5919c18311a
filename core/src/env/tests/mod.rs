//! Envs and calls, shown by example.
#![allow(clippy::unwrap_used)]

mod calls;
mod contexts;
mod errors;
mod gates;
mod parallel;
mod programs;

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

use super::*;
use crate::host::{Answer, Asker, ExitStatus, NoAnswer, Question, RunError, RunFailure, RunOutput};
use crate::logger::{Event, Listener, Logger};
use crate::node::tests::{child, class, host, hosts, own, text};
use crate::node::{Action, HostDef};
use crate::terminal::Terminal;
use crate::terminal::scripted::ScriptedTerminal;

/// An action from a closure.
#[track_caller]
pub(crate) fn action<F, R>(code: F) -> Member
where
    F: Fn(Env, Vec<Value>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, ActionError>> + Send + 'static,
{
    Member::Action(Action::from_fn(code))
}

/// A property from a closure.
pub(crate) fn property<F, R>(code: F) -> Member
where
    F: Fn(Env) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, ActionError>> + Send + 'static,
{
    Member::Property(Action::from_fn(move |env, _| code(env)))
}

/// An action that says where it runs.
pub(crate) fn whereami() -> Member {
    action(|env, _| async move { Ok(env.node().to_string().into()) })
}

/// A failed command.
pub(crate) fn failure(host: &str, status: i32) -> ActionError {
    let output = RunOutput {
        stdout: Bytes::new(),
        stderr: Bytes::new(),
        status: ExitStatus::Code(status),
        dropped: 0,
        shown: false,
    };
    let failure = RunFailure {
        host: host.to_string(),
        command: "deploy".to_string(),
        reason: None,
        use_sudo: false,
        status: output.status.clone(),
        output: Arc::new(output),
    };
    RunError::Failed(Arc::new(failure)).into()
}

/// A surrounding in which everything that happens is written down, and questions are answered from a list.
pub(crate) struct Stage {
    pub(crate) context: RunContext,
    pub(crate) terminal: Arc<ScriptedTerminal>,
    events: Arc<Events>,
    answers: Arc<Answers>,
}

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

#[derive(Default)]
struct Answers {
    ready: Mutex<VecDeque<&'static str>>,
    asked: Mutex<Vec<Question>>,
}

#[async_trait]
impl Listener for Events {
    async fn event(&self, event: &Event, _: &Arc<dyn Terminal>) {
        self.0.lock().unwrap().push(event.clone());
    }
}

#[async_trait]
impl Asker for Answers {
    async fn ask(&self, question: Question) -> Result<Answer, NoAnswer> {
        self.asked.lock().unwrap().push(question);
        match self.ready.lock().unwrap().pop_front() {
            Some("^C") => Err(NoAnswer::Cancelled),
            Some(answer) => Ok(Answer(Zeroizing::new(answer.to_string()))),
            None => Err(NoAnswer::NobodyThere),
        }
    }
}

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage::answering(&[])
    }

    /// Somebody is there and will give these answers.
    pub(crate) fn answering(answers: &[&'static str]) -> Stage {
        let (events, terminal) = (Arc::new(Events::default()), ScriptedTerminal::new());
        let asker = Arc::new(Answers::default());
        asker.ready.lock().unwrap().extend(answers);
        let logger = Logger::new(vec![events.clone()], terminal.clone());
        let context = RunContext { terminal: terminal.clone(), logger, asker: asker.clone(), ..RunContext::quiet() };
        Stage { context, terminal, events, answers: asker }
    }

    pub(crate) fn env(&self, class: &Class) -> Env {
        Env::new(Node::root(class.clone()).unwrap(), self.context.clone())
    }

    /// Events as short lines, and none twice remembered.
    pub(crate) fn events(&self) -> Vec<String> {
        self.events.0.lock().unwrap().drain(..).map(|event| line(&event)).collect()
    }

    fn questions(&self) -> Vec<Question> {
        self.answers.asked.lock().unwrap().drain(..).collect()
    }
}

fn line(event: &Event) -> String {
    match event {
        Event::Entered { node, action, args } => format!("> {node}.{action}({})", args.join(", ")),
        Event::Left { node, action, ok } => format!("< {node}.{action} {}", if *ok { "ok" } else { "failed" }),
        Event::Failed(error) => format!("! {error}"),
        Event::Message(text) => text.clone(),
        Event::ParallelStarted { node, action, labels } => format!("fork {node}.{action} [{}]", labels.join(" ")),
        Event::ParallelFinished { outcomes, .. } => format!("join {}", words(outcomes)),
        other => format!("{other:?}"),
    }
}

/// `web1 ok, web2 failed`
fn words(outcomes: &[CellOutcome]) -> String {
    outcomes.iter().map(|cell| format!("{} {}", cell.label, cell.outcome.word())).collect::<Vec<_>>().join(", ")
}

/// A root `R` with an array `a` of these hosts.
fn with_array(slugs: &[&str], members: &[(&str, Member)]) -> Class {
    let array = class(&Class::parallel_node(), "A", members).array().unwrap();
    let hosts: Vec<HostDef> = slugs.iter().map(|slug| host(slug)).collect();
    Class::node()
        .extend("R")
        .hosts(own(Roles::new().role("web", hosts)))
        .member("a", child(&array), None)
        .build()
        .unwrap()
}

fn chain(error: &ActionError) -> Vec<String> {
    error.chain.iter().map(|frame| format!("{}.{}", frame.node, frame.action)).collect()
}
