//! What `--path` means: names of nodes from the root down, one per step.

/// Splits `prod.web`, `prod web` and their mixtures. `:slug` (or `[slug]`, as paths are shown) names one host's
/// cell; a slug may hold dots, so after `:` it runs to the next blank: `prod.web:web1.example.com logs`.
/// `/` and the empty text are the root.
///
/// # Errors
/// A sentence, when a step is empty or a bracket is left open.
pub(crate) fn split(path: &str) -> Result<Vec<String>, String> {
    let mut steps = Vec::new();
    for word in path.split_whitespace().filter(|word| *word != "/") {
        split_word(word, &mut steps)
            .map_err(|why| format!("--path {path:?}: {why}; write it like prod.web or prod.web:host"))?;
    }
    Ok(steps)
}

fn split_word(word: &str, steps: &mut Vec<String>) -> Result<(), &'static str> {
    let mut rest = word;
    loop {
        if let Some(slug) = rest.strip_prefix(':') {
            return push(steps, slug, ":");
        }
        if let Some(inside) = rest.strip_prefix('[') {
            let (slug, after) = inside.split_once(']').ok_or("a [ is not closed")?;
            push(steps, slug, ":")?;
            rest = after;
        } else {
            let end = rest.find(['.', ':', '[']).unwrap_or(rest.len());
            push(steps, &rest[..end], "")?;
            rest = &rest[end..];
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Ok(()),
            None if rest.starts_with([':', '[']) => {}
            None => return Err("after ] comes a dot"),
        }
    }
}

fn push(steps: &mut Vec<String>, name: &str, prefix: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("a name is empty");
    }
    steps.push(format!("{prefix}{name}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn dots_blanks_and_cells_separate_steps() {
        for (path, steps) in [
            ("prod", &["prod"][..]),
            ("prod.web", &["prod", "web"]),
            ("prod web", &["prod", "web"]),
            ("  prod.web  db ", &["prod", "web", "db"]),
            ("prod.web:web1", &["prod", "web", ":web1"]),
            ("prod.web.:web1", &["prod", "web", ":web1"]),
            ("prod web :web1", &["prod", "web", ":web1"]),
            ("prod.web:web1.example.com logs", &["prod", "web", ":web1.example.com", "logs"]),
            ("prod.web[web1.example.com].logs", &["prod", "web", ":web1.example.com", "logs"]),
            (":0", &[":0"]),
            ("/", &[]),
            ("/ prod", &["prod"]),
            ("", &[]),
        ] {
            assert_eq!(split(path).unwrap(), steps, "{path:?}");
        }
    }

    #[test]
    fn a_missing_name_is_an_error() {
        for path in ["prod..web", ".prod", "prod.", "prod:", "prod[web", "prod[]", "prod[a]b"] {
            let message = split(path).unwrap_err();
            assert!(message.starts_with(&format!("--path {path:?}: ")), "{message}");
        }
    }
}
