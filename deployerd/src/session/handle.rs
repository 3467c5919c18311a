//! What the daemon holds of a session: its summary, the way to its inbox, the way to end it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use deployer_protocol::ErrorKind;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::clients::Client;
use super::input::{Keys, Typed};
use super::places::Places;
use super::summary::Summary;
use crate::authority::{Access, Person, Place, Typists};
use crate::connection::ClientId;
use crate::journal::About;
use crate::windows::{Opener, SessionLog};
use deployer_core::options::Options;
use deployer_core::terminal::{KeyboardHub, Size};

/// Events that may wait for a session; it never waits for anybody, so they do not wait long.
const INBOX: usize = 64;

/// All that can happen to a session from outside.
pub(crate) enum Event {
    /// A client joins; it is told how to type.
    Attach(Client, oneshot::Sender<Keys>),
    /// A client's terminal has a new size. Answered when the session has the size that follows from it: what is typed then
    /// must not come before.
    Resize(ClientId, Size, oneshot::Sender<()>),
    /// Which client opens windows for its operator: the one that typed last of those that can.
    WhoOpensWindows(oneshot::Sender<Option<Opener>>),
    /// A client goes; the session stays. Answered when nothing more will be sent to it.
    Leave(ClientId, oneshot::Sender<()>),
    /// All who are attached shall read this; lines that end in `\n`.
    Notice(String),
    /// Somebody else may do something with the session now; a sentence.
    Changed(String),
}

/// The session's end of its inbox.
pub(crate) type Inbox = mpsc::Receiver<Event>;

/// A session as others see it.
pub(crate) struct Handle {
    /// Its name.
    pub(crate) name: String,
    /// What `list-sessions` shows.
    pub(crate) summary: Arc<Summary>,
    /// Ends it.
    pub(crate) cancel: CancellationToken,
    /// Whether others can join.
    pub(crate) has_terminal: bool,
    /// Whose it is.
    pub(crate) access: Access,
    /// Who typed what it runs.
    pub(crate) typists: Typists,
    /// Where its actions are at work; a window's are those of its session.
    pub(crate) places: Arc<Places>,
    /// What is typed at it.
    pub(crate) keyboard: KeyboardHub,
    /// A window of an isolation: what runs there reads it always.
    is_window: bool,
    /// What its operators have set.
    pub(crate) options: Arc<Options>,
    /// Its log, for windows that show it.
    pub(crate) log: Arc<SessionLog>,
    opens_windows: AtomicBool,
    inbox: mpsc::Sender<Event>,
    reason: Mutex<Option<(ErrorKind, String)>>,
    ended: watch::Sender<bool>,
}

impl Handle {
    /// A handle and the inbox for the session's task.
    pub(crate) fn new(
        name: String,
        owner: Arc<Person>,
        has_terminal: bool,
        cancel: CancellationToken,
    ) -> (Arc<Handle>, Inbox) {
        let (handle, inbox) = Handle::unshared(name, owner, has_terminal, cancel);
        (Arc::new(handle), inbox)
    }

    /// The same for a window in which an isolation of `session` shows itself and reads keys.
    pub(crate) fn window_of(session: &Handle, name: String, owner: Arc<Person>) -> (Arc<Handle>, Inbox) {
        let (handle, inbox) = Handle::unshared(name, owner, true, session.cancel.child_token());
        let (places, keyboard) = (session.places.clone(), session.keyboard.below());
        (Arc::new(Handle { places, keyboard, is_window: true, ..handle }), inbox)
    }

    fn unshared(name: String, owner: Arc<Person>, has_terminal: bool, cancel: CancellationToken) -> (Handle, Inbox) {
        let (sender, inbox) = mpsc::channel(INBOX);
        let summary = Arc::new(Summary::new(name.clone(), owner.name.clone()));
        let handle = Handle {
            name,
            summary,
            cancel,
            has_terminal,
            access: Access::of(owner),
            typists: Typists::default(),
            places: Arc::default(),
            keyboard: KeyboardHub::new(),
            is_window: false,
            options: Options::of_daemon(),
            log: SessionLog::new(),
            opens_windows: AtomicBool::new(false),
            inbox: sender,
            reason: Mutex::default(),
            ended: watch::Sender::new(false),
        };
        (handle, inbox)
    }

    /// Where something works that would read what is typed here.
    pub(crate) fn read_for(&self) -> Vec<Place> {
        match self.is_window {
            true => self.places.all(),
            false => self.places.in_front(),
        }
    }

    /// Those behind what it does, for the journal.
    pub(crate) fn about(&self) -> About {
        About::people(&self.typists.behind()).in_session(&self.name)
    }

    /// Sends something typed on its way, remembering by whom.
    pub(crate) fn send(&self, way: mpsc::Permit<'_, Typed>, typed: Typed) {
        if let (Typed::Keys { person, bytes, .. }, true) = (&typed, self.has_terminal) {
            self.typists.typed(person, bytes.len());
        }
        way.send(typed);
    }

    /// It belongs to somebody else from now on, who keeps the keyboard for whoever had it.
    pub(crate) fn hand_over(&self, to: Arc<Person>) {
        self.summary.set_owner(to.name.clone());
        self.access.hand_over(to);
    }

    /// Whether a client is attached that can open windows.
    pub(crate) fn can_open_windows(&self) -> bool {
        self.opens_windows.load(Ordering::Relaxed)
    }

    /// Said by the session when clients come and go.
    pub(super) fn set_opens_windows(&self, can: bool) {
        self.opens_windows.store(can, Ordering::Relaxed);
    }

    /// Tells the session. False when it has ended.
    pub(crate) async fn tell(&self, event: Event) -> bool {
        self.inbox.send(event).await.is_ok()
    }

    /// Shows a notice to all who are attached; one that has ended shows nothing any more.
    pub(crate) async fn notice(&self, lines: String) {
        self.tell(Event::Notice(lines)).await;
    }

    /// Tells all who are attached that somebody else may do something with it now; a sentence without its full stop.
    pub(crate) async fn changed(&self, sentence: String) {
        self.tell(Event::Changed(sentence)).await;
    }

    /// Asks it to end; the first reason is what its clients are told.
    pub(crate) fn end(&self, kind: ErrorKind, reason: String) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((kind, reason));
        self.cancel.cancel();
    }

    /// Why it was asked to end, if it was.
    pub(crate) fn reason(&self) -> Option<(ErrorKind, String)> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Said when it is out of the registry, before its clients hear of it.
    pub(crate) fn set_ended(&self) {
        self.ended.send_replace(true);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        *self.ended.borrow()
    }

    /// Waits until it has.
    pub(crate) async fn ended(&self) {
        // The sender is ours: it cannot go away meanwhile.
        let mut ended = self.ended.subscribe();
        let _always = ended.wait_for(|ended| *ended).await;
    }
}
