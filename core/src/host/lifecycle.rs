//! The polite end of a command: what is tried, in which order, and how long each step gets.

use std::time::Duration;

use tokio::time::Instant;

use super::Signal;

/// One step towards the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndStep {
    /// Send this signal ([`Signal::Int`] is Ctrl-C on a PTY).
    Send(Signal),
    /// Nothing helped: close the channel, report the outcome as unknown.
    GiveUp,
}

/// With a terminal the program gets a chance to clean up on Ctrl-C first, as when a person stops it. Then it hears what
/// it would hear when the terminal goes away: interactive shells ignore Ctrl-C and TERM, and on HUP pass it on to their
/// jobs. Together just under 5 s: what a person who pressed Ctrl-C puts up with.
const ON_PTY: &[(EndStep, Duration)] = &[
    (EndStep::Send(Signal::Int), Duration::from_millis(1500)),
    (EndStep::Send(Signal::Hup), Duration::from_millis(750)),
    (EndStep::Send(Signal::Term), Duration::from_millis(1500)),
    (EndStep::Send(Signal::Kill), Duration::from_millis(1000)),
];

/// Without one nobody expects Ctrl-C, and HUP would make servers read their configuration.
const ON_PIPES: &[(EndStep, Duration)] = &[
    (EndStep::Send(Signal::Term), Duration::from_millis(3000)),
    (EndStep::Send(Signal::Kill), Duration::from_millis(1500)),
];

/// Walks through the steps as time passes. Drop it when the command has ended.
pub(crate) struct PoliteEnd {
    steps: std::slice::Iter<'static, (EndStep, Duration)>,
    due: Instant,
}

impl PoliteEnd {
    /// A polite end that begins now.
    pub(crate) fn begin(pty: bool) -> PoliteEnd {
        PoliteEnd { steps: if pty { ON_PTY } else { ON_PIPES }.iter(), due: Instant::now() }
    }

    /// Waits until a step is due and gives it; the first is due at once, the last is always
    /// [`EndStep::GiveUp`], for ever. Cancel safe.
    pub(crate) async fn next(&mut self) -> EndStep {
        tokio::time::sleep_until(self.due).await;
        match self.steps.next() {
            Some((step, grace)) => {
                self.due += *grace;
                *step
            }
            None => EndStep::GiveUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_steps_come_in_order_and_within_five_seconds() {
        for pty in [true, false] {
            let started = Instant::now();
            let mut end = PoliteEnd::begin(pty);
            let mut steps = Vec::new();
            while steps.last() != Some(&EndStep::GiveUp) {
                steps.push(end.next().await);
            }
            assert!(started.elapsed() <= Duration::from_secs(5));
            let of_a_terminal = [EndStep::Send(Signal::Int), EndStep::Send(Signal::Hup)];
            assert_eq!(steps.starts_with(&of_a_terminal), pty);
            assert_eq!(&steps[steps.len() - 2..], [EndStep::Send(Signal::Kill), EndStep::GiveUp]);
        }
    }
}
