//! What a helper shell is made of: POSIX shell, nothing else, tried with dash, bash and busybox.

use crate::text::esc1;

/// Starts it. Descriptor 8 becomes the writing end of a pipe that nobody reads any more (`:` has ended), and the shell
/// that reads its script from the channel gets the number of the process group as `$1`.
pub(super) const BOOT: &str = "{ { exec 8>&1 >&3 3>&-; exec /bin/sh -s $$; } | :; } 3>&1";

/// The first part of its script.
///
/// Before it does anything of a command it says that it begins; when it cannot say so, it ends.
///
/// A command runs in a subshell, so that nothing of it stays: directory, variables, limits, traps. It gets the reading
/// end of the pipe as descriptor 9, and so does whatever it starts; when a byte can still be written to the pipe after
/// it has ended, something it left behind is alive and could print into later commands: then the helper is given up.
/// What the shell itself has to say (`Terminated`) goes nowhere. The loop waits for the end of the `:` that the pipe
/// began with: until then a byte can still be written.
pub(super) fn prelude(token: &str) -> String {
    format!(
        r#"exec 3>&1 4>&2 2>/dev/null; trap : PIPE
_deployer() {{
printf '\033_deployer:{token}:begin:%s\033\\' "$1" >&3 || exit
( eval "$2" ) </dev/null >&3 2>&4 9</proc/self/fd/8 3>&- 4>&- 8>&-
_deployer_status=$?; _deployer_left=1; printf . >&8 || _deployer_left=0
printf '\033_deployer:{token}:%s:%s:%s\033\\' "$1" "$_deployer_status" "$_deployer_left" >&3
printf '\033_deployer:{token}:%s:\033\\' "$1" >&4
}}
while printf . >&8; do :; done
( : 9</proc/self/fd/8 ) && printf '\033_deployer:{token}:ready:%s:0\033\\' "$1" >&3
set --
"#
    )
}

/// One command.
pub(super) fn command(number: u64, line: &str) -> String {
    format!("_deployer {number} 'set --; {}'\n", esc1(line))
}
