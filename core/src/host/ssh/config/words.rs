//! A line of the configuration, cut into a keyword and its arguments.

/// Cuts a line into the keyword, lower-case, and the rest; an `=` may stand between them. `None`: nothing on it.
pub(super) fn split(line: &str) -> Option<(String, &str)> {
    let line = line.trim_matches(|c: char| c.is_ascii_whitespace());
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Some((keyword.trim_matches('"').to_ascii_lowercase(), rest.trim_start()))
}

/// The words of the rest of a line. A `#` at the start of a word ends it; quotes and backslashes work as in OpenSSH.
///
/// # Errors
/// A quote that is not closed.
pub(super) fn arguments(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(char::is_ascii_whitespace).is_some() {}
        match characters.peek() {
            None | Some('#') => return Ok(words),
            Some(_) => words.push(word(&mut characters)?),
        }
    }
}

fn word(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut word = String::new();
    let mut quote = None;
    while let Some(&c) = characters.peek() {
        if quote.is_none() && c.is_ascii_whitespace() {
            break;
        }
        characters.next();
        match c {
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            '\\' => match characters.peek() {
                Some(&next) if next == '\\' || next == '"' || next == '\'' || (next == ' ' && quote.is_none()) => {
                    word.push(next);
                    characters.next();
                }
                _ => word.push('\\'),
            },
            _ => word.push(c),
        }
    }
    match quote {
        Some(quote) => Err(format!("missing closing {quote}")),
        None => Ok(word),
    }
}
