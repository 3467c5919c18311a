//! The process's own terminal, in a process of its own on a PTY.

#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::super::Terminal;
use super::StdioTerminal;

/// This test program again, as the process that has the terminal.
struct Process {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: mpsc::Receiver<Vec<u8>>,
    seen: String,
    found: String,
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Process {
    fn start() -> Process {
        Process::start_as("on_a_terminal")
    }

    fn start_as(what: &str) -> Process {
        let pair = native_pty_system().openpty(size(24, 80)).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        let test = format!("terminal::stdio::tests::{what}");
        command.args(["--exact", &test, "--ignored", "--nocapture"]);
        command.env("TERM", "xterm");
        let found = settings(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Process { master: pair.master, child, writer, output, seen: String::new(), found }
    }

    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.seen.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.output.recv_timeout(left) else { panic!("no {text:?} in {:?}", self.seen) };
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        let end = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..end);
    }

    fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

// rows: M-02 M-03 M-05 M-10
#[test]
fn raw_while_open_and_given_back_afterwards() {
    let mut process = Process::start();
    process.wait_for("ready 24x80\r\n");
    assert_ne!(settings(&*process.master), process.found, "raw");
    process.send("k\x03");
    process.wait_for("key 6b\r\n");
    process.wait_for("key 03\r\n");
    process.master.resize(size(10, 40)).unwrap();
    process.wait_for("size 10x40\r\n");
    process.send("q");
    process.wait_for("given back");
    assert_eq!(settings(&*process.master), process.found);
    assert!(process.child.wait().unwrap().success());
}

#[test]
fn given_back_on_a_panic() {
    let mut process = Process::start();
    process.wait_for("ready");
    process.send("p");
    process.wait_for("panicked at");
    process.child.wait().unwrap();
    assert_eq!(settings(&*process.master), process.found);
}

// rows: E-03 M-10
#[test]
fn a_borrowed_terminal_is_raw_and_read_only_while_somebody_wants_keys() {
    let mut process = Process::start_as("lent");
    process.wait_for("ready");
    assert_eq!(settings(&*process.master), process.found);
    process.send("first\n");
    process.wait_for("line first");
    process.wait_for("leased");
    assert_ne!(settings(&*process.master), process.found, "raw");
    process.send("k");
    process.wait_for("key 6b");
    process.wait_for("back");
    assert_eq!(settings(&*process.master), process.found);
    process.send("second\n");
    process.wait_for("line second");
    assert!(process.child.wait().unwrap().success());
}

#[test]
#[ignore = "a process that the test above starts"]
fn lent() {
    async fn line() -> String {
        let read = || std::io::stdin().lines().next().unwrap().unwrap();
        tokio::task::spawn_blocking(read).await.unwrap()
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let terminal = StdioTerminal::borrow().unwrap();
        assert!(!terminal.interactive());
        terminal.print("ready\n").await.unwrap();
        terminal.print(&format!("line {}\n", line().await)).await.unwrap();
        let mut keyboard = terminal.keyboard();
        terminal.print("leased\n").await.unwrap();
        let key = keyboard.read().await.unwrap();
        terminal.print(&format!("key {:02x}\n", key[0])).await.unwrap();
        drop(keyboard);
        terminal.print("back\n").await.unwrap();
        terminal.print(&format!("line {}\n", line().await)).await.unwrap();
    });
}

#[test]
#[ignore = "the process that the tests above start"]
fn on_a_terminal() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let terminal = StdioTerminal::open(true).unwrap();
        assert!(terminal.interactive() && terminal.colour());
        let mut sizes = terminal.size();
        let now = *sizes.borrow_and_update();
        let mut keyboard = terminal.keyboard();
        terminal.print(&format!("ready {}x{}\n", now.rows, now.cols)).await.unwrap();
        loop {
            tokio::select! {
                bytes = keyboard.read() => for key in bytes.unwrap() {
                    match key {
                        b'q' => return,
                        b'p' => panic!("as asked"),
                        key => terminal.print(&format!("key {key:02x}\n")).await.unwrap(),
                    }
                },
                changed = sizes.changed() => {
                    changed.unwrap();
                    let now = *sizes.borrow_and_update();
                    terminal.print(&format!("size {}x{}\n", now.rows, now.cols)).await.unwrap();
                }
            }
        }
    });
    drop(runtime);
    rustix::io::write(std::io::stdout(), b"given back").unwrap();
    // The other side reads what is left before the terminal goes away.
}
