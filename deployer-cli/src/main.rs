//! The `deployer` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    deployer_cli::deployer()
}
