//! The report of a run: counters, and the outcome in a word.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dispatcher::Halted;
use super::event::{By, CallEnd, Event, Settled};
use super::trend::Trend;
use crate::domain::money::{MicroUsd, Usage};
use crate::domain::outcome::SkipReason;
use crate::domain::rules::RuleId;
use crate::table::TableError;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// Every row was judged and stands in the results.
    Ok,
    /// Some rows were not judged or not written; the next run goes on from here.
    Partial,
    /// The source, the target or all providers failed. Nothing that was paid for is lost.
    Failed,
    /// A cost cap ended it.
    Budget,
    /// It was told to stop.
    Interrupted,
}

impl RunOutcome {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Budget => "budget",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a run did. Serialised, it is the file that `--summary` writes: other tools rely on the names.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// The run's id.
    pub run_id: String,
    /// The job's name in the settings.
    pub job: String,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The counters.
    #[serde(flatten)]
    pub tally: Tally,
    /// Wall time in seconds.
    pub elapsed_s: f64,
    /// Rows that were read, a second.
    pub rows_per_s: f64,
    /// What to change about `max_workers`, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// What ended the run early, if anything failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What ended a run early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Which part failed.
    pub kind: FailureKind,
    /// What happened.
    pub text: String,
}

/// The part that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The source, in the midst of reading.
    Source,
    /// The results table.
    Target,
    /// A table that may not be used: access was refused, or taken away.
    Access,
    /// The store.
    Store,
    /// All providers.
    Providers,
    /// All workers: a bug, ours or the model's.
    Workers,
    /// A part of the engine that a run cannot do without: a bug.
    Engine,
}

impl Failure {
    /// A table failed; refused access is told apart, since no later run can do better by itself.
    pub(super) fn of_table(kind: FailureKind, error: &TableError) -> Self {
        let kind = if matches!(error, TableError::Forbidden { .. }) { FailureKind::Access } else { kind };
        Self { kind, text: error.to_string() }
    }

    pub(super) fn of(halted: &Halted) -> Option<Self> {
        let kind = match halted {
            Halted::Interrupted | Halted::Budget => return None,
            Halted::Reader => FailureKind::Source,
            Halted::Target(_) => FailureKind::Target,
            Halted::Store(_) => FailureKind::Store,
            Halted::Providers(_) => FailureKind::Providers,
            Halted::Workers => FailureKind::Workers,
        };
        Some(Self { kind, text: halted.reason() })
    }
}

/// The counters of a run. Each row that was read is in exactly one of `rows_skipped`, `rows_valid`,
/// `rows_invalid` and `rows_not_checked`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Rows of the source, blank ones included.
    pub rows_read: u64,
    /// Rows that were not to be judged.
    pub rows_skipped: u64,
    /// Rows that pass.
    pub rows_valid: u64,
    /// Rows that violate a rule.
    pub rows_invalid: u64,
    /// Rows that could not be judged.
    pub rows_not_checked: u64,
    /// Rows whose answer was known from an earlier run.
    pub cache_hits: u64,
    /// Rows that shared another row's call.
    pub deduplicated: u64,
    /// Rows of the results table that were added or changed.
    pub rows_written: u64,
    /// Rows of the results table that said the same already.
    pub rows_unchanged: u64,
    /// Rows of the results table newly marked as gone from the source.
    pub rows_marked_gone: u64,
    /// Calls of models.
    pub llm: LlmTally,
    /// Requests to the spreadsheet service.
    pub sheets: SheetsTally,
    /// The pool of workers.
    pub workers: WorkersTally,
    /// Rows decided by code checks alone.
    pub decided_by_code: u64,
    /// How many rows violate each rule.
    pub violations: BTreeMap<RuleId, u64>,
    /// Why rows were skipped, with counts.
    pub skipped: BTreeMap<String, u64>,
    /// Why rows were not checked, with counts; the most frequent reasons.
    pub not_checked: BTreeMap<String, u64>,
    /// Rows that were to be judged anew, could not be, and keep their earlier verdicts.
    pub verdicts_kept: u64,
    /// Rows that share an identifier with an earlier one.
    pub duplicates: u64,
    /// Providers that were given up in this run, with the reason.
    pub providers_out: BTreeMap<usize, String>,
    /// Things that people should know; the first hundred.
    pub warnings: Vec<String>,
    /// What was not spent.
    pub saved: Savings,
    /// Calls that a plan would make.
    #[serde(skip)]
    pub planned_calls: u64,
    /// Tokens of their prompts.
    #[serde(skip)]
    pub planned_tokens: u64,
    /// Those of each prompt that are the same in all of them.
    #[serde(skip)]
    pub planned_fixed_tokens: u64,
    /// Data rows that are to be expected.
    #[serde(skip)]
    pub rows_expected: Option<u64>,
    /// There are no more data rows than these.
    #[serde(skip)]
    pub rows_at_most: Option<u64>,
    /// Calls that are under way.
    #[serde(skip)]
    pub in_flight: usize,
}

