//! Hosts and roles, as a program writes them down.

use std::sync::Arc;
use std::time::Duration;

use crate::host::command::{CommandHost, CommandHosts};
use crate::host::local::LocalHost;
use crate::host::ssh::SshHost;
use crate::host::{HostContainer, HostsContainer};
use crate::node::{
    HostDef, HostKeyPolicy, HostKind, HostSettings, HostSource, JumpHost, MapFrom, Position, ProxySetting, RoleMapping,
    Roles, Secret,
};
use crate::value::Value;

/// Collects what is said about a host (row F-61); [`HostBuilder::build`] makes the definition.
#[derive(Clone, Debug)]
pub struct HostBuilder {
    kind: HostKind,
    settings: HostSettings,
}

impl SshHost {
    /// Writes down a host reached over SSH: `SshHost::define("web1").address("10.0.0.11").build()`. What is not said
    /// comes from the SSH configuration.
    #[track_caller]
    pub fn define(slug: &str) -> HostBuilder {
        HostBuilder::new(HostKind::Ssh, HostSettings::default(), slug)
    }
}

impl LocalHost {
    /// Writes down the machine that the program runs on (row F-58), under another slug than `localhost`.
    #[track_caller]
    pub fn define(slug: &str) -> HostBuilder {
        HostBuilder::new(HostKind::Local, HostSettings::default(), slug)
    }
}

impl CommandHost {
    /// Writes down a host behind a command (row F-02): `CommandHost::define("box", ["docker", "exec", "-i", "box"])`.
    #[track_caller]
    pub fn define<'a>(slug: &str, wrapper: impl IntoIterator<Item = &'a str>) -> HostBuilder {
        let words = Value::List(wrapper.into_iter().map(Value::text).collect());
        HostBuilder::new(HostKind::Custom(Arc::new(CommandHosts)), HostSettings::default(), slug)
            .extra("wrapper", words)
    }
}

impl HostDef {
    /// The machine that the program runs on, as `localhost`.
    #[track_caller]
    pub fn localhost() -> HostDef {
        LocalHost::define("localhost").build()
    }

    /// Begins another host with the same settings but the slug.
    #[track_caller]
    pub fn inherit(&self, slug: &str) -> HostBuilder {
        HostBuilder::new(self.kind().clone(), self.settings().clone(), slug)
    }
}

impl HostBuilder {
    #[track_caller]
    fn new(kind: HostKind, settings: HostSettings, slug: &str) -> HostBuilder {
        let position = Some(Position::caller());
        HostBuilder { kind, settings: HostSettings { slug: slug.to_string(), position, ..settings } }
    }

    /// The definition. Each call makes another host: what counts is identity, not settings.
    pub fn build(self) -> HostDef {
        HostDef::new(self.kind, self.settings)
    }

    fn set(mut self, change: impl FnOnce(&mut HostSettings)) -> HostBuilder {
        change(&mut self.settings);
        self
    }

    /// Name or address to connect to; the slug when not said.
    pub fn address(self, address: &str) -> HostBuilder {
        self.set(|settings| settings.address = Some(address.to_string()))
    }

    /// TCP port.
    pub fn port(self, port: u16) -> HostBuilder {
        self.set(|settings| settings.port = Some(port))
    }

    /// Login name.
    pub fn username(self, name: &str) -> HostBuilder {
        self.set(|settings| settings.username = Some(name.to_string()))
    }

    /// Password for login and sudo.
    pub fn password(self, password: impl Into<String>) -> HostBuilder {
        self.set(|settings| settings.password = Some(Secret::new(password)))
    }

    /// Path of a private key, `~` allowed.
    pub fn key_filename(self, path: &str) -> HostBuilder {
        self.set(|settings| settings.key_filename = Some(path.to_string()))
    }

    /// Text of a private key.
    pub fn key(self, key: impl Into<String>) -> HostBuilder {
        self.set(|settings| settings.key = Some(Secret::new(key)))
    }

    /// Passphrase of the key.
    pub fn key_password(self, password: impl Into<String>) -> HostBuilder {
        self.set(|settings| settings.key_password = Some(Secret::new(password)))
    }

    /// Limit for connecting; 10 s when not said.
    pub fn timeout(self, timeout: Duration) -> HostBuilder {
        self.set(|settings| settings.timeout = Some(timeout))
    }

    /// How long a connection is kept that nobody uses; 10 minutes when not said.
    pub fn idle_timeout(self, limit: Duration) -> HostBuilder {
        self.set(|settings| settings.idle_timeout = Some(limit))
    }

    /// Interval of keepalive messages; 30 s when not said.
    pub fn keepalive(self, interval: Duration) -> HostBuilder {
        self.set(|settings| settings.keepalive = Some(interval))
    }

    /// SSH configuration file; `~/.ssh/config` when not said.
    pub fn config_filename(self, path: &str) -> HostBuilder {
        self.set(|settings| settings.config_filename = Some(path.to_string()))
    }

    /// What happens when the server shows a key that is not known yet.
    pub fn host_keys(self, policy: HostKeyPolicy) -> HostBuilder {
        self.set(|settings| settings.host_keys = Some(policy))
    }

