//! A hundred hosts at once.

use deployer_tests::World;
use deployer_tests::sshd::Setup;

const HOSTS: usize = 100;
const BAD: usize = 41;

// rows: C-12 W-13 W-14 W-21 W-55
#[test]
fn a_hundred_hosts_run_at_once_and_one_fails() {
    let world = World::new();
    // A hundred addresses share seven servers here; a fleet has one each.
    let farm = world.sshd_with(&Setup::addresses(HOSTS).config("MaxStartups 100"));
    let hosts: Vec<String> = (0..HOSTS).map(|index| farm.lua(index, &format!("h{index:03}"), "")).collect();
    world.deploy(&format!(
        r#"
local Fleet = ParallelNode {{}}
function Fleet:check()
  self.host:run("case $SSH_CONNECTION in *' {bad} '*) echo no space left >&2; exit 9;; esac; echo fine")
end
return Node {{ Fleet = Fleet.Array {{ Hosts = {{ host = {{ {hosts} }} }} }} }}
"#,
        bad = farm.addresses()[BAD],
        hosts = hosts.join(",\n")
    ));
    let check = world.run(&["run", "--path", "Fleet", "--", "check"]);
    assert_eq!(check.status, Some(1), "{check:#?}");
    let fine = check.stdout.lines().filter(|line| line.ends_with("fine")).count();
    assert_eq!(fine, HOSTS - 1, "{check:#?}");

    // The summary has every host once, in the order of the file.
    let summary: Vec<&str> = check.stderr.lines().filter(|line| is_summary_of_a_host(line)).collect();
    let expected: Vec<String> = (0..HOSTS).map(|index| format!("h{index:03}")).collect();
    let shown: Vec<&str> =
        summary.iter().filter_map(|line| line.split_whitespace().find(|word| word.starts_with('h'))).collect();
    assert_eq!(shown, expected, "{}", check.stderr);
    assert!(summary[BAD].contains("failed"), "{}", summary[BAD]);
    assert!(check.stderr.contains("no space left"), "{}", check.stderr);
    assert_eq!(farm.logins(), [1; HOSTS]);
}

fn is_summary_of_a_host(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.iter().any(|word| matches!(*word, "ok" | "failed"))
        && words.iter().any(|word| word.len() == 4 && word.starts_with('h'))
}
