//! Real OpenSSH servers on loopback addresses.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;

use crate::certificate;
use crate::processes::{self, MARK, Process};
use crate::terminal::log_tail;
use crate::wait::{TIMEOUT, eventually, within};

/// How many addresses one sshd process may listen on (MAX_LISTEN_SOCKS of OpenSSH).
const ADDRESSES_PER_PROCESS: usize = 16;

/// How often another block of addresses is tried when one is taken.
const TRIES: usize = 10;

/// What a farm of servers is to be like.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    addresses: usize,
    config: String,
    /// What ssh-keygen is told about the certificate that the servers show.
    certificate: Option<Vec<String>>,
    /// The name by which the server is called.
    name: Option<String>,
}

impl Setup {
    /// Servers on this many addresses (1 to 250), all with the same port and the same keys.
    pub fn addresses(addresses: usize) -> Setup {
        assert!((1..=250).contains(&addresses), "a farm has 1 to 250 addresses");
        Setup { addresses, ..Setup::default() }
    }

    /// One more line of `sshd_config`; it wins over the harness's own.
    #[must_use]
    pub fn config(mut self, line: &str) -> Setup {
        self.config.push_str(line);
        self.config.push('\n');
        self
    }

    /// The servers show a certificate for their key, signed by an authority of their own; `more` is said to ssh-keygen:
    /// `-n` names, `-V` a time.
    #[must_use]
    pub fn host_certificate(mut self, more: &[&str]) -> Setup {
        self.certificate = Some(more.iter().map(|word| word.to_string()).collect());
        self
    }

    /// The server is called by this name, which is also the name of its PAM service.
    #[must_use]
    pub fn called(mut self, name: &str) -> Setup {
        self.name = Some(name.to_string());
        self
    }

    /// Starts the servers; their files live in `dir`, below the directory of the world that `mark` names.
    ///
    /// # Panics
    /// When there is no sshd, or it does not start.
    pub fn start(&self, dir: &Path, mark: &str) -> Sshd {
        fs::create_dir(dir).expect("a directory for the servers");
        let files = Files::make(dir);
        if let Some(more) = &self.certificate {
            certificate::sign_host_key(dir, more);
        }
        for _ in 0..TRIES {
            let addresses = block_of_addresses(self.addresses);
            let port = free_port(addresses[0]);
            files.write_known_hosts(&addresses, port);
            if let Some(servers) = self.serve(&files, mark, &addresses, port) {
                return Sshd { files, addresses, port, servers };
            }
        }
        panic!("no sshd could be started\n{}", log_tail(&files.log));
    }

    /// `None` when an address was taken.
    fn serve(&self, files: &Files, mark: &str, addresses: &[Ipv4Addr], port: u16) -> Option<Vec<Child>> {
        fs::write(&files.log, "").expect("an empty log");
        let mut servers = Vec::new();
        for (number, chunk) in addresses.chunks(ADDRESSES_PER_PROCESS).enumerate() {
            let config = files.dir.join(format!("sshd_config.{number}"));
            fs::write(&config, self.config_text(files, mark, chunk, port)).expect("sshd_config");
            servers.push(start_sshd(&config, files, self.name.as_deref(), mark));
        }
        let listening = || read(&files.log).matches("Server listening on").count() == addresses.len();
        let mut dead = false;
        let ready = within(TIMEOUT, || {
            dead = servers.iter_mut().any(|server| !matches!(server.try_wait(), Ok(None)));
            dead || listening()
        });
        if ready && !dead {
            return Some(servers);
        }
        servers.iter_mut().for_each(end);
        let log = read(&files.log);
        assert!(log.contains("Address already in use"), "sshd does not start:\n{log}");
        None
    }

    fn config_text(&self, files: &Files, mark: &str, addresses: &[Ipv4Addr], port: u16) -> String {
        let mut text = self.config.clone();
        for address in addresses {
            let _ = writeln!(text, "ListenAddress {address}:{port}");
        }
        let dir = files.dir.display();
        if self.certificate.is_some() {
            let _ = writeln!(text, "HostCertificate {dir}/host_key-cert.pub");
        }
        let use_pam = if account_is_locked() { "yes" } else { "no" };
        let _ = write!(
            text,
            "HostKey {dir}/host_key\n\
             AuthorizedKeysFile {dir}/user_key.pub\n\
             StrictModes no\n\
             UsePAM {use_pam}\n\
             UseDNS no\n\
             PermitRootLogin yes\n\
             PasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n\
             PrintMotd no\n\
             PrintLastLog no\n\
             LogLevel VERBOSE\n\
             PidFile none\n\
             Subsystem sftp internal-sftp\n\
             AcceptEnv LANG LC_*\n\
             SetEnv {MARK}={mark} HOME={dir}/home HISTFILE=/dev/null\n"
        );
        text
    }
}

/// The files of a farm.
#[derive(Debug)]
struct Files {
    dir: PathBuf,
    log: PathBuf,
}

