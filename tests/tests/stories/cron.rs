//! No terminal, nobody there: cron, CI, pipes.

use deployer_tests::World;

fn box_in(world: &World) -> deployer_tests::Sshd {
    let farm = world.sshd(1);
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:talk() self.hosts:run("echo out; echo err >&2") end
function Box:fail() self.hosts:run("echo trying; exit 3") end
function Box:read() self.hosts:run("cat; echo end of input") end
function Box:version() return "1.2.3" end
function Box:sure() return self.console:confirm("really?", {{ default = true }}) and "went on" or "stopped" end
return Node {{ Box = Box }}
"#,
        host = farm.lua(0, "box", "")
    ));
    farm
}

/// The ways to run one action; the last needs a daemon.
const WAYS: [&[&str]; 3] = [&["run", "-s"], &["run"], &["connect"]];

fn each_way(story: impl Fn(&World, &dyn Fn(&[&str]) -> deployer_tests::Finished)) {
    for way in WAYS {
        let world = World::new();
        let _farm = box_in(&world);
        let _daemon = (way == ["connect"]).then(|| world.listen());
        story(&world, &|args| world.run(&[way, args].concat()));
    }
}

// rows: P-15 P-25 W-31 W-44
#[test]
fn standard_output_and_error_stay_apart() {
    each_way(|_, run| {
        let talk = run(&["--path", "Box", "--", "talk"]);
        assert_eq!((talk.status, talk.stdout.as_str()), (Some(0), "out\n"), "{talk:#?}");
        assert!(
            talk.stderr.lines().any(|line| line == "err") && !talk.stderr.lines().any(|line| line == "out"),
            "{talk:#?}"
        );
    });
}

// rows: F-27 P-16
#[test]
fn a_command_that_fails_is_status_1_with_host_command_and_status() {
    each_way(|_, run| {
        let fail = run(&["--path", "Box", "--", "fail"]);
        assert_eq!((fail.status, fail.stdout.as_str()), (Some(1), "trying\n"), "{fail:#?}");
        for word in ["box", "echo trying; exit 3", "3"] {
            assert!(fail.stderr.contains(word), "{word} is missing: {fail:#?}");
        }
    });
}

// rows: F-34 W-47
#[test]
fn the_end_of_standard_input_reaches_the_command() {
    each_way(|_, run| {
        let read = run(&["--path", "Box", "--", "read"]);
        assert_eq!((read.status, read.stdout.as_str()), (Some(0), "end of input\n"), "{read:#?}");
    });
}

// rows: P-11 P-17 W-20 W-45
#[test]
fn a_word_that_is_unknown_is_status_2_and_runs_nothing() {
    each_way(|_, run| {
        for args in [&["--path", "Box", "--", "nonsense"][..], &["--path", "Box.nonsense", "--", "talk"]] {
            let unknown = run(args);
            assert_eq!((unknown.status, unknown.stdout.as_str()), (Some(2), ""), "{unknown:#?}");
            assert!(unknown.stderr.contains("nonsense"), "{unknown:#?}");
        }
    });
}

// rows: P-13
#[test]
fn what_an_action_gives_back_is_printed_so_that_scripts_can_use_it() {
    each_way(|_, run| {
        let version = run(&["--path", "Box", "--", "version"]);
        assert_eq!((version.status, version.stdout.as_str()), (Some(0), "1.2.3\n"), "{version:#?}");
    });
}

// rows: P-20
#[test]
fn non_interactive_takes_the_default_though_somebody_sits_there() {
    let world = World::new();
    let _farm = box_in(&world);
    let _daemon = world.listen();
    for way in WAYS {
        let args = [way, &["--path", "Box", "--non-interactive", "--", "sure"]].concat();
        let mut terminal = world.terminal("somebody", "deployer", &args);
        terminal.wait_for_line("the answer nobody was asked for", "went on");
        assert_eq!(terminal.exit_status(), 0, "{}", terminal.evidence());
    }
}

// rows: P-22
#[test]
fn connect_without_a_daemon_says_how_to_start_one() {
    let world = World::new();
    let nobody = world.run(&["connect", "--", "version"]);
    assert_eq!((nobody.status, nobody.stdout.as_str()), (Some(5), ""), "{nobody:#?}");
    assert!(nobody.stderr.contains("no daemon is listening; start one with `deployer listen`"), "{nobody:#?}");
}
