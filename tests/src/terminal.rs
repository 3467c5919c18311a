//! A terminal that a story types into and reads from.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, waitpid};

use crate::processes;
use crate::wait::TIMEOUT;

/// Ctrl-C.
pub const CTRL_C: &str = "\x03";
/// Ctrl-D.
pub const CTRL_D: &str = "\x04";
/// Ctrl-\, the key that detaches.
pub const CTRL_BACKSLASH: &str = "\x1c";
/// Escape.
pub const ESCAPE: &str = "\x1b";
/// Enter.
pub const ENTER: &str = "\r";

/// How many lines of each log a failed wait prints.
const LOG_TAIL: usize = 40;

/// A command in a terminal of its own, with a screen that follows what it prints.
pub struct Terminal {
    name: String,
    pid: i32,
    /// Once the command has ended; it can be asked for only once.
    status: Option<i32>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Seen>,
    logs: Vec<PathBuf>,
}

/// What the terminal has received.
struct Seen {
    state: Mutex<State>,
    news: Condvar,
}

struct State {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// Nobody has the terminal open any more.
    closed: bool,
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn non_zero(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN)
}

impl Terminal {
    /// Starts `command` in a terminal of `rows` by `cols`. `name` tells terminals apart in failures, whose messages also carry
    /// the ends of `logs`.
    ///
    /// # Panics
    /// When there is no terminal to be had, or the command cannot be started.
    pub fn spawn(name: &str, command: CommandBuilder, rows: u16, cols: u16, logs: Vec<PathBuf>) -> Terminal {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo terminal");
        let child = pair.slave.spawn_command(command).expect("the command of the terminal");
        let reader = pair.master.try_clone_reader().expect("a reader of the terminal");
        let keys = pair.master.take_writer().expect("a writer of the terminal");
        let parser = vt100::Parser::new(non_zero(rows), non_zero(cols), 1000);
        let state = Mutex::new(State { parser, raw: Vec::new(), closed: false });
        let seen = Arc::new(Seen { state, news: Condvar::new() });
        let listening = Arc::clone(&seen);
        std::thread::spawn(move || follow(reader, &listening));
        // portable-pty's own wait forgets which signal ended the command.
        let pid = child.process_id().expect("a process id") as i32;
        Terminal { name: name.to_string(), pid, status: None, master: pair.master, keys, seen, logs }
    }

