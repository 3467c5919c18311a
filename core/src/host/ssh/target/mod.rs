//! One host as it is really dialled: the definition, the SSH configuration and the defaults put together.

mod identity;
mod trust;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::algorithms::{Algorithms, Wishes};
use super::config::{Files, Request, Resolver, Settings, Tokens, home_path};
use super::failure::Failure;
use super::hops::{Route, Via};
use crate::node::HostSettings;

pub(super) use identity::Identity;
pub(super) use trust::{HostKeys, Trust};

/// Limit for each step of connecting when nobody says otherwise (row F-61).
const TIMEOUT: Duration = Duration::from_secs(10);
/// Keepalive messages: every 30 s (row F-61); three unanswered ones end the connection, so a dead peer is noticed within
/// two minutes.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_MAX: usize = 3;
/// How long a connection is kept that nobody uses.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// Where and how to connect. Two hosts with equal [`Key`]s share connections.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The name it was asked for by.
    pub(super) name: String,
    /// Name or address that is dialled.
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// Limit for each step of connecting.
    pub(super) timeout: Duration,
    /// Time between keepalive messages; `None`: none are sent.
    pub(super) keepalive: Option<Duration>,
    /// Unanswered keepalive messages that end the connection.
    pub(super) keepalive_max: usize,
    /// How long the connection is kept when nobody uses it.
    pub(super) idle_timeout: Duration,
    pub(super) identity: Identity,
    pub(super) trust: Trust,
    /// What is offered to the server.
    pub(super) algorithms: Algorithms,
    /// The way to it.
    pub(super) route: Route,
    /// What hosts must have in common to share this host's connections.
    pub(super) key: Key,
}

/// As it is called in messages about the way to another host.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Target { name, user, address, port, .. } = self;
        match name == address {
            true => write!(f, "{user}@{address}:{port}"),
            false => write!(f, "{name} ({user}@{address}:{port})"),
        }
    }
}

/// What hosts must have in common to share a connection. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Arc<Parts>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Parts {
    address: String,
    port: u16,
    user: String,
    identity: Identity,
    trust: Trust,
    wishes: Wishes,
    via: Via,
}

impl Target {
    /// Puts together what is said about a host, the SSH configuration and the defaults. How it is reached is not known
    /// yet.
    ///
    /// # Errors
    /// A configuration that cannot be used.
    pub(super) async fn named(
        name: &str,
        said: &HostSettings,
        resolver: &Resolver,
    ) -> Result<(Target, Settings), Failure> {
        let account = resolver.account();
        let configured = configuration(name, said, &account, resolver).await?;
        let target = Target::merge(name, said, &configured, resolver.agent(), &account)?;
        Ok((target, configured))
    }

    /// Goes this way.
    pub(super) fn by(mut self, route: Route) -> Target {
        let parts = Parts { via: route.via(), ..(*self.key.0).clone() };
        self.key = Key(Arc::new(parts));
        self.route = route;
        self
    }

    fn merge(
        name: &str,
        said: &HostSettings,
        configured: &Settings,
        agent: Option<&Path>,
        account: &Account,
    ) -> Result<Target, Failure> {
        let tokens = Tokens { host: name, ..Tokens::default() };
        let address = match &configured.hostname {
            Some(pattern) => tokens.expand(pattern).map_err(|why| Failure::new(format!("HostName: {why}")))?,
            None => name.to_string(),
        };
        // As ssh does, so that one machine is one machine however its name is written.
        let address = address.to_ascii_lowercase();
        let port = said.port.or(configured.port).unwrap_or(22);
        let user = said.username.clone().or_else(|| configured.user.clone()).or_else(|| account.name.clone());
        let user = user.ok_or_else(|| {
            Failure::new(format!("no login name: user id {} has no name", account.uid)).hint("set username of the host")
        })?;
        let tokens = Tokens {
            host: &address,
            original: name,
            port,
            user: &user,
            local_user: account.name.as_deref().unwrap_or_default(),
            home: account.home.as_deref(),
            uid: account.uid,
        };
        let keepalive = said.keepalive.or(configured.alive_interval).unwrap_or(KEEPALIVE);
        let identity = Identity::of(said, configured, agent, &tokens)?;
        let wishes = configured.algorithms.clone();
        let algorithms = wishes.resolve()?;
        let trust =
            Trust { authorities: algorithms.authorities().to_vec(), ..Trust::of(said, configured, &tokens, &address)? };
        let parts = Parts { address, port, user, identity, trust, wishes, via: Via::Direct };
        Ok(Target {
            name: name.to_string(),
            route: Route::Direct,
            timeout: said.timeout.or(configured.connect_timeout).filter(|t| !t.is_zero()).unwrap_or(TIMEOUT),
            keepalive: (!keepalive.is_zero()).then_some(keepalive),
            keepalive_max: configured.alive_count.unwrap_or(KEEPALIVE_MAX),
            idle_timeout: said.idle_timeout.unwrap_or(IDLE_TIMEOUT),
            address: parts.address.clone(),
            port,
            user: parts.user.clone(),
            identity: parts.identity.clone(),
            trust: parts.trust.clone(),
            algorithms,
            key: Key(Arc::new(parts)),
        })
    }
}

