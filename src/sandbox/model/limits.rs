//! What a provider lets through: requests and tokens a minute, and requests at a time. Pure.
//!
//! Limits are kept as the providers keep them: a bucket that fills up evenly, a minute of the clock, the minute just
//! past, or slices of ten seconds.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests a minute; none: any number.
    pub requests_per_minute: Option<f64>,
    /// Tokens a minute; none: any number.
    pub tokens_per_minute: Option<f64>,
    /// Requests at a time; none: any number.
    pub at_once: Option<u32>,
    /// How requests and tokens of a minute are counted.
    pub kind: Kind,
    /// A full bucket holds what comes in so many seconds, and one request at least.
    pub burst_s: f64,
    /// Whether the longest possible answer is counted as its tokens until it is known, as OpenAI does it.
    pub reserves: bool,
    /// Whether requests that are refused count.
    pub refusals_count: bool,
    /// What is told of the limits.
    pub tells: Tells,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: None,
            tokens_per_minute: None,
            at_once: None,
            kind: Kind::Bucket,
            burst_s: 1.0,
            reserves: false,
            refusals_count: false,
            tells: Tells::All,
        }
    }
}

/// How what a minute allows is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A bucket that fills up evenly.
    Bucket,
    /// By the minute of the clock.
    Window,
    /// By slices of ten seconds, as Azure does it.
    Slices,
    /// By the minute just past.
    Sliding,
}

/// What a provider tells of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tells {
    /// Nothing.
    Nothing,
    /// With a refusal, when to come again, in whole seconds.
    RetryAfter,
    /// With every answer, limits and what is left of them, as OpenAI does it.
    All,
}

/// Which limit a request has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Requests a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Requests at a time.
    AtOnce,
}

/// A request is not let through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Refusal {
    /// The limit.
    pub met: Met,
    /// When it would be let through, if nobody else came.
    pub wait: Duration,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Left {
    /// The limit, a minute.
    pub limit: u64,
    /// What is left of it now.
    pub remaining: u64,
    /// The time until all of it is there.
    pub reset: Duration,
}

/// Counts what is let through.
#[derive(Clone, Debug)]
pub struct Limiter {
    limits: Limits,
    requests: Option<Meter>,
    tokens: Option<Meter>,
    in_flight: u32,
}

impl Limiter {
    /// A limiter whose buckets are full.
    pub fn new(limits: Limits) -> Self {
        let meter = |per_minute: Option<f64>| per_minute.map(|limit| Meter::new(limit, &limits));
        let (requests, tokens) = (meter(limits.requests_per_minute), meter(limits.tokens_per_minute));
        Self { limits, requests, tokens, in_flight: 0 }
    }

    /// The limits change. What is under way, and what was used so far, stays.
    pub fn change(&mut self, limits: Limits) {
        let changed = |old: Option<Meter>, limit: Option<f64>| {
            limit.map(|limit| match old {
                Some(old) if old.kind == limits.kind => old.changed(limit, &limits),
                _ => Meter::new(limit, &limits),
            })
        };
        self.requests = changed(self.requests.take(), limits.requests_per_minute);
        self.tokens = changed(self.tokens.take(), limits.tokens_per_minute);
        self.limits = limits;
    }

    /// A request of so many tokens arrives.
    ///
    /// # Errors
    /// If it is one too many.
    pub fn ask(&mut self, tokens: f64, now: Duration) -> Result<(), Refusal> {
        let refused = self.refusal(tokens, now);
        if refused.is_none() || self.limits.refusals_count {
            self.requests.iter_mut().for_each(|meter| meter.take(1.0, now));
        }
        if refused.is_none() {
            self.tokens.iter_mut().for_each(|meter| meter.take(tokens, now));
            self.in_flight += 1;
        }
        refused.map_or(Ok(()), Err)
    }

    /// A request that was let through has ended; of its tokens so many were not used.
    pub fn ended(&mut self, unused: f64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.tokens.iter_mut().for_each(|meter| meter.give_back(unused));
    }

    /// What is left of requests and of tokens.
    pub fn left(&mut self, now: Duration) -> (Option<Left>, Option<Left>) {
        let left = |meter: &mut Option<Meter>| meter.as_mut().map(|meter| meter.left(now));
        (left(&mut self.requests), left(&mut self.tokens))
    }

