//! Whose a session is, and who else may type in it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Person, Rank};
use crate::connection::ClientId;

/// Users that a session can be shared with at once.
const SHARED_MAX: usize = 100;

/// How somebody stands to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is theirs, or they are admin.
    Own,
    /// The owner shares the keyboard with them.
    Shared,
    /// Neither.
    Other,
}

/// A mutex around plain data, never held across an await.
pub(crate) struct Access {
    state: Mutex<State>,
}

struct State {
    owner: Arc<Person>,
    /// User ids, with the names they were shared under.
    shared: Vec<(u32, String)>,
    /// Clients, in the order in which they came.
    attached: Vec<Attached>,
}

/// A client of a session.
#[derive(Clone)]
pub(crate) struct Attached {
    pub(crate) id: ClientId,
    pub(crate) person: Arc<Person>,
    /// Without a keyboard.
    pub(crate) watch: bool,
}

impl Access {
    /// Of a session that this person opened.
    pub(crate) fn of(owner: Arc<Person>) -> Access {
        Access { state: Mutex::new(State { owner, shared: Vec::new(), attached: Vec::new() }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The owner.
    pub(crate) fn owner(&self) -> Arc<Person> {
        self.lock().owner.clone()
    }

    /// Names of those it is shared with.
    pub(crate) fn shared(&self) -> Vec<String> {
        self.lock().shared.iter().map(|(_, name)| name.clone()).collect()
    }

    /// Its clients.
    pub(crate) fn attached(&self) -> Vec<Attached> {
        self.lock().attached.clone()
    }

    /// A client has come.
    pub(crate) fn attach(&self, client: Attached) {
        self.lock().attached.push(client);
    }

    /// A client has gone.
    pub(crate) fn detach(&self, id: ClientId) {
        self.lock().attached.retain(|client| client.id != id);
    }

    /// How a person of this rank stands to it.
    pub(crate) fn standing(&self, person: &Person, rank: Option<Rank>) -> Standing {
        let state = self.lock();
        if state.owner.uid == person.uid || rank == Some(Rank::Admin) {
            return Standing::Own;
        }
        match state.shared.iter().any(|(uid, _)| *uid == person.uid) {
            true => Standing::Shared,
            false => Standing::Other,
        }
    }

    /// Lets somebody type, or no longer.
    ///
    /// # Errors
    /// A sentence, when it is shared with too many already.
    pub(crate) fn share(&self, uid: u32, name: &str, on: bool) -> Result<(), String> {
        let mut state = self.lock();
        state.shared.retain(|(shared, _)| *shared != uid);
        if on && state.shared.len() >= SHARED_MAX {
            return Err(format!("the session is shared with {SHARED_MAX} users already: take it from one first"));
        }
        if on {
            state.shared.push((uid, name.to_string()));
        }
        Ok(())
    }

    /// Gives it to somebody; who had it keeps the keyboard.
    pub(crate) fn hand_over(&self, to: Arc<Person>) {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.owner, to);
        let owner = state.owner.uid;
        state.shared.retain(|(uid, _)| *uid != owner && *uid != before.uid);
        if before.uid != owner {
            state.shared.push((before.uid, before.name.clone()));
        }
    }
}
