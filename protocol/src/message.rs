//! The messages. Wire types only; the daemon and the client have types of their own.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::version::Hello;

/// Size and kind of the terminal of a client, and what its user wants of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTerminal {
    /// Lines.
    pub rows: u16,
    /// Columns.
    pub cols: u16,
    /// TERM of the client.
    pub term: String,
    /// Whether its user wants colours (`--color`, `NO_COLOR`, `TERM`).
    pub colour: bool,
}

/// A wish for a new session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Its name; the daemon chooses one when absent.
    pub name: Option<String>,
    /// Node to start at, one name per step (`--path`).
    pub path: Vec<String>,
    /// An action with its parameters instead of the shell.
    pub action: Option<Vec<String>>,
    /// The client's terminal; absent when it has none (cron): output then comes as `Stdout` and `Stderr`.
    pub terminal: Option<OpenTerminal>,
    /// Whether questions may be asked (`--non-interactive` says no).
    pub interactive: bool,
}

/// A wish to join a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// Its name.
    pub name: String,
    /// Without a keyboard.
    pub watch: bool,
    /// The client's terminal.
    pub terminal: OpenTerminal,
}

/// A wish to attach to something by name: the ticket of a window, a session whose log is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The ticket or the name.
    pub name: String,
    /// The client's terminal.
    pub terminal: OpenTerminal,
}

/// A wish of the daemon for a window of the operator's terminal. The client decides how, and what runs in it: itself,
/// with the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWindow {
    /// What the new client claims its place with, once: 32 hexadecimal digits.
    pub ticket: String,
    /// What the window is for, for people.
    pub title: String,
    /// Whether the operator goes on there.
    pub focus: bool,
}

/// A session as `list-sessions` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Its name.
    pub name: String,
    /// Who opened it.
    pub owner: String,
    /// When, in milliseconds since 1970 UTC.
    pub created_ms: u64,
    /// Who is attached, `user` or `user (watching)`.
    pub clients: Vec<String>,
    /// Dotted path of the node where its shell stands.
    pub node: String,
    /// What it does.
    pub state: SessionState,
}

/// What a session does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionState {
    /// Its shell waits for a command.
    Idle,
    /// It runs this action.
    Running {
        /// Dotted path and name.
        action: String,
        /// Since when, in milliseconds since 1970 UTC.
        since_ms: u64,
    },
}

/// Kinds of refusal, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The peer broke the protocol or speaks another version.
    Protocol,
    /// No such session, or a name that is taken.
    Session,
    /// Not permitted.
    Permission,
    /// The deployment file cannot be used.
    Deployment,
    /// The daemon cannot do it now: limits, stopping.
    Unavailable,
}

/// Everything about a daemon that `list-sessions` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonInfo {
    /// Process id.
    pub pid: u32,
    /// When it started, in milliseconds since 1970 UTC.
    pub started_ms: u64,
    /// The deployment file.
    pub tree: String,
    /// Whether it serves one `run` and ends with it; `connect` does not choose it by itself.
    pub private: bool,
    /// Its sessions, oldest first.
    pub sessions: Vec<SessionInfo>,
}

/// What can follow the path of a node on a command line: answer to [`FromClient::Names`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeNames {
    /// Child nodes.
    pub nodes: Vec<String>,
    /// Its cells, as `:slug`.
    pub cells: Vec<String>,
    /// Actions.
    pub actions: Vec<String>,
}

/// Who has to do with a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPeople {
    /// Name of the session.
    pub session: String,
    /// Whose it is.
    pub owner: String,
    /// User id of the owner.
    pub owner_uid: u32,
    /// Users that the owner shares the keyboard with.
    pub shared: Vec<String>,
    /// Its clients, in the order in which they came.
    pub clients: Vec<ClientInfo>,
}

/// One client of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Login name.
    pub user: String,
    /// User id.
    pub uid: u32,
    /// What the user may do in the daemon: `viewer`, `operator`, `admin`; empty when nothing any more.
    pub rank: String,
    /// Without a keyboard.
    pub watch: bool,
}

/// A wish to let somebody type in a session, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Name of the session.
    pub session: String,
    /// Login name, or user id in digits.
    pub user: String,
    /// Whether they may from now on.
    pub on: bool,
}

