//! Advice about `max_workers`, in words, from the figures of a run. Pure.
//!
//! The pace is found whatever the setting is: it only bounds how many requests are under way. Too few workers leave a
//! limit unused; too many make providers slow, and spread requests over machines that have not kept the prompt.

use super::report::Tally;

/// What to change, if anything; `seconds` is how long the run took.
pub fn advice(tally: &Tally, seconds: f64) -> Option<String> {
    let llm = &tally.llm;
    let workers = tally.workers.max;
    if llm.requests < LEAST_REQUESTS || workers == 0 {
        return None;
    }
    let share = |count: u64| count as f64 / llm.requests as f64;
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let fewer = |why: String| {
        (workers > 1).then(|| {
            format!("{why}: lower max_workers from {workers} to {}{}", (workers / 2).max(1), tier(tally))
        })
    };
    if share(llm.rate_limited) > MANY_REFUSED {
        return fewer(format!(
            "{} of the requests were refused for now (429)",
            percent(share(llm.rate_limited))
        ));
    }
    if share(llm.timeouts) > MANY_TIMEOUTS {
        return fewer(format!("{} of the requests timed out", percent(share(llm.timeouts))));
    }
    if let Some((early, late)) = llm.trend.cached_shares()
        && early - late > MUCH_LESS_KEPT
    {
        let (early, late) = (percent(early), percent(late));
        return fewer(format!(
            "the provider's prompt cache held {early} of the prompts at first and {late} later"
        ));
    }
    let is_stable = llm.trend.slower().is_some_and(|times| times < MUCH_SLOWER);
    let rate = llm.requests as f64 * 60.0 / seconds.max(1.0);
    let is_full = tally.workers.peak_in_flight >= workers;
    match llm.requests_per_minute {
        Some(limit) if llm.rate_limited == 0 && is_stable && is_full && rate < limit / 2.0 => Some(format!(
            "{rate:.0} of {limit:.0} requests a minute were used, none was refused, and answers came as fast as at \
             first: raise max_workers from {workers} to {}{}",
            workers * 2,
            tier(tally)
        )),
        _ => None,
    }
}

/// The tiers of accounts: from which limit in requests a minute on, the name, and workers that fit it.
pub const TIERS: [(u64, &str, &str); 4] = [
    (10_000, "Tier 3 or higher, 10,000 and more requests a minute", "10 to 15"),
    (3_500, "Tier 2, 3,500 requests a minute", "5 to 10"),
    (500, "Tier 1, 500 requests a minute", "3 to 5"),
    (0, "Free, 20 requests a minute", "1 to 2"),
];

const LEAST_REQUESTS: u64 = 100;
const MANY_REFUSED: f64 = 0.02;
const MANY_TIMEOUTS: f64 = 0.02;
const MUCH_LESS_KEPT: f64 = 0.10;
const MUCH_SLOWER: f64 = 1.25;

fn tier(tally: &Tally) -> String {
    let Some(limit) = tally.llm.requests_per_minute else { return String::new() };
    // A limit that was felt out is a little below the true one.
    let found = TIERS.iter().find(|(from, ..)| limit >= 0.8 * *from as f64);
    found.map_or_else(String::new, |(_, name, workers)| format!(" (usual for {name}: {workers})"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::money::Usage;
    use crate::engine::report::{LlmTally, WorkersTally};

    /// A run of 1,000 requests in ten minutes with ten workers.
    fn tally(change: impl FnOnce(&mut LlmTally)) -> Tally {
        let mut llm = LlmTally::default();
        (llm.requests, llm.answers) = (1000, 1000);
        let usage = Usage { prompt_tokens: 1000, cached_tokens: 900, ..Usage::default() };
        (0..1000).for_each(|_| llm.trend.answered(Duration::from_secs(4), &usage));
        change(&mut llm);
        let workers = WorkersTally { max: 10, peak_in_flight: 10, restarts: 0 };
        Tally { llm, workers, ..Tally::default() }
    }

    fn told(change: impl FnOnce(&mut LlmTally)) -> String {
        advice(&tally(change), 600.0).unwrap_or_default()
    }

    #[test]
    fn what_hurts_asks_for_fewer_workers() {
        assert!(
            told(|llm| llm.rate_limited = 50).starts_with(
                "5 % of the requests were refused for now (429): lower max_workers from 10 to 5"
            )
        );
        assert!(told(|llm| llm.timeouts = 30).contains("3 % of the requests timed out: lower"));
        let fading = told(|llm| {
            let usage = Usage { prompt_tokens: 1000, cached_tokens: 300, ..Usage::default() };
            (0..400).for_each(|_| llm.trend.answered(Duration::from_secs(4), &usage));
        });
        assert!(fading.contains("90 % of the prompts at first and 30 % later: lower"), "{fading}");
    }

    #[test]
    fn room_that_is_left_asks_for_more_and_names_the_tier() {
        let more = told(|llm| llm.requests_per_minute = Some(495.0));
        assert!(more.contains("100 of 495 requests a minute") && more.contains("from 10 to 20"), "{more}");
        assert!(more.contains("Tier 1, 500 requests a minute: 3 to 5"), "{more}");
        let refused = told(|llm| (llm.requests_per_minute, llm.rate_limited) = (Some(495.0), 1));
        let slower = told(|llm| {
            llm.requests_per_minute = Some(495.0);
            (0..400).for_each(|_| llm.trend.answered(Duration::from_secs(9), &Usage::default()));
        });
        assert!(refused.is_empty() && !slower.contains("raise"), "{refused} {slower}");
        assert!(told(|llm| llm.requests_per_minute = Some(150.0)).is_empty(), "more than half is used");
    }

    #[test]
    fn a_good_run_and_a_short_one_need_none() {
        assert_eq!(told(|_| ()), "");
        assert_eq!(told(|llm| (llm.requests, llm.rate_limited) = (50, 40)), "");
    }
}
