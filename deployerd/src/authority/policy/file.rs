//! Reading the policy file. A file that is not understood as a whole is refused as a whole.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{Limit, Place, Policy};
use crate::authority::Rank;
use crate::authority::person::{gid_of, uid_of};

/// Longest policy file, bytes.
const SIZE_MAX: u64 = 1024 * 1024;

/// What is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {message}", .file.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct PolicyError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1, when it is about one.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub message: String,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    users: HashMap<Spanned<String>, Rank>,
    #[serde(default)]
    groups: HashMap<Spanned<String>, Rank>,
    #[serde(default)]
    limits: Vec<Spanned<WrittenLimit>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimit {
    node: Spanned<String>,
    rank: Rank,
    #[serde(default)]
    users: Vec<Spanned<String>>,
    #[serde(default)]
    groups: Vec<Spanned<String>>,
    #[serde(default)]
    except_users: Vec<Spanned<String>>,
    #[serde(default)]
    except_groups: Vec<Spanned<String>>,
}

pub(super) fn read(path: &Path, owner: u32) -> Result<Policy, PolicyError> {
    let at = |line: Option<usize>, message: String| PolicyError { file: path.to_path_buf(), line, message };
    let text = safe_text(path, owner).map_err(|message| at(None, message))?;
    parse(&text, path, owner)
}

/// The text, from a file that only its owner, who is the daemon's user or root, can change.
fn safe_text(path: &Path, owner: u32) -> Result<String, String> {
    // Not waiting for the writer of a FIFO that somebody put there.
    let file = File::options().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).open(path);
    let file = file.map_err(|error| format!("cannot read the policy: {error}"))?;
    let facts = file.metadata().map_err(|error| format!("cannot read the policy: {error}"))?;
    if !facts.is_file() {
        return Err("the policy is not a file".to_string());
    }
    if facts.uid() != 0 && facts.uid() != owner {
        return Err(format!("belongs to user id {}, who could change the policy: `chown root` it", facts.uid()));
    }
    if facts.mode() & 0o022 != 0 {
        return Err(format!("others can change the policy (mode {:04o}): `chmod go-w` it", facts.mode() & 0o7777));
    }
    let mut text = String::new();
    let read = file.take(SIZE_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| format!("cannot read the policy: {error}"))?;
    match text.len() as u64 > SIZE_MAX {
        true => Err(format!("the policy is longer than {SIZE_MAX} bytes")),
        false => Ok(text),
    }
}

pub(super) fn parse(text: &str, path: &Path, owner: u32) -> Result<Policy, PolicyError> {
    let source = Source { text, path };
    let written: Written = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| source.line(span.start));
        source.error(line, error.message().to_string())
    })?;
    let mut notes = Vec::new();
    let users = source.ranks(&written.users, uid_of, &mut notes)?;
    let groups = source.ranks(&written.groups, gid_of, &mut notes)?;
    let limits = written.limits.iter().map(|limit| source.limit(limit, &mut notes)).collect::<Result<_, _>>()?;
    Ok(Policy { owner, users, groups, limits, notes, file: Some(path.to_path_buf()) })
}

/// Finds the id of a name.
type LookUp = fn(&str) -> Result<u32, String>;

struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn error(&self, line: Option<usize>, message: String) -> PolicyError {
        PolicyError { file: self.path.to_path_buf(), line, message }
    }

    fn ranks(
        &self,
        written: &HashMap<Spanned<String>, Rank>,
        look_up: LookUp,
        notes: &mut Vec<PolicyError>,
    ) -> Result<HashMap<u32, Rank>, PolicyError> {
        let mut ranks = HashMap::new();
        for (name, rank) in written {
            let Some(id) = self.harmless(name, look_up, notes) else { continue };
            if ranks.insert(id, *rank).is_some() {
                let shown = name.get_ref().escape_debug();
                return Err(self.error(Some(self.line_of(name)), format!("'{shown}' has a rank already")));
            }
        }
        Ok(ranks)
    }

    fn line_of(&self, name: &Spanned<String>) -> usize {
        self.line(name.span().start)
    }

    /// Somebody who gains by being named. When there is nobody of the name nobody gains: a note is enough, so that a
    /// colleague who left does not keep the daemon from starting.
    fn harmless(&self, name: &Spanned<String>, look_up: LookUp, notes: &mut Vec<PolicyError>) -> Option<u32> {
        let looked_up = look_up(name.get_ref());
        let note = |why| self.error(Some(self.line_of(name)), format!("{why}: the entry has no effect"));
        looked_up.map_err(|why| notes.push(note(why))).ok()
    }

    /// Somebody who is bound by being named: a slip would bind nobody, so it is refused.
    fn bound(&self, name: &Spanned<String>, look_up: LookUp) -> Result<u32, PolicyError> {
        let refused =
            |why| self.error(Some(self.line_of(name)), format!("{why}: correct or remove the name, it binds nobody"));
        look_up(name.get_ref()).map_err(refused)
    }

    fn limit(&self, written: &Spanned<WrittenLimit>, notes: &mut Vec<PolicyError>) -> Result<Limit, PolicyError> {
        let WrittenLimit { node, rank, users, groups, except_users, except_groups } = written.get_ref();
        let line = self.line_of(node);
        let place = Place::written(node.get_ref()).ok_or_else(|| {
            let shown = node.get_ref().escape_debug();
            self.error(Some(line), format!("'{shown}' is no path of a node: write it as for --path, production.web"))
        })?;
        if *rank == Rank::Admin {
            return Err(self.error(Some(line), "a limit of admin limits nothing: write operator or viewer".to_string()));
        }
        let bound = |names: &[Spanned<String>], look_up| {
            names.iter().map(|name| self.bound(name, look_up)).collect::<Result<Vec<u32>, PolicyError>>()
        };
        let mut free = |names: &[Spanned<String>], look_up| {
            names.iter().filter_map(|name| self.harmless(name, look_up, notes)).collect::<Vec<u32>>()
        };
        Ok(Limit {
            node: place,
            rank: *rank,
            users: bound(users, uid_of)?,
            groups: bound(groups, gid_of)?,
            except_users: free(except_users, uid_of),
            except_groups: free(except_groups, gid_of),
            line,
        })
    }
}
