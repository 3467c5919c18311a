//! Which deployment file is meant.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Used when there is no other: one file for the whole machine.
const SYSTEM_FILE: &str = "/etc/deployer/deploy.lua";

/// Looked for in the working directory.
const LOCAL_FILE: &str = "deploy.lua";

/// The deployment file: `-f`, else `$DEPLOYER_FILE`, else `./deploy.lua`, else `/etc/deployer/deploy.lua`. Absolute,
/// so that it means the same to a daemon.
///
/// # Errors
/// Exit status 2: a file that was named is not there, or there is none at all.
pub(crate) fn find(flag: Option<&Path>) -> Result<PathBuf, Failure> {
    choose(flag, from_environment().as_deref(), Path::new(LOCAL_FILE), Path::new(SYSTEM_FILE))
}

/// `$DEPLOYER_FILE`, unless it is empty.
pub(crate) fn from_environment() -> Option<PathBuf> {
    std::env::var_os("DEPLOYER_FILE").filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn choose(flag: Option<&Path>, variable: Option<&Path>, local: &Path, system: &Path) -> Result<PathBuf, Failure> {
    let named = flag.map(|path| (path, "-f")).or(variable.map(|path| (path, "$DEPLOYER_FILE")));
    if let Some((path, origin)) = named {
        return match std::fs::metadata(path) {
            Ok(meta) if !meta.is_dir() => absolute(path),
            Ok(_) => {
                Err(Failure::usage(format!("{} (from {origin}) is a directory; name the file in it", path.display())))
            }
            Err(error) => Err(Failure::usage(format!(
                "cannot read the deployment file {} (from {origin}): {error}; check the path",
                path.display()
            ))),
        };
    }
    match [local, system].into_iter().find(|path| path.is_file()) {
        Some(path) => absolute(path),
        None => Err(Failure::usage(nothing_found(local, system))),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::usage(format!("cannot use {}: {error}", path.display())))
}

fn nothing_found(local: &Path, system: &Path) -> String {
    format!(
        "no deployment file: there is neither {} here nor {}; name one with -f or $DEPLOYER_FILE, or begin with these lines in {}:\n\n    \
         local deployer = require \"deployer\"\n    \
         local web1 = deployer.SSHHost {{ slug = \"web1\", address = \"10.0.0.11\" }}\n    \
         return deployer.Node {{ Hosts = {{ web = {{ web1 }} }}, uptime = function(self) return self.hosts:run(\"uptime\") end }}\n",
        local.display(),
        system.display(),
        local.display()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_nearest_file_wins() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, "").unwrap();
            path
        };
        let (flag, variable, local, system) = (file("flag"), file("variable"), file("local"), file("system"));
        let missing = dir.path().join("missing");
        for (chosen, given) in [
            (&flag, (Some(&*flag), Some(&*variable), &local, &system)),
            (&variable, (None, Some(&*variable), &local, &system)),
            (&local, (None, None, &local, &system)),
            (&system, (None, None, &missing, &system)),
        ] {
            assert_eq!(&choose(given.0, given.1, given.2, given.3).unwrap(), chosen);
        }
    }

    #[test]
    fn a_named_file_that_is_missing_is_never_replaced_by_another() {
        let dir = tempfile::tempdir().unwrap();
        let local = dir.path().join("deploy.lua");
        std::fs::write(&local, "").unwrap();
        let error = choose(Some(&dir.path().join("typo.lua")), None, &local, &local).unwrap_err();
        assert_eq!(error.status, 2);
        assert!(error.message.contains("typo.lua (from -f)"), "{error}");
        let error = choose(None, Some(dir.path()), &local, &local).unwrap_err();
        assert!(error.message.contains("(from $DEPLOYER_FILE) is a directory"), "{error}");
    }

    #[test]
    fn without_any_file_an_example_is_shown() {
        let missing = Path::new("/nonexistent/deploy.lua");
        let error = choose(None, None, missing, missing).unwrap_err();
        assert_eq!(error.status, 2);
        assert_eq!(error.message.lines().filter(|line| line.starts_with("    ")).count(), 3, "{error}");
    }
}
