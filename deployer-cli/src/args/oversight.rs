//! Flags about who may do what, what is written down of it, and the verbs that go with them.

use std::path::PathBuf;

use clap::Args;
use deployerd::socket::TEAM_GROUP;

/// Who may use a daemon, and what it writes down.
#[derive(Debug, Args)]
pub(crate) struct OversightFlags {
    /// Listen for a team, at /run/deployer/NAME.sock; a policy says who may do what
    #[arg(long, value_name = "NAME")]
    pub(crate) team: Option<String>,

    /// Group whose members reach the team's socket
    #[arg(long, value_name = "GROUP", default_value = TEAM_GROUP, requires = "team")]
    pub(crate) team_group: String,

    /// Policy of the team [default: /etc/deployer/policy.toml]
    #[arg(long, value_name = "FILE", requires = "team")]
    pub(crate) policy: Option<PathBuf>,

    /// Keep the journal below this directory [default: ~/.local/state/deployer/journal, /var/log/deployer/journal for a team]
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,

    /// What happens when the journal cannot be written: no action may begin, or work goes on and what is missing is counted
    #[arg(long, value_name = "POLICY", value_enum, default_value_t)]
    pub(crate) journal_policy: Unwritten,

    /// Record what sessions with a terminal show; replay plays it
    #[arg(long)]
    pub(crate) record: bool,

    /// Keep recordings below this directory [default: ~/.local/state/deployer/recordings, /var/log/deployer/recordings for a team]
    #[arg(long, value_name = "DIR", requires = "record")]
    pub(crate) recordings: Option<PathBuf>,

    /// End a recording at this size
    #[arg(long, value_name = "MIB", default_value_t = 256, requires = "record", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) record_limit: u64,
}

impl OversightFlags {
    /// Those of a daemon that nobody gave any.
    pub(crate) fn personal() -> OversightFlags {
        OversightFlags {
            team: None,
            team_group: TEAM_GROUP.to_string(),
            policy: None,
            journal: None,
            journal_policy: Unwritten::BestEffort,
            record: false,
            recordings: None,
            record_limit: 1,
        }
    }
}

/// What happens when the journal cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Unwritten {
    /// No action may begin.
    Strict,
    /// Work goes on; missing lines are counted.
    #[default]
    BestEffort,
}

/// `deployer share`.
#[derive(Debug, Args)]
pub(crate) struct Share {
    /// Name of the session, as list-sessions shows it
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,

    /// Login name or user id
    #[arg(value_name = "USER")]
    pub(crate) user: String,

    /// Not any longer
    #[arg(long)]
    pub(crate) stop: bool,

    /// Where its daemon listens: a path, or the number of a socket [default: the daemon that has it]
    #[arg(long, value_name = "SOCKET", env = "DEPLOYER_SOCKET")]
    pub(crate) socket: Option<String>,
}

/// `deployer hand-over`.
#[derive(Debug, Args)]
pub(crate) struct HandOver {
    /// Name of the session, as list-sessions shows it
    #[arg(value_name = "SESSION")]
    pub(crate) session: String,

    /// Login name or user id of the new owner
    #[arg(value_name = "USER")]
    pub(crate) user: String,

    /// Where its daemon listens: a path, or the number of a socket [default: the daemon that has it]
    #[arg(long, value_name = "SOCKET", env = "DEPLOYER_SOCKET")]
    pub(crate) socket: Option<String>,
}

/// `deployer replay`.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The recording: an asciicast of version 2
    #[arg(value_name = "FILE")]
    pub(crate) recording: PathBuf,

    /// How many times as fast as it was
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    pub(crate) speed: f64,

    /// Show no stillness longer than this; 0 shows all of it
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub(crate) idle_time_limit: f64,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.0..=1e6).contains(&seconds) => Ok(seconds),
        _ => Err("a number from 0 to 1000000 is needed".to_string()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 10000 is needed".to_string()),
    }
}
