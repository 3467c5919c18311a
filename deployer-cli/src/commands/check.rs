//! `deployer check`: what is wrong with the tree, as far as that can be known without acting.

use std::path::PathBuf;
use std::sync::Arc;

use deployer_core::check::{self, Finding, Report, Severity};
use deployer_core::script::LoadError;
use deployer_core::shell::Tree;
use serde::Serialize;

use super::{Program, print, say};
use crate::Source;
use crate::args::Check;
use crate::failure::{Failure, USAGE};
use crate::file;
use crate::tree::FileTree;

/// Version of the JSON output. Fields may be added without changing it; consumers ignore those that they do not know.
const SCHEMA: u32 = 1;

/// Exit status 0 when there is nothing or only warnings, 2 when something is wrong.
pub(super) fn check(program: &Program, check: &Check) -> Result<u8, Failure> {
    let tree = tree(program)?;
    let report = match tree.load() {
        Ok(root) => check::check(&root),
        Err(error) => Report { findings: vec![unusable(error, &tree.origin())], nodes: 0 },
    };
    if check.json {
        let text =
            json(&tree.origin(), &report).map_err(|error| Failure::other(format!("cannot write JSON: {error}")))?;
        print(&text)?;
    } else {
        print(&report.findings.iter().map(|finding| format!("{finding}\n")).collect::<String>())?;
        say(&totals(&report));
    }
    Ok(if report.count(Severity::Error) > 0 { USAGE } else { 0 })
}

/// The tree, not loaded yet. A file that was named is shown as it was named, and reading it is part of the check.
fn tree(program: &Program) -> Result<Arc<dyn Tree>, Failure> {
    let named = program.file.clone().or_else(file::from_environment);
    match (&program.source, named) {
        (Source::File, Some(path)) => Ok(Arc::new(FileTree::new(path))),
        (Source::File, None) => Ok(Arc::new(FileTree::new(shorter(file::find(None)?)))),
        (Source::Tree(tree), _) => program.deployment_file().map(|_| tree.clone()),
    }
}

/// Relative to the working directory where that is possible: as one would write it.
fn shorter(path: PathBuf) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(PathBuf::from)).unwrap_or(path)
}

/// A file that does not load is one finding.
fn unusable(error: LoadError, origin: &str) -> Finding {
    let message = match error.position {
        Some(_) => error.message,
        None if error.message.contains(origin) => error.message,
        None => format!("{origin}: {}", error.message),
    };
    Finding { severity: Severity::Error, node: None, position: error.position, message }
}

fn totals(report: &Report) -> String {
    let (errors, warnings) = (report.count(Severity::Error), report.count(Severity::Warning));
    let counted = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let nodes = counted(report.nodes, "node");
    match (report.nodes, errors, warnings) {
        (0, ..) => "the tree could not be loaded".to_string(),
        (_, 0, 0) => format!("{nodes} checked, nothing is wrong"),
        _ => format!("{nodes} checked: {}, {}", counted(errors, "error"), counted(warnings, "warning")),
    }
}

#[derive(Serialize)]
struct Output<'a> {
    schema: u32,
    file: &'a str,
    findings: Vec<Line<'a>>,
    nodes: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    /// `error` or `warning`.
    severity: String,
    /// Dotted path; null for the file as a whole.
    node: Option<&'a str>,
    /// Null when the place is not known.
    file: Option<&'a str>,
    line: Option<u32>,
    message: &'a str,
}

/// One object in one line.
fn json(origin: &str, report: &Report) -> serde_json::Result<String> {
    let findings = report.findings.iter().map(line).collect();
    let output = Output { schema: SCHEMA, file: origin, findings, nodes: report.nodes };
    serde_json::to_string(&output).map(|text| text + "\n")
}

fn line(finding: &Finding) -> Line<'_> {
    let position = finding.position.as_ref();
    Line {
        severity: finding.severity.to_string(),
        node: finding.node.as_deref(),
        file: position.map(|position| &*position.file),
        line: position.map(|position| position.line),
        message: &finding.message,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use deployer_core::node::Position;

    fn report() -> Report {
        let finding = |severity, node: Option<&str>, position, message: &str| Finding {
            severity,
            node: node.map(str::to_string),
            position,
            message: message.to_string(),
        };
        let at = Position::new("deploy.lua", 7);
        Report {
            findings: vec![
                finding(Severity::Error, Some("root.web"), Some(at), "no\n  way"),
                finding(Severity::Warning, None, None, "hm"),
            ],
            nodes: 1,
        }
    }

    #[test]
    fn a_finding_is_one_line() {
        let lines: Vec<String> = report().findings.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["deploy.lua:7: error: root.web: no way", "warning: hm"]);
    }

    #[test]
    fn the_totals_are_words() {
        assert_eq!(totals(&report()), "1 node checked: 1 error, 1 warning");
        assert_eq!(totals(&Report { findings: Vec::new(), nodes: 12 }), "12 nodes checked, nothing is wrong");
    }

    #[test]
    fn programs_get_one_object_with_a_schema() {
        let expected = concat!(
            r#"{"schema":1,"file":"deploy.lua","findings":["#,
            r#"{"severity":"error","node":"root.web","file":"deploy.lua","line":7,"message":"no\n  way"},"#,
            r#"{"severity":"warning","node":null,"file":null,"line":null,"message":"hm"}],"nodes":1}"#,
            "\n"
        );
        assert_eq!(json("deploy.lua", &report()).unwrap(), expected);
    }
}
