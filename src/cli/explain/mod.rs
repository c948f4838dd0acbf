//! `explain KEY`: why a row has its verdict. Reads the row as a run would; asks and writes nothing.

mod find;
mod show;

use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use super::args::{InputArgs, Report, ReportFormat};
use super::exit::{CliError, Exit};
use super::session::{Overrides, Session};
use super::{cache, terminal};
use crate::assemble;
use crate::domain::entry::Entry;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::freshness::{Freshness, KnownAnswer, Standing};
use crate::domain::judge::Judge;
use crate::domain::rules::CodeReview;
use crate::domain::verdict::Verdict;
use crate::settings::Settings;
use crate::store::{Judged, Known, Store};

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The row: its identifier, its key, or @ and its number (@17)
    #[arg(value_name = "KEY")]
    key: String,
    /// Also the model's answer as it came
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    report: ReportFormat,
}

/// Judgements that are shown of a row.
const HISTORY: usize = 10;

pub(crate) fn run(session: &Session, args: &ExplainArgs) -> Result<Exit, CliError> {
    let settings = session.settings(Overrides::of_input(&args.input))?;
    let rulebook = Arc::new(assemble::rulebook(&settings)?);
    let entries = find::find(&settings, &args.key)?;
    let mut store = cache::open(session, &settings)?;
    let mut explainer = Explainer::new(&settings, &rulebook, store.as_mut());
    let rows: Vec<Explained> =
        entries.into_iter().map(|entry| explainer.explain(entry)).collect::<Result<_, _>>()?;

    let text = match args.report.format {
        Report::Json => {
            let rows = Value::Array(rows.iter().map(show::json).collect());
            format!("{}\n", terminal::json(&format!("{rows:#}")))
        }
        Report::Table => {
            let (colors, wording) = (session.screen.out_colors, assemble::wording(&settings));
            let style = show::Style { colors, rulebook: &rulebook, wording: &wording, raw: args.raw };
            let rows: Vec<String> = rows.iter().map(|row| show::text(row, &style)).collect();
            rows.join("\n")
        }
    };
    session.print(&text)?;
    Ok(Exit::Ok)
}

/// All that is known of a row.
struct Explained {
    entry: Entry,
    review: CodeReview,
    fingerprint: Fingerprint,
    known: Known,
    /// The verdict that a run would give without asking.
    verdict: Option<Verdict>,
    /// Why what is known of the model's word does not count.
    missing: Option<Missing>,
    history: Vec<Judged>,
}

struct Missing(String);

/// What rows are explained by.
struct Explainer<'a> {
    judge: Judge,
    freshness: Freshness,
    store: Option<&'a mut Store>,
    job: &'a str,
}

impl<'a> Explainer<'a> {
    fn new(
        settings: &'a Settings,
        rulebook: &Arc<crate::domain::rules::Rulebook>,
        store: Option<&'a mut Store>,
    ) -> Self {
        let today = || Timestamp::now().to_zoned_datetime(settings.time_zone.clone()).date();
        let as_of = settings.as_of.unwrap_or_else(today);
        let statuses = settings.allowed_statuses.clone();
        let providers = if settings.llm.enabled { settings.llm.providers.as_slice() } else { &[] };
        let models = providers.iter().map(|provider| provider.model.clone()).collect();
        Self {
            judge: Judge::new(Arc::clone(rulebook), statuses, settings.language, as_of),
            freshness: Freshness { models, ..Freshness::default() },
            store,
            job: &settings.job,
        }
    }

    fn explain(&mut self, entry: Entry) -> Result<Explained, CliError> {
        let review = self.judge.review(&entry);
        let fingerprint = self.judge.fingerprint(&entry);
        let (mut known, mut history) = (Known::Missing, Vec::new());
        if let Some(store) = &mut self.store {
            history = store.history(self.job, &entry.key, HISTORY)?;
            if review.asks_model {
                known = store.lookup(&[fingerprint], Timestamp::now())?.pop().unwrap_or(Known::Missing);
            }
        }
        let (verdict, missing) = match self.verdict(&entry, &review, &known) {
            Ok(verdict) => (verdict, None),
            Err(missing) => (None, Some(missing)),
        };
        Ok(Explained { entry, review, fingerprint, known, verdict, missing, history })
    }

    /// The verdict as far as it can be given without asking; none if a model has to be asked.
    fn verdict(&self, entry: &Entry, review: &CodeReview, known: &Known) -> Result<Option<Verdict>, Missing> {
        if !review.asks_model || self.freshness.models.is_empty() {
            return Ok(Some(self.judge.verdict(entry, review, None)));
        }
        let Known::Answered(stored) = known else { return Ok(None) };
        let answer = KnownAnswer { model: &stored.model_asked, at: stored.at };
        if let Standing::Stale(why) = self.freshness.standing(&answer) {
            return Err(Missing(format!("the answer does not count: {why}")));
        }
        match self.judge.read(entry, review, &stored.text) {
            Ok(answer) => Ok(Some(self.judge.verdict(entry, review, Some(&answer)))),
            Err(error) => Err(Missing(format!("the answer does not fit and is asked for again: {error}"))),
        }
    }
}