    /// Requests that are under way.
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    fn refusal(&mut self, tokens: f64, now: Duration) -> Option<Refusal> {
        if self.limits.at_once.is_some_and(|most| self.in_flight >= most) {
            return Some(Refusal { met: Met::AtOnce, wait: Duration::from_secs(1) });
        }
        let wait =
            |meter: &mut Option<Meter>, amount| meter.as_mut().and_then(|meter| meter.wait(amount, now));
        let (requests, tokens) = (wait(&mut self.requests, 1.0), wait(&mut self.tokens, tokens));
        match (requests, tokens) {
            (None, None) => None,
            (requests, Some(wait)) if requests.is_none_or(|other| other <= wait) => {
                Some(Refusal { met: Met::Tokens, wait })
            }
            (requests, _) => Some(Refusal { met: Met::Requests, wait: requests.unwrap_or_default() }),
        }
    }
}

/// Counts one thing.
#[derive(Clone, Debug)]
struct Meter {
    kind: Kind,
    per_second: f64,
    /// The most that there can be at once.
    room: f64,
    /// What is there, for a bucket; what was taken, for a window.
    level: f64,
    /// When that was so; for a window, its beginning.
    at: f64,
    /// What was taken and when, for the minute just past.
    taken: VecDeque<(f64, f64)>,
}

impl Meter {
    fn new(per_minute: f64, limits: &Limits) -> Self {
        let meter = Self {
            kind: limits.kind,
            per_second: 0.0,
            room: 0.0,
            level: f64::INFINITY,
            at: 0.0,
            taken: VecDeque::new(),
        };
        let mut meter = meter.changed(per_minute, limits);
        if limits.kind != Kind::Bucket {
            meter.level = 0.0;
        }
        meter
    }

    fn changed(self, per_minute: f64, limits: &Limits) -> Self {
        let per_second = per_minute / 60.0;
        let room = match limits.kind {
            Kind::Bucket => (per_second * limits.burst_s).max(1.0),
            Kind::Window | Kind::Sliding => per_minute,
            Kind::Slices => (per_minute / 6.0).ceil(),
        };
        let level = if limits.kind == Kind::Bucket { self.level.min(room) } else { self.level };
        Self { per_second, room, level, ..self }
    }

    fn length(&self) -> f64 {
        if self.kind == Kind::Slices { 10.0 } else { 60.0 }
    }

    /// Brings the figures up to now.
    fn advance(&mut self, now: f64) {
        match self.kind {
            Kind::Bucket => {
                self.level = (self.level + (now - self.at).max(0.0) * self.per_second).min(self.room);
                self.at = now;
            }
            Kind::Window | Kind::Slices => {
                let begun = (now / self.length()).floor() * self.length();
                if begun > self.at {
                    (self.at, self.level) = (begun, 0.0);
                }
            }
            Kind::Sliding => {
                while let Some((at, amount)) = self.taken.front().copied().filter(|(at, _)| *at <= now - 60.0)
                {
                    debug_assert!(at <= now);
                    self.level = (self.level - amount).max(0.0);
                    self.taken.pop_front();
                }
            }
        }
    }

    /// How long so much has to wait; none: not at all. What is more than all there can be goes when all is there.
    fn wait(&mut self, amount: f64, now: Duration) -> Option<Duration> {
        let now = now.as_secs_f64();
        self.advance(now);
        let amount = amount.min(self.room);
        let missing = match self.kind {
            Kind::Bucket => amount - self.level,
            Kind::Window | Kind::Slices | Kind::Sliding => self.level + amount - self.room,
        };
        if missing <= 1e-9 {
            return None;
        }
        let wait = match self.kind {
            Kind::Bucket => missing / self.per_second,
            Kind::Window | Kind::Slices => self.at + self.length() - now,
            Kind::Sliding => {
                let mut left = missing;
                let enough = self.taken.iter().find(|(_, amount)| {
                    left -= amount;
                    left <= 1e-9
                });
                enough.or(self.taken.back()).map_or(0.0, |(at, _)| at + 60.0 - now)
            }
        };
        Some(Duration::from_secs_f64(wait.clamp(0.0, 3600.0)))
    }

    fn take(&mut self, amount: f64, now: Duration) {
        match self.kind {
            Kind::Bucket => self.level = (self.level - amount).max(0.0),
            Kind::Window | Kind::Slices => self.level += amount,
            Kind::Sliding => {
                self.level += amount;
                self.taken.push_back((now.as_secs_f64(), amount));
            }
        }
    }

    fn give_back(&mut self, amount: f64) {
        match self.kind {
            Kind::Bucket => self.level = (self.level + amount).min(self.room),
            Kind::Window | Kind::Slices => self.level = (self.level - amount).max(0.0),
            Kind::Sliding => {
                let back = amount.min(self.taken.back().map_or(0.0, |(_, taken)| *taken));
                if let Some((_, taken)) = self.taken.back_mut() {
                    *taken -= back;
                }
                self.level -= back;
            }
        }
    }

