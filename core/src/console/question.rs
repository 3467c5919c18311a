//! How a question is worded, and which answers it takes. No input or output.

use zeroize::Zeroizing;

use crate::host::{Question, QuestionKind};
use crate::terminal::style;

/// Longest notice shown, lines; it may come from a host.
const NOTICE_LINES: usize = 40;
/// The same for a choice, whose notice may be a table of what there is to choose from.
const TABLE_LINES: usize = 1000;
/// Longest line of a notice, columns.
const NOTICE_COLUMNS: usize = 400;
/// Longest prompt shown, columns; it may come from a host.
const PROMPT_COLUMNS: usize = 200;

/// Options listed above the line with the answer, where they do not fit on it.
const OPTIONS_SHOWN: usize = 40;
/// Words named after a wrong answer.
const TOLD_MAX: usize = 12;

/// The texts of a question, harmless whoever wrote them.
pub(super) struct Wording {
    notice: Vec<String>,
    /// `web1: `, in front of whatever stands on the line of the answer.
    label: String,
    /// What is asked.
    prompt: String,
    /// What there is to choose from.
    options: Vec<String>,
    /// What Enter takes: `[main] `.
    default: String,
    kind: QuestionKind,
}

impl Wording {
    /// The label first, so that an answer never goes to the wrong host (row I-02).
    pub(super) fn new(question: &Question) -> Wording {
        let label = style::escaped(&question.label);
        let (options, default) = match &question.kind {
            QuestionKind::Choice { options, default } => (options.as_slice(), default.as_ref()),
            QuestionKind::Secret | QuestionKind::Line | QuestionKind::Confirm => (&[][..], None),
        };
        let lines = if options.is_empty() { NOTICE_LINES } else { TABLE_LINES };
        let notice = style::escaped_lines(&question.notice, lines);
        let prompt = style::cut(&style::escaped(question.prompt.trim_end()), PROMPT_COLUMNS);
        Wording {
            notice: notice.into_iter().map(|line| style::cut(&line, NOTICE_COLUMNS)).collect(),
            label: if label.is_empty() { label } else { format!("{label}: ") },
            prompt: prompt.trim_end_matches(':').to_string(),
            options: options.iter().map(|option| style::escaped(option)).collect(),
            default: default.map(|default| format!("[{}] ", style::escaped(default))).unwrap_or_default(),
            kind: question.kind.clone(),
        }
    }

    /// Whether a table of what there is to choose from stands above.
    pub(super) fn has_table(&self) -> bool {
        matches!(self.kind, QuestionKind::Choice { .. }) && !self.notice.is_empty()
    }

    /// Columns that the line keeps free for the answer.
    pub(super) fn room(&self, columns: usize) -> usize {
        let wanted = match &self.kind {
            QuestionKind::Secret | QuestionKind::Line => columns / 2,
            QuestionKind::Confirm => 4,
            QuestionKind::Choice { .. } => {
                let longest = self.options.iter().map(|option| style::width(option)).max();
                (longest.unwrap_or_default() + 1).min(columns / 4)
            }
        };
        wanted.min(columns / 2)
    }

    /// What stands above the line with the answer, and in front of the answer, on a screen this wide. What does not
    /// fit moves above: first the options, one on a line, then the question itself.
    pub(super) fn laid_out(&self, columns: usize) -> (String, String) {
        let fits = |line: &str| style::width(line) + self.room(columns) <= columns;
        let mut above = self.notice.clone();
        let mut line = format!("{}{}", self.label, self.in_one());
        if !fits(&format!("  {line}")) && !self.options.is_empty() {
            if !self.told_by_notice() {
                above.extend(self.options.iter().take(OPTIONS_SHOWN).map(|option| format!("  {option}")));
                if self.options.len() > OPTIONS_SHOWN {
                    above.push(format!("  ... and {} more: Tab completes", self.options.len() - OPTIONS_SHOWN));
                }
            }
            line = match self.prompt.as_str() {
                "" => format!("{}which one? {}", self.label, self.default),
                prompt => format!("{}{prompt}{}{}", self.label, ending(prompt, ""), self.default),
            };
        }
        if !fits(&format!("  {line}")) {
            above.push(line.strip_suffix(&self.default).unwrap_or(&line).trim_end().to_string());
            line = format!("{}{}", self.label, self.default);
        }
        let folded = above.iter().flat_map(|line| style::folded(&format!("  {line}"), columns));
        (folded.map(|line| line + "\n").collect(), format!("  {line}"))
    }

