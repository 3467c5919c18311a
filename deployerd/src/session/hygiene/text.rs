//! Sequences that carry text: titles and links pass, bounded and made harmless; everything else is dropped, above all
//! what would write to the clipboard (OSC 52), change colours for ever, or send notifications.

use deployer_core::terminal::style::is_unsafe;

/// Longest title, characters.
const TITLE_MAX: usize = 128;
/// Longest address of a link, bytes.
const LINK_MAX: usize = 2048;

/// What is passed on of an operating system command, complete.
pub(super) fn harmless(text: &[u8]) -> Option<Vec<u8>> {
    let at = text.iter().position(|byte| *byte == b';')?;
    let (kind, rest) = (&text[..at], &text[at + 1..]);
    match kind {
        b"0" | b"1" | b"2" => {
            let title: String =
                String::from_utf8_lossy(rest).chars().filter(|c| !is_unsafe(*c)).take(TITLE_MAX).collect();
            Some([b"\x1b]", kind, b";", title.as_bytes(), b"\x07"].concat())
        }
        b"8" => link(rest),
        // Where prompts and commands begin and end.
        b"133" if rest.len() <= 32 && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b';') => {
            Some([b"\x1b]133;", rest, b"\x07"].concat())
        }
        _ => None,
    }
}

/// Links to the web, and their ends. A link to anything else could start a program.
fn link(rest: &[u8]) -> Option<Vec<u8>> {
    let at = rest.iter().position(|byte| *byte == b';')?;
    let address = &rest[at + 1..];
    let of_the_web = address.starts_with(b"https://") || address.starts_with(b"http://");
    let plain = address.len() <= LINK_MAX && address.iter().all(u8::is_ascii_graphic);
    (address.is_empty() || (of_the_web && plain)).then(|| [b"\x1b]8;;", address, b"\x1b\\"].concat())
}
