//! What the configuration says about a host: read by ourselves, or asked of ssh.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::oracle::Oracle;
use super::{Files, Query, Reading, Settings, Stamp};
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
    /// What is asked.
    oracle: Oracle,
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
        Resolver { home, agent, oracle: Oracle::default(), answers: Mutex::default() }
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
        let settings = self.oracle.ask(&request, account, self.agent()).await.map_err(|failure| Failure {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A configuration, and an ssh that writes down how often it is asked.
    struct Asked {
        directory: tempfile::TempDir,
        resolver: Resolver,
    }

    impl Asked {
        fn new(ssh: &str, limit: Duration) -> Asked {
            let directory = tempfile::tempdir().unwrap();
            let program = directory.path().join("ssh");
            let script = format!("#!/bin/sh\necho asked >> {}/calls\n{ssh}\n", directory.path().display());
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            let oracle = Oracle { program, limit };
            Asked { resolver: Resolver { oracle, ..Resolver::new(None, None) }, directory }
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let file = self.directory.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        }

        fn calls(&self) -> usize {
            std::fs::read_to_string(self.directory.path().join("calls")).unwrap_or_default().lines().count()
        }

        async fn about(&self, host: &str, user: Option<&str>) -> Result<Settings, Failure> {
            let files = Files::Only(self.directory.path().join("config"));
            let request = Request { files, host: host.into(), user: user.map(str::to_string), port: None };
            self.resolver.settings(request, &self.resolver.account()).await
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    // rows: W-40
    #[tokio::test]
    async fn ssh_is_asked_once_until_a_file_changes() {
        let asked = Asked::new("exec ssh \"$@\"", LONG);
        let other = asked.write("other", "Match exec true\n Port 7\n");
        asked.write("config", &format!("Include {}\nUser anna\n", other.display()));
        for _ in 0..3 {
            let settings = asked.about("web1", None).await.unwrap();
            assert_eq!((settings.port, settings.user.as_deref()), (Some(7), Some("anna")));
        }
        // With the files and without any.
        assert_eq!(asked.calls(), 2);
        asked.about("web1", Some("berta")).await.unwrap();
        assert_eq!(asked.calls(), 4);
        asked.write("other", "Match exec true\n Port 77\n");
        assert_eq!(asked.about("web1", None).await.unwrap().port, Some(77));
        assert_eq!(asked.calls(), 6);
        asked.write("other", "Port 8\n");
        assert_eq!(asked.about("web1", None).await.unwrap().port, Some(8));
        assert_eq!(asked.calls(), 6, "there is nothing to ask");
    }

    #[tokio::test]
    async fn a_name_never_is_an_option() {
        let asked = Asked::new("exec ssh \"$@\"", LONG);
        let proof = asked.directory.path().join("proof");
        asked.write("config", "Match exec true\n Port 7\n");
        for host in [format!("-oLocalCommand=touch {}", proof.display()), format!("-E{}", proof.display())] {
            let failure = asked.about(&host, None).await.unwrap_err();
            assert!(failure.reason.contains("invalid characters"), "{}", failure.reason);
        }
        assert!(!proof.exists());
    }

    #[tokio::test]
    async fn an_ssh_that_does_not_answer_or_is_not_there_is_named() {
        let silent = Asked::new("exec sleep 1000", Duration::from_millis(200));
        let config = silent.write("config", "User anna\nMatch exec true\n Port 7\n");
        let failure = silent.about("web1", None).await.unwrap_err();
        let why =
            format!("{}:2: Match exec is for ssh to decide, and ssh -G does not answer within 0.2 s", config.display());
        assert_eq!(failure.reason, why);

        let mut missing = Asked::new("", LONG);
        missing.write("config", "Match exec true\n Port 7\n");
        missing.resolver.oracle.program = "/nonexistent/ssh".into();
        let failure = missing.about("web1", None).await.unwrap_err();
        assert!(failure.reason.ends_with("there is no ssh on this machine to be asked"), "{}", failure.reason);
        assert!(failure.hint.unwrap().contains("install the OpenSSH client"));

        let angry = Asked::new("echo 'Bad configuration option: foo' >&2; exit 255", LONG);
        angry.write("config", "Match exec true\n Port 7\n");
        let failure = angry.about("web1", None).await.unwrap_err();
        assert!(
            failure.reason.ends_with("ssh -G web1 ended (status 255): Bad configuration option: foo"),
            "{}",
            failure.reason
        );
    }
}
