//! Binds what runs in a session to the people behind it: its owner, and those who typed. Of their ranks the lowest counts
//! (docs/decisions/0012-whose-rights.md).

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use deployer_core::env::Gate;
use deployer_core::node::Node;
use deployer_core::shell::{Admitted, Overseer, Wished};
use deployer_core::terminal::KeyboardHub;

use super::{Authority, Person, Place, Rank};
use crate::journal::{About, Entry, Journal, JournalListener, What, text};
use crate::session::Handle;

/// Longest list of parameters that the journal has.
const PARAMETERS_MAX: usize = 100;

/// Watches over one session.
pub(crate) struct SessionOverseer {
    pub(crate) handle: Arc<Handle>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) journal: Arc<Journal>,
    /// The session's keyboard.
    pub(crate) keys: KeyboardHub,
}

#[async_trait]
impl Overseer for SessionOverseer {
    fn awaiting_line(&self) {
        self.handle.typists.new_line(|| self.keys.is_idle());
    }

    async fn begin(&self, wished: Wished<'_>) -> Result<Admitted, String> {
        let owner = self.handle.access.owner();
        let behind = self.handle.typists.begin(&owner);
        let about = self.handle.about();
        let (node, action) = (text(wished.node), text(wished.action));
        let what = What::Action {
            node: node.clone(),
            action: action.clone(),
            parameters: wished.parameters.iter().take(PARAMETERS_MAX).map(|parameter| text(parameter)).collect(),
            sandbox: wished.sandbox,
        };
        self.journal.permits(Entry::now(about.clone(), what)).await?;
        tracing::info!(session = self.handle.name, node = wished.node, action = wished.action, "action begins");
        let gate = SessionGate {
            owner,
            behind,
            authority: self.authority.clone(),
            journal: self.journal.clone(),
            handle: self.handle.clone(),
            keys: self.keys.clone(),
            about: about.clone(),
        };
        let listener =
            JournalListener { handle: self.handle.clone(), about: about.clone(), journal: self.journal.clone() };
        let (journal, session, since) = (self.journal.clone(), self.handle.name.clone(), Instant::now());
        let ended = move |status| {
            let elapsed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(session, %node, %action, status, elapsed_ms, "action has ended");
            journal.write(Entry::now(about, What::ActionEnd { node, action, status, elapsed_ms }));
        };
        Ok(Admitted { gate: Arc::new(gate), listeners: vec![Arc::new(listener)], ended: Box::new(ended) })
    }
}

/// The gate of one action.
struct SessionGate {
    owner: Arc<Person>,
    behind: Vec<Arc<Person>>,
    authority: Arc<Authority>,
    journal: Arc<Journal>,
    handle: Arc<Handle>,
    keys: KeyboardHub,
    /// Those behind it, for the journal: another action may run meanwhile.
    about: About,
}

impl Gate for SessionGate {
    /// The policy that holds now, not that when the action began: who loses a rank loses it for the next step.
    fn admit(&self, node: &Node) -> Result<(), String> {
        let policy = self.authority.policy();
        let place = Place::of(node);
        for person in self.behind.iter().chain([&self.owner]) {
            let (rank, limit) = policy.rank_at(person, &place);
            if rank >= Some(Rank::Operator) {
                continue;
            }
            let whose = match self.behind.iter().any(|other| other.uid == person.uid) {
                true => person.name.clone(),
                false => format!("session {} belongs to {}, who", self.handle.name, person.name),
            };
            let is = rank.map_or("has no rank any more".to_string(), |rank| format!("is {rank}"));
            let here = match (limit, policy.file()) {
                (Some(limit), Some(file)) => format!(" on {} ({}:{})", limit.node, file.display(), limit.line),
                _ => " here".to_string(),
            };
            return Err(format!("{whose} {is}{here}; running actions of {node} needs operator: ask an admin"));
        }
        // Keys wait for whoever reads next: not for what runs here when one who may not type here has typed some of them.
        let may_type = |person: &Arc<Person>| policy.rank_at(person, &place).0 >= Some(Rank::Operator);
        if policy.has_limits() && !self.handle.typists.waiting().iter().all(may_type) {
            self.keys.flush();
        }
        Ok(())
    }

    fn refused(&self, node: &Node, what: &str, why: &str) {
        let session = &self.handle.name;
        tracing::info!(session, %node, what, why, "refused");
        let what = What::Refusal { verb: text(what), node: Some(text(&node.to_string())), reason: text(why) };
        self.journal.write(Entry::now(self.about.clone(), what));
    }
}
