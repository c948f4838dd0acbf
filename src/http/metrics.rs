//! Metrics, counted from what engines tell: in base units, under the prefix `sv_`, never with a project, a manager or a row
//! in a label.
//!
//! [`Metrics`] is an [`Observer`]: give it to an engine's `Parts`. It has no globals; several live side by side.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::{CounterVec, Gauge, IntGauge};
use prometheus::{
    Encoder as _, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use super::view::{JobView, ProviderView, SpendingView};
use crate::engine::{By, Event, Observer, RunOutcome, Settled, Stamped};
use crate::llm::ModelId;

/// All counters of a program.
pub struct Metrics {
    registry: Registry,
    /// The models of each job: events give their places.
    models: Mutex<BTreeMap<String, Vec<ModelId>>>,
    runs: IntCounterVec,
    run_duration: HistogramVec,
    run_in_progress: IntGaugeVec,
    last_attempt: GaugeVec,
    last_success: GaugeVec,
    next_run: GaugeVec,
    rows_read: IntCounterVec,
    rows_reviewed: IntCounterVec,
    rows_not_reviewed: IntCounterVec,
    violations: IntCounterVec,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    retries: IntCounterVec,
    in_flight: IntGaugeVec,
    tokens: IntCounterVec,
    cost: CounterVec,
    lookups: IntCounterVec,
    sheets: IntCounterVec,
    written: IntCounterVec,
    restarts: IntCounterVec,
    circuit_open: IntGaugeVec,
    budget_left: GaugeVec,
    pending: IntGaugeVec,
    pending_age: GaugeVec,
    queued: IntGaugeVec,
    answers: IntGauge,
    store_bytes: IntGauge,
    reload_ok: Gauge,
    reload_at: Gauge,
    http_requests: IntCounterVec,
    http_duration: HistogramVec,
}

impl Metrics {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// None that is known: names are constants. A test makes them all.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, GaugeVec::new(Opts::new(name, help), labels))
        };
        let whole = |name: &str, help: &str, labels: &[&str]| {
            register(&registry, IntGaugeVec::new(Opts::new(name, help), labels))
        };
        let histogram = |name: &str, help: &str, labels: &[&str], buckets: &[f64]| {
            register(
                &registry,
                HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels),
            )
        };
        let single = |name: &str, help: &str| register(&registry, Gauge::new(name, help));
        let lone = |name: &str, help: &str| register(&registry, IntGauge::new(name, help));
        whole("sv_build_info", "The version that runs.", &["version"])?
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        Ok(Self {
            models: Mutex::default(),
            runs: counter("sv_runs_total", "Runs that have ended.", &["trigger", "outcome"])?,
            run_duration: histogram("sv_run_duration_seconds", "How long runs took.", &["trigger"], RUNS)?,
            run_in_progress: whole("sv_run_in_progress", "Runs under way.", &["job"])?,
            last_attempt: gauge("sv_run_last_attempt_timestamp_seconds", "When a run last ended.", &["job"])?,
            last_success: gauge(
                "sv_run_last_success_timestamp_seconds",
                "When a run last ended with every row judged.",
                &["job"],
            )?,
            next_run: gauge("sv_schedule_next_run_timestamp_seconds", "When a job runs next.", &["job"])?,
            rows_read: counter("sv_rows_read_total", "Rows read.", &["job"])?,
            rows_reviewed: counter("sv_rows_reviewed_total", "Rows judged.", &["verdict", "origin"])?,
            rows_not_reviewed: counter("sv_rows_not_reviewed_total", "Rows not judged.", &["reason"])?,
            violations: counter("sv_rule_violations_total", "Rows that violate a rule.", &["rule"])?,
            requests: counter(
                "sv_llm_requests_total",
                "Requests to models that have ended.",
                &["provider", "model", "outcome"],
            )?,
            request_duration: histogram(
                "sv_llm_request_duration_seconds",
                "How long requests to models took.",
                &["provider", "model"],
                CALLS,
            )?,
            retries: counter("sv_llm_retries_total", "Attempts after the first.", &["provider"])?,
            in_flight: whole("sv_llm_inflight", "Requests to models under way.", &["provider"])?,
            tokens: counter("sv_llm_tokens_total", "Tokens.", &["provider", "model", "type"])?,
            cost: register(
                &registry,
                CounterVec::new(
                    Opts::new("sv_llm_cost_usd_total", "US dollars spent, as far as prices are known."),
                    &["provider", "model"],
                ),
            )?,
            lookups: counter("sv_cache_lookups_total", "Questions whose answer was looked up.", &["result"])?,
            sheets: counter("sv_sheets_requests_total", "Requests to the spreadsheet service.", &["op"])?,
            written: counter("sv_sink_rows_written_total", "Rows of results tables.", &["op"])?,
            restarts: counter("sv_actor_restarts_total", "Restarts of parts of the engine.", &["actor"])?,
            circuit_open: whole(
                "sv_llm_circuit_open",
                "1 while a provider gets only a trial now and then, or none.",
                &["provider", "model"],
            )?,
            budget_left: gauge("sv_llm_budget_remaining_usd", "US dollars left of a cap.", &["period"])?,
            pending: whole("sv_sink_pending_rows", "Results not in the results table yet.", &["job"])?,
            pending_age: gauge(
                "sv_sink_oldest_pending_seconds",
                "How long the oldest of them waits; 0 if there is none.",
                &["job"],
            )?,
            queued: whole("sv_queue_depth", "Rows that wait: for a verdict, or to be written.", &["stage"])?,
            answers: lone("sv_cache_entries", "Answers of models that are stored.")?,
            store_bytes: lone("sv_cache_size_bytes", "How large the files of the stores are.")?,
            reload_ok: single(
                "sv_config_last_reload_successful",
                "1 if the settings that were read last hold.",
            )?,
            reload_at: single("sv_config_last_reload_timestamp_seconds", "When settings were read last.")?,
            http_requests: counter("sv_http_requests_total", "Requests answered.", &["route", "code"])?,
            http_duration: histogram(
                "sv_http_request_duration_seconds",
                "How long they took.",
                &["route"],
                ANSWERS,
            )?,
            registry,
        })
    }

    /// The models of a job, in their order.
    pub fn know(&self, job: &str, models: Vec<ModelId>) {
        self.models.lock().unwrap_or_else(PoisonError::into_inner).insert(job.to_owned(), models);
    }

    /// Settings were read, or could not be.
    pub fn reloaded(&self, ok: bool) {
        self.reload_ok.set(if ok { 1.0 } else { 0.0 });
        self.reload_at.set(now());
    }

    /// A job runs next then; none: at no time that is known.
    pub fn set_next(&self, job: &str, next: Option<jiff::Timestamp>) {
        match next {
            Some(next) => self.next_run.with_label_values(&[job]).set(next.as_second() as f64),
            None => drop(self.next_run.remove_label_values(&[job])),
        }
    }

    /// What is looked at when somebody asks: what waits, providers, what is left of the day's cap.
    pub fn set_standing(&self, jobs: &[JobView], providers: &[ProviderView], spending: &SpendingView) {
        for JobView { name, pending_writes, pending_since, .. } in jobs {
            let age = pending_since.map_or(0.0, |since| now() - since.as_second() as f64);
            self.pending.with_label_values(&[name]).set(signed(*pending_writes));
            self.pending_age.with_label_values(&[name]).set(age.max(0.0));
        }
        let progress = jobs.iter().filter_map(|job| job.running.as_ref()).map(|running| &running.progress);
        let judging =
            progress.map(|run| run.rows_read.saturating_sub(run.rows_settled + run.in_flight as u64));
        self.queued.with_label_values(&["judge"]).set(signed(judging.sum()));
        self.queued
            .with_label_values(&["write"])
            .set(signed(jobs.iter().map(|job| job.pending_writes).sum()));
        for ProviderView { name, model, state, .. } in providers {
            self.circuit_open.with_label_values(&[name, model]).set(i64::from(*state != "asked"));
        }
        if let Some(cap) = spending.day_cap_usd {
            self.budget_left.with_label_values(&["day"]).set((cap - spending.today_usd).max(0.0));
        }
    }

    /// How many answers all stores hold, and how large they are.
    pub fn set_stores(&self, answers: u64, bytes: u64) {
        self.answers.set(signed(answers));
        self.store_bytes.set(signed(bytes));
    }

    /// A request of the status page, the API or the metrics was answered.
    pub fn answered(&self, route: &str, code: u16, took: std::time::Duration) {
        self.http_requests.with_label_values(&[route, &code.to_string()]).inc();
        self.http_duration.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// Everything, in the text format of Prometheus, version 0.0.4.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "metrics cannot be written");
                String::new()
            }
        }
    }

    /// Writes [`Metrics::text`] to a file, replaced as a whole, for collectors that read files. Anybody may read it: they
    /// run as other users, and it holds no text of the table.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".metrics-").tempfile_in(folder)?;
        file.write_all(self.text().as_bytes())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    fn model(&self, job: &str, place: usize) -> Option<ModelId> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner).get(job)?.get(place).cloned()
    }
}

