//! The sessions of a daemon by name. Plain data behind a mutex: looking never asks a session.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deployer_protocol::{ErrorKind, SessionInfo};
use tokio::sync::watch;

use crate::session::{Handle, Inbox};

/// Sessions at once; each has a PTY and a screen model, and they outlive their clients.
const SESSIONS_MAX: usize = 1000;

/// Longest name of a session.
const NAME_MAX: usize = 64;

/// Sessions, oldest first.
#[derive(Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    changed: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct State {
    sessions: Vec<Arc<Handle>>,
    /// What windows show that are no sessions; they can be joined and ended by name, and are not listed.
    panes: Vec<Arc<Handle>>,
    /// Numbers given to sessions without a name; never used again while the daemon lives.
    numbered: u64,
    closed: bool,
}

/// Why there is no new session; a sentence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    /// Not a name.
    #[error("'{}' cannot be the name of a session: 1 to {NAME_MAX} letters, digits, dots, dashes and underscores", .0.escape_debug())]
    Name(String),
    /// There is one already.
    #[error("session {0} exists already: `deployer connect --session {0}` joins it")]
    Taken(String),
    /// Too many.
    #[error("{SESSIONS_MAX} sessions are open: end some first")]
    Full,
    /// The daemon ends.
    #[error("the daemon is stopping")]
    Closed,
}

impl OpenError {
    /// For the client's exit code.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            OpenError::Name(_) | OpenError::Taken(_) => ErrorKind::Session,
            OpenError::Full | OpenError::Closed => ErrorKind::Unavailable,
        }
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session under the wanted name, or `s1`, `s2`, ... without one.
    pub(crate) fn add<T>(
        &self,
        wanted: Option<&str>,
        make: impl FnOnce(String) -> (Arc<Handle>, T),
    ) -> Result<(Arc<Handle>, T), OpenError> {
        let mut state = self.lock();
        if state.closed {
            return Err(OpenError::Closed);
        }
        if state.sessions.len() >= SESSIONS_MAX {
            return Err(OpenError::Full);
        }
        let name = match wanted {
            Some(name) => state.checked(name)?,
            None => state.numbered(),
        };
        let (handle, rest) = make(name);
        handle.summary.tell(self.changed.clone());
        state.sessions.push(handle.clone());
        Ok((handle, rest))
    }

    /// The session of this name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Handle>> {
        self.lock().find(name)
    }

    /// Takes a session out that has ended; its name is free again.
    pub(crate) fn remove(&self, handle: &Arc<Handle>) {
        let mut state = self.lock();
        state.sessions.retain(|other| !Arc::ptr_eq(other, handle));
        state.panes.retain(|other| !Arc::ptr_eq(other, handle));
        drop(state);
        handle.set_ended();
        self.changed.send_modify(|count| *count += 1);
    }

    /// Changes whenever a session begins or ends an action, or ends.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Adds a pane under this name, with a number behind it when that is taken.
    pub(crate) fn add_pane(
        &self,
        name: &str,
        make: impl FnOnce(String) -> (Arc<Handle>, Inbox),
    ) -> (Arc<Handle>, Inbox) {
        let mut state = self.lock();
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.to_string()).chain(numbered);
        let free = names.find(|name| state.find(name).is_none()).unwrap_or_default();
        let (handle, inbox) = make(free);
        state.panes.push(handle.clone());
        (handle, inbox)
    }

    /// What `list-sessions` shows.
    pub(crate) fn infos(&self) -> Vec<SessionInfo> {
        self.all().iter().map(|handle| handle.summary.info()).collect()
    }

    /// All sessions.
    pub(crate) fn all(&self) -> Vec<Arc<Handle>> {
        self.lock().sessions.clone()
    }

    /// No new sessions any more; those that there are, and the panes.
    pub(crate) fn close(&self) -> Vec<Arc<Handle>> {
        let mut state = self.lock();
        state.closed = true;
        state.sessions.iter().chain(&state.panes).cloned().collect()
    }
}

impl State {
    fn find(&self, name: &str) -> Option<Arc<Handle>> {
        self.sessions.iter().chain(&self.panes).find(|handle| handle.name == name).cloned()
    }

    fn checked(&self, name: &str) -> Result<String, OpenError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(allowed) {
            return Err(OpenError::Name(name.chars().take(NAME_MAX).collect()));
        }
        match self.find(name) {
            Some(_) => Err(OpenError::Taken(name.to_string())),
            None => Ok(name.to_string()),
        }
    }

    fn numbered(&mut self) -> String {
        loop {
            self.numbered += 1;
            let name = format!("s{}", self.numbered);
            if self.find(&name).is_none() {
                return name;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::authority::Person;

    fn add(registry: &Registry, name: Option<&str>) -> Result<Arc<Handle>, OpenError> {
        let make = |name| {
            let (handle, inbox) = Handle::new(name, Arc::new(Person::look_up(0, 0)), true, CancellationToken::new());
            (handle, inbox)
        };
        registry.add(name, make).map(|(handle, _)| handle)
    }

    #[test]
    fn names_are_given_or_counted_and_free_again_after_the_end() {
        let registry = Registry::default();
        assert_eq!(add(&registry, None).unwrap().name, "s1");
        add(&registry, Some("s2")).unwrap();
        assert_eq!(add(&registry, None).unwrap().name, "s3");
        let web = add(&registry, Some("web-1.prod_x")).unwrap();
        assert_eq!(add(&registry, Some("web-1.prod_x")).err(), Some(OpenError::Taken("web-1.prod_x".to_string())));
        registry.remove(&web);
        assert!(web.has_ended());
        add(&registry, Some("web-1.prod_x")).unwrap();
        let names: Vec<String> = registry.infos().into_iter().map(|info| info.name).collect();
        assert_eq!(names, ["s1", "s2", "s3", "web-1.prod_x"]);
    }

    #[test]
    fn a_name_that_could_be_something_else_is_refused() {
        let registry = Registry::default();
        for bad in ["", "a b", "../x", "\x1b[2J", "ä", &"x".repeat(65)] {
            assert!(matches!(add(&registry, Some(bad)), Err(OpenError::Name(_))), "{bad:?}");
        }
        assert_eq!(registry.infos(), []);
    }

    #[test]
    fn there_is_a_limit_and_an_end() {
        let registry = Registry::default();
        for _ in 0..SESSIONS_MAX {
            add(&registry, None).unwrap();
        }
        assert_eq!(add(&registry, None).err(), Some(OpenError::Full));
        assert_eq!(registry.close().len(), SESSIONS_MAX);
        assert_eq!(add(&registry, None).err(), Some(OpenError::Closed));
    }
}
