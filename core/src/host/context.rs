//! The directory, variables and prefixes that hold for a host's next commands (rows F-05..F-12).

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

/// Undoes one `cd`, `env` or `prefix` when dropped, whichever order guards are dropped in.
#[must_use = "the context is undone when this is dropped"]
pub struct ContextGuard {
    pub(crate) undo: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl ContextGuard {
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
