//! Broken deployment files: each gives one message with the place and what to do, within seconds and 256 MB.
//!
//! `fixtures/broken/messages.txt` is the table of what `deployer check` says, one line per file: name, exit status,
//! message (`-` for nothing). After a change that is meant, write it anew and read the difference:
//!
//!     DEPLOYER_REGENERATE=1 cargo nextest run -p deployer-tests broken_files

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use deployer_tests::world::deployer;
use nix::sys::resource::{UsageWho, getrusage};

/// Files that are only names: there is nothing to read.
const NOT_THERE: [&str; 1] = ["missing.lua"];

/// What one check may take of the memory, in KiB: 256 MB.
const MEMORY_MAX: i64 = 256 * 1024;

/// What one check may take of the address space, in KiB, so that a mistake does not take all of the machine's memory. More
/// than that of the memory: allocators reserve what they may never touch.
const ADDRESSES_MAX: u32 = 1024 * 1024;

/// Longest time for one file: loading ends after 5 s, the rest is for a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// How many files are checked at once.
const AT_ONCE: usize = 2;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/broken")
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name.ends_with(".lua"));
    names.chain(NOT_THERE.map(str::to_string)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The exit status and the findings of one file.
fn check(name: &str) -> (Option<i32>, String) {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -v {ADDRESSES_MAX}; exec \"$0\" -f \"$1\" check")).arg(deployer()).arg(name);
    command.current_dir(folder()).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    // A finding fits into a pipe: nobody has to read while the file is checked.
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("{name}: not checked within {DEADLINE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

/// Which limit a file meets first, and on which line of its loop, depends on how busy the machine is.
fn limits(said: String) -> String {
    let limits =
        ["took too long: is there a loop that never ends?", "the script uses too much memory: more than 160 MB"];
    match limits.iter().find_map(|limit| said.strip_suffix(limit)) {
        Some(place) if place.contains(".lua:") => {
            let name = place.split(':').next().unwrap_or_default();
            format!("{name}:1: error: (the limit of time or of memory, on any line)")
        }
        _ => said,
    }
}

/// One line of the table.
fn line(name: &str) -> String {
    let (status, said) = check(name);
    let status = status.map_or("killed".to_string(), |code| code.to_string());
    assert!(said.lines().count() <= 1, "{name}: one message is enough:\n{said}");
    let said = limits(said.trim_end().replace(&*folder().to_string_lossy(), "FOLDER"));
    format!("{name} {status} {}", if said.is_empty() { "-" } else { &said })
}

/// The table as it should be now.
fn table(names: &[String]) -> Vec<String> {
    let pending = Mutex::new(names.iter());
    let lines = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(name) = pending.lock().unwrap().next() else { break };
                    let line = line(name);
                    lines.lock().unwrap().push(line);
                }
            });
        }
    });
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    lines
}

/// Every error names a line of a file, unless no file could be read.
fn has_a_place(line: &str) -> bool {
    let unreadable = ["is a directory", "is not a regular file", "cannot read missing.lua"];
    let said = line.splitn(3, ' ').nth(2).unwrap_or_default();
    let place = said.split_once(": ").map_or("", |(place, _)| place);
    let number = place.rsplit_once(':').and_then(|(_, number)| number.parse::<u32>().ok());
    number.is_some() || said == "-" || unreadable.iter().any(|why| said.contains(why))
}

#[test]
fn every_broken_file_gives_one_message_with_the_place_and_what_to_do() {
    let names = names();
    let path = folder().join("messages.txt");
    let lines = table(&names);
    let most = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    assert!(most <= MEMORY_MAX, "one of the checks took {most} KiB");
    if std::env::var_os("DEPLOYER_REGENERATE").is_some() {
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let expected: Vec<&str> = expected.lines().collect();
    let other: Vec<&String> = lines.iter().filter(|line| !expected.contains(&line.as_str())).collect();
    assert!(other.is_empty(), "not as in {}:\n{other:#?}", path.display());
    assert_eq!(lines.len(), expected.len(), "{} has lines of files that are not there", path.display());
    for line in &lines {
        assert!(has_a_place(line), "no line is named: {line}");
        let severity = if line.contains(": warning: ") || line.ends_with(" 0 -") { " 0 " } else { " 2 " };
        assert!(line.contains(severity), "the exit status does not fit: {line}");
    }
    assert!(lines.iter().filter(|line| line.contains(" 2 ")).count() >= 60, "too few broken files");
}
