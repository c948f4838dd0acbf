//! What `explain` says.

use serde_json::{Map, Value, json};

use super::super::check_text::findings;
use super::super::screen::Colors;
use super::super::terminal;
use super::super::words::{dollars, number};
use super::{Explained, Missing};
use crate::domain::results::Wording;
use crate::domain::rules::{Decided, Rulebook};
use crate::store::{Known, StoredAnswer};

/// How it is said.
pub(super) struct Style<'a> {
    pub(super) colors: Colors,
    pub(super) rulebook: &'a Rulebook,
    pub(super) wording: &'a Wording,
    /// Also the answer as it came.
    pub(super) raw: bool,
}

/// The explanation for people.
pub(super) fn text(row: &Explained, style: &Style<'_>) -> String {
    let mut text = inputs(row, style);
    text.push_str("Rules, as far as code decides\n");
    text.push_str(&rules(row, style));
    text.push_str("Model\n");
    text.push_str(&model(row, style));
    text.push_str("Verdict\n");
    text.push_str(&conclusion(row, style));
    text.push_str(&history(row, style));
    text
}

fn inputs(row: &Explained, style: &Style<'_>) -> String {
    let entry = &row.entry;
    let name = entry.identifier.as_deref().unwrap_or_default();
    let title = format!("Row {} {} (key: {})", entry.row, name, entry.key.as_str());
    let mut text = format!("{}\n", style.colors.strong(&terminal::line(&title)));
    let date = entry.completion_date.to_string();
    let manager = entry.project_manager.clone().unwrap_or_default();
    let link = entry.link.as_ref().map(ToString::to_string).unwrap_or_default();
    let named = [
        ("Status", &entry.status),
        ("Date", &date),
        ("Manager", &manager),
        ("Comment", &entry.comment),
        ("Source", &link),
    ];
    let context = entry.context.iter().map(|(name, value)| (name.as_str(), value));
    for (label, value) in named.into_iter().chain(context) {
        text.push_str(&format!("  {:<12}{}\n", terminal::line(label), terminal::line(value)));
    }
    text
}

fn rules(row: &Explained, style: &Style<'_>) -> String {
    let colors = style.colors;
    let mut text = String::new();
    if let Rulebook::Numbered(numbered) = style.rulebook {
        for rule in &numbered.rules {
            let word = match row.review.decided.get(&rule.id) {
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
    for finding in &row.review.findings {
        text.push_str(&format!("  {}\n", colors.bad(&terminal::line(&finding.line()))));
    }
    if text.is_empty() {
        "  nothing: the rules are free text, and code found nothing\n".to_owned()
    } else {
        text
    }
}

fn model(row: &Explained, style: &Style<'_>) -> String {
    if !row.review.asks_model {
        return "  not needed for this row\n".to_owned();
    }
    let mut text = match &row.known {
        Known::Missing => "  not asked yet\n".to_owned(),
        Known::Held => {
            "  a crash left the call without an answer: it waits for a run with --force\n".to_owned()
        }
        Known::Answered(stored) => answered(stored, style.wording),
    };
    text.push_str(&format!("  {:<12}{}\n", "question", row.fingerprint));
    if let Some(Missing(why)) = &row.missing {
        text.push_str(&format!("  {}\n", terminal::line(why)));
    }
    if let (true, Known::Answered(stored)) = (style.raw, &row.known) {
        text.push_str(&format!("{}\n", terminal::block(&stored.text)));
    }
    text
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

fn conclusion(row: &Explained, style: &Style<'_>) -> String {
    let colors = style.colors;
    let Some(verdict) = &row.verdict else {
        return format!("  {}\n", colors.warn("open: the next run asks the model"));
    };
    let word = if verdict.valid { colors.good("OK") } else { colors.bad("FIX") };
    let lines: String = findings(verdict).lines().map(|line| format!("  {line}\n")).collect();
    format!("  {word}\n{lines}")
}

fn history(row: &Explained, style: &Style<'_>) -> String {
    let mut text = String::new();
    for judged in &row.history {
        let word = if judged.verdict.valid { style.colors.good("OK ") } else { style.colors.bad("FIX") };
        let rules: Vec<&str> = judged.verdict.rules().into_iter().map(|id| id.as_str()).collect();
        let (at, run) = (style.wording.date(judged.at), terminal::line(&judged.run));
        text.push_str(&format!("  {at}  {word}  {:<16}  run {run}\n", terminal::line(&rules.join(", "))));
    }
    if text.is_empty() { text } else { format!("History of answers by models\n{text}") }
}

/// The explanation for programs.
pub(super) fn json(row: &Explained) -> Value {
    let decided: Map<String, Value> = row
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
    let answer = match &row.known {
        Known::Answered(stored) => json!({
            "provider": stored.provider,
            "model": stored.model,
            "at": stored.at.to_string(),
            "usage": stored.usage,
            "cost_usd": stored.cost.as_usd(),
            "raw": stored.text,
        }),
        Known::Missing | Known::Held => Value::Null,
    };
    let history: Vec<Value> = row
        .history
        .iter()
        .map(|judged| json!({ "run": judged.run, "at": judged.at.to_string(), "verdict": judged.verdict }))
        .collect();
    json!({
        "entry": row.entry,
        "code": { "decided": decided, "findings": row.review.findings, "asks_model": row.review.asks_model },
        "fingerprint": row.fingerprint.to_string(),
        "answer": answer,
        "held": row.known == Known::Held,
        "verdict": row.verdict,
        "history": history,
    })
}
