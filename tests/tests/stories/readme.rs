//! What the README shows is what happens.

use std::path::{Path, PathBuf};

use deployer_tests::World;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The text of the README's first block of this language.
fn block(language: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let begin = format!("```{language}\n");
    let after = readme.split_once(&begin).unwrap_or_else(|| panic!("the README has no block {language}")).1;
    after.split_once("```").unwrap().0.to_string()
}

// rows: U-01 U-02
#[test]
fn the_session_on_the_first_screen_is_what_the_program_prints() {
    let world = World::new();
    let session = block("console");
    let mut lines = session.lines();
    let command = lines.next().unwrap();
    assert!(command.ends_with("-- -f docs/examples/hello.lua run"), "{command}");
    let file = root().join("docs/examples/hello.lua");
    let mut shell = world.terminal("README", "deployer", &["-f", file.to_str().unwrap(), "run"]);
    for line in lines {
        match line.strip_prefix("Hello > ") {
            Some(typed) => {
                // What is typed while a command runs is for the command.
                shell.wait_for_prompt("Hello > ");
                shell.send_line(typed);
            }
            None => shell.wait_for_line("as in the README", line),
        }
    }
    assert_eq!(shell.exit_status(), 0);
    let shown = shell.contents();
    let said: Vec<&str> = shown.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let written: Vec<&str> = session.lines().skip(1).collect();
    assert_eq!(said, written, "{}", shell.evidence());
}

#[test]
fn the_deployment_file_of_the_readme_has_nothing_wrong() {
    let world = World::new();
    let file = world.write("shop.lua", &block("lua"));
    let check = world.run(&["-f", file.to_str().unwrap(), "check"]);
    assert_eq!(check.status, Some(0), "{check:#?}");
    let unknown = world.run(&["-f", file.to_str().unwrap(), "run", "--path", "code", "--", "nosuch"]);
    assert_eq!(unknown.status, Some(2), "{unknown:#?}");
}

#[test]
fn the_examples_have_nothing_wrong() {
    let world = World::new();
    let mut examples: Vec<PathBuf> =
        std::fs::read_dir(root().join("docs/examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.retain(|path| path.extension().is_some_and(|extension| extension == "lua"));
    assert!(!examples.is_empty());
    for file in examples {
        let check = world.run(&["-f", file.to_str().unwrap(), "check"]);
        assert_eq!(check.status, Some(0), "{}: {check:#?}", file.display());
    }
}
