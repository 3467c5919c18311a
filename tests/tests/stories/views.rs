//! Parallel actions as operators see them: tiles and folded lines of the session's own terminal.

use deployer_tests::terminal::{CTRL_BACKSLASH, CTRL_C, Terminal};
use deployer_tests::{Sshd, World};

/// Leaves a focused host.
const BACK: &str = "\x07";
const TAB: &str = "\t";
const ENTER: &str = "\r";

/// `count` hosts w01, w02, ... ; one server each when there are few.
fn fleet(world: &World, count: usize) -> Sshd {
    let farm = world.sshd(count.min(6));
    let hosts: Vec<String> = (0..count).map(|index| farm.lua(index % 6, &format!("w{:02}", index + 1), "")).collect();
    world.deploy(&format!(
        r#"
local Web = ParallelNode {{}}
--- Says where it is, waits for ~/go. w02 asks something, w03 fails.
function Web:update()
  local slug = self.host.slug
  local last = "echo updated"
  if slug == "w02" then last = "printf 'restart now? '; read answer; echo answer $answer" end
  if slug == "w03" then last = "echo no space left; exit 9" end
  self.host:run("echo updating " .. slug .. "; stty size; until [ -e ~/go ]; do sleep 0.02; done; " .. last)
end
--- Naps until somebody ends it.
function Web:nap() self.host:run([[echo nap'p'ing; sleep 300]]) end
return Node {{ Web = Web.Array {{ Hosts = {{ host = {{ {} }} }} }} }}
"#,
        hosts.join(",\n")
    ));
    farm
}

fn go(farm: &Sshd) {
    std::fs::write(farm.home().join("go"), "").unwrap();
}

fn row(screen: &vt100::Screen, row: u16) -> String {
    screen.rows(0, screen.size().1.get()).nth(usize::from(row)).unwrap_or_default()
}

fn shows(screen: &vt100::Screen, texts: &[&str]) -> bool {
    let contents = screen.contents();
    texts.iter().all(|text| contents.contains(text))
}

fn connect(world: &World, name: &str, args: &[&str], rows: u16, cols: u16) -> Terminal {
    world.terminal_sized(name, "deployer", &[&["connect"], args].concat(), rows, cols)
}

// rows: Q-19 Q-20 W-55
#[test]
fn six_hosts_are_tiles_and_a_question_is_answered_in_the_focused_one() {
    for (rows, cols, inner) in [(24, 80, "6 40"), (50, 200, "15 100")] {
        let world = World::new();
        let farm = fleet(&world, 6);
        let _daemon = world.listen();
        let mut operator = connect(&world, "operator", &[], rows, cols);
        operator.wait_for_prompt("deploy > ");
        operator.send_line("Web update");
        operator.wait_for("six tiles, each host says where it is and how large its terminal is", |screen| {
            let all = (1..=6).all(|host| shows(screen, &[&format!("updating w{host:02}")]));
            all && screen.alternate_screen() && shows(screen, &["6 hosts: 6 running", inner])
        });
        go(&farm);
        operator.wait_for("who fails and who asks, on top of the screen", |screen| {
            row(screen, 0).contains("1 waiting, 1 waiting?, 4 ok") && shows(screen, &["restart now?", "[abort]"])
        });
        // The failed host asks what to do; the other one's program asks.
        operator.send(TAB);
        operator.send(ENTER);
        operator.wait_for("w02 fills the screen", |screen| {
            let last = row(screen, rows - 1);
            last.contains("w02  waiting") && last.contains("Ctrl-G: back")
        });
        operator.send_line("yes");
        operator.wait_for_line("its program has read it", "answer yes");
        operator.send(BACK);
        operator.send(TAB);
        operator.send(ENTER);
        operator.wait_for("w03 fills the screen", |screen| row(screen, rows - 1).contains("w03  waiting"));
        operator.send_line("abort");
        operator.wait_for("the summary, on the screen where the shell was", |screen| {
            !screen.alternate_screen() && shows(screen, &["5 ok, 1 failed"]) && shows(screen, &["deploy > "])
        });
        let told = operator.contents();
        assert!(told.contains("w03  failed"), "{}", operator.evidence());
        operator.wait_for_prompt("deploy > ");
        farm.wait_until_idle();
    }
}

