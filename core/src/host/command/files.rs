//! Files behind a wrapper, with the tools of the other side: `stat`, `cat`, `mv`. A short script for each operation.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bstr::ByteSlice;

use super::open_file::{CommandReader, CommandWriter};
use super::script::{DIRECTORY, EXISTS, NO_DIRECTORY, Scripts};
use crate::host::files::{
    Answer, Attributes, Create, Fault, FileSystem, Problem, ReadFile, Stat, WriteFile, base_name, is_plain_name, word,
};
use crate::host::local::NAMES_MAX;

/// What `stat -c` of GNU, busybox and toybox is asked for: type and permissions in hexadecimal, size, owner, group, times.
pub(super) const FORMAT: &str = "%f %s %u %g %X %Y";

/// The files of a [`super::CommandHost`].
pub(super) struct CommandFiles(pub(super) Scripts);

/// From a line in [`FORMAT`].
pub(super) fn stat_of(line: &[u8], name: &OsStr) -> Answer<Stat> {
    let parsed = || {
        let mut fields = std::str::from_utf8(line).ok()?.split(' ');
        let mode = u32::from_str_radix(fields.next()?, 16).ok()?;
        let size = fields.next()?.parse().ok()?;
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let mut time = || {
            let seconds: i64 = fields.next()?.parse().ok()?;
            Some(u32::try_from(seconds.max(0)).unwrap_or(u32::MAX))
        };
        let (accessed, modified) = (time()?, time()?);
        let kind = Stat::kind_of(mode);
        Some(Stat { name: name.to_os_string(), kind, size, uid, gid, mode: mode & 0o7777, accessed, modified })
    };
    parsed().ok_or_else(|| {
        let said = format!("its stat prints {:?}, which says nothing about a file", line.as_bstr());
        Fault::new(Problem::Other, said)
    })
}

