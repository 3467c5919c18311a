//! Files over SSH by the Rust library, for `tests/bench/transfer`: measured like its peers, by CPU and memory of the
//! process.
//!
//!     ssh_files deployer FILE up|down|tree

use std::error::Error;
use std::time::Instant;

use deployer_core::env::{Env, RunContext};
use deployer_core::host::files::FileOptions;
use deployer_core::host::ssh::SshHost;
use deployer_core::node::{HostKeyPolicy, Node};
use deployer_core::prelude::*;
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [_, file, mode] = args.as_slice() else { return Err("three words, see the source".into()) };
    let run: Json = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let text = |key: &str| run[key].as_str().unwrap_or_default().to_string();
    let host = SshHost::define("host")
        .address(run["addresses"][0].as_str().unwrap_or_default())
        .port(run["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(22))
        .username(&text("user"))
        .key_filename(&text("key"))
        .known_hosts([text("known_hosts").as_str()])
        .config_filename("/dev/null")
        .host_keys(HostKeyPolicy::Strict)
        .build();
    let root = Node::root(Node::define("Box").hosts(roles! { host: vec![host] }).build()?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (from, to, tree) = (text("from"), text("to"), mode == "tree");
    let (used, wall, failed) = runtime.block_on(async {
        let env = Env::new(root, RunContext::quiet());
        let host = env.hosts().each().into_iter().next().ok_or("no host")?;
        let (before, start) = (cpu(), Instant::now());
        let options = FileOptions { recursive: tree, silent: true, ..FileOptions::default() };
        let copied = match mode.as_str() {
            "down" => host.get_file(&from, &to, &options).await,
            _ => host.put_file(&from, &to, &options).await,
        };
        Ok::<_, Box<dyn Error>>((cpu() - before, start.elapsed().as_secs_f64(), copied.is_err()))
    })?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse()?;
    print(&json!({ "cpu": used, "wall": wall, "failed": u32::from(failed), "latencies": [], "peak": peak / 1024.0 }));
    // Connections end with the process.
    std::process::exit(0)
}

#[allow(clippy::print_stdout, reason = "this is its result")]
fn print(told: &Json) {
    println!("{told}");
}

/// Seconds of CPU of this process so far.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
