//! What a telnet client types and tells, as requests of a client.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use deployer_protocol::{ErrorKind, FromClient, Open, OpenTerminal};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::machine::{DETACH, Event, Machine};
use super::writer::Say;
use crate::connection::{Refusal, Requests};

/// Time for a client to answer what is asked at the beginning; real ones take milliseconds.
const ANSWERS: Duration = Duration::from_secs(1);

/// Time for a peer to say anything at all; it has no session yet.
const FIRST_WORD: Duration = Duration::from_secs(20);

/// Time without a key after which the line is given up; the session goes on (design 7).
const IDLE: Duration = Duration::from_secs(8 * 60 * 60);

/// Bytes read at once.
const READ: usize = 4096;

/// Shown to a peer that does not negotiate: it may be a person with `nc`.
const PRESS_ENTER: &[u8] = b"deployer: press Enter to begin\r\n";

/// The reading half of a telnet connection.
pub(super) struct TelnetRequests {
    socket: OwnedReadHalf,
    machine: Machine,
    buffer: BytesMut,
    ready: VecDeque<FromClient>,
    say: mpsc::Sender<Say>,
    told_binary: bool,
    last_key: Instant,
}

impl TelnetRequests {
    pub(super) fn new(socket: OwnedReadHalf, say: mpsc::Sender<Say>) -> TelnetRequests {
        let buffer = BytesMut::with_capacity(READ);
        let last_key = Instant::now();
        TelnetRequests {
            socket,
            machine: Machine::default(),
            buffer,
            ready: VecDeque::new(),
            say,
            told_binary: false,
            last_key,
        }
    }

    /// Negotiates; the first request is then a session of the right size. False when the peer has gone.
    ///
    /// # Errors
    /// A peer that says nothing, or nothing sensible.
    pub(super) async fn begin(&mut self, interactive: bool) -> Result<bool, Refusal> {
        let begin = Instant::now();
        self.machine.begin();
        self.answer()?;
        let (mut spoken, mut invited) = (false, false);
        let mut early = VecDeque::new();
        while !self.machine.settled() {
            let until = if spoken || !invited { begin + ANSWERS } else { begin + FIRST_WORD };
            match tokio::time::timeout_at(until, self.read()).await {
                Ok(Ok(true)) => {
                    spoken = true;
                    early.append(&mut self.ready);
                }
                Ok(Ok(false)) => return Ok(false),
                Ok(Err(refusal)) => return Err(refusal),
                Err(_) if spoken => break,
                Err(_) if !invited => {
                    invited = true;
                    self.say(Say::Protocol(PRESS_ENTER.to_vec()))?;
                }
                Err(_) => {
                    let sentence = format!("nothing was said within {} s", FIRST_WORD.as_secs());
                    return Err(Refusal::protocol(sentence));
                }
            }
        }
        // The Enter that was asked for is not meant for the shell.
        if !invited {
            early.retain(|request| matches!(request, FromClient::Input(_)));
            self.ready = early;
        }
        self.last_key = Instant::now();
        self.ready.push_front(FromClient::Open(self.open(interactive)));
        Ok(true)
    }

    fn open(&self, interactive: bool) -> Open {
        let (size, term) = (self.machine.size(), self.machine.term());
        let colour = term != "dumb" && !term.starts_with("vt");
        let terminal = Some(OpenTerminal { rows: size.rows, cols: size.cols, term, colour });
        Open { name: None, path: Vec::new(), action: None, terminal, interactive }
    }

    /// Reads once; false at the end. Cancel safe: nothing is lost between reading and keeping.
    async fn read(&mut self) -> Result<bool, Refusal> {
        self.buffer.reserve(READ);
        match self.socket.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => return Ok(false),
            Ok(_) => {}
        }
        let bytes = self.buffer.split();
        let outcome = self.machine.feed(&bytes);
        self.answer()?;
        for event in self.machine.take_events() {
            self.request(event)?;
        }
        outcome.map_err(|trouble| Refusal::protocol(trouble.to_string()))?;
        Ok(true)
    }

    fn request(&mut self, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Keys(keys) => {
                self.last_key = Instant::now();
                let detach = keys.iter().position(|key| *key == DETACH);
                let mut typed = Bytes::from(keys);
                // What is typed behind the key that leaves is meant for nobody.
                typed.truncate(detach.unwrap_or(typed.len()));
                self.ready.push_back(FromClient::Input(typed));
                self.ready.extend(detach.map(|_| FromClient::Detach(())));
            }
            Event::Size(size) => self.ready.push_back(FromClient::Resize((size.rows, size.cols))),
            Event::AreYouThere => self.say(Say::Protocol(b"\r\n[deployer: yes]\r\n".to_vec()))?,
        }
        Ok(())
    }

    fn answer(&mut self) -> Result<(), Refusal> {
        let answers = self.machine.take_answers();
        if !answers.is_empty() {
            self.say(Say::Protocol(answers))?;
        }
        if self.machine.sends_binary() != self.told_binary {
            self.told_binary = !self.told_binary;
            self.say(Say::Binary(self.told_binary))?;
        }
        Ok(())
    }

    /// Never waits: a peer that asks and does not take the answers is no client.
    fn say(&self, say: Say) -> Result<(), Refusal> {
        match self.say.try_send(say) {
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(Refusal::protocol("asks for telnet options and does not read the answers"))
            }
            // A writer that has ended has said so itself.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }
}

impl Requests for TelnetRequests {
    async fn next(&mut self) -> Option<Result<FromClient, Refusal>> {
        loop {
            if let Some(request) = self.ready.pop_front() {
                return Some(Ok(request));
            }
            let idle = self.last_key + IDLE;
            match tokio::time::timeout_at(idle, self.read()).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return None,
                Ok(Err(refusal)) => return Some(Err(refusal)),
                Err(_) => {
                    let hours = IDLE.as_secs() / 3600;
                    let sentence =
                        format!("nothing was typed for {hours} hours: the line is closed, the session goes on");
                    return Some(Err(Refusal(ErrorKind::Unavailable, sentence)));
                }
            }
        }
    }
}
