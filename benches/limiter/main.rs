//! What share of a provider's limit is used, and what share of requests is refused on the way.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod provider;
mod run;

use provider::Provider;
use run::{Figures, MEAN_TOKENS, Pace, Setup, run};
use status_validator::llm::pace::Known;
use status_validator::sandbox::model::limits::{Kind, Tells};

struct Case {
    name: &'static str,
    provider: Provider,
    rows: usize,
    slots: usize,
}

fn cases() -> Vec<Case> {
    let bucket = |rpm: f64, burst: f64| Provider::new(Kind::Bucket, rpm).burst(burst);
    let case = |name, provider, rows, slots| Case { name, provider, rows, slots };
    vec![
        case("bucket 350, burst 1 s", bucket(350.0, 1.0), 1000, 64),
        case("bucket 350, burst 1 s, 4200 rows W400", bucket(350.0, 1.0), 4200, 400),
        case("bucket 350, burst 1 s, retry-after", bucket(350.0, 1.0).tells(Tells::RetryAfter), 1000, 64),
        case("bucket 350, burst 30 s", bucket(350.0, 30.0), 1000, 64),
        case("bucket 500, burst 1 s", bucket(500.0, 1.0), 1000, 64),
        case("bucket 500, burst 1 s, 6000 rows", bucket(500.0, 1.0), 6000, 64),
        case("bucket 500, burst 10 s", bucket(500.0, 10.0), 1000, 64),
        case("bucket 500, burst 10 s, retry-after", bucket(500.0, 10.0).tells(Tells::RetryAfter), 1000, 64),
        case("bucket 500, burst 30 s", bucket(500.0, 30.0), 1000, 64),
        case("bucket 500, burst 60 s 6000 rows", bucket(500.0, 60.0), 6000, 64),
        case("bucket 900, burst 1 s", bucket(900.0, 1.0), 1000, 400),
        case("bucket 900, burst 30 s", bucket(900.0, 30.0), 1000, 400),
        case("bucket 2200, burst 1 s", bucket(2200.0, 1.0), 4400, 400),
        case("bucket 2200, burst 5 s, retry-after", bucket(2200.0, 5.0).tells(Tells::RetryAfter), 4400, 400),
        case("bucket 5000, burst 1 s", bucket(5000.0, 1.0), 10000, 600),
        case("bucket 5000, burst 1 s, retry-after", bucket(5000.0, 1.0).tells(Tells::RetryAfter), 10000, 600),
        case("bucket 5000, burst 30 s", bucket(5000.0, 30.0), 10000, 600),
        case("bucket 500, failures count", bucket(500.0, 1.0).refusals_count(), 1000, 64),
        case("tokens 600k (400 rpm), burst 5 s", bucket(5000.0, 5.0).tokens(600_000.0), 1000, 64),
        case("tokens 1.5M (1000 rpm), burst 5 s", bucket(5000.0, 5.0).tokens(1_500_000.0), 2000, 400),
        case("bucket 500, burst 1 s, all headers", bucket(500.0, 1.0).tells(Tells::All), 1000, 64),
        case("bucket 500, burst 30 s, all headers", bucket(500.0, 30.0).tells(Tells::All), 1000, 64),
        case("minute window 500", Provider::new(Kind::Window, 500.0), 6000, 64),
        case("minute window 900 W400", Provider::new(Kind::Window, 900.0), 10800, 400),
        case(
            "minute window 500, retry-after",
            Provider::new(Kind::Window, 500.0).tells(Tells::RetryAfter),
            6000,
            64,
        ),
        case(
            "minute window 5000, retry-after",
            Provider::new(Kind::Window, 5000.0).tells(Tells::RetryAfter),
            40000,
            600,
        ),
        case("sliding minute 500", Provider::new(Kind::Sliding, 500.0), 6000, 64),
        case("sliding minute 900 W400", Provider::new(Kind::Sliding, 900.0), 10800, 400),
        case(
            "sliding minute 500, retry-after",
            Provider::new(Kind::Sliding, 500.0).tells(Tells::RetryAfter),
            6000,
            64,
        ),
        case("10 s slices 500", Provider::new(Kind::Slices, 500.0), 6000, 64),
        case(
            "10 s slices 500, retry-after",
            Provider::new(Kind::Slices, 500.0).tells(Tells::RetryAfter),
            6000,
            64,
        ),
        case(
            "bucket 500, halves at 300 s, back at 700",
            bucket(500.0, 5.0).tells(Tells::RetryAfter).changing(&[(300.0, 0.5), (700.0, 1.0)]),
            6000,
            64,
        ),
        case("bucket 3, burst 20 s, retry-after", bucket(3.0, 20.0).tells(Tells::RetryAfter), 60, 64),
        case("bucket 60, burst 1 s, retry-after", bucket(60.0, 1.0).tells(Tells::RetryAfter), 1200, 64),
        case("bucket 137, burst 1 s", bucket(137.0, 1.0), 1644, 400),
        case("bucket 500, 2 % refused by chance", bucket(500.0, 5.0).noisy(0.02), 4000, 64),
        case("no limit, 2 % refused by chance", bucket(1e9, 1.0).noisy(0.02), 4000, 64),
        case("10 at the same time", Provider::at_once(10), 1500, 64),
        case("1 at a time", Provider::at_once(1), 150, 64),
        case("bucket 500, burst 1 s, 200 rows", bucket(500.0, 1.0), 200, 64),
        case("bucket 500, burst 10 s, 200 rows", bucket(500.0, 10.0), 200, 64),
        case("no limit, 64 workers, 1000 rows", bucket(1e9, 1.0), 1000, 64),
        case("no limit, 20 workers, 200 rows", bucket(1e9, 1.0), 200, 20),
    ]
}

