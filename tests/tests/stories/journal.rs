//! What is written down of who did what, and that it stays.

use std::path::Path;

use deployer_tests::terminal::CTRL_BACKSLASH;
use deployer_tests::wait::eventually;
use deployer_tests::world::{PRELUDE, World};
use serde_json::Value;

const LOCAL: &str = r#"
local Box = Node { Hosts = { host = LocalHost { slug = "box" } } }
function Box:say(text) self.hosts:run("echo " .. text) end
function Box:file() self.hosts[1]:open("note", "w", function(f) f:write("note-text") end) end
function Box:fail() self.hosts:run("exit 3") end
function Box:quiet() self.hosts:run("echo hushed-command", { interactive = false, silent = true }) end
function Box:wait() self.hosts:run("echo waiting; until [ -e go ]; do sleep 0.02; done") end
function Box:ask() local _ = self.console:input("Word", { is_password = true }) print("thanks") end
return Box
"#;

/// The lines of all files of a journal, oldest first; each must be whole.
pub(crate) fn lines(place: &Path) -> Vec<Value> {
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those of one kind.
pub(crate) fn events(place: &Path, event: &str) -> Vec<Value> {
    lines(place).into_iter().filter(|line| line["event"] == event).collect()
}

fn count_up(lines: &[Value]) {
    let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn everything_a_person_does_is_in_the_journal_and_no_secret() {
    let world = World::new();
    world.deploy(LOCAL);
    let mut daemon = world.listen();
    let mut ann = world.connect("ann", &[]);
    ann.wait_for_prompt("deploy > ");
    ann.send_line("say hello");
    ann.wait_for_line("what was said", "hello");
    ann.wait_for_prompt("deploy > ");
    ann.send_line("fail");
    ann.wait_for_text("the failure", "abort, retry or skip?");
    ann.send_line("abort");
    ann.wait_for_prompt("deploy > ");
    ann.send_line("file");
    ann.wait_for_prompt("deploy > ");
    ann.send_line("quiet");
    ann.wait_for_prompt("deploy > ");
    ann.send_line("ask");
    ann.wait_for_text("the question", "Word");
    ann.send_line("hidden-word");
    ann.wait_for_line("the answer was taken", "thanks");
    ann.wait_for_prompt("deploy > ");
    ann.send(CTRL_BACKSLASH);
    assert_eq!(ann.exit_status(), 0);
    daemon.stop();
    let place = world.home().join(".local/state/deployer/journal/0");
    let lines = lines(&place);
    count_up(&lines);
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            let of = |key: &str| line[key].as_str().map(|text| format!(" {text}")).unwrap_or_default();
            let number = |key: &str| line[key].as_i64().map(|number| format!(" {number}")).unwrap_or_default();
            let event = line["event"].as_str().unwrap();
            format!(
                "{event}{}{}{}{}",
                of("action"),
                of("host"),
                of("operation") + &of("command") + &of("remote").replace(&world.dir().display().to_string(), ""),
                number("status") + &number("code")
            )
        })
        .collect();
    let expected = [
        "start",
        "open",
        "attach",
        "action say",
        "command box echo hello",
        "command-end box echo hello 0",
        "action-end say 0",
        "action fail",
        "command box exit 3",
        "command-end box exit 3 3",
        "action-end fail 1",
        "action file",
        "file box write /note",
        "action-end file 0",
        "action quiet",
        "command-end box 0",
        "action-end quiet 0",
        "action ask",
        "action-end ask 0",
        "detach",
    ];
    assert_eq!(told[..expected.len()], expected, "{lines:#?}");
    assert_eq!(told.last().map(String::as_str), Some("stop"));
    assert_eq!(lines[3]["parameters"], serde_json::json!(["hello"]));
    let text = format!("{lines:?}");
    for secret in ["hidden-word", "hushed-command", "note-text"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn the_journal_is_whole_after_the_daemon_was_killed() {
    let world = World::new();
    world.deploy(LOCAL);
    let mut daemon = world.listen();
    let mut ann = world.connect("ann", &[]);
    ann.wait_for_prompt("deploy > ");
    ann.send_line("wait");
    ann.wait_for_line("it runs", "waiting");
    let place = world.home().join(".local/state/deployer/journal/0");
    eventually("the command is written", || !events(&place, "command").is_empty(), || format!("{:?}", lines(&place)));
    daemon.kill_9();
    world.write("go", "");
    let before = lines(&place);
    count_up(&before);
    // As if it had been killed in the middle of a line.
    let file = std::fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let file = file.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).last().unwrap();
    let mut torn = std::fs::read(&file).unwrap();
    torn.extend(b"{\"seq\":99,\"ti");
    std::fs::write(&file, torn).unwrap();
    let mut again = world.listen();
    assert!(world.sessions().is_empty(), "it serves, so it listens to signals");
    again.stop();
    let after = lines(&place);
    count_up(&after);
    assert_eq!(after[..before.len()], before);
    let repaired = &after[before.len()];
    assert_eq!((&repaired["event"], &repaired["bytes"]), (&"repaired".into(), &13.into()));
}

/// A disk of its own, so small that it is soon full; needs root.
pub(crate) struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    #[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
    pub(crate) fn mount(world: &World) -> Option<SmallDisk> {
        let place = world.dir().join("disk");
        std::fs::create_dir(&place).unwrap();
        let mount =
            ["-t", "tmpfs", "-o", "size=64k,mode=700", "none", &place.display().to_string()].map(str::to_string);
        let mounted = std::process::Command::new("mount").args(mount).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            eprintln!("not told: no small disk can be mounted here");
            return None;
        }
        Some(SmallDisk(place))
    }

    pub(crate) fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {}
        while std::io::Write::write_all(&mut filler, &[0]).is_ok() {}
    }

    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _gone = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_stops_actions_or_is_told_of_later() {
    for policy in ["strict", "best-effort"] {
        let world = World::new();
        world.write("deploy.lua", &format!("{PRELUDE}{LOCAL}"));
        let Some(disk) = SmallDisk::mount(&world) else { return };
        let journal = world.dir().join("disk/journal");
        let mut daemon =
            world.listen_with(&["-f", "deploy.lua", "listen", "--journal", "disk/journal", "--journal-policy", policy]);
        let say = || world.run(&["connect", "--", "say", "x"]);
        assert_eq!(say().status, Some(0));
        disk.fill();
        // What is left of the page that the journal has begun takes some lines more.
        let mut statuses = Vec::new();
        eventually(
            "the disk takes no line any more",
            || {
                statuses.push(say().status);
                std::fs::read_to_string(world.daemon_log()).unwrap().contains("the journal cannot be written")
            },
            || format!("{:?}", lines(&journal.join("0"))),
        );
        let full = say();
        match policy {
            "strict" => {
                assert_eq!(full.status, Some(6), "{full:#?}");
                assert!(full.stderr.contains("nothing is run without a journal"), "{full:#?}");
            }
            _ => assert_eq!(full.status, Some(0), "{full:#?}"),
        }
        disk.make_room();
        assert_eq!(say().status, Some(0));
        daemon.stop();
        let lines = lines(&journal.join("0"));
        count_up(&lines);
        let lost: u64 = lines.iter().filter_map(|line| line["lines"].as_u64()).sum();
        assert!(lost > 0, "{lines:#?}");
    }
}
