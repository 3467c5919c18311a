//! How somebody tries the way to a host without us.

use super::route::Route;
use crate::host::ssh::target::Target;
use crate::text::shell_word;

/// The command, with every hop as it was found; `None` when the way is straight and needs no telling.
pub(in crate::host::ssh) fn by_hand(target: &Target) -> Option<String> {
    let Target { user, address, port, .. } = target;
    let way = match &target.route {
        Route::Direct => return None,
        Route::Command(command) => format!("-o {}", shell_word(&format!("ProxyCommand={}", command.line))),
        Route::Jump(hop) => format!("-J {}", shell_word(&jumps(hop))),
    };
    Some(format!("try it by hand: ssh {way} -p {port} {}", shell_word(&format!("{user}@{address}"))))
}

fn jumps(hop: &Target) -> String {
    let Target { user, address, port, .. } = hop;
    let place =
        if address.contains(':') { format!("{user}@[{address}]:{port}") } else { format!("{user}@{address}:{port}") };
    match &hop.route {
        Route::Jump(before) => format!("{},{place}", jumps(before)),
        Route::Direct | Route::Command(_) => place,
    }
}
