//! Who runs this process: login name and home directory.

use std::path::PathBuf;

/// The local user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// Login name; `None` when neither the passwd file nor the environment knows it.
    pub(super) name: Option<String>,
    /// Home directory.
    pub(super) home: Option<PathBuf>,
    /// Numeric id.
    pub(super) uid: u32,
}

impl Account {
    /// The user of this process: the passwd entry of its user id, for users that are not in the file the environment.
    /// The environment comes second, because after `sudo` it may still tell of somebody else.
    pub(super) fn of_process() -> Account {
        let uid = rustix::process::getuid().as_raw();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Account::resolve(uid, &passwd, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn resolve(uid: u32, passwd: &str, variable: impl Fn(&str) -> Option<String>) -> Account {
        let entry = passwd
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.len() >= 6 && !fields[0].is_empty() && fields[2].parse() == Ok(uid));
        let listed = |index: usize| entry.as_ref().map(|fields| fields[index].to_string()).filter(|v| !v.is_empty());
        Account {
            name: listed(0).or_else(|| variable("USER")).or_else(|| variable("LOGNAME")),
            home: listed(5).or_else(|| variable("HOME")).map(PathBuf::from),
            uid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\n+nis::::::\nanna:x:1000:1000::/home/anna:/bin/sh\n";

    fn account(uid: u32, variables: &[(&str, &str)]) -> (Option<String>, Option<PathBuf>) {
        let account = Account::resolve(uid, PASSWD, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        });
        (account.name, account.home)
    }

    #[test]
    fn the_passwd_file_wins_over_the_environment() {
        assert_eq!(account(0, &[("USER", "anna")]), (Some("root".into()), Some("/root".into())));
        assert_eq!(account(1000, &[]), (Some("anna".into()), Some("/home/anna".into())));
    }

    #[test]
    fn users_of_a_directory_service_are_known_by_the_environment() {
        let ldap = account(5000, &[("LOGNAME", "berta"), ("HOME", "/nfs/berta")]);
        assert_eq!(ldap, (Some("berta".into()), Some("/nfs/berta".into())));
        assert_eq!(account(5000, &[]), (None, None));
    }
}