    /// Types.
    ///
    /// # Panics
    /// When the terminal does not take it.
    pub fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("typing");
        self.keys.flush().expect("typing");
    }

    /// Types a line and Enter.
    pub fn send_line(&mut self, line: &str) {
        self.send(line);
        self.send(ENTER);
    }

    /// Waits until the screen shows a fact.
    ///
    /// # Panics
    /// When it does not within [`TIMEOUT`], with the last screen and the ends of the logs.
    pub fn wait_for(&self, fact: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + TIMEOUT;
        let mut state = self.seen.lock();
        while !holds(state.parser.screen()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                panic!("{} waited {TIMEOUT:?} for: {fact}\n{}", self.name, self.evidence());
            }
            if state.closed {
                drop(state);
                panic!("{} has ended while waiting for: {fact}\n{}", self.name, self.evidence());
            }
            let woken = self.seen.news.wait_timeout(state, left);
            state = woken.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
    }

    /// Waits until the screen contains `text`, also when a narrow screen made the program fold it between two words.
    pub fn wait_for_text(&self, fact: &str, text: &str) {
        self.wait_for(&format!("{fact} ({text:?} on the screen)"), |screen| {
            let shown = screen.contents();
            shown.contains(text) || words(&shown).contains(&words(text))
        });
    }

    /// Waits until a line of the screen is exactly `line`; blanks at its end do not count.
    pub fn wait_for_line(&self, fact: &str, line: &str) {
        self.wait_for(&format!("{fact} (the line {line:?} on the screen)"), |screen| has_line(screen, line));
    }

    /// Waits until the line with the cursor starts with `prompt` and nothing is typed yet.
    pub fn wait_for_prompt(&self, prompt: &str) {
        self.wait_for(&format!("the prompt {prompt:?}"), |screen| at_prompt(screen, prompt));
    }

    /// The screen as text, lines without trailing blanks.
    pub fn contents(&self) -> String {
        self.seen.lock().parser.screen().contents()
    }

    /// Everything received so far, as it came.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().raw).into_owned()
    }

    /// Looks at the screen.
    pub fn screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.seen.lock().parser.screen())
    }

    /// Gives the terminal another size, as dragging the corner of a window does.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn resize(&self, rows: u16, cols: u16) {
        self.seen.lock().parser.set_size(non_zero(rows), non_zero(cols));
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("resizing");
    }

    /// The terminal's settings as `stty -a` would know them: all flags and special characters.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn settings(&self) -> String {
        let fd = self.master.as_raw_fd().expect("a terminal has a descriptor");
        #[allow(
            unsafe_code,
            reason = "portable-pty hands out a raw descriptor only; it is open as long as self.master"
        )]
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        format!("{:?}", rustix::termios::tcgetattr(fd).expect("the settings of the terminal"))
    }

    /// The process id of the command.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a signal to the command, unless it has ended.
    pub fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            processes::signal(self.pid, signal);
        }
    }

    /// Kills the command as a crash would: no time to say goodbye.
    pub fn kill_9(&mut self) {
        self.signal(Signal::KILL);
        self.exit_status();
    }

    /// Waits for the end of the command: its exit status, or 128 and the number of the signal that ended it.
    ///
    /// # Panics
    /// When it does not end within [`TIMEOUT`].
    pub fn exit_status(&mut self) -> i32 {
        if let Some(status) = self.status {
            return status;
        }
        let ended = processes::ends_within(self.pid, TIMEOUT);
        assert!(ended, "{} waited {TIMEOUT:?} for its command to end\n{}", self.name, self.evidence());
        let status = self.reap().expect("the exit status");
        self.settle();
        status
    }

    fn reap(&mut self) -> Option<i32> {
        let (_, status) = waitpid(Pid::from_raw(self.pid), WaitOptions::empty()).ok()??;
        self.status = status.exit_status().or_else(|| Some(128 + WaitStatus::terminating_signal(status)?));
        self.status
    }

    /// Everything printed before the end belongs to the screen. A grandchild may keep the terminal open, so not for ever.
    fn settle(&self) {
        let state = self.seen.lock();
        let wait = self.seen.news.wait_timeout_while(state, Duration::from_secs(1), |state| !state.closed);
        drop(wait.unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// The screen and the ends of the logs, for a failure.
    pub fn evidence(&self) -> String {
        let rule = "-".repeat(40);
        let mut text = format!("{rule} screen of {}\n{}\n", self.name, self.contents());
        for log in &self.logs {
            text += &format!("{rule} end of {}\n{}", log.display(), log_tail(log));
        }
        text
    }
}

/// Whether the cursor stands right behind `prompt`, on a line that begins with it.
pub fn at_prompt(screen: &vt100::Screen, prompt: &str) -> bool {
    let (row, col) = screen.cursor_position();
    let line = screen.rows(0, col).nth(usize::from(row)).unwrap_or_default();
    line.trim_end() == prompt.trim_end() && usize::from(col) >= prompt.trim_end().chars().count()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a line of the screen is exactly `line`; blanks at its end do not count.
pub fn has_line(screen: &vt100::Screen, line: &str) -> bool {
    screen.contents().lines().any(|shown| shown.trim_end() == line)
}

/// The last lines of a log; says so when there is none.
pub fn log_tail(log: &Path) -> String {
    let Ok(bytes) = std::fs::read(log) else { return "(no such file)\n".to_string() };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL)..].iter().map(|line| format!("{line}\n")).collect()
}

fn follow(mut reader: Box<dyn Read + Send>, seen: &Seen) {
    let mut buffer = [0; 8192];
    loop {
        let count = reader.read(&mut buffer).unwrap_or(0);
        let mut state = seen.lock();
        if count == 0 {
            state.closed = true;
        } else {
            state.parser.process(&buffer[..count]);
            state.raw.extend_from_slice(&buffer[..count]);
        }
        drop(state);
        seen.news.notify_all();
        if count == 0 {
            return;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Before the writer is dropped: it would type Enter and Ctrl-D.
        if self.status.is_none() {
            self.signal(Signal::KILL);
            self.reap();
        }
    }
}
