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
    /// The built-in group with this lower-case name (row J-03).
    pub fn built_in(name: &str) -> Option<Group> {
        let (name, color) = match name {
            "production" => ("Production", Color::Red),
            "staging" => ("Staging", Color::Yellow),
            "beta" => ("Beta", Color::Green),
            "local" => ("Local", Color::Green),
            "other" => ("Other", Color::White),
            "utility" => ("Utility", Color::Magenta),
            _ => return None,
        };
        Some(Group { name: name.to_string(), color: Some(color) })
    }
}
