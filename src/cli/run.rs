//! `run`: read, check, judge, write; or, dry, print instead of writing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::NamedTempFile;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::args::{FailOn, OnlyRows, RowFormat, RunArgs, SelectionArgs};
use super::echo::Echo;
use super::exit::{CliError, Exit};
use super::log;
use super::progress::Reporter;
use super::rows::RowPrinter;
use super::rules;
use super::session::{Overrides, Session, unwritten};
use super::signals::Signals;
use super::summary::{self, Ending};
use super::telemetry::Telemetry;
use super::{secrets, terminal};
use crate::assemble;
use crate::domain::freshness::monday_of;
use crate::domain::rules::{Rulebook, Severity};
use crate::engine::{
    Engine, Mode, Observer as _, Only, Parts, RunOutcome, RunReport, RunRequest, Stamped, Tally,
};
use crate::http::Metrics;
use crate::settings::Settings;
use crate::store::{Claim, Lock, LockError};
use crate::table::TableSink;

/// How often progress is looked at.
const TICK: Duration = Duration::from_millis(100);
/// What a stopped engine gets to write what is paid for.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// Runs the command.
pub(crate) fn run(session: &Session, args: &RunArgs) -> Result<Exit, CliError> {
    let file = args.output.summary.as_deref().map(SummaryFile::prepare).transpose()?;
    let job = session.global.job.as_deref().unwrap_or("default");
    match reviewed(session, args) {
        Ok(done) => {
            if let Some(file) = file {
                file.write(&done.report)?;
            }
            Ok(done.exit)
        }
        Err(error) => {
            if let Some(file) = file {
                file.write_failure(job, &error)?;
            }
            Err(error)
        }
    }
}

struct Done {
    report: RunReport,
    exit: Exit,
}

fn reviewed(session: &Session, args: &RunArgs) -> Result<Done, CliError> {
    let overrides = Overrides::of_input(&args.input).path("target.path", args.output.output.as_ref());
    let settings = session.settings(overrides)?;
    let _held = hold(session, &settings, args.output.wait)?;
    if args.output.rules {
        rules::publish(session, &settings, args.output.dry_run)?;
    }
    let parts = Parts { claims: Vec::new(), ..assemble::parts(&settings)? }; // held already
    let stop = CancellationToken::new();
    let review = Review::new(session, args, &settings, &parts, stop.clone());
    let printer = Arc::new(Mutex::new(printer(session, args)));
    let telemetry = Telemetry::from_env(&settings)?;
    let (parts, metrics) = with_counts(parts, args, &telemetry)?;
    let parts = with_printer(parts, args.output.dry_run, &printer, &stop);

    let driven = drive(session, parts, review.request.clone());
    telemetry.end();
    let (report, signals) = driven?;
    if let (Some(metrics), Some(path)) = (metrics, &args.output.metrics_file) {
        metrics.write(path).map_err(|error| {
            CliError::new(
                Exit::Partial,
                format!("--metrics-file {}: cannot be written: {error}", path.display()),
            )
        })?;
    }
    let printed = printer.lock().unwrap_or_else(PoisonError::into_inner).end();
    review.sum_up(&report);
    if let Err(error) = printed {
        session.fail(&unwritten(error));
        return Ok(Done { report, exit: Exit::Unavailable });
    }
    let looked_at = report.tally.rows_valid + report.tally.rows_invalid + report.tally.rows_not_checked;
    if let (Some(row), 0, RunOutcome::Ok) = (&args.selection.row, looked_at, report.outcome) {
        let what =
            format!("no row of the source is «{row}»; give an identifier, a key or @ and a row number");
        session.fail(&CliError::usage(what));
        return Ok(Done { report, exit: Exit::Usage });
    }
    let exit = review.exit(&report, signals.as_ref().and_then(Signals::exit));
    Ok(Done { report, exit })
}

/// Claims what this run works on, and waits for another instance as long as it may. Signals end the wait as they end any
/// program: nothing was begun.
fn hold(session: &Session, settings: &Settings, wait: u32) -> Result<Vec<Lock>, CliError> {
    let take = |claim: Claim| match claim.take(Duration::ZERO) {
        Err(LockError::Held { what }) if wait > 0 => {
            session.warn(&format!("{what}: another instance is at work on it; waiting up to {wait} s"));
            claim.take(Duration::from_secs(wait.into()))
        }
        other => other,
    };
    Ok(assemble::claims(settings).into_iter().map(take).collect::<Result<_, _>>()?)
}

/// What the run is asked, and what has to be known of its parts when it is over.
struct Review<'a> {
    session: &'a Session,
    request: RunRequest,
    fail_on: FailOn,
    rulebook: Arc<Rulebook>,
    models: Vec<String>,
    is_priced: bool,
    target: String,
}

