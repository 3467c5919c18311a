//! Waiting for facts.

use std::time::{Duration, Instant};

/// How long a story waits for a fact before it fails; generous, because machines that run tests are busy.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// How often a fact that nobody announces (a file, a process table) is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Waits until `holds` is true; `evidence` is printed when it never is.
///
/// # Panics
/// When the fact does not hold within [`TIMEOUT`].
pub fn eventually(fact: &str, mut holds: impl FnMut() -> bool, evidence: impl FnOnce() -> String) {
    if !within(TIMEOUT, &mut holds) {
        panic!("waited {TIMEOUT:?} for: {fact}\n{}", evidence());
    }
}

/// Whether `holds` becomes true within `limit`.
pub fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