// rows: Q-19 W-13
#[test]
fn forty_hosts_are_folded_lines_with_the_odd_ones_on_top() {
    let world = World::new();
    let farm = fleet(&world, 40);
    let _daemon = world.listen();
    let mut operator = connect(&world, "operator", &[], 24, 80);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Web update");
    operator.wait_for("all say the size of the whole screen, on one line", |screen| {
        row(screen, 1).contains("40: w[01-40]") && row(screen, 1).contains("23 80")
    });
    go(&farm);
    operator.wait_for("two odd ones, and one line for the others", |screen| {
        let lines: Vec<String> = (1..5).map(|at| row(screen, at)).collect();
        lines[0].starts_with(" waiting  w03")
            && lines[1].starts_with(" waiting? w02")
            && lines[2].starts_with(" ok       38: w[01,04-40]")
            && lines[2].contains("updated")
            && lines[3].trim().is_empty()
    });
    operator.send(TAB);
    operator.send(ENTER);
    operator.wait_for("w02 fills the screen", |screen| row(screen, 23).contains("w02  waiting?"));
    operator.send_line("no");
    operator.wait_for_line("its answer", "answer no");
    operator.send(BACK);
    operator.wait_for("it is done", |screen| row(screen, 0).contains("1 waiting, 39 ok"));
    operator.send(TAB);
    operator.send(ENTER);
    operator.wait_for("w03 fills the screen", |screen| row(screen, 23).contains("w03  waiting"));
    operator.send_line("skip");
    operator.wait_for("the summary", |screen| shows(screen, &["39 ok, 1 skipped"]));
    operator.wait_for_prompt("deploy > ");
    farm.wait_until_idle();
}

// rows: N-26 W-48
#[test]
fn ctrl_c_ends_the_focused_host_alone_and_stop_ends_all() {
    let world = World::new();
    let farm = fleet(&world, 6);
    let _daemon = world.listen();
    let mut operator = connect(&world, "operator", &[], 24, 80);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Web nap");
    operator.wait_for("all nap", |screen| {
        screen.contents().matches("napping").count() >= 6 && shows(screen, &["6 running"])
    });
    operator.send("jj");
    operator.send(ENTER);
    operator.wait_for("one fills the screen", |screen| row(screen, 23).contains("w03  running"));
    operator.send(CTRL_C);
    operator.wait_for("it alone was stopped", |screen| row(screen, 23).contains("w03  stopped"));
    operator.send(BACK);
    operator.wait_for("the others go on", |screen| row(screen, 0).contains("5 running, 1 stopped"));
    operator.send(CTRL_C);
    operator.wait_for("a question", |screen| row(screen, 23).contains("s: stop all hosts"));
    operator.send("g");
    operator.wait_for("they go on", |screen| {
        row(screen, 23).contains("Ctrl-C: stop") && row(screen, 0).contains("5 running")
    });
    operator.send(CTRL_C);
    operator.send(CTRL_C);
    operator.wait_for("twice is still a question", |screen| row(screen, 23).contains("s: stop all hosts"));
    operator.send("s");
    operator.wait_for("the summary", |screen| shows(screen, &["6 interrupted"]));
    operator.wait_for_prompt("deploy > ");
    farm.wait_until_idle();
}

// rows: Q-09 Q-14 M-03
#[test]
fn a_resize_and_a_detach_in_the_middle_change_nothing_but_the_size() {
    let world = World::new();
    let farm = fleet(&world, 6);
    let _daemon = world.listen();
    let mut operator = connect(&world, "operator", &[], 24, 80);
    operator.wait_for_prompt("deploy > ");
    let name = world.sessions()[0].name.clone();
    operator.send_line("Web update");
    operator.wait_for("six tiles", |screen| (1..=6).all(|host| shows(screen, &[&format!("updating w{host:02}")])));
    operator.resize(50, 200);
    operator.wait_for("tiles of another size, with what they showed", |screen| {
        row(screen, 17).contains("w03")
            && row(screen, 18).contains("updating w03")
            && row(screen, 49).contains("Enter: open")
    });
    operator.send(ENTER);
    operator.wait_for("one fills the screen", |screen| {
        row(screen, 49).contains("w01  running") && row(screen, 1).trim_end() == "updating w01"
    });
    let (before, _) = (operator.contents(), operator.send(CTRL_BACKSLASH));
    assert_eq!(operator.exit_status(), 0);
    let mut again = connect(&world, "again", &["--session", &name], 50, 200);
    let clock = |text: &str| text.lines().take(49).map(str::to_string).collect::<Vec<_>>();
    again.wait_for("the same screen", |screen| clock(&screen.contents()) == clock(&before));
    again.send(BACK);
    go(&farm);
    again.wait_for("two wait", |screen| row(screen, 0).contains("1 waiting, 1 waiting?, 4 ok"));
    again.send(CTRL_C);
    again.send("s");
    again.wait_for("the summary", |screen| {
        shows(screen, &["4 ok, 2 interrupted"]) || shows(screen, &["4 ok, 1 failed, 1 interrupted"])
    });
    again.wait_for_prompt("deploy > ");
    farm.wait_until_idle();
}
