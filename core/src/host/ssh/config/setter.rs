//! Keeps the first value of every setting.

use std::time::Duration;

use super::values::{files, port, strict, time, yes};
use super::{Proxy, Settings};
use crate::host::ssh::hops::Hop;

/// What is looked at; a line of any other kind may say what it likes.
pub(super) const KEYWORDS: [&str; 22] = [
    "hostname",
    "hostkeyalias",
    "user",
    "port",
    "identityfile",
    "identitiesonly",
    "connecttimeout",
    "serveraliveinterval",
    "serveralivecountmax",
    "userknownhostsfile",
    "globalknownhostsfile",
    "stricthostkeychecking",
    "certificatefile",
    "ciphers",
    "kexalgorithms",
    "macs",
    "hostkeyalgorithms",
    "pubkeyacceptedalgorithms",
    // Its name until OpenSSH 8.5.
    "pubkeyacceptedkeytypes",
    "casignaturealgorithms",
    "canonicalizehostname",
    "revokedhostkeys",
];

/// The settings of one host in the making.
#[derive(Debug, Default)]
pub(super) struct Setter {
    pub(super) settings: Settings,
    /// Whether there was a `ProxyCommand` that counts; one that is `none` counts too.
    command: bool,
}

impl Setter {
    /// Takes a value, unless there is one already.
    ///
    /// # Errors
    /// A value that makes no sense.
    pub(super) fn set(&mut self, keyword: &str, arguments: &[String]) -> Result<(), String> {
        let first = || arguments.first().cloned().ok_or_else(|| format!("{keyword} without a value"));
        let settings = &mut self.settings;
        match keyword {
            "hostname" => keep(&mut settings.hostname, first()?),
            "hostkeyalias" => keep(&mut settings.host_key_alias, first()?),
            "user" => keep(&mut settings.user, first()?),
            "port" => keep(&mut settings.port, port(&first()?)?),
            "identityfile" => add(&mut settings.identity_files, first()?),
            "identitiesonly" => keep(&mut settings.identities_only, yes(keyword, &first()?)?),
            "connecttimeout" => {
                if let Some(limit) = time(&first()?)? {
                    keep(&mut settings.connect_timeout, limit);
                }
            }
            "serveraliveinterval" => {
                keep(&mut settings.alive_interval, time(&first()?)?.unwrap_or(Duration::ZERO));
            }
            "serveralivecountmax" => {
                let count = first()?.parse().map_err(|_| "ServerAliveCountMax is not a number".to_string())?;
                keep(&mut settings.alive_count, count);
            }
            "userknownhostsfile" => keep(&mut settings.user_known_hosts, files(arguments)),
            "globalknownhostsfile" => keep(&mut settings.global_known_hosts, files(arguments)),
            "stricthostkeychecking" => keep(&mut settings.strict_host_keys, strict(&first()?)?),
            "certificatefile" => add(&mut settings.certificate_files, first()?),
            "ciphers" => keep(&mut settings.algorithms.ciphers, first()?),
            "kexalgorithms" => keep(&mut settings.algorithms.kex, first()?),
            "macs" => keep(&mut settings.algorithms.macs, first()?),
            "hostkeyalgorithms" => keep(&mut settings.algorithms.host_keys, first()?),
            "pubkeyacceptedalgorithms" | "pubkeyacceptedkeytypes" => {
                keep(&mut settings.algorithms.user_keys, first()?);
            }
            "casignaturealgorithms" => keep(&mut settings.algorithms.authorities, first()?),
            "revokedhostkeys" => keep(&mut settings.revoked_host_keys, files(arguments)),
            _ => {}
        }
        Ok(())
    }

    /// Takes the rest of a line about a proxy as it is: quotes in a command are the shell's.
    ///
    /// # Errors
    /// A value that makes no sense.
    pub(super) fn proxy(&mut self, keyword: &str, rest: &str) -> Result<(), String> {
        let value = rest.trim_end();
        let none = value.eq_ignore_ascii_case("none");
        let settings = &mut self.settings;
        if value.is_empty() {
            return Err(format!("{keyword} without a value"));
        }
        if keyword == "proxyjump" {
            let jump = if none { Proxy::Direct } else { Proxy::Jump(value.to_string()) };
            if !none {
                Hop::parse_list(value).map_err(|why| format!("ProxyJump: {why}"))?;
            }
            keep(&mut settings.proxy, jump);
        } else if !self.command && !matches!(settings.proxy, Some(Proxy::Jump(_))) {
            // Behind `ProxyJump none` a command still counts; that is how ssh has it.
            self.command = true;
            settings.proxy = Some(if none { Proxy::Direct } else { Proxy::Command(value.to_string()) });
        }
        Ok(())
    }

    /// Takes a value as `ssh -G` prints it: without quotes, and with its tokens replaced in some settings.
    ///
    /// # Errors
    /// A value that makes no sense.
    pub(super) fn printed(&mut self, keyword: &str, value: &str) -> Result<(), String> {
        match keyword {
            "proxyjump" | "proxycommand" => self.proxy(keyword, value),
            "hostname" => self.set(keyword, &[value.replace('%', "%%")]),
            "userknownhostsfile" | "globalknownhostsfile" => {
                let files: Vec<String> = value.split(' ').map(|file| file.replace('%', "%%")).collect();
                self.set(keyword, &files)
            }
            "canonicalizehostname" => Ok(()),
            known if KEYWORDS.contains(&known) => self.set(keyword, &[value.to_string()]),
            _ => Ok(()),
        }
    }
}

/// The same file twice is one file, as for ssh.
fn add(files: &mut Vec<String>, file: String) {
    if !files.contains(&file) {
        files.push(file);
    }
}

fn keep<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}
