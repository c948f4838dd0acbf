//! `runs`: what ran, how it ended, what it cost.

use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment};
use serde_json::{Value, json};

use super::args::{Report, ReportFormat};
use super::exit::{CliError, Exit};
use super::rows::{Lines, heading, new_table};
use super::session::Session;
use super::words::{dollars, duration, number};
use super::{cache, terminal};
use crate::assemble;
use crate::domain::results::Wording;
use crate::store::RunRecord;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    command: RunsCommand,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    /// List the last runs, newest first
    List {
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        report: ReportFormat,
    },
    /// Show one run: its report
    Show {
        /// Its id, the beginning of its id, or last
        #[arg(default_value = "last")]
        id: String,
        #[command(flatten)]
        report: ReportFormat,
    },
}

/// As much of a run's id as tells runs apart that did not begin in the same millisecond; `runs show` takes it.
const SHORT_ID: usize = 13;

pub(crate) fn run(session: &Session, args: &RunsArgs) -> Result<Exit, CliError> {
    let settings = session.inspected_settings()?;
    let wording = assemble::wording(&settings);
    let store = cache::open(session, &settings)?;
    match &args.command {
        RunsCommand::List { limit, report } => {
            let runs = store.map(|store| store.runs(*limit)).transpose()?.unwrap_or_default();
            list(session, &runs, &wording, report.format)?;
        }
        RunsCommand::Show { id, report } => {
            let found = match (&store, id.as_str()) {
                (None, _) => None,
                (Some(store), "last") => store.runs(1)?.into_iter().next(),
                (Some(store), id) => store.run(id)?,
            };
            let missing = || CliError::usage(format!("no run «{id}»; see status-validator runs list"));
            show(session, &found.ok_or_else(missing)?, &wording, report.format)?;
        }
    }
    Ok(Exit::Ok)
}

fn list(session: &Session, runs: &[RunRecord], wording: &Wording, form: Report) -> Result<(), CliError> {
    if form == Report::Json {
        let runs: Vec<Value> = runs.iter().map(as_json).collect();
        return session.print(&format!("{}\n", terminal::json(&format!("{:#}", json!(runs)))));
    }
    if runs.is_empty() {
        return session.print("no runs yet\n");
    }
    let mut table = new_table(&session.screen, Lines::Dense);
    let names = ["Started", "Run", "Job", "Outcome", "Rows", "To fix", "Not checked", "Spent"];
    table.set_header(names.map(|name| heading(&session.screen, name)));
    for run in runs {
        let report = report(run);
        let count = |name: &str| match report.get(name).and_then(Value::as_u64) {
            Some(n) => Cell::new(number(n)).set_alignment(CellAlignment::Right),
            None => Cell::new(""),
        };
        table.add_row([
            Cell::new(wording.date(run.start.started)),
            Cell::new(terminal::line(&run.start.run_id).chars().take(SHORT_ID).collect::<String>()),
            Cell::new(terminal::line(&run.start.job)),
            Cell::new(outcome(run)),
            count("rows_read"),
            count("rows_invalid"),
            count("rows_not_checked"),
            Cell::new(dollars(run.spent.as_usd())).set_alignment(CellAlignment::Right),
        ]);
    }
    session.print(&format!("{table}\n"))
}

fn show(session: &Session, run: &RunRecord, wording: &Wording, form: Report) -> Result<(), CliError> {
    if form == Report::Json {
        return session.print(&format!("{}\n", terminal::json(&format!("{:#}", as_json(run)))));
    }
    let report = report(run);
    let count = |name: &str| report.get(name).and_then(Value::as_u64).map_or("?".to_owned(), number);
    let took = report.get("elapsed_s").and_then(Value::as_f64).unwrap_or_default();
    let took = std::time::Duration::try_from_secs_f64(took).unwrap_or_default();
    let mut lines = vec![
        ("Run", run.start.run_id.clone()),
        ("Job", run.start.job.clone()),
        ("Source", run.start.source.clone()),
        ("Target", run.start.target.clone()),
        ("Started", format!("{}, took {}", wording.date(run.start.started), duration(took))),
        ("Outcome", outcome(run)),
        (
            "Rows",
            format!(
                "{}: {} OK, {} to fix, {} not checked, {} skipped",
                count("rows_read"),
                count("rows_valid"),
                count("rows_invalid"),
                count("rows_not_checked"),
                count("rows_skipped")
            ),
        ),
        ("Written", format!("{}, {} unchanged", count("rows_written"), count("rows_unchanged"))),
        ("Spent", dollars(run.spent.as_usd())),
    ];
    let texts = |name: &str| report.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let warnings = texts("warnings");
    lines.extend(warnings.iter().filter_map(Value::as_str).map(|text| ("Warning", text.to_owned())));
    if let Some(failure) = report.pointer("/failure/text").and_then(Value::as_str) {
        lines.push(("Failure", failure.to_owned()));
    }
    let lines: String =
        lines.iter().map(|(label, text)| format!("{label:<10}{}\n", terminal::line(text))).collect();
    session.print(&lines)
}

fn outcome(run: &RunRecord) -> String {
    terminal::line(run.outcome.as_deref().unwrap_or("running, or died")).into_owned()
}

fn report(run: &RunRecord) -> Value {
    run.report.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn as_json(run: &RunRecord) -> Value {
    json!({
        "run_id": run.start.run_id,
        "job": run.start.job,
        "source": run.start.source,
        "target": run.start.target,
        "started": run.start.started.to_string(),
        "ended": run.ended.map(|at| at.to_string()),
        "outcome": run.outcome,
        "spent_usd": run.spent.as_usd(),
        "report": report(run),
    })
}
