//! Small text helpers that deployments use: quoting for shells, indentation (rows K-01..K-03).

/// Makes text safe inside single quotes: each quote becomes quote, backslash, quote, quote (row K-01).
///
/// ```
/// assert_eq!(deployer_core::text::esc1("it's"), r"it'\''s");
/// ```
pub fn esc1(text: &str) -> String {
    text.replace('\'', r"'\''")
}

/// Puts a backslash before double quotes only; dollar, backtick and backslash stay active (row K-02).
///
/// ```
/// assert_eq!(deployer_core::text::esc2("say \"$x\""), "say \\\"$x\\\"");
/// ```
pub fn esc2(text: &str) -> String {
    text.replace('"', "\\\"")
}

/// One shell word: quoted only where a shell would read it differently otherwise.
///
/// ```
/// use deployer_core::text::shell_word;
/// assert_eq!(shell_word("/srv/app-1.2"), "/srv/app-1.2");
/// assert_eq!(shell_word("two words"), "'two words'");
/// assert_eq!(shell_word(""), "''");
/// ```
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_string();
    }
    format!("'{}'", esc1(text))
}

/// Puts `prefix` before every line, an empty last one included; the result ends with a newline (row K-03).
///
/// ```
/// assert_eq!(deployer_core::text::indent("a\nb", "    "), "    a\n    b\n");
/// ```
pub fn indent(text: &str, prefix: &str) -> String {
    text.split('\n').map(|line| format!("{prefix}{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // rows: K-01
    #[test]
    fn esc1_is_safe_inside_single_quotes() {
        for (text, escaped) in [("plain", "plain"), ("it's", r"it'\''s"), ("'", r"'\''"), ("$(x) `y`", "$(x) `y`")] {
            assert_eq!(esc1(text), escaped);
        }
    }

    // rows: K-02
    #[test]
    fn esc2_touches_double_quotes_only() {
        assert_eq!(esc2(r#"a "b" $c \d `e`"#), r#"a \"b\" $c \d `e`"#);
    }

    // rows: K-03
    #[test]
    fn indent_prefixes_every_line_an_empty_last_one_included() {
        assert_eq!(indent("a\nb\n", "    "), "    a\n    b\n    \n");
        assert_eq!(indent("", "> "), "> \n");
    }

    #[test]
    fn a_shell_reads_back_every_word() {
        for word in ["", "a b", "it's", "$HOME", "*", "~", "-n", "tab\there", "new\nline", "ünï"] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", shell_word(word))])
                .output()
                .expect("sh runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }
}
