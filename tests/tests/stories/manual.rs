//! The examples of the original's manual, in today's words: what they did, they do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use deployer_tests::World;

/// Four hosts, all of them this machine.
const HOSTS: &str = r#"
local lb, web1, web2, db = LocalHost { slug = "lb" }, LocalHost { slug = "web1" }, LocalHost { slug = "web2" }, LocalHost { slug = "db" }
local map_roles, Q, groups = deployer.map_roles, deployer.Q, deployer.groups
local quiet = { interactive = false }
"#;

fn world(lua: &str) -> World {
    let world = World::new();
    world.deploy(&format!("{HOSTS}{lua}"));
    world
}

/// What an action prints and what the log says of it, when all goes well.
fn told(world: &World, words: &[&str]) -> String {
    let done = world.run(&[&["run", "-s", "--"], words].concat());
    assert_eq!(done.status, Some(0), "{words:?}: {done:#?}");
    done.stdout + &done.stderr
}

// rows: U-15 U-16
#[test]
fn a_web_system_maps_the_roles_of_its_hosts() {
    let world = world(
        r#"
local Service = Node { name = deployer.required_property "the name of the service" }
function Service:start() self.hosts:run("echo starting " .. self.name, quiet) end
local System = Node {
  Balancer = Service { Hosts = map_roles { host = "load_balancers" }, name = "haproxy" },
  Database = Service { Hosts = map_roles { host = { "master", "slave" } }, name = "postgresql" },
}
return Node {
  Staging = System { Hosts = { load_balancers = web1, master = web1, slave = web1 } },
  Production = System { Hosts = { load_balancers = lb, master = db, slave = web2 } },
}
"#,
    );
    let hosts = |text: &str| {
        let mut hosts: Vec<&str> =
            text.lines().filter(|line| line.contains("$ echo")).filter_map(|line| line.split(' ').next()).collect();
        hosts.sort_unstable();
        hosts.join(" ")
    };
    for (system, part, touched) in
        [("Production", "Balancer", "lb"), ("Production", "Database", "db web2"), ("Staging", "Database", "web1")]
    {
        let text = told(&world, &[system, part, "start"]);
        assert_eq!(hosts(&text), touched, "{system} {part}: {text}");
    }
    let mut shell = world.terminal("operator", "deployer", &["run"]);
    shell.wait_for_prompt("deploy > ");
    shell.send_line("cd Production Database");
    shell.wait_for_prompt("deploy.Production.Database > ");
    shell.send_line("start");
    shell.wait_for_text("on master and slave", "starting postgresql");
    shell.wait_for_prompt("deploy.Production.Database > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}

// rows: U-17
#[test]
fn a_deployment_file_can_be_a_program() {
    let world = World::new();
    let file = world.write(
        "shop",
        &format!(
            "#!/usr/bin/env -S {} run -f\nlocal deployer = require \"deployer\"\n\
             local Shop = deployer.Node {{}}\nfunction Shop:hello() print \"hello\" end\nreturn Shop\n",
            deployer_tests::world::deployer().display()
        ),
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let hello = world.run_program(&file, &["--", "hello"]);
    assert_eq!((hello.status, hello.stdout.as_str()), (Some(0), "hello\n"), "{hello:#?}");
    let alone = world.run_program(&file, &["-s", "--", "hello"]);
    assert_eq!((alone.status, alone.stdout.as_str()), (Some(0), "hello\n"), "{alone:#?}");
    let help = world.run_program(&file, &["--help"]);
    assert!(help.stdout.contains("Usage:"), "{help:#?}");
    let mut shell = world.terminal("reader", file.to_str().unwrap(), &[]);
    shell.wait_for_prompt("shop > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}

// rows: U-18 U-20
#[test]
fn a_parallel_web_system_acts_once_for_each_host() {
    let world = world(
        r#"
local Web = ParallelNode { Hosts = { host = { lb, web1, web2, db } } }
function Web:checkout() self.host:run("echo checked out", quiet) end
function Web:restart() self.host:run("echo restarted", quiet) end
function Web:deploy() self:checkout(); self:restart() end
return Node { web = Web.Array { Hosts = { host = { lb, web1, web2, db } } } }
"#,
    );
    for (words, cells) in [
        (&["web", ":0", "restart"][..], &["lb"][..]),
        (&["web", ":web2", "restart"], &["web2"]),
        (&["web", "deploy"], &["lb", "web1", "web2", "db"]),
    ] {
        let text = told(&world, words);
        for slug in ["lb", "web1", "web2", "db"] {
            let ran = text.lines().any(|line| line.starts_with(slug) && line.contains("$ echo restarted"));
            assert_eq!(ran, cells.contains(&slug), "{words:?} on {slug}: {text}");
        }
        assert_eq!(text.contains("echo checked out"), words.contains(&"deploy"), "{text}");
    }
}

// rows: U-19
#[test]
fn what_is_overridden_two_levels_down_sees_the_inner_node() {
    let world = world(
        r#"
local WebApp = Node { App = Node { Server = Node { port = 80 } } }
function WebApp.App.Server:show() return "the base shows " .. self.port end
return WebApp { App__Server__port = 8080, App__Server__show = function(self) return "the inner node has " .. self.port end }
"#,
    );
    let text = told(&world, &["App", "Server", "show"]);
    assert!(text.contains("the inner node has 8080"), "{text}");
}

// rows: U-21 U-22
#[test]
fn an_array_has_the_hosts_of_the_node_around_it_and_roles_can_be_told_apart() {
    let world = world(
        r#"
local Inner = ParallelNode {}
function Inner:where() return self.host.slug end
local Box = Node { Hosts = { www = { web1, web2 }, db = db }, boxes = Inner.Array { Hosts = map_roles { host = deployer.ALL_HOSTS } } }
function Box:only_www() self.hosts:filter("www"):run("echo on www", quiet) end
return Box
"#,
    );
    let all = told(&world, &["boxes", "where"]);
    for slug in ["web1", "web2", "db"] {
        assert!(all.contains(slug), "{slug}: {all}");
    }
    assert!(told(&world, &["boxes", ":db", "where"]).contains("db"));
    let www = told(&world, &["only_www"]);
    assert!(www.contains("web1") && www.contains("web2") && !www.contains("db "), "{www}");
}

// rows: U-24 U-30 U-32
#[test]
fn actions_build_nodes_and_queries_look_around() {
    let world = world(
        r#"
local Other = Node {}
function Other:greet(name) return "hello " .. name end
local Part = Node { level = Q.parent.level + 1, product = Q.parent.level * Q.level, text = Q("%s of %s") % { Q.level, Q.parent.level }, size = 2 }
function Part:config() return "part " .. self.level end
local Root = Node { level = 3, part = Part {}, area = Q.part.size * 5, told = Q.part.config() }
function Root:builds() return self:initialize_node(Other):greet("there") end
function Root:reads() return self.part.text .. ", " .. self.part.product .. ", " .. self.area .. ", " .. self.told end
return Root
"#,
    );
    let text = told(&world, &["builds"]);
    assert!(text.contains("hello there"), "{text}");
    let text = told(&world, &["reads"]);
    assert!(text.contains("4 of 3, 12, 10, part 4"), "{text}");
}

// rows: U-25 U-26
#[test]
fn production_is_red_and_nobody_to_ask_means_the_default() {
    let world = world(
        r#"
local Box = Node {}
function Box:sure() return "sure: " .. tostring(self.console:confirm("Really?", { default = true })) end
return Node { live = groups.production(Box {}), lab = Box {} }
"#,
    );
    let text = told(&world, &["lab", "sure"]);
    assert!(text.contains("sure: true"), "{text}");
    let mut shell = world.terminal("operator", "deployer", &["run"]);
    for (node, red) in [("lab", false), ("live", true)] {
        shell.wait_for_prompt("deploy > ");
        shell.send_line(&format!("cd {node}"));
        shell.wait_for_prompt(&format!("deploy.{node} > "));
        let colour = shell.screen(|screen| {
            let (row, _) = screen.cursor_position();
            let line = screen.rows(0, 80).nth(usize::from(row)).unwrap();
            let at = u16::try_from(line.find(node).unwrap()).unwrap();
            screen.cell(row, at).unwrap().fgcolor()
        });
        assert_eq!(colour == vt100::Color::Idx(1), red, "{node}: {colour:?}\n{}", shell.evidence());
        shell.send_line("cd /");
    }
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}

// rows: U-27
#[test]
fn bars_say_how_far_it_is() {
    let world = world(
        r#"
local Box = Node { Hosts = { host = lb } }
function Box:count()
  self.console:progress_bar("counting", { expected = 1000 }, function(bar) for _ = 1, 1000 do bar:next() end end)
end
function Box:steps()
  self.console:progress_bar_with_steps("going", { steps = { "first step", "second step" } }, function(bar)
    bar:set_progress(1)
    self.hosts:run("until [ -e go ]; do sleep 0.02; done", { interactive = false, silent = true })
    bar:set_progress(2)
  end)
end
return Box
"#,
    );
    let mut shell = world.terminal("operator", "deployer", &["run"]);
    shell.wait_for_prompt("deploy > ");
    shell.send_line("count");
    shell.wait_for_text("the end", "counting: 1000/1000");
    shell.wait_for_prompt("deploy > ");
    shell.send_line("steps");
    shell.wait_for_text("the step", "first step");
    world.write("go", "");
    shell.wait_for_text("the last one", "2/2");
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}

// rows: U-33 U-35
#[test]
fn what_a_host_prints_is_read_and_what_fails_is_shown() {
    let world = world(
        r#"
local Box = Node { Hosts = { host = lb } }
function Box:address() return "lo has " .. self.hosts[1]:ifconfig():get_interface("lo").ip end
function Box:say_hello() self.hosts:run "echo hello" end
function Box:returns() return "returned text" end
function Box:fails() error "this went wrong" end
return Node { examples = Box {} }
"#,
    );
    assert!(told(&world, &["examples", "address"]).contains("lo has 127.0.0.1"));
    assert!(told(&world, &["examples", "say_hello"]).contains("hello"));
    assert!(told(&world, &["examples", "returns"]).contains("returned text"));
    let failed = world.run(&["run", "-s", "--", "examples", "fails"]);
    assert_eq!(failed.status, Some(1), "{failed:#?}");
    assert!(failed.stderr.contains("this went wrong") || failed.stdout.contains("this went wrong"), "{failed:#?}");
    let mut shell = world.terminal("operator", "deployer", &["run"]);
    shell.wait_for_prompt("deploy > ");
    shell.send_line("--connect examples");
    shell.wait_for_text("a shell on the host", "$");
    shell.send_line("echo $((40+2)); exit");
    shell.wait_for_text("it is one", "42");
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}
