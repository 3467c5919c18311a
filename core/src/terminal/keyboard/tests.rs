use super::*;
use crate::terminal::INTERRUPT;

#[tokio::test]
async fn the_newest_lease_reads_and_the_older_one_resumes() {
    let hub = KeyboardHub::new();
    let mut shell = hub.lease();
    hub.push(Bytes::from_static(b"typed ahead")).await;
    assert_eq!(shell.read().await.as_deref(), Some(&b"typed ahead"[..]));
    let mut program = hub.lease();
    hub.push(Bytes::from_static(b"to the program")).await;
    assert_eq!(program.read().await.as_deref(), Some(&b"to the program"[..]));
    drop(program);
    hub.push(Bytes::from_static(b"to the shell")).await;
    hub.close();
    assert_eq!(shell.read().await.as_deref(), Some(&b"to the shell"[..]));
    assert_eq!(shell.read().await, None);
}

#[tokio::test]
async fn a_parked_branch_gets_no_keys_until_it_is_back() {
    let hub = KeyboardHub::new();
    let mut shell = hub.lease();
    let job = hub.branch();
    let (mut action, mut program) = (job.lease(), job.lease());
    job.park(true);
    let mut late = job.lease();
    hub.push(Bytes::from_static(b"to the shell")).await;
    assert_eq!(shell.read().await.as_deref(), Some(&b"to the shell"[..]));
    job.park(false);
    hub.push(Bytes::from_static(b"to the newest")).await;
    assert_eq!(late.read().await.as_deref(), Some(&b"to the newest"[..]));
    drop(late);
    hub.push(Bytes::from_static(b"to the program")).await;
    assert_eq!(program.read().await.as_deref(), Some(&b"to the program"[..]));
    drop(program);
    hub.close();
    assert_eq!(action.read().await, None);
}

#[tokio::test]
async fn unread_bytes_come_first() {
    let hub = KeyboardHub::new();
    let mut lease = hub.lease();
    hub.push(Bytes::from_static(b"second")).await;
    lease.unread(Bytes::from_static(b"first"));
    assert_eq!(lease.read().await.as_deref(), Some(&b"first"[..]));
    assert_eq!(lease.read().await.as_deref(), Some(&b"second"[..]));
}

#[tokio::test]
async fn a_flood_is_held_back() {
    let hub = KeyboardHub::new();
    hub.push(Bytes::from(vec![b'x'; WAITING_MAX])).await;
    let pushed = tokio::spawn({
        let hub = hub.clone();
        async move { hub.push(Bytes::from_static(b"y")).await }
    });
    tokio::task::yield_now().await;
    assert!(!pushed.is_finished());
    let mut lease = hub.lease();
    assert_eq!(lease.read().await.map(|b| b.len()), Some(WAITING_MAX));
    assert_eq!(lease.read().await.as_deref(), Some(&b"y"[..]));
    pushed.await.expect("the push ends");
}

#[tokio::test]
async fn what_is_looked_at_waits_for_the_next_reader_before_what_comes_later() {
    let hub = KeyboardHub::new();
    let mut watcher = hub.lease();
    hub.push(Bytes::from_static(b"first")).await;
    assert_eq!(watcher.look(|ahead, bytes| ahead.extend_from_slice(bytes)).await, Some(()));
    assert!(!hub.is_idle());
    hub.push(Bytes::from_static(b"second")).await;
    let mut view = hub.lease().only_new();
    assert_eq!(view.read().await.as_deref(), Some(&b"second"[..]));
    view.unread(Bytes::from_static(b"second"));
    drop(view);
    let mut reader = hub.lease();
    assert_eq!(reader.read().await.as_deref(), Some(&b"first"[..]));
    reader.unread(Bytes::from_static(b"rst"));
    assert_eq!(reader.read().await.as_deref(), Some(&b"rst"[..]));
    assert_eq!(reader.read().await.as_deref(), Some(&b"second"[..]));
}

#[tokio::test]
async fn a_flush_drops_what_waits_for_whoever_has_the_keyboard() {
    let hub = KeyboardHub::new();
    let mut watcher = hub.lease();
    hub.push(Bytes::from_static(b"looked at")).await;
    watcher.look(|ahead, bytes| ahead.extend_from_slice(bytes)).await;
    hub.push(Bytes::from_static(b"waiting")).await;
    let mut question = hub.lease();
    watcher.flush();
    assert!(!hub.is_idle(), "not the watcher's to drop now");
    question.flush();
    assert!(hub.is_idle());
    hub.push(Bytes::from_static(b"the answer")).await;
    assert_eq!(question.read().await.as_deref(), Some(&b"the answer"[..]));
}

#[tokio::test]
async fn a_flush_keeps_an_interrupt() {
    let hub = KeyboardHub::new();
    let mut question = hub.lease();
    hub.push(Bytes::from_static(b"lost\x03lost, too")).await;
    question.flush();
    assert_eq!(question.read().await.as_deref(), Some(&b"\x03"[..]));
}

#[tokio::test]
async fn what_was_read_before_all_was_dropped_is_not_given_back() {
    let hub = KeyboardHub::new();
    let mut lease = hub.lease();
    hub.push(Bytes::from_static(b"one\rtwo")).await;
    assert!(lease.read().await.is_some());
    hub.flush();
    lease.unread(Bytes::from_static(b"two"));
    assert!(hub.is_idle());
    hub.push(Bytes::from_static(b"x\x03y")).await;
    assert!(lease.read().await.is_some());
    hub.flush();
    lease.unread(Bytes::from_static(b"x\x03y"));
    assert_eq!(lease.read().await.as_deref(), Some(&[INTERRUPT][..]), "an interrupt is no data");
}

#[tokio::test]
async fn what_is_passed_on_is_dropped_with_what_waits_below() {
    let hub = KeyboardHub::new();
    let (mut view, below) = (hub.lease(), hub.below());
    hub.push(Bytes::from_static(b"a")).await;
    assert!(view.read().await.is_some());
    hub.pass_on(&view, || assert!(below.offer(Bytes::from_static(b"a"))));
    hub.push(Bytes::from_static(b"b")).await;
    assert!(view.read().await.is_some());
    hub.flush_below();
    assert!(below.is_idle());
    hub.pass_on(&view, || unreachable!("it was on its way"));
    hub.push(Bytes::from_static(b"c")).await;
    assert!(view.read().await.is_some(), "what waits here stays");
    hub.pass_on(&view, || assert!(below.offer(Bytes::from_static(b"c"))));
    assert_eq!(below.lease().read().await.as_deref(), Some(&b"c"[..]));
}
