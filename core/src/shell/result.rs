//! How the result of an action is printed (rows N-19, E-19).

use crate::node::ActionFlags;
use crate::terminal::{Kind, LineFilter};
use crate::value::Value;

/// The bytes that show a result, line ends included; nothing for no result, suppressed and skipped ones.
///
/// On a screen only text and colours are left: a result may hold whatever a host sent. A pipe gets it as it is.
pub(crate) fn shown(value: &Value, flags: ActionFlags, kind: Kind) -> Vec<u8> {
    if flags.suppress_result {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    match value {
        // Each element by itself, those without value left out.
        Value::List(values) => values.iter().for_each(|value| line(value, &mut bytes)),
        value => line(value, &mut bytes),
    }
    match kind {
        Kind::Plain => bytes,
        Kind::Tty => {
            let lines = LineFilter::new(true).push(&bytes);
            lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect()
        }
    }
}

fn line(value: &Value, bytes: &mut Vec<u8>) {
    let nothing = |value: &Value| matches!(value, Value::Nil) || value.is_skipped() || was_shown(value);
    match value {
        value if nothing(value) => return,
        // No cell has anything to say.
        Value::Parallel(result) if result.values().all(nothing) => return,
        _ => {}
    }
    match value.as_bytes() {
        Some(text) => bytes.extend_from_slice(text),
        None => bytes.extend_from_slice(value.to_string().as_bytes()),
    }
    if !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
}

/// Whether it is what commands printed, and was seen while they ran: `return self.host:run(...)`.
fn was_shown(value: &Value) -> bool {
    match value {
        Value::Output(output) => output.shown,
        Value::List(values) => !values.is_empty() && values.iter().all(was_shown),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::env::ParallelResult;
    use crate::host::{ExitStatus, RunOutput};

    fn text(value: Value, kind: Kind) -> String {
        String::from_utf8_lossy(&shown(&value, ActionFlags::default(), kind)).into_owned()
    }

    // rows: N-19 E-19
    #[test]
    fn results_as_they_print() {
        let list = Value::List(vec![Value::from("a"), Value::Nil, Value::from(2)]);
        assert_eq!(text(list.clone(), Kind::Plain), "a\n2\n");
        assert_eq!(text(Value::Nil, Kind::Plain), "");
        assert_eq!(text(Value::from("x\n"), Kind::Tty), "x\r\n");
        assert_eq!(text(Value::from("\x1b[31mx\x1b[0m\x1b[2Jy"), Kind::Tty), "\x1b[31mx\x1b[0my\x1b[0m\r\n");
        assert_eq!(text(Value::text(vec![0xff]), Kind::Plain).as_bytes(), "\u{fffd}\n".as_bytes());
        assert_eq!(text(Value::Map(vec![(Value::from("k"), Value::from(true))]), Kind::Plain), "{k: true}\n");
        assert_eq!(text(Value::Parallel(Arc::new(ParallelResult { entries: Vec::new() })), Kind::Plain), "");
        let output = |shown| {
            let status = ExitStatus::Code(0);
            let output = RunOutput { stdout: "up".into(), stderr: Bytes::new(), status, dropped: 0, shown };
            Value::Output(Arc::new(output))
        };
        assert_eq!(text(output(false), Kind::Plain), "up\n");
        assert_eq!(text(output(true), Kind::Plain), "", "it was seen while the command ran");
        assert_eq!(text(Value::List(vec![output(true), output(true)]), Kind::Plain), "");
        let suppressed = ActionFlags { suppress_result: true, ..ActionFlags::default() };
        assert_eq!(shown(&list, suppressed, Kind::Plain), b"");
    }
}