    /// The question, its options and its default.
    fn in_one(&self) -> String {
        let Wording { prompt, default, .. } = self;
        match &self.kind {
            QuestionKind::Secret | QuestionKind::Line => format!("{prompt}: "),
            QuestionKind::Confirm => format!("{prompt} [yes/no]: "),
            QuestionKind::Choice { .. } if prompt.is_empty() => format!("{}? {default}", one_of(&self.options)),
            QuestionKind::Choice { .. } => {
                format!("{prompt}{}{default}", ending(prompt, &format!("({})", one_of(&self.options))))
            }
        }
    }

    /// Whether the notice is a table of the options.
    fn told_by_notice(&self) -> bool {
        // `web1  10.0.0.11` or `1) main`.
        let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        let told =
            |option: &String| self.notice.iter().any(|line| line.strip_prefix(option.as_str()).is_some_and(ends));
        self.options.iter().all(told)
    }
}

/// What comes between a question and its default.
fn ending(prompt: &str, options: &str) -> String {
    let mark = if prompt.ends_with('?') { "" } else { ":" };
    match options {
        "" => format!("{mark} "),
        options => format!(" {options}{mark} "),
    }
}

/// `abort, retry or skip`.
fn one_of(options: &[String]) -> String {
    match options {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What becomes of a typed line.
pub(super) enum Judgement {
    Accepted(Zeroizing<String>),
    /// Ask again, and say why.
    Again(Option<String>),
}

/// Judges a typed line (rows I-03, I-04, I-07, I-19).
pub(super) fn judge(kind: &QuestionKind, typed: &Zeroizing<String>) -> Judgement {
    let word = typed.trim();
    match kind {
        // An empty password is one; a person who has none presses Enter.
        QuestionKind::Secret => Judgement::Accepted(typed.clone()),
        QuestionKind::Line if word.is_empty() => Judgement::Again(None),
        QuestionKind::Line => Judgement::Accepted(Zeroizing::new(word.to_string())),
        QuestionKind::Confirm => match word.to_ascii_lowercase().as_str() {
            "yes" | "y" => Judgement::Accepted(Zeroizing::new("yes".to_string())),
            "no" | "n" => Judgement::Accepted(Zeroizing::new("no".to_string())),
            "" => Judgement::Again(None),
            _ => Judgement::Again(Some("please type yes or no".to_string())),
        },
        QuestionKind::Choice { options, default } => choose(options, default.as_deref(), word),
    }
}

fn choose(options: &[String], default: Option<&str>, word: &str) -> Judgement {
    if word.is_empty() {
        return match default {
            Some(default) => Judgement::Accepted(Zeroizing::new(default.to_string())),
            None => Judgement::Again(None),
        };
    }
    let typed = word.to_lowercase();
    if let Some(option) = options.iter().find(|option| *option == word) {
        return Judgement::Accepted(Zeroizing::new(option.clone()));
    }
    // The beginning of exactly one option is enough.
    let meant: Vec<&String> = options.iter().filter(|option| option.to_lowercase().starts_with(&typed)).collect();
    let exact = meant.iter().find(|option| option.to_lowercase() == typed);
    match (exact, meant.as_slice()) {
        (Some(option), _) | (None, [option]) => Judgement::Accepted(Zeroizing::new(option.to_string())),
        (None, []) => {
            let beginning =
                if options.iter().any(|option| option.chars().count() > 1) { "; a beginning is enough" } else { "" };
            Judgement::Again(Some(format!("please type {}{beginning}", told(options))))
        }
        (None, several) => {
            let several: Vec<String> = several.iter().map(|option| option.to_string()).collect();
            Judgement::Again(Some(format!("that may be {}: please type more of it", told(&several))))
        }
    }
}

/// The words, harmless, the first ones of very many.
fn told(options: &[String]) -> String {
    let shown: Vec<String> = options.iter().take(TOLD_MAX).map(|option| style::escaped(option)).collect();
    match options.len() - shown.len() {
        0 => one_of(&shown),
        more => format!("{} or one of {more} more", shown.join(", ")),
    }
}