/// Shares in percent: of the limit that was used, and of the requests that were refused.
#[derive(Default)]
struct Shares {
    used: Vec<f64>,
    refused: Vec<f64>,
    lost: usize,
}

impl Shares {
    fn add(&mut self, case: &Case, setup: &Setup, figures: &Figures) {
        let limit = case.provider.limits.requests_per_minute.unwrap_or_default();
        let mut allowed = case.provider.allowed(figures.end, setup.mean_latency(), MEAN_TOKENS);
        if limit > 1e8 {
            allowed = setup.slots as f64 * figures.end.max(1e-9) / setup.mean_latency();
        }
        self.used.push(100.0 * figures.answered as f64 / allowed.max(1e-9));
        self.refused.push(100.0 * figures.refused as f64 / figures.sent.max(1) as f64);
        if figures.end < setup.patience {
            self.lost += setup.rows - figures.answered;
        }
    }

    fn text(&self) -> String {
        if self.used.is_empty() {
            return "-".to_owned();
        }
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len().max(1) as f64;
        let worst = self.refused.iter().copied().fold(0.0, f64::max);
        let least = self.used.iter().copied().fold(f64::INFINITY, f64::min);
        format!(
            "{:6.1}({:5.1})/{:5.2}({:5.2}){}",
            mean(&self.used),
            least,
            mean(&self.refused),
            worst,
            if self.lost > 0 { "!" } else { "" }
        )
    }
}

fn main() {
    let only = std::env::args().nth(1).filter(|arg| !arg.starts_with("--"));
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let first: u64 = std::env::var("FIRST").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    println!("{:42} {:>29} {:>29} {:>29} {:>29}", "limit", "unknown", "second run", "told", "20 workers");
    for case in cases() {
        if only.as_ref().is_some_and(|only| !case.name.contains(only.as_str())) {
            continue;
        }
        let (mut first_run, mut second, mut told, mut workers) = Default::default();
        for seed in first..first + seeds {
            let setup =
                Setup { rows: case.rows, slots: case.slots, seed, patience: 1200.0, median_latency: 4.0 };
            let go = |pace: Pace, setup: &Setup, shares: &mut Shares| {
                let figures = run(case.provider.clone(), &pace, setup);
                shares.add(&case, setup, &figures);
                figures.learnt
            };
            let learnt = go(Pace::Ours(Box::default()), &setup, &mut first_run);
            go(
                Pace::Ours(Box::new(Known { learnt, ..Known::default() })),
                &Setup { seed: seed + 100, ..setup },
                &mut second,
            );
            if let Some(limit) = case.provider.limits.requests_per_minute {
                let requests_per_minute = Some(limit as u64);
                let tokens_per_minute = case.provider.limits.tokens_per_minute.map(|tokens| tokens as u64);
                go(
                    Pace::Ours(Box::new(Known {
                        requests_per_minute,
                        tokens_per_minute,
                        ..Known::default()
                    })),
                    &Setup { rows: case.rows, ..setup },
                    &mut told,
                );
            }
            go(
                Pace::Workers,
                &Setup { slots: 20, rows: case.rows, seed, patience: 1200.0, median_latency: 4.0 },
                &mut workers,
            );
        }
        println!(
            "{:42} {:>29} {:>29} {:>29} {:>29}",
            case.name,
            first_run.text(),
            second.text(),
            told.text(),
            workers.text()
        );
    }
}
