//! From a target to a connection that is logged in: resolve, connect, greet, agree on keys, check the server, log in.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use russh::client::{Config, Handle, connect_stream};
use russh::keys::PublicKey;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::algorithms::disagreement;
use super::auth::{self, Memory};
use super::client::Client;
use super::failure::{Failure, printable};
use super::governor::{Governor, pause};
use super::host_key::{self, Finding, Inspector, Stranger};
use super::known_hosts::KnownHosts;
use super::questions::Questions;
use super::tap::{Gauge, Tap};
use super::target::Target;
use super::vitals::{Vitals, describe, describe_io};

/// How often a server that turns connections away before it greets is tried.
const TRIES: u32 = 6;
/// How often a person may be asked about a new host key, or a login be begun anew because a question took too long.
const DETOURS: u32 = 3;
/// What a peer may send ahead on one channel: enough for 100 MB/s at 160 ms.
const WINDOW: u32 = 16 * 1024 * 1024;
/// Packets of one channel that russh keeps before it waits for us to take them.
const QUEUE: usize = 64;

/// A connection that is logged in.
pub(super) struct Link {
    pub(super) handle: Handle<Client>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) gauge: Arc<Gauge>,
}

/// Why one try came to nothing.
enum Miss {
    /// For good.
    Final(Failure),
    /// The server has too much to do; it may take us later.
    Busy(Failure),
    /// A person has to look at the server's key first.
    NewKey(Stranger),
    /// The server hung up while a person was thinking; the answer is remembered.
    TooSlow(Failure),
}

/// Connects and logs in.
pub(super) async fn dial(
    target: &Target,
    questions: &Questions,
    governor: &Governor,
    memory: &Memory,
) -> Result<Link, Failure> {
    let started = Instant::now();
    let (mut tries, mut detours, mut accepted) = (0, 0, None);
    loop {
        let turn = governor.turn(&target.address, target.port).await;
        let miss = match attempt(target, questions, memory, accepted.clone()).await {
            Ok(link) => return Ok(link),
            Err(miss) => miss,
        };
        drop(turn);
        match miss {
            Miss::Final(failure) => return Err(failure),
            Miss::Busy(failure) => {
                tries += 1;
                if tries >= TRIES || started.elapsed() > target.timeout * 2 {
                    return Err(failure);
                }
                tokio::time::sleep(pause(tries)).await;
            }
            Miss::NewKey(stranger) if detours < DETOURS => {
                detours += 1;
                host_key::ask(target, questions, &stranger).await?;
                accepted = Some(stranger.key);
            }
            Miss::NewKey(_) => return Err(Failure::new("host key: the server shows another one each time")),
            Miss::TooSlow(_) if detours < DETOURS => detours += 1,
            Miss::TooSlow(failure) => return Err(failure),
        }
    }
}

async fn attempt(
    target: &Target,
    questions: &Questions,
    memory: &Memory,
    accepted: Option<PublicKey>,
) -> Result<Link, Miss> {
    let files = target.trust.files.clone();
    let known = tokio::task::spawn_blocking(move || KnownHosts::read(&files)).await;
    let known = known.map_err(|stopped| Failure::new(stopped.to_string())).and_then(|known| known);
    let known = Arc::new(known.map_err(Miss::Final)?);
    let stream = open_socket(target).await.map_err(Miss::Final)?;
    let mut link = shake_hands(target, stream, known, accepted).await?;
    match auth::log_in(&mut link, target, questions, memory).await {
        Ok(()) => Ok(link),
        Err(refusal) if refusal.hung_up_on_a_person => Err(Miss::TooSlow(refusal.failure)),
        Err(refusal) => Err(Miss::Final(refusal.failure)),
    }
}

/// Resolves the name and connects to the first address that answers.
async fn open_socket(target: &Target) -> Result<TcpStream, Failure> {
    let name = target.address.trim_start_matches('[').trim_end_matches(']');
    let resolved = match timeout(target.timeout, lookup_host((name, target.port))).await {
        Err(_) => return Err(Failure::late("name lookup", target.timeout)),
        Ok(Err(error)) => {
            return Err(Failure::new(format!("name lookup: {error}"))
                .hint("set address of the host, or HostName in the ssh configuration"));
        }
        Ok(Ok(addresses)) => addresses.collect::<Vec<SocketAddr>>(),
    };
    let started = Instant::now();
    let mut last = Failure::new("name lookup: no address");
    for (index, address) in resolved.iter().enumerate() {
        // Addresses that do not answer share the time, so that a dead one leaves some for the next.
        let left = u32::try_from(resolved.len() - index).unwrap_or(u32::MAX);
        let limit = target.timeout.saturating_sub(started.elapsed()) / left;
        match timeout(limit, TcpStream::connect(address)).await {
            Err(_) => last = Failure::late("connect", target.timeout),
            Ok(Err(error)) => last = Failure::new(describe_io(&error)),
            Ok(Ok(stream)) => {
                set_options(&stream).map_err(|error| Failure::new(format!("socket: {error}")))?;
                return Ok(stream);
            }
        }
    }
    Err(last)
}