/// Calls of models.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LlmTally {
    /// Requests that were sent.
    pub requests: u64,
    /// Answers that fit.
    pub answers: u64,
    /// Requests that were answered with «slow down».
    pub rate_limited: u64,
    /// Requests that were not answered in time.
    pub timeouts: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Tokens of prompts, cached ones included.
    pub prompt_tokens: u64,
    /// Prompt tokens that providers had cached.
    pub cached_tokens: u64,
    /// Tokens of answers, reasoning included.
    pub completion_tokens: u64,
    /// US dollars, as far as prices are known.
    pub cost_usd: f64,
    /// The provider's limit in requests a minute, told or found; of several providers, of the first that has one.
    pub requests_per_minute: Option<f64>,
    /// Seconds that answers took, added up.
    #[serde(skip)]
    pub answer_s: f64,
    /// How calls went, early and of late.
    #[serde(skip)]
    pub trend: Trend,
    #[serde(skip)]
    cost: MicroUsd,
}

/// What rows would have cost that no model was asked about, in US dollars.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Savings {
    /// Rows whose answer was known from an earlier run.
    pub cache_usd: f64,
    /// Rows that shared another row's answer.
    pub same_row_usd: f64,
    /// Rows that code decided, at the mean price of an answer.
    pub code_usd: f64,
    #[serde(skip)]
    cache: MicroUsd,
    #[serde(skip)]
    same_row: MicroUsd,
    #[serde(skip)]
    answers: MicroUsd,
    #[serde(skip)]
    answered: u64,
}

/// Requests to the spreadsheet service.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SheetsTally {
    /// Requests that read.
    pub reads: u64,
    /// Requests that wrote.
    pub writes: u64,
}

/// The pool of workers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WorkersTally {
    /// The setting.
    pub max: usize,
    /// The most calls at one time.
    pub peak_in_flight: usize,
    /// Restarts of actors.
    pub restarts: u64,
}

/// Reasons and warnings beyond these are counted together: tables may be long.
const MAX_REASONS: usize = 50;
const MAX_WARNINGS: usize = 100;

impl Tally {
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::RunStarted { .. } => {
                let max = self.workers.max;
                *self = Self { workers: WorkersTally { max, ..Default::default() }, ..Default::default() };
            }
            Event::RowsExpected(rows) => self.rows_expected = Some(*rows),
            Event::RowsAtMost(rows) => self.rows_at_most = Some(*rows),
            Event::RowRead { .. } => {
                self.rows_read += 1;
                self.rows_expected = self.rows_expected.map(|rows| rows.max(self.rows_read));
            }
            Event::Duplicate { row, first } => {
                self.duplicates += 1;
                self.warn(format!("row {row} has the same identifier as row {first}: both are kept"));
            }
            Event::Admitted { .. }
            | Event::Queued { .. }
            | Event::Twin { .. }
            | Event::Took { .. }
            | Event::Taken { .. } => {}
            Event::Planned { prompt_tokens, fixed_tokens, .. } => {
                self.planned_calls += 1;
                self.planned_tokens += prompt_tokens;
                self.planned_fixed_tokens = *fixed_tokens;
            }
            Event::Pace { requests_per_minute, .. } => {
                let rounded = requests_per_minute.map(|rate| (rate * 10.0).round() / 10.0);
                self.llm.requests_per_minute = self.llm.requests_per_minute.or(rounded);
            }
            Event::CallStarted { .. } => {
                self.in_flight += 1;
                self.workers.peak_in_flight = self.workers.peak_in_flight.max(self.in_flight);
            }
            Event::CallEnded { end, usage, cost, requests, took, .. } => {
                self.in_flight = self.in_flight.saturating_sub(1);
                self.llm.add(*end, usage, *cost, *requests);
                if *end == CallEnd::Answered {
                    self.llm.trend.answered(*took, usage);
                    self.llm.answer_s += took.as_secs_f64();
                }
            }
            Event::Retry { .. } => self.llm.retries += 1,
            Event::VerdictKept { reason, .. } => {
                if self.verdicts_kept == 0 {
                    self.warn(format!(
                        "rows that could not be judged anew keep their earlier verdicts: {reason}"
                    ));
                }
                self.verdicts_kept += 1;
            }
            Event::ProviderOut { provider, reason } => {
                self.providers_out.insert(*provider, reason.clone());
            }
            Event::Settled { state, .. } => self.settle(state),
            Event::Committed { written, unchanged, marked_gone } => {
                self.rows_written += written;
                self.rows_unchanged += unchanged;
                self.rows_marked_gone += marked_gone;
            }
            Event::TableRequests { reads, writes } => {
                self.sheets.reads += reads;
                self.sheets.writes += writes;
            }
            Event::RunEnded { .. } => {}
            Event::Restarted { .. } => self.workers.restarts += 1,
            Event::GivenUp { actor } => self.warn(format!("{actor} failed too often and was given up")),
            Event::Warning(text) => self.warn(text.clone()),
        }
    }

    fn settle(&mut self, state: &Settled) {
        match state {
            Settled::Judged { valid, by, rules, cost } => {
                self.saved.add(*by, *cost, self.decided_by_code + u64::from(*by == By::Code));
                *if *valid { &mut self.rows_valid } else { &mut self.rows_invalid } += 1;
                match by {
                    By::Code => self.decided_by_code += 1,
                    By::Cache => self.cache_hits += 1,
                    By::Twin => self.deduplicated += 1,
                    By::Model => {}
                }
                for rule in rules {
                    *self.violations.entry(rule.clone()).or_default() += 1;
                }
            }
            Settled::NotChecked(reason) => {
                self.rows_not_checked += 1;
                count(&mut self.not_checked, reason);
            }
            Settled::Skipped(reason) => {
                self.rows_skipped += 1;
                count(&mut self.skipped, &reason.to_string());
            }
        }
    }

    fn warn(&mut self, text: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(text);
        }
    }

    /// Rows that have their state.
    pub fn rows_settled(&self) -> u64 {
        self.rows_skipped + self.rows_valid + self.rows_invalid + self.rows_not_checked
    }

    /// What the run will have cost when all rows are settled, if those that are left go like the others; none while
    /// that cannot be told.
    pub fn projected_usd(&self) -> Option<f64> {
        let (settled, all) = (self.rows_settled(), self.rows_expected?);
        (settled > 0 && settled < all && self.llm.cost_usd > 0.0)
            .then(|| self.llm.cost_usd * all as f64 / settled as f64)
    }

    /// Rows that were skipped only because the run's limit was reached.
    pub fn rows_over_limit(&self) -> u64 {
        self.skipped.get(&SkipReason::Limit.to_string()).copied().unwrap_or_default()
    }
}

