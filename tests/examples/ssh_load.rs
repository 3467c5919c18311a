//! Commands on many hosts by the Rust library, for `tests/bench/warm`: measured like its peers, by CPU and memory of the
//! process and the time of each command.
//!
//!     ssh_load deployer|deployer-helper FILE cold|warm|latency HOSTS COMMANDS

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deployer_core::env::{ActionError, Env, RunContext};
use deployer_core::host::ssh::SshHost;
use deployer_core::node::{HostDef, HostKeyPolicy, Node};
use deployer_core::prelude::*;
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, file, mode, hosts, commands] = args.as_slice() else { return Err("five words, see the source".into()) };
    let run: Json = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let (hosts, commands): (usize, usize) = (hosts.parse()?, commands.parse()?);
    let hosts: Vec<HostDef> =
        addresses(&run).take(hosts).map(|address| host(&run, address, name.ends_with("helper"))).collect();
    let latencies = Arc::new(Mutex::new(Vec::new()));
    let root = Node::root(fleet(hosts, mode == "cold", commands, &latencies).build()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let told = runtime.block_on(async {
        let env = Env::new(
            root,
            RunContext { parallel_limit: Some(if mode == "cold" { 32 } else { 1000 }), ..RunContext::quiet() },
        );
        if mode != "cold" {
            // Twice: the first logs in, the second starts the helpers.
            env.call("once", vec![]).await?;
            env.call("once", vec![]).await?;
        }
        let (before, start) = (cpu(), Instant::now());
        let failed = env.call("work", vec![]).await.is_err();
        Ok::<_, ActionError>((cpu() - before, start.elapsed(), failed))
    });
    let (used, wall, failed) = told?;
    let latencies: Vec<f64> = std::mem::take(&mut *latencies.lock().unwrap_or_else(PoisonError::into_inner));
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse()?;
    let told = json!({ "cpu": used.as_secs_f64(), "wall": wall.as_secs_f64(), "failed": u32::from(failed), "latencies": latencies, "peak": peak / 1024.0 });
    print(&told);
    // Connections end with the process.
    std::process::exit(0)
}

#[allow(clippy::print_stdout, reason = "this is its result")]
fn print(told: &Json) {
    println!("{told}");
}

fn addresses(run: &Json) -> impl Iterator<Item = &str> {
    run["addresses"].as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn host(run: &Json, address: &str, helper: bool) -> HostDef {
    let text = |key: &str| run[key].as_str().unwrap_or_default().to_string();
    let port = run["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(22);
    SshHost::define(address)
        .address(address)
        .port(port)
        .username(&text("user"))
        .key_filename(&text("key"))
        .known_hosts([text("known_hosts").as_str()])
        .config_filename("/dev/null")
        .host_keys(HostKeyPolicy::Strict)
        .helper_shell(helper)
        .build()
}

fn fleet(hosts: Vec<HostDef>, cold: bool, commands: usize, latencies: &Arc<Mutex<Vec<f64>>>) -> ClassBuilder {
    let latencies = latencies.clone();
    ParallelNode::define("Fleet")
        .hosts(roles! { host: hosts })
        .action("once", async |env: Env| env.hosts().run("true").silent().await.map(drop))
        .action("work", move |env: Env| {
            let latencies = latencies.clone();
            async move {
                let hosts = env.hosts();
                for _ in 0..commands {
                    let start = Instant::now();
                    hosts.run(if cold { "echo hello" } else { "true" }).silent().await?;
                    latencies.lock().unwrap_or_else(PoisonError::into_inner).push(start.elapsed().as_secs_f64());
                }
                Ok::<(), ActionError>(())
            }
        })
}

/// CPU of this process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
