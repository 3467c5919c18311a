//! The first minute: a file, a hello, a shell.

use deployer_tests::World;

const HELLO: &str = r#"
--- Says hello.
local Hello = Node { Hosts = { host = LocalHost } }
--- Greet somebody.
function Hello:greet(name) self.hosts:run("echo hello " .. deployer.esc1(name or "world")) end
return Hello
"#;

// rows: F-58 P-06 P-12 P-15
#[test]
fn one_action_in_one_process_says_hello() {
    let world = World::new();
    world.deploy(HELLO);
    let hello = world.run(&["run", "-s", "--", "greet", "deployer"]);
    assert_eq!((hello.status, hello.stdout.as_str()), (Some(0), "hello deployer\n"), "{hello:#?}");
}

// rows: P-05 P-10
#[test]
fn a_private_daemon_says_hello_and_is_gone() {
    let world = World::new();
    world.deploy(HELLO);
    let hello = world.run(&["-f", "deploy.lua", "run", "--", "greet"]);
    assert_eq!((hello.status, hello.stdout.as_str()), (Some(0), "hello world\n"), "{hello:#?}");
    // Dropping the world finds the daemon and its socket if they are still there.
}

// rows: N-12 N-14 N-15 N-51 P-01 P-05 Q-05 W-43
#[test]
fn the_shell_prompts_runs_and_leaves() {
    let world = World::new();
    world.deploy(HELLO);
    let mut shell = world.terminal("shell", "deployer", &["run"]);
    shell.wait_for_prompt("deploy > ");
    shell.send_line("greet you");
    shell.wait_for_line("the greeting", "hello you");
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}

// rows: P-06
#[test]
fn the_shell_works_without_any_daemon() {
    let world = World::new();
    world.deploy(HELLO);
    let mut shell = world.terminal("shell", "deployer", &["run", "-s"]);
    shell.wait_for_prompt("deploy > ");
    let before = world.sockets();
    shell.send_line("greet you");
    shell.wait_for_line("the greeting", "hello you");
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!((shell.exit_status(), before), (0, vec![]));
}
