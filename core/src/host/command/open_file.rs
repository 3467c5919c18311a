//! Open files behind a wrapper: a `cat` that runs.

use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;

use super::files::setting;
use super::script::{SHORT, Script, Scripts};
use crate::host::files::{Answer, Attributes, Create, Fault, Problem, ReadFile, Stat, WriteFile, word};

/// Shorter holes are written as zeros: a real one costs two commands.
const HOLE_MIN: u64 = 1024 * 1024;
/// Zeros written at once.
const ZEROS: &[u8] = &[0; 64 * 1024];

pub(super) struct CommandReader {
    script: Option<Script>,
    stat: Stat,
    done: u64,
}

impl CommandReader {
    pub(super) fn new(script: Script, stat: Stat) -> CommandReader {
        CommandReader { script: Some(script), stat, done: 0 }
    }
}

#[async_trait]
impl ReadFile for CommandReader {
    fn stat(&self) -> &Stat {
        &self.stat
    }

    async fn read(&mut self) -> Answer<Bytes> {
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

pub(super) struct CommandWriter {
    scripts: Scripts,
    path: PathBuf,
    create: Create,
    /// The `cat` that writes to its end, while there is one.
    running: Option<Script>,
    /// Bytes written or left out.
    position: u64,
    /// Bytes to leave out before the next write.
    hole: u64,
}

impl CommandWriter {
    pub(super) fn new(scripts: Scripts, path: PathBuf, create: Create) -> CommandWriter {
        CommandWriter { scripts, path, create, running: None, position: 0, hole: 0 }
    }

    async fn put(&mut self, bytes: Bytes) -> Answer<()> {
        let script = match &mut self.running {
            Some(script) => script,
            none => none.insert(self.scripts.start(&format!("exec cat >> {}", word(&self.path))).await?),
        };
        self.position += bytes.len() as u64;
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
        match self.running.take() {
            Some(script) => script.rest().await.1,
            None => Ok(()),
        }
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
