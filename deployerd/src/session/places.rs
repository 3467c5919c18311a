//! The nodes that the actions of a session are at work on, and which of the actions would read what is typed: who types
//! must be allowed on all nodes of those.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::authority::Place;

/// Places that are kept of an action: beyond any tree that a person writes; only a bound.
const PLACES_MAX: usize = 100_000;

/// A mutex around plain data, never held across an await.
#[derive(Default)]
pub(crate) struct Places {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    actions: BTreeMap<u64, Acting>,
}

#[derive(Default)]
struct Acting {
    /// The operator has left it: nothing typed at the session goes there.
    behind: bool,
    /// Where it was let; until it ends.
    admitted: BTreeSet<Place>,
    /// Where actions, properties and queries run; how many.
    entered: BTreeMap<Place, u32>,
}

impl Acting {
    fn places(&self) -> BTreeSet<Place> {
        self.admitted.iter().chain(self.entered.keys()).cloned().collect()
    }

    fn is_known(&self, place: &Place) -> bool {
        self.admitted.contains(place) || self.entered.contains_key(place)
    }

    fn is_full(&self) -> bool {
        self.admitted.len() + self.entered.len() >= PLACES_MAX
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An action begins, in front of the others.
    pub(crate) fn begin(self: &Arc<Self>) -> ActionPlaces {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.actions.insert(id, Acting::default());
        ActionPlaces { all: self.clone(), id }
    }

    /// Where the actions work that would read what is typed at the session; nowhere while that is the shell.
    pub(crate) fn in_front(&self) -> Vec<Place> {
        self.of(|acting| !acting.behind)
    }

    /// Where any action works.
    pub(crate) fn all(&self) -> Vec<Place> {
        self.of(|_| true)
    }

    fn of(&self, which: impl Fn(&Acting) -> bool) -> Vec<Place> {
        self.lock().actions.values().filter(|acting| which(acting)).flat_map(Acting::places).collect()
    }
}

/// Those of one action.
#[derive(Clone)]
pub(crate) struct ActionPlaces {
    all: Arc<Places>,
    id: u64,
}

impl ActionPlaces {
    /// Nothing of one that has ended.
    fn change<T: Default>(&self, change: impl FnOnce(&mut Acting) -> T) -> T {
        self.all.lock().actions.get_mut(&self.id).map(change).unwrap_or_default()
    }

    /// It was let to this place and may work there until it ends; whether that is new.
    pub(crate) fn admit(&self, place: &Place) -> bool {
        self.change(|acting| {
            let new = !acting.is_known(place);
            if !acting.admitted.contains(place) && !acting.is_full() {
                acting.admitted.insert(place.clone());
            }
            new
        })
    }

    /// An action, property or query of this node (as it prints) begins; whether its place is new.
    pub(crate) fn enter(&self, node: &str) -> bool {
        self.change(|acting| {
            let place = Place::printed(node);
            let new = !acting.is_known(&place);
            if !acting.is_full() || acting.entered.contains_key(&place) {
                *acting.entered.entry(place).or_default() += 1;
            }
            new
        })
    }

    /// It ends.
    pub(crate) fn leave(&self, node: &str) {
        self.change(|acting| {
            let place = Place::printed(node);
            if let Some(count) = acting.entered.get_mut(&place) {
                *count -= 1;
                if *count == 0 {
                    acting.entered.remove(&place);
                }
            }
        });
    }

    /// The operator leaves the action, or comes back to it.
    pub(crate) fn put(&self, behind: bool) {
        self.change(|acting| acting.behind = behind);
    }

    /// Where it works.
    pub(crate) fn now(&self) -> Vec<Place> {
        self.all.lock().actions.get(&self.id).into_iter().flat_map(Acting::places).collect()
    }

    /// Whether it is in the background.
    pub(crate) fn is_behind(&self) -> bool {
        self.all.lock().actions.get(&self.id).is_some_and(|acting| acting.behind)
    }

    /// It has ended.
    pub(crate) fn end(&self) {
        self.all.lock().actions.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed<const N: usize>(nodes: [&str; N]) -> [Place; N] {
        nodes.map(Place::printed)
    }

    #[test]
    fn a_place_counts_until_the_last_call_there_has_ended() {
        let places = Arc::<Places>::default();
        let action = places.begin();
        assert!(action.enter("r.a"));
        assert!(action.enter("r.a.web[w1]"));
        assert!(!action.enter("r.a.web[w2]"), "another cell of the same node");
        assert!(!action.enter("r.a"));
        action.leave("r.a");
        action.leave("r.a.web[w1]");
        action.leave("r.never");
        assert_eq!(places.in_front(), printed(["r.a", "r.a.web"]));
        action.leave("r.a");
        action.leave("r.a.web[w2]");
        assert_eq!(places.in_front(), []);
    }

    #[test]
    fn where_an_action_was_let_counts_until_it_ends() {
        let places = Arc::<Places>::default();
        let action = places.begin();
        let [production] = printed(["r.production"]);
        assert!(action.admit(&production) && !action.admit(&production));
        assert!(!action.enter("r.production"));
        action.leave("r.production");
        assert_eq!(places.in_front(), std::slice::from_ref(&production));
        action.end();
        assert!(!action.admit(&production), "nothing of it goes on");
        assert_eq!(places.in_front(), []);
    }

    #[test]
    fn what_is_in_the_background_reads_nothing_of_the_session() {
        let places = Arc::<Places>::default();
        let (left, other) = (places.begin(), places.begin());
        let [production, staging] = printed(["r.production", "r.staging"]);
        left.admit(&production);
        left.put(true);
        other.enter("r.staging");
        assert_eq!(places.in_front(), std::slice::from_ref(&staging));
        assert_eq!(places.all(), [production.clone(), staging.clone()], "for windows, which read always");
        left.enter("r.staging.web");
        assert_eq!(places.in_front(), [staging], "whatever it comes to there");
        left.put(false);
        assert!(places.in_front().contains(&production));
    }
}
