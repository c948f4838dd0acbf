//! What is known of jobs, runs, rows, providers and money, and what can be asked for. Knows engines by their handles; what
//! engines do not know — schedules, reloads, troubles — it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use tokio::task::JoinHandle;

use super::metrics::Metrics;
use super::view::{
    JobView, ProgressView, ProviderView, ReloadView, RowView, RunView, RunningView, SpendingView, StatusView,
    TroubleView,
};
use crate::domain::entry::Entry;
use crate::domain::key::RowKey;
use crate::domain::money::MicroUsd;
use crate::domain::outcome::Outcome;
use crate::domain::rules::Rulebook;
use crate::engine::{
    EngineHandle, InspectError, JobStatus, ProviderStatus, RunError, RunOutcome, RunReport, RunRequest,
    ValidateError,
};
use crate::store::{JudgedRows, Waiting};

/// The office. Cheap to clone.
#[derive(Clone)]
pub struct Office(Arc<Known>);

struct Known {
    since: Timestamp,
    zone: TimeZone,
    metrics: Arc<Metrics>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    engines: Vec<EngineHandle>,
    facts: BTreeMap<String, JobFacts>,
    next: BTreeMap<String, Timestamp>,
    reload: Option<ReloadView>,
    troubles: VecDeque<TroubleView>,
}

/// What an engine does not know of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFacts {
    /// Its cron expression.
    pub schedule: Option<String>,
    /// Whether edits of the source start runs.
    pub watches: bool,
    /// What a day may cost.
    pub day_cap: Option<MicroUsd>,
    /// What a run may cost.
    pub run_cap: Option<MicroUsd>,
}

/// A run that has begun.
pub struct Begun {
    /// Its id.
    pub run_id: String,
    /// Its end. The run goes on if nobody waits.
    pub report: JoinHandle<Result<RunReport, RunError>>,
}

/// So many troubles are kept.
const TROUBLES: usize = 20;

impl Office {
    /// An office for these engines, in this time zone.
    pub fn new(engines: Vec<EngineHandle>, zone: TimeZone, metrics: Arc<Metrics>) -> Self {
        let told = Mutex::new(Told { engines, ..Told::default() });
        Self(Arc::new(Known { since: Timestamp::now(), zone, metrics, told }))
    }

    /// From now on these are the engines, and this is known of their jobs.
    pub fn set_jobs(&self, engines: Vec<EngineHandle>, facts: BTreeMap<String, JobFacts>) {
        let mut told = self.told();
        told.next.retain(|job, _| facts.contains_key(job));
        (told.engines, told.facts) = (engines, facts);
    }

    /// A job runs next then, or at no time that is known.
    pub fn set_next(&self, job: &str, next: Option<Timestamp>) {
        self.0.metrics.set_next(job, next);
        let told = &mut self.told().next;
        match next {
            Some(next) => drop(told.insert(job.to_owned(), next)),
            None => drop(told.remove(job)),
        }
    }

    /// Settings were read again, or could not be.
    pub fn reloaded(&self, problem: Option<String>) {
        self.0.metrics.reloaded(problem.is_none());
        self.told().reload = Some(ReloadView { at: Timestamp::now(), problem });
    }

    /// Something went wrong.
    pub fn trouble(&self, job: Option<&str>, text: String) {
        let troubles = &mut self.told().troubles;
        troubles.truncate(TROUBLES - 1);
        troubles.push_front(TroubleView { at: Timestamp::now(), job: job.map(str::to_owned), text });
    }

    /// The time zone of people.
    pub fn zone(&self) -> &TimeZone {
        &self.0.zone
    }

    /// The counters of everything.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What makes the service unable to do its work, if anything does.
    pub async fn not_ready(&self) -> Option<String> {
        let engines = self.told().engines.clone();
        if engines.is_empty() {
            return Some("no engine is there".to_owned());
        }
        for engine in engines {
            if let Err(error) = engine.inspect(|store| store.runs(1)).await {
                return Some(error.to_string());
            }
        }
        None
    }

    /// The names of the jobs.
    pub fn job_names(&self) -> Vec<String> {
        self.told().engines.iter().flat_map(EngineHandle::jobs).map(|job| job.name).collect()
    }

    /// The runs under way: the job, the run and its counters. Asks nobody, and costs next to nothing.
    pub fn running(&self) -> Vec<(String, Option<RunningView>, crate::engine::Tally)> {
        let engines = self.told().engines.clone();
        let jobs = engines.iter().flat_map(EngineHandle::jobs);
        jobs.map(|job| (job.name.clone(), running(&job), job.tally)).collect()
    }

