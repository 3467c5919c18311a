//! Hosts behind a command of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
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
    for program in ["sh", "cat", "ls", "stat", "chmod", "mv", "rm", "sync", "wc", "find"] {
        put_into(&root, &format!("/bin/{program}"));
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
function Box:put() self.hosts[1]:put_file("up", "/etc/there") end
function Box:get() self.hosts[1]:get_file("/etc/there", "down") end
function Box:write()
  self.hosts[1]:open("/etc/there", "w", function(f) f:write("written\n") end)
  self.hosts[1]:open("/etc/there", "a", function(f) f:write("more\n") end)
  self.hosts[1]:open("/etc/there", "r", function(f) print("[" .. f:read() .. "]") end)
  print(table.concat(self.hosts[1]:listdir("/etc"), " "), self.hosts[1]:stat("/etc/there").size)
end
"#;

fn the_files_of(world: &World, box_etc: &Path) {
    let content: Vec<u8> = (0..3_000_007_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(world.dir().join("up"), &content).unwrap();
    let there = box_etc.join("there");
    let done = |action: &str| {
        let done = world.run(&["run", "-s", "--", action]);
        assert_eq!(done.status, Some(0), "{done:#?}");
        done.stdout
    };
    done("put");
    assert!(fs::read(&there).unwrap() == content, "what was put is something else");
    done("get");
    assert!(fs::read(world.dir().join("down")).unwrap() == content, "what was got is something else");
    fs::set_permissions(&there, fs::Permissions::from_mode(0o640)).unwrap();
    let said = done("write");
    assert!(said.contains("[written\nmore\n]") && said.contains("box-name there"), "{said}");
    assert_eq!(fs::metadata(&there).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(box_etc).unwrap().count(), 2, "a temporary is left");
}

// rows: F-02 F-27 F-57
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
    the_files_of(&world, &root.join("etc"));
    fs::remove_file(root.join("bin/stat")).unwrap();
    let get = world.run(&["run", "-s", "--", "get"]);
    assert_eq!(get.status, Some(1), "{get:#?}");
    assert!(get.stderr.contains("a program is missing there") && get.stderr.contains("stat"), "{get:#?}");
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

/// Tools of another kind in namespaces of their own, as most containers have them.
// rows: F-02 F-57
#[test]
#[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
fn busybox_in_a_namespace_is_a_host_with_files() {
    let busybox = Path::new("/usr/bin/busybox");
    if !rustix::process::geteuid().is_root() || !busybox.exists() {
        return eprintln!("not told: it takes root and busybox");
    }
    let world = World::new();
    let root = world.dir().join("root");
    put_into(&root, "/usr/bin/busybox");
    let bin = root.join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("etc/box-name"), "the box\n").unwrap();
    for name in ["sh", "cat", "stat", "chmod", "mv", "rm", "sync", "wc", "find", "readlink"] {
        std::os::unix::fs::symlink("/usr/bin/busybox", bin.join(name)).unwrap();
    }
    let mut inside =
        Command::new("unshare").args(["--mount", "--uts", "--ipc", "sleep", "1000"]).spawn().expect("unshare");
    let pid = inside.id();
    world.deploy(&format!(
        "local Box = Node {{ Hosts = {{ host = deployer.CommandHost {{ slug = \"box\", \
         wrapper = {{ \"nsenter\", \"--target\", \"{pid}\", \"--mount\", \"--uts\", \"--ipc\", \"--root={}\" }} }} }} }}\n{ACTIONS}\n\
         return Box\n",
        root.display()
    ));
    the_files_of(&world, &root.join("etc"));
    inside.kill().unwrap();
    inside.wait().unwrap();
}