impl<'a> Review<'a> {
    fn new(
        session: &'a Session,
        args: &RunArgs,
        settings: &Settings,
        parts: &Parts,
        cancel: CancellationToken,
    ) -> Self {
        let mode = if args.output.dry_run { Mode::DryRun } else { Mode::Full };
        let accept_shrink = args.output.accept_shrink;
        Self {
            session,
            request: RunRequest { mode, accept_shrink, cancel, ..request(&args.selection, settings) },
            fail_on: args.output.fail_on,
            rulebook: Arc::clone(&parts.rulebook),
            is_priced: parts.providers.iter().all(|provider| provider.price.is_some()),
            models: parts.providers.iter().map(|provider| provider.model.id().to_string()).collect(),
            target: match (mode, &parts.sink) {
                (Mode::Full, Some(sink)) => session.near(&sink.name()),
                _ => "printed, not written".to_owned(),
            },
        }
    }

    /// Says how it ended: what failed, if anything did, and the six lines.
    fn sum_up(&self, report: &RunReport) {
        let Session { screen, global } = self.session;
        if let Some(failure) = &report.failure {
            let label = screen.err_colors.bad("error:");
            screen.say(&format!("{label} {}", terminal::block(&failure.text)));
        }
        if global.quiet {
            return;
        }
        let waiting = if self.models.is_empty() { summary::model_rules(&self.rulebook) } else { Vec::new() };
        let ending = Ending {
            report,
            mode: self.request.mode,
            narrowed: self.request.only.is_some() || self.request.row.is_some(),
            waiting: &waiting,
            models: &self.models,
            is_priced: self.is_priced,
            target: &self.target,
            settings: &self.session.settings_name(),
        };
        screen.say(&summary::lines(&ending).join("\n"));
        if let Some(advice) = &report.advice {
            screen.say(&format!("{:<10}{}", "Advice", terminal::line(advice)));
        }
    }

    fn exit(&self, report: &RunReport, signal: Option<Exit>) -> Exit {
        match (report.outcome, &report.failure) {
            (RunOutcome::Interrupted, _) => signal.unwrap_or(Exit::Ok), // nobody read the output any more
            (RunOutcome::Failed, Some(failure)) => Exit::of_failure(failure, &report.tally),
            (RunOutcome::Failed, None) => Exit::Internal,
            (RunOutcome::Budget, _) => Exit::Budget,
            (RunOutcome::Partial, _) => Exit::Partial,
            (RunOutcome::Ok, _) if self.finds(&report.tally) => Exit::Findings,
            (RunOutcome::Ok, _) => Exit::Ok,
        }
    }

    /// True if there is what `--fail-on` asks for. Rules in free text know no severity: each counts as `must`.
    fn finds(&self, tally: &Tally) -> bool {
        match (self.fail_on, self.rulebook.as_ref()) {
            (FailOn::None, _) => false,
            (FailOn::Invalid, _) | (FailOn::Must, Rulebook::Free(_)) => tally.rows_invalid > 0,
            (FailOn::Must, Rulebook::Numbered(numbered)) => numbered
                .rules
                .iter()
                .any(|rule| rule.severity == Severity::Must && tally.violations.contains_key(&rule.id)),
        }
    }
}

/// What the flags ask of a run.
pub(crate) fn request(selection: &SelectionArgs, settings: &Settings) -> RunRequest {
    RunRequest {
        limit: selection.limit,
        force: selection.force,
        not_before: selection.checkdate.then(|| monday_of(Timestamp::now(), &settings.time_zone)),
        only: selection.only.map(|only| match only {
            OnlyRows::Changed => Only::Changed,
            OnlyRows::Errors => Only::Errors,
            OnlyRows::Invalid => Only::Invalid,
        }),
        row: selection.row.clone(),
        ..RunRequest::default()
    }
}

