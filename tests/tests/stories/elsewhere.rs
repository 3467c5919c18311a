//! Hosts behind a command of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use deployer_tests::World;

/// Copies a program and the libraries it needs into a directory that is to be a root.
fn put_into(root: &Path, program: &str) {
    let listed = Command::new("ldd").arg(program).output().expect("ldd");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
    for file in std::iter::once(program).chain(libraries) {
        let copy = root.join(file.trim_start_matches('/'));
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(file, copy).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

fn a_root(world: &World) -> PathBuf {
    let root = world.dir().join("root");
    for program in ["/bin/sh", "/bin/cat", "/bin/ls"] {
        put_into(&root, program);
    }
    fs::create_dir(root.join("etc")).unwrap();
    fs::write(root.join("etc/box-name"), "the box\n").unwrap();
    root
}

const ACTIONS: &str = r#"
function Box:in_cell(word)
  self.hosts:cd("/etc", function()
    self.hosts:env("WORD", word, function() self.hosts:run("pwd; echo \"$WORD\"; cat 'box-name'") end)
  end)
end
function Box:fail() self.hosts:run("echo so far; exit 7") end
function Box:text() return "<" .. self.hosts[1]:run("cat /etc/box-name", { interactive = false }).text .. ">" end
function Box:put() self.hosts[1]:put_file("deploy.lua", "/tmp/x") end
"#;

// rows: F-02 F-27
#[test]
#[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
fn a_chroot_is_a_host() {
    if !rustix::process::geteuid().is_root() {
        return eprintln!("not told: only root can change the root");
    }
    let world = World::new();
    let root = a_root(&world);
    world.deploy(&format!(
        "local Box = Node {{ Hosts = {{ host = deployer.CommandHost {{ slug = \"box\", \
         wrapper = {{ \"chroot\", {:?} }} }} }} }}\n{ACTIONS}\nreturn Box\n",
        root.display().to_string()
    ));
    let inside = world.run(&["run", "-s", "--", "in_cell", "it's a \"word\" $HOME"]);
    assert_eq!(inside.status, Some(0), "{inside:#?}");
    assert!(inside.stdout.contains("/etc\nit's a \"word\" $HOME\nthe box\n"), "{inside:#?}");
    let text = world.run(&["run", "-s", "--", "text"]);
    assert!(text.stdout.contains("<the box>"), "{text:#?}");
    let failed = world.run(&["run", "-s", "--", "fail"]);
    assert_eq!(failed.status, Some(1), "{failed:#?}");
    assert!(failed.stdout.contains("so far") && failed.stderr.contains("status 7"), "{failed:#?}");
    let put = world.run(&["run", "-s", "--", "put"]);
    assert_eq!(put.status, Some(1), "{put:#?}");
    assert!(put.stderr.contains("hosts of this kind only run commands"), "{put:#?}");
    fs::remove_dir_all(&root).unwrap();
    let gone = world.run(&["run", "-s", "--", "text"]);
    assert!(gone.stderr.contains("status 125") || gone.stderr.contains("status 127"), "{gone:#?}");
}

// rows: F-02
#[test]
fn the_ssh_program_is_a_way_to_a_host() {
    let world = World::new();
    let farm = world.sshd(1);
    let ssh = format!(
        "\"ssh\", \"-F\", \"/dev/null\", \"-o\", \"BatchMode=yes\", \"-o\", \"UserKnownHostsFile={}\", \"-i\", \"{}\", \
         \"-p\", \"{}\", \"{}@{}\"",
        farm.known_hosts().display(),
        farm.user_key().display(),
        farm.port(),
        deployer_tests::sshd::user_name(),
        farm.addresses()[0],
    );
    fs::write(farm.home().join("box-name"), "the box\n").unwrap();
    world.deploy(&format!(
        "local Box = Node {{ Hosts = {{ host = deployer.CommandHost {{ slug = \"box\", takes_line = true, \
         wrapper = {{ {ssh} }}, terminal_wrapper = {{ {} }} }} }} }}\n{}\nreturn Box\n",
        ssh.replacen("\"ssh\"", "\"ssh\", \"-t\"", 1),
        ACTIONS.replace("cd(\"/etc\"", &format!("cd({:?}", farm.home().display().to_string()))
    ));
    let home = farm.home().display().to_string();
    let expected = format!("{home}\nit's a \"word\" $HOME\nthe box\n");
    let inside = world.run(&["run", "-s", "--", "in_cell", "it's a \"word\" $HOME"]);
    assert!(inside.status == Some(0) && inside.stdout.contains(&expected), "{inside:#?}");
    assert_eq!(farm.logins(), [1]);
    let failed = world.run(&["run", "-s", "--", "fail"]);
    assert!(failed.status == Some(1) && failed.stderr.contains("status 7"), "{failed:#?}");
    // The same in a terminal.
    let mut operator = world.terminal("operator", "deployer", &["run", "-s"]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("in_cell \"it's a word\"");
    operator.wait_for_line("a word with a quote in it", "it's a word");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
    farm.wait_until_idle();
}
