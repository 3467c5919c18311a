//! Binds what runs in a session to the people behind it: its owner, and those who typed. Of their ranks the lowest counts
//! (docs/decisions/0012-whose-rights.md).

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use deployer_core::env::Gate;
use deployer_core::node::Node;
use deployer_core::shell::{Admitted, Overseer, Wished};

use super::{AtWork, Authority, Person, Place, Rank};
use crate::journal::{About, Entry, Journal, JournalListener, What, text};
use crate::session::Handle;

/// Longest list of parameters that the journal has.
const PARAMETERS_MAX: usize = 100;

/// Watches over one session.
pub(crate) struct SessionOverseer {
    pub(crate) handle: Arc<Handle>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) journal: Arc<Journal>,
}

#[async_trait]
impl Overseer for SessionOverseer {
    fn awaiting_line(&self) {
        self.handle.typists.new_line(|| self.handle.keyboard.is_idle());
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
        let at_work = AtWork::begin(&self.handle, &self.authority, &self.journal);
        let gate = SessionGate { owner, behind, at_work: at_work.clone(), about: about.clone() };
        let listener =
            JournalListener { at_work: at_work.clone(), about: about.clone(), journal: self.journal.clone() };
        let (journal, session, since) = (self.journal.clone(), self.handle.name.clone(), Instant::now());
        let ended = move |status| {
            let elapsed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(session, %node, %action, status, elapsed_ms, "action has ended");
            at_work.is_over();
            journal.write(Entry::now(about, What::ActionEnd { node, action, status, elapsed_ms }));
        };
        Ok(Admitted { gate: Arc::new(gate), listeners: vec![Arc::new(listener)], ended: Box::new(ended) })
    }
}

/// The gate of one action.
struct SessionGate {
    owner: Arc<Person>,
    behind: Vec<Arc<Person>>,
    at_work: Arc<AtWork>,
    /// Those behind it, for the journal: another action may run meanwhile.
    about: About,
}

impl Gate for SessionGate {
    /// The policy that holds now, not that when the action began: who loses a rank loses it for the next step.
    fn admit(&self, node: &Node) -> Result<(), String> {
        let policy = self.at_work.authority.policy();
        let place = Place::of(node);
        for person in self.behind.iter().chain([&self.owner]) {
            let (rank, limit) = policy.rank_at(person, &place);
            if rank >= Some(Rank::Operator) {
                continue;
            }
            let whose = match self.behind.iter().any(|other| other.uid == person.uid) {
                true => person.name.clone(),
                false => format!("session {} belongs to {}, who", self.at_work.handle.name, person.name),
            };
            let is = rank.map_or("has no rank any more".to_string(), |rank| format!("is {rank}"));
            let here = match (limit, policy.file()) {
                (Some(limit), Some(file)) => format!(" on {} ({}:{})", limit.node, file.display(), limit.line),
                _ => " here".to_string(),
            };
            return Err(format!("{whose} {is}{here}; running actions of {node} needs operator: ask an admin"));
        }
        self.at_work.admitted(&place);
        Ok(())
    }

    fn goes_behind(&self) {
        self.at_work.goes_behind();
    }

    fn comes_back(&self) -> Result<(), String> {
        self.at_work.comes_back()
    }

    fn refused(&self, node: &Node, what: &str, why: &str) {
        let session = &self.at_work.handle.name;
        tracing::info!(session, %node, what, why, "refused");
        let what = What::Refusal { verb: text(what), node: Some(text(&node.to_string())), reason: text(why) };
        self.at_work.journal.write(Entry::now(self.about.clone(), what));
    }
}
