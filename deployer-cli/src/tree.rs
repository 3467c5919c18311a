//! Where sessions take their trees from.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use deployer_core::logger::Listener;
use deployer_core::node::Node;
use deployer_core::options::Settings;
use deployer_core::script::{LoadError, LuaFile};
use deployer_core::shell::Tree;

/// A deployment file as the tree of sessions.
pub(crate) struct FileTree(LuaFile);

impl FileTree {
    pub(crate) fn new(path: PathBuf) -> FileTree {
        FileTree(LuaFile::new(path))
    }
}

impl Tree for FileTree {
    fn load(&self) -> Result<Node, LoadError> {
        self.0.load()
    }

    fn origin(&self) -> String {
        self.0.path().display().to_string()
    }

    fn settings(&self, root: &Node) -> Settings {
        LuaFile::settings(root)
    }
}

/// A tree that was loaded once to see that it can be. Whoever loads it next gets that very root, so that checking costs
/// nothing; each one after that gets a fresh one.
pub(crate) struct Checked {
    tree: Arc<dyn Tree>,
    first: Mutex<Option<Node>>,
}

impl Checked {
    /// Loads it.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(crate) fn new(tree: Arc<dyn Tree>) -> Result<Checked, LoadError> {
        let first = Mutex::new(Some(tree.load()?));
        Ok(Checked { tree, first })
    }
}

impl Tree for Checked {
    fn load(&self) -> Result<Node, LoadError> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.map_or_else(|| self.tree.load(), Ok)
    }

    fn origin(&self) -> String {
        self.tree.origin()
    }

    fn settings(&self, root: &Node) -> Settings {
        self.tree.settings(root)
    }

    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        self.tree.listeners()
    }
}

/// A tree that a program builds.
pub(crate) struct OwnTree<F, L> {
    pub(crate) root: F,
    pub(crate) listeners: L,
}

impl<F, L> Tree for OwnTree<F, L>
where
    F: Fn() -> Result<Node, LoadError> + Send + Sync,
    L: Fn() -> Vec<Arc<dyn Listener>> + Send + Sync,
{
    fn load(&self) -> Result<Node, LoadError> {
        (self.root)()
    }

    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        (self.listeners)()
    }

    fn origin(&self) -> String {
        std::env::current_exe().map_or_else(|_| "built in".to_string(), |path| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_checked_tree_is_loaded_once_for_the_check_and_its_first_user() {
        use std::sync::atomic::{AtomicUsize, Ordering};

        #[derive(Default)]
        struct Counting(AtomicUsize);
        impl Tree for Counting {
            fn load(&self) -> Result<Node, LoadError> {
                self.0.fetch_add(1, Ordering::Relaxed);
                Ok(Node::root(deployer_core::node::Class::node().extend("Root").build().unwrap()).unwrap())
            }
            fn origin(&self) -> String {
                "counting".to_string()
            }
        }

        let counting = Arc::new(Counting::default());
        let checked = Checked::new(counting.clone()).unwrap();
        let loads = || counting.0.load(Ordering::Relaxed);
        assert_eq!((loads(), checked.origin()), (1, "counting".to_string()));
        checked.load().unwrap();
        assert_eq!(loads(), 1);
        checked.load().unwrap();
        assert_eq!(loads(), 2);
    }
}
