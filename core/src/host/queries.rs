//! Questions about a host that are answered by a short silent command (rows F-40, F-41, F-78, F-79).
//!
//! In a sandbox nothing runs but syntax checks, so there the answer is "unknown" (design 8).

use super::directory::Directories;
use super::{HostContainer, HostContext, HostsContainer, RunError, RunOptions, RunOutput, run};
use crate::network::{IfConfig, Keep, parse_ifconfig_output};
use crate::node::HostKind;
use crate::text::shell_word;

impl HostContainer {
    /// The directory that the next command runs in, absolute (row F-40). `None`: unknown in a sandbox, because a
    /// tilde or a pattern has to be expanded on the host.
    ///
    /// # Errors
    /// When the host cannot be reached, or the directory is not there and only the host can say where it would be.
    pub async fn getcwd(&self) -> Result<Option<String>, RunError> {
        let context = self.member.context();
        let start = self.member.host.start_path(&self.io().reach()).await?;
        let path = match Directories::of(&context) {
            Some(directories) => directories.path(&start),
            None => Some(start),
        };
        if path.is_some() || self.io().sandbox {
            return Ok(path);
        }
        let plain = HostContext { prefixes: Vec::new(), ..context };
        let output = self.ask(&plain, "pwd", &RunOptions::default()).await?;
        Ok(Some(output.text()))
    }

    /// Whether there is a regular file or a directory of this name (row F-41); relative names follow `cd`, a tilde is
    /// expanded. False below a directory that is not there. `None`: unknown in a sandbox.
    ///
    /// # Errors
    /// When the answer is not known: the host cannot be reached, sudo refuses, the check was interrupted.
    pub async fn exists(&self, path: &str, use_sudo: bool) -> Result<Option<bool>, RunError> {
        if self.io().sandbox {
            return Ok(None);
        }
        let mut context = HostContext { prefixes: Vec::new(), ..self.member.context() };
        let (parent, name) = place(path);
        if !parent.is_empty() {
            context.push_directory(parent, true, false);
        }
        let word = format!("./{}", shell_word(name));
        let command = format!("test -f {word} || test -d {word} && echo yes || echo no");
        let options = RunOptions { use_sudo, ignore_exit_status: true, ..RunOptions::default() };
        let output = self.ask(&context, &command, &options).await?;
        Ok(Some(output.text() == "yes"))
    }

    /// Whether a shell there knows this command (row F-79), with prefixes and variables as they are now. `None`:
    /// unknown in a sandbox.
    ///
    /// # Errors
    /// When the answer is not known, as for [`HostContainer::exists`], and when a prefix or a `cd` fails.
    pub async fn has_command(&self, name: &str, use_sudo: bool) -> Result<Option<bool>, RunError> {
        if self.io().sandbox {
            return Ok(None);
        }
        let command = format!("command -v {} >/dev/null && echo yes || echo no", shell_word(name));
        let options = RunOptions { use_sudo, ..RunOptions::default() };
        let output = self.ask(&self.member.context(), &command, &options).await?;
        Ok(Some(output.text().ends_with("yes")))
    }

    /// The network interfaces of the host that have an IPv4 address (row F-43). `None`: unknown in a sandbox.
    ///
    /// # Errors
    /// When the host cannot be reached, or has neither `ip` nor `ifconfig`.
    pub async fn ifconfig(&self) -> Result<Option<IfConfig>, RunError> {
        if self.io().sandbox {
            return Ok(None);
        }
        // Both are often where only root looks.
        let command = "PATH=$PATH:/sbin:/usr/sbin; \
                       if command -v ip >/dev/null; then ip addr; else ifconfig -a; fi";
        let output = self.ask(&HostContext::default(), command, &RunOptions::default()).await?;
        Ok(Some(parse_ifconfig_output(&output.text(), Keep::Active)))
    }

