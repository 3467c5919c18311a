//! What a slow connection is waiting for, told to those who wait for it (row F-67).

use std::convert::Infallible;
use std::future::pending;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::hops::Route;
use super::target::Target;
use crate::host::Asker;

/// A connection that is there before this time is nothing to talk about.
const SLOW: Duration = Duration::from_secs(2);
/// A step that is over before this time is not told.
const BRIEF: Duration = Duration::from_secs(1);

/// Where an attempt to connect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The host to go through is being connected; that attempt tells about itself.
    Hop,
    /// Others log in to the same server.
    Turn,
    /// Name lookup and socket, or whatever stands for them.
    Open,
    /// Greeting, key exchange, the server's key.
    Greet,
    LogIn,
    /// A person thinks.
    Ask,
    /// The server has turned us away for now.
    Busy,
}

/// Where the steps of an attempt are put down.
pub(super) type Steps = watch::Sender<Step>;

/// Steps of an attempt that has just begun.
pub(super) fn steps() -> (Steps, watch::Receiver<Step>) {
    watch::channel(Step::Hop)
}

/// Tells one who waits.
pub(super) struct Narrator<'a> {
    pub(super) asker: &'a dyn Asker,
    /// Who it is about.
    pub(super) label: String,
    pub(super) target: &'a Target,
    /// Whether the attempt is this person's own, so that they hear about its hops from those.
    pub(super) own: bool,
}

impl Narrator<'_> {
    /// Tells about the steps, each once, for as long as it is let.
    pub(super) async fn tell(&self, mut steps: watch::Receiver<Step>) -> Infallible {
        let started = Instant::now();
        sleep(SLOW).await;
        let (mut told, mut thinking) = (None, Duration::ZERO);
        loop {
            let step = *steps.borrow_and_update();
            if told != Some(step)
                && let Some(words) = self.words(step)
            {
                let Target { user, address, port, .. } = self.target;
                let seconds = started.elapsed().saturating_sub(thinking).as_secs();
                let line = format!("{}: connecting to {user}@{address}:{port}: {words} ({seconds} s)", self.label);
                self.asker.tell(&line).await;
                told = Some(step);
            }
            let waiting = Instant::now();
            if steps.changed().await.is_err() {
                return pending().await;
            }
            if step == Step::Ask {
                // The time that a person takes is not the connection's.
                thinking += waiting.elapsed();
            }
            sleep(BRIEF).await;
        }
    }

    fn words(&self, step: Step) -> Option<String> {
        Some(match (step, &self.target.route) {
            (Step::Hop, _) if self.own => return None,
            (Step::Hop, _) => "connecting to the hop first".into(),
            (Step::Turn, _) => "waiting for other logins to the same server".into(),
            (Step::Open, Route::Direct) => "no answer yet".into(),
            (Step::Open, Route::Jump(hop)) => format!("no answer yet, {} tries to reach it", hop.name),
            (Step::Open, Route::Command(_)) => "the proxy command starts".into(),
            (Step::Greet, Route::Command(_)) => "waiting for the server behind the proxy command".into(),
            (Step::Greet, _) => "connected, waiting for the server".into(),
            (Step::LogIn, _) => "authenticating".into(),
            (Step::Ask, _) => return None,
            (Step::Busy, _) => "the server turns logins away, trying again".into(),
        })
    }
}
