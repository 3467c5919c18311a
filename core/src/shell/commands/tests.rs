#![allow(clippy::unwrap_used)]

use super::*;
use crate::shell::test_tree::tree;
use crate::shell::words::split;

const LOOK: Look = Look { columns: 80, colour: false };

fn state() -> State {
    State::new(tree(), Vec::new(), crate::options::Options::of_daemon())
}

fn run(state: &mut State, line: &str) -> Result<Reply, String> {
    let words: Vec<String> = split(line).unwrap().into_iter().map(|word| word.text).collect();
    (by_name(state, &words[0]).unwrap().run)(state, &words[1..], &LOOK)
}

fn text(line: &str) -> String {
    match run(&mut state(), line) {
        Ok(Reply::Text(text)) => text,
        other => panic!("{line}: {other:?}"),
    }
}

/// Where these `cd` lines lead.
fn path(lines: &[&str]) -> String {
    let mut state = state();
    for line in lines {
        assert_eq!(run(&mut state, line), Ok(Reply::Done), "{line}");
    }
    state.place().node.to_string()
}

// rows: N-02..N-07
#[test]
fn cd_goes_where_the_words_lead() {
    assert_eq!(path(&["cd production web"]), "R.production.web");
    assert_eq!(path(&["cd production", "cd .. staging ."]), "R.staging");
    assert_eq!(path(&["cd production web", "cd / staging"]), "R.staging");
    assert_eq!(path(&["cd ..", "cd /"]), "R");
    assert_eq!(path(&["cd production", "cd staging_typo"][..1]), "R.production");
    assert_eq!(path(&["cd production", "cd /", "cd -"]), "R.production");
    assert_eq!(path(&["cd production", "cd /", "cd -", "cd -"]), "R");
    assert_eq!(path(&["cd production", "cd", "cd -"]), "R.production");
    assert_eq!(path(&["cd production web :w2"]), "R.production.web[w2]");
    assert_eq!(path(&["cd production web :1"]), "R.production.web[w2]");
    assert_eq!(path(&["cd production web :w2", "cd .."]), "R.production");
    assert_eq!(path(&["cd 'production' \"web\""]), "R.production.web");
}

// rows: N-08
#[test]
fn a_way_that_leads_nowhere_moves_nobody() {
    let mut state = state();
    run(&mut state, "cd production").unwrap();
    for (line, message) in [
        ("cd wbe", "no node 'wbe' in R.production (did you mean 'web'?)"),
        ("cd web deploi", "no node 'deploi' in R.production.web"),
        ("cd deploy", "'deploy' is an action of R.production, not a node"),
        ("cd branch", "'branch' is a value of R.production, not a node"),
        ("cd web :w9", "':w9': R.production.web: no cell 'w9' (cells: w1, w2)"),
        ("cd :w1", "':w1': R.production: acts once, it has no cells to choose from"),
    ] {
        assert_eq!(run(&mut state, line), Err(message.to_string()));
    }
    assert_eq!(state.place().node.to_string(), "R.production");
    assert_eq!(run(&mut super::tests::state(), "cd -"), Err("'-': there was no node before this one yet".to_string()));
}

// rows: N-09 W-59
#[test]
fn ls_lists_cells_nodes_and_actions_in_definition_order() {
    assert_eq!(text("ls"), "nodes:\n  production  staging\nactions:\n  greet    fail     stuck    open     numbers\n");
    assert_eq!(text("ls production web"), "cells:\n  :w1  :w2\nactions:\n  checkout  answer\n");
    assert_eq!(text("ls production database"), "actions:\n  start   status\n");
    assert_eq!(text("ls -a production database"), "actions:\n  start    status   _secret\n");
    assert_eq!(text("ls staging"), "R.staging has neither nodes nor actions\n");
}

// rows: N-10 J-07
#[test]
fn pwd_prints_the_path_without_cells_in_group_colours() {
    assert_eq!(text("pwd"), "/R\n");
    assert_eq!(text("pwd production web :w1"), "/R.production.web\n");
    let look = Look { colour: true, ..LOOK };
    let words = ["production".to_string(), "web".to_string()];
    let coloured = pwd::run(&mut state(), &words, &look).unwrap();
    assert_eq!(coloured, Reply::Text("/R.\x1b[31mproduction\x1b[0m.\x1b[31mweb\x1b[0m\n".to_string()));
}

