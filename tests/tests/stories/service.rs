//! The daemon under a service manager: passed sockets, readiness, watchdog, reload, units.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use deployer_tests::world::deployer;
use deployer_tests::{Daemon, TIMEOUT, World};
use rustix::process::Signal;

const LOCAL: &str = r#"
local Box = Node { Hosts = { host = LocalHost } }
function Box:say(word) self.hosts:run("echo " .. deployer.esc1(word)) end
return Box
"#;

/// Binds a socket, passes it on as systemd does, and becomes the daemon.
const ACTIVATE: &str = r#"
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="deployer")
os.execv(sys.argv[2], sys.argv[2:])
"#;

fn activated(world: &World, socket: &Path) -> Daemon {
    let (socket, deployer) = (socket.display().to_string(), deployer().display().to_string());
    let args = ["-c", ACTIVATE, &socket, &deployer, "-f", "deploy.lua", "listen", "--drain", "0"];
    world.listen_as(Path::new("/usr/bin/python3"), &args, &[])
}

#[test]
fn a_passed_socket_is_served_and_stays() {
    let world = World::new();
    world.deploy(LOCAL);
    let socket = world.runtime_dir().join("passed.sock");
    let mut daemon = activated(&world, &socket);
    assert_eq!(daemon.socket(), socket);
    let mut operator = world.connect("operator", &["--socket", &socket.display().to_string()]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("say $LISTEN_FDS$NOTIFY_SOCKET.");
    operator.wait_for_line("the variables of the manager are not for commands", ".");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
    assert_eq!(daemon.stop(), Some(0));
    assert!(socket.exists(), "the socket belongs to whoever bound it");
    std::fs::remove_file(&socket).unwrap();
}

#[test]
fn a_passed_socket_and_one_of_our_own_are_too_many() {
    let world = World::new();
    world.deploy(LOCAL);
    let args =
        ["-c", ACTIVATE, "p.sock", &deployer().display().to_string(), "-f", "deploy.lua", "listen", "--socket", "7"];
    let refused = world.run_program(Path::new("/usr/bin/python3"), &args);
    assert_eq!(refused.status, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("leave --socket out"), "{refused:#?}");
}

/// The launcher that systemd brings for such tests: it binds, waits for the first client, and passes on.
#[test]
#[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
fn the_first_client_of_a_teams_socket_starts_its_daemon() {
    let launcher = Path::new("/usr/bin/systemd-socket-activate");
    if !launcher.exists() {
        eprintln!("not told: there is no systemd-socket-activate here");
        return;
    }
    let world = World::new();
    world.deploy(LOCAL);
    std::fs::create_dir(world.team_dir()).unwrap();
    let socket = world.team_dir().join("ops.sock");
    let (path, deployer) = (socket.display().to_string(), deployer().display().to_string());
    let daemon = |team: &str| {
        let journal = world.dir().join("journal").display().to_string();
        let mut args = vec!["--listen".to_string(), path.clone(), "--fdname=deployer".to_string()];
        for name in ["HOME", "XDG_RUNTIME_DIR", "DEPLOYER_TEAM_DIRECTORY", "PATH", deployer_tests::processes::MARK] {
            args.extend(["-E".to_string(), name.to_string()]);
        }
        let daemon = ["-f", "deploy.lua", "listen", "--team", team, "--drain", "0", "--journal", &journal];
        args.extend([&[&*deployer], &daemon[..]].concat().into_iter().map(str::to_string));
        args
    };
    let first_client = || {
        let socket = socket.clone();
        std::thread::spawn(move || {
            let mut connected = None;
            let connects = || {
                connected = std::os::unix::net::UnixStream::connect(&socket).ok();
                connected.is_some()
            };
            deployer_tests::eventually("the launcher listens", connects, String::new);
            connected
        })
    };
    let client = first_client();
    let args = daemon("ops");
    let mut served = world.listen_as(launcher, &args.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    drop(client.join().unwrap());
    assert_eq!(served.socket(), socket);
    let said = world.run(&["connect", "--socket", &path, "--", "say", "hello"]);
    assert_eq!((said.status, said.stdout.trim()), (Some(0), "hello"), "{said:#?}");
    assert_eq!(served.stop(), Some(0));
    assert!(socket.exists(), "the socket belongs to whoever bound it");
    std::fs::remove_file(&socket).unwrap();
    // The unit and the flag of another team.
    let client = first_client();
    let args = daemon("web");
    let refused = world.run_program(launcher, &args.iter().map(String::as_str).collect::<Vec<_>>());
    drop(client.join().unwrap());
    assert_eq!(refused.status, Some(5), "{refused:#?}");
    assert!(refused.stderr.contains("team/web.sock: set ListenStream= to that"), "{refused:#?}");
}

/// What a service manager hears.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(world: &World) -> Manager {
        let path = world.dir().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        Manager { socket, path }
    }

    /// Waits until it hears this line.
    fn hears(&self, line: &str) {
        let mut heard = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            let count = self.socket.recv(&mut buffer).unwrap_or_else(|why| panic!("no {line}: {why}; heard {heard:?}"));
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if text.lines().any(|said| said.starts_with(line)) {
                return;
            }
            heard.push(text);
        }
    }
}

