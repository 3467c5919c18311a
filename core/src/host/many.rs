//! One command on several hosts at once, each in an auxiliary terminal (rows F-75, F-76 with design 8).

use std::io;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::container::Member;
use super::{HostContext, HostOutcome, RunError, RunIo, RunOptions, RunOutput, run};
use crate::logger::Event;
use crate::terminal::{Announced, Terminal};

/// A host and its context as it was when the run began: what changes later does not reach a command that runs.
struct Place {
    member: Arc<Member>,
    context: HostContext,
}

impl Place {
    fn slug(&self) -> &str {
        self.member.host.definition().slug()
    }

    async fn run(&self, command: &str, options: &RunOptions, io: &RunIo) -> Result<Arc<RunOutput>, RunError> {
        run(&*self.member.host, &self.context, command, options, io).await.map(Arc::new)
    }
}

/// Runs on these hosts; the results are in their order. One host runs in the terminal of the caller. Several run at
/// once where there are auxiliary terminals, one after the other where there are none.
///
/// # Errors
/// For one host, and one after the other: the first failure. At once: all outcomes as one error, after all have ended.
pub(crate) async fn run_on(
    members: Vec<Arc<Member>>,
    command: &str,
    options: &RunOptions,
    io: &RunIo,
) -> Result<Vec<Arc<RunOutput>>, RunError> {
    let places: Vec<Place> = members.into_iter().map(|member| Place { context: member.context(), member }).collect();
    match places.as_slice() {
        [] | [_] => in_turn(&places, command, options, io).await,
        // A silent run shows nothing and needs no terminals of its own.
        _ if options.silent => {
            outputs(&places, join_all(places.iter().map(|place| place.run(command, options, io))).await)
        }
        _ => at_once(&places, command, options, io).await,
    }
}

async fn in_turn(
    places: &[Place],
    command: &str,
    options: &RunOptions,
    io: &RunIo,
) -> Result<Vec<Arc<RunOutput>>, RunError> {
    let mut outputs = Vec::new();
    for place in places {
        outputs.push(place.run(command, options, io).await?);
    }
    Ok(outputs)
}

/// Each in a terminal of its own; one after the other where there are none.
async fn at_once(
    places: &[Place],
    command: &str,
    options: &RunOptions,
    io: &RunIo,
) -> Result<Vec<Arc<RunOutput>>, RunError> {
    let labels: Vec<String> = places.iter().map(|place| place.slug().to_string()).collect();
    let announced = Announced::begin(&io.terminal, command.to_string(), labels, io.cancel.clone()).await;
    let terminals = match terminals(places, &announced).await {
        Ok(Some(terminals)) => terminals,
        other => {
            announced.finish().await;
            return match other {
                Err(error) => Err(error),
                Ok(_) => in_turn(places, command, options, io).await,
            };
        }
    };
    io.logger.emit(Event::Message(format!("on {} hosts at once: {command}", places.len()))).await;
    let runs = places.iter().zip(terminals).enumerate().map(|(index, (place, terminal))| {
        let announced = &announced;
        async move {
            let started = Instant::now();
            let io = io.on(terminal, place.slug());
            let result = place.run(command, options, &io).await;
            if let Err(error) = io.terminal.finish().await {
                tracing::warn!(%error, host = place.slug(), "the last of its output could not be shown");
            }
            announced.ended(index, word(&result), started.elapsed());
            result
        }
    });
    let results = join_all(runs).await;
    announced.finish().await;
    outputs(places, results)
}

fn word<T>(result: &Result<T, RunError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(RunError::Interrupted { .. }) => "interrupted",
        Err(_) => "failed",
    }
}

/// A terminal for each; `None` where there are none.
async fn terminals(places: &[Place], announced: &Announced) -> Result<Option<Vec<Arc<dyn Terminal>>>, RunError> {
    let mut terminals = Vec::new();
    for (index, place) in places.iter().enumerate() {
        match announced.open(index).await {
            Ok(terminal) => terminals.push(terminal),
            Err(error) if error.kind() == io::ErrorKind::Unsupported && index == 0 => return Ok(None),
            Err(error) => {
                let message = format!("not run on any host, no terminal could be opened: {error}");
                return Err(RunError::Usage { host: place.slug().to_string(), message });
            }
        }
    }
    Ok(Some(terminals))
}

