//! The terminals that can open another window, and how: what stands in their documentation, as argument vectors. No
//! shell reads any of it.

use std::ffi::{OsStr, OsString};

/// A terminal that can open windows, with what its environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Emulator {
    /// In a tmux; the pane.
    Tmux(OsString),
    /// In a zellij.
    Zellij,
    /// In a WezTerm; the pane.
    WezTerm(OsString),
    /// In a kitty that takes commands; where.
    Kitty(OsString),
    /// In a kitty that takes none: another window of the desktop.
    KittyDetached,
    /// In a gnome-terminal on a desktop.
    Gnome,
    /// In an xterm on a desktop.
    Xterm,
}

/// A program with its arguments.
pub(super) type Command = Vec<OsString>;

/// What is run to open a window.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Opens it; that it fails is an error.
    pub(super) open: Command,
    /// Whether `open` lasts as long as the window.
    pub(super) stays: bool,
    /// Puts things in order behind it: layout, focus. That it fails harms nobody.
    pub(super) then: Vec<Command>,
}

impl Emulator {
    /// The innermost terminal that this environment tells of (rows ).
    pub(super) fn detect(var: impl Fn(&str) -> Option<OsString>) -> Option<Emulator> {
        let set = |name: &str| var(name).filter(|value| !value.is_empty());
        let desktop = set("DISPLAY").is_some() || set("WAYLAND_DISPLAY").is_some();
        if let (Some(_), Some(pane)) = (set("TMUX"), set("TMUX_PANE")) {
            return Some(Emulator::Tmux(pane));
        }
        if set("ZELLIJ").is_some() {
            return Some(Emulator::Zellij);
        }
        if let Some(pane) = set("WEZTERM_PANE") {
            return Some(Emulator::WezTerm(pane));
        }
        if set("KITTY_WINDOW_ID").is_some() {
            return match set("KITTY_LISTEN_ON") {
                Some(socket) => Some(Emulator::Kitty(socket)),
                None => desktop.then_some(Emulator::KittyDetached),
            };
        }
        if !desktop {
            return None;
        }
        if set("GNOME_TERMINAL_SCREEN").is_some() || set("COLORTERM").is_some_and(|value| value == "gnome-terminal") {
            return Some(Emulator::Gnome);
        }
        (set("XTERM_VERSION").is_some() || set("XTERM").is_some()).then_some(Emulator::Xterm)
    }

