#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::file::Files;
use super::*;

fn kill() -> Entry {
    Entry::now(About::default().in_session("s1"), What::Kill)
}

fn texts(place: &Path) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = std::fs::read_dir(place)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".jsonl"))
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap()))
        .collect();
    all.sort();
    all
}

fn lines(place: &Path) -> Vec<Value> {
    let all = texts(place);
    all.iter().flat_map(|(_, text)| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn numbers(place: &Path) -> Vec<u64> {
    lines(place).iter().map(|line| line["seq"].as_u64().unwrap()).collect()
}

#[test]
fn numbers_go_on_where_the_daemon_before_stopped() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let journal = Journal::open(dir.path(), "team", WhenFull::BestEffort).unwrap();
        journal.write(kill());
        journal.write(kill());
        journal.close();
    }
    let place = dir.path().join("team");
    assert_eq!(numbers(&place), [1, 2, 3, 4, 5, 6]);
    let line = &lines(&place)[0];
    assert_eq!((line["event"].as_str(), line["session"].as_str()), (Some("kill"), Some("s1")));
    let time = line["time"].as_str().unwrap();
    assert_eq!((time.len(), &time[23..]), ("2026-11-22T17:51:55.000Z".len(), "Z"), "{time}");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&place), 0o700);
    assert_eq!(mode(&place.join(&texts(&place)[0].0)), 0o600);
}

#[test]
fn a_torn_last_line_is_cut_off_and_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), "d", WhenFull::BestEffort).unwrap();
    journal.write(kill());
    journal.close();
    drop(journal);
    let place = dir.path().join("d");
    let file = place.join(&texts(&place)[0].0);
    let whole = std::fs::read(&file).unwrap();
    for torn in 1..whole.len() {
        std::fs::write(&file, [&whole[..], &whole[..torn]].concat()).unwrap();
        let journal = Journal::open(dir.path(), "d", WhenFull::BestEffort).unwrap();
        journal.close();
        let lines = lines(&place);
        assert_eq!(lines.len(), 2, "{torn}");
        assert_eq!(lines[1]["event"], "repaired");
        assert_eq!((lines[1]["bytes"].as_u64(), lines[1]["seq"].as_u64()), (Some(torn as u64), Some(2)));
    }
}

#[test]
fn each_day_has_a_file_and_a_clock_that_goes_back_does_not_reopen_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Files::open(dir.path(), "d").unwrap();
    for time in ["2026-03-01T23:59:59.999Z", "2026-03-02T00:00:00Z", "2026-03-01T23:00:00Z"] {
        files.append(time.parse().unwrap(), b"{}\n").unwrap();
    }
    let texts = texts(&dir.path().join("d"));
    let expected = [("2026-03-01.jsonl", "{}\n"), ("2026-03-02.jsonl", "{}\n{}\n")];
    assert_eq!(texts, expected.map(|(name, text)| (name.to_string(), text.to_string())));
}

#[test]
fn two_daemons_of_one_name_have_a_directory_each() {
    let dir = tempfile::tempdir().unwrap();
    let first = Journal::open(dir.path(), "0", WhenFull::BestEffort).unwrap();
    let second = Journal::open(dir.path(), "0", WhenFull::BestEffort).unwrap();
    assert_eq!(first.place(), dir.path().join("0"));
    assert_eq!(second.place(), dir.path().join("0-2"));
    first.close();
    second.close();
}

#[test]
fn a_directory_that_others_can_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("d");
    std::fs::create_dir(&place).unwrap();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o770)).unwrap();
    let error = Journal::open(dir.path(), "d", WhenFull::Strict).err().unwrap().to_string();
    assert!(error.contains("chmod 700"), "{error}");
}

#[test]
fn nothing_in_a_line_steers_a_terminal() {
    let what = What::Refusal {
        verb: "open".to_string(),
        node: Some("a\u{9b}2Jb\x1b[31m\u{7f}".to_string()),
        reason: "x\ny".to_string(),
    };
    let line = entry::line(1, &Entry::now(About::default(), what)).unwrap();
    let text = String::from_utf8(line).unwrap();
    assert_eq!(text.chars().filter(|c| c.is_control()).count(), 1, "only its end: {text:?}");
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["node"], "a\u{9b}2Jb\x1b[31m\u{7f}");
}

#[tokio::test]
async fn the_policy_decides_whether_an_action_may_begin_without_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let begin = || {
        let (node, action) = ("root".to_string(), "go".to_string());
        Entry::now(About::default(), What::Action { node, action, parameters: vec![], sandbox: false })
    };
    let strict = Journal::open(dir.path(), "strict", WhenFull::Strict).unwrap();
    assert_eq!(strict.permits(begin()).await, Ok(()));
    assert_eq!(numbers(&dir.path().join("strict")), [1], "its line is there before it begins");
    strict.close();
    let refused = strict.permits(begin()).await.unwrap_err();
    assert!(refused.contains("nothing is run without a journal"), "{refused}");
    let lenient = Journal::open(dir.path(), "lenient", WhenFull::BestEffort).unwrap();
    lenient.close();
    assert_eq!(lenient.permits(begin()).await, Ok(()));
    assert_eq!(lenient.state.lost.load(Ordering::Relaxed), 1);
    assert_eq!(Journal::none().permits(begin()).await, Ok(()));
}
