//! The command line: one file a command, and what they share.
//!
//! - [`args`], [`session`]: flags, settings, streams; [`exit`]: how it ends.
//! - [`screen`], [`terminal`], [`rows`], [`summary`], [`progress`], [`log`]: what people and programs see.
//!   Standard output is for data, standard error for everything else, and no text of a cell, a model or a
//!   server gets there with its control characters alive.
//! - [`secrets`]: keys are in nothing that is said, and in no core dump.
//! - [`signals`]: the only place of the crate that listens to them.

mod args;
mod cache;
mod check;
mod check_text;
mod config;
mod echo;
mod exit;
mod explain;
mod eyes;
mod fleet;
mod log;
mod man;
mod plan;
mod progress;
mod rows;
mod rules;
mod run;
mod runs;
mod sandbox;
mod screen;
mod secrets;
mod serve;
mod service;
mod session;
mod signals;
mod summary;
mod telemetry;
mod terminal;
mod words;

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::{Cli, Command, RunArgs};
use exit::{CliError, Exit};
use session::Session;

/// Runs the program: reads the command line, does what it says, gives the exit code.
///
/// A panic ends with code 8 and a message, never with a trace of the machine.
pub fn main() -> ExitCode {
    panic::set_hook(Box::new(report_panic));
    secrets::keep_out_of_dumps();
    crate::fault::arm();
    guarded(start).into()
}

fn guarded(work: impl FnOnce() -> Exit) -> Exit {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Internal)
}

fn start() -> Exit {
    let cli = match Cli::try_parse().and_then(unambiguous) {
        Ok(cli) => cli,
        Err(error) => {
            drop(error.print()); // help into a closed pipe is no error
            return if error.exit_code() == 0 { Exit::Ok } else { Exit::Usage };
        }
    };
    let session = Session::new(cli.global);
    log::start(&session.global, &session.screen);
    let ended = match cli.command {
        None => run::run(&session, &cli.run),
        Some(command) => dispatch(&session, command),
    };
    let exit = ended.unwrap_or_else(|error| session.fail(&error));
    match session.screen.flush().map_err(session::unwritten) {
        Ok(()) => exit,
        Err(error) => session.fail(&error),
    }
}

fn dispatch(session: &Session, command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Run(args) => run::run(session, &args),
        Command::Plan(args) => plan::run(session, &args),
        Command::Check(args) => check::run(session, &args),
        Command::CheckText(args) => check_text::run(session, &args),
        Command::Explain(args) => explain::run(session, &args),
        Command::Cache(args) => cache::run(session, &args),
        Command::Runs(args) => runs::run(session, &args),
        Command::Config(args) => config::run(session, &args),
        Command::Serve(args) => serve::run(session, &args),
        Command::Sandbox(args) => sandbox::run(session, args),
        Command::Completions { shell } => man::completions(session, shell),
        Command::Man => man::page(session),
    }
}

/// Flags of `run` may stand alone or after `run`, not before another command, where they would do nothing.
fn unambiguous(cli: Cli) -> Result<Cli, clap::Error> {
    use clap::CommandFactory as _;
    if cli.command.is_some() && cli.run != RunArgs::default() {
        let text = "flags of a command stand after it: status-validator COMMAND FLAGS";
        return Err(Cli::command().error(ErrorKind::ArgumentConflict, text));
    }
    Ok(cli)
}

/// Panics of actors are caught and reported by the engine; here they only leave a trace in the log.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let text = &*secrets::hidden(panic.payload_as_str().unwrap_or("no message"));
    if std::thread::current().name() == Some("main") {
        let text = terminal::line(text).into_owned();
        let said = format!(
            "error: internal error at {place}: {text}\n\
             This is a bug of the program, not of your table. Nothing that was paid for is lost."
        );
        drop(std::io::Write::write_all(&mut std::io::stderr(), format!("{said}\n").as_bytes()));
    } else {
        tracing::error!(place, text, "panic");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        assert_eq!(guarded(|| panic!("on purpose")).code(), 8);
        assert_eq!(guarded(|| Exit::Partial), Exit::Partial);
    }
}
