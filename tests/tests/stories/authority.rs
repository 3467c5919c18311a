//! Several users of one daemon: who may do what, and who hears of it.

use deployer_tests::daemon::Daemon;
use deployer_tests::others::{Other, TEAM_GROUP};
use deployer_tests::terminal::{CTRL_C, Terminal};
use deployer_tests::wait::eventually;
use deployer_tests::world::World;
use rustix::process::Signal;

use crate::journal::{events, lines};

/// Two places with the same actions, on this machine.
const PLACES: &str = r#"
local Place = Node { Hosts = { host = LocalHost { slug = "here" } } }
function Place:go() self.hosts:run("echo gone >> gone") end
function Place:elsewhere() self.parent.production:go() end
function Place:talk() self.hosts:run("printf 'word: '; read word; echo heard $word") end
function Place:read() return self.hosts:run("echo read >> gone").stdout end
Place.status = deployer.property(function(self) return self.hosts:run("echo looked >> gone").stdout end)
function Place:look() return self.parent.production.status end
local Fleet = ParallelNode {}
function Fleet:hold() self.host:run("printf 'word: '; read word; echo heard $word") end
Place.Fleet = Fleet.Array { Hosts = { host = { LocalHost { slug = "w1" }, LocalHost { slug = "w2" } } } }
return Node { staging = Place {}, production = Place {} }
"#;

/// Somebody who runs everything but production, and somebody who only looks.
const POLICY: &str = r#"
[users]
41001 = "operator"
41002 = "viewer"
41003 = "operator"

[[limits]]
node = "production"
rank = "viewer"
users = ["41001"]
"#;

fn team(world: &World) -> Daemon {
    world.deploy(PLACES);
    world.write("policy.toml", POLICY);
    world.listen_with(&[
        "-f",
        "deploy.lua",
        "listen",
        "--team",
        "ops",
        "--team-group",
        TEAM_GROUP,
        "--policy",
        "policy.toml",
        "--journal",
        "journal",
    ])
}

fn gone(world: &World) -> String {
    std::fs::read_to_string(world.dir().join("gone")).unwrap_or_default()
}

/// Who comes by telnet is who the kernel says, and the policy counts for him as at the socket.
// rows: R-05
#[test]
fn who_comes_by_telnet_has_the_rank_of_his_user() {
    let world = World::new();
    let Some(ann) = Other::member(&world, 41001) else { return };
    let eve = Other::member(&world, 41004).unwrap();
    world.deploy(PLACES);
    world.write("policy.toml", POLICY);
    let team = ["--team", "ops", "--team-group", TEAM_GROUP, "--policy", "policy.toml", "--journal", "journal"];
    let args = [&["-f", "deploy.lua", "telnet-server", "--port", "0"][..], &team].concat();
    let _daemon = world.listen_with(&args);
    let log = || std::fs::read_to_string(world.daemon_log()).unwrap_or_default();
    let port = || {
        log().lines().find_map(|line| Some(line.strip_prefix("telnet on 127.0.0.1:")?.split(' ').next()?.to_string()))
    };
    eventually("the telnet port is announced", || port().is_some(), log);
    let port = port().unwrap();
    let mut anns = ann.telnet("ann", "127.0.0.1", &port);
    anns.wait_for_prompt("deploy > ");
    anns.send_line("production go");
    anns.wait_for_text("why not", "uid 41001 is viewer on production (policy.toml:8)");
    anns.wait_for_prompt("deploy > ");
    assert_eq!(gone(&world), "", "nothing ran");
    anns.send_line("staging go");
    eventually("what ann may do is done", || gone(&world) == "gone\n", || anns.evidence());
    anns.wait_for_prompt("deploy > ");
    anns.send_line("exit");
    anns.exit_status();
    let mut eves = eve.telnet("eve", "127.0.0.1", &port);
    eves.wait_for_text("no rank, no word", "Connection closed by foreign host");
    eves.exit_status();
    let place = world.dir().join("journal/ops");
    let ran = events(&place, "command");
    assert!(ran.iter().all(|line| line["uid"] == 41001) && !ran.is_empty(), "{ran:#?}");
    assert!(events(&place, "refusal").iter().any(|line| line["uid"] == 41004));
}

