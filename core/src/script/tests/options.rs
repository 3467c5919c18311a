//! What a deployment file says about options.

use super::super::LuaFile;
use super::{load, said};

// rows: T-01 T-02
#[test]
fn a_file_gives_its_sessions_options() {
    let root = load(
        "d.options { parallel_view = 'windows', ['keep-panes-open'] = true, parallel = 4 }; d.options { parallel = 'all' }; return Node {}",
    );
    let settings: Vec<(&str, String)> = LuaFile::settings(&root.unwrap()).iter().collect();
    let expected = [("keep-panes-open", "on"), ("parallel", "all"), ("parallel-view", "windows")];
    assert_eq!(settings, expected.map(|(name, value)| (name, value.to_string())));
    assert_eq!(LuaFile::settings(&load("return Node {}").unwrap()).iter().count(), 0);
}

#[tokio::test]
async fn wrong_options_are_told_with_their_line() {
    for (snippet, message) in [
        ("\nd.options { paralel = 4 }", "deploy.lua:2: no option 'paralel'; did you mean 'parallel'?"),
        ("d.options { parallel = 0 }", "deploy.lua:1: parallel cannot be '0': use a number from 1 on, or all"),
        ("d.options { 4 }", "deploy.lua:1: deployer.options needs names: { parallel = 10 }"),
        ("d.options(4)", "deploy.lua:1: deployer.options needs a table such as { parallel = 10 }, got a number"),
    ] {
        assert_eq!(load(&format!("{snippet}; return Node {{}}")).unwrap_err(), message);
    }
    let late = said("return Node { a = function() d.options { parallel = 4 } end }", "a").await;
    assert!(late.contains("deployer.options is for the file itself, not for actions"), "{late}");
}
