//! `check-text`: judges one status, before it is published or from a hook.

use std::io::{IsTerminal as _, Read as _};

use clap::Args;

use super::args::{FailOn, Report, ReportFormat, RulesArgs};
use super::exit::{CliError, Exit};
use super::run::GRACE;
use super::session::{Overrides, Session};
use super::{log, summary, terminal};
use crate::assemble;
use crate::domain::entry::{DateCell, Entry};
use crate::domain::outcome::{Outcome, RowState};
use crate::domain::rules::{Rulebook, Severity};
use crate::domain::verdict::Verdict;
use crate::engine::{Engine, Parts};

#[derive(Args, Debug)]
pub(crate) struct CheckTextArgs {
    /// The status, such as "On Track"
    #[arg(long, value_name = "STATUS")]
    status: String,
    /// The comment; - reads standard input
    #[arg(long, value_name = "TEXT", default_value = "-", allow_hyphen_values = true)]
    comment: String,
    /// The completion date as it stands in the table
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true)]
    date: String,
    /// Exit with 1 if it is invalid, or violates a rule of severity must
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    fail_on: FailOn,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    report: ReportFormat,
}

/// The longest comment that is read from standard input.
const MAX_COMMENT: u64 = 1 << 20;

pub(crate) fn run(session: &Session, args: &CheckTextArgs) -> Result<Exit, CliError> {
    let comment = comment(&args.comment)?;
    let settings = session.settings(Overrides::of_rules(&args.rules))?;
    let mut parts = Parts { source: None, ..assemble::parts_beside(&settings)? };
    parts.observer = Some(std::sync::Arc::new(log::observe));
    let rulebook = parts.rulebook.clone();
    let has_model = !parts.providers.is_empty();
    let outcome = judge(parts, entry(args, comment))?;

    session.print(&match args.report.format {
        Report::Json => {
            let json = serde_json::to_value(&outcome).unwrap_or_default();
            format!("{}\n", terminal::json(&format!("{json:#}")))
        }
        Report::Table => text(session, &outcome),
    })?;
    if !has_model && !session.global.quiet {
        let waiting = summary::model_rules(&rulebook);
        if !waiting.is_empty() {
            session.screen.say(&format!("Not looked at, for want of a model: {}", waiting.join(" ")));
        }
    }
    Ok(exit(&outcome.state, args.fail_on, &rulebook))
}

fn judge(parts: Parts, entry: Entry) -> Result<Outcome, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    runtime.block_on(async {
        let engine = Engine::start(parts)?;
        let outcome = engine.handle().validate(entry).await;
        engine.shutdown(GRACE).await;
        Ok(outcome?)
    })
}

fn comment(given: &str) -> Result<String, CliError> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    if std::io::stdin().is_terminal() {
        return Err(CliError::usage("give the comment by --comment TEXT, or through standard input"));
    }
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_COMMENT).read_to_string(&mut text);
    read.map_err(|error| CliError::usage(format!("standard input: {error}; a comment is UTF-8 text")))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

fn entry(args: &CheckTextArgs, comment: String) -> Entry {
    let date = args.date.trim();
    let completion_date = if date.is_empty() { DateCell::Missing } else { DateCell::Text(date.to_owned()) };
    Entry { completion_date, ..Entry::single(1, args.status.clone(), comment) }
}

fn text(session: &Session, outcome: &Outcome) -> String {
    let colors = session.screen.out_colors;
    match &outcome.state {
        RowState::Judged { verdict, .. } => format!("{}{}", word(session, verdict), findings(verdict)),
        RowState::NotChecked { reason } => {
            format!("{}: {}\n", colors.warn("NOT CHECKED"), terminal::line(reason))
        }
        RowState::Skipped { reason } => format!("{}: {reason}\n", colors.warn("SKIPPED")),
    }
}

fn word(session: &Session, verdict: &Verdict) -> String {
    let colors = session.screen.out_colors;
    format!("{}\n", if verdict.valid { colors.good("OK") } else { colors.bad("FIX") })
}

/// What a verdict says, a line each: violations, the suggested text, notes.
pub(crate) fn findings(verdict: &Verdict) -> String {
    let mut lines: Vec<String> =
        verdict.findings.iter().map(|finding| terminal::line(&finding.line()).into_owned()).collect();
    lines.extend(verdict.look.iter().map(|look| terminal::line(look).into_owned()));
    lines.extend(verdict.rewrite.iter().map(|text| format!("Suggested: {}", terminal::line(text))));
    lines.extend(verdict.notes.iter().map(|note| format!("Note: {}", terminal::line(note))));
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

fn exit(state: &RowState, fail_on: FailOn, rulebook: &Rulebook) -> Exit {
    let free = matches!(rulebook, Rulebook::Free(_));
    match state {
        RowState::Judged { verdict, .. } => {
            let must = free || verdict.severity() == Some(Severity::Must);
            let fails = match fail_on {
                FailOn::None => false,
                FailOn::Invalid => !verdict.valid,
                FailOn::Must => !verdict.valid && must,
            };
            if fails { Exit::Findings } else { Exit::Ok }
        }
        RowState::NotChecked { .. } => Exit::Partial,
        RowState::Skipped { .. } => Exit::Ok,
    }
}
