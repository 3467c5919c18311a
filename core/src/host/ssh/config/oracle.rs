//! `ssh -G`: what ssh itself makes of the configuration.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::setter::Setter;
use super::{Files, Request, Settings};
use crate::host::local::{Piped, environment, piped};
use crate::host::ssh::account::Account;
use crate::host::ssh::failure::{Failure, printable, seconds};
use crate::host::{ExitStatus, Signal};

/// How long ssh may take; a `Match exec` runs a program, a canonical name asks name servers.
const LIMIT: Duration = Duration::from_secs(10);
/// How much it may print; 5 KiB are usual.
const MAX_OUTPUT: u64 = 256 * 1024;
const MAX_ERRORS: u64 = 4096;

/// Who is asked, and how long it may take.
#[derive(Clone, Debug)]
pub(super) struct Oracle {
    pub(super) program: PathBuf,
    pub(super) limit: Duration,
}

impl Default for Oracle {
    fn default() -> Oracle {
        Oracle { program: "ssh".into(), limit: LIMIT }
    }
}

impl Oracle {
    /// Asks ssh about a host: once with the files and once without any, to know which values are its own.
    ///
    /// # Errors
    /// There is no ssh, it does not answer in time, or it does not like the configuration.
    pub(super) async fn ask(
        &self,
        request: &Request,
        account: &Account,
        agent: Option<&Path>,
    ) -> Result<Settings, Failure> {
        let file = file(&request.files, account);
        let nothing = Some(PathBuf::from("/dev/null"));
        let (output, defaults) = tokio::try_join!(run(self, request, file, agent), run(self, request, nothing, agent))?;
        settings(&output, &defaults)
    }
}

async fn run(
    oracle: &Oracle,
    request: &Request,
    file: Option<PathBuf>,
    agent: Option<&Path>,
) -> Result<String, Failure> {
    let mut command = Command::new(&oracle.program);
    command.arg("-G");
    if let Some(file) = file {
        command.arg("-F").arg(file);
    }
    if let Some(user) = &request.user {
        command.arg("-l").arg(user);
    }
    if let Some(port) = request.port {
        command.arg("-p").arg(port.to_string());
    }
    // What follows is no option, whatever it looks like.
    command.arg("--").arg(&request.host);
    command.env_clear().envs(environment()).env_remove("SSH_AUTH_SOCK");
    command.envs(agent.map(|socket| ("SSH_AUTH_SOCK", socket)));
    let started = tokio::task::spawn_blocking(move || piped(command)).await.map_err(io::Error::other);
    let started = match started.and_then(|started| started) {
        Ok(started) => started,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::new("there is no ssh on this machine to be asked")
                .hint("install the OpenSSH client, or leave that line out of the ssh configuration"));
        }
        Err(error) => return Err(Failure::new(format!("ssh -G cannot be started: {error}"))),
    };
    match finish(started, oracle.limit).await? {
        (ExitStatus::Code(0), output, _) => Ok(output),
        (status, _, errors) => {
            let errors = printable(errors.trim(), 500);
            Err(Failure::new(format!("ssh -G {} ended ({status}): {errors}", request.host)))
        }
    }
}

/// The file to name. The user's own files are found by ssh, by the passwd file; a home directory that was set otherwise
/// has to be named.
fn file(files: &Files, account: &Account) -> Option<PathBuf> {
    match files {
        Files::Only(file) => Some(file.clone()),
        Files::Default { user, .. } => {
            let usual = Account::of_process().home == account.home;
            user.clone().filter(|file| !usual && file.exists())
        }
    }
}

async fn finish(started: Piped, limit: Duration) -> Result<(ExitStatus, String, String), Failure> {
    let Piped { mut child, stdin, stdout, stderr } = started;
    drop(stdin);
    let all = async {
        let (output, errors) = tokio::join!(bounded(stdout, MAX_OUTPUT), bounded(stderr, MAX_ERRORS));
        (child.wait().await, output, errors)
    };
    match timeout(limit, all).await {
        Ok((status, Ok(output), Ok(errors))) => Ok((status, output, errors)),
        Ok((_, Err(error), _) | (_, _, Err(error))) => Err(Failure::new(format!("ssh -G cannot be read: {error}"))),
        Err(_) => {
            child.signal(Signal::Kill);
            child.wait().await;
            Err(Failure::new(format!("ssh -G does not answer within {}", seconds(limit)))
                .hint("a program in a Match exec may be stuck, or a name server"))
        }
    }
}

/// Reads to the end and keeps the beginning.
async fn bounded(mut pipe: impl AsyncRead + Unpin, limit: u64) -> io::Result<String> {
    let mut kept = Vec::new();
    (&mut pipe).take(limit).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

/// Reads what ssh prints: every setting, also those nobody has set. What it prints without any file as well counts as not
/// set, so that our own defaults stay what they are.
fn settings(output: &str, defaults: &str) -> Result<Settings, Failure> {
    let defaults = by_keyword(defaults);
    let mut setter = Setter::default();
    for (keyword, values) in by_keyword(output) {
        if defaults.get(keyword) == Some(&values) {
            continue;
        }
        for value in values {
            setter
                .printed(keyword, value)
                .map_err(|why| Failure::new(format!("ssh -G prints {keyword} {}: {why}", printable(value, 200))))?;
        }
    }
    Ok(setter.settings)
}

fn by_keyword(output: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut settings: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (keyword, value) in output.lines().filter_map(|line| line.split_once(' ')) {
        settings.entry(keyword).or_default().push(value);
    }
    settings
}
