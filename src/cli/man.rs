//! `completions` and `man`: what clap can tell shells and readers about the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;
use super::exit::{CliError, Exit};
use super::session::{Session, unwritten};

/// Prints a completion script.
pub(crate) fn completions(session: &Session, shell: Shell) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "status-validator", &mut script);
    session.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

/// Prints the manual: the page of the program, then one of each command.
pub(crate) fn page(session: &Session) -> Result<Exit, CliError> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(unwritten)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = format!("status-validator-{}", sub.get_name());
        clap_mangen::Man::new(sub.clone().name(name)).render(&mut page).map_err(unwritten)?;
    }
    session.print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Ok)
}
