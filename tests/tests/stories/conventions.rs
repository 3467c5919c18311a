//! What `docs/architecture.md` draws is true of the tree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest file in lines; most are much shorter.
const LONGEST_FILE: usize = 600;

/// Files that may be longer, each with its reason.
/// The annotations are one text, in the order of the guide.
const LONGER_FILES: [&str; 1] = ["core/src/script/types.lua"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Which of our packages each of our packages needs, tests not counted.
fn picture() -> Vec<(String, BTreeSet<String>)> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap().to_string();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let needs = |package: &serde_json::Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let needed = dependencies.filter(|dependency| dependency["kind"].as_str() != Some("dev")).map(name);
        needed.filter(|name| ours.contains(name)).collect()
    };
    packages.iter().map(|package| (name(package), needs(package))).collect()
}

#[test]
fn packages_depend_on_each_other_as_drawn() {
    let drawn = [
        ("deployer-protocol", &[][..]),
        ("deployer-core", &[]),
        ("deployerd", &["deployer-core", "deployer-protocol"]),
        ("deployer-cli", &["deployer-core", "deployer-protocol", "deployerd"]),
        ("deployer-tests", &[]),
    ];
    let real = picture();
    for (package, may_need) in drawn {
        let (_, needs) = real.iter().find(|(name, _)| name == package).expect(package);
        let surplus: Vec<&String> = needs.iter().filter(|name| !may_need.contains(&name.as_str())).collect();
        assert!(surplus.is_empty(), "{package} must not depend on {surplus:?}");
    }
    assert_eq!(real.len(), drawn.len(), "a package that nobody has drawn: {real:?}");
}

/// The sources below `dir`; build results, hidden directories and fixtures do not count.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || name == "target" || name == "fixtures" {
            continue;
        } else if path.is_dir() {
            sources(&path, found);
        } else if name.ends_with(".rs") || name.ends_with(".lua") {
            found.push(path);
        }
    }
}

#[test]
fn files_are_short() {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    assert!(files.len() > 20, "the sources were not found below {}", root().display());
    let lines = |file: &PathBuf| std::fs::read_to_string(file).unwrap().lines().count();
    let may_be_long = |file: &PathBuf| LONGER_FILES.iter().any(|longer| *file == root().join(longer));
    let long: Vec<(PathBuf, usize)> = files.into_iter().map(|file| (file.clone(), lines(&file))).collect();
    let long: Vec<_> = long.iter().filter(|(file, lines)| *lines > LONGEST_FILE && !may_be_long(file)).collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines: {long:#?}");
}

/// The ids of a `rows:` comment, ranges opened: `C-05 C-07..C-09` has four.
fn ids(comment: &str) -> Result<Vec<String>, String> {
    let parse = |id: &str| -> Option<(char, u32)> {
        let (section, number) = id.split_once('-')?;
        let section = section.parse().ok().filter(|section| ('A'..='W').contains(section))?;
        (number.len() == 2).then(|| number.parse().ok())?.map(|number| (section, number))
    };
    let mut found = Vec::new();
    for word in comment.split_whitespace() {
        let (first, last) = word.split_once("..").unwrap_or((word, word));
        match (parse(first), parse(last)) {
            (Some((section, from)), Some((other, to))) if section == other && from <= to => {
                found.extend((from..=to).map(|number| format!("{section}-{number:02}")));
            }
            _ => return Err(format!("{word:?} is no row")),
        }
    }
    if found.is_empty() { Err("no rows".to_string()) } else { Ok(found) }
}

/// DEPLOYER_FEATURES may name the table of features; then every row that a test claims to show must be in it.
#[test]
fn tests_name_rows_that_exist() {
    let table = std::env::var("DEPLOYER_FEATURES").ok().map(|path| std::fs::read_to_string(path).unwrap());
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for comment in text.lines().filter_map(|line| line.trim_start().strip_prefix("// rows:")) {
            match ids(comment) {
                Err(why) => wrong.push(format!("{}: {why}", file.display())),
                Ok(ids) => wrong.extend(
                    ids.into_iter()
                        .filter(|id| table.as_ref().is_some_and(|table| !table.contains(&format!("| {id} |")))),
                ),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn ranges_of_rows_are_opened() {
    assert_eq!(ids(" C-05 C-07..C-09 W-11").unwrap(), ["C-05", "C-07", "C-08", "C-09", "W-11"]);
    for wrong in ["", "C-5", "X-01", "C-05..D-07", "C-09..C-07", "C-05,"] {
        assert!(ids(wrong).is_err(), "{wrong}");
    }
}
