//! Who is attached to a session, what each of them is shown, and whose size counts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::terminal::Size;
use deployer_protocol::FromDaemon;
use tokio::time::Instant;

use super::caught_up::CaughtUp;
use super::screen::{Screen, known_state};
use crate::connection::{ClientId, Outbox, Put};

/// Time between two paintings of a cropped view: fast enough for eyes, cheap under a flood.
const FRAME: Duration = Duration::from_millis(33);

/// A client of a session.
pub(crate) struct Client {
    /// Which one.
    pub(crate) id: ClientId,
    /// Who it is, for people.
    pub(crate) user: String,
    /// Without a keyboard.
    pub(crate) watch: bool,
    /// Size of its terminal.
    pub(crate) size: Size,
    /// Whether it can open windows for its operator.
    pub(crate) opens_windows: bool,
    /// Where messages for it go.
    pub(crate) outbox: Arc<Outbox>,
}

struct Attached {
    client: Client,
    /// When it last typed, in a count that only grows; the size follows the highest.
    typed: u64,
    view: View,
    /// It was shown the whole screen at least once; until then its terminal shows more than the session.
    painted: bool,
    /// Its terminal's other screen is not the session's: leaving the alternate screen needs a repaint.
    other_screen_unknown: bool,
}

/// What a client is shown.
enum View {
    /// The bytes as they come: its terminal has the session's size.
    Live,
    /// Nothing, until it has read what waits; then a repaint.
    CutOff,
    /// The part of the screen that fits.
    Cropped(Cropped),
}

struct Cropped {
    shown: Vec<String>,
    /// Whether it is painted on the alternate screen, as the session is: then a client that leaves finds its own again.
    alternate: bool,
    painted: Instant,
    /// The last painting is not with the client yet.
    busy: bool,
    dirty: bool,
}

/// The clients of one session.
pub(crate) struct Clients {
    attached: Vec<Attached>,
    size: Size,
    clock: u64,
    caught_up: Arc<CaughtUp>,
}

impl Clients {
    /// Nobody yet, at this size.
    pub(crate) fn new(size: Size) -> Clients {
        Clients { attached: Vec::new(), size, clock: 0, caught_up: Arc::default() }
    }

    /// Tells of clients that have read all there was.
    pub(crate) fn caught_up(&self) -> Arc<CaughtUp> {
        self.caught_up.clone()
    }

    /// Adds the client that opened the session. Its terminal is left as it is: nothing was shown yet, and an action
    /// in the middle of somebody's screen should not clear it.
    pub(crate) fn add_first(&mut self, client: Client) {
        let attached = Attached { client, typed: 0, view: View::Live, painted: false, other_screen_unknown: false };
        self.attached.push(attached);
    }

    /// Adds a client and shows it the screen; `above`: what has scrolled off it, for its terminal's own scrollback.
    pub(crate) fn add(&mut self, client: Client, screen: &dyn Screen, above: &[u8]) {
        let attached = Attached { client, typed: 0, view: View::Live, painted: true, other_screen_unknown: true };
        self.attached.push(attached);
        let last = self.attached.len() - 1;
        self.show_with(last, screen, above);
    }

    /// Removes a client.
    pub(crate) fn remove(&mut self, id: ClientId) -> Option<Client> {
        let index = self.index(id)?;
        Some(self.attached.remove(index).client)
    }

    /// Nobody is attached.
    pub(crate) fn is_empty(&self) -> bool {
        self.attached.is_empty()
    }

    /// The client that opens windows: of those that can and may type, the one that typed last.
    pub(crate) fn opener(&self) -> Option<&Client> {
        let able = self.attached.iter().filter(|attached| attached.client.opens_windows && !attached.client.watch);
        able.max_by_key(|attached| attached.typed).map(|attached| &attached.client)
    }

    /// Sends everybody a message.
    pub(crate) fn tell(&self, message: &FromDaemon) {
        self.attached.iter().for_each(|attached| attached.client.outbox.put(message.clone()));
    }

