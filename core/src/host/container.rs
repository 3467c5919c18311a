//! Hosts of a node as an action sees them: `self.hosts` (many) and `self.host` (one). Rows F-70..F-86.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use super::forbidden::ForbiddenHost;
use super::{ContextGuard, ExitStatus, Host, HostContext, RunError, RunIo, RunOptions, RunOutput, many, run};
use crate::env::Gate;
use crate::node::{HostDef, Node, Roles};

/// One host with its context; shared between a container and the containers filtered from it (row F-72).
pub(crate) struct Member {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) context: Mutex<HostContext>,
}

impl Member {
    /// A mutex around plain data: locked for a push, a removal or a copy, never across an await.
    fn lock(&self) -> MutexGuard<'_, HostContext> {
        self.context.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The context as it is now; what changes later does not reach a command that runs (row F-10).
    pub(crate) fn context(&self) -> HostContext {
        self.lock().clone()
    }
}

/// Changes the context of these members until the guard is dropped.
fn scoped(members: Vec<Arc<Member>>, change: impl Fn(&mut HostContext) -> u64) -> ContextGuard {
    let changed: Vec<(Arc<Member>, u64)> = members
        .into_iter()
        .map(|member| {
            let id = change(&mut member.lock());
            (member, id)
        })
        .collect();
    ContextGuard::new(move || changed.iter().for_each(|(member, id)| member.lock().remove(*id)))
}

/// Hosts by role (row F-70).
#[derive(Clone)]
pub struct HostsContainer {
    pub(crate) roles: IndexMap<String, Vec<Arc<Member>>>,
    pub(crate) io: RunIo,
}

/// Exactly one host (row F-80).
#[derive(Clone)]
pub struct HostContainer {
    pub(crate) member: Arc<Member>,
    pub(crate) io: RunIo,
}

impl HostsContainer {
    /// The hosts of a node, with fresh contexts (row E-04). A host that occurs in several roles has one context.
    pub fn new(roles: &Roles, io: RunIo) -> HostsContainer {
        let services = io.services.clone();
        HostsContainer::made(roles, io, |definition| services.host(definition))
    }

    /// The hosts of a node for somebody who may not use them.
    pub(crate) fn forbidden(node: &Node, io: RunIo, gate: &Arc<dyn Gate>, reason: &str) -> HostsContainer {
        HostsContainer::made(node.roles(), io, |definition| {
            let (definition, reason) = (definition.clone(), reason.to_string());
            Arc::new(ForbiddenHost { definition, node: node.clone(), gate: gate.clone(), reason })
        })
    }

    fn made(roles: &Roles, io: RunIo, make: impl Fn(&HostDef) -> Arc<dyn Host>) -> HostsContainer {
        let mut members: IndexMap<HostDef, Arc<Member>> = IndexMap::new();
        let mut by_role = IndexMap::new();
        for (role, definitions) in &roles.0 {
            let of_role = definitions.iter().map(|definition| {
                let made = || Arc::new(Member { host: make(definition), context: Mutex::default() });
                members.entry(definition.clone()).or_insert_with(made).clone()
            });
            by_role.insert(role.clone(), of_role.collect());
        }
        HostsContainer { roles: by_role, io }
    }

    /// Number of appearances: a host in two roles counts twice (row F-70).
    pub fn len(&self) -> usize {
        self.roles.values().map(Vec::len).sum()
    }

    /// Whether there is no host at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Role names in definition order (row A-14 with design 8).
    pub fn roles(&self) -> Vec<&str> {
        self.roles.keys().map(String::as_str).collect()
    }

    /// Distinct host definitions, in order (row F-71).
    pub fn definitions(&self) -> Vec<HostDef> {
        self.distinct().iter().map(|member| member.host.definition().clone()).collect()
    }

    /// Each host once, in order, however many roles it has.
    pub(crate) fn distinct(&self) -> Vec<Arc<Member>> {
        let mut distinct: Vec<Arc<Member>> = Vec::new();
        for member in self.roles.values().flatten() {
            if !distinct.iter().any(|known| Arc::ptr_eq(known, member)) {
                distinct.push(member.clone());
            }
        }
        distinct
    }

