#![allow(clippy::unwrap_used)]
use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_definition_is_sound() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}

// rows: P-12 P-14
#[test]
fn what_follows_the_action_is_its_own() {
    for (line, path, action) in [
        ("deployer run", &[][..], None),
        ("deployer run --path prod.web", &["prod", "web"], None),
        ("deployer run --path prod.web deploy 1.2", &["prod", "web"], Some(&["deploy", "1.2"][..])),
        ("deployer run --path prod -- deploy --force -s", &["prod"], Some(&["deploy", "--force", "-s"])),
        ("deployer run deploy --path prod", &[], Some(&["deploy", "--path", "prod"])),
        ("deployer connect --path=prod:0 -- -x", &["prod", ":0"], Some(&["-x"])),
    ] {
        let place = match parse(line).unwrap().command {
            Command::Run(run) => run.place,
            Command::Connect(connect) => connect.place,
            other => panic!("{other:?}"),
        };
        assert_eq!(place.steps(), path, "{line}");
        assert_eq!(place.action(), action.map(|words| words.iter().map(|word| word.to_string()).collect()), "{line}");
    }
}

// rows: P-04 P-07
#[test]
fn wrong_use_is_refused_with_status_2() {
    for line in [
        "deployer",
        "deployer frobnicate",
        "deployer run -s --socket 3",
        "deployer run --socket 3 --parallel 4",
        "deployer run --socket 3 -f x.lua",
        "deployer run --path prod..web",
        "deployer run --parallel 0",
        "deployer run --option parallel",
        "deployer listen --option paralel=2",
        "deployer connect --option parallel=0",
        "deployer connect --session a --option parallel=2",
        "deployer connect --monitor a --session b",
        "deployer connect --monitor a -- deploy",
        "deployer run --detach-key ctrl-c",
        "deployer connect --watch",
        "deployer connect --session a --path prod",
        "deployer connect --session a -- deploy",
        "deployer kill-session",
        "deployer listen extra",
        "deployer telnet-server --port 65536",
        "deployer telnet-server --bind example.com",
        "deployer list-sessions --color sometimes",
        "deployer check deploy.lua",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

// rows: P-02 P-03
#[test]
fn help_and_version_are_no_errors() {
    for line in ["deployer --help", "deployer -h", "deployer run --help", "deployer --version", "deployer -V"] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 0, "{line}");
    }
}

#[test]
fn the_file_may_be_named_before_or_after_the_verb() {
    for line in
        ["deployer -f x.lua run", "deployer run -f x.lua", "deployer listen --file x.lua", "deployer check -f x.lua"]
    {
        assert_eq!(parse(line).unwrap().file, Some("x.lua".into()), "{line}");
    }
}

#[test]
fn only_what_works_is_listed() {
    let help = <Cli as clap::CommandFactory>::command().render_long_help().to_string();
    assert!(!help.contains("private-daemon"), "{help}");
}