fn set_options(stream: &TcpStream) -> std::io::Result<()> {
    // Without it every small message waits for the answer to the one before: fourteen times slower, measured.
    stream.set_nodelay(true)?;
    rustix::net::sockopt::set_socket_keepalive(stream, true)?;
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_quickack(stream, true)?;
    Ok(())
}

/// Greeting, key exchange, and the check of the server's key.
async fn shake_hands(
    target: &Target,
    stream: TcpStream,
    known: Arc<KnownHosts>,
    accepted: Option<PublicKey>,
) -> Result<Link, Miss> {
    let config = Arc::new(config(target, &known));
    let vitals = Arc::new(Vitals::new());
    let inspector = Inspector::new(known, target.trust.clone(), accepted);
    let finding = inspector.finding();
    let (tap, gauge) = Tap::new(stream);
    let shaken = timeout(target.timeout, connect_stream(config, tap, Client::new(vitals.clone(), inspector))).await;
    match shaken {
        Ok(Ok(handle)) => Ok(Link { handle, vitals, gauge }),
        Ok(Err(error)) => Err(missed(target, &error, &gauge, &finding)),
        Err(_) => {
            // russh works on in a task of its own; the cut ends it.
            gauge.cut();
            let step = if gauge.greeting().contains("SSH-") { "key exchange" } else { "SSH greeting" };
            Err(Miss::Final(Failure::late(step, target.timeout)))
        }
    }
}

fn missed(target: &Target, error: &russh::Error, gauge: &Gauge, finding: &Mutex<Option<Finding>>) -> Miss {
    match finding.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(Finding::New(stranger)) => return Miss::NewKey(stranger),
        Some(Finding::Refused(failure)) => return Miss::Final(failure),
        None => {}
    }
    let greeting = gauge.greeting();
    if let Some(failure) = disagreement(error, &target.algorithms) {
        return Miss::Final(failure);
    }
    if greeting.contains("SSH-") {
        return Miss::Final(Failure::new(format!("key exchange: {}", describe(error))));
    }
    let said = printable(greeting.trim(), 200);
    if !said.is_empty() && !turned_away(&said) {
        return Miss::Final(
            Failure::new(format!("SSH greeting: the server says {said:?}"))
                .hint(format!("is port {} the port of an SSH server?", target.port)),
        );
    }
    let said = if said.is_empty() { String::new() } else { format!(" and says {said:?}") };
    Miss::Busy(Failure::new(format!("SSH greeting: the server closes the connection before it greets{said}")).hint(
        "it may have too many logins under way (MaxStartups), or refuse this address (penalties, firewall, TCP wrapper)",
    ))
}

/// Whether the line is what sshd says to those it has no time for.
fn turned_away(said: &str) -> bool {
    said.contains("MaxStartups") || said.contains("Not allowed at this time") || said.contains("Too many")
}

fn config(target: &Target, known: &KnownHosts) -> Config {
    let (name, port) = (&target.trust.name, target.trust.port);
    let preferred = target.algorithms.offer(&known.algorithms(name, port), known.has_authority(name, port));
    Config {
        window_size: WINDOW,
        channel_buffer_size: QUEUE,
        preferred,
        keepalive_interval: target.keepalive,
        keepalive_max: target.keepalive_max.max(1),
        nodelay: true,
        ..Config::default()
    }
}

/// The shortest limit for a step in which the server may have to think: a wrong password costs it seconds.
pub(super) fn thinking_time(limit: Duration) -> Duration {
    limit.max(Duration::from_secs(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sshd_says_why_it_turns_away() {
        assert!(turned_away("Exceeded MaxStartups"));
        assert!(turned_away("Not allowed at this time"));
        assert!(!turned_away("HTTP/1.1 400 Bad Request"));
    }
}
