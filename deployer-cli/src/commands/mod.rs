//! One file per verb; each does what was asked and returns the exit status.

mod check;
mod completions;
mod connect;
mod kill_session;
mod list_sessions;
mod listen;
mod man;
mod private_daemon;
mod replay;
mod run;
mod share;
mod telnet_server;
mod types;

use std::path::PathBuf;
use std::sync::Arc;

use deployer_core::host::HostServices;
use deployer_core::host::ssh::SshOptions;
use deployer_core::shell::Tree;

use crate::Source;
use crate::args::{Cli, Command};
use crate::color::When;
use crate::failure::Failure;
use crate::file;
use crate::tree::{Checked, FileTree};

/// What every verb may need.
pub(crate) struct Program {
    /// Where the tree comes from.
    source: Source,
    /// `-f`.
    file: Option<PathBuf>,
    /// `--color`.
    color: When,
}

/// Does what the command line asks.
///
/// # Errors
/// Whatever kept it from being done.
pub(crate) fn dispatch(source: Source, cli: Cli) -> Result<u8, Failure> {
    let program = Program { source, file: cli.file, color: cli.color };
    let needs_file = matches!(
        cli.command,
        Command::Run(_)
            | Command::Scp
            | Command::Listen(_)
            | Command::TelnetServer(_)
            | Command::Check(_)
            | Command::PrivateDaemon(_)
    );
    if program.file.is_some() && !needs_file {
        return Err(Failure::usage(
            "-f is for run, scp, listen, telnet-server and check; a daemon that runs has its own deployment file",
        ));
    }
    match cli.command {
        Command::Run(run) => run::run(&program, &run),
        Command::Scp => run::files(&program),
        Command::Listen(listen) => listen::listen(&program, &listen, None),
        Command::TelnetServer(server) => telnet_server::telnet_server(&program, &server),
        Command::Connect(connect) => connect::connect(&program, &connect),
        Command::Types => types::types(),
        Command::Completions(wish) => completions::completions(&program, &wish),
        Command::Man(wish) => man::man(&program, &wish),
        Command::Check(check) => check::check(&program, &check),
        Command::ListSessions(list) => list_sessions::list_sessions(&program, &list),
        Command::KillSession(kill) => kill_session::kill_session(&kill),
        Command::Share(share) => share::share(&share),
        Command::HandOver(given) => share::hand_over(&given),
        Command::Replay(replay) => replay::replay(&replay),
        Command::PrivateDaemon(daemon) => private_daemon::private_daemon(&program, &daemon),
    }
}

impl Program {
    /// What the user called: the name of the binary.
    fn name(&self) -> String {
        let own = |path: PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        match self.source {
            Source::File => "deployer".to_string(),
            Source::Tree(_) => std::env::current_exe().ok().and_then(own).unwrap_or_else(|| "deployer".to_string()),
        }
    }

    /// The deployment file, for a program that has no tree of its own.
    fn deployment_file(&self) -> Result<Option<PathBuf>, Failure> {
        match (&self.source, &self.file) {
            (Source::File, flag) => file::find(flag.as_deref()).map(Some),
            (Source::Tree(_), None) => Ok(None),
            (Source::Tree(tree), Some(_)) => Err(Failure::usage(format!(
                "-f is not for this program, it brings a tree of its own ({})",
                tree.origin()
            ))),
        }
    }

    /// The tree for somebody who uses it now: loaded once to see that it can be, and not a second time for its user.
    fn tree(&self) -> Result<Arc<dyn Tree>, Failure> {
        match Checked::new(self.unchecked_tree()?) {
            Ok(tree) => Ok(Arc::new(tree)),
            Err(error) => Err(Failure::usage(error.to_string())),
        }
    }

    /// The tree for those who come later: it can be loaded now, and each of them gets it as it is by then.
    fn tree_for_later(&self) -> Result<Arc<dyn Tree>, Failure> {
        let tree = self.unchecked_tree()?;
        match tree.load() {
            Ok(_) => Ok(tree),
            Err(error) => Err(Failure::usage(error.to_string())),
        }
    }

    fn unchecked_tree(&self) -> Result<Arc<dyn Tree>, Failure> {
        match (self.deployment_file()?, &self.source) {
            (_, Source::Tree(tree)) => Ok(tree.clone()),
            (Some(file), Source::File) => Ok(Arc::new(FileTree::new(file))),
            (None, Source::File) => Err(Failure::usage("no deployment file; name one with -f")),
        }
    }
}

/// The socket of the daemon that `--socket`, or its absence, means.
///
/// # Errors
/// When there is none, or there are several.
pub(crate) async fn daemon(given: Option<&str>) -> Result<PathBuf, Failure> {
    connect::find(given, None).await
}

/// Connections with the identity of this process: its agent, its home.
fn services() -> Arc<HostServices> {
    let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|value| !value.is_empty()).map(PathBuf::from);
    HostServices::new(SshOptions { agent, home: None })
}

/// The path that `--socket` means.
fn socket(value: &str) -> Result<PathBuf, Failure> {
    deployerd::socket::resolve(value).map_err(|error| Failure::usage(error.to_string()))
}

/// Says a line on standard error; when nobody hears it, that is nobody's trouble.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    // In one piece, so that no line of the log comes in between.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Prints data. A reader that has seen enough is no error.
///
/// # Errors
/// When standard output cannot be written.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut stdout = std::io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::other(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
