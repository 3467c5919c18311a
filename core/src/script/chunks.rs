//! The files of a deployment: the one that was asked for, and those it requires.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::source::Source;
use crate::node::Position;

/// A deployment file is text that people write.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// A file that a deployment reads as data.
const DATA_MAX: u64 = 16 * 1024 * 1024;

/// The files read so far, by the name that positions show.
pub(super) struct Chunks {
    /// Where `require` and `read_file` look.
    folder: PathBuf,
    sources: HashMap<String, Arc<Source>>,
}

/// A file's text, and its name in positions.
pub(super) struct Chunk {
    pub(super) name: String,
    pub(super) text: String,
}

/// Why there is no text.
pub(super) struct NoText {
    /// Where in the file, when it could be read.
    pub(super) position: Option<Position>,
    pub(super) message: String,
}

impl From<String> for NoText {
    fn from(message: String) -> NoText {
        NoText { position: None, message }
    }
}

impl Chunks {
    /// Files beside this one.
    pub(super) fn new(file: &Path) -> Chunks {
        Chunks { folder: file.parent().map(Path::to_path_buf).unwrap_or_default(), sources: HashMap::new() }
    }

    /// Reads a deployment file.
    pub(super) fn load(&mut self, path: &Path) -> Result<Chunk, NoText> {
        let name = path.display().to_string();
        let text = text_of(&name, read(path, FILE_MAX)?)?;
        self.sources.insert(name.clone(), Arc::new(Source::new(&text)));
        Ok(Chunk { name, text })
    }

    /// Reads the file of `require "name"`: a neighbour, with dots for folders.
    pub(super) fn load_module(&mut self, name: &str) -> Result<Chunk, NoText> {
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        if !name.split('.').all(plain) {
            let message =
                format!("cannot require '{name}': a name has letters, digits, '_', '-', and dots between folders");
            return Err(message.into());
        }
        let path = self.folder.join(format!("{}.lua", name.replace('.', "/")));
        self.load(&path).map_err(|why| match why.position {
            Some(_) => why,
            None => format!("cannot require '{name}': {}", why.message).into(),
        })
    }

    /// Reads a file as data, relative to the deployment file.
    pub(super) fn read_data(&self, name: &str) -> Result<Vec<u8>, String> {
        read(&self.folder.join(name), DATA_MAX)
    }

    /// The text of a file that was loaded.
    pub(super) fn source(&self, name: &str) -> Option<Arc<Source>> {
        self.sources.get(name).cloned()
    }

    /// Names of all files that were loaded.
    pub(super) fn names(&self) -> Vec<String> {
        self.sources.keys().cloned().collect()
    }
}

/// The text of a file. Some editors begin it with a byte order mark, and programs begin with `#!`; Lua knows neither.
fn text_of(name: &str, bytes: Vec<u8>) -> Result<String, NoText> {
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text);
            // Lines still count from the first one.
            Ok(if text.starts_with("#!") { format!("--{text}") } else { text })
        }
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let line = bytes[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
            let byte = bytes.get(good).copied().unwrap_or_default();
            let message = format!("byte 0x{byte:02x} is not UTF-8 text: save the file in UTF-8");
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            Err(NoText { position: Some(Position::new(name, line)), message })
        }
    }
}

/// Only regular files: a pipe or a device could block for ever.
fn read(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| format!("cannot read {shown}: {}", reason(path, &error)))?;
    if !metadata.is_file() {
        return Err(match metadata.is_dir() {
            true => format!("{shown} is a directory; name the file in it"),
            false => format!("{shown} is not a regular file"),
        });
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| format!("cannot read {shown}: {}", reason(path, &error)))?;
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read {shown}: {}", reason(path, &error)))?;
    if bytes.len() as u64 > max {
        return Err(format!("{shown} is larger than {} MB", max / 1024 / 1024));
    }
    Ok(bytes)
}

fn reason(path: &Path, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => match std::env::current_dir() {
            Ok(folder) if path.is_relative() => format!("there is no such file (looked in {})", folder.display()),
            _ => "there is no such file".to_string(),
        },
        std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        _ => error.to_string(),
    }
}
