//! A provider in virtual time, with the limits that the sandbox's model keeps.

use std::time::Duration;

use status_validator::llm::limits::{Allowance, RateLimits};
use status_validator::sandbox::model::limits::{Kind, Limiter, Limits, Tells};

/// A provider whose limits may change.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) limits: Limits,
    /// From then on the limit of requests is so much of the first one.
    changes: Vec<(f64, f64)>,
    limiter: Limiter,
    /// The share of requests that is refused whatever the rate.
    noise: f64,
    random: fastrand::Rng,
}

pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) limits: RateLimits,
}

impl Provider {
    /// So many requests a minute, counted like this; it tells nothing.
    pub(crate) fn new(kind: Kind, requests_per_minute: f64) -> Self {
        Self::of(Limits {
            kind,
            requests_per_minute: Some(requests_per_minute),
            tells: Tells::Nothing,
            ..Limits::default()
        })
    }

    /// So many requests at a time; it does not say that this is why.
    pub(crate) fn at_once(requests: u32) -> Self {
        Self::of(Limits { at_once: Some(requests), tells: Tells::Nothing, ..Limits::default() })
    }

    fn of(limits: Limits) -> Self {
        let random = fastrand::Rng::with_seed(1);
        Self { limits, changes: Vec::new(), limiter: Limiter::new(limits), noise: 0.0, random }
    }

    pub(crate) fn burst(self, burst_s: f64) -> Self {
        Self::of(Limits { burst_s, ..self.limits })
    }

    pub(crate) fn tells(self, tells: Tells) -> Self {
        Self::of(Limits { tells, ..self.limits })
    }

    pub(crate) fn refusals_count(self) -> Self {
        Self::of(Limits { refusals_count: true, ..self.limits })
    }

    pub(crate) fn tokens(self, per_minute: f64) -> Self {
        Self::of(Limits { tokens_per_minute: Some(per_minute), ..self.limits })
    }

    pub(crate) fn changing(self, changes: &[(f64, f64)]) -> Self {
        Self { changes: changes.to_vec(), ..self }
    }

    pub(crate) fn noisy(self, noise: f64) -> Self {
        Self { noise, ..self }
    }

    fn share_at(&self, at: f64) -> f64 {
        self.changes.iter().rev().find(|(from, _)| at >= *from).map_or(1.0, |(_, share)| *share)
    }

    /// What may be let through until then, its bursts aside.
    pub(crate) fn allowed(&self, until: f64, mean_latency: f64, mean_tokens: f64) -> f64 {
        if let Some(at_once) = self.limits.at_once {
            return f64::from(at_once) * until / mean_latency;
        }
        let mut sum = 0.0;
        let mut from = 0.0;
        for end in self.changes.iter().map(|(at, _)| *at).chain([f64::INFINITY]) {
            let end = end.min(until);
            if end > from {
                let limit = self.limits.requests_per_minute.unwrap_or(f64::INFINITY);
                sum += limit * self.share_at(from) / 60.0 * (end - from);
                from = end;
            }
        }
        match self.limits.tokens_per_minute {
            Some(tokens) => sum.min(tokens / mean_tokens / 60.0 * until),
            None => sum,
        }
    }

    pub(crate) fn ended(&mut self) {
        self.limiter.ended(0.0);
    }

    pub(crate) fn ask(&mut self, at: f64, tokens: f64) -> Verdict {
        let now = Duration::from_secs_f64(at);
        if !self.changes.is_empty() {
            let share = self.share_at(at);
            let requests_per_minute = self.limits.requests_per_minute.map(|limit| limit * share);
            self.limiter.change(Limits { requests_per_minute, ..self.limits });
        }
        if self.random.f64() < self.noise {
            return Verdict { accepted: false, retry_after: None, limits: RateLimits::default() };
        }
        let refused = self.limiter.ask(tokens, now).err();
        let retry_after = refused.and_then(|refused| match self.limits.tells {
            Tells::Nothing => None,
            Tells::RetryAfter => Some(Duration::from_secs_f64(refused.wait.as_secs_f64().ceil())),
            Tells::All => Some(refused.wait),
        });
        let mut limits = RateLimits::default();
        if self.limits.tells == Tells::All {
            limits.requests = self.limiter.left(now).0.map(|left| Allowance {
                limit: left.limit,
                period: Duration::from_secs(60),
                remaining: left.remaining,
            });
        }
        Verdict { accepted: refused.is_none(), retry_after, limits }
    }
}
