#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn output(text: &str) -> Option<FromDaemon> {
    Some(FromDaemon::Output(Bytes::copy_from_slice(text.as_bytes())))
}

#[tokio::test]
async fn small_writes_are_sent_together_and_messages_in_order() {
    let outbox = Outbox::default();
    for text in ["a", "b", "c"] {
        assert_eq!(outbox.put_output(&Bytes::from(text)), Put::Queued);
    }
    outbox.put(FromDaemon::Finished(0));
    outbox.put_output(&Bytes::from_static(b"d"));
    outbox.end();
    assert_eq!(outbox.next().await, output("abc"));
    assert_eq!(outbox.next().await, Some(FromDaemon::Finished(0)));
    assert_eq!(outbox.next().await, output("d"));
    assert_eq!(outbox.next().await, None);
}

// rows: Q-11
#[tokio::test]
async fn what_waits_for_many_is_kept_once() {
    let (one, two) = (Outbox::default(), Outbox::default());
    let chunk = Bytes::from(vec![b'x'; 4096]);
    let parts = [&chunk, &Bytes::from_static(b"small"), &chunk];
    for outbox in [&one, &two] {
        parts.iter().for_each(|part| assert_eq!(outbox.put_output(part), Put::Queued));
    }
    let shared = one
        .lock()
        .items
        .iter()
        .filter(|item| matches!(item, Item::Shared(bytes) if bytes.as_ptr() == chunk.as_ptr()))
        .count();
    assert_eq!((shared, one.lock().output_bytes), (2, 2 * 4096 + 5));
    let whole = [&chunk[..], b"small", &chunk].concat();
    assert_eq!(one.next().await, Some(FromDaemon::Output(whole.into())), "and sent together");
    assert_eq!(one.lock().output_bytes, 0);
    let long = Bytes::from(vec![b'y'; PIECE + 1]);
    two.next_now();
    two.put_output(&long);
    assert_eq!(two.next().await, Some(FromDaemon::Output(long.slice(..PIECE))));
    assert_eq!(two.next().await, output("y"));
}

#[tokio::test]
async fn lines_of_one_stream_are_sent_together_and_streams_in_order() {
    let outbox = Outbox::default();
    let stdout = |text: &'static str| FromDaemon::Stdout(Bytes::from_static(text.as_bytes()));
    let stderr = FromDaemon::Stderr(Bytes::from_static(b"c"));
    for message in [stdout("a"), stdout("b"), stderr.clone(), stdout("d")] {
        outbox.put(message);
    }
    assert_eq!(outbox.lock().stream_bytes, 4);
    assert_eq!(outbox.next().await, Some(stdout("ab")));
    assert_eq!(outbox.next_now(), Some(stderr));
    assert_eq!(outbox.next_now(), Some(stdout("d")));
    assert_eq!((outbox.next_now(), outbox.lock().stream_bytes), (None, 0));
}

// rows: Q-11
#[tokio::test]
async fn a_client_that_does_not_read_loses_its_backlog_and_is_told_of_when_it_reads() {
    let outbox = Arc::new(Outbox::default());
    let chunk = Bytes::from(vec![b'x'; 100_000]);
    let put = (0..100).take_while(|_| outbox.put_output(&chunk) == Put::Queued).count();
    assert_eq!(put, OUTPUT_MAX / chunk.len());
    assert_eq!(outbox.lock().output_bytes, 0);
    assert_eq!(outbox.put_output(&Bytes::from_static(b"lost")), Put::CutOff);
    let sent = Arc::new(AtomicBool::new(false));
    outbox.put(FromDaemon::Killed("s1".to_string()));
    outbox.when_sent({
        let (sent, outbox) = (sent.clone(), outbox.clone());
        move || {
            sent.store(true, Ordering::SeqCst);
            outbox.put_repaint(&Bytes::from_static(b"repaint"));
        }
    });
    assert_eq!(outbox.next().await, Some(FromDaemon::Killed("s1".to_string())));
    assert!(!sent.load(Ordering::SeqCst), "the message is not yet with the socket");
    assert_eq!(outbox.next().await, output("repaint"));
    assert!(sent.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_repaint_replaces_terminal_bytes_and_nothing_else() {
    let outbox = Outbox::default();
    outbox.put(FromDaemon::Stdout(Bytes::from_static(b"of a session before")));
    outbox.put_output(&Bytes::from_static(b"old"));
    outbox.put_repaint(&Bytes::from_static(b"new"));
    outbox.end();
    assert_eq!(outbox.next().await, Some(FromDaemon::Stdout(Bytes::from_static(b"of a session before"))));
    assert_eq!(outbox.next().await, output("new"));
    assert_eq!(outbox.next().await, None);
    let state = outbox.lock();
    assert_eq!((state.output_bytes, state.stream_bytes), (0, 0));
}

#[tokio::test]
async fn who_waits_for_room_goes_on_when_the_client_is_gone() {
    let outbox = Arc::new(Outbox::default());
    for piece in pieces(&vec![0; OUTPUT_MAX]) {
        outbox.put(FromDaemon::Stdout(piece));
    }
    let waiting = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.room().await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    outbox.give_up();
    assert!(!waiting.await.unwrap());
    assert_eq!(outbox.next().await, None);
}
