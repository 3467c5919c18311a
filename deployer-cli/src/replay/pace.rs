//! How fast a recording is played.

use std::time::Duration;

/// When each event of a recording is due: so many times as fast as it was, and no stillness longer than a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    speed: f64,
    /// Longest stillness of the recording that is played.
    stillness: Duration,
    /// When the last event was.
    at: Duration,
    /// When it was due.
    due: Duration,
}

impl Pace {
    /// From the start of a recording. No `stillness`: as long as it was.
    pub(crate) fn new(speed: f64, stillness: Option<Duration>) -> Pace {
        Pace { speed, stillness: stillness.unwrap_or(Duration::MAX), at: Duration::ZERO, due: Duration::ZERO }
    }

    /// When the next event is due, which was so long after the start.
    pub(super) fn due(&mut self, at: Duration) -> Duration {
        let still = at.saturating_sub(self.at).min(self.stillness);
        self.at = self.at.max(at);
        self.due += still.div_f64(self.speed);
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_due_as_they_were_but_for_speed_and_stillness() {
        let seconds = Duration::from_secs_f64;
        for (speed, stillness, due) in [
            (1.0, None, [1.0, 1.5, 61.5, 61.5, 62.0]),
            (2.0, None, [0.5, 0.75, 30.75, 30.75, 31.0]),
            (1.0, Some(5.0), [1.0, 1.5, 6.5, 6.5, 7.0]),
            (10.0, Some(5.0), [0.1, 0.15, 0.65, 0.65, 0.7]),
        ] {
            let mut pace = Pace::new(speed, stillness.map(seconds));
            // An event that is earlier than the one before, as no recorder writes it, does not hold the others up.
            let at = [1.0, 1.5, 61.5, 3.0, 62.0];
            let all = at.map(|at| pace.due(seconds(at)).as_secs_f64());
            let close = all.iter().zip(due).all(|(one, due)| (one - due).abs() < 1e-6);
            assert!(close, "{speed} {stillness:?}: {all:?}");
        }
    }
}
