//! The command line as data: what can be asked for, and nothing of how it is done.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use deployer_core::options::Settings;

mod oversight;
mod place;
mod serving;

pub(crate) use oversight::{HandOver, OversightFlags, Replay, Share, Unwritten};
pub(crate) use place::{Keys, Place, Steps};
use serving::setting;
pub(crate) use serving::{Serving, merged};

use crate::color::When;
use crate::completion::Shell;

/// Exit statuses, for the help.
pub(crate) const STATUSES: &str = "\
Exit status: 0 all went well; 1 a command failed; 2 wrong use or an unusable deployment file, nothing was run; \
3 a host could not be reached; 5 the daemon cannot be reached; 6 not permitted; 7 the outcome is unknown on some host; \
130 interrupted, 128+N ended by signal N.";

/// Where the deployment file comes from, for the help.
const FILES: &str = "\
The deployment file is the one given by -f, else $DEPLOYER_FILE, else ./deploy.lua, else /etc/deployer/deploy.lua.";

/// Remote execution: walk a tree of nodes and run their actions, on one host or on all of them in parallel.
#[derive(Debug, Parser)]
#[command(name = "deployer", version, after_help = format!("{STATUSES}\n\n{FILES}"), max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Deployment file
    #[arg(short = 'f', long = "file", value_name = "FILE", global = true)]
    pub(crate) file: Option<PathBuf>,

    /// When to use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true, hide_possible_values = false)]
    pub(crate) color: When,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs; one file each under `commands/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open a shell, or run one action, with a daemon of its own that ends with its last client
    Run(Run),
    /// Serve sessions from here until stopped
    Listen(Listen),
    /// Serve sessions to telnet clients of this machine, and to `connect`, until stopped
    TelnetServer(TelnetServer),
    /// Open a session on a running daemon, or join one
    Connect(Connect),
    /// Show the running daemons and their sessions
    ListSessions(ListSessions),
    /// Open the file shell on a host of the root node: the same as run -s --scp
    Scp,
    /// Look for mistakes in the deployment file; no host is contacted
    Check(Check),
    /// Print the annotations that let an editor complete and check deployment files (LuaLS)
    Types,
    /// End a session and what it runs
    KillSession(KillSession),
    /// Let somebody type in a session of yours, or no longer
    Share(Share),
    /// Give a session of yours to somebody
    HandOver(HandOver),
    /// Play the recording of a session: space stops and goes on, q ends
    Replay(Replay),
    /// Print what bash, zsh or fish has to read so that Tab completes nodes and actions too
    #[command(
        after_help = "bash: source <(deployer completions bash)      in ~/.bashrc\nzsh:  source <(deployer completions zsh)       in ~/.zshrc\nfish: deployer completions fish | source        in ~/.config/fish/config.fish"
    )]
    Completions(Completions),
    /// Print the manual page, or write all of them to a directory
    Man(ManPages),
    /// The daemon of `run`.
    #[command(hide = true)]
    PrivateDaemon(PrivateDaemon),
}

/// `deployer run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Run in this process, one host after the other, without a daemon
    #[arg(short = 's', long, conflicts_with = "socket")]
    pub(crate) single_threaded: bool,

    /// Use the daemon that listens there instead of starting one: a path, or the number of a socket
    #[arg(long, value_name = "SOCKET", conflicts_with_all = ["log", "parallel", "file"])]
    pub(crate) socket: Option<String>,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) serving: Serving,

    #[command(flatten)]
    pub(crate) keys: Keys,
}

/// `deployer listen`.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Where to listen: a path, or the number of a socket [default: the first free number]
    #[arg(long, value_name = "SOCKET", conflicts_with = "team")]
    pub(crate) socket: Option<String>,

    #[command(flatten)]
    pub(crate) oversight: OversightFlags,

    /// Choose defaults and stop at failures instead of asking, in every session
    #[arg(long)]
    pub(crate) non_interactive: bool,

    /// When told to stop (SIGTERM, Ctrl-C): how long running actions may go on before they are ended
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) drain: u64,

    #[command(flatten)]
    pub(crate) serving: Serving,
}

/// `deployer telnet-server`.
#[derive(Debug, Args)]
pub(crate) struct TelnetServer {
    /// Port of the telnet clients; 0 takes any free one
    #[arg(long, value_name = "PORT", default_value_t = TELNET_PORT)]
    pub(crate) port: u16,

    /// Address of the telnet clients; there is no login yet, so only a loopback address is possible
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", value_parser = address)]
    pub(crate) bind: IpAddr,

    #[command(flatten)]
    pub(crate) listen: Listen,
}

/// Where telnet clients come in by default: 23 is root's (row P-24).
const TELNET_PORT: u16 = 8023;

fn address(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        _ => text.parse().map_err(|_| "an IP address such as 127.0.0.1 or ::1 is needed".to_string()),
    }
}

/// `deployer connect`.
#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// Where the daemon listens: a path, or the number of a socket [default: the only daemon there is]
    #[arg(long, value_name = "SOCKET", env = "DEPLOYER_SOCKET")]
    pub(crate) socket: Option<String>,

    /// Join this session instead of opening one
    #[arg(long, value_name = "NAME", conflicts_with_all = ["path", "action", "non_interactive", "scp"])]
    pub(crate) session: Option<String>,

    /// Show the log of this session as it grows, until a key is pressed
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["session", "path", "action", "non_interactive", "options"])]
    pub(crate) monitor: Option<String>,

    /// What a window that this program opened is for
    #[arg(long, value_name = "TICKET", hide = true, conflicts_with_all = ["session", "monitor", "path", "action", "non_interactive", "options"])]
    pub(crate) ticket: Option<String>,

    /// Watch the session, without a keyboard
    #[arg(long, requires = "session")]
    pub(crate) watch: bool,

    /// Give an option of the new session a value; show-options in the shell lists them (may be repeated)
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = setting, conflicts_with = "session")]
    pub(crate) options: Vec<Settings>,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) keys: Keys,
}

/// `deployer list-sessions`.
#[derive(Debug, Args)]
pub(crate) struct ListSessions {
    /// One JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// `deployer check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// One JSON object instead of a line per finding
    #[arg(long)]
    pub(crate) json: bool,
}

/// `deployer kill-session`.
#[derive(Debug, Args)]
pub(crate) struct KillSession {
    /// Name of the session, as list-sessions shows it
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Where its daemon listens: a path, or the number of a socket [default: the daemon that has it]
    #[arg(long, value_name = "SOCKET", env = "DEPLOYER_SOCKET")]
    pub(crate) socket: Option<String>,
}

/// `deployer completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

/// `deployer man`.
#[derive(Debug, Args)]
pub(crate) struct ManPages {
    /// Write deployer.1 and a page for each command here
    #[arg(value_name = "DIRECTORY", value_hint = clap::ValueHint::DirPath)]
    pub(crate) directory: Option<PathBuf>,
}

/// The hidden other half of `deployer run`.
#[derive(Debug, Args)]
pub(crate) struct PrivateDaemon {
    /// As for `run`.
    #[arg(long)]
    pub(crate) non_interactive: bool,

    #[command(flatten)]
    pub(crate) serving: Serving,
}

#[cfg(test)]
mod tests;
