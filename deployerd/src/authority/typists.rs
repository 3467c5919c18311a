//! Who typed what a session is about to run.
//!
//! Keys of all clients go through one PTY, so what the shell reads has no names on it. This remembers everybody whose
//! keys may be part of the next line: from the last moment at which nothing typed was waiting anywhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Person;

/// A mutex around plain data, never held across an await.
#[derive(Default)]
pub(crate) struct Typists {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whoever typed since, the last one last.
    since: Vec<Arc<Person>>,
    /// Bytes that were sent on their way to the shell.
    sent: u64,
    /// Bytes that have arrived there.
    arrived: u64,
    /// Those behind the action that runs, or ran last; the one who typed last first.
    behind: Vec<Arc<Person>>,
}

impl Typists {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Said before the keys are sent on their way.
    pub(crate) fn typed(&self, person: &Arc<Person>, bytes: usize) {
        let mut state = self.lock();
        state.since.retain(|other| other.uid != person.uid);
        state.since.push(person.clone());
        state.sent += bytes as u64;
    }

    /// Said when keys are handed to whoever reads them, before they can be read.
    pub(crate) fn arrived(&self, bytes: usize) {
        self.lock().arrived += bytes as u64;
    }

    /// The shell asks for a new line; `idle` says whether no keys wait for it. Who typed before has no part in that line,
    /// unless keys are still on their way: then everybody is remembered, rather too many than too few.
    pub(crate) fn new_line(&self, idle: impl FnOnce() -> bool) {
        let (sent, arrived) = {
            let state = self.lock();
            (state.sent, state.arrived)
        };
        // What has arrived either waits or was read; what is typed after that look counts as sent before it can be read.
        if sent == arrived && idle() {
            let mut state = self.lock();
            if state.sent == sent {
                state.since.clear();
            }
        }
    }

    /// An action begins: those behind it from now on; `owner` when nobody typed (an action given with the session).
    pub(crate) fn begin(&self, owner: &Arc<Person>) -> Vec<Arc<Person>> {
        let mut state = self.lock();
        state.behind = state.since.iter().rev().cloned().collect();
        if state.behind.is_empty() {
            state.behind.push(owner.clone());
        }
        state.behind.clone()
    }

    /// Everybody whose keys may still wait for a reader.
    pub(crate) fn waiting(&self) -> Vec<Arc<Person>> {
        self.lock().since.clone()
    }

    /// Those behind the action that runs, the one who typed last first.
    pub(crate) fn behind(&self) -> Vec<Arc<Person>> {
        self.lock().behind.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(uid: u32) -> Arc<Person> {
        Arc::new(Person { uid, name: format!("u{uid}"), groups: Vec::new() })
    }

    fn uids(people: &[Arc<Person>]) -> Vec<u32> {
        people.iter().map(|person| person.uid).collect()
    }

    #[test]
    fn everybody_whose_keys_may_be_in_the_line_is_behind_it() {
        let (typists, owner) = (Typists::default(), person(1));
        assert_eq!(uids(&typists.begin(&owner)), [1], "nobody typed");
        typists.typed(&person(2), 3);
        typists.typed(&person(3), 2);
        typists.typed(&person(2), 1);
        assert_eq!(uids(&typists.begin(&owner)), [2, 3]);
        typists.arrived(6);
        typists.new_line(|| true);
        typists.typed(&person(3), 1);
        assert_eq!(uids(&typists.begin(&owner)), [3]);
    }

    #[test]
    fn keys_typed_ahead_are_not_forgotten_with_the_line_before() {
        let (typists, owner) = (Typists::default(), person(1));
        typists.typed(&person(2), 10);
        typists.arrived(4);
        typists.new_line(|| true);
        assert_eq!(uids(&typists.begin(&owner)), [2], "six bytes are still in the PTY");
        typists.arrived(6);
        typists.new_line(|| false);
        assert_eq!(uids(&typists.begin(&owner)), [2], "they wait for the shell");
        typists.new_line(|| true);
        assert_eq!(uids(&typists.begin(&owner)), [1]);
    }
}
