//! The task that shows the parallel runs of an action: takes events, keys and sizes, draws at most thirty times a second.
//! It is never waited for by the session's task, and waits only for its turn to write.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::terminal::{Keyboard, ParallelRun};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::keys::Effect;
use super::painter::Painter;
use super::stage::{Mode, Stage};
use super::{Event, Output, Screen};

/// Time between two pictures.
const FRAME: Duration = Duration::from_millis(33);
/// What ends sooner than this is told when it has ended; a view would only flicker.
const SHORT: Duration = Duration::from_millis(300);
/// Durations are shown in seconds.
const TICK: Duration = Duration::from_secs(1);

struct Actor {
    screen: Screen,
    stage: Stage,
    painter: Painter,
    /// While the view is shown: its keyboard.
    keyboard: Option<Keyboard>,
    /// When the first of the runs began.
    begun: Option<Instant>,
    /// The operator wants no view of these runs any more.
    given_up: bool,
    painted: Instant,
    dirty: bool,
    /// Isolations stand otherwise than the stage knows. It looks before it is asked, not each time that one of
    /// thousands begins or ends.
    stale: bool,
    /// A run that has ended while its view stays open, and who waits for it.
    closing: Option<(Arc<ParallelRun>, oneshot::Sender<String>)>,
}

/// Shows runs until nobody can begin one any more.
pub(super) async fn run(screen: Screen, mut events: mpsc::Receiver<Event>, mut printed: mpsc::Receiver<Output>) {
    let mut size = screen.size.clone();
    let mut away = screen.behind.as_ref().map(|behind| behind.away());
    let mut stage = Stage::new(*size.borrow_and_update(), screen.colour, screen.keys.clone());
    stage.can_leave = screen.behind.is_some();
    let mut actor = Actor {
        screen,
        stage,
        painter: Painter::default(),
        keyboard: None,
        begun: None,
        given_up: false,
        painted: Instant::now(),
        dirty: false,
        stale: false,
        closing: None,
    };
    let front = actor.screen.front.clone();
    loop {
        let due = actor.due();
        tokio::select! {
            biased;
            keys = read(&mut actor.keyboard) => match keys {
                Some(keys) => {
                    actor.look();
                    let effects = actor.typed(&keys);
                    actor.dirty = true;
                    actor.obey(effects).await;
                }
                None => actor.keyboard = None,
            },
            Ok(()) = size.changed() => {
                let now = *size.borrow_and_update();
                actor.stage.resize(now);
                actor.painter.forget();
                actor.dirty = true;
            }
            () = moved(&mut away) => actor.moved(),
            () = until(due), if due.is_some() => actor.show().await,
            () = front.changed() => actor.hear(),
            event = events.recv() => match event {
                Some(event) => actor.event(event).await,
                None => return,
            },
            Some(Output(id, bytes)) = printed.recv() => {
                actor.dirty = true;
                actor.stage.output(id, &bytes);
                // A flood must not keep the other tasks of this thread from running.
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Actor {
    /// Takes keys; what they do outside.
    fn typed(&mut self, keys: &Bytes) -> Vec<Effect> {
        let (mut effects, stage) = (Vec::new(), &mut self.stage);
        if let Some(keyboard) = &self.keyboard {
            self.screen.keys.pass_on(keyboard, || effects = stage.typed(keys));
        }
        effects
    }

    async fn event(&mut self, event: Event) {
        self.dirty = true;
        match event {
            Event::Begin(run, within, wish) => {
                if self.stage.runs.is_empty() {
                    self.stage.folded = wish.folded;
                    self.stage.keep_open = wish.keep_open;
                    self.begun = Some(Instant::now());
                    self.given_up = false;
                }
                self.stage.begin(run, within);
            }
            Event::Open { run, index, reply } => {
                if let Some(opened) = self.stage.open(&run, index) {
                    self.stale = true;
                    // Whoever asked was cancelled: its run ends it.
                    let _gone = reply.send(opened);
                }
            }
            Event::Changed => self.stale = true,
            Event::End(run, reply) => {
                self.stale = true;
                let last = self.stage.runs.len() == 1;
                if self.stage.keep_open && last && self.keyboard.is_some() {
                    self.stage.mode = match std::mem::replace(&mut self.stage.mode, Mode::Done) {
                        Mode::Focus(ids) => Mode::Focus(ids),
                        _ => Mode::Done,
                    };
                    self.closing = Some((run, reply));
                } else {
                    self.end(&run, Some(reply)).await;
                }
            }
            Event::Dropped(run) => self.end(&run, None).await,
        }
    }

    async fn end(&mut self, run: &Arc<ParallelRun>, reply: Option<oneshot::Sender<String>>) {
        let shown = self.stage.end(run);
        if self.stage.runs.is_empty() {
            self.leave().await;
            self.begun = None;
        }
        if let Some(reply) = reply {
            // Whoever asked was cancelled: nobody is left to show it.
            let _gone = reply.send(shown);
        }
    }

    async fn obey(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Bell => self.write(|front| front.painting(b"\x07".to_vec())).await,
                Effect::Close => {
                    if let Some((run, reply)) = self.closing.take() {
                        self.end(&run, Some(reply)).await;
                    }
                }
                Effect::Leave => {
                    if let Some(behind) = &self.screen.behind {
                        behind.leave();
                    }
                }
                Effect::GiveUp(typed) => {
                    self.given_up = true;
                    if let Some(keyboard) = &mut self.keyboard {
                        keyboard.unread(Bytes::from_static(typed));
                    }
                    self.leave().await;
                }
            }
        }
    }

    /// When something is to be done without anything happening.
    fn due(&self) -> Option<Instant> {
        let begun = self.begun.filter(|_| !self.given_up)?;
        if self.is_away() {
            return Some(self.painted + TICK);
        }
        if self.screen.front.aside() {
            return None;
        }
        if self.keyboard.is_none() {
            // Questions of isolations do not wait until a view is worth it.
            let worth_it = (begun + SHORT).max(self.painted + FRAME);
            return Some(if self.dirty { (self.painted + FRAME).min(worth_it) } else { worth_it });
        }
        match self.dirty {
            true => Some(self.painted + FRAME),
            false => Some(self.painted + TICK),
        }
    }

    fn look(&mut self) {
        if std::mem::take(&mut self.stale) {
            self.stage.look();
        }
    }

    async fn show(&mut self) {
        let now = Instant::now();
        self.painted = now;
        self.look();
        if let (true, Some(behind)) = (self.is_away(), &self.screen.behind) {
            return behind.isolation_asks(self.stage.asks());
        }
        self.dirty = false;
        if !self.screen.front.covered() {
            let wanted = self.begun.is_some_and(|begun| now >= begun + SHORT) || self.stage.asks();
            if !wanted || self.screen.front.aside() {
                return;
            }
            self.painter.forget();
            self.write(super::Front::cover).await;
            if !self.screen.front.covered() {
                return;
            }
            if self.keyboard.is_none() {
                // Keys of a view are for what it shows: who typed before could not see it.
                self.keyboard = Some(self.screen.keys.lease().only_new());
            }
        }
        let picture = self.stage.picture(now);
        let bytes = self.painter.paint(picture);
        if !bytes.is_empty() {
            self.write(|front| front.painting(bytes)).await;
        }
    }

    async fn leave(&mut self) {
        self.keyboard = None;
        self.painter.forget();
        self.write(super::Front::uncover).await;
    }

    fn is_away(&self) -> bool {
        self.screen.behind.as_ref().is_some_and(|behind| behind.is_away())
    }

    /// The operator has left the action, or has come back to it. Whoever moved it has uncovered the terminal.
    fn moved(&mut self) {
        self.keyboard = None;
        self.painter.forget();
        self.dirty = true;
    }

    fn hear(&mut self) {
        if let Some(line) = self.screen.front.last_held() {
            self.stage.say(line.trim());
        }
        self.dirty = true;
    }

    async fn write(&self, make: impl FnOnce(&super::Front) -> Vec<u8>) {
        let (front, behind) = (self.screen.front.clone(), self.screen.behind.clone());
        let away = || behind.as_ref().is_some_and(|behind| behind.is_away());
        let bytes = || if away() { Vec::new() } else { make(&front) };
        if let Err(error) = self.screen.port.write_made(bytes).await {
            tracing::debug!(%error, "a view could not be shown");
        }
    }
}

async fn read(keyboard: &mut Option<Keyboard>) -> Option<Bytes> {
    match keyboard {
        Some(keyboard) => keyboard.read().await,
        None => std::future::pending().await,
    }
}

async fn moved(away: &mut Option<tokio::sync::watch::Receiver<bool>>) {
    let heard = match away {
        Some(receiver) => receiver.changed().await.is_ok(),
        None => false,
    };
    if !heard {
        std::future::pending().await
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