impl Files {
    fn make(dir: &Path) -> Files {
        for key in ["host_key", "user_key"] {
            make_key(&dir.join(key));
        }
        let home = dir.join("home");
        fs::create_dir(&home).expect("a home on the servers");
        // Servers switch to the user who logs in, who may be another than ours.
        for (path, mode) in [(dir, 0o755), (&home, 0o777)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions of the servers' files");
        }
        Files { dir: dir.to_path_buf(), log: dir.join("log") }
    }

    fn write_known_hosts(&self, addresses: &[Ipv4Addr], port: u16) {
        let key = read(&self.dir.join("host_key.pub"));
        let lines = addresses.iter().map(|address| format!("[{address}]:{port} {key}"));
        fs::write(self.dir.join("known_hosts"), lines.collect::<String>()).expect("known_hosts");
    }
}

/// Servers that run; ended with everything they started when dropped.
pub struct Sshd {
    files: Files,
    addresses: Vec<Ipv4Addr>,
    port: u16,
    servers: Vec<Child>,
}

impl Sshd {
    /// The addresses, in order.
    pub fn addresses(&self) -> &[Ipv4Addr] {
        &self.addresses
    }

    /// The port of all addresses.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The private key that the servers accept.
    pub fn user_key(&self) -> PathBuf {
        self.files.dir.join("user_key")
    }

    /// A known_hosts file with the servers' key for each address.
    pub fn known_hosts(&self) -> PathBuf {
        self.files.dir.join("known_hosts")
    }

    /// The home directory of whoever logs in.
    pub fn home(&self) -> PathBuf {
        self.files.dir.join("home")
    }

    /// The servers' log, all in one.
    pub fn log(&self) -> &Path {
        &self.files.log
    }

    /// The fingerprint of the servers' key as `ssh-keygen -l` prints it, `SHA256:...`.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.files.dir.join("host_key.pub"))
    }

    /// The authority that signed the servers' certificate: a line for known_hosts without its names, and the fingerprint.
    pub fn authority(&self) -> (String, String) {
        let file = self.files.dir.join("authority.pub");
        (read(&file).trim().to_string(), fingerprint(&file))
    }

    /// Stops the servers and what serves connections in the middle of whatever they do; nobody is told.
    pub fn freeze(&self) {
        for server in &self.servers {
            let served = processes::descendants(server.id() as i32);
            let of_sshd = served.iter().filter(|process| process.command.starts_with("sshd"));
            for pid in of_sshd.map(|process| process.pid).chain([server.id() as i32]) {
                processes::signal(pid, Signal::STOP);
            }
        }
    }

    /// A known_hosts file in which every address has another key than the servers', and that key's fingerprint.
    pub fn wrong_known_hosts(&self) -> (PathBuf, String) {
        let other = self.files.dir.join("other_key");
        make_key(&other);
        let key = read(&other.with_extension("pub"));
        let lines = self.addresses.iter().map(|address| format!("[{address}]:{} {key}", self.port));
        let path = self.files.dir.join("wrong_known_hosts");
        fs::write(&path, lines.collect::<String>()).expect("a wrong known_hosts");
        (path, fingerprint(&other.with_extension("pub")))
    }

    /// The host on address `index` as a value of a deployment file; `more` are further settings, such as `password = "x"`.
    pub fn lua(&self, index: usize, slug: &str, more: &str) -> String {
        format!(
            "SSHHost {{ slug = {slug:?}, address = \"{}\", port = {}, username = {:?}, key_filename = {:?}, \
             known_hosts = {{ {:?} }}, host_keys = \"strict\", {more} }}",
            self.addresses[index],
            self.port,
            user_name(),
            self.user_key().display().to_string(),
            self.known_hosts().display().to_string(),
        )
    }

    /// How often somebody has logged in with a key, on each address.
    pub fn logins(&self) -> Vec<usize> {
        count_logins(&read(&self.files.log), &self.addresses)
    }

    /// What runs on the servers for those who are logged in: everything but the servers themselves.
    pub fn remote_processes(&self) -> Vec<Process> {
        let servers = self.servers.iter().flat_map(|server| processes::descendants(server.id() as i32));
        servers.filter(|process| !process.command.starts_with("sshd")).collect()
    }

    /// Waits until nothing runs on the servers any more.
    ///
    /// # Panics
    /// When something still does after a while.
    pub fn wait_until_idle(&self) {
        eventually(
            "nothing runs on the servers",
            || self.remote_processes().is_empty(),
            || format!("{:#?}", self.remote_processes()),
        );
    }

    /// Ends the servers and all connections now, as pulling the plug does.
    pub fn stop(&mut self) {
        self.servers.iter_mut().for_each(end);
        self.servers.clear();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The name of the user who runs the tests, and logs in.
///
/// # Panics
/// When `id` does not know.
pub fn user_name() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

fn start_sshd(config: &Path, files: &Files, name: Option<&str>, mark: &str) -> Child {
    // sshd wants to be called by its absolute path.
    let program =
        ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"].into_iter().find(|path| Path::new(path).exists());
    let program = program.expect("no sshd on this machine: tests/run installs openssh-server");
    let program = match name {
        Some(name) => {
            let link = files.dir.join(name);
            if !link.exists() {
                std::os::unix::fs::symlink(program, &link).expect("a link to sshd");
            }
            link
        }
        None => program.into(),
    };
    let mut command = Command::new(program);
    command.arg("-D").arg("-f").arg(config).arg("-E").arg(&files.log).env_clear().env(MARK, mark);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("starting sshd")
}

fn end(server: &mut Child) {
    processes::kill_tree(server.id() as i32);
    let _reaped = server.wait();
}

/// Every process and every farm gets another part of 127.0.0.0/8, so that nobody shares an address.
fn block_of_addresses(count: usize) -> Vec<Ipv4Addr> {
    static BLOCKS: AtomicU32 = AtomicU32::new(0);
    let block = std::process::id().wrapping_add(BLOCKS.fetch_add(1, Ordering::Relaxed).wrapping_mul(7919));
    let [_, _, high, low] = (block % (250 * 256)).to_be_bytes();
    (1..=count as u8).map(|last| Ipv4Addr::new(127, high + 1, low, last)).collect()
}

fn free_port(address: Ipv4Addr) -> u16 {
    let listener = TcpListener::bind((address, 0)).expect("a free port");
    listener.local_addr().expect("a local address").port()
}

pub(crate) fn make_key(path: &Path) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "deployer-tests", "-f"]).arg(path).stdin(Stdio::null());
    assert!(command.status().expect("ssh-keygen").success(), "ssh-keygen made no key");
}

