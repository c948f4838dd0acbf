//! The limiter against every kind of limit, in virtual time: how much of a limit is used, and how many requests are
//! refused on the way. The benchmark `limiter` prints the whole table.

#![expect(clippy::print_stdout, reason = "the figures are of interest beside the verdict")]

#[path = "../../benches/limiter/provider.rs"]
#[allow(dead_code, reason = "the benchmark uses all of it")]
mod provider;
#[path = "../../benches/limiter/run.rs"]
#[allow(dead_code, reason = "the benchmark uses all of it")]
mod simulation;

use std::ops::Range;

use status_validator::llm::pace::Known;
use status_validator::sandbox::model::limits::{Kind, Tells};

use provider::Provider;
use simulation::{Figures, MEAN_TOKENS, Pace, Setup};

/// What is expected of a kind: the least share of the limit that is used, and the most of the requests that is refused,
/// in hundredths; the mean over all seeds.
struct Expected {
    used: f64,
    refused: f64,
}

const FOUND: Expected = Expected { used: 97.0, refused: 1.0 };
const TOLD: Expected = Expected { used: 98.0, refused: 0.1 };

fn seeds() -> Range<u64> {
    0..std::env::var("SV_LIMITER_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

fn bucket(rpm: f64, burst: f64) -> Provider {
    Provider::new(Kind::Bucket, rpm).burst(burst)
}

/// One run of so many rows, with what is known beforehand.
fn simulate(provider: &Provider, rows: usize, slots: usize, seed: u64, known: Known) -> Figures {
    let setup = Setup { rows, slots, seed, patience: 1200.0, median_latency: 4.0 };
    let figures = simulation::run(provider.clone(), &Pace::Ours(Box::new(known)), &setup);
    let all = if figures.end < setup.patience { rows } else { figures.answered };
    assert_eq!(figures.answered, all, "no row is lost");
    figures
}

/// The share of the limit that was used, and of the requests that were refused, in hundredths.
fn shares(provider: &Provider, figures: &Figures) -> (f64, f64) {
    let mean_latency = 4.0 * f64::exp(0.125);
    let allowed = provider.allowed(figures.end, mean_latency, MEAN_TOKENS);
    let refused = figures.refused as f64 / figures.sent as f64;
    (100.0 * figures.answered as f64 / allowed, 100.0 * refused)
}

/// Runs a kind with all seeds, and once more with what was learnt.
fn check(name: &str, provider: &Provider, rows: usize, slots: usize, first: &Expected, second: &Expected) {
    let (mut found, mut again) = (Vec::new(), Vec::new());
    for seed in seeds() {
        let figures = simulate(provider, rows, slots, seed, Known::default());
        found.push(shares(provider, &figures));
        let known = Known { learnt: figures.learnt, ..Known::default() };
        again.push(shares(provider, &simulate(provider, rows, slots, seed + 100, known)));
    }
    for (run, figures, expected) in [("first", found, first), ("second", again, second)] {
        let mean = |of: fn(&(f64, f64)) -> f64| figures.iter().map(of).sum::<f64>() / figures.len() as f64;
        let (used, refused) = (mean(|figures| figures.0), mean(|figures| figures.1));
        println!("{name}, {run} run: {used:.1} % used, {refused:.2} % refused");
        assert!(used >= expected.used, "{name}, {run} run: {used:.1} % used");
        assert!(refused <= expected.refused, "{name}, {run} run: {refused:.2} % refused");
    }
}

#[test]
fn buckets_are_found_and_used() {
    let retry_after = |provider: Provider| provider.tells(Tells::RetryAfter);
    for (name, provider, rows, slots) in [
        ("bucket 350, burst 1 s", bucket(350.0, 1.0), 1000, 64),
        ("bucket 350, burst 30 s", bucket(350.0, 30.0), 1000, 64),
        ("bucket 500, burst 10 s, retry-after", retry_after(bucket(500.0, 10.0)), 1000, 64),
        ("bucket 900, burst 1 s", bucket(900.0, 1.0), 1000, 400),
        ("bucket 2200, burst 5 s, retry-after", retry_after(bucket(2200.0, 5.0)), 4400, 400),
        ("bucket 5000, burst 1 s", bucket(5000.0, 1.0), 10_000, 600),
        ("600,000 tokens, burst 5 s", bucket(5000.0, 5.0).tokens(600_000.0), 1000, 64),
    ] {
        check(name, &provider, rows, slots, &FOUND, &FOUND);
    }
}

/// The run is over in less than a minute: there is no time to feel for the limit as carefully as in a short one.
#[test]
fn a_high_limit_is_found_in_a_run_of_some_thousand_rows() {
    let expected = Expected { used: 93.0, refused: 1.0 };
    check("bucket 5000, burst 1 s, 4000 rows", &bucket(5000.0, 1.0), 4000, 600, &expected, &FOUND);
}

#[test]
fn limits_that_are_told_are_used_without_a_refusal() {
    for (name, provider) in [
        ("bucket 500, burst 1 s, all headers", bucket(500.0, 1.0).tells(Tells::All)),
        ("bucket 900, burst 30 s, all headers", bucket(900.0, 30.0).tells(Tells::All)),
    ] {
        check(name, &provider, 1000, 400, &TOLD, &TOLD);
    }
    for rpm in [350_u64, 5000] {
        let provider = bucket(rpm as f64, 1.0);
        let known = Known { requests_per_minute: Some(rpm), ..Known::default() };
        let (used, refused) = shares(&provider, &simulate(&provider, 4000, 600, 1, known));
        assert!(used >= TOLD.used && refused <= TOLD.refused, "{rpm}: {used:.1} {refused:.2}");
    }
}

#[test]
fn requests_at_a_time_are_found_and_used() {
    let expected = Expected { used: 90.0, refused: 1.0 };
    check("10 at the same time", &Provider::at_once(10), 1500, 64, &expected, &FOUND);
}

#[test]
fn windows_slices_and_limits_that_change_are_borne() {
    let kind = Provider::new;
    let changing = bucket(500.0, 5.0).tells(Tells::RetryAfter).changing(&[(300.0, 0.5), (700.0, 1.0)]);
    for (name, provider, used, refused) in [
        ("minute window 500", kind(Kind::Window, 500.0), 97.4, 1.2),
        ("sliding minute 500", kind(Kind::Sliding, 500.0), 95.0, 1.2),
        ("10 s slices 500", kind(Kind::Slices, 500.0), 95.0, 1.0),
        ("bucket 500, halves, comes back", changing, 92.0, 0.8),
    ] {
        let second = Expected { used: 92.0, refused: 1.0 };
        check(name, &provider, 6000, 64, &Expected { used, refused }, &second);
    }
}

/// Refusals that have nothing to do with the rate do not bring a run to a standstill, nor any that follows it.
#[test]
fn refusals_by_chance_are_borne_from_run_to_run() {
    let provider = bucket(500.0, 5.0).noisy(0.02);
    for seed in seeds() {
        let mut known = Known::default();
        for run in 1..=8 {
            let figures = simulate(&provider, 2000, 64, 1000 * seed + run, known);
            let (used, refused) = shares(&provider, &figures);
            println!("seed {seed}, run {run}: {used:.1} % used, {refused:.2} % refused");
            assert!(used >= 15.0, "seed {seed}, run {run}: {used:.1} % used");
            known = Known { learnt: figures.learnt, ..Known::default() };
        }
    }
}

#[test]
fn a_short_run_finds_its_limit_too() {
    let expected = Expected { used: 95.0, refused: 1.5 };
    check("bucket 500, burst 10 s, 200 rows", &bucket(500.0, 10.0), 200, 64, &expected, &FOUND);
}
