//! The `deployer` command line with one more kind of host, `FakeHost`, whose commands run nowhere: what deployer itself
//! costs per isolation and command, without processes and servers. For `tests/bench/fan_out`; no part of deployer.
//!
//! The deployment file is named by the variable `FAKE_HOSTS_FILE`. A fake command is a task of its own, as on real hosts:
//! it gives way to others once, prints `ok`, and ends with status 0.

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use deployer_core::host::{ExitStatus, Host, HostError, Process, ProcessControl, ProcessEvent, Reach, Spawn};
use deployer_core::node::{HostDef, HostFactory};
use deployer_core::script::LuaFile;
use tokio::sync::mpsc;

/// The one that the `deployer` binary has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug)]
struct FakeHosts;

#[derive(Debug)]
struct FakeHost(HostDef);

impl HostFactory for FakeHosts {
    fn host(&self, definition: &HostDef) -> Arc<dyn Host> {
        Arc::new(FakeHost(definition.clone()))
    }
}

#[async_trait]
impl Host for FakeHost {
    fn definition(&self) -> &HostDef {
        &self.0
    }

    async fn start_path(&self, _: &Reach) -> Result<String, HostError> {
        Ok("/".to_string())
    }

    async fn spawn(&self, _: Spawn, _: &Reach) -> Result<Process, HostError> {
        let (sender, events) = mpsc::channel(8);
        let (control, requests) = ProcessControl::channel();
        tokio::spawn(async move {
            let _listening = requests;
            tokio::task::yield_now().await;
            // Whoever ran it may be gone.
            let _gone = sender.send(ProcessEvent::Stdout("ok\n".into())).await;
            let _gone = sender.send(ProcessEvent::Exit(ExitStatus::Code(0))).await;
        });
        Ok(Process { events, control })
    }
}

fn main() -> ExitCode {
    let file = std::env::var_os("FAKE_HOSTS_FILE").unwrap_or_else(|| "deploy.lua".into());
    deployer_cli::start(move || LuaFile::new(&file).host_kind("FakeHost", Arc::new(FakeHosts)).load())
}
