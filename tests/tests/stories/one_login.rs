//! The daemon holds the connections: whoever comes second does not log in again.

use deployer_tests::World;

// rows: F-66 Q-09
#[test]
fn two_sessions_log_in_once() {
    let world = World::new();
    let farm = world.sshd(3);
    let hosts: Vec<String> = (0..3).map(|index| farm.lua(index, &format!("h{index}"), "")).collect();
    world.deploy(&format!(
        r#"
local Fleet = Node {{ Hosts = {{ host = {{ {} }} }} }}
function Fleet:hello() self.hosts:run("echo hello") end
return Node {{ Fleet = Fleet }}
"#,
        hosts.join(", ")
    ));
    let _daemon = world.listen();
    let mut sessions = [world.connect("A", &[]), world.connect("B", &[])];
    for session in &mut sessions {
        session.wait_for_prompt("deploy > ");
        session.send_line("Fleet hello");
        session.wait_for_line("three hellos", "3 hosts, the same output: h[0-2]");
        session.wait_for_line("what they said", "     | hello");
        session.wait_for_prompt("deploy > ");
    }
    let third = world.run(&["connect", "--path", "Fleet", "--", "hello"]);
    assert_eq!(third.status, Some(0), "{third:#?}");
    assert_eq!(farm.logins(), [1, 1, 1]);
}
