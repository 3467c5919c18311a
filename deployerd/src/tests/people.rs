//! Several people and one session: whose it is, who may type, who knows.

use deployer_protocol::{FromClient, FromDaemon, Share};

use super::harness::{TestDaemon, terminal};

#[tokio::test]
async fn a_session_is_shared_and_given_away() {
    let daemon = TestDaemon::start();
    let mut ann = daemon.open("work").await;
    let _watcher = daemon.join("work", true, terminal(24, 80)).await;
    let people = async |client: &mut super::harness::TestClient| {
        client.send(FromClient::People(())).await;
        let picked = client.until("who has to do with sessions", |message| match message {
            FromDaemon::People(people) => Some(people.clone()),
            _ => None,
        });
        picked.await.remove(0)
    };
    let us = rustix::process::geteuid().as_raw();
    let before = people(&mut ann).await;
    assert_eq!((before.session.as_str(), before.owner_uid, before.shared.len()), ("work", us, 0));
    let clients: Vec<_> =
        before.clients.iter().map(|client| (client.uid, client.rank.as_str(), client.watch)).collect();
    assert_eq!(clients, [(us, "admin", false), (us, "admin", true)]);
    let share = |user: &str, on| FromClient::Share(Share { session: "work".to_string(), user: user.to_string(), on });
    ann.send(share("no-such-user", true)).await;
    assert!(ann.error().await.contains("no user 'no-such-user'"));
    ann.send(share("3999999", true)).await;
    assert!(ann.error().await.contains("gives no rank"), "nothing is given to strangers");
    ann.send(share("root", true)).await;
    let given = ann.until("an answer", |message| match message {
        FromDaemon::Given(sentence) => Some(sentence.clone()),
        _ => None,
    });
    assert!(given.await.contains("root may type"), "{:?}", ann.messages);
    ann.send(FromClient::HandOver(("work".to_string(), "0".to_string()))).await;
    ann.until("an answer", |message| {
        matches!(message, FromDaemon::Given(text) if text.contains("belongs to root")).then_some(())
    })
    .await;
    let after = people(&mut ann).await;
    assert_eq!((after.owner.as_str(), after.owner_uid), ("root", 0));
    assert_eq!(daemon.sessions().await[0].owner, "root");
}
