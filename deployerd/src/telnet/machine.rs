//! The telnet protocol without input or output: bytes of the peer in; keys, sizes and answers out.
//!
//! Whatever the peer sends, memory is bounded, every answer is at most as long as what it answers, and the result
//! does not depend on how the bytes were cut into pieces.

use deployer_core::terminal::Size;

use super::codes::*;
use super::option::Switch;
use super::terminal_type::TerminalType;

/// Longest subnegotiation, bytes; of a longer one nothing is kept.
const SUBNEGOTIATION_MAX: usize = 512;

/// Too long subnegotiations until the peer is no telnet client.
const TOO_LONG_MAX: usize = 3;

/// Requests for options until the peer is no telnet client: a real one sends a dozen.
const REQUESTS_MAX: usize = 1000;

/// The key that leaves a session.
pub(super) const DETACH: u8 = 0x1c;

/// What we do for the peer: it may ask for these.
const OURS: [u8; 3] = [ECHO, SUPPRESS_GO_AHEAD, BINARY];

/// What we want of the peer.
const THEIRS: [u8; 4] = [SUPPRESS_GO_AHEAD, WINDOW_SIZE, TERMINAL_TYPE, BINARY];

/// Something that the peer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Keys, commands such as BREAK among them (Ctrl-C).
    Keys(Vec<u8>),
    /// Its window has this size.
    Size(Size),
    /// It wants to see that we are there.
    AreYouThere,
}

/// Why the peer is not listened to any more; a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It negotiates for ever.
    #[error("more than {REQUESTS_MAX} requests for telnet options: is this a telnet client?")]
    Storm,
    /// Its subnegotiations do not end.
    #[error("telnet subnegotiations of more than {SUBNEGOTIATION_MAX} bytes: is this a telnet client?")]
    TooLong,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    Command,
    /// After WILL, WONT, DO or DONT.
    Option(u8),
    Subnegotiation,
    SubnegotiationCommand,
}

/// One peer.
#[derive(Debug, Default)]
pub struct Machine {
    state: State,
    after_return: bool,
    ours: [Switch; OURS.len()],
    theirs: [Switch; THEIRS.len()],
    subnegotiation: Vec<u8>,
    too_long: usize,
    requests: usize,
    terminal_type: TerminalType,
    size: Option<Size>,
    events: Vec<Event>,
    answers: Vec<u8>,
}

impl Machine {
    /// Asks for character mode, the size of the window, the name of the terminal and eight clean bits.
    pub fn begin(&mut self) {
        for (index, option) in OURS.into_iter().enumerate() {
            if self.ours[index].ask() {
                self.answers.extend([IAC, WILL, option]);
            }
        }
        for (index, option) in THEIRS.into_iter().enumerate() {
            if self.theirs[index].ask() {
                self.answers.extend([IAC, DO, option]);
            }
        }
    }

    /// Takes bytes of the peer.
    ///
    /// # Errors
    /// When it is no telnet client; nothing after that counts.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        bytes.iter().try_for_each(|byte| self.step(*byte))
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What is to be sent, as it is.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// Whether everything that was asked has been answered.
    pub fn settled(&self) -> bool {
        let answered = self.ours.iter().chain(&self.theirs).all(|switch| !switch.is_asked());
        let typed = !self.theirs(TERMINAL_TYPE).is_on() || self.terminal_type.decided().is_some();
        let sized = !self.theirs(WINDOW_SIZE).is_on() || self.size.is_some();
        answered && typed && sized
    }

    /// The size of the peer's window, 80 x 24 when it does not tell (row R-04).
    pub fn size(&self) -> Size {
        self.size.unwrap_or(Size::DEFAULT)
    }

    /// The name of the peer's terminal, for TERM.
    pub fn term(&self) -> String {
        self.terminal_type.name()
    }

    /// Whether what we send is taken as it is, carriage returns included.
    pub fn sends_binary(&self) -> bool {
        OURS.iter().zip(self.ours).any(|(option, switch)| *option == BINARY && switch.is_on())
    }

    fn theirs(&self, option: u8) -> Switch {
        let index = THEIRS.iter().position(|known| *known == option);
        index.map_or(Switch::default(), |index| self.theirs[index])
    }

