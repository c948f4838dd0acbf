//! The six lines at the end of a run. Always six, always in this order, so that eyes find them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::terminal;
use super::words::{counted, dollars, duration, number};
use crate::domain::rules::Rulebook;
use crate::engine::{LlmTally, Mode, RunOutcome, RunReport};

/// What the summary is about.
pub(crate) struct Ending<'a> {
    pub(crate) report: &'a RunReport,
    pub(crate) mode: Mode,
    /// The run looked at a part of the rows only.
    pub(crate) narrowed: bool,
    /// What waits for a model; empty if one is configured.
    pub(crate) waiting: &'a [String],
    /// The providers, in their order.
    pub(crate) models: &'a [String],
    /// Every provider has a price.
    pub(crate) is_priced: bool,
    /// Where results are.
    pub(crate) target: &'a str,
    /// The settings file.
    pub(crate) settings: &'a str,
}

/// The ids of the rules that only a model can judge; for free text a word that stands for all of it.
pub(crate) fn model_rules(rulebook: &Rulebook) -> Vec<String> {
    match rulebook {
        Rulebook::Free(_) => vec!["the rules".to_owned()],
        Rulebook::Numbered(numbered) => {
            numbered.rules.iter().filter(|rule| rule.asks_model).map(|rule| rule.id.to_string()).collect()
        }
    }
}

/// The six lines, safe to show.
pub(crate) fn lines(end: &Ending<'_>) -> [String; 6] {
    [
        ("Reviewed", reviewed(end)),
        ("Known", known(end)),
        ("Written", written(end)),
        ("Model", model(end)),
        ("Time", time(end)),
        ("Results", format!("{}. {}", end.target, next_step(end))),
    ]
    .map(|(label, text)| format!("{label:<10}{}", terminal::line(&text)))
}

fn reviewed(end: &Ending<'_>) -> String {
    let tally = &end.report.tally;
    let mut text = format!(
        "{}: {} OK, {} to fix, {} not checked",
        counted(tally.rows_read, "row"),
        number(tally.rows_valid),
        number(tally.rows_invalid),
        number(tally.rows_not_checked),
    );
    text.push_str(&reasons(&tally.not_checked));
    if tally.rows_skipped > 0 {
        text.push_str(&format!(", {} skipped{}", number(tally.rows_skipped), reasons(&tally.skipped)));
    }
    text
}

fn known(end: &Ending<'_>) -> String {
    let tally = &end.report.tally;
    let mut text = format!(
        "{} from cache, {} the same as another row, {} decided by code",
        number(tally.cache_hits),
        number(tally.deduplicated),
        number(tally.decided_by_code)
    );
    if tally.saved.total_usd() > 0.0 {
        text.push_str(&format!("; saved about {}", dollars(tally.saved.total_usd())));
    }
    text
}

fn written(end: &Ending<'_>) -> String {
    let tally = &end.report.tally;
    let changed = tally.rows_written + tally.rows_marked_gone;
    if end.mode == Mode::DryRun {
        return "nothing: this was a dry run".to_owned();
    }
    if changed == 0 && tally.rows_unchanged > 0 {
        return format!("nothing: {} said the same already, 0 gone", counted(tally.rows_unchanged, "row"));
    }
    format!(
        "{}, {} unchanged, {} marked as gone",
        counted(tally.rows_written, "row"),
        number(tally.rows_unchanged),
        number(tally.rows_marked_gone)
    )
}

fn model(end: &Ending<'_>) -> String {
    let llm = &end.report.tally.llm;
    if end.models.is_empty() {
        return match end.waiting {
            [] => "none, and no rule needs one".to_owned(),
            rules => format!("none: {} wait for one", rules.join(" ")),
        };
    }
    if llm.requests == 0 {
        return format!("{}: not asked, $0.00", end.models.join(", "));
    }
    let is_known = end.is_priced || llm.cost_usd > 0.0;
    let cost = if is_known { dollars(llm.cost_usd) } else { "price not set".to_owned() };
    format!(
        "{}{}, {} tokens in ({} cached, {:.1}%), {} out, {cost}",
        counted(llm.requests, "request"),
        trouble(llm),
        number(llm.prompt_tokens),
        number(llm.cached_tokens),
        llm.cached_share() * 100.0,
        number(llm.completion_tokens)
    )
}

/// ` (97.5% answered, 3 refused for now, 1 timed out)`; nothing where every request was answered.
fn trouble(llm: &LlmTally) -> String {
    if llm.answers >= llm.requests {
        return String::new();
    }
    let share = llm.answers as f64 * 100.0 / llm.requests as f64;
    let mut text = format!(" ({share:.1}% answered");
    for (count, what) in [(llm.rate_limited, "refused for now (429)"), (llm.timeouts, "timed out")] {
        if count > 0 {
            text.push_str(&format!(", {} {what}", number(count)));
        }
    }
    text + ")"
}

fn time(end: &Ending<'_>) -> String {
    let took = Duration::try_from_secs_f64(end.report.elapsed_s).unwrap_or_default();
    let rate = end.report.rows_per_s;
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { number(rate as u64) };
    format!("{}, {rate} rows/s", duration(took))
}

