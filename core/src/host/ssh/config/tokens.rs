//! Percent tokens and home directories in values.

use std::path::{Path, PathBuf};

/// What tokens stand for.
#[derive(Clone, Debug, Default)]
pub(in crate::host::ssh) struct Tokens<'a> {
    /// `%h`: the host name that is connected to.
    pub(in crate::host::ssh) host: &'a str,
    /// `%n`: the name as written.
    pub(in crate::host::ssh) original: &'a str,
    /// `%p`.
    pub(in crate::host::ssh) port: u16,
    /// `%r`: the login name.
    pub(in crate::host::ssh) user: &'a str,
    /// `%u`: the local user.
    pub(in crate::host::ssh) local_user: &'a str,
    /// `%d`: the local home directory.
    pub(in crate::host::ssh) home: Option<&'a Path>,
    /// `%i`: the local user id.
    pub(in crate::host::ssh) uid: u32,
}

impl Tokens<'_> {
    /// Replaces the tokens.
    ///
    /// # Errors
    /// The token that is not known.
    pub(in crate::host::ssh) fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match characters.next() {
                Some('%') => out.push('%'),
                Some('h') => out.push_str(self.host),
                Some('n') => out.push_str(self.original),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') => out.push_str(self.user),
                Some('u') => out.push_str(self.local_user),
                Some('i') => out.push_str(&self.uid.to_string()),
                Some('d') => match self.home {
                    Some(home) => out.push_str(&home.to_string_lossy()),
                    None => return Err("%d is used, but there is no home directory".into()),
                },
                Some(other) => return Err(format!("unknown token %{other} in {text}")),
                None => return Err(format!("a lone % ends {text}")),
            }
        }
        Ok(out)
    }

    /// Expands a path: tokens, then a leading tilde.
    pub(in crate::host::ssh) fn path(&self, text: &str) -> Result<PathBuf, String> {
        home_path(&self.expand(text)?, self.home)
    }
}

/// A path in which a leading `~/` is the home directory.
///
/// # Errors
/// When there is no home directory, and for `~other`.
pub(in crate::host::ssh) fn home_path(text: &str, home: Option<&Path>) -> Result<PathBuf, String> {
    let Some(rest) = text.strip_prefix('~') else { return Ok(PathBuf::from(text)) };
    match (rest.strip_prefix('/'), home) {
        (Some(rest), Some(home)) => Ok(home.join(rest)),
        (None, Some(home)) if rest.is_empty() => Ok(home.to_path_buf()),
        (_, None) => Err(format!("{text}: there is no home directory")),
        (None, _) => Err(format!("{text}: homes of other users are not looked up, write the full path")),
    }
}
