//! Who is at the other end of a socket. The kernel says the user id; names and groups come from the user database.

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

/// Somebody with a user id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// User id, from the kernel: decisions are made with it.
    pub uid: u32,
    /// Login name, for people; `uid 1234` when the user database does not know it.
    pub name: String,
    /// Group ids, as the user database has them now, the primary one first.
    pub groups: Vec<u32>,
}

impl Person {
    /// Looks a user id up; `gid` is the group that the kernel told with it. May wait for the database (LDAP).
    ///
    /// Groups are those of the database rather than those of the process: who was taken out of a group has lost it with
    /// the next connection, not with the next login. When the database does not answer there are fewer groups, never
    /// more.
    pub fn look_up(uid: u32, gid: u32) -> Person {
        let nobody = Person { uid, name: format!("uid {uid}"), groups: vec![gid] };
        let user = match User::from_uid(Uid::from_raw(uid)) {
            Ok(Some(user)) => user,
            Ok(None) => return nobody,
            Err(error) => {
                tracing::warn!(uid, %error, "the user database does not answer");
                return nobody;
            }
        };
        let listed = std::ffi::CString::new(user.name.as_str()).ok().map(|name| getgrouplist(&name, user.gid));
        let groups = match listed {
            Some(Ok(groups)) => groups.into_iter().map(Gid::as_raw).collect(),
            Some(Err(error)) => {
                tracing::warn!(uid, %error, "the groups of a user are not known");
                vec![user.gid.as_raw()]
            }
            None => vec![user.gid.as_raw()],
        };
        Person { uid, name: user.name, groups }
    }

    /// Whoever this process runs as.
    pub fn of_this_process() -> Person {
        Person::look_up(nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw())
    }
}

/// The user id of a login name, or of a number written out.
///
/// # Errors
/// A sentence, when there is no such user or the database does not answer.
pub(crate) fn uid_of(name: &str) -> Result<u32, String> {
    if let Ok(uid) = name.parse() {
        return Ok(uid);
    }
    match User::from_name(name) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        Ok(None) => Err(format!("there is no user '{}' on this machine", name.escape_debug())),
        Err(error) => Err(format!("the user database does not say who '{}' is: {error}", name.escape_debug())),
    }
}

/// The group id of a name, or of a number written out.
///
/// # Errors
/// A sentence, when there is no such group or the database does not answer.
pub(crate) fn gid_of(name: &str) -> Result<u32, String> {
    if let Ok(gid) = name.parse() {
        return Ok(gid);
    }
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(format!("there is no group '{}' on this machine", name.escape_debug())),
        Err(error) => Err(format!("the user database does not know the group '{}': {error}", name.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_name_and_a_stranger_a_number() {
        let root = Person::look_up(0, 0);
        assert_eq!((root.name.as_str(), root.groups.first()), ("root", Some(&0)));
        let stranger = Person::look_up(3_999_999_999, 77);
        assert_eq!((stranger.name.as_str(), stranger.groups), ("uid 3999999999", vec![77]));
    }

    #[test]
    fn names_and_numbers_are_ids() {
        assert_eq!(uid_of("root"), Ok(0));
        assert_eq!(uid_of("4711"), Ok(4711));
        assert_eq!(gid_of("root"), Ok(0));
        assert!(uid_of("no-such-user\x1b").is_err_and(|why| why.contains("no-such-user\\u{1b}")));
        assert!(gid_of("no-such-group").is_err());
    }
}
