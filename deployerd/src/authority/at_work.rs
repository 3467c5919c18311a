//! Keeps keys of those who may not act on a node from what is at work there.
//!
//! From the moment at which an action comes to a node, keys of those who are not operator there do not reach it: those
//! that come are refused ([`may_type`], asked when they arrive), those that wait are dropped.

use std::sync::Arc;

use deployer_core::terminal::KeyboardHub;

use super::{Authority, Person, Place, Policy, Rank};
use crate::journal::{About, Entry, Journal, What, text};
use crate::session::{ActionPlaces, Handle};

/// Where somebody may not act, of places where something would read what he types; `None` when he may type.
pub(crate) fn kept_from(policy: &Policy, person: &Person, session: &Handle) -> Option<Place> {
    if !policy.has_limits() && policy.rank(person) >= Some(Rank::Operator) {
        return None;
    }
    session.read_for().into_iter().find(|place| !may_act(policy, person, place))
}

fn may_act(policy: &Policy, person: &Person, place: &Place) -> bool {
    policy.rank_at(person, place).0 >= Some(Rank::Operator)
}

/// One action, as far as it has to do with the keyboard.
pub(crate) struct AtWork {
    pub(crate) handle: Arc<Handle>,
    pub(crate) authority: Arc<Authority>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) places: ActionPlaces,
}

impl AtWork {
    /// One begins.
    pub(crate) fn begin(handle: &Arc<Handle>, authority: &Arc<Authority>, journal: &Arc<Journal>) -> Arc<AtWork> {
        let places = handle.places.begin();
        Arc::new(AtWork { handle: handle.clone(), authority: authority.clone(), journal: journal.clone(), places })
    }

    fn keys(&self) -> &KeyboardHub {
        &self.handle.keyboard
    }

    /// It was let to a place, and may read keys there until it ends.
    pub(crate) fn admitted(&self, place: &Place) {
        if self.places.admit(place) {
            self.drop_what_waits(place);
        }
    }

    /// An action, property or query of this node (as it prints) begins.
    pub(crate) fn enters(&self, node: &str) {
        if self.places.enter(node) {
            self.drop_what_waits(&Place::printed(node));
        }
    }

    /// It ends.
    pub(crate) fn leaves(&self, node: &str) {
        self.places.leave(node);
    }

    /// The keyboard was taken from it.
    pub(crate) fn goes_behind(&self) {
        self.places.put(true);
    }

    /// It is to have the keyboard again.
    ///
    /// # Errors
    /// A sentence, when nobody who may have asked for that may type there.
    pub(crate) fn comes_back(&self) -> Result<(), String> {
        let policy = self.authority.policy();
        let asked = self.handle.typists.waiting();
        let places = self.places.now();
        let lacks = |person: &Person| places.iter().find(|place| !may_act(&policy, person, place));
        if let Some(person) = asked.last()
            && let Some(place) = lacks(person)
            && asked.iter().all(|person| lacks(person).is_some())
        {
            let why = format!(
                "{} may not type while something runs on {place}, so it stays in the background: ask an operator of {place}",
                person.name
            );
            let about = About::person(person).in_session(&self.handle.name);
            let what =
                What::Refusal { verb: "jobs".to_string(), node: Some(text(&place.to_string())), reason: text(&why) };
            self.journal.write(Entry::now(about, what));
            return Err(why);
        }
        self.places.put(false);
        // Somebody may have typed since.
        if !self.handle.typists.waiting().iter().all(|person| lacks(person).is_none()) {
            self.keys().flush();
        }
        Ok(())
    }

    /// It has ended.
    pub(crate) fn is_over(&self) {
        self.places.end();
    }

