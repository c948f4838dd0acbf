//! `plan`: what a run would do and cost. No calls, no writes.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use super::args::{InputArgs, Report, ReportFormat, SelectionArgs};
use super::exit::{CliError, Exit};
use super::session::{Overrides, Session};
use super::words::{counted, dollars, number};
use super::{run, summary, terminal};
use crate::assemble;
use crate::domain::money::{MicroUsd, Price, Usage};
use crate::domain::outcome::SkipReason;
use crate::engine::{Mode, Provider, RunOutcome, RunRequest, Tally};

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Results table instead of the one in the settings
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    report: ReportFormat,
}

/// Providers keep the beginning of a prompt from so many tokens on.
const LEAST_KEPT: u64 = 1024;
/// A short answer: the row passes.
const SHORT_ANSWER: u64 = 50;

pub(crate) fn run(session: &Session, args: &PlanArgs) -> Result<Exit, CliError> {
    let overrides = Overrides::of_input(&args.input).path("target.path", args.output.as_ref());
    let settings = session.settings(overrides)?;
    let parts = assemble::parts_beside(&settings)?;
    let (providers, rulebook) = (parts.providers.clone(), parts.rulebook.clone());
    let source = parts.source.as_ref().map(|source| source.name()).unwrap_or_default();
    let request = RunRequest { mode: Mode::Plan, ..run::request(&args.selection, &settings) };
    let (report, signals) = run::drive(session, parts, request)?;
    if let Some(failure) = report.failure.clone() {
        return Err(CliError::new(Exit::of_failure(&failure, &report.tally), failure.text));
    }
    if report.outcome == RunOutcome::Interrupted {
        return Ok(signals.and_then(|signals| signals.exit()).unwrap_or(Exit::Interrupted));
    }
    let waiting = if providers.is_empty() { summary::model_rules(&rulebook) } else { Vec::new() };
    let plan = Plan::new(source, &report.tally, &providers, waiting);
    session.print(&match args.report.format {
        Report::Json => plan.json(),
        Report::Table => plan.text(),
    })?;
    Ok(Exit::Ok)
}

struct Plan<'a> {
    source: String,
    tally: &'a Tally,
    models: Vec<String>,
    waiting: Vec<String>,
    estimate: Estimate,
}

/// Tokens and money, from the least to the most.
#[derive(Debug, PartialEq)]
struct Estimate {
    prompt_tokens: u64,
    completion_tokens: (u64, u64),
    /// None where a price is not set.
    cost: Option<(MicroUsd, MicroUsd)>,
}

impl Estimate {
    /// The least: the first provider answers everything shortly, and has kept the static part from the second call on.
    /// The most: the dearest one answers at full length and keeps nothing.
    fn new(tally: &Tally, providers: &[Provider]) -> Self {
        let calls = tally.planned_calls;
        let longest = |provider: &Provider| calls * u64::from(provider.max_output_tokens).max(SHORT_ANSWER);
        let fixed = tally.planned_fixed_tokens;
        let kept = if fixed >= LEAST_KEPT { fixed * calls.saturating_sub(1) } else { 0 };
        let prompt_tokens = tally.planned_tokens;
        let usage = |completion_tokens| Usage { prompt_tokens, completion_tokens, ..Usage::default() };
        let short = calls * SHORT_ANSWER;
        let prices: Option<Vec<(&Provider, Price)>> =
            providers.iter().map(|provider| Some((provider, provider.price?))).collect();
        let cost = prices.and_then(|prices| {
            let (_, first) = prices.first()?;
            let most = prices.iter().map(|(provider, price)| price.of(&usage(longest(provider)))).max()?;
            Some((first.of(&Usage { cached_tokens: kept, ..usage(short) }), most))
        });
        Self {
            prompt_tokens,
            completion_tokens: (short, providers.iter().map(longest).max().unwrap_or(short)),
            cost,
        }
    }
}

impl<'a> Plan<'a> {
    fn new(source: String, tally: &'a Tally, providers: &[Provider], waiting: Vec<String>) -> Self {
        Self {
            source,
            tally,
            models: providers.iter().map(|provider| provider.model.id().to_string()).collect(),
            waiting,
            estimate: Estimate::new(tally, providers),
        }
    }

    fn skipped(&self) -> Vec<(&str, u64)> {
        let planned = SkipReason::Planned.to_string();
        let others = self.tally.skipped.iter().filter(|(reason, _)| **reason != planned);
        others.map(|(reason, rows)| (reason.as_str(), *rows)).collect()
    }

