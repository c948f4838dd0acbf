//! `serve`: the daemon. Runs every job of the settings by its schedule, until SIGTERM; SIGHUP reads the settings again,
//! SIGUSR1 runs all jobs now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::exit::{CliError, Exit};
use super::run::GRACE;
use super::service::Service;
use super::session::{Overrides, Session};
use super::signals::{self, Asked};
use super::words::counted;
use super::{log, secrets, terminal};
use crate::assemble;
use crate::daemon::{self, Happened, Job, Runner, Wish};
use crate::domain::timetable::{Keeping, Timetable};
use crate::engine::{Engine, Parts, RunOutcome, RunReport, RunRequest, SystemClock};
use crate::fault::{self, Point};
use crate::settings::Settings;
use crate::store::{Claim, Lock, Store};

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Run all jobs once at the start, whatever their schedules say
    #[arg(long)]
    now: bool,
}

/// So many runs are looked through for when a job ran last.
const RUNS_LOOKED_AT: usize = 1000;

pub(crate) fn run(session: &Session, args: &ServeArgs) -> Result<Exit, CliError> {
    let jobs = load(session)?;
    let held = Held::default();
    held.take(&jobs)?;
    let runner = Arc::new(Engines::default());
    let timetables = runner.replace(jobs);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    runtime.block_on(async {
        let (wishes, heard) = mpsc::unbounded_channel();
        if args.now {
            wishes.send(Wish::Run(None)).ok(); // heard below
        }
        let asked = signals::Asks::listen().map_err(|error| CliError::new(Exit::Unavailable, error))?;
        let listening = listen(session, &runner, &held, asked, wishes);
        let screen = session.screen.clone();
        let next = timetables.iter().filter_map(|job| job.timetable.as_ref()?.next()).min();
        let next = next.map_or_else(|| "no job has a schedule".to_owned(), |next| format!("next run {next}"));
        session.screen.say(&format!("Serving {}: {next}", counted(timetables.len() as u64, "job")));
        Service.ready();
        Service.status(&next);
        let serving = daemon::serve(timetables, runner.clone(), Arc::new(SystemClock), heard, |what| {
            let told = told(&what);
            Service.status(&told);
            screen.say(&terminal::line(&told));
        });
        let (exit, ()) = tokio::join!(listening, Service.beside(serving));
        Ok(exit)
    })
}

/// The settings of every job.
fn load(session: &Session) -> Result<Vec<Settings>, CliError> {
    let jobs = Settings::load_jobs(&session.sources(Overrides::default())).map_err(CliError::usage)?;
    for settings in &jobs {
        secrets::know(settings.llm.providers.iter().filter_map(|provider| provider.api_key.as_ref()));
        settings.warnings().iter().for_each(|warning| session.warn(&format!("{}: {warning}", settings.job)));
        assemble::rulebook(settings)?; // a rulebook that cannot be read is found now, not at night
    }
    Ok(jobs)
}

/// What this process alone works on, from the start to the end.
#[derive(Default)]
struct Held(Mutex<Vec<(Claim, Lock)>>);

impl Held {
    /// Takes what is not held yet.
    fn take(&self, jobs: &[Settings]) -> Result<(), CliError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for claim in jobs.iter().flat_map(assemble::claims) {
            if !held.iter().any(|(known, _)| *known == claim) {
                let lock = claim.take(Duration::ZERO)?;
                held.push((claim, lock));
            }
        }
        Ok(())
    }
}

