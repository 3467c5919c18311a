//! What a daemon knows of who may do what, and what it writes down of it.

use std::sync::Arc;

use deployer_core::shell::Tree;

use crate::authority::Authority;
use crate::journal::{About, Entry, Journal, What, text};
use crate::recording::Recordings;

/// Policy, journal and recordings of one daemon. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Oversight {
    /// Who may do what.
    pub authority: Arc<Authority>,
    /// What is written down of it.
    pub journal: Arc<Journal>,
    /// Where sessions are recorded, when they are.
    pub recordings: Option<Arc<Recordings>>,
}

/// The owner's and root's daemon, without journal and recordings.
impl Default for Oversight {
    fn default() -> Oversight {
        Oversight { authority: Authority::personal(), journal: Journal::none(), recordings: None }
    }
}

impl Oversight {
    /// Reads the policy again. When it cannot be used, the one before stays in force; the journal has it either way.
    ///
    /// # Errors
    /// A sentence with file and line.
    pub async fn reload(&self, tree: &Arc<dyn Tree>) -> Result<(), String> {
        let reloaded = self.authority.reload(tree).await;
        let reason = reloaded.as_ref().err().map(|why| text(why));
        self.journal.write(Entry::now(About::daemon(), What::Reload { ok: reloaded.is_ok(), reason }));
        reloaded.map_err(|why| format!("{why}; the policy before stays in force"))
    }
}
