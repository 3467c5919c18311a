//! The nodes that a session acts on now: who types at what runs must be allowed on all of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::authority::Place;

/// Places that are kept: beyond any tree that a person writes; only a bound.
const PLACES_MAX: usize = 100_000;

/// A mutex around plain data, never held across an await.
#[derive(Default)]
pub(crate) struct Places {
    entered: Mutex<BTreeMap<String, u32>>,
}

impl Places {
    /// An action, property or query of this node (as it prints) begins.
    pub(crate) fn enter(&self, node: &str) {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        if entered.len() < PLACES_MAX || entered.contains_key(node) {
            *entered.entry(node.to_string()).or_default() += 1;
        }
    }

    /// It ends.
    pub(crate) fn leave(&self, node: &str) {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = entered.get_mut(node) {
            *count -= 1;
            if *count == 0 {
                entered.remove(node);
            }
        }
    }

    /// Where it acts now; nowhere while the shell waits for a line.
    pub(crate) fn now(&self) -> Vec<Place> {
        let entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut places: Vec<Place> = entered.keys().map(|node| Place::printed(node)).collect();
        places.dedup();
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_until_the_last_call_there_has_ended() {
        let places = Places::default();
        for node in ["r.a", "r.a.web[w1]", "r.a.web[w2]", "r.a"] {
            places.enter(node);
        }
        assert_eq!(places.now(), [Place::printed("r.a"), Place::printed("r.a.web")]);
        places.leave("r.a");
        places.leave("r.a.web[w1]");
        places.leave("r.never");
        assert_eq!(places.now(), [Place::printed("r.a"), Place::printed("r.a.web")]);
        places.leave("r.a");
        places.leave("r.a.web[w2]");
        assert_eq!(places.now(), []);
    }
}
