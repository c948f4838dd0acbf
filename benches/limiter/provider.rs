//! Providers' limiters in virtual time.

use std::collections::VecDeque;
use std::time::Duration;

use status_validator::llm::limits::{Allowance, RateLimits};

/// How a provider limits.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) kind: Kind,
    /// Requests a minute, or requests at the same time.
    pub(crate) limit: f64,
    /// Seconds' worth of requests that a full bucket holds.
    pub(crate) burst: f64,
    pub(crate) hints: Hints,
    pub(crate) failures_count: bool,
    /// Tokens a minute; none: any number.
    pub(crate) tokens: Option<f64>,
    /// From then on the limit is so much of the first one.
    pub(crate) changes: Vec<(f64, f64)>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bucket,
    Window(u32),
    Sliding,
    Slots,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hints {
    None,
    RetryAfter,
    Full,
}

#[derive(Clone, Debug, Default)]
struct State {
    at: f64,
    level: f64,
    token_level: f64,
    log: VecDeque<f64>,
    window: i64,
    count: f64,
    in_flight: f64,
}

pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) limits: RateLimits,
}

impl Provider {
    pub(crate) fn new(kind: Kind, limit: f64) -> Self {
        Self {
            kind,
            limit,
            burst: 1.0,
            hints: Hints::None,
            failures_count: false,
            tokens: None,
            changes: Vec::new(),
            state: State { window: -1, ..State::default() },
        }
        .full()
    }

    fn full(mut self) -> Self {
        self.state.level = self.limit / 60.0 * self.burst;
        self.state.token_level = self.tokens.unwrap_or_default() / 60.0 * self.burst;
        self
    }

    pub(crate) fn burst(self, burst: f64) -> Self {
        Self { burst, ..self }.full()
    }

    pub(crate) fn hints(self, hints: Hints) -> Self {
        Self { hints, ..self }
    }

    pub(crate) fn failures_count(self) -> Self {
        Self { failures_count: true, ..self }
    }

    pub(crate) fn tokens(self, tokens: f64) -> Self {
        Self { tokens: Some(tokens), ..self }.full()
    }

    pub(crate) fn changing(self, changes: &[(f64, f64)]) -> Self {
        Self { changes: changes.to_vec(), ..self }
    }

    pub(crate) fn limit_at(&self, at: f64) -> f64 {
        let share = self.changes.iter().rev().find(|(from, _)| at >= *from).map_or(1.0, |(_, share)| *share);
        self.limit * share
    }

    /// What may be let through until then, its bursts aside.
    pub(crate) fn allowed(&self, until: f64, mean_latency: f64, mean_tokens: f64) -> f64 {
        if self.kind == Kind::Slots {
            return self.limit * until / mean_latency;
        }
        let mut sum = 0.0;
        let mut from = 0.0;
        let ends = self.changes.iter().map(|(at, _)| *at).chain([f64::INFINITY]);
        for end in ends {
            let end = end.min(until);
            if end > from {
                sum += self.limit_at(from) / 60.0 * (end - from);
                from = end;
            }
        }
        match self.tokens {
            Some(tokens) => sum.min(tokens / mean_tokens / 60.0 * until),
            None => sum,
        }
    }

    pub(crate) fn ended(&mut self) {
        self.state.in_flight -= 1.0;
    }

    pub(crate) fn ask(&mut self, at: f64, tokens: f64) -> Verdict {
        let limit = self.limit_at(at);
        let per_second = limit / 60.0;
        let s = &mut self.state;
        let (accepted, wait) = match self.kind {
            Kind::Bucket => {
                s.level = (s.level + (at - s.at) * per_second).min((per_second * self.burst).max(1.0));
                let token_rate = self.tokens.map(|tokens| tokens / 60.0);
                if let Some(rate) = token_rate {
                    s.token_level = (s.token_level + (at - s.at) * rate).min((rate * self.burst).max(tokens));
                }
                s.at = at;
                let fits = token_rate.is_none_or(|_| s.token_level >= tokens);
                let accepted = s.level >= 1.0 && fits;
                if accepted {
                    s.level -= 1.0;
                    s.token_level -= token_rate.map_or(0.0, |_| tokens);
                } else if self.failures_count {
                    s.level = (s.level - 1.0).max(0.0);
                }
                let wait = ((1.0 - s.level) / per_second)
                    .max(token_rate.map_or(0.0, |rate| (tokens - s.token_level) / rate));
                (accepted, wait.max(0.0))
            }
            Kind::Window(length) => {
                let length = f64::from(length);
                let window = (at / length) as i64;
                if window != s.window {
                    s.window = window;
                    s.count = 0.0;
                }
                let accepted = s.count < limit * length / 60.0;
                if accepted || self.failures_count {
                    s.count += 1.0;
                }
                (accepted, (window + 1) as f64 * length - at)
            }
            Kind::Sliding => {
                while s.log.front().is_some_and(|sent| *sent <= at - 60.0) {
                    s.log.pop_front();
                }
                let accepted = (s.log.len() as f64) < limit;
                let wait = s.log.front().map_or(0.0, |sent| sent + 60.0 - at);
                if accepted || self.failures_count {
                    s.log.push_back(at);
                }
                (accepted, wait)
            }
            Kind::Slots => {
                let accepted = s.in_flight < limit;
                if accepted {
                    s.in_flight += 1.0;
                }
                (accepted, 1.0)
            }
        };
        let retry_after = match self.hints {
            _ if accepted => None,
            Hints::None => None,
            Hints::RetryAfter => Some(Duration::from_secs_f64(wait.ceil())),
            Hints::Full => Some(Duration::from_secs_f64(wait)),
        };
        let mut limits = RateLimits::default();
        if self.hints == Hints::Full && self.kind == Kind::Bucket {
            limits.requests = Some(Allowance {
                limit: limit as u64,
                period: Duration::from_secs(60),
                remaining: self.state.level as u64,
            });
        }
        Verdict { accepted, retry_after, limits }
    }
}
