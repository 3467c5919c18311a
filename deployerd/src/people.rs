//! Who has to do with which session, for `list-sessions`: from plain data, without asking a session.

use std::sync::Arc;

use deployer_protocol::{ClientInfo, SessionPeople};

use crate::authority::Attached;
use crate::daemon::Daemon;
use crate::session::Handle;

impl Daemon {
    /// Who has to do with which session.
    pub(crate) fn people(&self) -> Vec<SessionPeople> {
        let policy = self.options.oversight.authority.policy();
        let client = |client: Attached| ClientInfo {
            user: client.person.name.clone(),
            uid: client.person.uid,
            rank: policy.rank(&client.person).map_or(String::new(), |rank| rank.to_string()),
            watch: client.watch,
        };
        let people = |session: &Arc<Handle>| {
            let owner = session.access.owner();
            SessionPeople {
                session: session.name.clone(),
                owner: owner.name.clone(),
                owner_uid: owner.uid,
                shared: session.access.shared(),
                clients: session.access.attached().into_iter().map(client).collect(),
            }
        };
        self.registry.all().iter().map(people).collect()
    }
}
