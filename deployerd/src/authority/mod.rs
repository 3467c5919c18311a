//! Who may do what (design 7, docs/authority.md).
//!
//! `policy` says which rank a person has where; `verbs` is the one place that says what each message of the protocol
//! needs; `access` says whose a session is; `typists` knows who typed; `overseer` binds what runs in a session to them; `at_work`
//! keeps keys from what they may not reach.

mod access;
mod at_work;
mod overseer;
mod person;
mod policy;
mod rank;
mod typists;
mod verbs;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use deployer_core::shell::Tree;
use tokio::sync::watch;

pub(crate) use access::{Access, Attached, Standing};
#[cfg(test)]
pub(crate) use at_work::tests as people;
pub(crate) use at_work::{AtWork, kept_from};
pub(crate) use overseer::SessionOverseer;
pub use person::Person;
pub(crate) use person::{gid_of, uid_of};
pub use policy::{Limit, Place, Policy, PolicyError};
pub use rank::Rank;
pub(crate) use typists::Typists;
pub(crate) use verbs::{Rule, Subject, permit, rule, subject, verb};

/// Where the team's policy is unless a flag says otherwise.
pub const POLICY_FILE: &str = "/etc/deployer/policy.toml";

/// The policy of a daemon, which can be read again while it serves.
pub struct Authority {
    owner: Person,
    file: Option<PathBuf>,
    policy: RwLock<Arc<Policy>>,
    changed: watch::Sender<()>,
}

impl Authority {
    /// A personal daemon: its owner and root.
    pub fn personal() -> Arc<Authority> {
        let owner = Person::of_this_process();
        let policy = Policy::owner_only(owner.uid);
        Authority::new(owner, None, policy)
    }

    /// A team's daemon with its policy file. A file that is not there means owner and root only, unless it was asked
    /// for by name.
    ///
    /// # Errors
    /// With file and line, when the policy cannot be used.
    pub fn team(file: Option<&Path>) -> Result<Arc<Authority>, PolicyError> {
        let owner = Person::of_this_process();
        let path = file.unwrap_or(Path::new(POLICY_FILE));
        let policy = match file.is_none() && is_missing(path) {
            true => Policy::owner_only(owner.uid),
            false => Policy::read(path, owner.uid)?,
        };
        Ok(Authority::new(owner, Some(path.to_path_buf()), policy))
    }

    fn new(owner: Person, file: Option<PathBuf>, policy: Policy) -> Arc<Authority> {
        let policy = RwLock::new(Arc::new(policy));
        Arc::new(Authority { owner, file, policy, changed: watch::Sender::new(()) })
    }

    /// Whether others than the owner and root are spoken to at all.
    pub fn is_team(&self) -> bool {
        self.file.is_some()
    }

    /// Whoever the daemon runs as.
    pub fn owner(&self) -> &Person {
        &self.owner
    }

    /// The policy that holds now.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Told when another policy holds.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Whether the limits of the policy are about nodes of this tree, which is loaded only when there are limits.
    ///
    /// # Errors
    /// A sentence with file and line.
    pub(crate) async fn fits(policy: &Arc<Policy>, tree: &Arc<dyn Tree>) -> Result<(), String> {
        if !policy.has_limits() {
            return Ok(());
        }
        let (policy, tree) = (policy.clone(), tree.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let root = tree.load().map_err(|error| error.to_string())?;
            policy.fits(&root).map_err(|error| error.to_string())
        });
        checked.await.unwrap_or_else(|panic| Err(panic.to_string()))
    }

    /// Reads the policy file again. When it cannot be used, or is gone, the policy stays as it was.
    ///
    /// # Errors
    /// A sentence with file and line.
    pub(crate) async fn reload(&self, tree: &Arc<dyn Tree>) -> Result<(), String> {
        let Some(file) = self.file.clone() else { return Ok(()) };
        let owner = self.owner.uid;
        let had_none = self.policy().file().is_none();
        let again = move || {
            if had_none && is_missing(&file) { Ok(Policy::owner_only(owner)) } else { Policy::read(&file, owner) }
        };
        let read = tokio::task::spawn_blocking(again).await;
        let policy = read.map_err(|panic| panic.to_string())?.map_err(|error| error.to_string())?;
        let policy = Arc::new(policy);
        Authority::fits(&policy, tree).await?;
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        self.changed.send_replace(());
        Ok(())
    }
}

fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use deployer_core::node::Node;
    use deployer_core::script::LoadError;

    use super::*;

    /// A policy without limits asks for no tree.
    struct NoTree;

    impl Tree for NoTree {
        fn load(&self) -> Result<Node, LoadError> {
            unreachable!("nothing in the policy is about nodes")
        }

        fn origin(&self) -> String {
            String::new()
        }
    }

    #[tokio::test]
    async fn no_policy_is_none_still_after_a_reload_but_one_that_has_gone_stays_in_force() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("policy.toml");
        let owner = Person::of_this_process();
        let policy = Policy::owner_only(owner.uid);
        let authority = Authority::new(owner, Some(file.clone()), policy);
        let tree: Arc<dyn Tree> = Arc::new(NoTree);
        authority.reload(&tree).await.unwrap();
        assert_eq!(authority.policy().file(), None);
        std::fs::write(&file, "[users]\n41002 = \"viewer\"\n").unwrap();
        authority.reload(&tree).await.unwrap();
        assert_eq!(authority.policy().file(), Some(&*file));
        std::fs::remove_file(&file).unwrap();
        assert!(authority.reload(&tree).await.unwrap_err().contains("policy.toml"));
        assert_eq!(authority.policy().file(), Some(&*file));
    }
}
