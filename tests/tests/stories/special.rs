//! The special commands at the prompt, on real hosts: look at a node, run something by hand, log in. What the log says.

use deployer_tests::{Sshd, World};

fn deploy(world: &World, farm: &Sshd) {
    world.deploy(&format!(
        r#"
--- Any service.
local Service = Node {{ unit = "none" }}
--- Start it.
function Service:start()
  self.hosts:run("true")
end

--- The web servers.
local Web = ParallelNode {{ branch = deployer.Q.parent.branch }}
function Web:checkout(commit) self.host:run("echo " .. (commit or self.branch)) end

local Database = Service {{ unit = "postgresql", Hosts = deployer.map_roles {{ host = "web" }} }}
return Node {{
  Hosts = {{ web = {{ {}, {} }} }},
  branch = "main",
  Web = Web.Array {{ Hosts = deployer.map_roles {{ host = "web" }} }},
  Database = Database,
}}
"#,
        farm.lua(0, "w1", ""),
        farm.lua(1, "w2", "")
    ));
}

// rows: N-32 N-35 N-37
#[test]
fn a_command_on_all_hosts_and_a_shell_on_one() {
    let world = World::new();
    let farm = world.sshd(2);
    deploy(&world, &farm);
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("--run Web");
    operator.wait_for_text("the hosts", "on these hosts: w1, w2");
    operator.send_line("echo by-$((40+2))");
    operator.wait_for_line("both hosts", "2 hosts, the same output: w[1-2]");
    operator.wait_for_line("what they said", "     | by-42");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("--connect Web");
    operator.wait_for_text("the question", "connect to which host?");
    operator.send_line("w2");
    operator.send_line("echo in-$((20+3)); exit 4");
    operator.wait_for_line("the shell of the host", "in-23");
    operator.wait_for_prompt("deploy > ");
    assert!(!operator.contents().contains("failed"), "{}", operator.contents());
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
    assert_eq!(farm.logins(), [1, 1]);
}

// rows: N-27 N-28 N-29 N-31 N-33
#[test]
fn what_a_node_is_and_how_it_is_written() {
    let world = World::new();
    let farm = world.sshd(2);
    deploy(&world, &farm);
    let said = |words: &[&str]| {
        let finished = world.run(&[&["run", "-s", "--"], words].concat());
        assert_eq!(finished.status, Some(0), "{finished:#?}");
        finished.stdout
    };
    let node = said(&["--inspect", "Web"]);
    for line in ["about     The web servers.", "actions:\n  checkout", "queries:\n  branch", "deploy.lua:13\n"] {
        assert!(node.contains(line), "{line}: {node}");
    }
    let action = said(&["--inspect", "Web", "checkout"]);
    assert!(action.starts_with("action    checkout([commit]) ("), "{action}");
    let query = said(&["--inspect", "Web", ":w2", "branch"]);
    assert!(query.contains("Q.parent.branch = main\nvalue     main\n"), "{query}");
    // Nobody is asked which class: the node's own.
    let source = said(&["--source-code", "Database"]);
    assert!(source.contains("16  local Database = Service { unit") && !source.contains("start"), "{source}");
    let version = said(&["--version"]);
    assert!(version.starts_with("deployer ") && version.contains("deploy.lua:"), "{version}");
    assert_eq!(farm.logins(), [0, 0]);
    let mut operator = world.terminal("operator", "deployer", &["run", "-s"]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("--source-code Database");
    operator.wait_for_text("the classes", "deploy.lua:6");
    operator.send_line("2");
    operator.wait_for_text("its comment", "5  --- Any service.");
    operator.wait_for_text("its end", "10  end");
    operator.wait_for_prompt("deploy > ");
    assert!(!operator.contents().contains("The web servers"), "{}", operator.contents());
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
}

// rows: L-18
#[test]
fn the_log_tells_commands_actions_and_connections_and_nothing_that_they_print() {
    let world = World::new();
    let farm = world.sshd(2);
    deploy(&world, &farm);
    let log = world.dir().join("debug.log");
    let path = log.display().to_string();
    let args = ["-f", "deploy.lua", "listen", "--drain", "0", "--log", &path];
    let _daemon = world.listen_as(&deployer_tests::world::deployer(), &args, &[("DEPLOYER_LOG", "debug")]);
    let finished = world.run(&["connect", "--path", "Database", "--", "--run", "--", "echo secret-$((40+2))"]);
    assert_eq!(finished.status, Some(0), "{finished:#?}");
    let said = std::fs::read_to_string(&log).unwrap();
    for words in [
        &["action begins", "Database", "--run"][..],
        &["connected", "target="],
        &["command begins", "w2", "echo secret"],
        &["command has ended", "w1", "status 0"],
        &["action has ended"],
    ] {
        assert!(said.lines().any(|line| words.iter().all(|word| line.contains(word))), "{words:?}: {said}");
    }
    assert!(!said.contains("secret-42"), "{said}");
    // Without a daemon it is the same file.
    let finished = world.run(&["run", "-s", "--log", &path, "--", "Web", ":w1", "checkout", "abc"]);
    assert_eq!(finished.status, Some(0), "{finished:#?}");
    let more = std::fs::read_to_string(&log).unwrap().split_off(said.len());
    assert!(more.contains("command has ended") && more.contains("echo abc"), "{more}");
}
