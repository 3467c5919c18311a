//! Windows of the operator's own terminal.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use deployer_tests::world::deployer;
use deployer_tests::{Terminal, Tmux, World, eventually};

const TREE: &str = r#"
local named = function(slug) return LocalHost { slug = slug } end
local Web = ParallelNode {}
function Web:hold() self.host:run("echo before; until [ -e go ]; do sleep 0.02; done; echo after") end
function Web:quiet() self.host:run("until [ -e go ]; do sleep 0.02; done", { interactive = false }); return "over" end
function Web:answer() self.host:run("read word; echo \"got $word\"") end
local System = Node {
  Hosts = { web = { named "w1", named "w2" } },
  web = Web.Array { Hosts = deployer.map_roles { host = "web" } },
}
function System:greet() self.hosts:run("echo hello") end
return System
"#;

// rows: Q-15 Q-16 Q-17 Q-24 N-40
#[test]
fn new_splits_tmux_and_a_shell_at_the_same_node_appears() {
    let world = World::new();
    world.deploy(TREE);
    let _daemon = world.listen();
    let tmux = Tmux::start(&world, &["connect"]);
    let first = tmux.wait_for_panes("the client", 1).remove(0).id;
    tmux.wait_for_text(&first, "the shell", "deploy >");
    tmux.send_line(&first, "cd web :w2");
    tmux.send_line(&first, "set-option keep-panes-open on");
    tmux.wait_for_text(&first, "the node", "deploy.web[w2] > set-option");
    tmux.send_line(&first, "new");
    let second = tmux.wait_for_panes("the window", 2).remove(1);
    assert!(second.active, "the operator goes on in the new window: {:?}", tmux.panes());
    tmux.wait_for_text(&second.id, "a shell at the same node", "deploy.web[w2] >");
    tmux.send_line(&second.id, "show-options");
    tmux.wait_for_text(&second.id, "the options of the first", "keep-panes-open  on");
    world.eventually_sessions("two sessions of one operator", |sessions| sessions.len() == 2);

    // The key does the same, also while an action runs; a shell that is left closes its window at once.
    tmux.send_line(&second.id, "quiet");
    tmux.wait_for_text(&second.id, "the action runs", "until [ -e go ]");
    tmux.command(&["send-keys", "-t", &second.id, "C-n"]);
    let third = tmux.wait_for_panes("the window of the key", 3).remove(2).id;
    tmux.wait_for_text(&third, "a shell at the same node", "deploy.web[w2] >");
    tmux.send_line(&third, "exit");
    tmux.wait_for_panes("its end", 2);
    world.write("go", "");
    tmux.wait_for_text(&second.id, "the action goes on", "over");
    tmux.command(&["send-keys", "-t", &second.id, "C-d"]);
    tmux.wait_for_panes("its end too", 1);
    world.eventually_sessions("the first is left", |sessions| sessions.len() == 1);
}

// rows: Q-19 Q-21 Q-22 T-01 U-36
#[test]
fn every_isolation_has_a_window_of_its_own() {
    let world = World::new();
    world.deploy(TREE);
    let _daemon = world.listen();
    let tmux = Tmux::start(&world, &["connect", "--path", "web", "--option", "parallel-view=windows"]);
    let main = tmux.wait_for_panes("the client", 1).remove(0).id;
    tmux.wait_for_text(&main, "the shell", "deploy.web >");
    tmux.send_line(&main, "hold");
    let panes = tmux.wait_for_panes("a window for each host", 3);
    assert!(panes[0].active, "the operator stays where he is: {panes:?}");
    panes[1..].iter().for_each(|pane| tmux.wait_for_text(&pane.id, "what its host prints", "before"));
    for slug in ["w1", "w2"] {
        let has_title = |tmux: &Tmux| tmux.panes().iter().any(|pane| pane.title == slug);
        tmux.wait_for(&format!("a window with the title {slug}"), has_title);
    }
    world.write("go", "");
    tmux.wait_for_panes("they close", 1);
    tmux.wait_for_text(&main, "the summary", "2 ok in");
    assert!(!tmux.screen(&main).contains("before"), "it was shown elsewhere");

    tmux.send_line(&main, "set-option keep-panes-open on");
    tmux.send_line(&main, "answer");
    let panes = tmux.wait_for_panes("a window for each host", 3);
    for pane in &panes[1..] {
        tmux.wait_for_text(&pane.id, "the question", "read word");
        tmux.send_line(&pane.id, &format!("by{}", &pane.id[1..]));
        tmux.wait_for_text(&pane.id, "its own answer", &format!("got by{}", &pane.id[1..]));
        tmux.wait_for_text(&pane.id, "the notice", "is done; any key closes this window]");
    }
    tmux.command(&["send-keys", "-t", &panes[1].id, "x"]);
    tmux.wait_for_panes("a key closes one", 2);
    tmux.send_line(&main, "close-dead-panes");
    tmux.wait_for_panes("the command closes the rest", 1);
    tmux.wait_for_text(&main, "it says so", "1 is closed");
}

/// A terminal in which `tmux` only writes down what it is told.
fn beside_a_fake_tmux(world: &World, args: &[&str]) -> (Terminal, PathBuf) {
    let bin = world.dir().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let told = world.dir().join("told.split-window");
    let fake = bin.join("tmux");
    // In one piece, one file for each of its commands.
    let told_by = world.dir().join("told");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}.new; mv {0}.new {0}.\"$1\"\n", told_by.display());
    std::fs::write(&fake, script).unwrap();
    std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = world.in_terminal(&deployer(), args);
    command.env("TMUX", "/nowhere,1,0");
    command.env("TMUX_PANE", "%7");
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    (Terminal::spawn("beside a fake tmux", command, 24, 80, vec![world.daemon_log()]), told)
}

