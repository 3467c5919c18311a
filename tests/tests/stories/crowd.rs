//! One person's trouble never becomes another's.

use deployer_tests::World;
use rustix::process::Signal;

const FLOOD: &str = r#"
local Box = Node { Hosts = { host = LocalHost } }
function Box:flood() self.hosts:run("echo ready; until [ -e start ]; do sleep 0.02; done; seq 1 400000;"
  .. "until [ -e go ]; do sleep 0.02; done; echo the flood is over") end
function Box:say(word) self.hosts:run("echo " .. deployer.esc1(word)) end
return Box
"#;

#[test]
fn a_client_that_stops_reading_holds_up_nobody_and_catches_up() {
    let world = World::new();
    world.deploy(FLOOD);
    let _daemon = world.listen();
    let mut slow = world.connect("slow", &[]);
    slow.wait_for_prompt("deploy > ");
    let name = world.sessions()[0].name.clone();
    let quick = world.connect("quick", &["--session", &name]);
    quick.wait_for_prompt("deploy > ");
    slow.send_line("flood");
    slow.wait_for_line("the calm before the flood", "ready");
    slow.signal(Signal::STOP);
    world.write("start", "");
    quick.wait_for_line("the end of the flood", "400000");
    slow.signal(Signal::CONT);
    slow.wait_for_line("the end of the flood, later", "400000");
    world.write("go", "");
    for client in [&quick, &slow] {
        client.wait_for_line("what comes after", "the flood is over");
        client.wait_for_prompt("deploy > ");
    }
    assert_eq!(slow.contents(), quick.contents());
}

#[test]
fn a_flood_in_one_session_leaves_the_others_quick() {
    let world = World::new();
    world.deploy(FLOOD);
    let _daemon = world.listen();
    let mut flooded = world.connect("flooded", &[]);
    let mut other = world.connect("other", &[]);
    flooded.wait_for_prompt("deploy > ");
    other.wait_for_prompt("deploy > ");
    flooded.send_line("flood");
    world.write("start", "");
    flooded.wait_for("the flood", |screen| {
        screen.contents().lines().filter(|line| line.parse::<u32>().is_ok()).count() > 20
    });
    other.send_line("say hello");
    other.wait_for_line("hello", "hello");
    world.write("go", "");
    flooded.wait_for_line("its end", "the flood is over");
}

#[test]
fn ten_operators_come_and_go() {
    let world = World::new();
    world.deploy(FLOOD);
    let daemon = world.listen();
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    let visit = || {
        let mut visitors: Vec<_> = (0..10).map(|_| world.connect("visitor", &[])).collect();
        visitors.iter().for_each(|visitor| visitor.wait_for_prompt("deploy > "));
        assert_eq!(world.sessions().len(), 10);
        for (index, visitor) in visitors.iter_mut().enumerate() {
            visitor.send_line(&format!("say from-{index}"));
        }
        for (index, visitor) in visitors.iter_mut().enumerate() {
            visitor.wait_for_line("the word", &format!("from-{index}"));
            visitor.wait_for_prompt("deploy > ");
            visitor.send_line("exit");
            assert_eq!(visitor.exit_status(), 0);
        }
        world.eventually_sessions("all have left", <[_]>::is_empty);
    };
    visit();
    let after_one = descriptors();
    visit();
    deployer_tests::eventually(
        "the second ten cost no descriptor more than the first",
        || descriptors() <= after_one,
        || format!("{after_one} after the first, {} after the second", descriptors()),
    );
}