fn fingerprint(public_key: &Path) -> String {
    let output = Command::new("ssh-keygen").arg("-lf").arg(public_key).output().expect("ssh-keygen");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split(' ').nth(1).expect("a fingerprint").to_string()
}

/// sshd refuses a locked account, unless PAM decides.
fn account_is_locked() -> bool {
    let user = user_name();
    let shadow = read(Path::new("/etc/shadow"));
    shadow.lines().any(|line| line.starts_with(&format!("{user}:!")))
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A login's line names the client's port only; the connection's line before it says which address was called. Two
/// connections at once may have the same port, when they call different addresses: each login takes one of them, the latest
/// first.
fn count_logins(log: &str, addresses: &[Ipv4Addr]) -> Vec<usize> {
    let mut logins = vec![0; addresses.len()];
    let mut called: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["Connection", "from", from, "port", port, "on", to, ..] => {
                called.entry((from, port)).or_default().push(to);
            }
            ["Accepted", "publickey", "for", _, "from", from, "port", port, ..] => {
                let to = called.get_mut(&(*from, *port)).and_then(Vec::pop).and_then(|to| to.parse().ok());
                let index = addresses.iter().position(|address| Some(*address) == to);
                logins[index.expect("a login without a connection")] += 1;
            }
            _ => {}
        }
    }
    logins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_counted_on_the_address_that_was_called() {
        let log = "Connection from 127.0.0.1 port 1001 on 127.9.9.1 port 22 rdomain \"\"\n\
                   Accepted publickey for root from 127.0.0.1 port 1001 ssh2: ED25519 SHA256:x\n\
                   Connection from 127.0.0.1 port 1002 on 127.9.9.2 port 22 rdomain \"\"\n\
                   Accepted publickey for root from 127.0.0.1 port 1002 ssh2: ED25519 SHA256:x\n\
                   Connection from 127.0.0.1 port 1001 on 127.9.9.2 port 22 rdomain \"\"\n\
                   Accepted publickey for root from 127.0.0.1 port 1001 ssh2: ED25519 SHA256:x\n";
        let addresses = [Ipv4Addr::new(127, 9, 9, 1), Ipv4Addr::new(127, 9, 9, 2)];
        assert_eq!(count_logins(log, &addresses), [1, 2]);
    }

    #[test]
    fn a_port_used_twice_at_once_counts_on_both_addresses() {
        let connection = |to| format!("Connection from 127.0.0.1 port 1001 on {to} port 22 rdomain \"\"\n");
        let login = "Accepted publickey for root from 127.0.0.1 port 1001 ssh2: ED25519 SHA256:x\n";
        let log = [connection("127.9.9.1"), connection("127.9.9.2"), login.repeat(2)].concat();
        assert_eq!(count_logins(&log, &[Ipv4Addr::new(127, 9, 9, 1), Ipv4Addr::new(127, 9, 9, 2)]), [1, 1]);
    }

    #[test]
    fn farms_do_not_share_addresses() {
        let (one, other) = (block_of_addresses(3), block_of_addresses(3));
        assert!(one.iter().all(|address| address.is_loopback() && !other.contains(address)), "{one:?} {other:?}");
    }
}