/// Entries as `find` and `stat` print them: [`FORMAT`], ` ./NAME/`, end of line. No name has a slash in it.
fn entries_of(output: &[u8]) -> Answer<Vec<Stat>> {
    let mut entries = Vec::new();
    let mut rest = output;
    while !rest.is_empty() {
        let cut = || -> Option<(&[u8], &[u8], &[u8])> {
            let (facts, named) = rest.split_once_str(" ./")?;
            let (name, rest) = named.split_once_str("/\n")?;
            Some((facts, name, rest))
        };
        let (facts, name, after) = cut().ok_or_else(|| Fault::new(Problem::Other, "its list is cut short"))?;
        let name = OsStr::from_bytes(name);
        if !is_plain_name(name) {
            return Err(Fault::new(Problem::Other, format!("it lists {name:?}, which is no name")));
        }
        entries.push(stat_of(facts, name)?);
        if entries.len() > NAMES_MAX {
            return Err(Fault::new(Problem::Other, format!("it has more than {NAMES_MAX} entries")));
        }
        rest = after;
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The script that changes attributes of `$f`.
pub(super) fn setting(path: &Path, attributes: Attributes) -> String {
    let mut script = format!("f={}", word(path));
    // Writing to a string does not fail; what chown takes away of the permissions, chmod brings back.
    let _ = attributes.size.map(|size| write!(script, " && truncate -s {size} \"$f\""));
    let _ = attributes.owner.map(|(uid, gid)| write!(script, " && chown {uid}:{gid} \"$f\""));
    // Five digits: with fewer, GNU chmod leaves what a directory has of setuid and setgid.
    let _ = attributes.mode.map(|mode| write!(script, " && chmod {:05o} \"$f\"", mode & 0o7777));
    let _ = attributes.times.map(|(accessed, modified)| {
        write!(script, " && touch -a -d @{accessed} \"$f\" && touch -m -d @{modified} \"$f\"")
    });
    script
}

/// The script that makes a new, empty file.
fn creating(path: &Path, mode: Option<u32>) -> String {
    let path = word(path);
    let Some(mode) = mode else { return format!("set -C; : > {path}") };
    // Nobody may open it before it has its permissions, so they come with it.
    let (hidden, mode) = (!mode & 0o777, mode & 0o777);
    format!(
        "u=0$(umask); umask \"$(printf %04o $((u | {hidden})))\"; set -C; f={path}; : > \"$f\" && \
         if [ {} = yes ]; then chmod \"$(printf %04o $(({mode} & ~u)))\" \"$f\"; fi",
        if mode & 0o111 == 0 { "no" } else { "yes" }
    )
}

impl CommandFiles {
    async fn about(&self, options: &str, path: &Path) -> Answer<Stat> {
        let output = self.0.output(&format!("exec stat {options} -c '{FORMAT}' {}", word(path))).await?;
        stat_of(output.trim_ascii_end(), &base_name(path))
    }
}

#[async_trait]
impl FileSystem for CommandFiles {
    async fn stat(&self, path: &Path) -> Answer<Stat> {
        self.about("-L", path).await
    }

    async fn lstat(&self, path: &Path) -> Answer<Stat> {
        self.about("", path).await
    }

    async fn read_link(&self, path: &Path) -> Answer<PathBuf> {
        let output = self.0.output(&format!("exec readlink -n {}", word(path))).await?;
        Ok(PathBuf::from(OsStr::from_bytes(&output)))
    }

    async fn list(&self, path: &Path) -> Answer<Vec<Stat>> {
        let script = format!(
            "f={}; facts=$(stat -L -c %f \"$f\") || exit; [ -d \"$f\" ] || exit {NO_DIRECTORY}\n\
             cd \"$f\" || {{ echo 'Permission denied' >&2; exit 1; }}\n\
             exec find . ! -name . -prune -exec stat -c '{FORMAT} %n/' {{}} +",
            word(path)
        );
        match self.0.start(&script).await?.rest().await {
            // Removed since the directory was read: the directory itself was there.
            (output, Err(fault)) if fault.problem == Problem::Missing && !output.is_empty() => entries_of(&output),
            (output, end) => end.and_then(|()| entries_of(&output)),
        }
    }

    async fn read(&self, path: &Path) -> Answer<Box<dyn ReadFile>> {
        let script = format!(
            "f={}; [ ! -d \"$f\" ] || exit {DIRECTORY}; exec < \"$f\" || exit; stat -L -c '{FORMAT}' \"$f\" && exec cat",
            word(path)
        );
        let mut script = self.0.start(&script).await?;
        let stat = stat_of(&script.line().await?, &base_name(path))?;
        Ok(Box::new(CommandReader::begin(script, stat).await?))
    }

    async fn write(&self, path: &Path, create: Create) -> Answer<Box<dyn WriteFile>> {
        let script = match create {
            Create::New(mode) => creating(path, mode),
            Create::Truncate => format!("f={}; [ ! -d \"$f\" ] || exit {DIRECTORY}; : > \"$f\"", word(path)),
            Create::Append => format!("f={}; [ ! -d \"$f\" ] || exit {DIRECTORY}; : >> \"$f\"", word(path)),
        };
        self.0.done(&script).await?;
        Ok(Box::new(CommandWriter::new(self.0.clone(), path.to_path_buf(), create)))
    }

    async fn make_directory(&self, path: &Path, mode: u32) -> Answer<()> {
        let mode = mode & 0o7777;
        self.0.done(&format!("mkdir -m \"$(printf %04o $(({mode} & ~0$(umask))))\" {}", word(path))).await
    }

    async fn make_link(&self, path: &Path, target: &Path) -> Answer<()> {
        let (path, target) = (word(path), word(target));
        // ln would make the link inside of a directory of that name.
        let script = format!("p={path}; [ ! -e \"$p\" ] && [ ! -h \"$p\" ] || exit {EXISTS}; ln -s -- {target} \"$p\"");
        self.0.done(&script).await
    }

    async fn rename(&self, from: &Path, to: &Path) -> Answer<()> {
        let (from, to) = (word(from), word(to));
        // mv moves into a directory, also through a link.
        let script = format!(
            "a={from}; b={to}; [ ! -d \"$b\" ] || [ -h \"$b\" ] || exit {DIRECTORY}\n\
             if [ -d \"$b\" ]; then exec mv -f -T \"$a\" \"$b\"; fi; exec mv -f \"$a\" \"$b\""
        );
        self.0.done(&script).await
    }

    async fn remove_file(&self, path: &Path) -> Answer<()> {
        self.0.done(&format!("exec rm {}", word(path))).await
    }

    async fn remove_directory(&self, path: &Path) -> Answer<()> {
        self.0.done(&format!("exec rmdir {}", word(path))).await
    }

    async fn set(&self, path: &Path, attributes: Attributes) -> Answer<()> {
        self.0.done(&setting(path, attributes)).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_name_is_read_back_and_half_a_list_is_none() {
        let names: [&[u8]; 5] = [b"\nfirst", b" ./", b"a b", b"caf\xe9\n", b"-n"];
        let line = |name: &&[u8]| [b"81a4 5 0 7 -1 9999999999 ./", *name, b"/\n"].concat();
        let names: Vec<_> = names.into_iter().filter(|name| !name.contains(&b'/')).collect();
        let output: Vec<u8> = names.iter().flat_map(line).collect();
        let entries = entries_of(&output).unwrap();
        assert_eq!(entries.len(), names.len());
        assert!(names.iter().all(|name| entries.iter().any(|entry| entry.name.as_bytes() == *name)), "{entries:?}");
        assert_eq!((entries[0].mode, entries[0].gid, entries[0].accessed), (0o644, 7, 0));
        assert!(entries_of(&output[..output.len() - 1]).is_err());
        assert!(entries_of(b"81a4 5 0 7 1 1 ./../\n").is_err());
    }

    proptest! {
        #[test]
        fn hostile_lists_are_an_error_or_entries_with_plain_names(output: Vec<u8>) {
            if let Ok(entries) = entries_of(&output) {
                prop_assert!(entries.iter().all(|entry| is_plain_name(&entry.name)));
            }
        }
    }
}
