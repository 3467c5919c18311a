//! All options: one entry each.

use super::key::ControlKey;
use super::kind::{Kind, OptionValue};

pub(super) const KEEP_PANES_OPEN: &str = "keep-panes-open";
pub(super) const PARALLEL_VIEW: &str = "parallel-view";
pub(super) const PARALLEL: &str = "parallel";
pub(super) const DETACH_KEY: &str = "detach-key";
pub(super) const NEW_WINDOW_KEY: &str = "new-window-key";

/// Each host that is worked on has a terminal, a coroutine and often a connection: the limits of the system on terminals
/// (4096) and open files come soon after, and other sessions wait behind what runs.
const AT_ONCE: usize = 1000;

/// An option.
#[derive(Debug)]
pub struct Definition {
    /// Its name, words with dashes.
    pub name: &'static str,
    /// What values it can have.
    pub kind: Kind,
    /// What it is for; one line.
    pub summary: &'static str,
    /// Whether only a session in a daemon can obey it.
    pub needs_daemon: bool,
    default: OptionValue,
}

impl Definition {
    /// The value where nobody says one.
    pub fn default_value(&self) -> OptionValue {
        self.default
    }
}

/// All of them, in the order of `show-options`.
pub const TABLE: &[Definition] = &[
    Definition {
        name: PARALLEL_VIEW,
        kind: Kind::Choice(&["tiled", "fold", "lines", "windows"]),
        summary: "how the hosts of a parallel action are shown: tiles, one line per host, lines with the name in front, \
                  windows of your terminal",
        needs_daemon: true,
        default: OptionValue::Choice("tiled"),
    },
    Definition {
        name: PARALLEL,
        kind: Kind::Count,
        summary: "how many hosts of a parallel action are worked on at once",
        needs_daemon: false,
        default: OptionValue::Count(Some(AT_ONCE)),
    },
    Definition {
        name: KEEP_PANES_OPEN,
        kind: Kind::OnOff,
        summary: "whether the window of a host stays open when its part has ended, until a key is pressed",
        needs_daemon: true,
        default: OptionValue::OnOff(false),
    },
    Definition {
        name: NEW_WINDOW_KEY,
        kind: Kind::Key,
        summary: "key that opens another window at this node, at the prompt and while code of an action runs",
        needs_daemon: true,
        default: OptionValue::Key(Some(ControlKey::NEW_WINDOW)),
    },
    Definition {
        name: DETACH_KEY,
        kind: Kind::Key,
        summary: "key that leaves the session, which goes on; a client's own --detach-key wins",
        needs_daemon: true,
        default: OptionValue::Key(Some(ControlKey::DETACH)),
    },
];

/// The option of this name.
pub(super) fn definition(name: &str) -> Option<&'static Definition> {
    TABLE.iter().find(|definition| definition.name == name)
}

/// How the isolations of a parallel action are shown (design 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParallelView {
    /// Tiles of the session's own terminal, while they fit; otherwise as `fold`.
    #[default]
    Tiled,
    /// One line per host, equal outputs folded.
    Fold,
    /// Whole lines with the slug in front; always so where there is no terminal, or nobody to type.
    Lines,
    /// Real windows or panes of the operator's terminal.
    Windows,
}

impl ParallelView {
    pub(super) fn named(name: &str) -> ParallelView {
        match name {
            "lines" => ParallelView::Lines,
            "fold" => ParallelView::Fold,
            "windows" => ParallelView::Windows,
            _ => ParallelView::Tiled,
        }
    }
}