    /// The named roles only, sharing the hosts and their contexts (row F-72). A role that is not there is an empty
    /// role.
    pub fn filter<'a>(&self, roles: impl AsRef<[&'a str]>) -> HostsContainer {
        let chosen =
            roles.as_ref().iter().map(|role| (role.to_string(), self.roles.get(*role).cloned().unwrap_or_default()));
        HostsContainer { roles: chosen.collect(), io: self.io.clone() }
    }

    /// One container per appearance (row F-74).
    pub fn each(&self) -> Vec<HostContainer> {
        let members = self.roles.values().flatten();
        members.map(|member| HostContainer { member: member.clone(), io: self.io.clone() }).collect()
    }

    /// Runs on every distinct host (W-23: a host in two roles runs once), with the contexts as they are now; results
    /// are in order (rows F-75, F-76 with design 8). Several hosts run at once, each in an auxiliary terminal, where
    /// the terminal has them; a single one runs in the terminal itself.
    ///
    /// # Errors
    /// [`RunError::Several`] with all outcomes, after all have ended; where hosts run one after the other, the first
    /// failure, and later hosts are not run.
    pub async fn run_with(&self, command: &str, options: &RunOptions) -> Result<Vec<Arc<RunOutput>>, RunError> {
        many::run_on(self.distinct(), command, options, &self.io).await
    }

    /// `cd` on every host (row F-77).
    pub fn cd(&self, path: &str, expand: bool, glob: bool) -> ContextGuard {
        scoped(self.distinct(), |context| context.push_directory(path, expand, glob))
    }

    /// `env` on every host (row F-77).
    pub fn env(&self, name: &str, value: &str, escape: bool) -> ContextGuard {
        scoped(self.distinct(), |context| context.push_variable(name, value, escape))
    }

    /// `prefix` on every host (row F-77).
    pub fn prefix(&self, command: &str) -> ContextGuard {
        scoped(self.distinct(), |context| context.push_prefix(command))
    }
}

impl HostContainer {
    /// A host used directly, without any node (row F-01); its context is its own.
    pub fn of(host: Arc<dyn Host>, io: RunIo) -> HostContainer {
        HostContainer { member: Arc::new(Member { host, context: Mutex::default() }), io }
    }

    /// The same host with a context of its own, which begins as this one is now (row F-03); with `io` its runs are
    /// surrounded by something else, another terminal for example.
    pub fn copy(&self, io: Option<RunIo>) -> HostContainer {
        let member = Member { host: self.member.host.clone(), context: Mutex::new(self.member.context()) };
        HostContainer { member: Arc::new(member), io: io.unwrap_or_else(|| self.io.clone()) }
    }

    /// What surrounds its runs.
    pub fn io(&self) -> &RunIo {
        &self.io
    }

    /// Slug of the host.
    pub fn slug(&self) -> &str {
        self.member.host.definition().slug()
    }

    /// The definition of the host.
    pub fn definition(&self) -> &HostDef {
        self.member.host.definition()
    }

    /// Runs a command (row F-13).
    ///
    /// # Errors
    /// As [`super::run::run`].
    pub async fn run_with(&self, command: &str, options: &RunOptions) -> Result<Arc<RunOutput>, RunError> {
        let context = self.member.context();
        run::run(&*self.member.host, &context, command, options, &self.io).await.map(Arc::new)
    }

    /// The login shell of the host in the terminal, until it ends; its status is no error (row F-37).
    ///
    /// # Errors
    /// As [`super::login_shell`].
    pub async fn start_interactive_shell(&self, initial_input: Option<&str>) -> Result<ExitStatus, RunError> {
        run::login_shell(&*self.member.host, initial_input, &self.io).await
    }

    /// `cd` (row F-05).
    pub fn cd(&self, path: &str, expand: bool, glob: bool) -> ContextGuard {
        scoped(vec![self.member.clone()], |context| context.push_directory(path, expand, glob))
    }

    /// `env` (row F-07).
    pub fn env(&self, name: &str, value: &str, escape: bool) -> ContextGuard {
        scoped(vec![self.member.clone()], |context| context.push_variable(name, value, escape))
    }

    /// `prefix` (row F-09).
    pub fn prefix(&self, command: &str) -> ContextGuard {
        scoped(vec![self.member.clone()], |context| context.push_prefix(command))
    }
}

/// The slug and the context: prefixes, path and names of variables (row F-04).
impl fmt::Display for HostContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.slug(), self.member.context())
    }
}

/// One line per role with the slugs (row F-85).
impl fmt::Display for HostsContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (role, members)) in self.roles.iter().enumerate() {
            let slugs: Vec<&str> = members.iter().map(|member| member.host.definition().slug()).collect();
            write!(f, "{}{role}: {}", if i == 0 { "" } else { "\n" }, slugs.join(", "))?;
        }
        Ok(())
    }
}
