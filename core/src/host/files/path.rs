//! Paths: temporary names, links, and words for a shell that may hold any byte.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rand::Rng;

use super::fault::{Answer, Fault, Problem};
use super::stat::{Stat, base_name};
use super::system::FileSystem;
use crate::text::shell_word;

/// Longest part of a name that its temporary repeats; names are 255 bytes at most on most file systems.
const NAME_MAX: usize = 200;
/// As many links as Linux follows.
const LINKS_MAX: usize = 40;

/// A name beside `path` that nobody else has: `.NAME.deployer-0123456789abcdef`.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = b".".to_vec();
    let base = base_name(path);
    name.extend_from_slice(&base.as_bytes()[..base.len().min(NAME_MAX)]);
    name.extend_from_slice(format!(".deployer-{:016x}", rand::rng().random::<u64>()).as_bytes());
    path.with_file_name(OsString::from_vec(name))
}

/// A directory that nobody else has, for what only the login user may see.
pub(crate) fn private_directory() -> PathBuf {
    PathBuf::from(format!("/tmp/deployer-{:032x}", rand::rng().random::<u128>()))
}

/// Where the links at the end of a path lead, and what is there; `None` when nothing is.
pub(crate) async fn followed(files: &dyn FileSystem, path: &Path) -> Answer<(PathBuf, Option<Stat>)> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        match files.lstat(&path).await {
            Ok(stat) if stat.is_symlink() => {
                let target = files.read_link(&path).await?;
                path = path.parent().unwrap_or(Path::new("/")).join(target);
            }
            Ok(stat) => return Ok((path, Some(stat))),
            Err(fault) if fault.problem == Problem::Missing => return Ok((path, None)),
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::new(Problem::Other, "its symbolic links go in a circle"))
}

/// One word for a POSIX shell with exactly these bytes.
pub(crate) fn word(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    if let Ok(text) = std::str::from_utf8(bytes) {
        return shell_word(text);
    }
    // A substitution loses line ends at its end, and `$` and the like are harmless in single quotes.
    let ends = bytes.iter().rev().take_while(|byte| **byte == b'\n').count();
    let octal: String = bytes[..bytes.len() - ends].iter().map(|byte| format!("\\{byte:03o}")).collect();
    let ends = if ends == 0 { String::new() } else { format!("'{}'", "\n".repeat(ends)) };
    format!("\"$(printf '{octal}')\"{ends}")
}

/// A name that a directory may hold and that stays in it: a hostile server could say anything.
pub(crate) fn is_plain_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !matches!(bytes, b"" | b"." | b"..") && !bytes.contains(&b'/') && !bytes.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_every_byte() {
        for bytes in [&b"plain"[..], b"two words", b"it's", b"\xff\xfe'$(id)\\\n\n", b"-n", b"caf\xe9 %s"] {
            let line = format!("printf %s {}", word(Path::new(OsStr::from_bytes(bytes))));
            let output = std::process::Command::new("sh").args(["-c", &line]).output().expect("sh runs");
            assert_eq!(output.stdout, bytes, "{line}");
        }
    }

    #[test]
    fn a_temporary_is_a_hidden_neighbour_with_a_name_that_fits() {
        let name = temporary_beside(Path::new("/etc/app.conf"));
        assert!(name.to_string_lossy().starts_with("/etc/.app.conf.deployer-"), "{name:?}");
        assert_ne!(name, temporary_beside(Path::new("/etc/app.conf")));
        let long = temporary_beside(&Path::new("/etc").join("x".repeat(255)));
        assert!(base_name(&long).len() <= 255);
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        assert!(is_plain_name(OsStr::new("..a")) && is_plain_name(OsStr::new("a\nb")));
        for name in ["", ".", "..", "a/b", "/etc"] {
            assert!(!is_plain_name(OsStr::new(name)), "{name}");
        }
    }
}
