//! How a command ended, as a server tells it; a server could send anything.

use russh::Sig;

use crate::host::ExitStatus;
use crate::host::ssh::failure::printable;

/// A number. Larger ones than 255 cannot be; they must not become 0 by being cut.
pub(super) fn of_code(code: u32) -> ExitStatus {
    ExitStatus::Code(i32::try_from(code).unwrap_or(255).min(255))
}

/// A signal, by its name without SIG.
pub(super) fn of_signal(signal: &Sig) -> ExitStatus {
    ExitStatus::Signal(name(signal))
}

fn name(signal: &Sig) -> String {
    let name = match signal {
        Sig::ABRT => "ABRT",
        Sig::ALRM => "ALRM",
        Sig::FPE => "FPE",
        Sig::HUP => "HUP",
        Sig::ILL => "ILL",
        Sig::INT => "INT",
        Sig::KILL => "KILL",
        Sig::PIPE => "PIPE",
        Sig::QUIT => "QUIT",
        Sig::SEGV => "SEGV",
        Sig::TERM => "TERM",
        Sig::USR1 => "USR1",
        Sig::Custom(name) => return printable(name, 16).replace('\n', ""),
    };
    name.to_string()
}
