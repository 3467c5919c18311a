//! An action is left running: the shell comes back, `jobs` lists it, and one can return to its view.

use deployer_tests::terminal::{CTRL_BACKSLASH, CTRL_C, Terminal};
use deployer_tests::{Daemon, World};

const TREE: &str = r#"
local hosts = {}
for i = 1, 3 do hosts[i] = LocalHost { slug = "w" .. i } end
local Web = ParallelNode {}
--- Waits for ./go.
function Web:update() self.host:run("echo updating " .. self.host.slug .. "; until [ -e go ]; do sleep 0.02; done; echo updated") end
--- Waits for ./ask, then w2 asks.
function Web:ask()
  self.host:run("until [ -e ask ]; do sleep 0.02; done", { interactive = false })
  if self.host.slug == "w2" then print("the answer was " .. self.console:input("which?")) end
end
local Box = Node { Hosts = { host = LocalHost }, Web = Web.Array { Hosts = { host = hosts } } }
function Box:say(word) self.hosts:run("echo " .. deployer.esc1(word)) end
return Box
"#;

fn begin(world: &World) -> (Daemon, Terminal) {
    world.deploy(TREE);
    let daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("set-option parallel-view tiled");
    operator.wait_for_prompt("deploy > ");
    (daemon, operator)
}

fn leave(operator: &mut Terminal) {
    operator.send(CTRL_C);
    operator.wait_for_text("the question what Ctrl-C shall mean", "l: leave it in the background");
    operator.send("l");
    operator.wait_for("the shell where it was before", |screen| {
        !screen.alternate_screen() && screen.contents().contains("goes on in the background")
    });
    operator.wait_for_prompt("deploy > ");
}

// rows: Q-29
#[test]
fn an_action_is_left_listed_and_returned_to() {
    let world = World::new();
    let (_daemon, mut operator) = begin(&world);
    operator.send_line("Web update");
    operator.wait_for("the view of three hosts", |screen| {
        screen.alternate_screen() && screen.contents().contains("3 hosts: 3 running")
    });
    leave(&mut operator);
    let monitor = world.connect("monitor", &["--monitor", "s1"]);
    operator.send_line("say hello");
    operator.wait_for_line("another action meanwhile", "hello");
    operator.wait_for_prompt("deploy > ");
    monitor.wait_for_text("the other action, with a number", "#2 ┌ deploy.say(\"hello\")");
    monitor.wait_for_text("what it ran, not within the first one", "#2 │ $ ");
    monitor.wait_for_line("its end", "#2 └ ok");
    drop(monitor);
    operator.send_line("jobs");
    operator.wait_for_text("its number and name", "[1] running");
    operator.wait_for_prompt("deploy > ");
    world.eventually_sessions(
        "the daemon knows that it runs",
        |all| matches!(all, [one] if one.running.as_deref().is_some_and(|action| action.contains("Web.update"))),
    );
    operator.send_line("jobs 7");
    operator.wait_for_text("a number that is none", "no job 7: jobs lists them");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("jobs 1");
    operator
        .wait_for("its view again", |screen| screen.alternate_screen() && screen.contents().contains("updating w3"));
    leave(&mut operator);
    world.write("go", "");
    operator.wait_for_text("its end is told above the prompt", "ended: ok; 'jobs 1' shows what it printed");
    operator.send_line("jobs 1");
    operator.wait_for_text("the summary that came meanwhile", "3 ok");
    operator.wait_for_text("what the hosts have printed", "updated");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("jobs");
    operator.wait_for_text("it is looked at", "nothing was left running");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
}

// rows: Q-13
#[test]
fn who_leaves_a_view_of_another_size_has_a_terminal_as_before() {
    let world = World::new();
    let (_daemon, mut operator) = begin(&world);
    let deployer = deployer_tests::world::deployer().display().to_string();
    let watch = "\"$0\" connect --session s1 --watch; echo status $?; read go";
    let mut watcher = world.terminal_sized("watcher", "sh", &["-c", watch, &deployer], 50, 200);
    watcher.wait_for_text("the prompt", "deploy > ");
    operator.send_line("Web update");
    let view = |screen: &vt100::Screen| screen.alternate_screen() && screen.contents().contains("3 hosts: 3 running");
    operator.wait_for("the view of three hosts", view);
    watcher.wait_for("the same, on the other screen", view);
    watcher.send(CTRL_BACKSLASH);
    watcher.wait_for_text("that it was left", "status 0");
    let screen = watcher.contents();
    assert!(watcher.screen(|screen| !screen.alternate_screen() && !screen.hide_cursor()), "{}", watcher.evidence());
    assert!(screen.lines().any(|line| line.starts_with("[detached from session s1;")), "{}", watcher.evidence());
    assert!(!screen.contains("arrows: select"), "{}", watcher.evidence());
    world.write("go", "");
    operator.wait_for_prompt("deploy > ");
}

// rows: Q-29
#[test]
fn an_action_in_the_background_that_asks_something_says_so() {
    let world = World::new();
    let (_daemon, mut operator) = begin(&world);
    operator.send_line("Web ask");
    operator.wait_for("the view", |screen| screen.alternate_screen());
    leave(&mut operator);
    world.write("ask", "");
    operator.wait_for_text("somebody must come back", "waits for an answer: 'jobs 1' comes back to it");
    operator.send("say typed here\r");
    operator.wait_for_line("keys stay with the prompt", "typed");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("jobs 1");
    operator.wait_for_text("who waits", "1 waiting");
    operator.send("\t\r");
    operator.wait_for_text("the question, alone", "Ctrl-G: back");
    operator.send_line("this");
    operator.wait_for_text("the answer arrived", "the answer was this");
    operator.wait_for_prompt("deploy > ");
}

// rows: Q-29
#[test]
fn who_leaves_the_shell_is_told_what_still_runs_and_then_it_ends() {
    let world = World::new();
    let (_daemon, mut operator) = begin(&world);
    operator.send_line("Web update");
    operator.wait_for("the view", |screen| screen.alternate_screen());
    leave(&mut operator);
    operator.send_line("exit");
    operator.wait_for_text("the warning", "'exit' again ends it");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    operator.wait_for_text("what became of it", "[1] deploy.Web.update: interrupted");
    assert_eq!(operator.exit_status(), 0);
    world.eventually_sessions("nothing is left", <[_]>::is_empty);
}
