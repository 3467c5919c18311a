//! Open files behind a wrapper: a `cat` that runs.

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::files::setting;
use super::script::{SHORT, Script, Scripts};
use crate::host::files::{Answer, Attributes, Create, Fault, Problem, ReadFile, Stat, WriteFile, word};

/// Shorter holes are written as zeros: a real one costs two commands.
const HOLE_MIN: u64 = 1024 * 1024;
/// Files up to this size are read at once, and written by a script that has the content in it, where a shell is kept open.
/// Written in octal numbers it is still shorter than the longest word a command may have (128 KiB).
const SMALL: usize = 16 * 1024;
/// Zeros written at once.
const ZEROS: &[u8] = &[0; 64 * 1024];

pub(super) struct CommandReader {
    script: Option<Script>,
    stat: Stat,
    /// The beginning, or all of it.
    ahead: Bytes,
    /// Bytes that came.
    done: u64,
}

impl CommandReader {
    /// Reads a small file at once, so that its shell is free for another one before anybody has taken what is in it.
    pub(super) async fn begin(script: Script, stat: Stat) -> Answer<CommandReader> {
        let small = stat.is_file() && (1..=SMALL as u64).contains(&stat.size);
        let mut reader = CommandReader { script: Some(script), stat, ahead: Bytes::new(), done: 0 };
        let mut ahead = BytesMut::new();
        while small && ahead.len() <= SMALL {
            let bytes = reader.take().await?;
            if bytes.is_empty() {
                break;
            }
            ahead.extend_from_slice(&bytes);
        }
        if let Some(script) = &mut reader.script {
            script.may_take_long();
        }
        Ok(CommandReader { ahead: ahead.freeze(), ..reader })
    }

    async fn take(&mut self) -> Answer<Bytes> {
        let Some(script) = &mut self.script else { return Ok(Bytes::new()) };
        let bytes = script.next().await?;
        self.done += bytes.len() as u64;
        if bytes.is_empty() {
            self.script = None;
            // A wrapper may lose the end of what a command prints, and tell that all is well.
            if self.stat.is_file() && self.done < self.stat.size {
                let said = format!("only {} of {} bytes came", self.done, self.stat.size);
                return Err(Fault::new(Problem::Lost, said));
            }
        }
        Ok(bytes)
    }
}

#[async_trait]
impl ReadFile for CommandReader {
    fn stat(&self) -> &Stat {
        &self.stat
    }

    async fn read(&mut self) -> Answer<Bytes> {
        match self.ahead.is_empty() {
            true => self.take().await,
            false => Ok(std::mem::take(&mut self.ahead)),
        }
    }
}

pub(super) struct CommandWriter {
    scripts: Scripts,
    path: PathBuf,
    create: Create,
    /// The `cat` that writes to its end, while there is one.
    running: Option<Script>,
    /// What is to be written, while it is little.
    pending: BytesMut,
    /// Bytes written or left out.
    position: u64,
    /// Bytes to leave out before the next write.
    hole: u64,
}

impl CommandWriter {
    pub(super) fn new(scripts: Scripts, path: PathBuf, create: Create) -> CommandWriter {
        CommandWriter { scripts, path, create, running: None, pending: BytesMut::new(), position: 0, hole: 0 }
    }

    async fn put(&mut self, bytes: Bytes) -> Answer<()> {
        self.position += bytes.len() as u64;
        if self.running.is_none() && self.pending.len() + bytes.len() <= SMALL {
            self.pending.extend_from_slice(&bytes);
            return Ok(());
        }
        let script = match &mut self.running {
            Some(script) => script,
            none => none.insert(self.scripts.start_alone(&format!("exec cat >> {}", word(&self.path))).await?),
        };
        let pending = self.pending.split().freeze();
        if !pending.is_empty() {
            script.input(pending).await?;
        }
        script.input(bytes).await
    }

    async fn leave_out(&mut self, mut hole: u64) -> Answer<()> {
        if hole >= HOLE_MIN && self.create != Create::Append {
            self.flush().await?;
            self.position += hole;
            let size = Attributes { size: Some(self.position), ..Attributes::default() };
            return self.scripts.done(&setting(&self.path, size)).await;
        }
        while hole > 0 {
            let zeros = &ZEROS[..ZEROS.len().min(usize::try_from(hole).unwrap_or(usize::MAX))];
            self.put(Bytes::from_static(zeros)).await?;
            hole -= zeros.len() as u64;
        }
        Ok(())
    }
}

#[async_trait]
impl WriteFile for CommandWriter {
    async fn write(&mut self, bytes: Bytes) -> Answer<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let hole = std::mem::take(&mut self.hole);
        self.leave_out(hole).await?;
        self.put(bytes).await
    }

    fn skip(&mut self, bytes: u64) {
        self.hole += bytes;
    }

    async fn flush(&mut self) -> Answer<()> {
        if let Some(script) = self.running.take() {
            return script.rest().await.1;
        }
        let pending = self.pending.split();
        if pending.is_empty() {
            return Ok(());
        }
        // cat tells why something cannot be written, the printf of some shells does not.
        let script = format!("printf '{}' | cat >> {}", as_format(&pending), word(&self.path));
        self.scripts.done(&script).await
    }

    async fn sync(&mut self) -> Answer<()> {
        self.flush().await?;
        let path = word(&self.path);
        // Nobody else writes to a new file, so its size tells whether the wrapper passed everything on.
        let whole = match self.create {
            Create::New(_) => format!("[ $(wc -c < \"$f\") -ge {} ] || exit {SHORT}; ", self.position),
            _ => String::new(),
        };
        // A bare root has no /dev/null.
        let script = format!("f={path}; {whole}{{ sync \"$f\" || sync || :; }} 2>&-");
        self.scripts.done(&script).await
    }

    async fn set(&mut self, attributes: Attributes) -> Answer<()> {
        self.flush().await?;
        self.scripts.done(&setting(&self.path, attributes)).await
    }

    async fn close(mut self: Box<Self>) -> Answer<()> {
        self.flush().await
    }
}

/// Bytes as a format for `printf`, between single quotes.
fn as_format(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len() + bytes.len() / 4);
    for byte in bytes {
        match byte {
            b'%' => format.push_str("%%"),
            b'\\' => format.push_str("\\\\"),
            // An option, if it came first.
            b'-' if format.is_empty() => format.push_str("\\055"),
            b'\n' | b' '..=b'&' | b'('..=b'~' => format.push(char::from(*byte)),
            // Always three digits: what follows may be one.
            byte => format.push_str(&format!("\\{byte:03o}")),
        }
    }
    format
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn printed(bytes: &[u8]) -> Vec<u8> {
        let line = format!("printf '{}'", as_format(bytes));
        Command::new("/bin/sh").arg("-c").arg(line).output().unwrap().stdout
    }

    #[test]
    fn every_byte_gets_through_printf_at_any_place() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(printed(&all), all);
        for byte in 0..=255 {
            assert_eq!(printed(&[byte, b'7', byte]), [byte, b'7', byte], "{byte}");
        }
        assert_eq!(printed(&vec![0xff; SMALL]).len(), SMALL, "as one word");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_content_gets_through_printf(bytes: Vec<u8>) {
            prop_assert_eq!(printed(&bytes), bytes);
        }
    }
}
