#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use deployer_core::node::{Class, Node};

use super::file::parse;
use super::{Place, Policy};
use crate::authority::{Person, Rank};

const OWNER: u32 = 4000;

const TEAM: &str = r#"
[users]
1001 = "admin"
1002 = "viewer"

[groups]
2000 = "operator"
2001 = "viewer"

[[limits]]
node = "production"
rank = "viewer"
except_groups = ["2009"]

[[limits]]
node = "production.database"
rank = "operator"
users = ["1001"]

[[limits]]
node = "staging"
rank = "viewer"
groups = ["2003"]
"#;

fn policy(text: &str) -> Result<Policy, String> {
    parse(text, Path::new("/p.toml"), OWNER).map_err(|error| error.to_string())
}

fn person(uid: u32, groups: &[u32]) -> Person {
    Person { uid, name: format!("u{uid}"), groups: groups.to_vec() }
}

#[test]
fn users_come_before_groups_and_the_best_group_counts() {
    let policy = policy(TEAM).unwrap();
    for (uid, groups, rank) in [
        (1001, &[][..], Some(Rank::Admin)),
        (1002, &[2000], Some(Rank::Viewer)),
        (1003, &[2001, 2000], Some(Rank::Operator)),
        (1004, &[2001], Some(Rank::Viewer)),
        (1005, &[2999], None),
        (OWNER, &[], Some(Rank::Admin)),
        (0, &[], Some(Rank::Admin)),
    ] {
        assert_eq!(policy.rank(&person(uid, groups)), rank, "{uid} {groups:?}");
    }
    let alone = Policy::owner_only(OWNER);
    assert_eq!(alone.rank(&person(1001, &[2000])), None);
    assert_eq!(alone.rank(&person(OWNER, &[])), Some(Rank::Admin));
}

#[test]
fn limits_hold_for_a_node_and_all_below_it() {
    let policy = policy(TEAM).unwrap();
    for (uid, groups, place, rank) in [
        (1003, &[2000][..], "deploy", Some(Rank::Operator)),
        (1003, &[2000], "deploy.staging.web", Some(Rank::Operator)),
        (1003, &[2000], "deploy.production", Some(Rank::Viewer)),
        (1003, &[2000], "deploy.production.web[web1.example.org].x", Some(Rank::Viewer)),
        (1003, &[2000], "deploy.productionline", Some(Rank::Operator)),
        (1003, &[2000], "production.web", Some(Rank::Operator)),
        (1003, &[2000, 2009], "deploy.production.web", Some(Rank::Operator)),
        (1003, &[2000, 2003], "deploy.staging", Some(Rank::Viewer)),
        (1001, &[], "deploy.production", Some(Rank::Admin)),
        (1001, &[], "deploy.production.database", Some(Rank::Operator)),
        (OWNER, &[2003], "deploy.production.database", Some(Rank::Admin)),
        (1005, &[], "deploy", None),
    ] {
        let place = Place::printed(place);
        assert_eq!(policy.rank_at(&person(uid, groups), &place).0, rank, "{uid} {groups:?} {place}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (text, line, says) in [
        ("[users\n", 1, "unclosed"),
        ("[users]\n0 = \"boss\"\n", 2, "boss"),
        ("[users]\n0 = \"admin\"\nroot = \"viewer\"\n", 0, "has a rank already"),
        ("\n[user]\nroot = \"admin\"\n", 2, "user"),
        ("[[limits]]\nrank = \"viewer\"\n", 1, "node"),
        ("[[limits]]\nnode = \"a..b\"\nrank = \"viewer\"\n", 2, "no path of a node"),
        ("[[limits]]\nrank = \"admin\"\nnode = \"a\"\n", 3, "limits nothing"),
        ("[[limits]]\nnode = \"a\"\nrank = \"viewer\"\nusers = [\n\"no-such-user\"]\n", 5, "no user 'no-such-user'"),
        ("[[limits]]\nnode = \"a\"\nrank = \"viewer\"\nexcept = [\"x\"]\n", 4, "except"),
    ] {
        let error = parse(text, Path::new("/p.toml"), OWNER).unwrap_err();
        assert!(error.message.contains(says), "{text}: {error}");
        if line > 0 {
            assert_eq!(error.line, Some(line), "{text}: {error}");
        }
        assert!(error.to_string().starts_with("/p.toml:"), "{error}");
    }
}

#[test]
fn who_is_gone_gets_a_note_and_nobody_a_rank() {
    let policy = policy("[users]\nroot = \"viewer\"\nno-such-user = \"admin\"\n").unwrap();
    let notes: Vec<String> = policy.notes().iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["/p.toml:3: there is no user 'no-such-user' on this machine: the entry has no effect"]);
}

#[test]
fn a_limit_about_a_node_that_is_not_there_is_refused() {
    let child = Class::node().extend("Child").build().unwrap();
    let root = Class::node().extend("Root").child("staging", child.clone()).child("production", child).build().unwrap();
    let root = Node::root(root).unwrap();
    let limits = |node: &str| format!("[[limits]]\nrank = \"viewer\"\nnode = \"{node}\"\n");
    assert_eq!(policy(&limits("production")).unwrap().fits(&root), Ok(()));
    let error = policy(&limits("prodution")).unwrap().fits(&root).unwrap_err().to_string();
    assert!(error.starts_with("/p.toml:3: ") && error.contains("prodution"), "{error}");
    assert_eq!(Place::of(&root.child("production").unwrap()), Place::printed("Root.production"));
    assert_eq!(Place::of(&root), Place::printed("Root"));
}

#[test]
fn a_file_that_others_can_change_is_no_policy() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("policy.toml");
    let us = rustix::process::geteuid().as_raw();
    let read = || Policy::read(&file, us).map_err(|error| error.to_string());
    assert!(read().unwrap_err().contains("cannot read the policy"));
    std::fs::write(&file, "[users]\nroot = \"admin\"\n").unwrap();
    for (mode, fine) in [(0o600, true), (0o644, true), (0o664, false), (0o602, false)] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(read().is_ok(), fine, "{mode:o}: {:?}", read());
    }
    assert!(Policy::read(place.path(), us).is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[\\[\\]a-z\"= \n.,#]{0,200}") {
        let _read_or_refused = policy(&text);
    }
}