    fn step(&mut self, byte: u8) -> Result<(), Trouble> {
        self.state = match (self.state, byte) {
            (State::Data, IAC) => State::Command,
            (State::Data, _) => {
                self.data(byte);
                State::Data
            }
            (State::Command, _) => self.command(byte),
            (State::Option(verb), _) => {
                self.option(verb, byte)?;
                State::Data
            }
            (State::Subnegotiation, IAC) => State::SubnegotiationCommand,
            (State::Subnegotiation, _) => {
                self.keep(byte);
                State::Subnegotiation
            }
            (State::SubnegotiationCommand, IAC) => {
                self.keep(IAC);
                State::Subnegotiation
            }
            (State::SubnegotiationCommand, SE) => {
                self.subnegotiated()?;
                State::Data
            }
            // Its end was forgotten: what was begun counts for nothing, and the command is one.
            (State::SubnegotiationCommand, _) => {
                self.subnegotiation.clear();
                self.command(byte)
            }
        };
        Ok(())
    }

    /// A return comes as CR NUL, CR LF or CR alone; it is one key.
    fn data(&mut self, byte: u8) {
        let returns = byte == b'\r' && !self.theirs(BINARY).is_on();
        let after_return = std::mem::replace(&mut self.after_return, returns);
        if !(after_return && matches!(byte, 0 | b'\n')) {
            self.key(byte);
        }
    }

    fn key(&mut self, byte: u8) {
        match self.events.last_mut() {
            Some(Event::Keys(keys)) => keys.push(byte),
            _ => self.events.push(Event::Keys(vec![byte])),
        }
    }

    fn command(&mut self, byte: u8) -> State {
        match byte {
            IAC => self.data(IAC),
            WILL | WONT | DO | DONT => return State::Option(byte),
            SB => {
                self.subnegotiation.clear();
                return State::Subnegotiation;
            }
            IP | BRK => self.key(0x03),
            ABORT => self.key(DETACH),
            SUSP => self.key(0x1a),
            EOF => self.key(0x04),
            EC => self.key(0x7f),
            EL => self.key(0x15),
            // Once is enough, however often it was asked in one breath.
            AYT if self.events.last() != Some(&Event::AreYouThere) => self.events.push(Event::AreYouThere),
            // No operation, go ahead, data mark, abort output: nothing to do for a terminal.
            _ => {}
        }
        State::Data
    }

    fn option(&mut self, verb: u8, option: u8) -> Result<(), Trouble> {
        self.requests += 1;
        if self.requests > REQUESTS_MAX {
            return Err(Trouble::Storm);
        }
        let theirs = matches!(verb, WILL | WONT);
        let position = |known: &[u8]| known.iter().position(|known| *known == option);
        let switch = match theirs {
            true => position(&THEIRS).map(|index| &mut self.theirs[index]),
            false => position(&OURS).map(|index| &mut self.ours[index]),
        };
        let known = switch.is_some();
        let mut never = Switch::default();
        let switch = switch.unwrap_or(&mut never);
        let was_on = switch.is_on();
        let answer = match verb {
            WILL | DO => switch.agreed(known),
            _ => switch.refused(),
        };
        let is_on = switch.is_on();
        if let Some(yes) = answer {
            let word = match (theirs, yes) {
                (true, true) => DO,
                (true, false) => DONT,
                (false, true) => WILL,
                (false, false) => WONT,
            };
            self.answers.extend([IAC, word, option]);
        }
        if theirs && option == TERMINAL_TYPE && is_on && !was_on && self.terminal_type.decided().is_none() {
            self.ask_terminal_type();
        }
        Ok(())
    }

    fn ask_terminal_type(&mut self) {
        self.answers.extend([IAC, SB, TERMINAL_TYPE, SEND, IAC, SE]);
    }

    fn keep(&mut self, byte: u8) {
        // One more than fits is kept as a sign that there was more.
        if self.subnegotiation.len() <= SUBNEGOTIATION_MAX {
            self.subnegotiation.push(byte);
        }
    }

    fn subnegotiated(&mut self) -> Result<(), Trouble> {
        let bytes = std::mem::take(&mut self.subnegotiation);
        if bytes.len() > SUBNEGOTIATION_MAX {
            self.too_long += 1;
            return if self.too_long >= TOO_LONG_MAX { Err(Trouble::TooLong) } else { Ok(()) };
        }
        match bytes[..] {
            [WINDOW_SIZE, c1, c0, r1, r0] if self.theirs(WINDOW_SIZE).is_on() => {
                let size = Size::clamped(u16::from_be_bytes([r1, r0]), u16::from_be_bytes([c1, c0]));
                self.size = Some(size);
                // Of several in a row the last one counts.
                match self.events.last_mut() {
                    Some(Event::Size(last)) => *last = size,
                    _ => self.events.push(Event::Size(size)),
                }
            }
            [TERMINAL_TYPE, IS, ref name @ ..] if self.theirs(TERMINAL_TYPE).is_on() => {
                let next = self.terminal_type.told(name);
                if next {
                    self.ask_terminal_type();
                }
            }
            // Not asked for, or not understood.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
