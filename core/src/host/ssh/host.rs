//! A host reached over SSH, as the rest of the framework sees it.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::TryFutureExt;
use tokio::sync::OnceCell;

use super::channel::{self, NotStarted};
use super::failure::Failure;
use super::helper::{self, Way};
use super::hops::{self, Journey};
use super::pool::{Lease, Spare, SshPool};
use super::sftp::{Session, SftpFiles};
use super::target::Target;
use crate::host::files::FileSystem;
use crate::host::{ConnectError, ExitStatus, Host, HostError, Process, ProcessEvent, Reach, Spawn, SpawnMode};
use crate::node::HostDef;

/// What a start path may be long; longer answers are no paths.
const MAX_PATH: usize = 4096;

/// One host reached over SSH (rows F-61..F-69).
#[derive(Debug)]
pub struct SshHost {
    definition: HostDef,
    pool: Arc<SshPool>,
    target: OnceCell<Arc<Target>>,
    start_path: OnceCell<String>,
}

impl SshHost {
    /// The host of a definition; nothing is dialled before it is used.
    pub fn new(definition: HostDef, pool: Arc<SshPool>) -> SshHost {
        SshHost { definition, pool, target: OnceCell::new(), start_path: OnceCell::new() }
    }

    async fn target(&self) -> Result<&Arc<Target>, HostError> {
        let finding = || async {
            let found = hops::find(&self.definition, &self.pool.shared.resolver).await;
            found.map(Arc::new).map_err(|failure| self.unresolved(failure))
        };
        self.target.get_or_try_init(finding).await
    }

    /// A failure before it was clear what to dial.
    fn unresolved(&self, failure: Failure) -> HostError {
        let settings = self.definition.settings();
        HostError::Connect(ConnectError {
            host: self.definition.slug().to_string(),
            address: self.definition.address().to_string(),
            port: settings.port.unwrap_or(22),
            user: settings.username.clone().unwrap_or_else(|| "?".into()),
            reason: failure.reason,
            hint: failure.hint,
        })
    }

    async fn start(&self, spawn: Spawn, reach: &Reach) -> Result<Process, HostError> {
        let target = self.unless_interrupted(reach, self.target()).await?;
        let journey = Journey::to(self.definition.slug(), target);
        let spare = Spare::new(&self.pool.shared, target, &journey);
        if let Some(process) = self.by_helper(&spawn, target, &journey, &spare, reach).await {
            return Ok(process);
        }
        let start = |lease| channel::start(lease, spare.clone(), spawn.clone(), target.timeout, &reach.cancel);
        self.on_a_channel(reach, start).await
    }

    async fn open_files(&self, reach: &Reach) -> Result<Arc<dyn FileSystem>, HostError> {
        let target = self.target().await?;
        match SftpFiles::of(&self.pool.shared.sftp, &target.key, || self.open_session(reach)).await {
            Ok(files) => Ok(Arc::new(files)),
            Err(HostError::Refused { reason, .. }) => Err(self.no_files(reason)),
            Err(error) => Err(error),
        }
    }

    async fn open_session(&self, reach: &Reach) -> Result<Arc<Session>, HostError> {
        let limit = self.target().await?.timeout;
        let (lease, read, write) = self.on_a_channel(reach, |lease| channel::subsystem(lease, "sftp", limit)).await?;
        Session::begin(lease, (read, write), limit).await.map_err(|why| self.no_files(why))
    }

    fn no_files(&self, reason: String) -> HostError {
        HostError::NoFiles { host: self.definition.slug().to_string(), reason }
    }

