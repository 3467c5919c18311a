//! What the configuration says about a host: read by ourselves, or asked of ssh.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Files, Query, Reading, Settings, Stamp, oracle};
use crate::host::ssh::account::Account;
use crate::host::ssh::failure::Failure;

/// How long an answer of ssh is good while the files stay as they are: a `Match exec` may look at anything.
const FRESH: Duration = Duration::from_secs(300);
/// Answers that are kept.
const MAX_ANSWERS: usize = 4096;

/// Reads the configuration for hosts; one per pool.
#[derive(Debug)]
pub(in crate::host::ssh) struct Resolver {
    home: Option<PathBuf>,
    agent: Option<PathBuf>,
    // Plain data and short work; nothing awaits while it is locked.
    answers: Mutex<HashMap<Request, Answer>>,
}

/// A host that is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::host::ssh) struct Request {
    pub(in crate::host::ssh) files: Files,
    /// The name as somebody wrote it.
    pub(in crate::host::ssh) host: String,
    /// Login name, when somebody wrote one.
    pub(in crate::host::ssh) user: Option<String>,
    pub(in crate::host::ssh) port: Option<u16>,
}

/// What ssh said.
#[derive(Debug)]
struct Answer {
    settings: Settings,
    /// The files at that time.
    stamps: Vec<Stamp>,
    given: Instant,
}

impl Resolver {
    /// `home` instead of the one of the passwd file, and the agent that programs of the configuration may use.
    pub(in crate::host::ssh) fn new(home: Option<PathBuf>, agent: Option<PathBuf>) -> Resolver {
        Resolver { home, agent, answers: Mutex::default() }
    }

    /// The user whose configuration it is.
    pub(in crate::host::ssh) fn account(&self) -> Account {
        let mut account = Account::of_process();
        if let Some(home) = &self.home {
            account.home = Some(home.clone());
        }
        account
    }

    /// The agent of that user.
    pub(in crate::host::ssh) fn agent(&self) -> Option<&Path> {
        self.agent.as_deref()
    }

    /// What the files say.
    ///
    /// # Errors
    /// Files that cannot be used; ssh when it is needed and does not answer.
    pub(in crate::host::ssh) async fn settings(
        &self,
        request: Request,
        account: &Account,
    ) -> Result<Settings, Failure> {
        let (wanted, whose) = (request.clone(), account.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let query = Query { host: &wanted.host, user: wanted.user.as_deref(), account: &whose };
            super::read(&wanted.files, query)
        });
        let reading = reading.await.map_err(|stopped| Failure::new(stopped.to_string()))??;
        let Reading { settings, undecided, stamps } = reading;
        let Some(why) = undecided else { return Ok(settings) };
        if let Some(known) = self.known(&request, &stamps) {
            return Ok(known);
        }
        let settings = oracle::ask(&request, account, self.agent()).await.map_err(|failure| Failure {
            reason: format!("{why} is for ssh to decide, and {}", failure.reason),
            ..failure
        })?;
        let mut answers = self.lock();
        if answers.len() >= MAX_ANSWERS {
            answers.clear();
        }
        answers.insert(request, Answer { settings: settings.clone(), stamps, given: Instant::now() });
        Ok(settings)
    }

    fn known(&self, request: &Request, stamps: &[Stamp]) -> Option<Settings> {
        let answers = self.lock();
        let answer = answers.get(request)?;
        (answer.stamps == stamps && answer.given.elapsed() < FRESH).then(|| answer.settings.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Request, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
