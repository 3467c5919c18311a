//! The annotations say what the module has, no less and no more.

use std::collections::{BTreeMap, BTreeSet};

use mlua::{Lua, Table, Value};

use super::super::chunks::Chunks;
use super::super::load::state;
use super::super::{Brought, TYPES, entry, env, error, files, host, output, prelude, run};

type Names = BTreeSet<String>;

/// Names by class, as annotated: `---@field`s, and functions of the local that follows the class.
fn annotated() -> BTreeMap<String, Names> {
    let mut classes: BTreeMap<String, Names> = BTreeMap::new();
    let mut locals: BTreeMap<&str, String> = BTreeMap::new();
    let mut current = String::new();
    for line in TYPES.lines() {
        if let Some(class) = line.strip_prefix("---@class ") {
            current = class.split([':', ' ']).next().unwrap().to_string();
            classes.entry(current.clone()).or_default();
        } else if let Some(field) = line.strip_prefix("---@field ") {
            let name = field.split([' ', '?']).next().unwrap();
            let name = name.strip_prefix("[\"").and_then(|name| name.strip_suffix("\"]")).unwrap_or(name);
            if !name.starts_with('[') {
                assert!(classes.get_mut(&current).unwrap().insert(name.to_string()), "{current}.{name} is there twice");
            }
        } else if let Some(local) = line.strip_prefix("local ").and_then(|line| line.strip_suffix(" = {}")) {
            locals.insert(local, current.clone());
        } else if let Some(function) = line.strip_prefix("function ") {
            let (of, rest) = function.split_once([':', '.']).unwrap();
            let name = rest.split_once('(').unwrap().0;
            let class = &locals[of];
            assert!(classes.get_mut(class).unwrap().insert(name.to_string()), "{class}.{name} is there twice");
        }
    }
    classes
}

fn keys(table: &Table) -> Names {
    table.pairs::<String, Value>().map(|pair| pair.unwrap().0).collect()
}

fn names<'a>(lists: impl IntoIterator<Item = &'a [&'a str]>) -> Names {
    lists.into_iter().flatten().map(|name| name.to_string()).collect()
}

fn real(lua: &Lua) -> Vec<(&'static str, Names)> {
    let module: Table = lua.load("return require 'deployer'").eval().unwrap();
    let methods = |kind, fields: &[&str]| {
        let mut all = keys(&prelude::methods(lua, kind).unwrap());
        all.extend(fields.iter().map(|name| name.to_string()));
        all
    };
    vec![
        ("deployer", keys(&module)),
        ("deployer.groups", keys(&module.get("groups").unwrap())),
        ("deployer.filters", keys(&module.get("filters").unwrap())),
        ("deployer.Env", names([&env::BUILT_IN[..], &["host"]])),
        ("deployer.Runner", names([&run::METHODS[..]])),
        ("deployer.Hosts", names([&run::OF_MANY[..]])),
        ("deployer.Host", names([&run::OF_ONE[..]])),
        ("deployer.RunOptions", names([&run::RUN_OPTIONS[..]])),
        ("deployer.OpenOptions", names([&files::OPEN_OPTIONS[..]])),
        ("deployer.TransferOptions", names([&files::TRANSFER_OPTIONS[..]])),
        ("deployer.ShellOptions", names([&["initial_input"][..]])),
        ("deployer.File", methods("file", &[])),
        ("deployer.Stat", names([&files::STAT_FIELDS[..]])),
        ("deployer.HostSettings", names([&host::SETTINGS[..]])),
        ("deployer.HostDefinition", names([&host::READABLE[..]])),
        ("deployer.Result", names([&output::FIELDS[..]])),
        ("deployer.Error", names([&error::FIELDS[..]])),
        ("deployer.Member", names([&entry::FIELDS[..]])),
        ("deployer.ParallelResult", methods("parallel", &[])),
        ("deployer.Inspector", methods("inspector", &[])),
        ("deployer.Walk", methods("walk", &[])),
        ("deployer.Console", methods("console", &["is_interactive"])),
        ("deployer.ProgressBar", methods("progress", &[])),
        ("deployer.IfConfig", methods("ifconfig", &["interfaces"])),
        ("deployer.NetworkInterface", names([&["name", "ip"][..]])),
        ("deployer.Query", names([&["parent", "eq", "lt"][..]])),
        ("deployer.Group", names([&["name", "color"][..]])),
        ("deployer.Class", names([&["Array", "JustOne"][..]])),
    ]
}

#[test]
fn the_annotations_mention_everything_that_there_is_and_nothing_else() {
    let folder = super::Files::new(&[]);
    let lua = state(Chunks::new(&folder.path("deploy.lua")), &Brought::default()).unwrap();
    let annotated = annotated();
    for (class, real) in real(&lua) {
        let said = annotated.get(class).unwrap_or_else(|| panic!("{class} is not annotated"));
        assert_eq!(said.difference(&real).collect::<Vec<_>>(), Vec::<&String>::new(), "{class}: not in the module");
        assert_eq!(real.difference(said).collect::<Vec<_>>(), Vec::<&String>::new(), "{class}: not annotated");
    }
}

/// Editors run nothing, but what they read is Lua; and every class that is named is there.
#[test]
fn the_annotations_are_lua_and_complete_in_themselves() {
    let lua = Lua::new();
    let module: Table = lua.load(TYPES).eval().unwrap();
    assert!(module.contains_key("Inspector").unwrap());
    let known = annotated();
    for line in TYPES.lines().filter(|line| line.starts_with("---@") && !line.starts_with("---@meta")) {
        for (at, _) in line.match_indices("deployer.") {
            let end = line[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_');
            let name = &line[at..at + end.unwrap_or(line.len() - at)];
            assert!(known.contains_key(name) || name == "deployer.Color", "{name} in {line}");
        }
    }
}