async fn configuration(
    name: &str,
    said: &HostSettings,
    account: &Account,
    resolver: &Resolver,
) -> Result<Settings, Failure> {
    let home = account.home.as_deref();
    let files = match &said.config_filename {
        Some(file) => Files::Only(home_path(file, home).map_err(Failure::new)?),
        None => Files::Default {
            user: home.map(|home| home.join(".ssh/config")),
            system: PathBuf::from("/etc/ssh/ssh_config"),
        },
    };
    let request = Request { files, host: name.to_string(), user: said.username.clone(), port: said.port };
    resolver.settings(request, account).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::config::StrictHostKeys;
    use super::*;
    use crate::node::{HostKeyPolicy, Secret};

    fn account() -> Account {
        Account { name: Some("anna".into()), home: Some("/home/anna".into()), uid: 1000 }
    }

    fn merge(said: HostSettings, configured: Settings) -> Result<Target, Failure> {
        Target::merge("web1", &said, &configured, None, &account())
    }

    // rows: F-61 F-64 F-69 W-40
    #[test]
    fn the_deployment_wins_over_the_file_and_the_file_over_the_defaults() {
        let nothing = merge(HostSettings::default(), Settings::default()).unwrap();
        assert_eq!((nothing.address.as_str(), nothing.port, nothing.user.as_str()), ("web1", 22, "anna"));
        let seconds = Duration::from_secs;
        assert_eq!((nothing.timeout, nothing.keepalive), (seconds(10), Some(seconds(30))));
        let file = Settings {
            hostname: Some("%h.lan".into()),
            user: Some("deploy".into()),
            port: Some(2222),
            connect_timeout: Some(Duration::from_secs(3)),
            alive_interval: Some(Duration::ZERO),
            ..Settings::default()
        };
        let from_file = merge(HostSettings::default(), file.clone()).unwrap();
        assert_eq!((from_file.address.as_str(), from_file.port, from_file.user.as_str()), ("web1.lan", 2222, "deploy"));
        assert_eq!((from_file.timeout, from_file.keepalive), (Duration::from_secs(3), None));
        let said = HostSettings {
            username: Some("root".into()),
            port: Some(22),
            timeout: Some(Duration::from_secs(1)),
            keepalive: Some(Duration::from_secs(5)),
            ..HostSettings::default()
        };
        let from_both = merge(said, file).unwrap();
        assert_eq!((from_both.port, from_both.user.as_str()), (22, "root"));
        assert_eq!((from_both.timeout.as_secs(), from_both.keepalive), (1, Some(Duration::from_secs(5))));
    }

    // rows: F-62
    #[test]
    fn default_keys_are_for_those_who_name_none() {
        let default = merge(HostSettings::default(), Settings::default()).unwrap().identity;
        assert_eq!(default.default_files[0], Path::new("/home/anna/.ssh/id_ed25519"));
        let named = HostSettings { key_filename: Some("~/key".into()), ..HostSettings::default() };
        let named = merge(named, Settings::default()).unwrap().identity;
        assert_eq!((named.key_file.unwrap(), named.default_files.len()), (PathBuf::from("/home/anna/key"), 0));
        let configured = Settings { identity_files: vec!["%d/%r".into()], ..Settings::default() };
        let configured = merge(HostSettings::default(), configured).unwrap().identity;
        assert_eq!((configured.configured_files, configured.default_files), (vec!["/home/anna/anna".into()], vec![]));
    }

    #[test]
    fn hosts_with_other_secrets_or_other_trust_do_not_share_connections() {
        let key = |said: HostSettings| merge(said, Settings::default()).unwrap().key;
        let plain = key(HostSettings::default());
        assert_eq!(plain, key(HostSettings { timeout: Some(TIMEOUT), ..HostSettings::default() }));
        for other in [
            HostSettings { password: Some(Secret::new("x")), ..HostSettings::default() },
            HostSettings { key: Some(Secret::new("x")), ..HostSettings::default() },
            HostSettings { host_keys: Some(HostKeyPolicy::Strict), ..HostSettings::default() },
            HostSettings { known_hosts: Some(vec!["/x".into()]), ..HostSettings::default() },
            HostSettings { username: Some("root".into()), ..HostSettings::default() },
            HostSettings { port: Some(23), ..HostSettings::default() },
        ] {
            assert_ne!(plain, key(other));
        }
    }

    #[test]
    fn trust_follows_the_deployment_then_the_file() {
        let file = |strict, said| {
            let configured = Settings { strict_host_keys: strict, ..Settings::default() };
            merge(HostSettings { host_keys: said, ..HostSettings::default() }, configured).unwrap().trust.policy
        };
        assert_eq!(file(None, None), HostKeys::Ask);
        assert_eq!(file(Some(StrictHostKeys::No), None), HostKeys::AcceptNew);
        assert_eq!(file(Some(StrictHostKeys::Yes), None), HostKeys::Strict);
        assert_eq!(file(Some(StrictHostKeys::No), Some(HostKeyPolicy::Strict)), HostKeys::Strict);
        let alias = Settings { host_key_alias: Some("cluster".into()), port: Some(2222), ..Settings::default() };
        let trust = merge(HostSettings::default(), alias).unwrap().trust;
        assert_eq!((trust.name.as_str(), trust.port), ("cluster", 22));
    }
}
