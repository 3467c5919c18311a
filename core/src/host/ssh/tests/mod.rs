//! Stories against a real sshd. They need OpenSSH's server: `apt-get install openssh-server`.

#![allow(clippy::unwrap_used)]

mod certificates;
mod chaos;
mod commands;
mod files;
mod helper;
mod hops;
mod hostile;
mod identity;
mod known_hosts;
mod liar;
mod oddities;
mod proxies;
mod proxy;
mod raw_server;
mod scripted;
mod servers;
mod sharing;
mod sshd;
mod trust;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::{SshHost, SshOptions, SshPool};
use crate::host::{
    Answer, Asker, ExitStatus, Host, HostError, NoAnswer, NobodyToAsk, Process, ProcessEvent, Question, Reach, Spawn,
    SpawnMode,
};
use crate::node::HostSettings;
use crate::terminal::Size;
use sshd::{Sshd, definition};

/// Nobody to ask, nothing cancelled.
fn reach() -> Reach {
    Reach { asker: Arc::new(NobodyToAsk), cancel: CancellationToken::new() }
}

fn pool() -> Arc<SshPool> {
    // A home without keys, so that those of whoever runs the tests play no part.
    SshPool::new(SshOptions { agent: None, home: Some("/nonexistent".into()) })
}

fn host(settings: HostSettings, pool: &Arc<SshPool>) -> SshHost {
    SshHost::new(definition(settings), pool.clone())
}

fn piped(line: &str) -> Spawn {
    Spawn::line(line, SpawnMode::Piped)
}

fn pty(line: &str, rows: u16, cols: u16) -> Spawn {
    let size = Size { rows, cols };
    Spawn::line(line, SpawnMode::Pty { size, term: "xterm-256color".into() })
}

/// What a finished command printed.
#[derive(Debug, PartialEq)]
struct Finished {
    out: Vec<u8>,
    err: Vec<u8>,
    status: ExitStatus,
}

impl Finished {
    fn out(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }
}

/// Waits for a fact, not longer than any of these tests can take.
async fn within<T>(what: &str, fact: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), fact).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}

async fn finish(mut process: Process) -> Finished {
    let mut finished = Finished { out: Vec::new(), err: Vec::new(), status: ExitStatus::Code(-1) };
    let reading = async {
        loop {
            match process.events.recv().await {
                Some(ProcessEvent::Stdout(bytes)) => finished.out.extend_from_slice(&bytes),
                Some(ProcessEvent::Stderr(bytes)) => finished.err.extend_from_slice(&bytes),
                Some(ProcessEvent::Exit(status)) => break finished.status = status,
                None => panic!("a process must tell its end"),
            }
        }
        assert_eq!(process.events.recv().await, None, "nothing follows the end");
    };
    within("the end of a command", reading).await;
    finished
}

async fn run(host: &SshHost, spawn: Spawn) -> Finished {
    finish(host.spawn(spawn, &reach()).await.unwrap()).await
}

/// Reads output until it contains a text.
async fn read_until(process: &mut Process, text: &str) -> String {
    let mut seen = String::new();
    let reading = async {
        while !seen.contains(text) {
            match process.events.recv().await {
                Some(ProcessEvent::Stdout(bytes) | ProcessEvent::Stderr(bytes)) => {
                    seen.push_str(&String::from_utf8_lossy(&bytes));
                }
                other => panic!("{other:?} before {text:?}; so far {seen:?}"),
            }
        }
    };
    within(text, reading).await;
    seen
}

async fn until(what: &str, mut fact: impl FnMut() -> bool) {
    within(what, async {
        while !fact() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn error(result: Result<Process, HostError>) -> String {
    match result {
        Ok(_) => panic!("it must not start"),
        Err(error) => error.to_string(),
    }
}

/// A person who gives prepared answers, and remembers the questions.
struct Person {
    answers: Mutex<Vec<Result<&'static str, NoAnswer>>>,
    questions: Mutex<Vec<Question>>,
    told: Mutex<Vec<String>>,
}

impl Person {
    fn who_says(answers: &[Result<&'static str, NoAnswer>]) -> Arc<Person> {
        let answers = answers.iter().rev().copied().collect();
        Arc::new(Person { answers: Mutex::new(answers), questions: Mutex::default(), told: Mutex::default() })
    }

    fn reach(self: &Arc<Person>) -> Reach {
        Reach { asker: self.clone(), cancel: CancellationToken::new() }
    }

    fn questions(&self) -> Vec<Question> {
        self.questions.lock().unwrap().clone()
    }
}

#[async_trait]
impl Asker for Person {
    async fn ask(&self, question: Question) -> Result<Answer, NoAnswer> {
        self.questions.lock().unwrap().push(question);
        let answer = self.answers.lock().unwrap().pop().unwrap_or(Err(NoAnswer::NobodyThere));
        answer.map(|text| Answer(Zeroizing::new(text.to_string())))
    }

    async fn tell(&self, line: &str) {
        self.told.lock().unwrap().push(line.to_string());
    }
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}
