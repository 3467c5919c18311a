//! Hosts behind a command: containers, namespaces, chroots, whatever takes a command line and runs it elsewhere.
//!
//! The smallest real kind of host, and an example for others: it is made by a [`HostFactory`] like those of a program,
//! and runs its commands with the local host. Its files are in `files`, by scripts that it runs (`script`)
//! in a few shells (`shells`).

mod files;
mod open_file;
mod script;
mod shells;

use std::sync::Arc;

use async_trait::async_trait;

use self::files::CommandFiles;
use self::script::Scripts;
use super::files::FileSystem;
use super::local::LocalHost;
use super::{Host, HostError, Process, Reach, Spawn, SpawnMode};
use crate::node::{HostDef, HostFactory, HostSettings};
use crate::text::shell_word;
use crate::value::Value;

/// The command that is put before every command line, as words; what it runs gets pipes.
const WRAPPER: &str = "wrapper";
/// The same for runs in a terminal, where that needs other words (`docker exec -it`); `wrapper` when not set.
const TERMINAL_WRAPPER: &str = "terminal_wrapper";
/// Whether the wrapper takes the command as one line for a shell over there, as `ssh` and `su -c` do, not as words.
const TAKES_LINE: &str = "takes_line";

/// Makes [`CommandHost`]s from definitions (`CommandHost { slug = "box", wrapper = { "docker", "exec", "-i", "box" } }`).
#[derive(Debug)]
pub struct CommandHosts;

/// A host whose commands are run by a wrapper on the machine that deployer runs on: `docker exec -i box /bin/sh -c ...`,
/// `nsenter`, `chroot` (row F-02). `ssh` and `su -c` hand one line to a shell on the other side and do not keep words
/// apart: `takes_line` quotes the command once more for that shell.
///
/// Environment and directory at the start are what the wrapper makes of deployer's own. A command is ended by signals to
/// the wrapper and all it has started here; what runs elsewhere must end with it (`docker exec` leaves it running).
#[derive(Clone, Debug)]
pub struct CommandHost {
    local: Arc<LocalHost>,
}

impl HostFactory for CommandHosts {
    fn host(&self, definition: &HostDef) -> Arc<dyn Host> {
        Arc::new(CommandHost { local: Arc::new(LocalHost::new(definition.clone())) })
    }

    fn check(&self, settings: &HostSettings) -> Result<(), String> {
        for (name, _) in &settings.extra {
            if ![WRAPPER, TERMINAL_WRAPPER, TAKES_LINE].contains(&name.as_str()) {
                return Err(format!(
                    "a CommandHost has no setting '{name}'; beside those of every host it has wrapper, terminal_wrapper \
                     and takes_line"
                ));
            }
        }
        takes_line(settings)?;
        words(settings, WRAPPER)?
            .ok_or("a CommandHost needs a wrapper: the command to put before each command, as a list of words")?;
        words(settings, TERMINAL_WRAPPER).map(drop)
    }
}

/// A wrapper as the shell of this machine reads it.
fn words(settings: &HostSettings, name: &str) -> Result<Option<String>, String> {
    // What was said last counts: a host may be made from another one.
    let Some((_, value)) = settings.extra.iter().rev().find(|(key, _)| key == name) else { return Ok(None) };
    let wrong = || format!("{name} must be a list of words, as in {{ \"docker\", \"exec\", \"-i\", \"box\" }}");
    let Value::List(list) = value else { return Err(wrong()) };
    let word = |value: &Value| match value.as_bytes().map(std::str::from_utf8) {
        Some(Ok(word)) if !word.contains('\0') => Ok(shell_word(word)),
        _ => Err(wrong()),
    };
    let words = list.iter().map(word).collect::<Result<Vec<_>, _>>()?;
    if words.is_empty() { Err(wrong()) } else { Ok(Some(words.join(" "))) }
}

fn takes_line(settings: &HostSettings) -> Result<bool, String> {
    match settings.extra.iter().rev().find(|(key, _)| key == TAKES_LINE) {
        None => Ok(false),
        Some((_, Value::Bool(takes))) => Ok(*takes),
        Some(_) => Err(format!("{TAKES_LINE} must be true or false")),
    }
}

impl CommandHost {
    fn line(&self, spawn: &Spawn) -> Result<String, HostError> {
        let settings = self.definition().settings();
        let refused = |reason| self.local.refused(reason);
        CommandHosts.check(settings).map_err(refused)?;
        let terminal = match spawn.mode {
            SpawnMode::Pty { .. } => words(settings, TERMINAL_WRAPPER).map_err(refused)?,
            SpawnMode::Piped => None,
        };
        let wrapper = match terminal {
            Some(wrapper) => wrapper,
            None => words(settings, WRAPPER).map_err(refused)?.unwrap_or_default(),
        };
        let shell = match &spawn.line {
            Some(line) => format!("/bin/sh -c {}", shell_word(line)),
            None => "/bin/sh -l".to_string(),
        };
        Ok(match takes_line(settings).map_err(refused)? {
            true => format!("exec {wrapper} {}", shell_word(&format!("exec {shell}"))),
            false => format!("exec {wrapper} {shell}"),
        })
    }
}

#[async_trait]
impl Host for CommandHost {
    fn definition(&self) -> &HostDef {
        self.local.definition()
    }

    async fn start_path(&self, reach: &Reach) -> Result<String, HostError> {
        let refused = |reason| self.local.refused(reason);
        let scripts = Scripts::new(Arc::new(self.clone()), reach.clone());
        let output =
            scripts.output("pwd").await.map_err(|fault| refused(format!("asked for its directory: {fault}")))?;
        let path = String::from_utf8_lossy(&output).trim_end_matches('\n').to_string();
        let good = path.starts_with('/') && !path.contains('\n');
        good.then_some(path).ok_or_else(|| refused("its pwd prints no directory".to_string()))
    }

    async fn spawn(&self, spawn: Spawn, reach: &Reach) -> Result<Process, HostError> {
        let line = Some(self.line(&spawn)?);
        self.local.spawn(Spawn { line, ..spawn }, reach).await
    }

    async fn files(&self, reach: &Reach) -> Result<Arc<dyn FileSystem>, HostError> {
        Ok(Arc::new(CommandFiles(Scripts::new(Arc::new(self.clone()), reach.clone()))))
    }
}

#[cfg(test)]
mod tests;
