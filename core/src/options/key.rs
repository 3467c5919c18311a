//! A key as people write it: Ctrl and a character.

use std::fmt;
use std::str::FromStr;

/// A control key, such as Ctrl-\.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlKey {
    byte: u8,
}

impl ControlKey {
    /// The key that leaves a session unless somebody wants another: Ctrl-\, which hardly anything else wants.
    pub const DETACH: ControlKey = ControlKey { byte: 0x1c };

    /// The key that opens another window unless somebody wants another: Ctrl-N (row Q-15).
    pub const NEW_WINDOW: ControlKey = ControlKey { byte: 0x0e };

    /// What terminals send for it, 0x00..=0x1f.
    pub fn byte(self) -> u8 {
        self.byte
    }

    /// The key that terminals send this byte for; `None` when no key of ours may be that.
    pub fn from_byte(byte: u8) -> Option<ControlKey> {
        let letter = char::from(byte.checked_add(0x40)?);
        format!("ctrl-{letter}").parse().ok().filter(|key: &ControlKey| key.byte == byte)
    }

    /// The letter of the key, in lower case: `n` for Ctrl-N.
    pub fn letter(self) -> char {
        char::from(self.byte + 0x40).to_ascii_lowercase()
    }
}

impl Default for ControlKey {
    fn default() -> ControlKey {
        ControlKey::DETACH
    }
}

impl FromStr for ControlKey {
    type Err = String;

    fn from_str(text: &str) -> Result<ControlKey, String> {
        let lower = text.to_ascii_lowercase();
        let key = lower.strip_prefix("ctrl-").or(lower.strip_prefix("c-")).or(lower.strip_prefix('^'));
        let byte = match key.map(str::as_bytes) {
            Some(&[key @ (b'a'..=b'z' | b'\\' | b']' | b'^' | b'_')]) => key.to_ascii_uppercase() & 0x1f,
            _ => return Err("a key is written like ctrl-\\ or ctrl-] or ctrl-b".to_string()),
        };
        match byte {
            0x03 | 0x04 => Err(format!("{text} is needed to stop programs; take another key, such as ctrl-]")),
            0x08..=0x0a | 0x0d => Err(format!("{text} is Backspace, Tab or Enter; take another key, such as ctrl-]")),
            _ => Ok(ControlKey { byte }),
        }
    }
}

impl fmt::Display for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ctrl-{}", char::from(self.byte + 0x40))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_write_them() {
        for (text, shown) in [("ctrl-\\", "Ctrl-\\"), ("Ctrl-]", "Ctrl-]"), ("^B", "Ctrl-B"), ("c-z", "Ctrl-Z")] {
            let key = text.parse::<ControlKey>().unwrap();
            assert_eq!((key.to_string().as_str(), ControlKey::from_byte(key.byte())), (shown, Some(key)));
        }
        for text in ["ctrl-c", "ctrl-m", "ctrl-i", "q", "", "ctrl-", "ctrl-ab", "ctrl-[", "ctrl-é"] {
            assert!(text.parse::<ControlKey>().is_err(), "{text}");
        }
        for byte in [0, 3, 4, 8, 9, 10, 13, 27, 32, 0x7f, 0xff] {
            assert_eq!(ControlKey::from_byte(byte), None, "{byte}");
        }
        assert_eq!(ControlKey::default(), "ctrl-\\".parse().unwrap());
    }
}
