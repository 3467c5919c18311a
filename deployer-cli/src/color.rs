//! Whether to use colour. Colour is never the only sign of anything.

use std::io::IsTerminal;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the environment says about colour.
#[derive(Clone, Debug, Default)]
struct Surroundings {
    no_color: bool,
    force: bool,
    cli_color_off: bool,
    dumb: bool,
}

impl Surroundings {
    fn read() -> Surroundings {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Surroundings {
            no_color: set("NO_COLOR").is_some(),
            force: set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            cli_color_off: set("CLICOLOR").is_some_and(|value| value == "0"),
            dumb: std::env::var_os("TERM").is_some_and(|value| value == "dumb"),
        }
    }
}

impl When {
    /// Whether to colour what goes to `stream`: flag, then `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, then whether
    /// it is a terminal that knows colour.
    pub(crate) fn on(self, stream: &impl IsTerminal) -> bool {
        self.decide(&Surroundings::read(), stream.is_terminal())
    }

    fn decide(self, around: &Surroundings, terminal: bool) -> bool {
        match self {
            When::Always => true,
            When::Never => false,
            When::Auto if around.no_color => false,
            When::Auto if around.force => true,
            When::Auto => terminal && !around.dumb && !around.cli_color_off,
        }
    }

    /// The same for the help and the usage errors, which are printed before arguments are understood.
    pub(crate) fn for_help(args: &[std::ffi::OsString]) -> clap::ColorChoice {
        let options = args.iter().map_while(|arg| arg.to_str()).take_while(|arg| *arg != "--").collect::<Vec<_>>();
        let value = options.iter().enumerate().find_map(|(at, arg)| match arg.strip_prefix("--color") {
            Some("") => options.get(at + 1).copied(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        });
        match value {
            Some("always") => clap::ColorChoice::Always,
            Some("never") => clap::ColorChoice::Never,
            _ => clap::ColorChoice::Auto,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_the_environment_then_the_stream() {
        let none = Surroundings::default();
        let no_color = Surroundings { no_color: true, force: true, ..none.clone() };
        let force = Surroundings { force: true, cli_color_off: true, ..none.clone() };
        let off = Surroundings { cli_color_off: true, ..none.clone() };
        let dumb = Surroundings { dumb: true, ..none.clone() };
        for (when, around, terminal, expected) in [
            (When::Auto, &none, true, true),
            (When::Auto, &none, false, false),
            (When::Auto, &no_color, true, false),
            (When::Auto, &force, false, true),
            (When::Auto, &off, true, false),
            (When::Auto, &dumb, true, false),
            (When::Always, &no_color, false, true),
            (When::Never, &force, true, false),
        ] {
            assert_eq!(when.decide(around, terminal), expected, "{when:?} {around:?} {terminal}");
        }
    }

    #[test]
    fn help_knows_the_flag_before_it_is_parsed() {
        let args = |line: &str| line.split(' ').map(Into::into).collect::<Vec<_>>();
        assert_eq!(When::for_help(&args("deployer --color never --help")), clap::ColorChoice::Never);
        assert_eq!(When::for_help(&args("deployer run --color=always --help")), clap::ColorChoice::Always);
        assert_eq!(When::for_help(&args("deployer run -- --color=always")), clap::ColorChoice::Auto);
    }
}