    /// Keys wait for whoever reads next: not for what runs here when one who may not type here has typed some of them.
    fn drop_what_waits(&self, place: &Place) {
        let policy = self.authority.policy();
        let everybody_may = || self.handle.typists.waiting().iter().all(|person| may_act(&policy, person, place));
        if !self.places.is_behind() && !everybody_may() {
            self.keys().flush();
        }
        // What waits for an isolation has no names on it any more.
        if policy.limits_somebody(place) {
            self.keys().flush_below();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use bytes::Bytes;
    use futures_util::FutureExt;
    use tokio_util::sync::CancellationToken;

    use super::*;

    pub(crate) const ANN: u32 = 1001;
    pub(crate) const CARL: u32 = 1002;

    /// A session of Carl's, where Ann types, too, who is viewer on production.
    pub(crate) fn shared_session() -> (Arc<Handle>, Arc<Authority>) {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("policy.toml");
        let limit = "[[limits]]\nnode = \"production\"\nrank = \"viewer\"\nusers = [\"1001\"]\n";
        std::fs::write(&file, format!("[users]\n1001 = \"operator\"\n1002 = \"operator\"\n{limit}")).unwrap();
        let owner = Person::of_this_process();
        let policy = Policy::read(&file, owner.uid).unwrap();
        let (handle, _inbox) = Handle::new("s1".to_string(), person(CARL), true, CancellationToken::new());
        (handle, Authority::new(owner, Some(file), policy))
    }

    pub(crate) fn person(uid: u32) -> Arc<Person> {
        Arc::new(Person { uid, name: format!("u{uid}"), groups: Vec::new() })
    }

    async fn typed(session: &Handle, uid: u32, text: &'static str) {
        session.typists.typed(&person(uid), text.len());
        session.keyboard.push(Bytes::from_static(text.as_bytes())).await;
    }

    fn read(session: &Handle) -> Option<Bytes> {
        session.keyboard.lease().read().now_or_never().flatten()
    }

    fn action(session: &Arc<Handle>, authority: &Arc<Authority>) -> Arc<AtWork> {
        AtWork::begin(session, authority, &Journal::none())
    }

    #[tokio::test]
    async fn what_somebody_without_rights_typed_is_dropped_where_it_could_be_read() {
        let (session, authority) = shared_session();
        let production = Place::printed("r.production.web");
        typed(&session, CARL, "ls\r").await;
        action(&session, &authority).admitted(&production);
        assert_eq!(read(&session).as_deref(), Some(&b"ls\r"[..]), "carl may");
        typed(&session, ANN, "ls\r").await;
        action(&session, &authority).admitted(&Place::printed("r.staging"));
        assert!(!session.keyboard.is_idle(), "ann may there");
        action(&session, &authority).admitted(&production);
        assert_eq!(read(&session), None);
    }

    #[tokio::test]
    async fn what_is_in_the_background_takes_no_keys_from_the_prompt() {
        let (session, authority) = shared_session();
        let (production, staging) = (Place::printed("r.production"), Place::printed("r.staging"));
        let left = action(&session, &authority);
        left.admitted(&staging);
        left.goes_behind();
        typed(&session, ANN, "ls\r").await;
        left.admitted(&production);
        assert_eq!(read(&session).as_deref(), Some(&b"ls\r"[..]), "the prompt reads them");
        let policy = authority.policy();
        assert_eq!(kept_from(&policy, &person(ANN), &session), None);
        let (window, _inbox) = Handle::window_of(&session, "s1/web1".to_string(), person(ANN));
        assert_eq!(
            kept_from(&policy, &person(ANN), &window),
            Some(production),
            "an isolation in a window reads always"
        );
    }

    #[tokio::test]
    async fn only_who_may_type_there_brings_an_action_back() {
        let (session, authority) = shared_session();
        let production = Place::printed("r.production");
        let left = action(&session, &authority);
        left.admitted(&production);
        left.goes_behind();
        typed(&session, ANN, "jobs 1\r").await;
        assert!(left.comes_back().unwrap_err().contains("u1001 may not type"));
        assert_eq!(session.read_for(), [], "it stays behind");
        typed(&session, CARL, "jobs 1\r").await;
        left.comes_back().unwrap();
        assert_eq!(kept_from(&authority.policy(), &person(ANN), &session), Some(production));
        assert_eq!(read(&session), None, "some of it may be ann's");
        left.is_over();
        assert_eq!(session.read_for(), []);
    }

    #[tokio::test]
    async fn what_waits_for_an_isolation_is_dropped_where_not_everybody_may_type() {
        let (session, authority) = shared_session();
        let (tile, (window, _inbox)) =
            (session.keyboard.below(), Handle::window_of(&session, "s1/web1".to_string(), person(ANN)));
        let work = action(&session, &authority);
        work.admitted(&Place::printed("r.staging"));
        for keyboard in [&tile, &window.keyboard] {
            keyboard.push(Bytes::from_static(b"yes\r")).await;
        }
        work.admitted(&Place::printed("r.other"));
        assert!(!tile.is_idle() && !window.keyboard.is_idle());
        work.admitted(&Place::printed("r.production"));
        assert!(tile.is_idle() && window.keyboard.is_idle());
    }
}
