//! Parallel runs as lines: whole lines of each isolation, its label in front (`web1 | text`).

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::AbortOnDropHandle;

use super::line_filter::LineFilter;
use super::style::{self, Style};
use super::{AuxiliaryRequest, Keyboard, KeyboardHub, Kind, Size, Terminal};

/// Colours of labels, by position in host order; red is left to failures.
const PALETTE: [Style; 6] = [Style::Cyan, Style::Green, Style::Yellow, Style::Blue, Style::Magenta, Style::White];

/// Widest label, columns; a longer one is cut so that output keeps most of the line.
const LABEL_MAX: usize = 32;

/// An auxiliary terminal that shows whole lines on its parent, with the label in front.
///
/// Relies on the parent writing the bytes of one call together. Programs see a terminal without keyboard, narrower
/// than the parent by the label. A line that never ended is shown by [`Terminal::finish`].
pub struct LinesTerminal {
    parent: Arc<dyn Terminal>,
    label: String,
    prefix: String,
    filters: Mutex<Filters>,
    /// One block of lines at a time, in the order written.
    turn: Semaphore,
    /// Columns taken by the label.
    taken: usize,
    /// What programs are told, and the task that follows the parent; from when somebody asks. Few do: a program with
    /// pipes has no size.
    size: OnceLock<(watch::Receiver<Size>, AbortOnDropHandle<()>)>,
    keyboard: KeyboardHub,
}

struct Filters {
    output: LineFilter,
    talk: LineFilter,
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Talk,
}

impl LinesTerminal {
    /// A terminal for one isolation, shown on `parent`. To be used within a tokio runtime.
    pub fn new(parent: Arc<dyn Terminal>, request: &AuxiliaryRequest) -> Arc<LinesTerminal> {
        let colour = parent.colour();
        let label = style::cut(&style::escaped(&request.label), LABEL_MAX);
        let label = style::padded(&label, request.label_width.min(LABEL_MAX));
        let taken = style::width(&label) + 3;
        let prefix = format!("{} | ", PALETTE[request.index % PALETTE.len()].paint(colour, &label));
        let keyboard = KeyboardHub::new();
        keyboard.close();
        Arc::new(LinesTerminal {
            parent,
            label: request.label.clone(),
            prefix,
            filters: Mutex::new(Filters { output: LineFilter::new(colour), talk: LineFilter::new(colour) }),
            turn: Semaphore::new(1),
            taken,
            size: OnceLock::new(),
            keyboard,
        })
    }

    async fn show(&self, stream: Stream, lines: impl FnOnce(&mut LineFilter) -> Vec<String>) -> io::Result<()> {
        let _turn = self.turn.acquire().await;
        let lines = {
            let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
            match stream {
                Stream::Output => lines(&mut filters.output),
                Stream::Talk => lines(&mut filters.talk),
            }
        };
        if lines.is_empty() {
            return Ok(());
        }
        let text: String = lines.iter().map(|line| format!("{}{line}\n", self.prefix)).collect();
        match stream {
            Stream::Output => self.parent.print(&text).await,
            Stream::Talk => self.parent.print_talk(&text).await,
        }
    }
}

/// A size that follows the parent's, `taken` columns narrower.
fn narrowed(mut parent: watch::Receiver<Size>, taken: usize) -> (watch::Receiver<Size>, AbortOnDropHandle<()>) {
    let narrow = move |size: Size| {
        let taken = u16::try_from(taken).unwrap_or(u16::MAX);
        Size::clamped(size.rows, size.cols.saturating_sub(taken).max(2))
    };
    let (sender, size) = watch::channel(narrow(*parent.borrow_and_update()));
    let follow = tokio::spawn(async move {
        while parent.changed().await.is_ok() {
            sender.send_replace(narrow(*parent.borrow_and_update()));
        }
    });
    (size, AbortOnDropHandle::new(follow))
}

#[async_trait]
impl Terminal for LinesTerminal {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.show(Stream::Output, |filter| filter.push(bytes)).await
    }

    async fn write_talk(&self, bytes: &[u8]) -> io::Result<()> {
        // One screen, one order; two streams are kept apart where the parent has two.
        match self.parent.kind() {
            Kind::Tty => self.write(bytes).await,
            Kind::Plain => self.show(Stream::Talk, |filter| filter.push(bytes)).await,
        }
    }

    fn kind(&self) -> Kind {
        self.parent.kind()
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.size.get_or_init(|| narrowed(self.parent.size(), self.taken)).0.clone()
    }

    fn term(&self) -> String {
        self.parent.term()
    }

    fn colour(&self) -> bool {
        self.parent.colour()
    }

    fn interactive(&self) -> bool {
        false
    }

    fn keyboard(&self) -> Keyboard {
        self.keyboard.lease()
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        // A parallel run within an isolation: its label comes first, then ours is implied by host order.
        Ok(LinesTerminal::new(self.parent.clone(), &request))
    }

    fn label(&self) -> Option<&str> {
        Some(&self.label)
    }

    async fn fresh_line(&self) -> io::Result<()> {
        self.show(Stream::Output, |filter| filter.finish().into_iter().collect()).await
    }

    async fn finish(&self) -> io::Result<()> {
        self.fresh_line().await?;
        self.show(Stream::Talk, |filter| filter.finish().into_iter().collect()).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::scripted::ScriptedTerminal;
    use super::*;

    fn request(label: &str, index: usize) -> AuxiliaryRequest {
        AuxiliaryRequest { label: label.to_string(), label_width: 4, index, run: None }
    }

    #[tokio::test]
    async fn lines_of_two_hosts_never_mix() {
        let screen = ScriptedTerminal::new();
        let web = LinesTerminal::new(screen.clone(), &request("web1", 0));
        let db = LinesTerminal::new(screen.clone(), &request("db", 1));
        web.write(b"first ha").await.unwrap();
        db.write(b"a line\npart").await.unwrap();
        web.write_talk(b"a complaint\n").await.unwrap();
        web.write(b"lf\r\n").await.unwrap();
        db.finish().await.unwrap();
        web.finish().await.unwrap();
        assert_eq!(screen.output(), "db   | a line\nweb1 | a complaint\nweb1 | first half\ndb   | part\n");
    }

    #[tokio::test]
    async fn a_tty_gets_a_coloured_label_and_programs_a_narrower_screen() {
        let screen = ScriptedTerminal::interactive();
        let web = LinesTerminal::new(screen.clone(), &request("web1", 0));
        web.write(b"text\n").await.unwrap();
        assert_eq!(screen.output(), "\x1b[36mweb1\x1b[0m | text\r\n");
        let mut size = web.size();
        assert_eq!(*size.borrow_and_update(), Size { rows: 40, cols: 73 });
        screen.resize(Size { rows: 10, cols: 5 });
        size.changed().await.unwrap();
        assert_eq!(*size.borrow(), Size { rows: 10, cols: 2 });
        assert!(!web.interactive());
        assert_eq!(web.keyboard().read().await, None);
    }
}
