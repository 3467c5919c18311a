//! Flags about how a daemon works.

use std::path::PathBuf;

use clap::Args;
use deployer_core::options::Settings;

/// How a daemon (or the single process) works.
#[derive(Debug, Args)]
pub(crate) struct Serving {
    /// Append the log to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,

    /// How many hosts of a parallel action are worked on at once [default: 1000]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub(crate) parallel: Option<usize>,

    /// Give an option of the sessions a value; show-options in the shell lists them (may be repeated)
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) options: Vec<Settings>,
}

impl Serving {
    /// The options that the flags give; the later of two wins.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = merged(&self.options);
        if let Some(count) = self.parallel {
            // A number from 1 on, the flag has seen to that.
            let _always = settings.set("parallel", &count.to_string());
        }
        settings
    }
}

/// Several `--option` as one.
pub(crate) fn merged(flags: &[Settings]) -> Settings {
    let mut settings = Settings::default();
    flags.iter().for_each(|flag| settings.take_over(flag));
    settings
}

pub(super) fn setting(text: &str) -> Result<Settings, String> {
    text.parse::<Settings>().map_err(|error| error.to_string())
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 on is needed".to_string()),
        Ok(number) => Ok(number),
    }
}
