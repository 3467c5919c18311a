//! A session belongs to the daemon: clients come and go.

use deployer_tests::terminal::{CTRL_BACKSLASH, at_prompt, has_line};
use deployer_tests::{Daemon, Terminal, World};

const LOCAL: &str = r#"
local Box = Node { Hosts = { host = LocalHost } }
function Box:say(word) self.hosts:run("echo " .. deployer.esc1(word)) end
function Box:wait() self.hosts:run("echo waiting; until [ -e go ]; do sleep 0.02; done; echo over") end
return Box
"#;

fn daemon(world: &World) -> Daemon {
    world.deploy(LOCAL);
    world.listen()
}

fn shell(world: &World, name: &str, args: &[&str]) -> Terminal {
    let shell = world.connect(name, args);
    shell.wait_for_prompt("deploy > ");
    shell
}

/// The name of the only session.
fn session(world: &World) -> String {
    let [only] = &world.sessions()[..] else { panic!("one session: {:?}", world.sessions()) };
    only.name.clone()
}

// rows: Q-06 Q-11 Q-13
#[test]
fn who_detaches_and_comes_back_sees_the_same_screen() {
    let world = World::new();
    let _daemon = daemon(&world);
    let mut before = shell(&world, "before", &[]);
    for word in ["one", "two", "three"] {
        before.send_line(&format!("say {word}"));
        before.wait_for("the word", |screen| has_line(screen, word) && at_prompt(screen, "deploy > "));
    }
    before.send("say half a li");
    before.wait_for_text("the half typed line", "half a li");
    let screen = before.screen(|screen| (screen.contents(), screen.cursor_position()));
    let name = session(&world);
    before.send(CTRL_BACKSLASH);
    assert_eq!(before.exit_status(), 0, "{}", before.evidence());

    let mut after = world.connect("after", &["--session", &name]);
    after.wait_for("the screen as it was left", |now| (now.contents(), now.cursor_position()) == screen);
    after.send_line("ne");
    after.wait_for_line("the rest of the line", "half");
}

#[test]
fn a_session_gets_the_deployment_file_as_it_is_when_the_session_opens() {
    let world = World::new();
    let _daemon = daemon(&world);
    world.deploy(&LOCAL.replace("Box:say(", "Box:tell("));
    let mut first = shell(&world, "first", &[]);
    first.send_line("tell edited");
    first.wait_for_line("what the action of the edited file prints", "edited");
}

#[test]
fn two_operators_type_into_one_session() {
    let world = World::new();
    let _daemon = daemon(&world);
    let mut alice = shell(&world, "alice", &[]);
    let mut bob = shell(&world, "bob", &["--session", &session(&world)]);
    alice.send_line("say from-alice");
    bob.wait_for_line("what alice ran", "from-alice");
    bob.wait_for_prompt("deploy > ");
    bob.send_line("say from-bob");
    alice.wait_for_line("what bob ran", "from-bob");
    assert_eq!(world.sessions()[0].clients, 2);
}

// rows: Q-09
#[test]
fn two_sessions_do_not_share_their_place() {
    let world = World::new();
    world.deploy("return Node { Here = Node {}, There = Node {} }");
    let _daemon = world.listen();
    let mut alice = shell(&world, "alice", &[]);
    let bob = shell(&world, "bob", &[]);
    alice.send_line("cd Here");
    alice.wait_for_prompt("deploy.Here > ");
    bob.wait_for_prompt("deploy > ");
    world.eventually_sessions("one has moved", |sessions| {
        let mut nodes: Vec<&str> = sessions.iter().map(|session| session.node.as_str()).collect();
        nodes.sort_unstable();
        nodes == ["deploy", "deploy.Here"]
    });
}

#[test]
fn a_watcher_sees_and_cannot_type() {
    let world = World::new();
    let _daemon = daemon(&world);
    let mut alice = shell(&world, "alice", &[]);
    let mut watcher = world.connect("watcher", &["--session", &session(&world), "--watch"]);
    watcher.wait_for_text("the prompt", "deploy > ");
    watcher.send_line("say from-the-watcher");
    alice.send_line("say from-alice");
    watcher.wait_for_line("what alice ran", "from-alice");
    alice.wait_for_prompt("deploy > ");
    assert!(!alice.contents().contains("from-the-watcher"), "{}", alice.evidence());
    watcher.send(CTRL_BACKSLASH);
    assert_eq!(watcher.exit_status(), 0);
}

// rows: Q-11 Q-12 W-43
#[test]
fn a_client_that_crashes_leaves_its_action_running() {
    let world = World::new();
    let _daemon = daemon(&world);
    let mut alice = shell(&world, "alice", &[]);
    alice.send_line("wait");
    alice.wait_for_line("the action runs", "waiting");
    let name = session(&world);
    alice.kill_9();
    world.eventually_sessions(
        "nobody is attached and it runs",
        |all| matches!(all, [one] if one.clients == 0 && one.running.is_some()),
    );
    let back = world.connect("back", &["--session", &name]);
    back.wait_for_line("the action still runs", "waiting");
    world.write("go", "");
    back.wait_for_line("its end", "over");
    back.wait_for_prompt("deploy > ");
}

// rows: Q-13
#[test]
fn the_terminal_is_as_before_when_the_daemon_is_gone() {
    let world = World::new();
    let mut daemon = daemon(&world);
    let mut alice =
        world.terminal("alice", "sh", &["-c", "read go; \"$0\" connect; echo status $?; read go", &deployer()]);
    let before = alice.settings();
    alice.send_line("");
    alice.wait_for_prompt("deploy > ");
    assert_ne!(alice.settings(), before, "a session needs a raw terminal");
    daemon.kill_9();
    alice.wait_for_text("what happened", "status 5");
    assert_eq!(alice.settings(), before);
    std::fs::remove_file(daemon.socket()).unwrap();
}

#[test]
fn an_action_leaves_what_the_terminal_has_shown_before() {
    let world = World::new();
    let _daemon = daemon(&world);
    let line = "echo before; \"$0\" connect -- say hello; echo status $?; read go";
    let terminal = world.terminal("terminal", "sh", &["-c", line, &deployer()]);
    terminal.wait_for_line("its end", "status 0");
    let screen = terminal.contents();
    let at = |line: &str| screen.lines().position(|shown| shown == line);
    assert!(at("before").is_some() && at("before") < at("hello"), "{}", terminal.evidence());
}

fn deployer() -> String {
    deployer_tests::world::deployer().display().to_string()
}