    /// Who is attached, for people.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |attached: &Attached| match attached.client.watch {
            true => format!("{} (watching)", attached.client.user),
            false => attached.client.user.clone(),
        };
        self.attached.iter().map(name).collect()
    }

    /// Notes a new size of a client's terminal.
    pub(crate) fn resized(&mut self, id: ClientId, size: Size) {
        if let Some(index) = self.index(id) {
            self.attached[index].client.size = size;
        }
    }

    /// Notes that a client has typed.
    pub(crate) fn typed(&mut self, id: ClientId) {
        self.clock += 1;
        if let Some(index) = self.index(id) {
            self.attached[index].typed = self.clock;
        }
    }

    /// The size that the session should have: that of the client that typed last, of the first one when nobody has;
    /// never that of a watcher. The present one when nobody counts.
    pub(crate) fn wanted_size(&self) -> Size {
        let typists = self.attached.iter().rev().filter(|attached| !attached.client.watch);
        typists.max_by_key(|attached| attached.typed).map_or(self.size, |attached| attached.client.size)
    }

    /// The session has a new size: everybody sees the screen anew, but for a terminal that was never painted: it has
    /// arranged its lines itself.
    pub(crate) fn set_size(&mut self, size: Size, screen: &dyn Screen) {
        self.size = size;
        for index in 0..self.attached.len() {
            let attached = &self.attached[index];
            let arranged_itself = !attached.painted && attached.client.size == size;
            if !(arranged_itself && matches!(attached.view, View::Live)) {
                self.show(index, screen);
            }
        }
    }

    /// Shows one client the screen from scratch, after its own size changed.
    pub(crate) fn show_again(&mut self, id: ClientId, screen: &dyn Screen) {
        if let Some(index) = self.index(id) {
            self.show(index, screen);
        }
    }

    /// Passes output on, that `screen` has taken already. Never waits.
    pub(crate) fn output(&mut self, bytes: &[u8], left_alternate: bool, screen: &dyn Screen) {
        // Once for all: a hundred who are slow to read share what waits for them.
        let bytes = Bytes::copy_from_slice(bytes);
        for index in 0..self.attached.len() {
            let attached = &mut self.attached[index];
            match &mut attached.view {
                View::Live if left_alternate && attached.other_screen_unknown => self.show(index, screen),
                View::Live => {
                    if attached.client.outbox.put_output(&bytes) == Put::CutOff {
                        attached.view = View::CutOff;
                        self.caught_up.tell_when_sent(attached.client.id, &attached.client.outbox);
                    }
                }
                View::CutOff => {}
                View::Cropped(cropped) => {
                    cropped.dirty = true;
                    if !cropped.busy && cropped.painted.elapsed() >= FRAME {
                        self.paint_cropped(index, screen);
                    }
                }
            }
        }
    }

    /// A client has read all there was.
    pub(crate) fn has_caught_up(&mut self, id: ClientId, screen: &dyn Screen) {
        let Some(index) = self.index(id) else { return };
        match &mut self.attached[index].view {
            View::Live => {}
            View::CutOff => self.show(index, screen),
            View::Cropped(cropped) => cropped.busy = false,
        }
    }

    /// When the next cropped view is due to be painted.
    pub(crate) fn next_frame(&self) -> Option<Instant> {
        let due = self.attached.iter().filter_map(|attached| match &attached.view {
            View::Cropped(cropped) if cropped.dirty && !cropped.busy => Some(cropped.painted + FRAME),
            _ => None,
        });
        due.min()
    }

    /// Paints the cropped views that are due.
    pub(crate) fn paint_due(&mut self, screen: &dyn Screen) {
        let now = Instant::now();
        for index in 0..self.attached.len() {
            if let View::Cropped(cropped) = &self.attached[index].view
                && cropped.dirty
                && !cropped.busy
                && cropped.painted + FRAME <= now
            {
                self.paint_cropped(index, screen);
            }
        }
    }

    /// Sends everybody the last messages and forgets them. Who was cut off is shown the last screen before: how it ended
    /// is what they waited for.
    pub(crate) fn end(&mut self, messages: &[FromDaemon], screen: &dyn Screen) {
        for index in 0..self.attached.len() {
            if matches!(self.attached[index].view, View::CutOff) {
                self.show(index, screen);
            }
        }
        for attached in self.attached.drain(..) {
            for message in messages {
                attached.client.outbox.put(message.clone());
            }
        }
    }

    fn index(&self, id: ClientId) -> Option<usize> {
        self.attached.iter().position(|attached| attached.client.id == id)
    }

    fn show(&mut self, index: usize, screen: &dyn Screen) {
        self.show_with(index, screen, b"");
    }

    fn show_with(&mut self, index: usize, screen: &dyn Screen, above: &[u8]) {
        let size = self.size;
        let attached = &mut self.attached[index];
        attached.painted = true;
        if attached.client.size == size {
            attached.view = View::Live;
            attached.other_screen_unknown = screen.alternate();
            let repaint = match above {
                b"" => screen.repaint(),
                _ => [known_state(), above, &screen.repaint()].concat(),
            };
            attached.client.outbox.put_repaint(&repaint.into());
        } else {
            let cropped =
                Cropped { shown: Vec::new(), alternate: false, painted: Instant::now(), busy: false, dirty: true };
            attached.view = View::Cropped(cropped);
            attached.client.outbox.put_repaint(&Bytes::from_static(known_state()));
            self.paint_cropped(index, screen);
        }
    }

    fn paint_cropped(&mut self, index: usize, screen: &dyn Screen) {
        let attached = &mut self.attached[index];
        let View::Cropped(cropped) = &mut attached.view else { return };
        let rows = screen.cropped(attached.client.size);
        let mut changes = String::new();
        if std::mem::replace(&mut cropped.alternate, screen.alternate()) != screen.alternate() {
            changes.push_str(if cropped.alternate { "\x1b[?1049h" } else { "\x1b[?1049l" });
            cropped.shown.clear();
        }
        for (i, row) in rows.iter().enumerate() {
            // The last entry is the cursor, which is set after every change.
            let cursor = i + 1 == rows.len();
            if cursor {
                changes.push_str(row);
            } else if cropped.shown.get(i) != Some(row) {
                changes.push_str(&format!("\x1b[{};1H{row}", i + 1));
            }
        }
        cropped.shown = rows;
        cropped.painted = Instant::now();
        cropped.dirty = false;
        cropped.busy = true;
        if attached.client.outbox.put_output(&changes.into()) == Put::CutOff {
            // Everything is painted again when it has caught up.
            attached.view = View::CutOff;
        }
        self.caught_up.tell_when_sent(attached.client.id, &attached.client.outbox);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::screen::Vt100;
    use super::*;

    const SMALL: Size = Size { rows: 24, cols: 80 };
    const LARGE: Size = Size { rows: 50, cols: 132 };

    fn client(id: u64, watch: bool, size: Size) -> Client {
        Client { id: ClientId(id), user: "ann".to_string(), watch, size, opens_windows: false, outbox: Arc::default() }
    }

    // rows: Q-14
    #[test]
    fn the_size_follows_who_typed_last_and_never_a_watcher() {
        let screen = Vt100::new(SMALL);
        let mut clients = Clients::new(SMALL);
        assert_eq!(clients.wanted_size(), SMALL);
        clients.add(client(1, true, LARGE), &screen, b"");
        assert_eq!(clients.wanted_size(), SMALL, "a watcher alone");
        clients.add(client(2, false, LARGE), &screen, b"");
        clients.add(client(3, false, SMALL), &screen, b"");
        assert_eq!(clients.wanted_size(), LARGE, "the first who can type");
        clients.typed(ClientId(3));
        assert_eq!(clients.wanted_size(), SMALL);
        clients.resized(ClientId(3), Size { rows: 1, cols: 2 });
        assert_eq!(clients.wanted_size(), Size { rows: 1, cols: 2 });
        clients.remove(ClientId(3));
        assert_eq!(clients.wanted_size(), LARGE);
    }

    /// A client that has read nothing of more than may wait for it.
    fn flooded(screen: &mut Vt100, clients: &mut Clients) -> Arc<Outbox> {
        let slow = client(1, false, SMALL);
        let outbox = slow.outbox.clone();
        clients.add(slow, screen, b"");
        for number in 0..300 {
            let bytes = format!("line {number}{}\r\n", ".".repeat(5000));
            screen.feed(bytes.as_bytes());
            clients.output(bytes.as_bytes(), false, screen);
        }
        outbox
    }

    /// What a terminal shows that reads all there is.
    async fn shown(outbox: Arc<Outbox>) -> Vt100 {
        let mut terminal = Vt100::new(SMALL);
        while let Some(message) = outbox.next().await {
            if let FromDaemon::Output(bytes) = message {
                terminal.feed(&bytes);
            }
        }
        terminal
    }

    #[tokio::test]
    async fn a_client_that_was_cut_off_is_repainted_when_it_reads() {
        let mut screen = Vt100::new(SMALL);
        let mut clients = Clients::new(SMALL);
        let outbox = flooded(&mut screen, &mut clients);
        let caught_up = clients.caught_up();
        let reading = tokio::spawn(shown(outbox.clone()));
        let id = caught_up.next().await;
        clients.has_caught_up(id, &screen);
        outbox.end();
        assert_eq!(reading.await.unwrap().repaint(), screen.repaint());
    }

    #[tokio::test]
    async fn a_client_that_was_cut_off_is_shown_how_it_ended() {
        let mut screen = Vt100::new(SMALL);
        let mut clients = Clients::new(SMALL);
        let outbox = flooded(&mut screen, &mut clients);
        clients.end(&[], &screen);
        outbox.end();
        assert_eq!(shown(outbox).await.repaint(), screen.repaint());
    }
}