    fn left(&mut self, now: Duration) -> Left {
        let now = now.as_secs_f64();
        self.advance(now);
        let limit = (self.per_second * 60.0).round();
        let (remaining, reset) = match self.kind {
            Kind::Bucket => (self.level, (self.room - self.level) / self.per_second),
            Kind::Window | Kind::Slices => (self.room - self.level, self.at + self.length() - now),
            Kind::Sliding => {
                (self.room - self.level, self.taken.back().map_or(0.0, |(at, _)| at + 60.0 - now))
            }
        };
        Left {
            limit: limit as u64,
            remaining: remaining.max(0.0) as u64,
            reset: Duration::from_secs_f64(reset.clamp(0.0, 3600.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn limiter(kind: Kind, requests: f64) -> Limiter {
        Limiter::new(Limits { requests_per_minute: Some(requests), kind, burst_s: 2.0, ..Limits::default() })
    }

    /// How many of `n` requests that come `every` so often are let through.
    fn passed(limiter: &mut Limiter, n: u32, every: f64) -> usize {
        (0..n).filter(|i| limiter.ask(1.0, at(f64::from(*i) * every)).is_ok()).count()
    }

    #[test]
    fn each_kind_lets_its_limit_through() {
        // Five minutes of ten requests a second, at 60 a minute: two at once for a full bucket, and one a second.
        for (kind, through) in [
            (Kind::Bucket, 2..=302),
            (Kind::Window, 300..=300),
            (Kind::Slices, 300..=300),
            (Kind::Sliding, 300..=300),
        ] {
            let passed = passed(&mut limiter(kind, 60.0), 3000, 0.1);
            assert!(through.contains(&passed) && passed >= 300, "{kind:?}: {passed}");
        }
    }

    #[test]
    fn who_comes_again_when_told_is_let_through_and_not_before() {
        for kind in [Kind::Bucket, Kind::Window, Kind::Slices, Kind::Sliding] {
            let mut limiter = limiter(kind, 60.0);
            let mut refused = None;
            for i in 0..100 {
                if let Err(refusal) = limiter.ask(1.0, at(3.0)) {
                    refused = Some(refusal);
                    break;
                }
                assert!(i < 61, "{kind:?}");
            }
            let Refusal { met, wait } = refused.unwrap();
            assert_eq!(met, Met::Requests);
            assert!(limiter.clone().ask(1.0, at(3.0) + wait.mul_f64(0.9)).is_err(), "{kind:?}");
            assert!(limiter.ask(1.0, at(3.0) + wait).is_ok(), "{kind:?} {wait:?}");
        }
    }

    #[test]
    fn tokens_are_taken_at_first_and_what_was_not_used_comes_back() {
        let mut limiter =
            Limiter::new(Limits { tokens_per_minute: Some(6000.0), burst_s: 10.0, ..Limits::default() });
        assert!(limiter.ask(1000.0, at(0.0)).is_ok());
        let refused = limiter.ask(500.0, at(0.0)).unwrap_err();
        assert_eq!(refused, Refusal { met: Met::Tokens, wait: at(5.0) });
        limiter.ended(700.0);
        assert!(limiter.ask(500.0, at(0.0)).is_ok());
        assert_eq!(limiter.left(at(0.0)).1.unwrap().remaining, 200);
        let too_large = limiter.ask(1e6, at(0.0)).unwrap_err();
        assert!(limiter.ask(1e6, at(0.0) + too_large.wait).is_ok(), "it goes when all is there");
    }

    #[test]
    fn so_many_at_a_time() {
        let mut limiter = Limiter::new(Limits { at_once: Some(2), ..Limits::default() });
        assert!(limiter.ask(1.0, at(0.0)).is_ok() && limiter.ask(1.0, at(0.0)).is_ok());
        assert_eq!(limiter.ask(1.0, at(9.0)).unwrap_err().met, Met::AtOnce);
        limiter.ended(0.0);
        assert!(limiter.ask(1.0, at(9.0)).is_ok() && limiter.in_flight() == 2);
    }

    #[test]
    fn a_limit_that_changes_keeps_what_was_used() {
        let mut limiter = limiter(Kind::Window, 60.0);
        assert_eq!(passed(&mut limiter, 40, 0.0), 40);
        let limits = Limits { requests_per_minute: Some(30.0), kind: Kind::Window, ..Limits::default() };
        limiter.change(limits);
        assert!(limiter.ask(1.0, at(59.0)).is_err());
        assert!(limiter.ask(1.0, at(60.0)).is_ok());
        let (requests, tokens) = limiter.left(at(60.0));
        assert_eq!((requests.unwrap().limit, requests.unwrap().remaining, tokens), (30, 29, None));
    }
}