// rows: Q-03 W-02
#[test]
fn a_viewer_of_production_runs_what_is_not_production() {
    let world = World::new();
    let Some(ann) = Other::member(&world, 41001) else { return };
    let (bob, eve) = (Other::member(&world, 41002).unwrap(), Other::member(&world, 41004).unwrap());
    let mut daemon = team(&world);
    for (path, action) in [("production", "go"), ("staging", "elsewhere"), ("staging", "look")] {
        let refused = ann.run(&["connect", "--path", path, "--", action]);
        assert_eq!(refused.status, Some(6), "{refused:#?}");
        assert!(refused.stderr.contains("is viewer on production (policy.toml:8)"), "{refused:#?}");
    }
    let refused = bob.run(&["connect", "--path", "staging", "--", "go"]);
    assert_eq!(refused.status, Some(6), "{refused:#?}");
    assert_eq!(gone(&world), "", "nothing ran");
    let refused = eve.run(&["connect", "--path", "staging", "--", "go"]);
    assert_eq!(refused.status, Some(6), "{refused:#?}");
    assert!(refused.stderr.contains("gives no rank"), "{refused:#?}");
    let refused = eve.stranger().run(&["connect", "--path", "staging", "--", "go"]);
    assert_eq!(refused.status, Some(6), "the socket is not for everybody: {refused:#?}");
    assert_eq!(ann.run(&["connect", "--path", "staging", "--", "go"]).status, Some(0));
    assert_eq!(gone(&world), "gone\n");
    daemon.stop();
    let lines = lines(&world.dir().join("journal/ops"));
    let refusals: Vec<(u64, &str)> = lines
        .iter()
        .filter(|line| line["event"] == "refusal" && line["verb"] != "connect")
        .map(|line| (line["uid"].as_u64().unwrap(), line["node"].as_str().unwrap()))
        .collect();
    let production = (41001, "deploy.production");
    assert_eq!(refusals, [production, production, production, (41002, "deploy.staging")]);
    assert!(lines.iter().any(|line| line["event"] == "refusal" && line["verb"] == "connect" && line["uid"] == 41004));
}