    fn text(&self) -> String {
        let tally = self.tally;
        let skipped: Vec<String> =
            self.skipped().iter().map(|(reason, rows)| format!("{reason}: {}", number(*rows))).collect();
        let skipped = if skipped.is_empty() { "none".to_owned() } else { skipped.join(", ") };
        let ask = match (self.models.as_slice(), self.waiting.as_slice()) {
            ([], []) => "0 rows: no rule needs a model".to_owned(),
            ([], waiting) => format!("0 rows: no model is set up, {} wait for one", waiting.join(" ")),
            (models, _) => format!("{} of {}", counted(tally.planned_calls, "row"), models.join(", then ")),
        };
        let Estimate { prompt_tokens, completion_tokens: (least, most), cost } = &self.estimate;
        let (tokens, cost) = match (tally.planned_calls, cost) {
            (0, _) => ("none".to_owned(), "$0.00".to_owned()),
            (_, cost) => (
                format!("about {} in, {} to {} out", number(*prompt_tokens), number(*least), number(*most)),
                match cost {
                    Some((low, high)) => format!("{} to {}", dollars(low.as_usd()), dollars(high.as_usd())),
                    None => "unknown: set llm.providers.N.price".to_owned(),
                },
            ),
        };
        [
            ("Source", format!("{}: {}", self.source, counted(tally.rows_read, "row"))),
            ("Ask", ask),
            ("Known", format!("{} from cache", counted(tally.cache_hits, "row"))),
            ("By code", format!("{} decided without a model", counted(tally.decided_by_code, "row"))),
            ("Skip", skipped),
            ("Tokens", tokens),
            ("Price", cost),
        ]
        .map(|(label, text)| format!("{label:<10}{}\n", terminal::line(&text)))
        .concat()
    }

    fn json(&self) -> String {
        let Estimate { prompt_tokens, completion_tokens: (least, most), cost } = &self.estimate;
        let skipped: serde_json::Map<String, serde_json::Value> =
            self.skipped().into_iter().map(|(reason, rows)| (reason.to_owned(), rows.into())).collect();
        let plan = json!({
            "source": self.source,
            "models": self.models,
            "waiting_for_a_model": self.waiting,
            "rows_read": self.tally.rows_read,
            "rows_to_ask": self.tally.planned_calls,
            "cache_hits": self.tally.cache_hits,
            "decided_by_code": self.tally.decided_by_code,
            "skipped": skipped,
            "prompt_tokens": prompt_tokens,
            "completion_tokens": { "min": least, "max": most },
            "cost_usd": cost.map(|(low, high)| json!({ "min": low.as_usd(), "max": high.as_usd() })),
        });
        format!("{}\n", terminal::json(&format!("{plan:#}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::{ChatModel, LlmError, ModelId, NoAnswer, Question, Reply};

    struct Silent(ModelId);

    impl ChatModel for Silent {
        fn id(&self) -> &ModelId {
            &self.0
        }

        fn ask<'a>(
            &'a self,
            _question: &'a Question,
        ) -> futures_util::future::BoxFuture<'a, Result<Reply, NoAnswer>> {
            Box::pin(std::future::ready(Err(LlmError::BadReply("a plan asks nothing".into()).into())))
        }
    }

    fn provider(price: Option<Price>) -> Provider {
        let id = ModelId { provider: "p".into(), model: "m".into() };
        Provider { price, max_output_tokens: 1000, ..Provider::new(Silent(id)) }
    }

    #[test]
    fn the_price_goes_from_short_answers_of_the_first_to_long_ones_of_the_dearest() {
        let price = |input, output| Some(Price { input, cached_input: None, output });
        let cheap_and_dear = [provider(price(1.0, 2.0)), provider(price(10.0, 20.0))];
        let planned = |calls, tokens, fixed| Tally {
            planned_calls: calls,
            planned_tokens: tokens,
            planned_fixed_tokens: fixed,
            ..Tally::default()
        };
        let estimate = Estimate::new(&planned(10, 1000, 50), &cheap_and_dear);
        let cost = Some((MicroUsd(1000 + 2 * 500), MicroUsd(10_000 + 20 * 10_000)));
        assert_eq!(estimate, Estimate { prompt_tokens: 1000, completion_tokens: (500, 10_000), cost });

        let keeps = Price { input: 1.0, cached_input: Some(0.1), output: 2.0 };
        let estimate = Estimate::new(&planned(10, 30_000, 2_000), &[provider(Some(keeps))]);
        let least = 12_000 + 1_800 + 2 * 500;
        assert_eq!(estimate.cost, Some((MicroUsd(least), MicroUsd(30_000 + 2 * 10_000))));
    }

    #[test]
    fn without_a_price_there_is_no_guess() {
        let tally = Tally { planned_calls: 1, planned_tokens: 300, ..Tally::default() };
        assert_eq!(Estimate::new(&tally, &[provider(None)]).cost, None);
        assert_eq!(Estimate::new(&Tally::default(), &[]).completion_tokens, (0, 0));
    }

    #[test]
    fn a_plan_without_a_model_says_what_waits() {
        let tally = Tally { rows_read: 7, decided_by_code: 7, ..Tally::default() };
        let text = Plan::new("a\u{1b}.csv".into(), &tally, &[], vec!["R4".into()]).text();
        assert!(text.contains("no model is set up, R4 wait for one"), "{text}");
        assert!(text.contains("a\\u{1b}.csv: 7 rows"), "{text}");
    }
}
