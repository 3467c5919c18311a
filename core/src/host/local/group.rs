//! Who is in a process group, as `/proc` tells.

use rustix::process::Pid;

/// Whether all that is left in the group has ended already. False also when nothing can be seen, as with `hidepid`.
pub(super) fn only_zombies(group: Pid) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return false };
    let stats = processes.flatten().filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let mut states = stats.filter_map(|stat| member(&stat)).filter(|(of, _)| *of == group.as_raw_nonzero().get());
    let first = states.next();
    first.is_some_and(|(_, state)| state == 'Z') && states.all(|(_, state)| state == 'Z')
}

/// Process group and state of a line such as `7 (a name) S 1 7 7 ...`; the name may contain anything.
fn member(stat: &str) -> Option<(i32, char)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some((group, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_contain_anything() {
        assert_eq!(member("12 (sh) S 1 11 10 34816 12 4194304"), Some((11, 'S')));
        assert_eq!(member("12 (a) Z 9 (b c) Z 1 11 10 0"), Some((11, 'Z')));
        assert_eq!(member("12 (cut off"), None);
    }
}
