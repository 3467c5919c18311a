//! `show-options` (row N-38): names and values in two columns, and where a value comes from that is no default.

use super::{Look, Reply, no_words};
use crate::shell::state::State;
use crate::terminal::style::{Style, padded, width};

pub(super) fn run(state: &mut State, words: &[String], look: &Look) -> Result<Reply, String> {
    no_words("show-options", words)?;
    let rows = state.options.shown();
    let names = rows.iter().map(|row| width(row.name)).max().unwrap_or(0);
    let values = rows.iter().map(|row| width(&row.value)).max().unwrap_or(0);
    let line = |row: &crate::options::Shown| {
        let origin = row.layer.map(|layer| Style::Dim.paint(look.colour, &format!("({})", layer.origin())));
        let line =
            format!("{}  {}  {}", padded(row.name, names), padded(&row.value, values), origin.unwrap_or_default());
        format!("{}\n", line.trim_end())
    };
    Ok(Reply::Text(rows.iter().map(line).collect()))
}
