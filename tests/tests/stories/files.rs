//! Files on hosts, with the real binary in a real terminal.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use deployer_tests::terminal::CTRL_C;
use deployer_tests::{Sshd, World, eventually};

/// A host, and an action that uploads `up` to `there/target`.
fn uploader(world: &World, options: &str) -> (Sshd, PathBuf, PathBuf) {
    let farm = world.sshd(1);
    let (up, there) = (world.dir().join("up"), world.dir().join("there"));
    fs::create_dir(&there).unwrap();
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:upload() self.hosts[1]:put_file("{up}", "{there}/target", {options}) end
return Box
"#,
        host = farm.lua(0, "box", ""),
        up = up.display(),
        there = there.display(),
    ));
    (farm, up, there)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

// rows: L-05 L-10
#[test]
fn ctrl_c_in_the_middle_of_a_big_upload_leaves_the_old_file() {
    let world = World::new();
    let (_farm, up, there) = uploader(&world, "{}");
    fs::write(&up, vec![1; 400 << 20]).unwrap();
    fs::write(there.join("target"), "old").unwrap();
    let mut operator = world.terminal("operator", "deployer", &["run"]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("upload");
    operator.wait_for_text("the log says what goes where", "box put ");
    eventually("the upload has begun", || names(&there).len() == 2, || format!("{:?}", names(&there)));
    operator.wait_for_text("progress", "MiB/s");
    operator.send(CTRL_C);
    operator.wait_for_text("what became of the file", "the old file is as it was");
    operator.wait_for_prompt("deploy > ");
    assert_eq!(names(&there), ["target"], "{}", operator.evidence());
    assert_eq!(fs::read_to_string(there.join("target")).unwrap(), "old");
}

// rows: F-54 F-55
#[test]
fn a_configuration_uploaded_as_root_keeps_its_owner() {
    let world = World::new();
    let (_farm, up, there) = uploader(&world, "{ use_sudo = true }");
    if !rustix::process::getuid().is_root() {
        return;
    }
    fs::write(&up, "new").unwrap();
    let target = there.join("target");
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    chown(&target, Some(65534), Some(65534)).unwrap();
    let finished = world.run(&["run", "-s", "--", "upload"]);
    assert_eq!(finished.status, Some(0), "{finished:?}");
    let metadata = fs::metadata(&target).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (65534, 65534, 0o640));
    assert_eq!((fs::read_to_string(&target).unwrap().as_str(), names(&there).len()), ("new", 1));
}

// rows: N-34 O-01 O-02 O-06 O-10 O-11 O-15 O-16 O-21 O-22 P-18
#[test]
fn the_file_shell_in_a_terminal() {
    let world = World::new();
    let (farm, up, there) = uploader(&world, "{}");
    fs::write(&up, "hello\n").unwrap();
    fs::create_dir(there.join("sub dir")).unwrap();
    fs::write(there.join("sub dir/notes"), "remote\n").unwrap();
    let mut operator = world.terminal("operator", "deployer", &["run", "--scp"]);
    operator.wait_for_text("the prompt", "~ box:");
    operator.send_line(&format!("lcd {}", world.dir().display()));
    operator.send_line(&format!("cd {}", there.display()));
    operator.wait_for_text("where it is", "~ box:there > ");
    operator.send_line("put up");
    operator.wait_for_text("the log", "box put ");
    eventually("it is there", || there.join("up").exists(), || operator.evidence());
    operator.send("cd s\t");
    operator.wait_for_text("the name is completed", "cd 'sub dir'");
    operator.send("\r");
    operator.wait_for_text("one further", "~ box:sub dir > ");
    operator.send_line("get notes");
    eventually("it is here", || world.dir().join("notes").exists(), || operator.evidence());
    operator.send_line("connect");
    operator.wait_for("the prompt of the shell", |screen| screen.contents().trim_end().ends_with(['#', '$']));
    operator.send_line("echo in $(basename \"$PWD\"); exit");
    operator.wait_for_line("the shell stands in the same directory", "in sub dir");
    operator.wait_for("the file shell's own prompt", |screen| screen.contents().trim_end().ends_with("box:sub dir >"));
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
    assert_eq!(farm.logins(), [1], "one connection");
}

// rows: P-19
#[test]
fn scp_is_the_file_shell_without_a_daemon() {
    let world = World::new();
    let (farm, up, there) = uploader(&world, "{}");
    fs::write(&up, "hello\n").unwrap();
    let refused = world.run(&["scp", "--path", "box"]);
    assert_eq!(refused.status, Some(2), "it takes no further options: {refused:?}");
    let mut operator = world.terminal("operator", "deployer", &["scp"]);
    operator.wait_for_text("the prompt", "~ box:");
    operator.send_line(&format!("cd {}", there.display()));
    operator.wait_for_text("where it is", "~ box:there > ");
    operator.send_line(&format!("put {}", up.display()));
    let arrived = || fs::read(there.join("up")).is_ok_and(|new| new == b"hello\n");
    eventually("it is there", arrived, || operator.evidence());
    operator.wait_for("the prompt again", |screen| screen.contents().trim_end().ends_with("box:there >"));
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
    assert_eq!((farm.logins(), world.sockets().len()), (vec![1], 0));
}

// rows: P-18
#[test]
fn the_file_shell_is_no_action() {
    let world = World::new();
    let _host = uploader(&world, "{}");
    let finished = world.run(&["run", "--scp", "--", "upload"]);
    assert_eq!(finished.status, Some(2), "{finished:?}");
}