    /// How a window with this title is opened that runs `command`. `path` is the PATH of the caller, for terminals
    /// whose windows get the environment of a server.
    pub(super) fn steps(&self, title: &str, focus: bool, command: &[OsString], path: Option<&OsStr>) -> Steps {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Command>();
        match self {
            Emulator::Tmux(pane) => {
                let mut open = words(&["tmux", "split-window", "-t"]);
                open.push(pane.clone());
                if !focus {
                    open.push("-d".into());
                }
                // Several arguments are run as they are; a single one would be read by a shell.
                open.push("env".into());
                if let Some(path) = path {
                    let mut setting = OsString::from("PATH=");
                    setting.push(path);
                    open.push(setting);
                }
                open.extend(command.iter().cloned());
                let mut tiled = words(&["tmux", "select-layout", "-t"]);
                tiled.extend([pane.clone(), "tiled".into()]);
                Steps { open, stays: false, then: vec![tiled] }
            }
            Emulator::Zellij => {
                let mut open = words(&["zellij", "run", "--close-on-exit", "--name", title, "--"]);
                open.extend(command.iter().cloned());
                let back = words(&["zellij", "action", "focus-previous-pane"]);
                Steps { open, stays: false, then: if focus { Vec::new() } else { vec![back] } }
            }
            Emulator::WezTerm(pane) => {
                let mut open = words(&["wezterm", "cli", "split-pane", "--pane-id"]);
                open.extend([pane.clone(), "--".into()]);
                open.extend(command.iter().cloned());
                let mut back = words(&["wezterm", "cli", "activate-pane", "--pane-id"]);
                back.push(pane.clone());
                Steps { open, stays: false, then: if focus { Vec::new() } else { vec![back] } }
            }
            Emulator::Kitty(socket) => {
                let mut open = words(&["kitty", "@", "--to"]);
                open.push(socket.clone());
                open.extend(words(&["launch", "--type=window", "--title", title]));
                if !focus {
                    open.push("--keep-focus".into());
                }
                open.extend(command.iter().cloned());
                Steps { open, stays: false, then: Vec::new() }
            }
            Emulator::KittyDetached => {
                let mut open = words(&["kitty", "--detach", "--title", title]);
                open.extend(command.iter().cloned());
                Steps { open, stays: false, then: Vec::new() }
            }
            Emulator::Gnome => {
                let mut open = words(&["gnome-terminal", "--title", title, "--"]);
                open.extend(command.iter().cloned());
                Steps { open, stays: false, then: Vec::new() }
            }
            Emulator::Xterm => {
                let mut open = words(&["xterm", "-T", title, "-e"]);
                open.extend(command.iter().cloned());
                Steps { open, stays: true, then: Vec::new() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> Option<Emulator> {
        Emulator::detect(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    // rows: Q-17 Q-18
    #[test]
    fn the_innermost_terminal_is_found_in_the_environment() {
        let tmux = [
            ("TMUX", "/tmp/tmux-0/default,1,0"),
            ("TMUX_PANE", "%3"),
            ("DISPLAY", ":0"),
            ("XTERM_VERSION", "XTerm(379)"),
        ];
        assert_eq!(detect(&tmux), Some(Emulator::Tmux("%3".into())));
        assert_eq!(detect(&tmux[2..]), Some(Emulator::Xterm));
        assert_eq!(detect(&tmux[3..]), None, "an xterm without a display is a lie of ssh");
        for (variables, expected) in [
            (&[("ZELLIJ", "0")][..], Some(Emulator::Zellij)),
            (&[("WEZTERM_PANE", "7")], Some(Emulator::WezTerm("7".into()))),
            (
                &[("KITTY_WINDOW_ID", "1"), ("KITTY_LISTEN_ON", "unix:/tmp/k")],
                Some(Emulator::Kitty("unix:/tmp/k".into())),
            ),
            (&[("KITTY_WINDOW_ID", "1"), ("WAYLAND_DISPLAY", "wayland-0")], Some(Emulator::KittyDetached)),
            (&[("KITTY_WINDOW_ID", "1")], None),
            (&[("COLORTERM", "gnome-terminal"), ("DISPLAY", ":0")], Some(Emulator::Gnome)),
            (&[("GNOME_TERMINAL_SCREEN", "/org/x"), ("WAYLAND_DISPLAY", "w")], Some(Emulator::Gnome)),
            (&[("COLORTERM", "truecolor"), ("DISPLAY", ":0")], None),
            (&[("DISPLAY", ":0"), ("XTERM", "1")], Some(Emulator::Xterm)),
            (&[("TMUX", ""), ("TMUX_PANE", "%1")], None),
            (&[], None),
        ] {
            assert_eq!(detect(variables), expected, "{variables:?}");
        }
    }

    // rows: Q-17 Q-18 W-64
    #[test]
    fn every_terminal_gets_the_command_word_by_word() {
        let command: Vec<OsString> = ["/opt/de ployer", "connect", "--ticket", "ab;c"].map(OsString::from).to_vec();
        let lines = |emulator: Emulator, focus| {
            let steps = emulator.steps("web1", focus, &command, Some(OsStr::new("/bin:/x")));
            let shown = |words: Command| {
                words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join("|")
            };
            let then: Vec<String> = steps.then.into_iter().map(shown).collect();
            (shown(steps.open), then)
        };
        let end = "/opt/de ployer|connect|--ticket|ab;c";
        for (emulator, focus, open, then) in [
            (
                Emulator::Tmux("%1".into()),
                true,
                "tmux|split-window|-t|%1|env|PATH=/bin:/x|",
                &["tmux|select-layout|-t|%1|tiled"][..],
            ),
            (
                Emulator::Tmux("%1".into()),
                false,
                "tmux|split-window|-t|%1|-d|env|PATH=/bin:/x|",
                &["tmux|select-layout|-t|%1|tiled"],
            ),
            (Emulator::Zellij, true, "zellij|run|--close-on-exit|--name|web1|--|", &[]),
            (
                Emulator::Zellij,
                false,
                "zellij|run|--close-on-exit|--name|web1|--|",
                &["zellij|action|focus-previous-pane"],
            ),
            (
                Emulator::WezTerm("4".into()),
                false,
                "wezterm|cli|split-pane|--pane-id|4|--|",
                &["wezterm|cli|activate-pane|--pane-id|4"],
            ),
            (
                Emulator::Kitty("unix:/k".into()),
                false,
                "kitty|@|--to|unix:/k|launch|--type=window|--title|web1|--keep-focus|",
                &[],
            ),
            (Emulator::KittyDetached, true, "kitty|--detach|--title|web1|", &[]),
            (Emulator::Gnome, true, "gnome-terminal|--title|web1|--|", &[]),
            (Emulator::Xterm, true, "xterm|-T|web1|-e|", &[]),
        ] {
            let expected = (format!("{open}{end}"), then.iter().map(|line| line.to_string()).collect());
            assert_eq!(lines(emulator.clone(), focus), expected, "{emulator:?}");
        }
    }
}
