//! `ssh -G`: what ssh itself makes of the configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::setter::Setter;
use super::{Files, Request, Settings};
use crate::host::ExitStatus;
use crate::host::ssh::account::Account;
use crate::host::ssh::failure::{Failure, printable, seconds};
use crate::host::ssh::tool::{self, NoReply, Reply};

/// How long ssh may take; a `Match exec` runs a program, a canonical name asks name servers.
const LIMIT: Duration = Duration::from_secs(10);

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
    let mut command = tool::command(&oracle.program);
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
    command.envs(agent.map(|socket| ("SSH_AUTH_SOCK", socket)));
    match tool::ask(command, b"", oracle.limit).await {
        Ok(Reply { status: ExitStatus::Code(0), output, .. }) => Ok(output),
        Ok(Reply { status, errors, .. }) => {
            let errors = printable(errors.trim(), 500);
            Err(Failure::new(format!("ssh -G {} ended ({status}): {errors}", request.host)))
        }
        Err(NoReply::Missing) => Err(Failure::new("there is no ssh on this machine to be asked")
            .hint("install the OpenSSH client, or leave that line out of the ssh configuration")),
        Err(NoReply::Failed(error)) => Err(Failure::new(format!("ssh -G cannot be run: {error}"))),
        Err(NoReply::Late) => Err(Failure::new(format!("ssh -G does not answer within {}", seconds(oracle.limit)))
            .hint("a program in a Match exec may be stuck, or a name server")),
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
