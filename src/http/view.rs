//! What the API answers: values with names that other programs rely on. Moments are RFC 3339 in UTC, money is US dollars.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::outcome::{Origin, Outcome, RowState};
use crate::domain::rules::Severity;
use crate::domain::verdict::Verdict;
use crate::engine::Tally;
use crate::store::{Judged, RunRecord};

/// The service as a whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatusView {
    /// Its version.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The jobs.
    pub jobs: Vec<JobView>,
    /// The providers that they share.
    pub providers: Vec<ProviderView>,
    /// What was spent, and what may be.
    pub spending: SpendingView,
    /// What went wrong lately, newest first.
    pub troubles: Vec<TroubleView>,
    /// The last time that settings were read again.
    pub reload: Option<ReloadView>,
}

/// A job.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobView {
    /// Its name in the settings.
    #[schema(example = "default")]
    pub name: String,
    /// What people call the source.
    pub source: String,
    /// What people call the results.
    pub target: String,
    /// Its cron expression; null: it runs when asked.
    #[schema(example = "0 7 * * MON")]
    pub schedule: Option<String>,
    /// When it runs next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_run: Option<Timestamp>,
    /// Whether edits of the source start runs.
    pub watches: bool,
    /// The run that is under way.
    pub running: Option<RunningView>,
    /// The last run that has ended.
    pub last_run: Option<RunView>,
    /// Results that are paid for and not in the results table yet.
    pub pending_writes: u64,
    /// Since when the oldest of them waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub pending_since: Option<Timestamp>,
    /// How many rules there are; null for a rulebook in free text.
    pub rules: Option<usize>,
    /// A short hash of the rulebook: it changes when the rules do.
    #[schema(example = "3f2a9c01")]
    pub rules_version: String,
    /// The models that may be asked, in order; none: code alone decides.
    pub models: Vec<String>,
}

/// A run that is under way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunningView {
    /// Its id.
    pub run_id: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// How far it is.
    pub progress: ProgressView,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ProgressView {
    /// Rows that are to be expected; null while that cannot be told.
    pub rows_expected: Option<u64>,
    /// Rows that were read.
    pub rows_read: u64,
    /// Rows that have their state.
    pub rows_settled: u64,
    /// Rows that pass.
    pub rows_valid: u64,
    /// Rows that violate a rule.
    pub rows_invalid: u64,
    /// Rows that could not be judged.
    pub rows_not_checked: u64,
    /// Rows that were not to be judged.
    pub rows_skipped: u64,
    /// Rows whose answer was known.
    pub cache_hits: u64,
    /// Calls that are under way.
    pub in_flight: usize,
    /// Requests that were sent to models.
    pub requests: u64,
    /// Requests that were answered with «slow down».
    pub rate_limited: u64,
    /// What it has cost.
    pub cost_usd: f64,
    /// What it will have cost at its end, if the rest goes on like this.
    pub projected_usd: Option<f64>,
}

impl ProgressView {
    /// Of a run with these counters.
    pub fn of(tally: &Tally) -> Self {
        Self {
            rows_expected: tally.rows_expected,
            rows_read: tally.rows_read,
            rows_settled: tally.rows_settled(),
            rows_valid: tally.rows_valid,
            rows_invalid: tally.rows_invalid,
            rows_not_checked: tally.rows_not_checked,
            rows_skipped: tally.rows_skipped,
            cache_hits: tally.cache_hits,
            in_flight: tally.in_flight,
            requests: tally.llm.requests,
            rate_limited: tally.llm.rate_limited,
            cost_usd: tally.llm.cost_usd,
            projected_usd: tally.projected_usd(),
        }
    }
}

/// A run of the history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunView {
    /// Its id.
    pub run_id: String,
    /// The job.
    pub job: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// When it ended; null while it runs, and for one that died.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended: Option<Timestamp>,
    /// `ok`, `partial`, `failed`, `budget` or `interrupted`; null while it runs.
    #[schema(example = "ok")]
    pub outcome: Option<String>,
    /// Its report, with the names of the file that `run --summary` writes.
    #[schema(value_type = Option<Object>)]
    pub report: Option<serde_json::Value>,
    /// What it spent so far. What is not known counts as estimated.
    pub spent_usd: f64,
}

impl From<RunRecord> for RunView {
    fn from(run: RunRecord) -> Self {
        Self {
            run_id: run.start.run_id,
            job: run.start.job,
            started: run.start.started,
            ended: run.ended,
            outcome: run.outcome,
            report: run.report.and_then(|report| serde_json::from_str(&report).ok()),
            spent_usd: run.spent.as_usd(),
        }
    }
}

impl JobView {
    /// Leaves out the texts of the table.
    pub(super) fn hide_texts(&mut self) {
        self.last_run.iter_mut().for_each(RunView::hide_texts);
    }
}

/// Messages quote the table between « and »: without its texts, the quotes are left out.
pub(super) fn cut_quotes(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('«') {
        kept.push_str(before);
        kept.push_str("«…»");
        rest = after.split_once('»').map_or("", |(_, after)| after);
    }
    kept + rest
}

