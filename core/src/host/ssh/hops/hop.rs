//! One hop as `ProxyJump` writes it.

use std::fmt;

/// Longest list of hops, and longest chain.
pub(in crate::host::ssh) const MAX_HOPS: usize = 16;

/// A host to go through: `[user@]host[:port]` or `ssh://[user@]host[:port]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host::ssh) struct Hop {
    /// What the SSH configuration is asked about; an address in brackets is without them.
    pub(in crate::host::ssh) host: String,
    pub(in crate::host::ssh) user: Option<String>,
    pub(in crate::host::ssh) port: Option<u16>,
}

impl Hop {
    /// Reads hops with commas between them, in the order in which they are gone through.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub(in crate::host::ssh) fn parse_list(text: &str) -> Result<Vec<Hop>, String> {
        let hops = text.split(',').map(|hop| Hop::parse(hop.trim())).collect::<Result<Vec<_>, _>>()?;
        match hops.len() {
            0..=MAX_HOPS => Ok(hops),
            many => Err(format!("{many} hops are more than {MAX_HOPS}")),
        }
    }

    fn parse(text: &str) -> Result<Hop, String> {
        let bad = || format!("{text:?} is not a hop, write user@host:port");
        let rest = text.strip_prefix("ssh://").map_or(text, |uri| uri.strip_suffix('/').unwrap_or(uri));
        // A user name may have an @ in it, a host may not.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(bracketed) => match bracketed.split_once(']').ok_or_else(bad)? {
                (host, "") => (host, None),
                (host, port) => (host, Some(port.strip_prefix(':').ok_or_else(bad)?)),
            },
            // More than one colon: an address of version 6 without a port.
            None => match place.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (place, None),
            },
        };
        let port = match port.map(str::parse) {
            None => None,
            Some(Ok(0) | Err(_)) => return Err(bad()),
            Some(Ok(port)) => Some(port),
        };
        let user = user.map(str::to_string);
        if !is_name(host) || user.as_ref().is_some_and(|user| user.is_empty() || user.starts_with('-')) {
            return Err(bad());
        }
        Ok(Hop { host: host.to_string(), user, port })
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match (self.host.contains(':'), self.port) {
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (_, None) => f.write_str(&self.host),
        }
    }
}

/// Whether this can be the name of a host at all. What begins with a dash would be an option to a program, and what a
/// shell takes apart has no place in a proxy command.
pub(in crate::host::ssh) fn is_name(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "'`\"$\\;&<>|(){},".contains(c);
    !text.is_empty() && !text.starts_with('-') && !text.contains(odd)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hops_as_openssh_writes_them() {
        for (text, user, host, port) in [
            ("bastion", None, "bastion", None),
            ("anna@bastion", Some("anna"), "bastion", None),
            ("bastion:2222", None, "bastion", Some(2222)),
            ("anna@corp@bastion:22", Some("anna@corp"), "bastion", Some(22)),
            ("[::1]:22", None, "::1", Some(22)),
            ("fe80::1", None, "fe80::1", None),
            ("ssh://anna@bastion:2222", Some("anna"), "bastion", Some(2222)),
            ("ssh://bastion/", None, "bastion", None),
        ] {
            let expected = Hop { host: host.into(), user: user.map(str::to_string), port };
            assert_eq!(Hop::parse_list(text), Ok(vec![expected]), "{text}");
        }
        let list = Hop::parse_list("a, anna@b:22,c").unwrap();
        assert_eq!(list.iter().map(Hop::to_string).collect::<Vec<_>>(), ["a", "anna@b:22", "c"]);
    }

    #[test]
    fn what_is_no_hop_is_refused() {
        for text in
            ["", "a,,b", "@a", "a:", "a:0", "a:99999", "[::1", "[::1]22", "-oProxyCommand=x", "a b", "a;b", "$(x)"]
        {
            assert!(Hop::parse_list(text).is_err(), "{text}");
        }
        assert!(Hop::parse_list(&["a"; 17].join(",")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(
            user in proptest::option::of("[a-z][a-z0-9@._-]{0,8}"),
            host in "[a-z0-9][a-z0-9.%-]{0,12}|[0-9a-f]{1,4}::[0-9a-f]{1,4}",
            port in proptest::option::of(1_u16..),
        ) {
            let hop = Hop { host, user, port };
            prop_assert_eq!(Hop::parse_list(&hop.to_string()), Ok(vec![hop]));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _any = Hop::parse_list(&text);
        }
    }
}
