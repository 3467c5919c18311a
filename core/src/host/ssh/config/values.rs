//! Values of settings, and what makes no sense as one.

use std::time::Duration;

use super::StrictHostKeys;

/// A list of files; empty for `none`.
pub(super) fn files(arguments: &[String]) -> Vec<String> {
    match arguments {
        [none] if none.eq_ignore_ascii_case("none") => Vec::new(),
        files => files.to_vec(),
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{text} is not a port number")),
        Ok(port) => Ok(port),
    }
}

pub(super) fn yes(keyword: &str, text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("{keyword} must be yes or no, not {text}")),
    }
}

pub(super) fn strict(text: &str) -> Result<StrictHostKeys, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(StrictHostKeys::Yes),
        "no" | "false" | "off" => Ok(StrictHostKeys::No),
        "accept-new" => Ok(StrictHostKeys::AcceptNew),
        "ask" => Ok(StrictHostKeys::Ask),
        _ => Err(format!("StrictHostKeyChecking must be yes, no, ask or accept-new, not {text}")),
    }
}

/// A time as OpenSSH writes it: seconds, or numbers with `s m h d w`. `None` for `none`.
pub(super) fn time(text: &str) -> Result<Option<Duration>, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let bad = || format!("{text} is not a time");
    let mut total: u64 = 0;
    let mut digits = String::new();
    for c in text.chars().chain(text.ends_with(|c: char| c.is_ascii_digit()).then_some('s')) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(bad()),
        };
        let number: u64 = std::mem::take(&mut digits).parse().map_err(|_| bad())?;
        total = number.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(bad)?;
    }
    if text.is_empty() || total > u64::from(u32::MAX) { Err(bad()) } else { Ok(Some(Duration::from_secs(total))) }
}