/// Hears signals until one says stop. Gives how the program ends.
async fn listen(
    session: &Session,
    runner: &Engines,
    held: &Held,
    mut asked: signals::Asks,
    wishes: mpsc::UnboundedSender<Wish>,
) -> Exit {
    loop {
        let wish = match asked.next().await {
            Asked::Stop(exit) => {
                session.screen.say("Stopping: the run under way is ended in good order. Once more stops at once; nothing is lost.");
                wishes.send(Wish::Stop).ok(); // it may have ended already
                asked.leave_at_the_next(session.screen.clone());
                return exit;
            }
            Asked::Run => Wish::Run(None),
            Asked::Reload => match load(session).and_then(|jobs| held.take(&jobs).map(|()| jobs)) {
                Ok(jobs) => {
                    fault::pass(Point::SettingsReloaded);
                    Wish::Jobs(runner.replace(jobs))
                }
                Err(error) => {
                    session.fail(&error);
                    session.screen.say("The settings stay as they were.");
                    continue;
                }
            },
        };
        wishes.send(wish).ok(); // it may have ended already
    }
}

/// Makes runs: an engine for each.
#[derive(Default)]
struct Engines(Mutex<HashMap<String, Settings>>);

impl Engines {
    /// From now on these are the jobs. Gives them with their timetables.
    fn replace(&self, jobs: Vec<Settings>) -> Vec<Job> {
        let timetables = jobs.iter().map(job).collect();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = jobs.into_iter().map(|settings| (settings.job.clone(), settings)).collect();
        timetables
    }
}

fn job(settings: &Settings) -> Job {
    let keeping = Keeping {
        zone: settings.time_zone.clone(),
        catch_up: settings.serve.catch_up,
        jitter: SignedDuration::ZERO,
        seed: 0,
    };
    let cron = settings.serve.schedule.clone();
    let timetable = cron.map(|cron| Timetable::new(cron, keeping, last_run(settings), Timestamp::now()));
    Job { name: settings.job.clone(), timetable }
}

/// When the job last began, as far as its store tells.
fn last_run(settings: &Settings) -> Option<Timestamp> {
    if !settings.cache_path.exists() {
        return None;
    }
    let runs = Store::open(&settings.cache_path).and_then(|store| store.runs(RUNS_LOOKED_AT)).ok()?;
    runs.into_iter().find(|run| run.start.job == settings.job).map(|run| run.start.started)
}

impl Runner for Engines {
    fn run(&self, job: &str, cancel: CancellationToken) -> BoxFuture<'static, String> {
        let settings = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(job).cloned();
        async move {
            match settings {
                Some(settings) => match engine_run(&settings, cancel).await {
                    Ok(report) => summed_up(&report),
                    Err(error) => format!("failed: {error}"),
                },
                None => "the job is gone".to_owned(),
            }
        }
        .boxed()
    }
}

async fn engine_run(settings: &Settings, cancel: CancellationToken) -> Result<RunReport, CliError> {
    // The claims are the daemon's.
    let mut parts = Parts { claims: Vec::new(), ..assemble::parts(settings)? };
    parts.observer = Some(Arc::new(log::observe));
    let engine = Engine::start(parts)?;
    let report = engine.handle().run(RunRequest { cancel, ..RunRequest::default() }).await;
    engine.shutdown(GRACE).await;
    Ok(report?)
}

fn summed_up(report: &RunReport) -> String {
    let tally = &report.tally;
    let outcome = match (report.outcome, &report.failure) {
        (RunOutcome::Failed, Some(failure)) => format!("failed: {}", failure.text),
        (outcome, _) => outcome.as_str().to_owned(),
    };
    format!(
        "{outcome}: {}: {} OK, {} to fix, {} not checked",
        counted(tally.rows_read, "row"),
        tally.rows_valid,
        tally.rows_invalid,
        tally.rows_not_checked
    )
}

fn told(what: &Happened) -> String {
    match what {
        Happened::Began { job, missed: 0 } => format!("{job}: a run begins"),
        Happened::Began { job, missed } => {
            format!(
                "{job}: a run begins; {} before it passed while nobody looked",
                counted((*missed).into(), "slot")
            )
        }
        Happened::Ended { job, how } => format!("{job}: {how}"),
        Happened::LeftOut { job, slot } => {
            format!("{job}: the run of {slot} is left out, one before it is not over")
        }
        Happened::Unknown { job } => format!("{job}: there is no such job"),
        Happened::Changed => "The settings were read again.".to_owned(),
    }
}
