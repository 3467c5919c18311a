//! Which of the names that a telnet client has for its terminal is believed (RFC 1091, row M-04).

/// Names that are asked for at most.
const NAMES_MAX: usize = 10;

/// What is assumed when no name is known: every terminal of the last forty years can do this.
const FALLBACK: &str = "vt100";

/// Families of terminals that terminfo knows everywhere; a name is one of these, alone or with `-` or digits behind.
const FAMILIES: &[&str] = &[
    "alacritty",
    "ansi",
    "cons",
    "dumb",
    "eterm",
    "foot",
    "gnome",
    "konsole",
    "linux",
    "mlterm",
    "mrxvt",
    "putty",
    "rxvt",
    "screen",
    "st",
    "sun",
    "tmux",
    "vt",
    "wezterm",
    "wsvt",
    "wyse",
    "xterm",
];

/// The names that were told.
#[derive(Debug, Default)]
pub(super) struct TerminalType {
    last: Option<String>,
    told: usize,
    decided: Option<String>,
}

impl TerminalType {
    /// Takes a name; true when the next one is to be asked for.
    pub(super) fn told(&mut self, name: &[u8]) -> bool {
        if self.decided.is_some() {
            return false;
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        self.told += 1;
        if is_known(&name) {
            self.decided = Some(name.clone());
        } else if self.last.as_ref() == Some(&name) || self.told >= NAMES_MAX {
            // Told twice is the end of the client's list.
            self.decided = Some(FALLBACK.to_string());
        }
        self.last = Some(name);
        self.decided.is_none()
    }

    /// The name, once it is decided.
    pub(super) fn decided(&self) -> Option<&str> {
        self.decided.as_deref()
    }

    /// The name, decided or not.
    pub(super) fn name(&self) -> String {
        self.decided.clone().unwrap_or_else(|| FALLBACK.to_string())
    }
}

fn is_known(name: &str) -> bool {
    let possible = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+.".contains(&byte);
    name.len() <= 40
        && name.bytes().all(possible)
        && FAMILIES.iter().any(|family| {
            name.strip_prefix(family).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(|first: char| first == '-' || first.is_ascii_digit())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::TerminalType;

    // rows: M-04
    #[test]
    fn the_first_known_name_counts_and_otherwise_a_vt100() {
        for (names, asked, decided) in [
            (&["XTERM-256COLOR"][..], 1, "xterm-256color"),
            (&["DEC-VT420", "VT420", "VT100"], 2, "vt420"),
            (&["TELETYPE-33", "TELETYPE-33"], 2, "vt100"),
            (&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"], 10, "vt100"),
            (&["../../etc/passwd", "xterm; reboot", "xterm"], 3, "xterm"),
            (&["stranger", "linux"], 2, "linux"),
            (&[""], 1, "vt100"),
        ] {
            let mut told = TerminalType::default();
            let asked_for = 1 + names.iter().take_while(|name| told.told(name.as_bytes())).count();
            let asked_for = asked_for.min(names.len());
            assert_eq!((asked_for, told.name().as_str()), (asked, decided), "{names:?}");
        }
    }
}