/// [`cut_quotes`] for all texts of a value.
fn cut_all(value: &mut Value) {
    match value {
        Value::String(text) => *text = cut_quotes(text),
        Value::Array(items) => items.iter_mut().for_each(cut_all),
        Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(name, mut value)| {
                    cut_all(&mut value);
                    (cut_quotes(&name), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl RunView {
    /// Leaves out the texts of the table: reasons and warnings may quote it.
    pub(super) fn hide_texts(&mut self) {
        self.report.iter_mut().for_each(cut_all);
    }

    /// A counter of the report.
    pub fn count(&self, name: &str) -> u64 {
        self.report.as_ref().and_then(|report| report.get(name)?.as_u64()).unwrap_or_default()
    }
}

/// A row with a verdict that rests on a model's answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RowView {
    /// The job.
    pub job: String,
    /// The row's key.
    pub key: String,
    /// The run that judged it.
    pub run_id: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: VerdictView,
}

impl RowView {
    /// Of a judgement; with its texts or without.
    pub fn of(judged: Judged, show_content: bool) -> Self {
        Self {
            verdict: VerdictView::of(&judged.verdict, show_content),
            job: judged.job,
            key: judged.row_key.as_str().to_owned(),
            run_id: judged.run,
            at: judged.at,
        }
    }
}

/// A verdict.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct VerdictView {
    /// True if no rule is violated.
    pub valid: bool,
    /// The violated rules.
    pub rules: Vec<String>,
    /// The gravest severity among them: `must`, `should` or `style`.
    pub severity: Option<String>,
    /// What is wrong, one line a violation; null where texts are not shown.
    pub issues: Option<Vec<String>>,
    /// A text that would pass; null where there is none, or texts are not shown.
    pub rewrite_suggestion: Option<String>,
    /// What a person should look at although it decides nothing; null where texts are not shown.
    pub look: Option<String>,
}

impl VerdictView {
    fn of(verdict: &Verdict, show_content: bool) -> Self {
        Self {
            valid: verdict.valid,
            rules: verdict.rules().into_iter().map(|rule| rule.as_str().to_owned()).collect(),
            severity: verdict.severity().map(severity),
            issues: show_content.then(|| verdict.findings.iter().map(|finding| finding.line()).collect()),
            rewrite_suggestion: verdict.rewrite.clone().filter(|_| show_content),
            look: verdict.look.clone().filter(|_| show_content),
        }
    }
}

fn severity(severity: Severity) -> String {
    match severity {
        Severity::Must => "must",
        Severity::Should => "should",
        Severity::Style => "style",
    }
    .to_owned()
}

/// What became of an entry that was sent to be validated.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OutcomeView {
    /// `judged`, `not_checked` or `skipped`.
    #[schema(example = "judged")]
    pub state: &'static str,
    /// The verdict, where there is one.
    pub verdict: Option<VerdictView>,
    /// Who decided: `code` or `model`.
    pub decided_by: Option<&'static str>,
    /// The model, where one decided.
    pub model: Option<String>,
    /// What the answer cost when it was paid for.
    pub cost_usd: f64,
    /// Why there is no verdict, where there is none.
    pub reason: Option<String>,
}

impl From<Outcome> for OutcomeView {
    fn from(outcome: Outcome) -> Self {
        let none = Self {
            state: "skipped",
            verdict: None,
            decided_by: None,
            model: None,
            cost_usd: 0.0,
            reason: None,
        };
        match outcome.state {
            RowState::Judged { verdict, origin } => {
                let (decided_by, model, cost_usd) = match origin {
                    Origin::Code => ("code", None, 0.0),
                    Origin::Model(provenance) => ("model", Some(provenance.model), provenance.cost.as_usd()),
                };
                // Whoever asks has brought the texts.
                let verdict = Some(VerdictView::of(&verdict, true));
                Self { state: "judged", verdict, decided_by: Some(decided_by), model, cost_usd, ..none }
            }
            RowState::NotChecked { reason } => Self { state: "not_checked", reason: Some(reason), ..none },
            RowState::Skipped { reason } => Self { reason: Some(reason.to_string()), ..none },
        }
    }
}

/// A provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// Its name in the settings.
    pub name: String,
    /// The model.
    pub model: String,
    /// Calls under way.
    pub in_flight: usize,
    /// The limit that is kept, in requests a minute; null while none is known.
    pub requests_per_minute: Option<f64>,
    /// Seconds for which nothing is sent because it asked for that.
    pub pause_s: f64,
    /// `asked`, `trouble` (only a trial is sent now and then) or `given_up`.
    #[schema(example = "asked")]
    pub state: &'static str,
}

/// Money in US dollars.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct SpendingView {
    /// Spent today, in the time zone of the settings.
    pub today_usd: f64,
    /// Spent this month.
    pub month_usd: f64,
    /// What a day may cost; null: anything.
    pub day_cap_usd: Option<f64>,
    /// What a run may cost; null: anything.
    pub run_cap_usd: Option<f64>,
}

/// Something that went wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TroubleView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The job, where it was one.
    pub job: Option<String>,
    /// What.
    pub text: String,
}

/// Settings were read again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReloadView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why the former ones still hold, if they do.
    pub problem: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quotes_of_the_table_are_left_out_and_figures_stay() {
        let mut report = json!({
            "rows_read": 3,
            "warnings": ["row 2: «secret plan» is cut", "no quote"],
            "not_checked": {"the status «secret» is none": 2},
            "failure": {"text": "«a» and «b"},
        });
        cut_all(&mut report);
        let hidden = json!({
            "rows_read": 3,
            "warnings": ["row 2: «…» is cut", "no quote"],
            "not_checked": {"the status «…» is none": 2},
            "failure": {"text": "«…» and «…»"},
        });
        assert_eq!(report, hidden);
    }
}