/// The words behind `env PATH=...`: what the window runs.
fn window_command(told: &Path) -> Vec<String> {
    let words = || std::fs::read_to_string(told).unwrap_or_default().lines().map(str::to_string).collect::<Vec<_>>();
    let has_ticket = || words().iter().any(|word| word == "--ticket");
    eventually("the terminal is told to open a window", has_ticket, || format!("{:?}", words()));
    let words = words();
    assert_eq!(words[..3], ["split-window", "-t", "%7"].map(String::from));
    let path = words.iter().position(|word| word.starts_with("PATH=")).unwrap();
    words[path + 1..].to_vec()
}

// rows: Q-17 Q-19
#[test]
fn a_ticket_is_good_once() {
    let world = World::new();
    world.deploy(TREE);
    let _daemon = world.listen();
    let (mut first, told) = beside_a_fake_tmux(&world, &["connect"]);
    first.wait_for_prompt("deploy > ");
    first.send_line("new");
    let command = window_command(&told);
    let args: Vec<&str> = command[1..].iter().map(String::as_str).collect();
    assert_eq!(command[0], deployer().display().to_string(), "the client's own executable");
    assert_eq!((args[0], args[1], args[3]), ("connect", "--socket", "--ticket"), "{args:?}");

    let mut wrong = args.clone();
    wrong[4] = "0123456789abcdef0123456789abcdef";
    let mut stranger = world.terminal("a wrong ticket", "deployer", &wrong);
    stranger.wait_for_text("the refusal", "the ticket of this window is wrong, used or too old");
    assert_eq!(stranger.exit_status(), 6);
    let second = world.terminal("the window", "deployer", &args);
    second.wait_for_prompt("deploy > ");
    first.wait_for_prompt("deploy > ");
    let mut third = world.terminal("the ticket again", "deployer", &args);
    third.wait_for_text("the refusal", "the ticket of this window is wrong, used or too old");
    assert_eq!(third.exit_status(), 6);
}

// rows: Q-18 Q-20
#[test]
fn where_no_window_opens_the_run_goes_on_in_the_session() {
    let world = World::new();
    world.deploy(TREE);
    let _daemon = world.listen();
    world.write("go", "");
    let mut shell = world.connect("shell", &["--path", "web", "--option", "parallel-view=windows"]);
    shell.wait_for_prompt("deploy.web > ");
    shell.send_line("hold");
    shell.wait_for_text("the reason, once", "no window: no attached terminal can open windows");
    shell.wait_for_text("the run", "2 ok in");
    let screen = shell.contents();
    assert!(screen.contains("w1 | after") && screen.contains("w2 | after"), "{screen}");
    assert_eq!(screen.matches("no window:").count(), 1, "{screen}");
    shell.send_line("new");
    shell.wait_for_text("the reason", "no new window: no attached terminal can open windows");
}

// rows: L-12 Q-23
#[test]
fn the_monitor_shows_commands_as_they_run_until_a_key_is_pressed() {
    let world = World::new();
    world.deploy(TREE);
    let _daemon = world.listen();
    let mut shell = world.connect("shell", &["--path", "web"]);
    shell.wait_for_prompt("deploy.web > ");
    let mut monitor = world.connect("monitor", &["--monitor", "s1"]);
    monitor.wait_for_text("what it is", "log of session s1; any key closes this window");
    shell.send_line("hold");
    monitor.wait_for_text("the action", "deploy.web.hold on 2 hosts: w1, w2");
    monitor.wait_for_text("a command that runs", "w2 │ $ w2 echo before; until [ -e go ]");
    world.write("go", "");
    monitor.wait_for_line("its end", "├ 2 ok");
    monitor.send("q");
    assert_eq!(monitor.exit_status(), 0);
    let mut nobody = world.connect("no such session", &["--monitor", "s7"]);
    nobody.wait_for_text("the refusal", "no session 's7'");
    assert_eq!(nobody.exit_status(), 2);
    shell.wait_for_prompt("deploy.web > ");

    // Whoever looks later sees what was before, and hears of the end.
    let late = world.connect("a later monitor", &["--monitor", "s1"]);
    late.wait_for_line("what was before", "├ 2 ok");
    shell.send_line("exit");
    late.wait_for_text("the end", "session s1 has ended");
}

// rows: N-38 T-02
#[test]
fn options_are_completed_and_stay_with_the_session() {
    let world = World::new();
    world.deploy(TREE);
    let _daemon = world.listen();
    let mut shell = world.connect("shell", &["--option", "parallel=3"]);
    shell.wait_for_prompt("deploy > ");
    shell.send("set-o\tkee\to\t\t");
    shell.wait_for_line("the values", "on   off");
    shell.send_line("n");
    shell.send("\x1c");
    assert_eq!(shell.exit_status(), 0);
    let mut again = world.connect("the same session", &["--session", "s1"]);
    again.send_line("show-options");
    again.wait_for_line("what was set", "keep-panes-open  on      (set here)");
    again.wait_for_line("what the flag said", "parallel         3       (given with connect)");
    let mut other = world.connect("another session", &[]);
    other.wait_for_prompt("deploy > ");
    other.send_line("show-options");
    other.wait_for_line("its own", "keep-panes-open  off");

    // The key that detaches is an option too.
    again.send_line("set-option detach-key ctrl-b");
    again.send_line("pwd");
    again.wait_for_line("it is set", "/deploy");
    again.send("\x02");
    assert_eq!(again.exit_status(), 0);
}