// rows: N-11
#[test]
fn find_lists_every_action_below() {
    assert_eq!(
        text("find production"),
        "deploy\nweb checkout\nweb answer\ndatabase start\ndatabase status\ndatabase\n"
    );
    assert!(text("find -a").contains("production database _secret\n"));
    assert!(!text("find").contains("_secret"));
    assert_eq!(text("find staging"), "no actions in R.staging and below\n");
}

#[test]
fn help_lists_commands_keys_and_how_to_run_actions() {
    let help = text("help");
    for word in ["cd [NODE...]", "sandbox", "Ctrl-R", "NODE... ACTION PARAMETER...", "exit"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(!help.contains("return"), "only in a subshell");
    let mut sub = state();
    sub.enter(tree());
    assert!(matches!(run(&mut sub, "help"), Ok(Reply::Text(text)) if text.contains("return")));
}

#[test]
fn help_fits_narrow_terminals_and_breaks_between_words() {
    let narrow = |columns, words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        match (by_name(&state(), "help").unwrap().run)(&mut state(), &words, &Look { columns, colour: false }) {
            Ok(Reply::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    };
    for columns in [80, 40, 20] {
        let text = narrow(columns, &[]);
        assert!(text.lines().all(|line| line.chars().count() < columns), "{columns}: {text}");
    }
    let text = narrow(80, &[]);
    let sandbox = format!("  sandbox [NODE...] ACTION [PARAMETER...]\n{}run an action with", " ".repeat(25));
    assert!(text.contains(&sandbox), "{text}");
    assert!(text.contains("  cd [NODE...]           go to a node: "), "{text}");
    assert!(narrow(40, &[]).contains("  clear         clear the screen\n"), "{}", narrow(40, &[]));
    assert_eq!(narrow(20, &["pwd"]), "pwd [NODE...]\n  print the path of\n  a node\n");
}

#[test]
fn help_tells_what_one_thing_does() {
    assert!(text("help cd").starts_with("cd [NODE...]\n  go to a node"));
    let action = text("help greet");
    assert!(action.starts_with("R.greet [PARAMETER...]\n  Greets somebody.\n  Twice.\n  Defined in "), "{action}");
    assert!(text("help production").starts_with("R.production\n  Where customers are.\n"));
    assert_eq!(
        run(&mut state(), "help gret"),
        Err("no action or node 'gret' in R (did you mean 'greet'?)".to_string())
    );
}

// rows: N-13 N-23
#[test]
fn the_other_commands() {
    assert_eq!(run(&mut state(), "clear"), Ok(Reply::Clear));
    assert_eq!(run(&mut state(), "exit"), Ok(Reply::Leave));
    assert!(run(&mut state(), "exit now").is_err());
    assert_eq!(run(&mut state(), "sandbox greet x"), Ok(Reply::Sandbox(vec!["greet".to_string(), "x".to_string()])));
    assert!(run(&mut state(), "sandbox").unwrap_err().starts_with("incomplete"));
}

// rows: N-38 T-01 T-04
#[test]
fn options_are_set_and_shown() {
    let mut state = state();
    for (line, message) in [
        (
            "set-option",
            "incomplete: set-option NAME VALUE; there is: parallel-view, parallel, keep-panes-open, new-window-key, detach-key",
        ),
        ("set-option keep-panes-open", "incomplete: set-option keep-panes-open VALUE; use on or off"),
        ("set-option keep-panes-open maybe", "keep-panes-open cannot be 'maybe': use on or off"),
        ("set-option keep-pane-open on", "no option 'keep-pane-open'; did you mean 'keep-panes-open'?"),
        ("set-option keep-panes-open on on", "set-option takes a name and a value, not 'on' too"),
        ("show-options all", "show-options takes no words"),
    ] {
        assert_eq!(run(&mut state, line), Err(message.to_string()), "{line}");
    }
    assert_eq!(run(&mut state, "set-option keep-panes-open on"), Ok(Reply::Done));
    assert_eq!(run(&mut state, "set-option parallel-view windows"), Ok(Reply::Done));
    let Ok(Reply::Text(shown)) = run(&mut state, "show-options") else { panic!() };
    let expected = "parallel-view    windows  (set here)\n\
                    parallel         1000\n\
                    keep-panes-open  on       (set here)\n\
                    new-window-key   ctrl-n\n\
                    detach-key       ctrl-\\\n";
    assert_eq!(shown, expected);
    let Ok(Reply::Text(help)) = run(&mut state, "help set-option") else { panic!() };
    assert!(help.contains("use a number from 1 on, or all"), "{help}");
}
