//! Where a script is: the file and line of the code that called into Rust.

use mlua::Lua;

use super::shared::Shared;
use crate::node::Position;

/// Chunk name of the part of this module that is written in Lua; its frames are never shown.
pub(super) const PRELUDE: &str = "=deployer";

/// Native calls nest a few frames deep; further out is another action's business.
const LEVELS: usize = 64;

enum Frame {
    /// A line of a deployment file.
    Script(Position),
    /// A frame of ours or of Rust; `tail` when the frame that called it is gone.
    Inside { tail: bool },
}

/// The line of the deployment file that runs now.
pub(super) fn here(lua: &Lua) -> Option<Position> {
    for level in 0..LEVELS {
        match lua.inspect_stack(level, frame)? {
            Frame::Script(position) => return Some(position),
            // Somebody wrote `return self.host:run(...)`: Lua has replaced the caller's frame.
            Frame::Inside { tail: true } => {
                if let Some(position) = Shared::of(lua).ok().and_then(|shared| shared.last_passed(lua)) {
                    return Some(position);
                }
            }
            Frame::Inside { tail: false } => {}
        }
    }
    None
}

fn frame(debug: &mlua::debug::Debug<'_>) -> Frame {
    let source = debug.source();
    let name = source.source.as_deref().unwrap_or("=?");
    if source.what == "C" || name == PRELUDE || name.starts_with("=__mlua") {
        return Frame::Inside { tail: debug.is_tail_call() };
    }
    let file = match name.strip_prefix('@') {
        Some(file) => file,
        None => source.short_src.as_deref().unwrap_or("?"),
    };
    let line = debug.current_line().and_then(|line| u32::try_from(line).ok()).unwrap_or(0);
    Frame::Script(Position::new(file, line))
}

/// A traceback without the frames of this module and of Rust.
pub(super) fn of_scripts(traceback: &str) -> String {
    let inside = |line: &&str| ["[C]:", "deployer:", "__mlua"].iter().any(|start| line.trim_start().starts_with(start));
    traceback.lines().filter(|line| !inside(line)).collect::<Vec<_>>().join("\n")
}

/// Splits `file:12: message`, as Lua puts it together, with the file's whole name where Lua has shortened it.
pub(super) fn split_position(lua: &Lua, message: &str) -> (Option<Position>, String) {
    let message = of_prelude(message).unwrap_or(message);
    let files = Shared::of(lua).map(|shared| shared.chunks().names()).unwrap_or_default();
    for file in files {
        let Some(rest) = message.strip_prefix(&short_name(&file)).and_then(|rest| rest.strip_prefix(':')) else {
            continue;
        };
        if let Some((line, rest)) = rest.split_once(": ")
            && let Ok(line) = line.parse()
        {
            return (Some(Position::new(file, line)), rest.to_string());
        }
    }
    (None, message.to_string())
}

/// The rest of `deployer:12: message`: lines of this module's own part in Lua tell nobody anything.
fn of_prelude(message: &str) -> Option<&str> {
    let (line, rest) = message.strip_prefix(PRELUDE.strip_prefix('=')?)?.strip_prefix(':')?.split_once(": ")?;
    line.parse::<u32>().ok().map(|_| rest)
}

/// What Lua makes of a file name in messages: the end of it, 59 bytes at most (`LUA_IDSIZE`).
fn short_name(file: &str) -> String {
    const ROOM: usize = 59;
    if file.len() <= ROOM {
        return file.to_string();
    }
    let tail = file.len() - (ROOM - "...".len());
    format!("...{}", String::from_utf8_lossy(&file.as_bytes()[tail..]))
}
