//! Long text page by page (rows I-20, I-21 with W-58).

use std::io;
use std::sync::Arc;

use crate::terminal::keys::{Key, KeyDecoder};
use crate::terminal::style::{Style, width};
use crate::terminal::{LineFilter, Size, Terminal};

/// Shows text; on a terminal with a person it stops after each full page and waits for a key: `q` or Ctrl-C ends it,
/// anything else goes on. It never waits when nothing follows, nor where nobody is there.
///
/// # Errors
/// When the terminal went away.
pub async fn page(terminal: &Arc<dyn Terminal>, text: &str) -> io::Result<()> {
    if !terminal.interactive() {
        return terminal.print(text).await;
    }
    let mut rest = text;
    loop {
        let size = *terminal.size().borrow();
        let (now, later) = split_page(rest, size);
        terminal.print(now).await?;
        if later.is_empty() || !wants_more(terminal).await? {
            return Ok(());
        }
        rest = later;
    }
}

/// As many whole lines as fill a screen but for the line that asks, at least one.
fn split_page(text: &str, size: Size) -> (&str, &str) {
    let room = usize::from(size.rows).saturating_sub(1).max(1);
    let mut used = 0;
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let plain: String = LineFilter::new(false).push(format!("{}\n", line.trim_end()).as_bytes()).concat();
        let rows = width(&plain).div_ceil(usize::from(size.cols)).max(1);
        if used + rows > room && end > 0 {
            break;
        }
        used += rows;
        end += line.len();
    }
    text.split_at(end)
}

async fn wants_more(terminal: &Arc<dyn Terminal>) -> io::Result<bool> {
    let mut keyboard = terminal.keyboard();
    let mut decoder = KeyDecoder::new();
    let prompt = Style::Cyan.paint(terminal.colour(), "-- more; q stops --");
    terminal.write(format!("\r{prompt}").as_bytes()).await?;
    let key = loop {
        match decoder.next_key() {
            Some(key) => break Some(key),
            None => match keyboard.read().await {
                Some(bytes) => decoder.feed(&bytes),
                None => break None,
            },
        }
    };
    keyboard.unread(decoder.take_rest());
    let blank = if terminal.term() == "dumb" { "\r\n" } else { "\r\x1b[K" };
    terminal.write(blank.as_bytes()).await?;
    Ok(!matches!(key, None | Some(Key::Char('q') | Key::Ctrl('c' | 'd'))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::terminal::scripted::ScriptedTerminal;

    async fn paged(lines: usize, keys: &str) -> String {
        let screen = ScriptedTerminal::interactive();
        screen.resize(Size { rows: 4, cols: 10 });
        screen.type_keys(keys).await;
        screen.end_of_input();
        let terminal: Arc<dyn Terminal> = screen.clone();
        let text: String = (1..=lines).map(|n| format!("{n}\n")).collect();
        page(&terminal, &text).await.unwrap();
        screen.output().replace("\r\x1b[36m-- more; q stops --\x1b[0m\r\x1b[K", "[?]").replace("\r\n", " ")
    }

    // rows: I-20 I-21 W-58
    #[tokio::test]
    async fn it_stops_after_each_full_page_and_only_when_more_follows() {
        assert_eq!(paged(3, "").await, "1 2 3 ");
        assert_eq!(paged(7, " \r").await, "1 2 3 [?]4 5 6 [?]7 ");
        assert_eq!(paged(7, " q").await, "1 2 3 [?]4 5 6 [?]");
        assert_eq!(paged(7, "\x03").await, "1 2 3 [?]");
        let plain = ScriptedTerminal::new();
        let terminal: Arc<dyn Terminal> = plain.clone();
        page(&terminal, &"x\n".repeat(100)).await.unwrap();
        assert_eq!(plain.output(), "x\n".repeat(100));
    }

    #[test]
    fn long_lines_take_several_rows() {
        let size = Size { rows: 4, cols: 10 };
        assert_eq!(split_page("\x1b[31m12345678901\x1b[0m\na\nb\n", size), ("\x1b[31m12345678901\x1b[0m\na\n", "b\n"));
        assert_eq!(split_page(&"x".repeat(99), size).1, "");
    }
}
