//! The directory, variables and prefixes that hold for a host's next commands (rows F-05..F-12).

use std::fmt;

/// Scoped state of one host within one Env.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostContext {
    pub(crate) directories: Vec<Directory>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) prefixes: Vec<(u64, String)>,
    pub(crate) next: u64,
}

/// One `cd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) id: u64,
    pub(crate) path: String,
    /// Expand a leading tilde (row F-06).
    pub(crate) expand: bool,
    /// Let the remote shell expand patterns (design 8).
    pub(crate) glob: bool,
}

/// One `env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) value: String,
    /// Quote the value (row F-07).
    pub(crate) escape: bool,
}

impl HostContext {
    /// Adds a `cd`; the number undoes it.
    pub(crate) fn push_directory(&mut self, path: &str, expand: bool, glob: bool) -> u64 {
        let id = self.number();
        self.directories.push(Directory { id, path: path.to_string(), expand, glob });
        id
    }

    /// Adds a variable; the number undoes it.
    pub(crate) fn push_variable(&mut self, name: &str, value: &str, escape: bool) -> u64 {
        let id = self.number();
        self.variables.push(Variable { id, name: name.to_string(), value: value.to_string(), escape });
        id
    }

    /// Adds a prefix; the number undoes it.
    pub(crate) fn push_prefix(&mut self, command: &str) -> u64 {
        let id = self.number();
        self.prefixes.push((id, command.to_string()));
        id
    }

    /// Undoes one of the above, whatever came after it.
    pub(crate) fn remove(&mut self, id: u64) {
        self.directories.retain(|directory| directory.id != id);
        self.variables.retain(|variable| variable.id != id);
        self.prefixes.retain(|(prefix, _)| *prefix != id);
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// Prefixes, path and variable names; values are left out, they may be nobody's business (row F-04).
impl fmt::Display for HostContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefixes: Vec<&str> = self.prefixes.iter().map(|(_, prefix)| prefix.as_str()).collect();
        let path: Vec<&str> = self.directories.iter().map(|directory| directory.path.as_str()).collect();
        let names: Vec<&str> = self.variables.iter().map(|variable| variable.name.as_str()).collect();
        write!(f, "prefixes={prefixes:?} path={path:?} env={names:?}")
    }
}

/// Undoes one `cd`, `env` or `prefix` when dropped, whichever order guards are dropped in.
#[must_use = "the context is undone when this is dropped"]
pub struct ContextGuard {
    pub(crate) undo: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl ContextGuard {
    /// A guard that calls this once.
    pub(crate) fn new(undo: impl FnOnce() + Send + Sync + 'static) -> ContextGuard {
        ContextGuard { undo: Some(Box::new(undo)) }
    }

    /// Undoes now.
    pub fn undo(mut self) {
        self.run();
    }

    fn run(&mut self) {
        if let Some(undo) = self.undo.take() {
            undo();
        }
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        self.run();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rows: F-05 F-07 F-09
    #[test]
    fn each_scope_is_undone_by_its_own_number() {
        let mut context = HostContext::default();
        let outer = context.push_directory("/srv", false, false);
        let inner = context.push_directory("app", false, false);
        let variable = context.push_variable("A", "1", true);
        let prefix = context.push_prefix("true");
        context.remove(outer);
        assert_eq!(context.directories.len(), 1);
        assert_eq!(context.directories[0].path, "app");
        context.remove(prefix);
        context.remove(variable);
        context.remove(inner);
        context.remove(inner);
        assert_eq!(context, HostContext { next: 4, ..HostContext::default() });
    }
}
