//! `deployer man`: the manual pages, made from the same definitions as the help.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::{Program, print, say};
use crate::args::{Cli, ManPages};
use crate::failure::Failure;

pub(super) fn man(program: &Program, wish: &ManPages) -> Result<u8, Failure> {
    let name = program.name();
    let mut command = Cli::command().name(name.clone()).bin_name(name);
    command.build();
    match &wish.directory {
        None => print(&page(&command)?)?,
        Some(directory) => {
            fs::create_dir_all(directory).map_err(|error| cannot(directory, &error))?;
            save(directory, &command)?;
            let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
            for verb in verbs {
                save(directory, verb)?;
            }
            say(&format!(
                "manual pages are in {0}; read one with: man -l {0}/{1}.1",
                directory.display(),
                command.get_name()
            ));
        }
    }
    Ok(0)
}

/// `deployer.1`, `deployer-run.1`, ...
fn save(directory: &Path, command: &clap::Command) -> Result<(), Failure> {
    let title = title(command);
    let file = directory.join(format!("{title}.1"));
    fs::write(&file, page(command)?).map_err(|error| cannot(&file, &error))
}

fn title(command: &clap::Command) -> String {
    command.get_bin_name().unwrap_or(command.get_name()).replace(' ', "-")
}

fn page(command: &clap::Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    let titled = command.clone().name(title(command)).disable_help_flag(true).disable_version_flag(true);
    Man::new(titled).render(&mut page).map_err(|error| Failure::other(format!("cannot write the page: {error}")))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("cannot write {}: {error}", path.display()))
}
