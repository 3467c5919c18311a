//! Who can bind what, and what is left alone.

#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use super::*;

fn names(place: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        place.read_dir().unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

// rows: Q-03 W-02
#[test]
fn only_the_owner_may_connect() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    let socket = bind(Some(&path)).unwrap();
    assert_eq!(path.symlink_metadata().unwrap().mode() & 0o7777, 0o600);
    UnixStream::connect(&path).unwrap();
    drop(socket);
    assert!(names(place.path()).is_empty());
}

#[test]
fn a_live_socket_is_refused_and_a_stale_one_replaced() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    let first = bind(Some(&path)).unwrap();
    let refused = bind(Some(&path)).unwrap_err().to_string();
    assert!(refused.contains("already listens") && refused.contains("deployer connect --socket"), "{refused}");
    let stale = place.path().join("stale.sock");
    drop(UnixListener::bind(&stale).unwrap());
    let second = bind(Some(&stale)).unwrap();
    UnixStream::connect(&stale).unwrap();
    drop((first, second));
    assert!(names(place.path()).is_empty());
}

#[test]
fn a_full_backlog_is_somebody_alive() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    let socket = new_socket().unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let mut waiting = Vec::new();
    let full = loop {
        let client = new_socket().unwrap();
        match rustix::net::connect(&client, &SocketAddrUnix::new(&path).unwrap()) {
            Ok(()) => waiting.push(client),
            Err(error) => break error,
        }
    };
    assert_eq!(full, Errno::AGAIN);
    assert_eq!(look(&path).unwrap(), Found::Alive);
}

#[test]
fn a_file_that_is_no_socket_is_never_removed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    std::fs::write(&path, "precious").unwrap();
    assert!(bind(Some(&path)).unwrap_err().to_string().contains("not a socket"));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    assert_eq!(names(place.path()), ["a.sock"]);
}

#[test]
fn somebody_elses_socket_stays_when_ours_goes() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    let socket = bind(Some(&path)).unwrap();
    std::fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(socket);
    assert_eq!(names(place.path()), ["a.sock"]);
}

#[test]
fn a_directory_that_others_can_write_to_is_refused_unless_sticky() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(bind(Some(&path)).unwrap_err().to_string().contains("not safe"));
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    let _socket = bind(Some(&path)).unwrap();
    assert_eq!(path.symlink_metadata().unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn of_many_binders_of_a_stale_socket_one_wins() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    drop(UnixListener::bind(&path).unwrap());
    let binders: Vec<_> = (0..16)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || bind(Some(&path)))
        })
        .collect();
    let outcomes: Vec<_> = binders.into_iter().map(|binder| binder.join().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    UnixStream::connect(&path).unwrap();
}

// rows: Q-02
#[test]
fn without_a_path_the_first_free_number_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let first = bind_first_free(place.path()).unwrap();
    let second = bind_first_free(place.path()).unwrap();
    assert_eq!(names(place.path()), ["0.sock", "1.sock"]);
    drop(first);
    let again = bind_first_free(place.path()).unwrap();
    assert_eq!(again.path, place.path().join("0.sock"));
    drop((second, again));
}

#[test]
fn a_socket_of_a_service_manager_stays_and_must_listen_and_have_a_path() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    for (mode, for_group, expected) in [
        (0o666, true, Some("has mode 0666: set SocketMode=0660")),
        (0o660, false, Some("has mode 0660: set SocketMode=0600")),
        (0o660, true, None),
        (0o600, false, None),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let adopted = adopt(listener.try_clone().unwrap(), for_group);
        match expected {
            Some(why) => assert!(adopted.unwrap_err().to_string().contains(why), "{mode:o}"),
            None => drop(adopted.unwrap()),
        }
    }
    let adopted = adopt(listener, false).unwrap();
    assert_eq!(adopted.path, path);
    UnixStream::connect(&path).unwrap();
    drop(adopted);
    assert_eq!(names(place.path()), ["a.sock"]);
    let unnamed = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    assert!(adopt(UnixListener::from(unnamed), false).unwrap_err().to_string().contains("no path"));
    let deaf = new_socket().unwrap();
    rustix::net::bind(&deaf, &SocketAddrUnix::new(place.path().join("b.sock")).unwrap()).unwrap();
    assert!(adopt(UnixListener::from(deaf), false).unwrap_err().to_string().contains("does not listen"));
}

#[test]
fn what_a_crashed_daemon_left_is_removed_and_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.sock");
    drop(UnixListener::bind(&path).unwrap());
    std::fs::write(path.with_extension("running"), r#"{"pid":7,"started_ms":1,"actions":[]}"#).unwrap();
    let [crashed] = &clean_up(Some(&path)).unwrap()[..] else { panic!("one crash") };
    assert_eq!((crashed.socket.as_path(), crashed.ran.as_ref().map(|ran| ran.pid)), (path.as_path(), Some(7)));
    assert!(names(place.path()).is_empty());
    let alive = bind(Some(&path)).unwrap();
    assert_eq!(clean_up(Some(&path)).unwrap(), []);
    UnixStream::connect(&path).unwrap();
    drop(alive);
}
