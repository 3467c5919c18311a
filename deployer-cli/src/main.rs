//! The `deployer` binary.

use std::process::ExitCode;

/// A large parallel run is mostly allocations, freed on other threads than they were made on: the C library's allocator
/// takes twice the processor time for that. Only here: a program that uses the library chooses its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    deployer_cli::deployer()
}
