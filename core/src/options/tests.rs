#![allow(clippy::unwrap_used)]

use super::*;

fn settings(pairs: &[&str]) -> Settings {
    let mut all = Settings::default();
    pairs.iter().for_each(|pair| all.take_over(&pair.parse().unwrap()));
    all
}

// rows: T-01 T-02
#[test]
fn the_innermost_place_that_says_something_wins() {
    let options = Options::of_daemon();
    assert!(!options.keep_panes_open(), "off unless somebody says so");
    options.replace(Layer::File, settings(&["parallel=2", "keep-panes-open=on", "parallel-view=windows"]));
    options.replace(Layer::Daemon, settings(&["parallel=3"]));
    options.replace(Layer::Client, settings(&["parallel=4"]));
    assert_eq!((options.parallel(), options.keep_panes_open()), (Some(4), true));
    options.set("parallel", "all").unwrap();
    assert_eq!((options.parallel(), options.parallel_view()), (None, ParallelView::Windows));
    let shown = |name| options.shown().into_iter().find(|shown| shown.name == name).unwrap();
    assert_eq!((shown("parallel").value.as_str(), shown("parallel").layer), ("all", Some(Layer::Session)));
    assert_eq!(shown("parallel-view").layer, Some(Layer::File));
    assert_eq!((shown("detach-key").value.as_str(), shown("detach-key").layer), ("ctrl-\\", None));
    // The file was loaded again and says less.
    options.replace(Layer::File, Settings::default());
    assert_eq!((options.parallel(), options.keep_panes_open()), (None, false));
}

// rows: T-04 N-38
#[test]
fn wrong_names_and_values_are_told_with_what_there_is() {
    let options = Options::of_daemon();
    for (name, value, message) in [
        ("paralel", "2", "no option 'paralel'; did you mean 'parallel'?"),
        (
            "colour",
            "red",
            "no option 'colour'; there is: parallel-view, parallel, keep-panes-open, new-window-key, detach-key",
        ),
        ("keep-panes-open", "yes", "keep-panes-open cannot be 'yes': use on or off"),
        ("parallel-view", "x\n", "parallel-view cannot be 'x\\n': use tiled, fold, lines or windows"),
        ("parallel", "0", "parallel cannot be '0': use a number from 1 on, or all"),
        ("detach-key", "q", "detach-key cannot be 'q': a key is written like ctrl-\\ or ctrl-] or ctrl-b"),
    ] {
        let error = options.set(name, value).unwrap_err().to_string();
        assert_eq!(error, message);
    }
    assert_eq!(options.shown().iter().filter(|shown| shown.layer.is_some()).count(), 0, "nothing was changed");
    for flag in ["parallel", "=", "parallel=", "=3"] {
        assert!(flag.parse::<Settings>().is_err(), "{flag}");
    }
}

#[test]
fn every_value_that_is_shown_can_be_typed() {
    for definition in TABLE {
        let words = definition.kind.words().iter().map(|word| word.to_string());
        for word in words.chain([definition.default_value().to_string()]) {
            let mut settings = Settings::default();
            settings.set(definition.name, &word).unwrap();
            assert_eq!(settings.iter().collect::<Vec<_>>(), [(definition.name, word)]);
        }
    }
}

#[test]
fn without_a_daemon_only_what_can_be_obeyed_is_there() {
    let options = Options::of_process();
    let names: Vec<&str> = options.shown().iter().map(|shown| shown.name).collect();
    assert_eq!(names, ["parallel"]);
    options.set("parallel", "7").unwrap();
    let error = options.set("parallel-view", "fold").unwrap_err();
    assert_eq!(error, OptionError::NeedsDaemon("parallel-view".to_string()));
}

// rows: T-03
#[tokio::test]
async fn who_subscribed_is_told_of_changes() {
    let options = Options::of_daemon();
    let mut changes = options.subscribe();
    options.replace(Layer::Daemon, Settings::default());
    options.set("parallel", "2").unwrap();
    assert!(changes.next().await);
    assert!(options.set("parallel", "none").is_err());
    let options = Arc::into_inner(options).unwrap();
    drop(options);
    assert!(!changes.next().await, "that was the only change");
}
