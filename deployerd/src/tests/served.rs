//! The real shell behind the real socket: a tree built in Rust, served as `deployer listen` does.

use std::sync::Arc;

use deployer_core::host::{HostServices, ssh::SshOptions};
use deployer_core::node::{
    Action, Class, HostDef, HostKind, HostSettings, HostSource, Member, Node, RoleMapping, Roles,
};
use deployer_core::script::LoadError;
use deployer_core::shell::Tree;
use deployer_core::value::Value;
use deployer_protocol::{FromClient, FromDaemon};
use tokio_util::sync::CancellationToken;

use super::harness::{PATIENCE, TestClient, hello, terminal};
use crate::{Options, serve, socket};

struct Cells(usize);

impl Tree for Cells {
    fn load(&self) -> Result<Node, LoadError> {
        let hosts: Vec<HostDef> = (0..self.0)
            .map(|index| {
                HostDef::new(HostKind::Local, HostSettings { slug: format!("h{index}"), ..HostSettings::default() })
            })
            .collect();
        let go = Action::from_fn(|env, _| async move {
            env.context().terminal.print(&format!("working on {}", env.node().cell_label())).await.unwrap();
            Ok(Value::Nil)
        });
        let many = Class::parallel_node().extend("Many").member("go", Member::Action(go), None).build().unwrap();
        let mapped = HostSource::Mapped(RoleMapping::new().role("host", ["web"]));
        let root = Class::node()
            .extend("R")
            .hosts(HostSource::Own(Roles::new().role("web", hosts)))
            .member("many", Member::Child(many.array().unwrap().with_hosts(mapped).unwrap()), None)
            .build()
            .unwrap();
        Ok(Node::root(root).unwrap())
    }

    fn origin(&self) -> String {
        "a program".to_string()
    }
}

fn options(tree: Arc<dyn Tree>) -> Options {
    let services = HostServices::new(SshOptions::default());
    Options {
        tree,
        services,
        workers: tokio::runtime::Handle::current(),
        private: true,
        interactive: true,
        settings: Default::default(),
        oversight: Default::default(),
    }
}

// rows: M-06 M-07 Q-01 Q-05 Q-19 Q-20
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parallel_action_of_the_shell_shows_every_host_before_its_summary() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("d.sock");
    let bound = socket::bind(Some(&path)).unwrap();
    let daemon = tokio::spawn(serve(bound, options(Arc::new(Cells(30))), CancellationToken::new()));
    let mut client = TestClient::new(tokio::net::UnixStream::connect(&path).await.unwrap());
    client.send(FromClient::Hello(hello())).await;
    client.screen.screen_mut().set_size(200.try_into().unwrap(), 80.try_into().unwrap());
    client.open("work", Some(terminal(200, 80)), &[]).await;
    client.shows("R > ").await;
    client.type_keys("many go\r").await;
    client.shows("30 ok").await;
    let contents = client.contents();
    let summary = contents.find("R.many.go:").expect("a summary");
    for index in 0..30 {
        let line = format!("h{index:<2} | working on h{index}\n");
        let at = contents.find(&line).unwrap_or_else(|| panic!("no {line:?} in:\n{contents}"));
        assert!(at < summary, "{line:?} after the summary:\n{contents}");
    }
    client.type_keys("exit\r").await;
    assert_eq!(client.finished().await, 0);
    assert_eq!(client.messages.iter().filter(|message| matches!(message, FromDaemon::Error(_))).count(), 0);
    drop(client);
    tokio::time::timeout(PATIENCE, daemon).await.expect("the daemon ends with its client").unwrap().unwrap();
    assert!(!path.exists());
}

struct Broken;

impl Tree for Broken {
    fn load(&self) -> Result<Node, LoadError> {
        Err(LoadError { position: None, message: "no node returned".to_string() })
    }

    fn origin(&self) -> String {
        "/srv/deploy.lua".to_string()
    }
}

#[tokio::test]
async fn a_tree_that_cannot_be_loaded_is_not_served() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("d.sock");
    let bound = socket::bind(Some(&path)).unwrap();
    let error = serve(bound, options(Arc::new(Broken)), CancellationToken::new()).await.unwrap_err();
    assert_eq!(format!("{error:#}"), "cannot use /srv/deploy.lua: no node returned");
    assert!(!path.exists());
}
