//! What a provider says of its limits: in headers, or in the words of a refusal.

use std::time::Duration;

/// The limits that an answer speaks of; none where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RateLimits {
    /// Of requests.
    pub requests: Option<Allowance>,
    /// Of tokens.
    pub tokens: Option<Allowance>,
}

/// How much may be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// So much in a period; at least 1.
    pub limit: u64,
    /// The period: a second, ten seconds, a minute, an hour or a day.
    pub period: Duration,
    /// What was left when the answer was written.
    pub remaining: u64,
}

impl Allowance {
    /// How much may be used a second, over time.
    pub fn per_second(&self) -> f64 {
        self.limit as f64 / self.period.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}
