//! How far a transfer is: share, rate and time left, on one line of a screen.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::terminal::style::{clock, escaped, in_place};
use crate::terminal::{Kind, Terminal};

/// Transfers shorter than this show nothing.
const QUIET: Duration = Duration::from_millis(800);
/// How often the line is drawn at most.
const PAUSE: Duration = Duration::from_millis(200);
/// The rate is that of about the last seconds.
const MEMORY: f64 = 3.0;

/// Counts the bytes of a transfer, and shows them where somebody looks.
pub(crate) struct Meter {
    screen: Option<Arc<dyn Terminal>>,
    label: String,
    total: u64,
    done: u64,
    started: Instant,
    drawn: Option<Instant>,
    rate: Rate,
}

struct Rate {
    at: Instant,
    done: u64,
    per_second: f64,
}

impl Meter {
    /// A meter for a transfer of about so many bytes.
    pub(crate) fn new(terminal: &Arc<dyn Terminal>, show: bool, label: &str, total: u64) -> Meter {
        let screen = show && terminal.kind() == Kind::Tty && terminal.label().is_none() && terminal.interactive();
        let now = Instant::now();
        Meter {
            screen: screen.then(|| terminal.clone()),
            label: escaped(label),
            total,
            done: 0,
            started: now,
            drawn: None,
            rate: Rate { at: now, done: 0, per_second: 0.0 },
        }
    }

    /// Further bytes have gone over.
    pub(crate) async fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        self.look().await;
    }

    /// Draws the line when it is time to.
    pub(crate) async fn look(&mut self) {
        let now = Instant::now();
        let due = self.drawn.map_or(now.duration_since(self.started) >= QUIET, |at| now.duration_since(at) >= PAUSE);
        if !due || self.screen.is_none() {
            return;
        }
        self.drawn = Some(now);
        self.rate.count(now, self.done);
        let line = self.line();
        self.draw(Some(line)).await;
    }

    /// The transfer is over, well or not: the line stays as it is.
    pub(crate) async fn end(&mut self, whole: bool) {
        if self.drawn.take().is_none() {
            return;
        }
        let elapsed = self.started.elapsed();
        if whole {
            let rate = self.done as f64 / elapsed.as_secs_f64().max(0.001);
            let line = format!("{}  {} in {}, {}/s", self.label, size(self.done), clock(elapsed), size(rate as u64));
            self.draw(Some(line)).await;
        }
        self.draw(None).await;
    }

    fn line(&self) -> String {
        let rate = self.rate.per_second;
        let speed = if rate < 1.0 { "stalled".to_string() } else { format!("{}/s", size(rate as u64)) };
        if self.total == 0 || self.done > self.total {
            return format!("{}  {}  {speed}", self.label, size(self.done));
        }
        let percent = self.done.saturating_mul(100) / self.total;
        let left = match rate < 1.0 {
            true => String::new(),
            false => format!("  {} left", clock(Duration::from_secs_f64((self.total - self.done) as f64 / rate))),
        };
        format!("{}  {percent}%  {} of {}  {speed}{left}", self.label, size(self.done), size(self.total))
    }

    async fn draw(&self, line: Option<String>) {
        let Some(screen) = &self.screen else { return };
        let drawn: io::Result<()> = match line {
            Some(line) => screen.write_prompt(Some(&in_place(&line, screen.as_ref()))).await,
            None => screen.write_prompt(None).await,
        };
        if let Err(error) = drawn {
            tracing::debug!(%error, "progress could not be shown");
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let (Some(screen), Some(_)) = (&self.screen, self.drawn) {
            screen.abandon_prompt();
        }
    }
}

impl Rate {
    fn count(&mut self, now: Instant, done: u64) {
        let seconds = now.duration_since(self.at).as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let current = done.saturating_sub(self.done) as f64 / seconds;
        let weight = if self.done == 0 { 1.0 } else { (seconds / MEMORY).min(1.0) };
        self.per_second += (current - self.per_second) * weight;
        (self.at, self.done) = (now, done);
    }
}

/// Bytes for people: `0 B`, `17 KiB`, `1.5 GiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    if amount < 10.0 { format!("{amount:.1} {}", UNITS[unit]) } else { format!("{amount:.0} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn sizes_for_people() {
        let sizes = [0, 1023, 1024, 1536, 10 * 1024, 1024 * 1024 - 1, 5 << 30, u64::MAX].map(size);
        assert_eq!(sizes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10 KiB", "1.0 MiB", "5.0 GiB", "16384 PiB"]);
    }

    #[test]
    fn the_line_tells_share_rate_and_time_left() {
        let terminal: Arc<dyn Terminal> = crate::terminal::scripted::ScriptedTerminal::interactive();
        let mut meter = Meter::new(&terminal, true, "big\n.iso", 200 << 20);
        meter.done = 50 << 20;
        meter.rate.count(meter.started + Duration::from_secs(5), meter.done);
        assert_eq!(meter.line(), "big\\n.iso  25%  50 MiB of 200 MiB  10 MiB/s  0:15 left");
        meter.rate.per_second = 0.0;
        assert_eq!(meter.line(), "big\\n.iso  25%  50 MiB of 200 MiB  stalled");
        meter.total = 0;
        assert_eq!(meter.line(), "big\\n.iso  50 MiB  stalled");
    }
}