    /// The address of an interface, empty when it has none or is not there (row F-42); of the local host always
    /// 127.0.0.1. `None`: unknown in a sandbox.
    ///
    /// # Errors
    /// As [`HostContainer::ifconfig`].
    pub async fn get_ip_address(&self, interface: &str) -> Result<Option<String>, RunError> {
        if matches!(self.definition().kind(), HostKind::Local) {
            return Ok(Some("127.0.0.1".to_string()));
        }
        let all = self.ifconfig().await?;
        Ok(all.map(|all| all.interface(interface).ok().and_then(|one| one.ip.clone()).unwrap_or_default()))
    }

    /// What the host calls itself (row F-86). `None`: unknown in a sandbox.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn hostname(&self) -> Result<Option<String>, RunError> {
        self.fact("hostname 2>/dev/null || uname -n").await
    }

    /// Whether its processor works with 64 bits (row F-86). `None`: unknown in a sandbox.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn is_64_bit(&self) -> Result<Option<bool>, RunError> {
        Ok(self.fact("uname -m").await?.map(|machine| machine.contains("64") || machine == "s390x"))
    }

    /// What a command says in the root directory.
    async fn fact(&self, command: &str) -> Result<Option<String>, RunError> {
        if self.io().sandbox {
            return Ok(None);
        }
        let mut context = HostContext::default();
        context.push_directory("/", false, false);
        Ok(Some(self.ask(&context, command, &RunOptions::default()).await?.text()))
    }

    async fn ask(&self, context: &HostContext, command: &str, options: &RunOptions) -> Result<RunOutput, RunError> {
        let options = RunOptions { silent: true, sandbox: Some(false), ..options.clone() };
        run(&*self.member.host, context, command, &options, self.io()).await
    }
}

/// The directory to go to, and the name to look for there.
fn place(path: &str) -> (&str, &str) {
    match path.trim_end_matches('/').rsplit_once('/') {
        _ if path.starts_with('/') && path.trim_end_matches('/').is_empty() => ("/", "."),
        Some((parent, name)) if name != ".." => (if parent.is_empty() { "/" } else { parent }, name),
        None if path != ".." && !path.starts_with('~') => ("", path.trim_end_matches('/')),
        _ => (path, "."),
    }
}

impl HostsContainer {
    /// [`HostContainer::getcwd`] for each appearance, in order (row F-78).
    ///
    /// # Errors
    /// The first one.
    pub async fn getcwd(&self) -> Result<Vec<Option<String>>, RunError> {
        let mut answers = Vec::new();
        for host in self.each() {
            answers.push(host.getcwd().await?);
        }
        Ok(answers)
    }

    /// [`HostContainer::exists`] for each appearance, in order (row F-78).
    ///
    /// # Errors
    /// The first one.
    pub async fn exists(&self, path: &str, use_sudo: bool) -> Result<Vec<Option<bool>>, RunError> {
        let mut answers = Vec::new();
        for host in self.each() {
            answers.push(host.exists(path, use_sudo).await?);
        }
        Ok(answers)
    }

    /// [`HostContainer::has_command`] for each appearance, in order (row F-78).
    ///
    /// # Errors
    /// The first one.
    pub async fn has_command(&self, name: &str, use_sudo: bool) -> Result<Vec<Option<bool>>, RunError> {
        let mut answers = Vec::new();
        for host in self.each() {
            answers.push(host.has_command(name, use_sudo).await?);
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_place_and_a_name() {
        let cases = [
            ("a", ("", "a")),
            ("a/", ("", "a")),
            ("a/b c", ("a", "b c")),
            ("/etc/passwd", ("/etc", "passwd")),
            ("/etc", ("/", "etc")),
            ("/", ("/", ".")),
            ("//", ("/", ".")),
            ("..", ("..", ".")),
            ("a/..", ("a/..", ".")),
            ("~", ("~", ".")),
            ("~/x", ("~", "x")),
        ];
        for (path, expected) in cases {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
