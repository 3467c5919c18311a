//! The daily picture: one daemon, several operators, four hosts, one of them in trouble, and a laptop that dies.

use deployer_tests::{Sshd, World};

fn fleet(world: &World) -> Sshd {
    let farm = world.sshd(4);
    let hosts: Vec<String> = (0..4).map(|index| farm.lua(index, &format!("web{}", index + 1), "")).collect();
    world.deploy(&format!(
        r#"
local Web = ParallelNode {{}}
--- Waits for the file ~/go on the hosts; web3 has no space left.
function Web:update()
  self.host:run("echo updating; until [ -e ~/go ]; do sleep 0.02; done;"
    .. "case $SSH_CONNECTION in *' {bad} '*) echo no space left; exit 9;; esac; echo updated")
end
return Node {{ Web = Web.Array {{ Hosts = {{ host = {{ {hosts} }} }} }} }}
"#,
        bad = farm.addresses()[2],
        hosts = hosts.join(",\n")
    ));
    farm
}

/// Each host has said so itself; the command line above, which also has the word, does not count.
fn all_update(screen: &vt100::Screen) -> bool {
    let contents = screen.contents();
    (1..=4).all(|host| contents.lines().any(|line| line.trim_end() == format!("web{host} | updating")))
}

// rows: C-12 Q-06 Q-11 Q-25 Q-26 W-13 W-43
#[test]
fn an_action_on_four_hosts_outlives_the_operator_who_started_it() {
    let world = World::new();
    let farm = fleet(&world);
    let _daemon = world.listen_with(&["-f", "deploy.lua", "listen", "--non-interactive"]);
    assert_eq!(world.sessions(), []);

    let mut alice = world.connect("alice", &[]);
    alice.wait_for_prompt("deploy > ");
    let [idle] = &world.sessions()[..] else { panic!("one session: {:?}", world.sessions()) };
    assert_eq!((idle.clients, idle.running.as_deref()), (1, None), "{idle:?}");

    alice.send_line("Web update");
    alice.wait_for("all four are updating", all_update);
    let [busy] = &world.sessions()[..] else { panic!("one session: {:?}", world.sessions()) };
    assert!(busy.running.as_deref().is_some_and(|action| action.contains("update")), "{busy:?}");

    let mut bob = world.connect("bob", &["--session", &busy.name]);
    bob.wait_for("bob sees what alice sees", all_update);
    alice.kill_9();
    world.eventually_sessions(
        "only bob is attached",
        |sessions| matches!(sessions, [one] if one.clients == 1 && one.running.is_some()),
    );

    std::fs::write(farm.home().join("go"), "").unwrap();
    bob.wait_for("the summary tells who failed and who did not", |screen| {
        let contents = screen.contents();
        let says = |host: &str, word: &str| contents.lines().any(|line| line.contains(host) && line.contains(word));
        says("web1", "ok")
            && says("web2", "ok")
            && says("web3", "failed")
            && says("web4", "ok")
            && contents.contains("no space left")
    });
    bob.wait_for_prompt("deploy > ");
    world.eventually_sessions("nothing runs", |sessions| matches!(sessions, [one] if one.running.is_none()));
    farm.wait_until_idle();
    bob.send_line("exit");
    assert_eq!(bob.exit_status(), 0);
    world.eventually_sessions("the session has ended", <[_]>::is_empty);
}