#[test]
fn the_weaker_of_owner_and_typist_counts() {
    let world = World::new();
    let Some(ann) = Other::member(&world, 41001) else { return };
    let (bob, carl) = (Other::member(&world, 41002).unwrap(), Other::member(&world, 41003).unwrap());
    let _daemon = team(&world);
    let mut carls = carl.connect("carl", &["--path", "production"]);
    carls.wait_for_prompt("deploy.production > ");
    let name = world.sessions()[0].name.clone();
    for (who, args) in [(&ann, &["connect", "--session"][..]), (&bob, &["kill-session"])] {
        // Joining needs a terminal; the refusal comes the same way.
        let mut refused = match args[0] {
            "connect" => who.connect("refused", &["--session", &name]),
            _ => {
                let killed = who.run(&["kill-session", &name]);
                assert_eq!(killed.status, Some(6), "{killed:#?}");
                assert!(killed.stderr.contains("belongs to uid 41003"), "{killed:#?}");
                continue;
            }
        };
        refused.wait_for_text("why not", "belongs to uid 41003");
        assert_eq!(refused.exit_status(), 6);
    }
    let watcher = bob.connect("watcher", &["--session", &name, "--watch"]);
    watcher.wait_for_text("the session", "deploy.production > ");
    let shared = carl.run(&["share", &name, "41001"]);
    assert_eq!(shared.status, Some(0), "{shared:#?}");
    watcher.wait_for_text("who may type now", "uid 41003 lets uid 41001 type here");
    let mut anns = ann.connect("ann", &["--session", &name]);
    anns.wait_for_prompt("deploy.production > ");
    anns.send_line("go");
    carls.wait_for_text("why ann may not", "uid 41001 is viewer on production");
    carls.wait_for_prompt("deploy.production > ");
    assert_eq!(gone(&world), "");
    carls.send_line("go");
    eventually("what carl may do is done", || gone(&world) == "gone\n", || carls.evidence());
    let listed = bob.run(&["list-sessions"]);
    for text in ["uid 41003 (41003)", "uid 41001 (operator)", "uid 41002 (viewer, watching)"] {
        assert!(listed.stdout.contains(text), "{text}: {listed:#?}");
    }
    let stopped = carl.run(&["share", &name, "41001", "--stop"]);
    assert_eq!(stopped.status, Some(0), "{stopped:#?}");
    anns.send("go");
    anns.wait_for_text("that she may not type any more", "belongs to uid 41003");
    let in_vain = carl.run(&["hand-over", &name, "41002"]);
    assert_eq!(in_vain.status, Some(2), "{in_vain:#?}");
    assert!(in_vain.stderr.contains("is viewer: nothing could be run"), "{in_vain:#?}");
    let given = carl.run(&["hand-over", &name, "41001"]);
    assert_eq!(given.status, Some(0), "{given:#?}");
    anns.wait_for_text("whose it is now", "uid 41003 gives this session to uid 41001");
    carls.send_line("go");
    anns.wait_for_text("whose rights are missing now", "belongs to uid 41001, who is viewer on production");
    assert_eq!(gone(&world), "gone\n");
}

#[test]
fn a_broken_policy_is_refused_and_the_one_before_stays() {
    let world = World::new();
    let Some(ann) = Other::member(&world, 41001) else { return };
    let daemon = team(&world);
    let reload = |policy: &str, said: &str| {
        world.write("policy.toml", policy);
        deployer_tests::processes::signal(daemon.pid(), Signal::HUP);
        let log = || std::fs::read_to_string(world.daemon_log()).unwrap();
        eventually(said, || log().contains(said), log);
    };
    let go = || ann.run(&["connect", "--path", "staging", "--", "go"]).status;
    assert_eq!(go(), Some(0), "it serves, so it listens to signals");
    reload("[users]\n41001 = \"boss\"\n", "policy.toml:2: ");
    assert_eq!(go(), Some(0));
    reload(&POLICY.replace("\"production\"", "\"prodution\""), "policy.toml:8: ");
    assert_eq!(go(), Some(0));
    let watching = ann.connect("ann", &["--path", "staging"]);
    watching.wait_for_prompt("deploy.staging > ");
    reload("[users]\n41002 = \"viewer\"\n", "the policy was read again");
    watching.wait_for_text("that she is not known any more", "gives no rank");
    assert_eq!(go(), Some(6));
    let read = events(&world.dir().join("journal/ops"), "reload");
    let ok: Vec<bool> = read.iter().map(|line| line["ok"].as_bool().unwrap()).collect();
    assert_eq!(ok, [false, false, true]);
    let broken = world.run(&["-f", "deploy.lua", "listen", "--team", "two", "--policy", "deploy.lua"]);
    assert_eq!(broken.status, Some(2), "{broken:#?}");
    assert!(broken.stderr.contains("deploy.lua:"), "{broken:#?}");
}

/// A session of carl's on production, by name, and ann in it too: she may type there and run nothing.
fn side_by_side(world: &World, carl: &Other, ann: &Other) -> (String, Terminal, Terminal) {
    let carls = carl.connect("carl", &["--path", "production"]);
    carls.wait_for_prompt("deploy.production > ");
    let name = world.sessions()[0].name.clone();
    assert_eq!(carl.run(&["share", &name, "41001"]).status, Some(0));
    let anns = ann.connect("ann", &["--session", &name]);
    anns.wait_for_prompt("deploy.production > ");
    (name, carls, anns)
}

