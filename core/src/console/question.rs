//! How a question is worded, and which answers it takes. No input or output.

use zeroize::Zeroizing;

use crate::host::{Question, QuestionKind};
use crate::terminal::style;

/// Longest notice shown, lines; it may come from a host.
const NOTICE_LINES: usize = 40;
/// Longest line of a notice, columns.
const NOTICE_COLUMNS: usize = 400;
/// Longest prompt shown, columns; it may come from a host.
const PROMPT_COLUMNS: usize = 200;

/// The texts of a question, harmless whoever wrote them.
pub(super) struct Wording {
    notice: Vec<String>,
    prompt: String,
    short: String,
}

impl Wording {
    /// The label first, so that an answer never goes to the wrong host (row I-02).
    pub(super) fn new(question: &Question) -> Wording {
        let label = style::escaped(&question.label);
        let prompt = style::cut(&style::escaped(question.prompt.trim_end()), PROMPT_COLUMNS);
        let prompt = if label.is_empty() { prompt } else { format!("{label}: {prompt}") };
        let offered = match &question.kind {
            QuestionKind::Secret | QuestionKind::Line => String::new(),
            QuestionKind::Confirm => " [yes/no]".to_string(),
            QuestionKind::Choice { options, default } => {
                let options = style::escaped(&options.join("/"));
                let default = default.as_ref().map(|default| format!(" ({})", style::escaped(default)));
                format!(" [{options}]{}", default.unwrap_or_default())
            }
        };
        let notice = style::escaped_lines(&question.notice, NOTICE_LINES);
        let notice = notice.into_iter().map(|line| style::cut(&line, NOTICE_COLUMNS)).collect();
        let short = if label.is_empty() { "  ".to_string() } else { format!("  {label}: ") };
        Wording { notice, prompt: format!("  {}{offered}: ", prompt.trim_end_matches(':')), short }
    }

    pub(super) fn notice(&self) -> String {
        self.notice.iter().map(|line| format!("  {line}\n")).collect()
    }

    /// What stands above the line with the answer, and in front of the answer, on a screen this wide: a prompt that
    /// would leave no room for the answer gets a line of its own.
    pub(super) fn laid_out(&self, columns: usize) -> (String, &str) {
        if style::width(&self.prompt) <= columns / 2 {
            (self.notice(), &self.prompt)
        } else {
            (format!("{}{}\n", self.notice(), self.prompt.trim_end()), &self.short)
        }
    }

    pub(super) fn prompt(&self) -> &str {
        &self.prompt
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
    let word = word.to_lowercase();
    if word.is_empty() {
        return match default {
            Some(default) => Judgement::Accepted(Zeroizing::new(default.to_string())),
            None => Judgement::Again(None),
        };
    }
    // The beginning of exactly one option is enough.
    let mut meant = options.iter().filter(|option| option.starts_with(&word));
    let exact = options.iter().find(|option| **option == word);
    match (exact, meant.next(), meant.next()) {
        (Some(option), _, _) | (None, Some(option), None) => Judgement::Accepted(Zeroizing::new(option.clone())),
        _ => Judgement::Again(Some(format!("please type one of: {}", style::escaped(&options.join(", "))))),
    }
}
