//! Key revocation lists (KRL), as `ssh-keygen -k` makes them: `ssh-keygen -Q` reads them for us.
//!
//! Such a list revokes keys by themselves, by their hash, and certificates of an authority by number or id. What is in it
//! is for OpenSSH to know; a list it cannot read refuses all hosts, as it does there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::failure::{Failure, printable, seconds};
use super::tool::{self, NoReply, Reply};
use crate::host::ExitStatus;

/// How long ssh-keygen may take; 10 ms are usual.
const LIMIT: Duration = Duration::from_secs(5);

/// The first of these lists that revokes a key, or a certificate by itself, its key or its authority. `shown` is what the
/// host shows, as a line of text.
///
/// # Errors
/// A list that cannot be read: it could revoke what the host shows.
pub(super) async fn revoking(lists: &[PathBuf], shown: &str) -> Result<Option<PathBuf>, Failure> {
    for list in lists {
        if is_in(Path::new("ssh-keygen"), list, shown).await? {
            return Ok(Some(list.clone()));
        }
    }
    Ok(None)
}

async fn is_in(program: &Path, list: &Path, shown: &str) -> Result<bool, Failure> {
    let mut command = tool::command(program);
    command.arg("-Q").arg("-f").arg(list).arg("/dev/stdin");
    let refused = |why: String, hint: &str| {
        let why =
            format!("RevokedHostKeys: cannot read {}: it is a key revocation list (KRL), and {why}", list.display());
        Failure::new(why).hint(format!("no host is trusted before that; {hint}"))
    };
    match tool::ask(command, format!("{shown}\n").as_bytes(), LIMIT).await {
        // One line about the one key, and a status that says the same.
        Ok(Reply { status: ExitStatus::Code(0), output, .. }) if output.trim_end().ends_with(": ok") => Ok(false),
        Ok(Reply { status: ExitStatus::Code(1), output, .. }) if output.trim_end().ends_with(": REVOKED") => Ok(true),
        Ok(Reply { status, errors, .. }) => {
            let said = printable(errors.trim(), 300);
            Err(refused(format!("ssh-keygen -Q ended ({status}): {said}"), "make the list again: ssh-keygen -k"))
        }
        Err(NoReply::Missing) => {
            let hint = "install the OpenSSH client, or write the keys as text, one public key per line";
            Err(refused("there is no ssh-keygen on this machine to read it".into(), hint))
        }
        Err(NoReply::Failed(error)) => {
            Err(refused(format!("ssh-keygen cannot be run: {error}"), "try it by hand: ssh-keygen -Q -l -f LIST"))
        }
        Err(NoReply::Late) => {
            let why = format!("ssh-keygen -Q does not answer within {}", seconds(LIMIT));
            Err(refused(why, "try it by hand: ssh-keygen -Q -l -f LIST"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn said(script: Option<&str>) -> Result<bool, String> {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("keygen");
        if let Some(script) = script {
            std::fs::write(&program, format!("#!/bin/sh\ncat\n{script}\n")).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let answer = is_in(&program, Path::new("/etc/list"), "ssh-ed25519 AAAA").await;
        answer.map_err(|failure| format!("{}; {}", failure.reason, failure.hint.unwrap()))
    }

    #[tokio::test]
    async fn only_an_answer_that_is_one_counts() {
        assert_eq!(said(Some("echo '/dev/stdin: ok'")).await, Ok(false));
        assert_eq!(said(Some("echo '/dev/stdin: REVOKED'; exit 1")).await, Ok(true));
        for script in ["", "exit 1", "echo '/dev/stdin: REVOKED'", "echo '/dev/stdin: ok'; exit 1", "kill -KILL $$"] {
            let why = said(Some(script)).await.unwrap_err();
            assert!(why.starts_with("RevokedHostKeys: cannot read /etc/list: "), "{why}");
            assert!(why.contains("no host is trusted before that"), "{why}");
        }
        let why = said(Some("echo 'Unable to load' >&2; exit 255")).await.unwrap_err();
        assert!(why.contains("ssh-keygen -Q ended (status 255): Unable to load"), "{why}");
    }

    #[tokio::test]
    async fn without_ssh_keygen_the_list_is_named_and_what_to_do() {
        let why = said(None).await.unwrap_err();
        assert!(why.contains("there is no ssh-keygen on this machine to read it"), "{why}");
        assert!(why.contains("one public key per line"), "{why}");
    }
}