/// Buckets in seconds.
const RUNS: &[f64] = &[1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0];
const CALLS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0];
const ANSWERS: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0];

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    family: prometheus::Result<C>,
) -> prometheus::Result<C> {
    let family = family?;
    registry.register(Box::new(family.clone()))?;
    Ok(family)
}

impl Observer for Metrics {
    fn observe(&self, Stamped { job, event, .. }: &Stamped) {
        match event {
            Event::RunStarted { .. } => self.run_in_progress.with_label_values(&[&**job]).inc(),
            Event::RunEnded { trigger, outcome, took, .. } => {
                self.run_in_progress.with_label_values(&[&**job]).dec();
                self.runs.with_label_values(&[trigger.as_str(), outcome.as_str()]).inc();
                self.run_duration.with_label_values(&[trigger.as_str()]).observe(took.as_secs_f64());
                self.last_attempt.with_label_values(&[&**job]).set(now());
                if *outcome == RunOutcome::Ok {
                    self.last_success.with_label_values(&[&**job]).set(now());
                }
            }
            Event::RowRead { .. } => self.rows_read.with_label_values(&[&**job]).inc(),
            Event::Settled { state, .. } => self.settled(state),
            Event::CallStarted { provider, .. } => {
                if let Some(model) = self.model(job, *provider) {
                    self.in_flight.with_label_values(&[&model.provider]).inc();
                }
            }
            Event::CallEnded { provider, end, usage, cost, took, .. } => {
                let Some(ModelId { provider, model }) = self.model(job, *provider) else { return };
                self.in_flight.with_label_values(&[&provider]).dec();
                self.requests.with_label_values(&[&*provider, &*model, end.as_str()]).inc();
                self.request_duration.with_label_values(&[&provider, &model]).observe(took.as_secs_f64());
                let tokens = [
                    ("input", usage.prompt_tokens),
                    ("cache_read", usage.cached_tokens),
                    ("output", usage.completion_tokens),
                    ("reasoning", usage.reasoning_tokens),
                ];
                for (kind, tokens) in tokens.into_iter().filter(|(_, tokens)| *tokens > 0) {
                    self.tokens.with_label_values(&[&*provider, &*model, kind]).inc_by(tokens);
                }
                self.cost.with_label_values(&[&provider, &model]).inc_by(cost.as_usd());
            }
            Event::Retry { provider, .. } => {
                if let Some(model) = self.model(job, *provider) {
                    self.retries.with_label_values(&[&model.provider]).inc();
                }
            }
            Event::Committed { written, unchanged, marked_gone } => {
                for (op, rows) in [("write", written), ("keep", unchanged), ("mark_gone", marked_gone)] {
                    self.written.with_label_values(&[op]).inc_by(*rows);
                }
            }
            Event::TableRequests { reads, writes } => {
                self.sheets.with_label_values(&["read"]).inc_by(*reads);
                self.sheets.with_label_values(&["write"]).inc_by(*writes);
            }
            Event::Restarted { actor, .. } => self.restarts.with_label_values(&[*actor]).inc(),
            _ => {}
        }
    }
}

