//! The command line as the server gets it.

/// Wraps a line for `/bin/sh`, whatever the login shell is: sshd hands the line to the login shell, which may be one that
/// reads POSIX lines differently. Quotes and backslashes stand outside the quotes, which `sh`, `csh` and `fish` all read
/// the same way.
pub(in crate::host::ssh) fn under_sh(parts: &[&str]) -> String {
    let mut out = String::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 64);
    out.push_str("exec /bin/sh -c '");
    for c in parts.iter().flat_map(|part| part.chars()) {
        match c {
            '\'' => out.push_str(r"'\''"),
            '\\' => out.push_str(r"'\\'"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stand_outside() {
        assert_eq!(under_sh(&["true; ", "echo hi"]), "exec /bin/sh -c 'true; echo hi'");
        assert_eq!(under_sh(&[r"printf 'a\n'"]), r"exec /bin/sh -c 'printf '\''a'\\'n'\'''");
    }
}
