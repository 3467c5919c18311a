//! Control sequences: which pass, which are answered.

use super::Query;

/// Modes of programs that the screen model knows, so that a repaint restores them; and a few that leave no trace.
const PRIVATE_MODES: &[u16] = &[1, 6, 7, 9, 12, 25, 47, 66, 1000, 1002, 1003, 1005, 1006, 1047, 1048, 1049, 2004, 2026];
/// Insert, and line feed as new line.
const MODES: &[u16] = &[4, 20];

/// What becomes of a control sequence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is passed on.
    Pass,
    /// These bytes are.
    Instead(Vec<u8>),
    /// It is a question.
    Asked(Query),
    /// Nothing.
    Drop,
}

/// Judges the sequence of these parameters and intermediates with this last byte.
pub(super) fn judge(sequence: &[u8], last: u8) -> Verdict {
    let end = sequence.iter().position(|byte| *byte < 0x30).unwrap_or(sequence.len());
    let (parameters, intermediates) = sequence.split_at(end);
    let (prefix, parameters) = match parameters {
        [prefix @ 0x3c..=0x3f, rest @ ..] => (Some(*prefix), rest),
        _ => (None, parameters),
    };
    if parameters.iter().any(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':')) {
        return Verdict::Drop;
    }
    match (prefix, intermediates, last) {
        (None, b"", b'c') => asked(parameters, Query::Kind),
        (Some(b'>'), b"", b'c') => asked(parameters, Query::Version),
        (None, b"", b'n') if parameters == b"5" => Verdict::Asked(Query::Health),
        (None, b"", b'n') if parameters == b"6" => Verdict::Asked(Query::Cursor { private: false }),
        (Some(b'?'), b"", b'n') if parameters == b"6" => Verdict::Asked(Query::Cursor { private: true }),
        (None | Some(b'?'), b"$", b'p') => match number(parameters) {
            Some(number) => Verdict::Asked(Query::Mode { private: prefix.is_some(), number }),
            None => Verdict::Drop,
        },
        (None, b"", b'h' | b'l') => modes("", parameters, MODES, last),
        (Some(b'?'), b"", b'h' | b'l') => modes("?", parameters, PRIVATE_MODES, last),
        (Some(b'?'), b"", b'J' | b'K') => Verdict::Pass,
        // Windows are moved, printers print, reports are made.
        (None, b"", b't' | b'i' | b'x' | b'n' | b'y') => Verdict::Drop,
        (None, b"", _) => Verdict::Pass,
        // The shape of the cursor, and a soft reset.
        (None, b" ", b'q') | (None, b"!", b'p') => Verdict::Pass,
        _ => Verdict::Drop,
    }
}

fn asked(parameters: &[u8], query: Query) -> Verdict {
    match parameters {
        b"" | b"0" => Verdict::Asked(query),
        _ => Verdict::Drop,
    }
}

fn number(parameter: &[u8]) -> Option<u16> {
    std::str::from_utf8(parameter).ok()?.parse().ok()
}

/// The modes among these that may be changed.
fn modes(prefix: &str, parameters: &[u8], allowed: &[u16], last: u8) -> Verdict {
    let numbers = parameters.split(|byte| *byte == b';').filter_map(number).filter(|number| allowed.contains(number));
    let kept: Vec<String> = numbers.map(|number| number.to_string()).collect();
    match kept.is_empty() {
        true => Verdict::Drop,
        false => Verdict::Instead(format!("\x1b[{prefix}{}{}", kept.join(";"), char::from(last)).into_bytes()),
    }
}
