//! The command line that a host's shell gets, made of the context and the command (row F-13). Pure text work.
//!
//! Always `cd DIR && export TERM=.. && export A=.. && (P1 && P2 && CMD)`, however the scopes were nested. Directory
//! and variables stand outside the parentheses, so that an `||` in the command never hides their failure.

use super::HostContext;
use super::directory::Directories;
use crate::text::{esc1, shell_word};

/// Where the shell that runs the line finds the login user's home directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// In `$HOME`.
    Variable,
    /// In `$1`, handed in by the shell of the login user: under sudo `$HOME` is somebody else's, but `cd ~` has
    /// always meant the login user's (row F-20).
    Argument,
}

/// A composed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What the shell reads.
    pub(crate) text: String,
    /// Whether the line expects the home directory as `$1`.
    pub(crate) takes_home: bool,
}

/// Composes the line. `term` is the TERM of the terminal, empty when it has none (row F-38).
///
/// # Errors
/// What is wrong with the command, a directory or a variable, ready to be shown after the host's name.
pub(crate) fn compose(context: &HostContext, term: &str, command: &str, home: Home) -> Result<Line, String> {
    check(context, command)?;
    let mut parts = Vec::new();
    let mut takes_home = false;
    if let Some(directory) = Directories::of(context) {
        let (word, uses_home) = directory.word(home);
        parts.push(format!("cd {word}"));
        takes_home = uses_home && home == Home::Argument;
    }
    if takes_home {
        parts.push("shift".to_string());
    }
    parts.push(format!("export TERM={}", term_value(term)));
    for variable in &context.variables {
        let value = if variable.escape { format!("'{}'", esc1(&variable.value)) } else { variable.value.clone() };
        parts.push(format!("export {}={value}", variable.name));
    }
    parts.push(parenthesised(context, command));
    Ok(Line { text: parts.join(" && "), takes_home })
}

/// The line that only checks the syntax of what [`compose`] made: no part of it runs (row F-24 with design 8).
pub(crate) fn syntax_check(line: &Line) -> String {
    format!("/bin/sh -n -c '{}'", esc1(&line.text))
}

/// The command with its prefixes, as errors and logs name it (row F-27).
pub(crate) fn shown(context: &HostContext, command: &str) -> String {
    let prefixes = context.prefixes.iter().map(|(_, prefix)| prefix.as_str());
    prefixes.chain([command]).collect::<Vec<_>>().join(" && ")
}

fn check(context: &HostContext, command: &str) -> Result<(), String> {
    if command.trim().is_empty() {
        return Err("the command is empty".to_string());
    }
    let values = context.variables.iter().map(|v| &v.value);
    let prefixes = context.prefixes.iter().map(|(_, prefix)| prefix);
    let paths = context.directories.iter().map(|d| &d.path);
    if command.contains('\0') || values.chain(prefixes).chain(paths).any(|text| text.contains('\0')) {
        return Err("a command, directory or variable contains a NUL byte, which no shell takes".to_string());
    }
    match context.variables.iter().find(|v| !is_name(&v.name)) {
        Some(v) => Err(format!("'{}' is no name for a variable: use letters, digits and _", v.name)),
        None => Ok(()),
    }
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// TERM comes from whoever attached; what does not look like the name of a terminal is not passed on.
fn term_value(term: &str) -> &str {
    match term {
        "" => "''",
        name if name.len() <= 64 && name == shell_word(name) => name,
        _ => "dumb",
    }
}

fn parenthesised(context: &HostContext, command: &str) -> String {
    if context.prefixes.is_empty() {
        return if command.contains(['#', '\n']) { format!("({command}\n)") } else { format!("({command})") };
    }
    let prefixes = context.prefixes.iter().map(|(_, prefix)| prefix.as_str());
    format!("({})", prefixes.chain([command]).map(grouped).collect::<Vec<_>>().join(" && "))
}

/// A list of commands in braces, so that a failing prefix stops all of it: in `P && a; b` the `b` would still run.
/// The line end before the brace closes comments and here-documents.
fn grouped(command: &str) -> String {
    let list = command.contains([';', '&', '|', '#', '\n']);
    if list { format!("{{ {command}\n}}") } else { command.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(context: &HostContext, command: &str) -> String {
        compose(context, "xterm", command, Home::Variable).expect("composed").text
    }

    // rows: F-13 F-38 W-07
    #[test]
    fn without_context_only_term_is_set() {
        let context = HostContext::default();
        assert_eq!(text(&context, "ls || true"), "export TERM=xterm && (ls || true)");
        assert_eq!(compose(&context, "", "ls", Home::Variable).unwrap().text, "export TERM='' && (ls)");
        assert_eq!(compose(&context, "x;reboot", "ls", Home::Variable).unwrap().text, "export TERM=dumb && (ls)");
    }

    // rows: F-07 F-08 F-09 F-13
    #[test]
    fn the_order_is_directory_variables_prefixes_however_they_were_nested() {
        let mut context = HostContext::default();
        context.push_prefix("source env");
        context.push_variable("A", "it's", true);
        context.push_prefix("true");
        context.push_directory("/srv/my app", false, false);
        context.push_variable("B", "$A:x", false);
        assert_eq!(
            text(&context, "make"),
            r"cd /srv/'my app' && export TERM=xterm && export A='it'\''s' && export B=$A:x && (source env && true && make)"
        );
        assert_eq!(shown(&context, "make"), "source env && true && make");
    }

    // rows: F-09
    #[test]
    fn a_list_after_a_prefix_is_one_command() {
        let mut context = HostContext::default();
        context.push_prefix("false");
        assert_eq!(text(&context, "a; b"), "export TERM=xterm && (false && { a; b\n})");
    }

    #[test]
    fn a_comment_does_not_swallow_the_parenthesis() {
        assert_eq!(text(&HostContext::default(), "ls # all"), "export TERM=xterm && (ls # all\n)");
    }

    // rows: F-20
    #[test]
    fn under_sudo_the_tilde_is_still_the_login_users() {
        let mut context = HostContext::default();
        context.push_directory("~/app", true, false);
        let line = compose(&context, "xterm", "ls", Home::Argument).unwrap();
        assert_eq!(line.text, r#"cd "${1:?}"/app && shift && export TERM=xterm && (ls)"#);
        assert!(line.takes_home);
    }

    // rows: W-07
    #[test]
    fn what_no_shell_takes_is_refused() {
        let mut context = HostContext::default();
        assert!(compose(&context, "", " \n", Home::Variable).is_err());
        assert!(compose(&context, "", "a\0b", Home::Variable).is_err());
        context.push_variable("A;reboot", "x", true);
        let error = compose(&context, "", "ls", Home::Variable).unwrap_err();
        assert!(error.contains("'A;reboot'"), "{error}");
    }

    // rows: F-24
    #[test]
    fn the_syntax_check_quotes_the_whole_line() {
        let line = compose(&HostContext::default(), "xterm", "echo 'a'", Home::Variable).unwrap();
        assert_eq!(syntax_check(&line), r"/bin/sh -n -c 'export TERM=xterm && (echo '\''a'\'')'");
    }
}
