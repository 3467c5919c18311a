//! Which way a host is reached, hop by hop, as OpenSSH decides it.

use futures_util::future::BoxFuture;

use super::hop::{Hop, MAX_HOPS, is_name};
use super::route::{ProxyCommand, Route};
use crate::host::ssh::config::{Proxy, Resolver, Tokens};
use crate::host::ssh::failure::Failure;
use crate::host::ssh::target::Target;
use crate::node::{HostDef, HostKind, HostSettings, JumpHost, ProxySetting};

/// Puts together how to reach a host: its settings and the way to it, with the settings of every hop.
///
/// # Errors
/// A configuration that cannot be used, and a way that leads in a circle.
pub(in crate::host::ssh) async fn find(definition: &HostDef, resolver: &Resolver) -> Result<Target, Failure> {
    let step = Step { name: definition.address(), said: definition.settings(), before: None };
    build(step, Vec::new(), resolver).await
}

/// One host on the way.
struct Step<'a> {
    name: &'a str,
    said: &'a HostSettings,
    /// The hops before it, when the one behind it says so; its own settings do not count then.
    before: Option<&'a [JumpHost]>,
}

/// `trail`: what is behind it, the far end first.
fn build<'a>(step: Step<'a>, mut trail: Vec<String>, resolver: &'a Resolver) -> BoxFuture<'a, Result<Target, Failure>> {
    Box::pin(async move {
        let (target, configured) = Target::named(step.name, step.said, resolver).await?;
        let here = target.to_string();
        let circle = trail.contains(&here);
        trail.push(here);
        if circle || trail.len() > MAX_HOPS + 1 {
            let what = if circle { "the way leads in a circle" } else { "the way is too long" };
            return Err(Failure::new(format!("{what}: {}", trail.join(" <- ")))
                .hint(format!("give {} a Host block of its own with `ProxyJump none`", step.name)));
        }
        let named;
        let route = match (step.before, &step.said.proxy, &configured.proxy) {
            (Some(hops), ..) => through(hops, step.said, trail, resolver).await?,
            (None, Some(ProxySetting::Jump(hops)), _) => through(hops, step.said, trail, resolver).await?,
            (None, Some(ProxySetting::Direct), _) | (None, None, Some(Proxy::Direct) | None) => Route::Direct,
            (None, Some(ProxySetting::Command(written)), _) | (None, None, Some(Proxy::Command(written))) => {
                Route::Command(command(written, &target, resolver)?)
            }
            (None, None, Some(Proxy::Jump(written))) => {
                let jump =
                    expand(written, &target, resolver).map_err(|why| Failure::new(format!("ProxyJump: {why}")))?;
                named = Hop::parse_list(&jump).map_err(|why| Failure::new(format!("ProxyJump: {why}")))?;
                let hops: Vec<JumpHost> = named.iter().map(|hop| JumpHost::Named(hop.to_string())).collect();
                through(&hops, step.said, trail, resolver).await?
            }
        };
        Ok(target.by(route))
    })
}

/// Through these hops, the last of which leads to the target.
async fn through(
    hops: &[JumpHost],
    said: &HostSettings,
    trail: Vec<String>,
    resolver: &Resolver,
) -> Result<Route, Failure> {
    let Some((last, before)) = hops.split_last() else { return Ok(Route::Direct) };
    let before = (!before.is_empty()).then_some(before);
    let hop = match last {
        JumpHost::Host(definition) if matches!(definition.kind(), HostKind::Ssh) => {
            let step = Step { name: definition.address(), said: definition.settings(), before };
            build(step, trail, resolver).await?
        }
        JumpHost::Host(definition) => {
            return Err(Failure::new(format!("{definition} cannot be a hop, it is not reached over SSH")));
        }
        JumpHost::Named(text) => {
            let mut list = Hop::parse_list(text).map_err(|why| Failure::new(format!("proxy_jump: {why}")))?;
            let hop = list.pop().filter(|_| list.is_empty());
            let hop = hop.ok_or_else(|| Failure::new(format!("proxy_jump: {text:?} is more than one hop")))?;
            // As with ssh, a hop has the settings of the files and nothing of the host behind it.
            let said = HostSettings {
                slug: hop.host.clone(),
                username: hop.user,
                port: hop.port,
                config_filename: said.config_filename.clone(),
                ..HostSettings::default()
            };
            build(Step { name: &hop.host, said: &said, before }, trail, resolver).await?
        }
    };
    Ok(Route::Jump(hop.into()))
}

/// The command with its tokens replaced. It is run by a shell, so what goes into it must not be a piece of one.
fn command(written: &str, target: &Target, resolver: &Resolver) -> Result<ProxyCommand, Failure> {
    let user_is_odd = target.user.starts_with('-') || target.user.contains(|c: char| "'`\";&<>|(){}$\\\n".contains(c));
    for (what, text, odd) in [
        ("host name", &target.name, !is_name(&target.name)),
        ("host name", &target.address, !is_name(&target.address)),
        ("user name", &target.user, user_is_odd),
    ] {
        if odd {
            return Err(Failure::new(format!("proxy command: {text:?} cannot be used as a {what} in a command")));
        }
    }
    let line = expand(written, target, resolver).map_err(|why| Failure::new(format!("proxy command: {why}")))?;
    Ok(ProxyCommand { written: written.to_string(), line })
}

fn expand(text: &str, target: &Target, resolver: &Resolver) -> Result<String, String> {
    let account = resolver.account();
    let tokens = Tokens {
        host: &target.address,
        original: &target.name,
        port: target.port,
        user: &target.user,
        local_user: account.name.as_deref().unwrap_or_default(),
        home: account.home.as_deref(),
        uid: account.uid,
    };
    tokens.expand(text)
}
