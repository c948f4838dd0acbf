//! `explain KEY`: why a row has its verdict. Reads the row as a run would; asks and writes nothing.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::args::{InputArgs, Report, ReportFormat};
use super::check_text::findings;
use super::exit::{CliError, Exit};
use super::session::{Overrides, Session};
use super::words::{dollars, number};
use super::{cache, terminal};
use crate::assemble;
use crate::domain::columns::Columns;
use crate::domain::entry::{Entry, ReadRow, read_row};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::fold::fold;
use crate::domain::judge::Judge;
use crate::domain::key::Occurrences;
use crate::domain::results::Wording;
use crate::domain::rules::{CodeReview, Decided, Rulebook};
use crate::domain::verdict::Verdict;
use crate::settings::Settings;
use crate::store::{Judged, Known, Store, StoredAnswer};
use crate::table::TableError;

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

/// More rows than these of one identifier are not explained.
const ROWS: usize = 5;
/// Judgements that are shown of a row.
const HISTORY: usize = 10;
/// Rows read at a time.
const PAGE: usize = 200;

pub(crate) fn run(session: &Session, args: &ExplainArgs) -> Result<Exit, CliError> {
    let settings = session.settings(Overrides::of_input(&args.input))?;
    let rulebook = std::sync::Arc::new(assemble::rulebook(&settings)?);
    let today = || Timestamp::now().to_zoned_datetime(settings.time_zone.clone()).date();
    let as_of = settings.as_of.unwrap_or_else(today);
    let judge = Judge::new(rulebook.clone(), settings.allowed_statuses.clone(), settings.language, as_of);

    let entries = find(&settings, &args.key)?;
    let mut store = cache::open(session, &settings)?;
    let explained: Result<Vec<Explained>, CliError> = entries
        .into_iter()
        .map(|entry| Explained::new(entry, &judge, store.as_mut(), &settings.job))
        .collect();
    let explained = explained?;
    let text = match args.report.format {
        Report::Json => {
            let rows: Vec<_> = explained.iter().map(Explained::json).collect();
            format!("{}\n", terminal::json(&format!("{:#}", json!(rows))))
        }
        Report::Table => {
            let wording = assemble::wording(&settings);
            let rows: Vec<String> =
                explained.iter().map(|row| row.text(session, &rulebook, &wording, args.raw)).collect();
            rows.join("\n")
        }
    };
    session.print(&text)?;
    Ok(Exit::Ok)
}

/// Reads the source until the row is found, to its end if there may be more of it.
fn find(settings: &Settings, wanted: &str) -> Result<Vec<Entry>, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    runtime.block_on(async {
        let mut source = assemble::source(settings)?;
        let header = source.open().await?;
        let columns = Columns::locate(&header.names, &settings.columns)
            .map_err(|problems| TableError::Header { table: source.name(), problems })?;
        let (mut keys, mut near) = (Occurrences::default(), Nearest::new(wanted));
        let (mut found, mut by_number) = (Vec::new(), None);
        loop {
            let page = source.next_page(PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                let ReadRow::Entry { mut entry, .. } = read_row(row.row, &row.cells, &columns, &mut keys)
                else {
                    continue;
                };
                entry.link = row.link;
                near.look(entry.identifier.as_deref());
                if is_meant(&entry, wanted) && found.len() < ROWS {
                    found.push(*entry);
                } else if wanted.parse() == Ok(entry.row) {
                    by_number = Some(*entry);
                }
            }
        }
        if found.is_empty() {
            found.extend(by_number);
        }
        if found.is_empty() {
            let hint = near.hint();
            let name = source.name();
            return Err(CliError::usage(format!(
                "{name}: no row has the identifier, key or number «{wanted}»{hint}"
            )));
        }
        Ok(found)
    })
}

/// True if people mean this row: by its identifier, its key, or its number.
fn is_meant(entry: &Entry, wanted: &str) -> bool {
    entry.key.as_str() == wanted
        || wanted.strip_prefix('@').is_some_and(|number| number == entry.row.to_string())
        || entry.identifier.as_ref().is_some_and(|identifier| fold(identifier) == fold(wanted))
}