/// What to do now, the most pressing thing only.
fn next_step(end: &Ending<'_>) -> String {
    let tally = &end.report.tally;
    match end.report.outcome {
        RunOutcome::Interrupted => {
            return "Stopped early: run again to go on, nothing is paid for twice".into();
        }
        RunOutcome::Failed => return "Mend what failed and run again: it goes on from here".into(),
        RunOutcome::Budget => return "The cost cap is reached: raise it and run again to go on".into(),
        RunOutcome::Ok | RunOutcome::Partial => {}
    }
    if tally.rows_not_checked > 0 {
        let rows = counted(tally.rows_not_checked, "row");
        return format!("Run again: only the {rows} not checked will be asked for");
    }
    if tally.rows_over_limit() > 0 {
        let rows = counted(tally.rows_over_limit(), "row");
        return format!("Over --limit: {rows}, left for the next run");
    }
    if end.mode == Mode::DryRun {
        return "Run without --dry-run to write them".into();
    }
    if end.models.is_empty() && !end.waiting.is_empty() {
        return format!("To have the other rules judged, set up [llm.providers.1] in {}", end.settings);
    }
    if tally.rows_written + tally.rows_marked_gone == 0 && !end.narrowed {
        return "Nothing has changed since the last run".into();
    }
    if tally.rows_invalid > 0 {
        return "Filter «Is Valid» by NO to see what to fix".into();
    }
    "Nothing to do".into()
}

/// ` (blank row: 2, over the limit: 3)`, the most frequent first; nothing if there are none.
fn reasons(counts: &BTreeMap<String, u64>) -> String {
    const SHOWN: usize = 3;
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut texts: Vec<String> = sorted
        .iter()
        .take(SHOWN)
        .map(|(reason, count)| format!("{}: {}", terminal::clip(reason, 100), number(**count)))
        .collect();
    if sorted.len() > SHOWN {
        texts.push("…".to_owned());
    }
    if texts.is_empty() { String::new() } else { format!(" ({})", texts.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Tally;

    fn report(outcome: RunOutcome, tally: Tally) -> RunReport {
        RunReport {
            run_id: "r".into(),
            job: "default".into(),
            outcome,
            tally,
            elapsed_s: 0.3,
            rows_per_s: 233.3,
            advice: None,
            failure: None,
        }
    }

    fn ending(report: &RunReport) -> Ending<'_> {
        Ending {
            report,
            mode: Mode::Full,
            narrowed: false,
            waiting: &[],
            models: &[],
            is_priced: false,
            target: "review.xlsx",
            settings: "Settings.toml",
        }
    }

    #[test]
    fn without_a_model_the_waiting_rules_are_named() {
        let tally = Tally {
            rows_read: 70,
            rows_valid: 45,
            rows_invalid: 25,
            decided_by_code: 70,
            rows_written: 70,
            ..Tally::default()
        };
        let report = report(RunOutcome::Ok, tally);
        let waiting = ["R4".to_owned(), "R5".to_owned()];
        assert_eq!(
            lines(&Ending { waiting: &waiting, ..ending(&report) }).join("\n"),
            "Reviewed  70 rows: 45 OK, 25 to fix, 0 not checked\n\
             Known     0 from cache, 0 the same as another row, 70 decided by code\n\
             Written   70 rows, 0 unchanged, 0 marked as gone\n\
             Model     none: R4 R5 wait for one\n\
             Time      0.3 s, 233 rows/s\n\
             Results   review.xlsx. To have the other rules judged, set up [llm.providers.1] in Settings.toml"
        );
    }

    #[test]
    fn a_run_that_changed_nothing_says_so() {
        let tally = Tally { rows_read: 3, rows_valid: 3, rows_unchanged: 3, ..Tally::default() };
        let report = report(RunOutcome::Ok, tally);
        let text = lines(&ending(&report)).join("\n");
        assert!(text.contains("Written   nothing: 3 rows said the same already"), "{text}");
        assert!(text.contains("Nothing has changed since the last run"), "{text}");
    }

    #[test]
    fn whatever_happened_there_are_six_safe_lines() {
        let reasons = BTreeMap::from([("rate limit\n\u{1b}[31m".to_owned(), 2)]);
        for outcome in [
            RunOutcome::Ok,
            RunOutcome::Partial,
            RunOutcome::Failed,
            RunOutcome::Budget,
            RunOutcome::Interrupted,
        ] {
            let tally = Tally { rows_not_checked: 2, not_checked: reasons.clone(), ..Tally::default() };
            let report = report(outcome, tally);
            let models = ["primary (m)".to_owned()];
            for mode in [Mode::Full, Mode::DryRun] {
                let text = lines(&Ending { mode, models: &models, ..ending(&report) }).join("\n");
                assert_eq!(text.lines().count(), 6, "{text}");
                assert!(!text.contains('\u{1b}') && text.contains("rate limit\\n\\u{1b}[31m: 2"), "{text}");
            }
        }
    }
}