impl LlmTally {
    fn add(&mut self, end: CallEnd, usage: &Usage, cost: MicroUsd, requests: u32) {
        self.requests += u64::from(requests);
        match end {
            CallEnd::Answered => self.answers += 1,
            CallEnd::RateLimited => self.rate_limited += 1,
            CallEnd::TimedOut => self.timeouts += 1,
            CallEnd::BadAnswer | CallEnd::Failed | CallEnd::Lost => {}
        }
        self.prompt_tokens += usage.prompt_tokens;
        self.cached_tokens += usage.cached_tokens;
        self.completion_tokens += usage.completion_tokens;
        self.cost += cost;
        self.cost_usd = self.cost.as_usd();
    }

    /// The share of prompt tokens that providers had kept, 0 to 1.
    pub fn cached_share(&self) -> f64 {
        if self.prompt_tokens == 0 { 0.0 } else { self.cached_tokens as f64 / self.prompt_tokens as f64 }
    }
}

impl Savings {
    /// A row was judged, and its answer costs so much.
    fn add(&mut self, by: By, cost: MicroUsd, decided_by_code: u64) {
        match by {
            By::Code | By::Model => {}
            By::Cache => self.cache += cost,
            By::Twin => self.same_row += cost,
        }
        if by != By::Code {
            self.answers += cost;
            self.answered += 1;
        }
        self.cache_usd = self.cache.as_usd();
        self.same_row_usd = self.same_row.as_usd();
        self.code_usd = match self.answered {
            0 => 0.0,
            answered => self.answers.as_usd() / answered as f64 * decided_by_code as f64,
        };
    }

    /// All of it, in US dollars.
    pub fn total_usd(&self) -> f64 {
        self.cache_usd + self.same_row_usd + self.code_usd
    }
}

fn count(counts: &mut BTreeMap<String, u64>, reason: &str) {
    if counts.len() >= MAX_REASONS && !counts.contains_key(reason) {
        *counts.entry("other reasons".to_owned()).or_default() += 1;
    } else {
        *counts.entry(reason.to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(by: By, micro: u64) -> Event {
        let state = Settled::Judged { valid: true, by, rules: Vec::new(), cost: MicroUsd(micro) };
        Event::Settled { row: 1, state }
    }

    #[test]
    fn what_was_not_asked_is_saved_at_what_answers_cost() {
        let mut tally = Tally::default();
        for event in [
            judged(By::Code, 0),
            judged(By::Model, 2_000_000),
            judged(By::Cache, 3_000_000),
            judged(By::Twin, 4_000_000),
            judged(By::Code, 0),
        ] {
            tally.apply(&event);
        }
        let Savings { cache_usd, same_row_usd, code_usd, .. } = tally.saved.clone();
        assert_eq!((cache_usd, same_row_usd, code_usd), (3.0, 4.0, 2.0 * 3.0));
        assert_eq!(tally.saved.total_usd(), 13.0);
    }

    #[test]
    fn more_rows_than_expected_raise_the_expectation() {
        let mut tally = Tally::default();
        tally.apply(&Event::RowsExpected(2));
        (1..=3).for_each(|row| tally.apply(&Event::RowRead { row }));
        assert_eq!(tally.rows_expected, Some(3));
        tally.apply(&judged(By::Model, 10));
        assert_eq!(tally.projected_usd(), None, "nothing was spent");
        tally.llm.cost_usd = 0.5;
        assert_eq!(tally.projected_usd(), Some(1.5));
    }
}