    /// Straight to the host, whatever the SSH configuration says.
    pub fn no_proxy(self) -> HostBuilder {
        self.set(|settings| settings.proxy = Some(ProxySetting::Direct))
    }

    /// Through these hosts, nearest first: a [`HostDef`], or a text such as `"anna@bastion:2222"` of which the SSH
    /// configuration tells the rest.
    pub fn proxy_jump<H: Into<JumpHost>>(self, hops: impl IntoIterator<Item = H>) -> HostBuilder {
        let hops: Vec<JumpHost> = hops.into_iter().map(Into::into).collect();
        self.set(|settings| settings.proxy = Some(ProxySetting::Jump(hops)))
    }

    /// Through a program that talks to the server on its standard input and output; `%h`, `%p`, `%r`, `%n` and `%%` are
    /// replaced.
    pub fn proxy_command(self, line: &str) -> HostBuilder {
        self.set(|settings| settings.proxy = Some(ProxySetting::Command(line.to_string())))
    }

    /// Whether commands without terminal, keys and sudo share a shell kept open on the host: faster, with the
    /// differences that docs/decisions/0016-helper-shell.md lists. No when not said.
    pub fn helper_shell(self, wanted: bool) -> HostBuilder {
        self.set(|settings| settings.helper_shell = Some(wanted))
    }

    /// A setting that only this kind of host knows.
    pub fn extra(self, name: &str, value: Value) -> HostBuilder {
        self.set(|settings| settings.extra.push((name.to_string(), value)))
    }

    /// Known-hosts files to use instead of the usual ones.
    pub fn known_hosts<'a>(self, files: impl IntoIterator<Item = &'a str>) -> HostBuilder {
        self.set(|settings| settings.known_hosts = Some(files.into_iter().map(str::to_string).collect()))
    }
}

impl From<&str> for JumpHost {
    fn from(hop: &str) -> JumpHost {
        JumpHost::Named(hop.to_string())
    }
}

impl From<&HostDef> for JumpHost {
    fn from(hop: &HostDef) -> JumpHost {
        JumpHost::Host(hop.clone())
    }
}

impl From<HostDef> for JumpHost {
    fn from(hop: HostDef) -> JumpHost {
        JumpHost::Host(hop)
    }
}

/// What can stand for the hosts of a role (row A-05).
pub trait IntoHosts {
    /// The hosts, in order.
    fn hosts(&self) -> Vec<HostDef>;
}

impl IntoHosts for HostDef {
    fn hosts(&self) -> Vec<HostDef> {
        vec![self.clone()]
    }
}

impl IntoHosts for [HostDef] {
    fn hosts(&self) -> Vec<HostDef> {
        self.to_vec()
    }
}

impl<const N: usize> IntoHosts for [HostDef; N] {
    fn hosts(&self) -> Vec<HostDef> {
        self.to_vec()
    }
}

impl IntoHosts for Vec<HostDef> {
    fn hosts(&self) -> Vec<HostDef> {
        self.clone()
    }
}

/// The distinct hosts of a container.
impl IntoHosts for HostsContainer {
    fn hosts(&self) -> Vec<HostDef> {
        self.definitions()
    }
}

impl IntoHosts for HostContainer {
    fn hosts(&self) -> Vec<HostDef> {
        vec![self.definition().clone()]
    }
}

impl<T: IntoHosts + ?Sized> IntoHosts for &T {
    fn hosts(&self) -> Vec<HostDef> {
        (**self).hosts()
    }
}

/// The hosts of a role; for [`crate::roles!`].
pub fn hosts_of(hosts: &impl IntoHosts) -> Vec<HostDef> {
    hosts.hosts()
}

/// One host; for [`crate::roles!`].
pub fn host_of(host: &HostDef) -> HostDef {
    host.clone()
}

/// All hosts of all the parent's roles, in a role mapping (row D-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllHosts;

/// What a mapped role can be made of: the name of a role, several, or [`AllHosts`].
pub trait MapSource {
    /// As data.
    fn map_from(self) -> MapFrom;
}

impl MapSource for &str {
    fn map_from(self) -> MapFrom {
        MapFrom::Roles(vec![self.to_string()])
    }
}

impl<const N: usize> MapSource for [&str; N] {
    fn map_from(self) -> MapFrom {
        MapFrom::Roles(self.map(str::to_string).to_vec())
    }
}

impl MapSource for AllHosts {
    fn map_from(self) -> MapFrom {
        MapFrom::All
    }
}

/// For the role `host` (row D-02).
impl<T: MapSource> From<T> for RoleMapping {
    fn from(from: T) -> RoleMapping {
        RoleMapping(vec![(Roles::HOST.to_string(), from.map_from())])
    }
}

impl From<Roles> for HostSource {
    fn from(roles: Roles) -> HostSource {
        HostSource::Own(roles)
    }
}

impl From<RoleMapping> for HostSource {
    fn from(mapping: RoleMapping) -> HostSource {
        HostSource::Mapped(mapping)
    }
}