    /// Starts something on a channel of a connection that has room for one.
    async fn on_a_channel<T, F: Future<Output = Result<T, NotStarted>> + Send>(
        &self,
        reach: &Reach,
        start: impl Fn(Lease) -> F + Send,
    ) -> Result<T, HostError> {
        let target = self.target().await?;
        let slug = self.definition.slug();
        let journey = Journey::to(slug, target);
        let (mut redialled, mut full) = (false, Vec::new());
        loop {
            let leasing = self.pool.shared.lease(target, &journey, reach, &full);
            let leasing = leasing.map_err(|failure| failure.on(slug, target));
            let lease = self.unless_interrupted(reach, leasing).await?;
            match start(lease).await {
                Ok(started) => return Ok(started),
                Err(NotStarted::Full { none_at_all: true, .. }) => {
                    return Err(self.refused("the server allows no commands on a connection (MaxSessions)".into()));
                }
                Err(NotStarted::Full { connection, .. }) => full.push(connection),
                // The command was not sent, so trying again cannot run it twice.
                Err(NotStarted::Lost(_)) if !redialled => redialled = true,
                Err(NotStarted::Lost(why)) => {
                    return Err(Failure::new(format!("channel: {why}, before the command was sent")).on(slug, target));
                }
                Err(NotStarted::Refused(why)) => return Err(self.refused(why)),
                Err(NotStarted::CalledOff) => return Err(self.interrupted()),
            }
        }
    }

    /// On the helper shell of this operator. `None`: not there, nothing ran.
    async fn by_helper(
        &self,
        spawn: &Spawn,
        target: &Arc<Target>,
        journey: &Journey,
        spare: &Spare,
        reach: &Reach,
    ) -> Option<Process> {
        if !spawn.unattended || self.definition.settings().helper_shell != Some(true) {
            return None;
        }
        let line = spawn.line.as_deref()?;
        let (shared, slug) = (&self.pool.shared, self.definition.slug());
        match shared.helpers.way(&target.key, &reach.asker, line) {
            Way::Alone => None,
            Way::Use(order) => helper::give(order, line, target.timeout, &reach.cancel).await,
            Way::Start(turn) => {
                // Why there is no connection is told by the run on its own.
                let leasing = shared.lease(target, journey, reach, &[]).map_err(|failure| failure.on(slug, target));
                let lease = self.unless_interrupted(reach, leasing).await.ok()?;
                helper::start(lease, spare.clone(), turn, line, target.timeout, &reach.cancel).await
            }
        }
    }

    /// Something that can be given up at any moment, because it leaves nothing behind on the host.
    async fn unless_interrupted<T>(
        &self,
        reach: &Reach,
        work: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        tokio::select! {
            result = work => result,
            () = reach.cancel.cancelled() => Err(self.interrupted()),
        }
    }

    fn interrupted(&self) -> HostError {
        HostError::Interrupted { host: self.definition.slug().to_string() }
    }

    fn refused(&self, reason: String) -> HostError {
        HostError::Refused { host: self.definition.slug().to_string(), reason }
    }

    async fn read_start_path(&self, reach: &Reach) -> Result<String, HostError> {
        let spawn = Spawn::line("pwd", SpawnMode::Piped);
        let mut process = self.spawn(spawn, reach).await?;
        let mut output = Vec::new();
        while let Some(event) = process.events.recv().await {
            match event {
                ProcessEvent::Stdout(bytes) if output.len() <= MAX_PATH => output.extend_from_slice(&bytes),
                ProcessEvent::Stdout(_) | ProcessEvent::Stderr(_) => {}
                ProcessEvent::Exit(ExitStatus::Code(0)) => {
                    return path(&output).ok_or_else(|| {
                        self.refused(
                            "asked for its directory, it prints something else; does its login shell greet?".into(),
                        )
                    });
                }
                ProcessEvent::Exit(status) => return Err(self.refused(format!("asked for its directory: {status}"))),
            }
        }
        Err(self.refused("asked for its directory: no answer".into()))
    }
}

fn path(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let path = text.trim_end_matches('\n');
    (path.starts_with('/') && path.len() <= MAX_PATH && !path.contains('\n')).then(|| path.to_string())
}

#[async_trait]
impl Host for SshHost {
    fn definition(&self) -> &HostDef {
        &self.definition
    }

    async fn start_path(&self, reach: &Reach) -> Result<String, HostError> {
        let path = self.start_path.get_or_try_init(|| self.read_start_path(reach));
        self.unless_interrupted(reach, path).await.cloned()
    }

    async fn spawn(&self, spawn: Spawn, reach: &Reach) -> Result<Process, HostError> {
        // Not to be given up at any moment: a command that was sent has to be ended by whoever wanted it.
        self.start(spawn, reach).await
    }

    async fn files(&self, reach: &Reach) -> Result<Arc<dyn FileSystem>, HostError> {
        self.unless_interrupted(reach, self.open_files(reach)).await
    }
}
