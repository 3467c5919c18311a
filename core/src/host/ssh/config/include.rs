//! `Include`: files by name or wildcard.

use std::path::{Path, PathBuf};

use crate::host::ssh::wildcard;

/// Existing files a pattern stands for, in name order. A pattern without wildcards that names nothing is nothing, as
/// in OpenSSH.
pub(super) fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let part = component.as_os_str();
        let text = part.to_string_lossy();
        if text.contains(['*', '?']) {
            found = found.iter().flat_map(|directory| children(directory, &text)).collect();
        } else {
            found.iter_mut().for_each(|path| path.push(part));
        }
    }
    found.retain(|path| path.is_file());
    found
}

fn children(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| {
            let name = name.to_string_lossy();
            (pattern.starts_with('.') || !name.starts_with('.')) && wildcard::matches(pattern, &name)
        })
        .collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}
