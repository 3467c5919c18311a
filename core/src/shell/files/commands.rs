//! The table of commands of the file shell.

/// A command.
pub(super) struct Command {
    pub(super) name: &'static str,
    /// What must follow it, for help.
    usage: &'static str,
    summary: &'static str,
    pub(super) side: Side,
    pub(super) deed: Deed,
    /// What Tab offers behind it.
    pub(super) names: Names,
    /// How many words it takes.
    least: usize,
    most: usize,
}

/// Where it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Local,
    Remote,
}

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Enter,
    Where,
    List,
    Stat,
    View,
    Edit,
    Connect,
    Put,
    Get,
    Clear,
    Help,
    Leave,
}

/// Names that make sense behind a command (row O-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    None,
    Files,
    Directories,
    All,
}

const MANY: usize = usize::MAX;

const fn command(
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    side: Side,
    deed: Deed,
    names: Names,
    (least, most): (usize, usize),
) -> Command {
    Command { name, usage, summary, side, deed, names, least, most }
}

/// All of them, in the order of `help` and of completion.
pub(super) const TABLE: &[Command] = &[
    command("cd", "DIRECTORY", "go to a directory of the host", Side::Remote, Deed::Enter, Names::Directories, (1, 1)),
    command(
        "lcd",
        "DIRECTORY",
        "go to a directory of this machine",
        Side::Local,
        Deed::Enter,
        Names::Directories,
        (1, 1),
    ),
    command("pwd", "", "print the directory of the host", Side::Remote, Deed::Where, Names::None, (0, 0)),
    command("lpwd", "", "print the directory of this machine", Side::Local, Deed::Where, Names::None, (0, 0)),
    command("ls", "[DIRECTORY]", "list a directory of the host", Side::Remote, Deed::List, Names::Directories, (0, 1)),
    command(
        "lls",
        "[DIRECTORY]",
        "list a directory of this machine",
        Side::Local,
        Deed::List,
        Names::Directories,
        (0, 1),
    ),
    command("stat", "NAME", "what is known about a file of the host", Side::Remote, Deed::Stat, Names::All, (1, 1)),
    command("lstat", "NAME", "what is known about a file of this machine", Side::Local, Deed::Stat, Names::All, (1, 1)),
    command("view", "FILE", "show a file of the host page by page", Side::Remote, Deed::View, Names::Files, (1, 1)),
    command("lview", "FILE", "show a file of this machine page by page", Side::Local, Deed::View, Names::Files, (1, 1)),
    command("edit", "FILE", "edit a file with the editor of the host", Side::Remote, Deed::Edit, Names::Files, (1, 1)),
    command("ledit", "FILE", "edit a file of this machine", Side::Local, Deed::Edit, Names::Files, (1, 1)),
    command("connect", "", "open a shell there on the host", Side::Remote, Deed::Connect, Names::None, (0, 0)),
    command("lconnect", "", "open a shell there on this machine", Side::Local, Deed::Connect, Names::None, (0, 0)),
    command("put", "NAME...", "upload files or directories", Side::Local, Deed::Put, Names::All, (1, MANY)),
    command("get", "NAME...", "download files or directories", Side::Remote, Deed::Get, Names::All, (1, MANY)),
    command("help", "", "this list", Side::Remote, Deed::Help, Names::None, (0, 0)),
    command("clear", "", "clear the screen", Side::Remote, Deed::Clear, Names::None, (0, 0)),
    command("exit", "", "leave the file shell", Side::Remote, Deed::Leave, Names::None, (0, 0)),
];

/// The command with this name.
pub(super) fn by_name(name: &str) -> Option<&'static Command> {
    TABLE.iter().find(|command| command.name == name)
}

impl Command {
    /// Whether so many words make sense.
    pub(super) fn check(&self, words: &[String]) -> Result<(), String> {
        match words.len() {
            count if count < self.least => Err(format!("incomplete: {} {}", self.name, self.usage)),
            count if count > self.most && self.most == 0 => Err(format!("{} takes no words", self.name)),
            count if count > self.most => {
                Err(format!("{} takes one name: put quotes around a name with blanks", self.name))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn help() -> String {
    let width = TABLE.iter().map(|command| command.name.len() + command.usage.len() + 1).max().unwrap_or(0);
    let line = |command: &Command| {
        let left = format!("{} {}", command.name, command.usage);
        format!("  {left:width$}  {}\n", command.summary)
    };
    TABLE.iter().map(line).collect()
}