/// The identifier that is spelt most like the wanted one.
struct Nearest {
    wanted: String,
    best: Option<(f64, String)>,
}

impl Nearest {
    fn new(wanted: &str) -> Self {
        Self { wanted: fold(wanted), best: None }
    }

    fn look(&mut self, identifier: Option<&str>) {
        let Some(identifier) = identifier.filter(|text| text.len() < 200) else { return };
        let score = strsim::jaro_winkler(&self.wanted, &fold(identifier));
        if score > self.best.as_ref().map_or(0.7, |(best, _)| *best) {
            self.best = Some((score, identifier.to_owned()));
        }
    }

    fn hint(&self) -> String {
        match &self.best {
            Some((_, identifier)) => format!("; did you mean «{identifier}»?"),
            None => String::new(),
        }
    }
}

/// All that is known of a row.
struct Explained {
    entry: Entry,
    review: CodeReview,
    fingerprint: Fingerprint,
    known: Known,
    /// The verdict as it follows from the code checks and what is known.
    verdict: Option<Verdict>,
    /// A stored answer does not fit the question any more.
    misfit: Option<String>,
    history: Vec<Judged>,
}

impl Explained {
    fn new(entry: Entry, judge: &Judge, store: Option<&mut Store>, job: &str) -> Result<Self, CliError> {
        let review = judge.review(&entry);
        let fingerprint = judge.fingerprint(&entry);
        let (mut known, mut history) = (Known::Missing, Vec::new());
        if let Some(store) = store {
            history = store.history(job, &entry.key, HISTORY)?;
            if review.asks_model {
                known = store.lookup(&[fingerprint], Timestamp::now())?.pop().unwrap_or(Known::Missing);
            }
        }
        let (mut verdict, mut misfit) = (None, None);
        match &known {
            Known::Answered(stored) => match judge.read(&entry, &review, &stored.text) {
                Ok(answer) => verdict = Some(judge.verdict(&entry, &review, Some(&answer))),
                Err(error) => misfit = Some(error.to_string()),
            },
            Known::Missing | Known::Held if !review.asks_model => {
                verdict = Some(judge.verdict(&entry, &review, None));
            }
            Known::Missing | Known::Held => {}
        }
        Ok(Self { entry, review, fingerprint, known, verdict, misfit, history })
    }

    fn text(&self, session: &Session, rulebook: &Rulebook, wording: &Wording, raw: bool) -> String {
        let colors = session.screen.out_colors;
        let entry = &self.entry;
        let name = entry.identifier.as_deref().unwrap_or_default();
        let mut text = format!(
            "{}\n",
            colors.strong(&format!(
                "Row {} {} (key: {})",
                entry.row,
                terminal::line(name),
                terminal::line(entry.key.as_str())
            ))
        );
        let date = entry.completion_date.to_string();
        let manager = entry.project_manager.clone().unwrap_or_default();
        let inputs =
            [("Status", &entry.status), ("Date", &date), ("Manager", &manager), ("Comment", &entry.comment)];
        let context = entry.context.iter().map(|(name, value)| (name.as_str(), value));
        for (label, value) in inputs.into_iter().chain(context) {
            text.push_str(&format!("  {:<12}{}\n", terminal::line(label), terminal::line(value)));
        }
        text.push_str("Rules, as far as code decides\n");
        text.push_str(&self.rules(session, rulebook));
        text.push_str("Model\n");
        text.push_str(&self.model(wording, raw));
        text.push_str("Verdict\n");
        text.push_str(&self.conclusion(session));
        if !self.history.is_empty() {
            text.push_str("History of answers by models\n");
        }
        for judged in &self.history {
            let word = if judged.verdict.valid { colors.good("OK ") } else { colors.bad("FIX") };
            let rules: Vec<&str> = judged.verdict.rules().into_iter().map(|id| id.as_str()).collect();
            let (at, run) = (wording.date(judged.at), terminal::line(&judged.run));
            text.push_str(&format!("  {at}  {word}  {:<16}  run {run}\n", terminal::line(&rules.join(", "))));
        }
        text
    }