/// Runs an engine from its start to its end, with progress and signals. The engine is gone when it returns.
pub(crate) fn drive(
    session: &Session,
    mut parts: Parts,
    request: RunRequest,
) -> Result<(RunReport, Option<Signals>), CliError> {
    let counts = parts.observer.take();
    parts.observer = Some(Arc::new(move |event: &Stamped| {
        log::observe(event);
        if let Some(counts) = &counts {
            counts.observe(event);
        }
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    runtime.block_on(async {
        let signals = Signals::listen(session.screen.clone(), request.cancel.clone()).ok();
        let engine = Engine::start(parts)?;
        let handle = engine.handle();
        let mut reporter = Reporter::new(session.screen.clone(), session.global.quiet);
        let started = Instant::now();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = {
            let running = handle.run(request);
            let mut running = std::pin::pin!(running);
            loop {
                tokio::select! {
                    ended = &mut running => break ended,
                    _ = ticks.tick() => reporter.tick(&handle.progress(), started.elapsed()),
                }
            }
        };
        reporter.end(&handle.progress());
        engine.shutdown(GRACE).await;
        let counted =
            |error| CliError { counted: Some(Box::new(handle.progress())), ..CliError::from(error) };
        Ok((ended.map_err(counted)?, signals))
    })
}

fn printer(session: &Session, args: &RunArgs) -> RowPrinter {
    let dry = args.output.dry_run.then_some(RowFormat::Rows);
    let default = if session.screen.out_is_terminal { RowFormat::Table } else { RowFormat::Jsonl };
    let format = args.output.format.or(dry).unwrap_or(default);
    RowPrinter::new(session.screen.clone(), format)
}

/// Traces what happens, and counts it if a file is to have it.
fn with_counts(
    mut parts: Parts,
    args: &RunArgs,
    telemetry: &Telemetry,
) -> Result<(Parts, Option<Arc<Metrics>>), CliError> {
    let models: Vec<_> = parts.providers.iter().map(|provider| provider.model.id().clone()).collect();
    let metrics = args.output.metrics_file.as_ref().map(|_| Metrics::new()).transpose();
    let metrics = metrics.map_err(|error| CliError::new(Exit::Internal, error))?.map(Arc::new);
    if let Some(metrics) = &metrics {
        metrics.know(&parts.job, models.clone());
    }
    telemetry.know(&parts.job, models);
    let (counts, traces) = (metrics.clone(), telemetry.clone());
    parts.observer = Some(Arc::new(move |event: &Stamped| {
        traces.observe(event);
        if let Some(counts) = &counts {
            counts.observe(event);
        }
    }));
    Ok((parts, metrics))
}

fn with_printer(
    parts: Parts,
    dry: bool,
    printer: &Arc<Mutex<RowPrinter>>,
    stop: &CancellationToken,
) -> Parts {
    let printer = Arc::clone(printer);
    if dry {
        return Parts { preview: Some(Box::new(Echo::alone(printer, stop.clone()))), ..parts };
    }
    let sink = parts.sink.map(|table| Box::new(Echo::beside(table, printer)) as Box<dyn TableSink>);
    Parts { sink, ..parts }
}

/// The file for `--summary`: proved to be writable before anything is spent, replaced as a whole at the end.
struct SummaryFile {
    path: PathBuf,
    spool: NamedTempFile,
}

impl SummaryFile {
    fn prepare(path: &Path) -> Result<Self, CliError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let refused = |what: &dyn std::fmt::Display| {
            CliError::usage(format!("--summary {}: cannot be written: {what}", path.display()))
        };
        if path.is_dir() {
            return Err(refused(&"it is a folder"));
        }
        // Its owner's alone, whatever the umask: reasons for what was not checked may quote the table.
        let spool = NamedTempFile::with_prefix_in(".status-validator-", folder.unwrap_or(Path::new(".")))
            .map_err(|error| refused(&error))?;
        Ok(Self { path: path.to_owned(), spool })
    }

    fn write(self, report: &RunReport) -> Result<(), CliError> {
        self.save(&serde_json::to_value(report).unwrap_or_default())
    }

    /// The report of a run that did not get to its end: failed, with what was counted until then.
    fn write_failure(self, job: &str, error: &CliError) -> Result<(), CliError> {
        let report = RunReport {
            run_id: String::new(),
            job: job.to_owned(),
            outcome: RunOutcome::Failed,
            tally: error.counted.as_deref().cloned().unwrap_or_default(),
            elapsed_s: 0.0,
            rows_per_s: 0.0,
            advice: None,
            failure: None,
        };
        let mut report = serde_json::to_value(report).unwrap_or_default();
        report["failure"] =
            serde_json::json!({ "kind": "start", "exit_code": error.exit.code(), "text": error.text });
        self.save(&report)
    }

    fn save(mut self, report: &serde_json::Value) -> Result<(), CliError> {
        let text = format!("{}\n", secrets::hidden(&terminal::json(&format!("{report:#}"))));
        let written = self.spool.write_all(text.as_bytes()).and_then(|()| self.spool.as_file().sync_all());
        let path = self.path;
        written.and_then(|()| self.spool.persist(&path).map(drop).map_err(|error| error.error)).map_err(
            |error| {
                CliError::new(
                    Exit::Partial,
                    format!("--summary {}: cannot be written: {error}", path.display()),
                )
            },
        )
    }
}
