//! The files of a deployment: the one that was asked for, and those it requires.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::source::Source;

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

impl Chunks {
    /// Files beside this one.
    pub(super) fn new(file: &Path) -> Chunks {
        Chunks { folder: file.parent().map(Path::to_path_buf).unwrap_or_default(), sources: HashMap::new() }
    }

    /// Reads a deployment file.
    pub(super) fn load(&mut self, path: &Path) -> Result<Chunk, String> {
        let bytes = read(path, FILE_MAX)?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
        let name = path.display().to_string();
        self.sources.insert(name.clone(), Arc::new(Source::new(&text)));
        Ok(Chunk { name, text })
    }

    /// Reads the file of `require "name"`: a neighbour, with dots for folders.
    pub(super) fn load_module(&mut self, name: &str) -> Result<Chunk, String> {
        let plain =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        if !name.split('.').all(plain) {
            return Err(format!(
                "cannot require '{name}': a name has letters, digits, '_', '-', and dots between folders"
            ));
        }
        let path = self.folder.join(format!("{}.lua", name.replace('.', "/")));
        self.load(&path).map_err(|why| format!("cannot require '{name}': {why}"))
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

/// Only regular files: a pipe or a device could block for ever.
fn read(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| format!("cannot read {shown}: {}", reason(&error)))?;
    if !metadata.is_file() {
        return Err(format!("{shown} is not a regular file"));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| format!("cannot read {shown}: {}", reason(&error)))?;
    file.take(max + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot read {shown}: {}", reason(&error)))?;
    if bytes.len() as u64 > max {
        return Err(format!("{shown} is larger than {} MB", max / 1024 / 1024));
    }
    Ok(bytes)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_string(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        _ => error.to_string(),
    }
}
