//! `cache`: what the store of answers holds, and looking after it.

use std::io::{IsTerminal as _, Write as _};

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::args::{Report, ReportFormat, age};
use super::exit::{CliError, Exit};
use super::session::Session;
use super::terminal;
use super::words::{bytes, counted, dollars, number};
use crate::assemble;
use crate::settings::Settings;
use crate::store::{Stats, Store};

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Say what is in the store
    Stats(ReportFormat),
    /// Remove what was not used for long; what waits to be written stays
    Prune {
        /// The age: 90d, 12w or 36h
        #[arg(long, value_name = "AGE", value_parser = age)]
        older_than: SignedDuration,
    },
    /// Remove all answers: the next run asks, and pays, for every row again
    Clear {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Check the file and every answer in it
    Verify,
}

pub(crate) fn run(session: &Session, args: &CacheArgs) -> Result<Exit, CliError> {
    let settings = session.inspected_settings()?;
    let Some(store) = open(session, &settings)? else {
        let path = settings.cache_path.display().to_string();
        session.print(&format!("{}: nothing is stored yet\n", terminal::line(&path)))?;
        return Ok(Exit::Ok);
    };
    match &args.command {
        CacheCommand::Stats(report) => stats(session, &settings, &store, report.format),
        CacheCommand::Prune { older_than } => prune(session, store, *older_than),
        CacheCommand::Clear { yes } => clear(session, store, *yes),
        CacheCommand::Verify => verify(session, &store),
    }
}

/// The store, if there is one; none is made by looking.
pub(crate) fn open(session: &Session, settings: &Settings) -> Result<Option<Store>, CliError> {
    let path = &settings.cache_path;
    if !path.exists() {
        return Ok(None);
    }
    let store = Store::open(path)?;
    store.notices().iter().for_each(|notice| session.warn(&notice.to_string()));
    Ok(Some(store))
}

fn stats(session: &Session, settings: &Settings, store: &Store, form: Report) -> Result<Exit, CliError> {
    let stats = store.stats()?;
    let path = store.path().display().to_string();
    let when = |at: Option<Timestamp>| at.map(|at| assemble::wording(settings).date(at));
    let text = match form {
        Report::Json => format!("{:#}\n", as_json(&stats, &path)),
        Report::Table => {
            let models: Vec<String> =
                stats.by_model.iter().map(|(model, n)| format!("{model}: {}", number(*n))).collect();
            let span = match (when(stats.oldest), when(stats.newest)) {
                (Some(oldest), Some(newest)) => format!(", from {oldest} to {newest}"),
                _ => String::new(),
            };
            [
                ("File", format!("{path}, {}", bytes(stats.bytes))),
                ("Answers", format!("{}{span}", number(stats.answers))),
                ("Models", if models.is_empty() { "none yet".to_owned() } else { models.join(", ") }),
                (
                    "Waiting",
                    format!(
                        "{} to be written, {} held",
                        counted(stats.outbox, "result"),
                        counted(stats.held, "call")
                    ),
                ),
                ("Ledger", format!("{}, {}", counted(stats.runs, "run"), counted(stats.attempts, "request"))),
                ("Spent", dollars(stats.spent.as_usd())),
            ]
            .map(|(label, text)| format!("{label:<10}{}\n", terminal::line(&text)))
            .concat()
        }
    };
    session.print(&text)?;
    Ok(Exit::Ok)
}

fn as_json(stats: &Stats, path: &str) -> serde_json::Value {
    let models: serde_json::Map<String, serde_json::Value> =
        stats.by_model.iter().map(|(model, answers)| (model.clone(), (*answers).into())).collect();
    json!({
        "path": path,
        "bytes": stats.bytes,
        "answers": stats.answers,
        "oldest": stats.oldest.map(|at| at.to_string()),
        "newest": stats.newest.map(|at| at.to_string()),
        "by_model": models,
        "held": stats.held,
        "outbox": stats.outbox,
        "runs": stats.runs,
        "attempts": stats.attempts,
        "spent_usd": stats.spent.as_usd(),
    })
}

fn prune(session: &Session, mut store: Store, older_than: SignedDuration) -> Result<Exit, CliError> {
    let pruned = store.prune(older_than, Timestamp::now())?;
    store.compact()?;
    session.print(&format!(
        "removed {}, {}, {}, {}\n",
        counted(pruned.answers, "answer"),
        counted(pruned.judgements, "judgement"),
        counted(pruned.runs, "run"),
        counted(pruned.attempts, "request")
    ))?;
    Ok(Exit::Ok)
}

fn clear(session: &Session, mut store: Store, yes: bool) -> Result<Exit, CliError> {
    let answers = store.stats()?.answers;
    if !yes && !confirmed(&format!("Remove {}? They will be paid for again.", counted(answers, "answer")))? {
        session.print("nothing was removed\n")?;
        return Ok(Exit::Ok);
    }
    let removed = store.clear()?;
    store.compact()?;
    session.print(&format!("removed {}; history, runs and the ledger stay\n", counted(removed, "answer")))?;
    Ok(Exit::Ok)
}

/// Asks on a terminal; where nobody can answer, that is an error.
fn confirmed(question: &str) -> Result<bool, CliError> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(CliError::usage("nobody is here to confirm: add --yes"));
    }
    let mut answer = String::new();
    let asked = write!(std::io::stderr(), "{question} [y/N] ").and_then(|()| stdin.read_line(&mut answer));
    asked.map_err(|error| CliError::usage(format!("no answer: {error}; add --yes")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "д" | "да"))
}

fn verify(session: &Session, store: &Store) -> Result<Exit, CliError> {
    let problems = store.verify()?;
    let path = store.path().display().to_string();
    if problems.is_empty() {
        session.print(&format!("{}: sound\n", terminal::line(&path)))?;
        return Ok(Exit::Ok);
    }
    let lines: String = problems.iter().map(|problem| format!("{}\n", terminal::line(problem))).collect();
    session.print(&lines)?;
    Err(CliError::new(
        Exit::Partial,
        format!("{path}: {}; what is damaged is asked for again", counted(problems.len() as u64, "problem")),
    ))
}
