//! From a target to a connection that is logged in: resolve, connect, greet, agree on keys, check the server, log in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use russh::client::{Config, Handle, connect_stream};
use russh::keys::PublicKey;
use tokio::io::BufReader;
use tokio::time::timeout;

use super::algorithms::{Certificates, disagreement};
use super::auth::{self, Memory};
use super::client::Client;
use super::failure::{Failure, printable};
use super::governor::pause;
use super::hops::{Bytes, Journey, Stream, Watch, Way};
use super::host_key::{self, Finding, Inspector, Stranger};
use super::known_hosts::KnownHosts;
use super::pool::{Lease, Shared};
use super::progress::{Step, Steps};
use super::questions::Questions;
use super::tap::{Gauge, Tap};
use super::target::{Target, Trust};
use super::vitals::{Forward, Vitals, describe};
use crate::host::Reach;

/// How often a server that turns connections away before it greets is tried.
const TRIES: u32 = 6;
/// How often a person may be asked about a new host key, or a login be begun anew because a question took too long.
const DETOURS: u32 = 3;
/// What a peer may send ahead on one channel: enough for 100 MB/s at 160 ms.
const WINDOW: u32 = 16 * 1024 * 1024;
/// The most that the peer may put into one packet: what russh takes. Half as many packets as with the usual 32 KiB, and
/// each has a price of its own.
const PACKET: u32 = 65_535;
/// Packets of one channel that russh keeps before it waits for us to take them.
const QUEUE: usize = 64;
/// Bytes read ahead. russh asks for the length of a packet and then for the rest, and small packets come several at once:
/// without it a command costs seventeen reads, with it five. Larger packets go past it.
const AHEAD: usize = 4096;

/// A connection that is logged in.
pub(super) struct Link {
    pub(super) handle: Handle<Client>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) gauge: Arc<Gauge>,
    /// What it goes through.
    pub(super) through: Option<(Lease, Forward)>,
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

/// What a dial is made with.
pub(super) struct Dialler<'a> {
    pub(super) target: &'a Target,
    pub(super) journey: &'a Journey,
    pub(super) reach: &'a Reach,
    pub(super) pool: &'a Arc<Shared>,
    pub(super) memory: &'a Memory,
    /// Where it is put down how far the attempt has come.
    pub(super) steps: &'a Steps,
}

impl Dialler<'_> {
    /// Connects and logs in.
    pub(super) async fn dial(self) -> Result<Link, Failure> {
        let target = self.target;
        let Reach { asker, cancel } = self.reach.clone();
        let questions = Questions::new(asker, &self.journey.label(target), cancel, self.steps.clone());
        let mut way = Way::find(target, self.journey, self.reach, self.pool).await?;
        let started = Instant::now();
        let (mut tries, mut detours, mut accepted) = (0, 0, None);
        loop {
            if way.is_lost() {
                self.steps.send_replace(Step::Hop);
                way = Way::find(target, self.journey, self.reach, self.pool).await?;
            }
            self.steps.send_replace(Step::Turn);
            let turn = self.pool.governor.turn(target.route.next_hop(&target.address, target.port)).await;
            let miss = match self.attempt(&way, &questions, accepted.clone()).await {
                Ok((link, forward)) => {
                    let through = way.into_lease().zip(forward);
                    return Ok(Link { through, ..link });
                }
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
                    self.steps.send_replace(Step::Busy);
                    tokio::time::sleep(pause(tries)).await;
                }
                Miss::NewKey(stranger) if detours < DETOURS => {
                    detours += 1;
                    host_key::ask(target, &questions, &stranger).await?;
                    accepted = Some(stranger.key);
                }
                Miss::NewKey(_) => return Err(Failure::new("host key: the server shows another one each time")),
                Miss::TooSlow(_) if detours < DETOURS => detours += 1,
                Miss::TooSlow(failure) => return Err(failure),
            }
        }
    }

    async fn attempt(
        &self,
        way: &Way,
        questions: &Questions,
        accepted: Option<PublicKey>,
    ) -> Result<(Link, Option<Forward>), Miss> {
        let target = self.target;
        let Trust { files, revoked, .. } = target.trust.clone();
        let known = tokio::task::spawn_blocking(move || KnownHosts::read(&files)?.except(&revoked)).await;
        let known = known.map_err(|stopped| Failure::new(stopped.to_string())).and_then(|known| known);
        let known = known.map_err(Miss::Final)?;
        self.steps.send_replace(Step::Open);
        let stream = way.open(target, self.pool.options.agent.as_deref()).await.map_err(Miss::Final)?;
        let Stream { bytes, command, forward } = stream;
        self.steps.send_replace(Step::Greet);
        let mut link = shake_hands(target, bytes, command, known, accepted).await?;
        self.steps.send_replace(Step::LogIn);
        match auth::log_in(&mut link, target, questions, self.memory).await {
            Ok(()) => Ok((link, forward)),
            Err(refusal) if refusal.hung_up_on_a_person => Err(Miss::TooSlow(refusal.failure)),
            Err(refusal) => Err(Miss::Final(refusal.failure)),
        }
    }
}

/// Greeting, key exchange, and the check of the server's key.
async fn shake_hands(
    target: &Target,
    stream: Box<dyn Bytes>,
    command: Option<Watch>,
    known: KnownHosts,
    accepted: Option<PublicKey>,
) -> Result<Link, Miss> {
    let config = Arc::new(config(target, &known));
    let vitals = Arc::new(Vitals::new());
    let inspector = Inspector::new(known, target.trust.clone(), accepted);
    let finding = inspector.finding();
    let (tap, gauge) = Tap::new(stream);
    let stream = BufReader::with_capacity(AHEAD, tap);
    let shaken = timeout(target.timeout, connect_stream(config, stream, Client::new(vitals.clone(), inspector))).await;
    match shaken {
        Ok(Ok(handle)) => Ok(Link { handle, vitals, gauge, through: None }),
        Ok(Err(error)) => match command {
            Some(command) if gauge.greeting().is_empty() => Err(not_through(&command).await),
            _ => Err(missed(target, &error, &gauge, &finding)),
        },
        Err(_) => {
            // russh works on in a task of its own; the cut ends it.
            gauge.cut();
            let step = if gauge.greeting().contains("SSH-") { "key exchange" } else { "SSH greeting" };
            let said = command.map(|command| command.said()).filter(|said| !said.is_empty());
            let late = Failure::late(step, target.timeout);
            Err(Miss::Final(match said {
                Some(said) => Failure::new(format!("{}; the proxy command says: {said}", late.reason)),
                None => late,
            }))
        }
    }
}

/// The program on the way ended, or closed its output, before a server was heard.
async fn not_through(command: &Watch) -> Miss {
    let why = command.end().await.unwrap_or_else(|| "the proxy command closed its output".into());
    let failure =
        Failure::new(why).hint("it stands in ProxyCommand of the ssh configuration or proxy_command of the host");
    match turned_away(&failure.reason) || failure.reason.contains("Connection reset by peer") {
        true => Miss::Busy(failure),
        false => Miss::Final(failure),
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
    let certificates = match known.has_authority(name, port) {
        true => Certificates::Any,
        false if known.may_revoke(name, port) => Certificates::OfKnownKinds,
        false => Certificates::None,
    };
    let preferred = target.algorithms.offer(&known.algorithms(name, port), certificates);
    Config {
        window_size: WINDOW,
        maximum_packet_size: PACKET,
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