    fn rules(&self, session: &Session, rulebook: &Rulebook) -> String {
        let colors = session.screen.out_colors;
        let mut text = String::new();
        if let Rulebook::Numbered(numbered) = rulebook {
            for rule in &numbered.rules {
                let word = match self.review.decided.get(&rule.id) {
                    Some(Decided::Pass) => colors.good("pass      "),
                    Some(Decided::Fail) => colors.bad("fail      "),
                    Some(Decided::NotApplicable) => colors.faint("not for it"),
                    None if rule.asks_model => colors.faint("model     "),
                    None => colors.faint("undecided "),
                };
                let (id, title) = (terminal::line(rule.id.as_str()), terminal::line(&rule.title));
                text.push_str(&format!("  {id:<5}{word}  {title}\n"));
            }
        }
        for finding in &self.review.findings {
            text.push_str(&format!("  {}\n", colors.bad(&terminal::line(&finding.line()))));
        }
        if text.is_empty() {
            "  nothing: the rules are free text, and code found nothing\n".to_owned()
        } else {
            text
        }
    }

    fn model(&self, wording: &Wording, raw: bool) -> String {
        if !self.review.asks_model {
            return "  not needed for this row\n".to_owned();
        }
        let mut text = match &self.known {
            Known::Missing => "  not asked yet\n".to_owned(),
            Known::Held => {
                "  a crash left the call without an answer: it waits for a run with --force\n".to_owned()
            }
            Known::Answered(stored) => answered(stored, wording),
        };
        text.push_str(&format!("  question    {}\n", self.fingerprint));
        if let Some(misfit) = &self.misfit {
            text.push_str(&format!(
                "  the answer does not fit, it will be asked for again: {}\n",
                terminal::line(misfit)
            ));
        }
        if let (true, Known::Answered(stored)) = (raw, &self.known) {
            text.push_str(&format!("{}\n", terminal::block(&stored.text)));
        }
        text
    }

    fn conclusion(&self, session: &Session) -> String {
        let colors = session.screen.out_colors;
        let Some(verdict) = &self.verdict else {
            return format!("  {}\n", colors.warn("open: the model has to be asked"));
        };
        let word = if verdict.valid { colors.good("OK") } else { colors.bad("FIX") };
        let lines: String = findings(verdict).lines().map(|line| format!("  {line}\n")).collect();
        format!("  {word}\n{lines}")
    }

    fn json(&self) -> serde_json::Value {
        let decided: serde_json::Map<String, serde_json::Value> = self
            .review
            .decided
            .iter()
            .map(|(id, decided)| {
                let word = match decided {
                    Decided::Pass => "pass",
                    Decided::Fail => "fail",
                    Decided::NotApplicable => "na",
                };
                (id.to_string(), word.into())
            })
            .collect();
        let answer = match &self.known {
            Known::Answered(stored) => json!({
                "provider": stored.provider,
                "model": stored.model,
                "at": stored.at.to_string(),
                "usage": stored.usage,
                "cost_usd": stored.cost.as_usd(),
                "raw": stored.text,
            }),
            Known::Missing | Known::Held => serde_json::Value::Null,
        };
        let history: Vec<_> = self
            .history
            .iter()
            .map(
                |judged| json!({ "run": judged.run, "at": judged.at.to_string(), "verdict": judged.verdict }),
            )
            .collect();
        json!({
            "entry": self.entry,
            "code": { "decided": decided, "findings": self.review.findings, "asks_model": self.review.asks_model },
            "fingerprint": self.fingerprint.to_string(),
            "answer": answer,
            "held": self.known == Known::Held,
            "verdict": self.verdict,
            "history": history,
        })
    }
}

fn answered(stored: &StoredAnswer, wording: &Wording) -> String {
    let StoredAnswer { provider, model, usage, cost, at, .. } = stored;
    format!(
        "  answered    by {} ({}) on {}, {} tokens in, {} out, {}\n",
        terminal::line(model),
        terminal::line(provider),
        wording.date(*at),
        number(usage.prompt_tokens),
        number(usage.completion_tokens),
        dollars(cost.as_usd())
    )
}