/// All outputs, or one error with what became of each.
fn outputs(places: &[Place], results: Vec<Result<Arc<RunOutput>, RunError>>) -> Result<Vec<Arc<RunOutput>>, RunError> {
    if results.iter().all(Result::is_ok) {
        return Ok(results.into_iter().flatten().collect());
    }
    let outcome = |(place, result): (&Place, _)| HostOutcome { host: place.slug().to_string(), result };
    Err(RunError::Several(places.iter().zip(results).map(outcome).collect()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::host::conformance::{Stage, hidden, within};
    use crate::host::{ExitStatus, Host, HostsContainer};
    use crate::node::{HostDef, HostKind, HostSettings, Roles};
    use crate::terminal::scripted::ScriptedTerminal;

    fn def(slug: &str) -> HostDef {
        HostDef::new(HostKind::Local, HostSettings { slug: slug.to_string(), ..HostSettings::default() })
    }

    /// web: one, two; db: two, three.
    fn hosts() -> (HostsContainer, Arc<ScriptedTerminal>) {
        let (one, two, three) = (def("one"), def("two"), def("three"));
        let local: Arc<dyn Host> = Arc::new(crate::host::local::LocalHost::new(one.clone()));
        let roles = [("web", vec![one, two.clone()]), ("db", vec![two, three])];
        let roles = Roles(roles.into_iter().map(|(role, hosts)| (role.to_string(), hosts)).collect());
        let stage = Stage::tty(&local);
        (HostsContainer::new(&roles, stage.host.io().clone()), stage.terminal)
    }

    async fn texts(hosts: &HostsContainer, command: &str) -> Vec<String> {
        let outputs = within(command, hosts.run_with(command, &hidden())).await.unwrap();
        outputs.iter().map(|output| output.text()).collect()
    }

    // rows: F-70 F-71 F-72 F-74 F-77 F-84 F-85 W-23
    #[tokio::test]
    async fn a_host_in_two_roles_is_one_host_with_one_context() {
        let (hosts, _) = hosts();
        assert_eq!((hosts.len(), hosts.each().len(), hosts.definitions().len()), (4, 4, 3));
        assert_eq!(hosts.to_string(), "web: one, two\ndb: two, three");
        let db = hosts.filter(["db", "none"]);
        assert_eq!((db.roles(), db.len()), (vec!["db", "none"], 2));
        let outer = hosts.env("A", "1", true);
        let inner = db.env("A", "2", true);
        assert_eq!(texts(&hosts, "echo $A").await, ["1", "2", "2"]);
        outer.undo();
        assert_eq!(texts(&hosts, "echo $A").await, ["", "2", "2"]);
        inner.undo();
        assert_eq!(texts(&hosts, "echo $A").await, ["", "", ""]);
    }

    // rows: F-75 F-76 W-11 W-12
    #[tokio::test]
    async fn all_hosts_finish_and_one_error_carries_every_outcome() {
        let (hosts, terminal) = hosts();
        let meeting = tempfile::tempdir().unwrap();
        let _cd = hosts.cd(&meeting.path().to_string_lossy(), false, false);
        // Nobody goes on before everybody is there: only runs at the same time can end.
        let names: Vec<_> = hosts.each().iter().map(|host| host.env("ME", host.slug(), true)).collect();
        let meet = "touch $ME; until test -e one && test -e two && test -e three; do sleep 0.05; done; echo $ME";
        assert_eq!(texts(&hosts, meet).await, ["one", "two", "three"]);
        let result = within("all", hosts.run_with("echo hello; test $ME != two", &RunOptions::default())).await;
        let Err(error @ RunError::Several(_)) = result else { panic!("{result:?}") };
        assert_eq!(error.to_string(), "failed on 1 of 3 hosts\n  two: status 1: echo hello; test $ME != two");
        let RunError::Several(outcomes) = error else { unreachable!() };
        let labels: Vec<&str> = outcomes.iter().map(|outcome| outcome.host.as_str()).collect();
        assert_eq!(labels, ["one", "two", "three"]);
        assert!(matches!(&outcomes[1].result, Err(RunError::Failed(f)) if f.status == ExitStatus::Code(1)));
        assert!(outcomes[0].result.is_ok() && outcomes[2].result.is_ok());
        assert!(terminal.output().contains("[three] hello"), "{}", terminal.output());
        drop(names);
    }

    #[tokio::test]
    async fn one_host_runs_in_the_terminal_of_the_caller() {
        let (hosts, terminal) = hosts();
        let web = hosts.filter(["web"]);
        let one = HostsContainer { roles: [("web".to_string(), vec![web.roles["web"][0].clone()])].into(), ..web };
        within("one", one.run_with("echo hello", &RunOptions::default())).await.unwrap();
        assert_eq!(terminal.output(), "hello\r\n");
        assert!(matches!(one.run_with("exit 2", &RunOptions::default()).await, Err(RunError::Failed(_))));
    }
}
