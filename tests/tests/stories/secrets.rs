//! Passwords that people type: nowhere but where they belong.

use std::fs;
use std::path::{Path, PathBuf};

use deployer_tests::terminal::CTRL_BACKSLASH;
use deployer_tests::wait::eventually;
use deployer_tests::{Sshd, TestUser, World, sshd};

/// A word typed into a program on the host that has switched the echo off.
const TOKEN: &str = "tok-7391-typed-unseen";

/// A host that lets in with a password, of which the deployment knows none.
fn user_box(world: &World, user: &TestUser) -> Sshd {
    let setup = sshd::Setup::addresses(1).config("PasswordAuthentication yes").config("AuthenticationMethods password");
    let farm = world.sshd_with(&setup);
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = SSHHost {{
  slug = "box", address = "{}", port = {}, username = "{}", known_hosts = {{ "{}" }}, host_keys = "strict" }} }} }}
function Box:root() self.hosts:sudo("id -un; echo waiting; until [ -e {go} ]; do sleep 0.02; done") end
function Box:token() self.hosts:run("stty -echo; echo Token:; read -r t; stty echo; echo \"length ${{#t}}\"") end
return Box
"#,
        farm.addresses()[0],
        farm.port(),
        user.name,
        farm.known_hosts().display(),
        go = farm.home().join("go").display(),
    ));
    farm
}

/// Every file below a directory.
fn files_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files_below(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// Files of the world that hold the secret.
fn files_with(world: &World, secret: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files_below(world.dir(), &mut files);
    files.retain(|file| holds(&fs::read(file).unwrap_or_default(), secret));
    files
}

/// Command lines and environments of this machine, which is the host's as well, that hold the secret.
fn processes_with(secret: &str) -> Vec<PathBuf> {
    let numbered = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok());
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).filter(numbered);
    let places = processes.flat_map(|process| [process.join("cmdline"), process.join("environ")]);
    places.filter(|place| holds(&fs::read(place).unwrap_or_default(), secret)).collect()
}

fn text_below(directory: &Path) -> String {
    let mut files = Vec::new();
    files_below(directory, &mut files);
    files.iter().map(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned()).collect()
}

// rows: F-19 F-62 W-04
#[test]
fn passwords_that_are_typed_are_in_no_file_no_command_line_and_no_environment() {
    let Some(user) = TestUser::of_this_run("passwords that are typed") else { return };
    let world = World::new();
    let farm = user_box(&world, &user);
    let mut daemon = world.listen_with(&["-f", "deploy.lua", "listen", "--record"]);
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("root");
    operator.wait_for_text("the login password is asked for", &format!("password for {}@", user.name));
    operator.send_line(&user.password);
    operator.wait_for_text("the sudo password is asked for", &format!("sudo password for {} on box", user.name));
    operator.send_line(&user.password);
    operator.wait_for_line("the command runs as root", "root");
    operator.wait_for_line("it waits", "waiting");
    // While it runs, and on both sides: this machine is the host as well.
    assert_eq!(processes_with(&user.password), [] as [PathBuf; 0]);
    fs::write(farm.home().join("go"), "").unwrap();
    operator.wait_for_prompt("deploy > ");
    operator.send_line("token");
    operator.wait_for_line("the program asks", "Token:");
    operator.send_line(TOKEN);
    operator.wait_for_line("the program has it", &format!("length {}", TOKEN.len()));
    operator.wait_for_prompt("deploy > ");
    let state = world.home().join(".local/state/deployer");
    let recorded = || text_below(&state.join("recordings"));
    eventually("all that is recorded", || recorded().contains("length "), recorded);
    operator.send(CTRL_BACKSLASH);
    assert_eq!(operator.exit_status(), 0);
    daemon.stop();
    // The places where they would be are there and tell the rest.
    let journal = text_below(&state.join("journal"));
    assert!(
        journal.contains("\"root\"") && journal.contains("\"token\"") && journal.contains("stty -echo"),
        "{journal}"
    );
    assert!(recorded().contains("waiting"), "{}", recorded());
    for secret in [user.password.as_str(), TOKEN] {
        assert_eq!(files_with(&world, secret), [] as [PathBuf; 0]);
        assert!(!operator.raw().contains(secret), "it was shown: {}", operator.evidence());
    }
}
