//! The guide in `docs/deployment-files.md`: its blocks load, and what it says comes out.

use std::path::Path;

use super::{Files, LuaFile, quiet};
use crate::value::Value;

/// What examples of the guide need not repeat. One line, so that lines count from 1.
const WORDS: &str = "local deployer = require 'deployer'; local Node, ParallelNode, SSHHost, LocalHost, Q, map_roles, required, esc1 \
                     = deployer.Node, deployer.ParallelNode, deployer.SSHHost, deployer.LocalHost, deployer.Q, deployer.map_roles, \
                     deployer.required, deployer.esc1; \
                     local web1, web2 = SSHHost { slug = 'web1' }, SSHHost { slug = 'web2' }; ";

struct Block {
    line: usize,
    /// Words and what they give: `<!-- run: WORDS = RESULT -->` above the block.
    run: Option<(Vec<String>, String)>,
    text: String,
}

fn blocks(guide: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut run, mut open): (Option<(Vec<String>, String)>, Option<Block>) = (None, None);
    for (number, line) in guide.lines().enumerate() {
        match (&mut open, line) {
            (None, "```lua") => open = Some(Block { line: number + 2, run: run.take(), text: String::new() }),
            (Some(_), "```") => blocks.extend(open.take()),
            (Some(block), line) => block.text.push_str(&format!("{line}\n")),
            (None, line) => {
                if let Some(said) = line.strip_prefix("<!-- run: ").and_then(|line| line.strip_suffix(" -->")) {
                    let (words, result) = said.split_once(" = ").unwrap();
                    run = Some((words.split(' ').map(str::to_string).collect(), result.to_string()));
                }
            }
        }
    }
    assert!(open.is_none() && run.is_none());
    blocks
}

// rows: B-01 C-20 D-01 G-01 H-18 H-21
#[tokio::test]
async fn the_guide_is_true() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deployment-files.md");
    let blocks = blocks(&std::fs::read_to_string(guide).unwrap());
    assert!(blocks.len() >= 7);
    for block in blocks {
        let words = if block.text.starts_with("local deployer = require") { "" } else { WORDS };
        let files = Files::new(&[("deploy.lua", &format!("{words}{}", block.text))]);
        let loaded = LuaFile::new(files.path("deploy.lua")).load();
        let root = loaded.unwrap_or_else(|error| panic!("block at line {}: {}", block.line, files.plain(&error)));
        let findings = crate::check::check(&root).findings;
        assert!(findings.is_empty(), "block at line {}: {findings:?}", block.line);
        let Some((words, expected)) = block.run else { continue };
        let mut env = quiet(root);
        let mut words = words.iter();
        let action = loop {
            let word = words.next().unwrap();
            match env.child(word) {
                Ok(child) => env = child,
                Err(_) => break word,
            }
        };
        let given = env.call(action, words.map(|word| Value::text(word.as_str())).collect()).await;
        let given = given.unwrap_or_else(|error| panic!("block at line {}: {error}", block.line));
        assert_eq!(given.to_string().trim_end(), expected, "block at line {}", block.line);
    }
}
