//! Who attaches at any moment sees what those see who were there all along.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use deployer_core::terminal::Size;
use deployer_protocol::FromDaemon;
use proptest::prelude::*;

use super::clients::{Client, Clients};
use super::hygiene::{Hygiene, Piece};
use super::screen::{Screen, Vt100};
use crate::connection::{ClientId, Outbox};

const SIZE: Size = Size { rows: 6, cols: 24 };

/// A session's stream and the terminals of two clients.
struct Room {
    hygiene: Hygiene,
    screen: Vt100,
    clients: Clients,
    terminals: Vec<(Arc<Outbox>, Vt100)>,
}

impl Room {
    fn new() -> Room {
        let (hygiene, screen) = (Hygiene::default(), Vt100::new(SIZE));
        Room { hygiene, screen, clients: Clients::new(SIZE), terminals: Vec::new() }
    }

    fn join(&mut self) {
        let outbox: Arc<Outbox> = Arc::default();
        let id = ClientId(self.terminals.len() as u64);
        let client = Client {
            id,
            user: "ann".to_string(),
            watch: true,
            size: SIZE,
            opens_windows: false,
            outbox: outbox.clone(),
        };
        match self.terminals.is_empty() {
            true => self.clients.add_first(client),
            false => self.clients.add(client, &self.screen, b"above\r\n"),
        }
        self.terminals.push((outbox, Vt100::new(SIZE)));
    }

    fn shows(&mut self, bytes: &[u8]) {
        for piece in self.hygiene.feed(bytes) {
            let Piece::Show(bytes) = piece else { continue };
            if bytes.is_empty() {
                continue;
            }
            let before = self.screen.alternate();
            self.screen.feed(&bytes);
            let left = before && !self.screen.alternate();
            self.clients.output(&bytes, left, &self.screen);
        }
    }

    /// What each terminal shows in the end.
    async fn looks(&mut self) -> Vec<String> {
        let mut looks = Vec::new();
        for (outbox, terminal) in &mut self.terminals {
            outbox.end();
            while let Some(message) = outbox.next().await {
                if let FromDaemon::Output(bytes) = message {
                    terminal.feed(&bytes);
                }
            }
            looks.push(look(terminal));
        }
        looks
    }
}

/// Cell by cell, with cursor, title and modes.
fn look(terminal: &Vt100) -> String {
    let screen = terminal.screen();
    let (modes, alternate) = (screen.input_mode_formatted(), screen.alternate_screen());
    let mut text = format!("{:?} {modes:?} {alternate} {:?}\n", screen.cursor_position(), terminal.title());
    for row in 0..SIZE.rows {
        for col in 0..SIZE.cols {
            let cell = screen.cell(row, col).unwrap();
            // The colour of a blank cannot be seen, but that of its background can.
            let fgcolor =
                if cell.has_contents() && cell.contents() != " " { cell.fgcolor() } else { vt100::Color::Default };
            let plain = (fgcolor, cell.bgcolor(), cell.bold(), cell.inverse());
            let contents = if cell.has_contents() || cell.is_wide_continuation() { cell.contents() } else { " " };
            text.push_str(contents);
            if plain != (vt100::Color::Default, vt100::Color::Default, false, false) {
                text.push_str(&format!("{plain:?}"));
            }
        }
        text.push('\n');
    }
    text
}

/// What programs and views print: lines with wide characters, colours, the alternate screen, titles, modes, questions.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z ]{1,30}",
        2 => "[漢字é🦀]{1,8}",
        4 => Just("\r\n".to_string()),
        2 => Just("\x1b[?1049h\x1b[H\x1b[2J".to_string()),
        2 => Just("\x1b[m\x1b[?1049l".to_string()),
        2 => (1u16..7).prop_map(|row| format!("\x1b[{row};1H\x1b[2K")),
        2 => (30u16..48).prop_map(|colour| format!("\x1b[{colour}m")),
        1 => Just("\x1b[m".to_string()),
        1 => "[a-z]{1,9}".prop_map(|title| format!("\x1b]2;{title}\x07")),
        1 => (prop_oneof![Just("1"), Just("25"), Just("2004"), Just("1000"), Just("1006"), Just("1004")], "[hl]")
            .prop_map(|(mode, set)| format!("\x1b[?{mode}{set}")),
        1 => Just("\x1b[6n\x1b]52;c;QQ==\x07".to_string()),
    ]
}

/// The alternate screen is entered and left in turn: leaving it twice restores a cursor that was saved before, and no
/// model tells that one.
fn in_turn(pieces: Vec<String>) -> String {
    let mut alternate = false;
    let mut stream = String::new();
    for piece in pieces {
        let (enters, leaves) = (piece.contains("1049h"), piece.contains("1049l"));
        if (enters && alternate) || (leaves && !alternate) {
            continue;
        }
        alternate = enters || (alternate && !leaves);
        stream.push_str(&piece);
    }
    stream
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    // rows: Q-09
    #[test]
    fn a_newcomer_sees_what_everybody_sees(pieces in proptest::collection::vec(piece(), 0..30), at in any::<prop::sample::Index>()) {
        let stream = in_turn(pieces).into_bytes();
        let (before, after) = stream.split_at(at.index(stream.len() + 1));
        let mut room = Room::new();
        room.join();
        room.shows(before);
        room.join();
        room.shows(after);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let looks = runtime.block_on(room.looks());
        prop_assert_eq!(&looks[0], &looks[1]);
        prop_assert_eq!(&looks[0], &look(&room.screen));
    }
}