macro_rules! messages {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $number:literal => $variant:ident($body:ty),)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$vdoc])* $variant($body),)*
            /// A number that this version does not know; survivable.
            Unknown(u16),
        }

        impl $name {
            /// The numbers of all messages that this version knows.
            pub const NUMBERS: &'static [u16] = &[$($number),*];

            /// The number on the wire; never reused.
            pub fn number(&self) -> u16 {
                match self {
                    $($name::$variant(_) => $number,)*
                    $name::Unknown(number) => *number,
                }
            }

            pub(crate) fn encode_body(&self, out: &mut bytes::BytesMut) -> Result<(), crate::FrameError> {
                match self {
                    $($name::$variant(body) => crate::body::encode(body, out),)*
                    $name::Unknown(_) => Ok(()),
                }
            }

            pub(crate) fn decode_body(number: u16, bytes: &[u8]) -> Result<$name, crate::FrameError> {
                match number {
                    $($number => crate::body::decode(number, bytes).map($name::$variant),)*
                    _ => Ok($name::Unknown(number)),
                }
            }
        }
    };
}

messages! {
    /// From client to daemon.
    FromClient {
        /// First message.
        1 => Hello(Hello),
        /// Open a session and attach to it.
        2 => Open(Open),
        /// Attach to a session that exists.
        3 => Join(Join),
        /// Keys, or standard input when there is no terminal.
        4 => Input(Bytes),
        /// Standard input has ended.
        5 => EndOfInput(()),
        /// The terminal has a new size: rows, columns.
        6 => Resize((u16, u16)),
        /// Leave the session; it goes on.
        7 => Detach(()),
        /// Ask for [`FromDaemon::Info`].
        8 => List(()),
        /// End this session and what it runs.
        9 => Kill(String),
        /// Ctrl-C of a client without a terminal.
        10 => Interrupt(()),
        /// An option for the next session that this connection opens: its name and value. Refused, when wrong, with
        /// the `Open`.
        30 => SetOption((String, String)),
        /// Whether this client can open windows of its operator's terminal; said before it attaches.
        31 => OpensWindows(bool),
        /// Attach to what this ticket of [`FromDaemon::OpenWindow`] is for.
        32 => Claim(Claim),
        /// The window for this ticket cannot be opened: the ticket, and why.
        33 => WindowRefused((String, String)),
        /// Attach to the log of a session, live.
        34 => Monitor(Claim),
        /// Ask for [`FromDaemon::People`].
        40 => People(()),
        /// Let somebody type in a session of one's own, or no longer.
        41 => Share(Share),
        /// Give a session of one's own to somebody: its name, and a login name or user id.
        42 => HandOver((String, String)),
        /// Ask what is below the node that these steps lead to from the root, for the completion of command lines.
        60 => Names(Vec<String>),
    }
}

messages! {
    /// From daemon to client.
    FromDaemon {
        /// First message.
        1 => Hello(Hello),
        /// The session the client is now attached to: its name.
        2 => Attached(String),
        /// Bytes for the terminal.
        3 => Output(Bytes),
        /// Standard output, when the client has no terminal.
        4 => Stdout(Bytes),
        /// Standard error, when the client has no terminal.
        5 => Stderr(Bytes),
        /// The session has ended with this exit status.
        6 => Finished(i32),
        /// The client is no longer attached, and why; the session goes on.
        7 => Detached(String),
        /// A refusal; one sentence with a remedy.
        8 => Error((ErrorKind, String)),
        /// Answer to [`FromClient::List`].
        9 => Info(DaemonInfo),
        /// [`FromClient::Kill`] was done: the name.
        10 => Killed(String),
        /// Open a window; answered by a new client with [`FromClient::Claim`], or by [`FromClient::WindowRefused`].
        30 => OpenWindow(OpenWindow),
        /// The key that detaches from this session, 0 to 31; 255 for none. A key that the client chose itself wins.
        31 => DetachKey(u8),
        /// Answer to [`FromClient::People`], sessions oldest first.
        40 => People(Vec<SessionPeople>),
        /// [`FromClient::Share`] or [`FromClient::HandOver`] was done: a sentence.
        41 => Given(String),
        /// Answer to [`FromClient::Names`]; empty where the steps lead nowhere.
        60 => Names(NodeNames),
    }
}