impl Metrics {
    fn settled(&self, state: &Settled) {
        match state {
            Settled::Judged { valid, by, rules, .. } => {
                let origin = match by {
                    By::Code => "code",
                    By::Model => "model",
                    By::Cache | By::Twin => "cache",
                };
                let verdict = if *valid { "valid" } else { "invalid" };
                self.rows_reviewed.with_label_values(&[verdict, origin]).inc();
                match by {
                    By::Model => self.lookups.with_label_values(&["miss"]).inc(),
                    By::Cache | By::Twin => self.lookups.with_label_values(&["hit"]).inc(),
                    By::Code => {}
                }
                for rule in rules {
                    self.violations.with_label_values(&[rule.as_str()]).inc();
                }
            }
            Settled::NotChecked(why) => self.rows_not_reviewed.with_label_values(&[reason(why)]).inc(),
            Settled::Skipped(why) => {
                use crate::domain::outcome::SkipReason as Why;
                let why = match why {
                    Why::Blank => "blank",
                    Why::Limit => "limit",
                    Why::NotAsked | Why::JudgedElsewhere | Why::Planned => "not_asked",
                };
                self.rows_not_reviewed.with_label_values(&[why]).inc();
            }
        }
    }
}

/// Reasons are texts for people; what they say in common is a word.
fn reason(why: &str) -> &'static str {
    match why {
        why if why.contains("cost more than the cap") => "budget",
        why if why.contains("interrupted") => "cancelled",
        why if why.contains("does not fit") || why.contains("the answer") => "schema",
        _ => "llm",
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn now() -> f64 {
    jiff::Timestamp::now().as_second() as f64
}
