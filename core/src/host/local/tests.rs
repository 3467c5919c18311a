#![allow(clippy::unwrap_used)]

//! Real commands under the real `/bin/sh` of this machine.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::host::ssh::SshOptions;
use crate::host::{HostContainer, HostServices, HostsContainer, NobodyToAsk, RunError, RunIo, RunOptions, RunOutput};
use crate::logger::Logger;
use crate::node::{HostDef, HostKind, HostSettings, Roles};
use crate::terminal::Terminal;
use crate::terminal::scripted::ScriptedTerminal;

fn host_on(terminal: Arc<ScriptedTerminal>) -> HostContainer {
    let definition =
        HostDef::new(HostKind::Local, HostSettings { slug: "here".to_string(), ..HostSettings::default() });
    let roles = Roles([("host".to_string(), vec![definition])].into_iter().collect());
    let terminal: Arc<dyn Terminal> = terminal;
    let io = RunIo {
        logger: Logger::new(Vec::new(), terminal.clone()),
        terminal,
        asker: Arc::new(NobodyToAsk),
        cancel: CancellationToken::new(),
        services: HostServices::new(SshOptions::default()),
        sandbox: false,
    };
    HostsContainer::new(&roles, io).each().remove(0)
}

fn hidden() -> RunOptions {
    RunOptions { interactive: false, ..RunOptions::default() }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.unwrap_or_else(|_| panic!("waited for: {what}"))
}

async fn text(host: &HostContainer, command: &str) -> String {
    within(command, host.run(command, &hidden())).await.unwrap().text()
}

#[tokio::test]
async fn smoke() {
    let host = host_on(ScriptedTerminal::new());
    assert_eq!(text(&host, "echo hello").await, "hello");
    let tty = host_on(ScriptedTerminal::interactive());
    let out: Arc<RunOutput> =
        within("tty", tty.run("tty; stty size; echo $TERM", &RunOptions::default())).await.unwrap();
    let text = out.text();
    assert!(text.starts_with("/dev/pts/") && text.ends_with("\r\n40 80\r\nxterm"), "{text:?}");
    assert!(matches!(tty.run("exit 3", &RunOptions::default()).await, Err(RunError::Failed(_))));
}
