//! The binary in a terminal, with an eye on the terminal's modes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::{LocalModes, Termios, tcgetattr};

use crate::{TIMEOUT, environment};

pub(crate) struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    /// A further descriptor of the terminal, which keeps it alive and tells its modes.
    slave: File,
    before: Termios,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Pty {
    pub(crate) fn start(dir: &Path, args: &[&str]) -> Pty {
        let pair = native_pty_system().openpty(size(24, 80)).unwrap();
        let slave = File::options().read(true).write(true).open(pair.master.tty_name().unwrap()).unwrap();
        let before = tcgetattr(&slave).unwrap();
        assert!(before.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON));
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_deployer"));
        command.args(args);
        command.cwd(dir);
        command.env_clear();
        environment(dir).into_iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        let keys = pair.master.take_writer().unwrap();
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, copy) = (pair.master.try_clone_reader().unwrap(), shown.clone());
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut chunk) {
                copy.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        Pty { child, master: pair.master, keys, slave, before, shown }
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn resize(&self, rows: u16, cols: u16) {
        self.master.resize(size(rows, cols)).unwrap();
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.child.process_id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Whether the kernel has stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.process_id().unwrap())).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    }

    pub(crate) fn is_raw(&self) -> bool {
        !tcgetattr(&self.slave)
            .unwrap()
            .local_modes
            .intersects(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// What was shown so far.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).into_owned()
    }

    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("{text:?} is shown"), || self.shown().contains(text));
    }

    pub(crate) fn wait_until(&self, fact: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < TIMEOUT, "waited for: {fact}; shown so far: {:?}", self.shown());
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Waits for the end: the exit status. The terminal must be as it was.
    pub(crate) fn end(mut self) -> (u32, String) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status.exit_code(),
                None => assert!(start.elapsed() < TIMEOUT, "did not end; shown so far: {:?}", self.shown()),
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        let after = tcgetattr(&self.slave).unwrap();
        assert_eq!(format!("{after:?}"), format!("{:?}", self.before), "the terminal's modes were not put back");
        // The end of what it wrote: a mark of our own, through the same terminal.
        self.slave.write_all(b"<end>").unwrap();
        self.wait_for("<end>");
        (status, self.shown().replace("<end>", ""))
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Usually it has ended.
        let _ = self.child.kill();
    }
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
