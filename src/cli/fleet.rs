//! The daemon's engines: one for each store, with all the jobs that keep their answers in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use tokio_util::sync::CancellationToken;

use super::exit::CliError;
use super::log;
use super::run::GRACE;
use super::telemetry::Telemetry;
use super::words::counted;
use crate::assemble;
use crate::daemon::Runner;
use crate::engine::{
    Engine, EngineHandle, Parts, RunError, RunOutcome, RunReport, RunRequest, Stamped, Trigger,
};
use crate::http::{JobFacts, Metrics, Office};
use crate::settings::Settings;

/// The engines.
pub(super) struct Fleet {
    engines: Mutex<Vec<(PathBuf, Engine)>>,
    office: Office,
    metrics: Arc<Metrics>,
    telemetry: Telemetry,
}

impl Fleet {
    /// Engines for these jobs.
    pub(super) fn start(
        jobs: &[Settings],
        metrics: Arc<Metrics>,
        telemetry: Telemetry,
    ) -> Result<Self, CliError> {
        let zone = jobs.first().map(|job| job.time_zone.clone()).unwrap_or(jiff::tz::TimeZone::UTC);
        let office = Office::new(Vec::new(), zone, Arc::clone(&metrics));
        let fleet = Self { engines: Mutex::default(), office, metrics, telemetry };
        for (store, parts) in fleet.by_store(jobs)? {
            fleet.engines().push((store, Engine::start_jobs(parts)?));
        }
        fleet.show(jobs);
        Ok(fleet)
    }

    /// What is known of the jobs, for those who ask.
    pub(super) fn office(&self) -> &Office {
        &self.office
    }

    /// From now on these are the jobs. Runs that are under way keep what they began with. If something does not fit,
    /// the jobs of each store stay as they were.
    pub(super) async fn replace(&self, jobs: &[Settings]) -> Result<(), CliError> {
        let mut groups = self.by_store(jobs)?;
        let known: Vec<(PathBuf, EngineHandle)> =
            self.engines().iter().map(|(store, engine)| (store.clone(), engine.handle())).collect();
        for (store, handle) in known {
            // An engine without jobs stays: a run may be under way.
            handle.replace_jobs(groups.remove(&store).unwrap_or_default()).await?;
        }
        for (store, parts) in groups {
            let engine = Engine::start_jobs(parts)?;
            self.engines().push((store, engine));
        }
        self.show(jobs);
        Ok(())
    }

    /// Ends all engines in order.
    pub(super) async fn stop(&self) {
        let engines = std::mem::take(&mut *self.engines());
        join_all(engines.into_iter().map(|(_, engine)| engine.shutdown(GRACE))).await;
    }

    fn by_store(&self, jobs: &[Settings]) -> Result<BTreeMap<PathBuf, Vec<Parts>>, CliError> {
        let mut groups: BTreeMap<PathBuf, Vec<Parts>> = BTreeMap::new();
        for settings in jobs {
            let mut parts = assemble::parts(settings)?;
            let (metrics, telemetry) = (Arc::clone(&self.metrics), self.telemetry.clone());
            parts.observer = Some(Arc::new(move |event: &Stamped| {
                use crate::engine::Observer as _;
                metrics.observe(event);
                telemetry.observe(event);
                log::observe(event);
            }));
            groups.entry(settings.cache_path.clone()).or_default().push(parts);
        }
        Ok(groups)
    }

    fn show(&self, jobs: &[Settings]) {
        let facts = |settings: &Settings| JobFacts {
            schedule: settings.serve.schedule.as_ref().map(ToString::to_string),
            watches: settings.serve.watch,
            day_cap: settings.llm.max_cost_per_day,
            run_cap: settings.llm.max_cost,
        };
        let handles: Vec<EngineHandle> = self.engines().iter().map(|(_, engine)| engine.handle()).collect();
        for job in handles.iter().flat_map(EngineHandle::jobs) {
            self.metrics.know(&job.name, job.models.clone());
            self.telemetry.know(&job.name, job.models);
        }
        self.office.set_jobs(handles, jobs.iter().map(|job| (job.job.clone(), facts(job))).collect());
    }

    fn engines(&self) -> MutexGuard<'_, Vec<(PathBuf, Engine)>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runner for Fleet {
    fn run(&self, job: &str, trigger: Trigger, cancel: CancellationToken) -> BoxFuture<'static, String> {
        let (office, job) = (self.office.clone(), job.to_owned());
        async move {
            let request = RunRequest { job: Some(job), trigger, cancel, ..RunRequest::default() };
            let ended = match office.start(request).await {
                Ok(begun) => begun.report.await.unwrap_or(Err(RunError::ShuttingDown)),
                Err(error) => Err(error),
            };
            match ended {
                Ok(report) => summed_up(&report),
                Err(error) => format!("failed: {error}"),
            }
        }
        .boxed()
    }

    fn is_running(&self, job: &str) -> bool {
        self.office.running().iter().any(|(known, running, _)| known == job && running.is_some())
    }
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
