//! Nested `cd`s become one directory, and that one shell word (rows F-05, F-06, F-11).

use super::HostContext;
use super::compose::Home;
use crate::text::shell_word;

/// The directory that all active `cd`s lead to, not yet expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directories {
    anchor: Anchor,
    segments: Vec<Segment>,
}

/// Where the path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Anchor {
    /// Where a command starts when there is no `cd`.
    Start,
    /// `/`
    Root,
    /// The login user's home.
    Home,
    /// `~name`
    HomeOf(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    name: String,
    glob: bool,
}

impl Directories {
    /// The directory of a context; `None` when no `cd` is active.
    pub(crate) fn of(context: &HostContext) -> Option<Directories> {
        if context.directories.is_empty() {
            return None;
        }
        let mut all = Directories { anchor: Anchor::Start, segments: Vec::new() };
        for directory in &context.directories {
            let path = all.anchored(&directory.path, directory.expand);
            for name in path.split('/') {
                all.enter(name, directory.glob);
            }
        }
        Some(all)
    }

    /// An absolute path replaces what came before (row F-05); so does an expanded tilde (row F-06). Gives the rest.
    fn anchored<'a>(&mut self, path: &'a str, expand: bool) -> &'a str {
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let anchor = match first.strip_prefix('~') {
            _ if path.starts_with('/') => Anchor::Root,
            Some("") if expand => Anchor::Home,
            Some(user) if expand && is_user(user) => Anchor::HomeOf(user.to_string()),
            _ => return path,
        };
        self.anchor = anchor;
        self.segments.clear();
        rest
    }

    fn enter(&mut self, name: &str, glob: bool) {
        match name {
            "" | "." => {}
            ".." => self.leave(),
            name => self.segments.push(Segment { name: name.to_string(), glob }),
        }
    }

    fn leave(&mut self) {
        let above_the_anchor = self.segments.last().is_none_or(|last| last.name == "..");
        if !above_the_anchor {
            self.segments.pop();
        } else if self.anchor != Anchor::Root {
            self.segments.push(Segment { name: "..".to_string(), glob: false });
        }
    }

    /// The path as one shell word, and whether it needs the login user's home.
    pub(crate) fn word(&self, home: Home) -> (String, bool) {
        let rest: Vec<String> = self.segments.iter().map(Segment::word).collect();
        let rest = rest.join("/");
        // `./` keeps a name that begins with a dash from being an option, and CDPATH out of it.
        let start = match &self.anchor {
            Anchor::Start => ".".to_string(),
            Anchor::Root => return (format!("/{rest}"), false),
            Anchor::Home if home == Home::Argument => r#""${1:?}""#.to_string(),
            // `cd ""` succeeds and stays: an unset HOME must be an error.
            Anchor::Home => r#""${HOME:?}""#.to_string(),
            Anchor::HomeOf(user) => format!("~{user}"),
        };
        let word = if rest.is_empty() { start } else { format!("{start}/{rest}") };
        (word, self.anchor == Anchor::Home)
    }

    /// The path as people read it, below `start` when it is relative (row F-40). `None` when only the host's shell
    /// can say, because of a tilde or a pattern.
    pub(crate) fn path(&self, start: &str) -> Option<String> {
        if self.segments.iter().any(|segment| segment.glob && segment.name.contains(['*', '?', '['])) {
            return None;
        }
        let mut path = Directories { anchor: Anchor::Root, segments: Vec::new() };
        match self.anchor {
            Anchor::Start => start.split('/').for_each(|name| path.enter(name, false)),
            Anchor::Root => {}
            Anchor::Home | Anchor::HomeOf(_) => return None,
        }
        self.segments.iter().for_each(|segment| path.enter(&segment.name, false));
        let names: Vec<&str> = path.segments.iter().map(|segment| segment.name.as_str()).collect();
        Some(format!("/{}", names.join("/")))
    }
}

/// Names that a shell expands after a tilde; anything else is a directory of that name.
fn is_user(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

impl Segment {
    fn word(&self) -> String {
        if self.glob { glob_word(&self.name) } else { shell_word(&self.name) }
    }
}

/// Quotes everything except the characters of a pattern.
fn glob_word(name: &str) -> String {
    let mut word = String::new();
    let mut quoted = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || "_-.:@%+,=*?[]!^".contains(c) {
            flush(&mut quoted, &mut word);
            word.push(c);
        } else {
            quoted.push(c);
        }
    }
    flush(&mut quoted, &mut word);
    word
}

fn flush(quoted: &mut String, word: &mut String) {
    if !quoted.is_empty() {
        word.push_str(&shell_word(quoted));
        quoted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path, expand, glob.
    type Cd<'a> = (&'a str, bool, bool);

    fn nested(paths: &[Cd<'_>]) -> Directories {
        let mut context = HostContext::default();
        for (path, expand, glob) in paths {
            context.push_directory(path, *expand, *glob);
        }
        Directories::of(&context).expect("a directory")
    }

    fn word(paths: &[Cd<'_>]) -> String {
        nested(paths).word(Home::Variable).0
    }

    // rows: F-05 F-06
    #[test]
    fn nested_directories_become_one_word() {
        let cases: &[(&[Cd<'_>], &str)] = &[
            (&[("a", false, false), ("b", false, false)], "./a/b"),
            (&[("/srv", false, false), ("app", false, false)], "/srv/app"),
            (&[("a", false, false), ("/srv", false, false)], "/srv"),
            (&[("/srv/app", false, false), ("..", false, false)], "/srv"),
            (&[("/srv", false, false), ("../../..", false, false)], "/"),
            (&[("a/../..", false, false)], "./.."),
            (&[("a", false, false), ("..", false, false)], "."),
            (&[("two words", false, false)], "./'two words'"),
            (&[("it's; reboot", false, false)], r"./'it'\''s; reboot'"),
            (&[("-", false, false)], "./-"),
            (&[("~", false, false)], "./'~'"),
            (&[("~", true, false)], r#""${HOME:?}""#),
            (&[("/srv", false, false), ("~/a b", true, false)], r#""${HOME:?}"/'a b'"#),
            (&[("~", true, false), ("b", false, false)], r#""${HOME:?}"/b"#),
            (&[("~", true, false), ("..", false, false)], r#""${HOME:?}"/.."#),
            (&[("~joe/src", true, false)], "~joe/src"),
            (&[("~$(id)/src", true, false)], "./'~$(id)'/src"),
            (&[("a~", true, false)], "./'a~'"),
        ];
        for (paths, expected) in cases {
            assert_eq!(word(paths), *expected, "{paths:?}");
        }
    }

    #[test]
    fn patterns_expand_only_when_asked_for_and_nothing_else_does() {
        assert_eq!(word(&[("app-*", false, false)]), "./'app-*'");
        assert_eq!(word(&[("app-[0-9]?/my $x*", false, true)]), "./app-[0-9]?/my' $'x*");
    }

    // rows: F-40
    #[test]
    fn a_path_for_people_is_absolute() {
        assert_eq!(nested(&[("a", false, false), ("../b", false, false)]).path("/home/joe").unwrap(), "/home/joe/b");
        assert_eq!(nested(&[("../../..", false, false)]).path("/home/joe").unwrap(), "/");
        assert_eq!(nested(&[("/x/~", false, false)]).path("/home/joe").unwrap(), "/x/~");
        assert_eq!(nested(&[("~", true, false)]).path("/home/joe"), None);
    }
}
