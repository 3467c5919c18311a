//! Groups colour nodes in the shell and select them in filters (section J).

/// A named, coloured set of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name shown by `--inspect`.
    pub name: String,
    /// How nodes of the group are shown.
    pub color: Option<Color>,
}

/// Colours of groups (row J-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Color {
    Grey,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    White,
}

impl Color {
    /// The colour with this name.
    pub fn from_name(name: &str) -> Option<Color> {
        Some(match name {
            "grey" => Color::Grey,
            "red" => Color::Red,
            "green" => Color::Green,
            "yellow" => Color::Yellow,
            "blue" => Color::Blue,
            "magenta" => Color::Magenta,
            "cyan" => Color::Cyan,
            "white" => Color::White,
            _ => return None,
        })
    }
}

impl Group {
    /// A group.
    pub fn new(name: &str, color: Color) -> Group {
        Group { name: name.to_string(), color: Some(color) }
    }

    /// What customers see; red (row J-03).
    pub fn production() -> Group {
        Group::new("Production", Color::Red)
    }

    /// What comes before production; yellow (row J-03).
    pub fn staging() -> Group {
        Group::new("Staging", Color::Yellow)
    }

    /// The built-in group with this lower-case name (row J-03).
    pub fn built_in(name: &str) -> Option<Group> {
        Some(match name {
            "production" => Group::production(),
            "staging" => Group::staging(),
            "beta" => Group::new("Beta", Color::Green),
            "local" => Group::new("Local", Color::Green),
            "other" => Group::new("Other", Color::White),
            "utility" => Group::new("Utility", Color::Magenta),
            _ => return None,
        })
    }
}