#[test]
fn keys_at_what_runs_count_only_from_those_who_may_act_there() {
    let world = World::new();
    let Some(ann) = Other::member(&world, 41001) else { return };
    let carl = Other::member(&world, 41003).unwrap();
    let _daemon = team(&world);
    let (_, mut carls, mut anns) = side_by_side(&world, &carl, &ann);
    carls.send_line("talk");
    // The line itself: the command in the log has the word, too, before it runs.
    anns.wait_for_line("it reads", "word:");
    anns.send_line("from-ann");
    anns.wait_for_text("that her keys do not count", "may not type while something runs on production");
    carls.send_line("from-carl");
    carls.wait_for_text("who was heard", "heard from-carl");
    carls.wait_for_prompt("deploy.production > ");
    assert!(!carls.contents().contains("from-ann"), "{}", carls.evidence());
}

fn leave(terminal: &mut Terminal) {
    terminal.wait_for("the view of two hosts", |screen| screen.alternate_screen());
    terminal.send(CTRL_C);
    terminal.wait_for_text("the question what Ctrl-C shall mean", "l: leave it in the background");
    terminal.send("l");
    terminal.wait_for("the shell", |screen| !screen.alternate_screen());
    terminal.wait_for_prompt("deploy.production > ");
}

#[test]
fn what_runs_in_the_background_keeps_nobody_from_the_prompt() {
    let world = World::new();
    let Some(ann) = Other::member(&world, 41001) else { return };
    let carl = Other::member(&world, 41003).unwrap();
    let _daemon = team(&world);
    let (name, mut carls, mut anns) = side_by_side(&world, &carl, &ann);
    carls.send_line("set-option parallel-view tiled");
    carls.wait_for_prompt("deploy.production > ");
    carls.send_line("Fleet hold");
    leave(&mut carls);
    anns.send_line(".. staging go");
    eventually("ann's action runs meanwhile", || gone(&world) == "gone\n", || anns.evidence());
    anns.wait_for_prompt("deploy.production > ");
    anns.send_line("jobs 1");
    anns.wait_for_text("that it is not for her", "so it stays in the background");
    anns.wait_for_prompt("deploy.production > ");
    carls.send_line("jobs 1");
    carls.wait_for_text("both hosts ask", "2 waiting");
    anns.send("a");
    anns.wait_for_text("that her keys do not count any more", "may not type while something runs on production");
    leave(&mut carls);
    anns.send_line(".. staging go");
    eventually("she types again", || gone(&world) == "gone\ngone\n", || anns.evidence());
    anns.wait_for_prompt("deploy.production > ");
    let refusals = events(&world.dir().join("journal/ops"), "refusal");
    assert!(refusals.iter().any(|line| line["verb"] == "jobs" && line["uid"] == 41001), "{refusals:#?}");
    let killed = carl.run(&["kill-session", &name]);
    assert_eq!(killed.status, Some(0), "{killed:#?}");
    for mut client in [anns, carls] {
        client.exit_status();
    }
}

// rows: Q-03 W-02
#[test]
fn a_personal_daemon_speaks_to_nobody_else() {
    let world = World::new();
    let Some(ann) = Other::member(&world, 41001) else { return };
    world.deploy(PLACES);
    let socket = world.dir().join("mine.sock").display().to_string();
    let mut daemon = world.listen_with(&["-f", "deploy.lua", "listen", "--socket", &socket, "--journal", "journal"]);
    // Even when its owner has opened the file to all.
    std::fs::set_permissions(&socket, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let refused = ann.run(&["connect", "--socket", &socket, "--path", "staging", "--", "go"]);
    assert_eq!(refused.status, Some(5), "{refused:#?}");
    assert_eq!(gone(&world), "");
    daemon.stop();
    let refusals = events(&world.dir().join("journal/mine"), "refusal");
    assert_eq!(refusals[0]["uid"], 41001, "{refusals:?}");
}