    /// Everything at a glance.
    pub async fn status(&self) -> Result<StatusView, InspectError> {
        let (jobs, spending) = (self.jobs().await?, self.spending().await?);
        let providers = self.providers();
        let told = self.told();
        Ok(StatusView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: self.0.since,
            jobs,
            providers,
            spending,
            troubles: told.troubles.iter().cloned().collect(),
            reload: told.reload.clone(),
        })
    }

    /// The jobs.
    pub async fn jobs(&self) -> Result<Vec<JobView>, InspectError> {
        let engines = self.told().engines.clone();
        let mut jobs = Vec::new();
        for engine in engines {
            let stands = engine.jobs();
            let asked: Vec<_> = stands.iter().map(|job| (job.name.clone(), job.target.clone())).collect();
            let known = engine
                .inspect(move |store| {
                    let last = |job: &str| store.runs_before(Some(job), None, 2);
                    asked.iter().map(|(job, target)| Ok((last(job)?, store.waiting(target)?))).collect()
                })
                .await;
            let known: Vec<_> = known?;
            let told = self.told();
            jobs.extend(stands.iter().zip(known).map(|(job, (last, pending))| {
                let last = last.into_iter().find(|run| run.outcome.is_some()).map(RunView::from);
                job_view(job, told.facts.get(&job.name), told.next.get(&job.name), last, pending)
            }));
        }
        Ok(jobs)
    }

    /// The providers.
    pub fn providers(&self) -> Vec<ProviderView> {
        self.told().engines.iter().flat_map(EngineHandle::providers).map(provider_view).collect()
    }

    /// How many answers are stored, and in how many bytes.
    pub async fn stored(&self) -> Result<(u64, u64), InspectError> {
        let engines = self.told().engines.clone();
        let mut sum = (0, 0);
        for engine in engines {
            let (answers, bytes) = engine.inspect(|store| store.size()).await?;
            sum = (sum.0 + answers, sum.1 + bytes);
        }
        Ok(sum)
    }

    /// What was spent, and what may be.
    pub async fn spending(&self) -> Result<SpendingView, InspectError> {
        let today = Timestamp::now().to_zoned_datetime(self.0.zone.clone()).date();
        let month = today.first_of_month();
        let (day, month) = (self.midnight(today), self.midnight(month));
        let (engines, facts) = {
            let told = self.told();
            (told.engines.clone(), told.facts.values().cloned().collect::<Vec<_>>())
        };
        let cap =
            |cap: fn(&JobFacts) -> Option<MicroUsd>| facts.iter().filter_map(cap).max().map(MicroUsd::as_usd);
        let (mut today, mut this_month) = (MicroUsd::default(), MicroUsd::default());
        for engine in engines {
            let spent = engine.inspect(move |store| Ok((store.spent_since(day)?, store.spent_since(month)?)));
            let (of_day, of_month) = spent.await?;
            (today, this_month) = (today + of_day, this_month + of_month);
        }
        Ok(SpendingView {
            today_usd: today.as_usd(),
            month_usd: this_month.as_usd(),
            day_cap_usd: cap(|facts| facts.day_cap),
            run_cap_usd: cap(|facts| facts.run_cap),
        })
    }

    /// Runs of a job, or of all, that began before a moment; newest first.
    pub async fn runs(
        &self,
        job: Option<String>,
        before: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<RunView>, InspectError> {
        let mut runs = Vec::new();
        for engine in self.engines() {
            let job = job.clone();
            runs.extend(engine.inspect(move |store| store.runs_before(job.as_deref(), before, limit)).await?);
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.start.started));
        Ok(runs.into_iter().take(limit).map(RunView::from).collect())
    }

    /// The run of this id.
    pub async fn run(&self, id: &str) -> Result<Option<RunView>, InspectError> {
        for engine in self.engines() {
            let wanted = id.to_owned();
            if let Some(run) = engine.inspect(move |store| store.run_of_id(&wanted)).await? {
                return Ok(Some(run.into()));
            }
        }
        // One that has only just begun is not in the history yet.
        let running = self.running().into_iter();
        Ok(running.filter_map(|(job, run, _)| Some((job, run?))).find(|(_, run)| run.run_id == id).map(
            |(job, run)| RunView {
                run_id: run.run_id,
                job,
                started: run.since,
                ended: None,
                outcome: None,
                report: None,
                spent_usd: 0.0,
            },
        ))
    }

    /// Rows of a job with their verdicts, by key.
    pub async fn rows(&self, wanted: JudgedRows, show_content: bool) -> Result<Vec<RowView>, InspectError> {
        let Some(engine) = self.engine_of(&wanted.job) else { return Ok(Vec::new()) };
        let rows = engine.inspect(move |store| store.judged(&wanted)).await?;
        Ok(rows.into_iter().map(|row| RowView::of(row, show_content)).collect())
    }

    /// The verdicts of one row, newest first.
    pub async fn history(
        &self,
        job: &str,
        key: &str,
        limit: usize,
        show_content: bool,
    ) -> Result<Vec<RowView>, InspectError> {
        let Some(engine) = self.engine_of(job) else { return Ok(Vec::new()) };
        let (job, key) = (job.to_owned(), RowKey::stored(key));
        let rows = engine.inspect(move |store| store.history(&job, &key, limit)).await?;
        Ok(rows.into_iter().map(|row| RowView::of(row, show_content)).collect())
    }

    /// Judges one row: the same checks, cache and limits as in a run of the job.
    pub async fn validate(&self, job: &str, entry: Entry) -> Result<Outcome, ValidateError> {
        let Some(engine) = self.engine_of(job) else {
            return Err(ValidateError::UnknownJob(job.to_owned()));
        };
        engine.validate_for(job, entry).await
    }

    /// Starts a run, and takes note of how it ends. Needs a tokio runtime.
    pub async fn start(&self, request: RunRequest) -> Result<Begun, RunError> {
        let job = request.job.clone().unwrap_or_default();
        let Some(engine) = self.engine_of(&job) else { return Err(RunError::UnknownJob(job)) };
        let started = engine.start(request).await?;
        let (run_id, office) = (started.run_id.clone(), self.clone());
        let report = tokio::spawn(async move {
            let ended = started.report().await;
            office.note_end(&job, &ended);
            ended
        });
        Ok(Begun { run_id, report })
    }

    fn note_end(&self, job: &str, ended: &Result<RunReport, RunError>) {
        match ended {
            Ok(report) => match (report.outcome, &report.failure) {
                (RunOutcome::Ok | RunOutcome::Interrupted, _) => {}
                (_, Some(failure)) => self.trouble(Some(job), failure.text.clone()),
                (RunOutcome::Budget, None) => {
                    self.trouble(Some(job), "the cost cap ended the run".to_owned())
                }
                (_, None) => {
                    let rows = report.tally.rows_not_checked + report.tally.verdicts_kept;
                    let why = report.tally.not_checked.keys().next().cloned().unwrap_or_default();
                    self.trouble(Some(job), format!("rows not checked: {rows}; {why}"));
                }
            },
            Err(error) => self.trouble(Some(job), error.to_string()),
        }
    }

    /// Ends a run early, in good order. False if no such run is under way.
    pub async fn cancel(&self, run: &str) -> bool {
        for engine in self.engines() {
            if engine.cancel(run).await {
                return true;
            }
        }
        false
    }

    fn engines(&self) -> Vec<EngineHandle> {
        self.told().engines.clone()
    }

    fn engine_of(&self, job: &str) -> Option<EngineHandle> {
        self.engines().into_iter().find(|engine| engine.jobs().iter().any(|known| known.name == job))
    }

    fn midnight(&self, day: civil::Date) -> Timestamp {
        let midnight = day.to_zoned_datetime(self.0.zone.clone());
        midnight.map_or(Timestamp::UNIX_EPOCH, |midnight| midnight.timestamp())
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn running(job: &JobStatus) -> Option<RunningView> {
    let run = job.running.as_ref()?;
    let progress = ProgressView::of(&job.tally);
    Some(RunningView { run_id: run.run_id.clone(), since: run.since, progress })
}

fn job_view(
    job: &JobStatus,
    facts: Option<&JobFacts>,
    next: Option<&Timestamp>,
    last_run: Option<RunView>,
    pending: Waiting,
) -> JobView {
    JobView {
        running: running(job),
        schedule: facts.and_then(|facts| facts.schedule.clone()),
        watches: facts.is_some_and(|facts| facts.watches),
        next_run: next.copied(),
        rules: match job.rulebook.as_ref() {
            Rulebook::Numbered(rules) => Some(rules.rules.len()),
            Rulebook::Free(_) => None,
        },
        rules_version: version(&job.rulebook),
        models: job.models.iter().map(ToString::to_string).collect(),
        name: job.name.clone(),
        source: job.source.clone(),
        target: job.target.clone(),
        last_run,
        pending_writes: pending.rows,
        pending_since: pending.since,
    }
}

fn version(rulebook: &Rulebook) -> String {
    let text = format!("{rulebook:?}");
    blake3::hash(text.as_bytes()).to_hex().get(..8).unwrap_or_default().to_owned()
}

fn provider_view(provider: ProviderStatus) -> ProviderView {
    ProviderView {
        name: provider.id.provider,
        model: provider.id.model,
        in_flight: provider.in_flight,
        requests_per_minute: provider.requests_per_minute,
        pause_s: provider.pause.as_secs_f64(),
        state: match () {
            () if provider.is_given_up => "given_up",
            () if provider.is_open => "trouble",
            () => "asked",
        },
    }
}
