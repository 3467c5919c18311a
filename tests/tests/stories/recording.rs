//! Recordings of sessions, and playing them.

use std::path::PathBuf;

use deployer_tests::terminal::{CTRL_D, Terminal};
use deployer_tests::wait::eventually;
use deployer_tests::world::World;

use crate::journal::SmallDisk;

const LOCAL: &str = r#"
local Box = Node { Hosts = { host = LocalHost { slug = "box" } } }
function Box:say(text) self.hosts:run("printf '%s\\n' " .. text) end
function Box:size() self.hosts:run("stty size") end
function Box:ask() local _ = self.console:input("Word", { is_password = true }) print("thanks") end
return Box
"#;

fn recording(world: &World) -> PathBuf {
    let place = world.home().join(".local/state/deployer/recordings/0");
    let mut files = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path());
    let (Some(only), None) = (files.next(), files.next()) else { panic!("one recording") };
    only
}

#[test]
fn a_recording_shows_the_screen_again_and_not_what_was_typed() {
    let world = World::new();
    world.deploy(LOCAL);
    let mut daemon = world.listen_with(&["-f", "deploy.lua", "listen", "--record"]);
    let mut ann = world.connect("ann", &[]);
    ann.wait_for_prompt("deploy > ");
    ann.send_line("say grüße-漢字");
    ann.wait_for_line("what was said", "grüße-漢字");
    ann.wait_for_prompt("deploy > ");
    ann.resize(30, 100);
    ann.send_line("size");
    ann.wait_for_line("the size that the terminal had when it was asked", "30 100");
    ann.wait_for_prompt("deploy > ");
    ann.send_line("ask");
    ann.wait_for_text("the question", "Word");
    ann.send_line("hidden-word");
    ann.wait_for_line("the answer was taken", "thanks");
    ann.wait_for_prompt("deploy > ");
    let file = recording(&world);
    let text = || std::fs::read_to_string(&file).unwrap();
    eventually("the end is recorded", || text().contains("thanks"), text);
    // As a crash would leave it.
    daemon.kill_9();
    assert!(!text().contains("hidden-word"), "{}", text());
    let printed = world.run(&["replay", &file.display().to_string()]);
    assert_eq!(printed.status, Some(0), "{printed:#?}");
    for line in ["grüße-漢字", "30 100", "thanks"] {
        assert!(printed.stdout.lines().any(|shown| shown == line), "{line}: {printed:#?}");
    }
    let mut player = world.terminal("player", "deployer", &["replay", &file.display().to_string(), "--speed", "1000"]);
    assert_eq!(player.exit_status(), 0, "{}", player.evidence());
    let raw = player.raw();
    assert!(raw.contains("grüße") && raw.contains("thanks"), "{}", player.evidence());
    std::fs::remove_file(daemon.socket()).unwrap();
}

#[test]
fn a_replay_stands_still_and_can_be_left() {
    let world = World::new();
    let settings = |terminal: &Terminal| terminal.settings();
    let file = world.write(
        "long.cast",
        "{\"version\":2,\"width\":80,\"height\":24}\n[0.0,\"o\",\"first\\u001b]0;title\\u0007\"]\n[3600.0,\"o\",\"last\"]\n",
    );
    let shell = "read go; \"$0\" replay \"$1\"; echo status $?; read go";
    let deployer = deployer_tests::world::deployer().display().to_string();
    let mut player = world.terminal("player", "sh", &["-c", shell, &deployer, &file.display().to_string()]);
    let before = settings(&player);
    player.send_line("");
    player.wait_for_text("the first event", "first");
    player.send(" ");
    player.send("q");
    player.wait_for_text("that it was left", "status 0");
    assert_eq!(settings(&player), before);
    assert!(!player.raw().contains("title"), "the bytes of a recording never reach the terminal");
    let broken = world.run(&["replay", &world.write("no.cast", "{}\n").display().to_string()]);
    assert_eq!(broken.status, Some(2), "{broken:#?}");
    player.send(CTRL_D);
    let mut hasty =
        world.terminal("hasty", "deployer", &["replay", &file.display().to_string(), "--idle-time-limit", "0.1"]);
    assert_eq!(hasty.exit_status(), 0, "{}", hasty.evidence());
    assert!(hasty.raw().contains("last"), "an hour later: {}", hasty.evidence());
}

#[test]
fn a_recording_has_a_gap_while_the_disk_is_full_and_the_session_goes_on() {
    let world = World::new();
    world.deploy(LOCAL);
    let Some(disk) = SmallDisk::mount(&world) else { return };
    let mut daemon =
        world.listen_with(&["-f", "deploy.lua", "listen", "--drain", "0", "--record", "--recordings", "disk"]);
    let mut ann = world.connect("ann", &[]);
    let mut said = 0;
    let mut say = |ann: &mut Terminal, word: &str| {
        // No word twice: an earlier one on the screen would do for a later one.
        said += 1;
        let word = format!("{word}-{said}");
        ann.wait_for_prompt("deploy > ");
        ann.send_line(&format!("say {word}"));
        ann.wait_for_line("what was said", &word);
    };
    let log = || std::fs::read_to_string(world.daemon_log()).unwrap();
    say(&mut ann, "early");
    let file = world.dir().join("disk/0").read_dir().unwrap().next().unwrap().unwrap().path();
    disk.fill();
    // What is left of the last page takes some words more.
    let more = || {
        say(&mut ann, "in-between");
        log().contains("it has a gap from here on")
    };
    eventually("the disk takes no line any more", more, log);
    say(&mut ann, "in-the-gap");
    ann.wait_for_text("that it is missing", "the recording of this session has a gap from here on: No space left");
    let refused = world.run(&["connect", "--", "say", "unseen"]);
    assert_eq!(refused.status, Some(0), "what has no terminal is not recorded: {refused:#?}");
    let bob = world.connect("bob", &[]);
    bob.wait_for_text("no session without its recording", "cannot be recorded, so it is not opened: No space left");
    disk.make_room();
    let more = || {
        say(&mut ann, "room-again");
        log().contains("is written again")
    };
    eventually("the recording goes on", more, log);
    say(&mut ann, "late");
    ann.wait_for_text("that nothing is missing any more", "the recording of this session goes on");
    let text = || std::fs::read_to_string(&file).unwrap();
    eventually("the end is recorded", || text().matches("late").count() > 2, text);
    ann.wait_for_prompt("deploy > ");
    daemon.stop();
    assert!(text().lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{}", text());
    let (before, after) =
        text().split_once("output is missing here").map(|(b, a)| (b.to_string(), a.to_string())).unwrap();
    assert!(before.contains("early") && !before.contains("late") && after.contains("late"), "{}", text());
    let printed = world.run(&["replay", &file.display().to_string()]);
    assert!(printed.stdout.lines().any(|line| line.starts_with("late-")), "{printed:#?}");
}
