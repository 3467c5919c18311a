//! Names of users, for people to read. Decisions are made with ids.

use std::ffi::CStr;
use std::os::raw::c_char;

/// Longest answer of the user database that is looked at, bytes.
const ENTRY_MAX: usize = 16 * 1024;

/// The login name of a user id, or `uid 1234` when the database does not know it. May wait for the database (LDAP).
#[allow(unsafe_code, reason = "getpwuid_r has no safe counterpart among our dependencies")]
pub(crate) fn name_of(uid: u32) -> String {
    let mut entry = std::mem::MaybeUninit::<libc::passwd>::uninit();
    let mut memory = vec![0 as c_char; ENTRY_MAX];
    let mut found = std::ptr::null_mut();
    // SAFETY: all pointers are valid for the call, the length is that of the buffer. When `found` is not null it
    // points to `entry`, whose `pw_name` points to a terminated string in `memory`, which outlives its use.
    let name = unsafe {
        let status = libc::getpwuid_r(uid, entry.as_mut_ptr(), memory.as_mut_ptr(), memory.len(), &mut found);
        match status == 0 && !found.is_null() {
            true => CStr::from_ptr((*found).pw_name).to_str().ok().map(str::to_string),
            false => None,
        }
    };
    name.unwrap_or_else(|| format!("uid {uid}"))
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn root_has_a_name_and_a_stranger_a_number() {
        assert_eq!(name_of(0), "root");
        assert_eq!(name_of(3_999_999_999), "uid 3999999999");
    }
}