#[test]
fn a_service_manager_hears_of_the_start_the_state_a_reload_and_the_stop() {
    let world = World::new();
    world.deploy(LOCAL);
    let manager = Manager::new(&world);
    let notify = manager.path.display().to_string();
    let args = ["-f", "deploy.lua", "listen", "--drain", "0"];
    let variables = [("NOTIFY_SOCKET", &*notify), ("WATCHDOG_USEC", "3000000")];
    let mut daemon = world.listen_as(&deployer(), &args, &variables);
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    manager.hears("STATUS=");
    daemon.signal(Signal::HUP);
    manager.hears("RELOADING=1");
    manager.hears("READY=1");
    world.deploy("this is not Lua");
    daemon.signal(Signal::HUP);
    manager.hears("READY=1");
    let log = || std::fs::read_to_string(world.daemon_log()).unwrap();
    let complains = || log().contains("the deployment file cannot be used: no new sessions");
    deployer_tests::eventually("the complaint about the file", complains, log);
    // A daemon that cannot be reached is not alive, whatever its process does.
    let socket = daemon.socket().to_path_buf();
    std::fs::rename(&socket, socket.with_extension("away")).unwrap();
    deployer_tests::eventually("the watchdog starves", || log().contains("the watchdog is not fed"), log);
    std::fs::rename(socket.with_extension("away"), &socket).unwrap();
    manager.hears("WATCHDOG=1");
    daemon.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    assert_eq!(daemon.ends(), Some(0));
    std::fs::remove_file(&manager.path).unwrap();
}

// rows: P-09 P-22
#[test]
fn a_digit_is_the_same_socket_for_listen_and_connect() {
    let world = World::new();
    world.deploy(LOCAL);
    let nobody = world.run(&["connect", "--socket", "7"]);
    assert_eq!(nobody.status, Some(5), "{nobody:#?}");
    let daemon = world.listen_with(&["-f", "deploy.lua", "listen", "--socket", "7"]);
    assert_eq!(daemon.socket(), world.runtime_dir().join("deployer/7.sock"));
    assert!(!world.dir().join("7").exists());
    let said = world.run(&["connect", "--socket", "7", "--", "say", "hello"]);
    assert_eq!((said.status, said.stdout.trim()), (Some(0), "hello"), "{said:#?}");
}

/// Every unit as systemd reads it, with the binary that was built.
#[test]
#[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
fn systemd_accepts_the_units() {
    let analyze = Path::new("/usr/bin/systemd-analyze");
    if !analyze.exists() {
        eprintln!("not told: there is no systemd-analyze here");
        return;
    }
    let world = World::new();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd");
    let files = ["deployer@.service", "deployer@.socket", "user/deployer.service", "user/deployer.socket"];
    let copies = files.map(|file| {
        let text = std::fs::read_to_string(units.join(file)).unwrap();
        world.write(
            Path::new(file).file_name().unwrap().to_str().unwrap(),
            &text.replace("/usr/bin/deployer", "/bin/true"),
        )
    });
    let verify = |scope: &str, files: &[PathBuf]| {
        let mut command = Command::new(analyze);
        command.args(["verify", "--man=no", scope]).args(files).env("XDG_RUNTIME_DIR", world.runtime_dir());
        command.output().unwrap()
    };
    for (scope, files) in [("--system", &copies[..2]), ("--user", &copies[2..])] {
        let verified = verify(scope, files);
        assert!(verified.status.success() && verified.stderr.is_empty(), "{scope}: {verified:?}");
    }
    // Figure 5.3 of the requirements: at most 2.5 for daemons without local commands.
    let mut command = Command::new(analyze);
    let security = command.args(["security", "--offline=true", "--threshold=25", "--no-pager"]).arg(&copies[0]);
    let judged = security.output().unwrap();
    assert!(judged.status.success(), "{judged:?}");
}
