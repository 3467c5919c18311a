//! A real sshd on a free port of 127.0.0.1, with its own keys, in a directory of its own.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};
use tempfile::TempDir;

use crate::node::{HostDef, HostKeyPolicy, HostKind, HostSettings};

/// Where Debian, Fedora and the BSDs keep it.
const PLACES: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/lib/ssh/sshd"];

/// A running sshd; it ends when dropped.
pub(super) struct Sshd {
    child: Child,
    directory: TempDir,
    pub(super) port: u16,
}

impl Sshd {
    pub(super) async fn start() -> Sshd {
        Sshd::start_with("").await
    }

    /// With more lines for its configuration.
    pub(super) async fn start_with(lines: &str) -> Sshd {
        Sshd::prepared(|_| lines.to_string()).await
    }

    /// With lines that name files of its directory, which are made before it starts.
    pub(super) async fn prepared(prepare: impl FnOnce(&Path) -> String) -> Sshd {
        let binary = PLACES.iter().map(Path::new).find(|path| path.exists());
        let binary = binary.expect("these tests need sshd: apt-get install openssh-server");
        // It wants this directory to exist, even for a server that is not the system's.
        std::fs::create_dir_all("/run/sshd").expect("create /run/sshd");
        let directory = tempfile::tempdir().expect("temporary directory");
        let path = directory.path();
        write_key(&path.join("host_key"));
        let user = write_key(&path.join("user_key"));
        std::fs::write(path.join("authorized_keys"), user.public_key().to_openssh().expect("public key"))
            .expect("authorized_keys");
        let lines = prepare(path);
        let port = free_port();
        let sftp = if lines.contains("Subsystem") { "" } else { "Subsystem sftp internal-sftp\n" };
        let config = format!(
            "{lines}\n{sftp}Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host_key\nAuthorizedKeysFile {0}/authorized_keys\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nLogLevel DEBUG1\n",
            path.display()
        );
        std::fs::write(path.join("sshd_config"), config).expect("sshd_config");
        let child = spawn(binary, path);
        let sshd = Sshd { child, directory, port };
        sshd.ready().await;
        sshd
    }

    /// Kills the server and every session of it, and starts it again on the same port.
    pub(super) async fn restart(&mut self) {
        self.kill_sessions();
        self.child.kill().expect("kill sshd");
        self.child.wait().expect("sshd ends");
        let binary = PLACES.iter().map(Path::new).find(|path| path.exists()).expect("sshd");
        self.child = spawn(binary, self.directory.path());
        self.ready().await;
    }

    /// Kills the processes that serve connections, not the one that accepts them, nor the commands they have started.
    pub(super) fn kill_sessions(&self) {
        for pid in servers_below(self.child.id().cast_signed()) {
            let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
            let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub(super) fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    /// A host definition that logs in with the key and knows the server.
    pub(super) fn settings(&self) -> HostSettings {
        self.know(&self.path("host_key.pub"));
        HostSettings {
            slug: "web1".into(),
            address: Some("127.0.0.1".into()),
            port: Some(self.port),
            key_filename: Some(self.path("user_key").display().to_string()),
            known_hosts: Some(vec![self.path("known_hosts").display().to_string()]),
            host_keys: Some(HostKeyPolicy::Strict),
            config_filename: Some("/dev/null".into()),
            ..HostSettings::default()
        }
    }

    /// Writes a known-hosts file that says the server has this key.
    pub(super) fn know(&self, public_key: &Path) {
        let key = std::fs::read_to_string(public_key).expect("public key");
        std::fs::write(self.path("known_hosts"), format!("[127.0.0.1]:{} {key}\n", self.port)).expect("known_hosts");
    }

    async fn ready(&self) {
        let connecting = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), connecting).await;
        assert!(waited.is_ok(), "sshd does not listen; its log:\n{}", self.log());
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill_sessions();
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

pub(super) fn definition(settings: HostSettings) -> HostDef {
    HostDef::new(HostKind::Ssh, settings)
}

/// Writes a key pair as `ssh-keygen` would.
pub(super) fn write_key(file: &Path) -> PrivateKey {
    let key = PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).expect("key");
    write_private(file, &key);
    std::fs::write(file.with_extension("pub"), key.public_key().to_openssh().expect("public key")).expect("write");
    key
}

/// Runs ssh-keygen; the certificates and hashes in these tests are made by OpenSSH.
pub(super) fn ssh_keygen<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    let run = Command::new("ssh-keygen").args(arguments).stdin(Stdio::null()).output();
    let run = run.expect("these tests need ssh-keygen: apt-get install openssh-client");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

pub(super) fn write_private(file: &Path, key: &PrivateKey) {
    std::fs::write(file, key.to_openssh(LineEnding::LF).expect("private key").as_bytes()).expect("write");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("permissions");
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn spawn(binary: &Path, directory: &Path) -> Child {
    let log = directory.join("log");
    Command::new(binary)
        .arg("-D")
        .arg("-E")
        .arg(log)
        .arg("-f")
        .arg(directory.join("sshd_config"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("start sshd")
}

/// The processes of sshd that descend from one: for users other than root there are two for each connection.
fn servers_below(parent: i32) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((name, rest)) = stat.rsplit_once(')') else { continue };
        let its_parent = rest.split_whitespace().nth(1).and_then(|number| number.parse::<i32>().ok());
        if its_parent == Some(parent) && name.contains("(sshd") {
            found.push(pid);
            found.extend(servers_below(pid));
        }
    }
    found
}
