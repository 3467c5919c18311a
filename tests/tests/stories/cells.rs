//! Many hosts at once: nobody is taken for somebody else.

use deployer_tests::World;

// rows: W-29
#[test]
fn what_a_cell_prints_carries_its_own_name() {
    let world = World::new();
    let farm = world.sshd(4);
    let hosts: Vec<String> = (0..4).map(|index| farm.lua(index, &format!("h{index}"), "")).collect();
    world.deploy(&format!(
        r#"
local Fleet = ParallelNode {{}}
function Fleet:who()
  self.host:run("true", {{ interactive = false }})
  print("I am " .. self.host.slug)
end
return Node {{ Fleet = Fleet.Array {{ Hosts = {{ host = {{ {} }} }} }} }}
"#,
        hosts.join(", ")
    ));
    let who = world.run(&["run", "--path", "Fleet", "--", "who"]);
    let mut lines: Vec<&str> = who.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["h0 | I am h0", "h1 | I am h1", "h2 | I am h2", "h3 | I am h3"], "{who:#?}");
}
