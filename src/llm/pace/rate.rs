//! The pace: evenly spaced requests at a rate that is told, or felt for.
//!
//! Nobody tells a bucket's rate, but a bucket that is empty at two moments has let through, between them, exactly what
//! it was filled with. So the requests that were accepted between two refusals say what the limit is.

use super::{Known, Traffic};
use crate::llm::limits::{Allowance, RateLimits};

/// Spaces requests evenly.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    per_second: f64,
    /// What was told is never passed.
    ceiling: f64,
    phase: Phase,
    next: f64,
    /// When a limit was last met, and what was accepted since.
    event_at: f64,
    accepted: i64,
    /// The longest pause since the gate was shut last.
    pause: f64,
    /// When the rate was last raised, and when it last made a request wait.
    step_at: f64,
    binding_at: f64,
    recent: Recent,
    from_headers: bool,
    heeded: f64,
    met: bool,
    /// Requests that may leave at once in the beginning.
    credit: u32,
    /// How long an answer takes, at the least.
    latency: f64,
    /// Whether the rate was raised since a limit was last met, and how many cuts in a row have not helped.
    is_raised: bool,
    vain: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The limit is told: no feeling for it.
    Told,
    /// No limit was met yet: doubling.
    Slow,
    /// The limit is roughly known.
    Fast,
    /// The limit is known: a little more now and then, as it may have been raised.
    Creep,
}

/// What kind of limit was met.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// One of rate; with the bound on sends of a minute, if one is known.
    Rate { window: Option<usize> },
    /// One of requests at the same time.
    Slots,
}

/// So much of a limit is aimed at that is told, or stated by the provider.
const TOLD_SHARE: f64 = 0.99;
const STATED_SHARE: f64 = 0.995;
const LEARNT_SHARE: f64 = 0.985;
/// How much earlier than evenly spaced a request may leave, after one that was late: a share of the space, and seconds.
/// Timers come a millisecond or two late.
const SPARED: f64 = 0.02;
const LEAST_SPARED: f64 = 0.005;
const MOST_SPARED: f64 = 0.1;
/// At least so many seconds, and so many requests, lie between two raises near a limit.
const FAST_STEP: f64 = 2.0;
const FAST_REQUESTS: f64 = 8.0;
const CREEP_STEP: f64 = 4.0;
const CREEP_REQUESTS: f64 = 16.0;
/// Creeping begins with this share a step and doubles it each so many seconds without a refusal, up to the most.
const FIRST_CREEP: f64 = 0.005;
const CREEP_DOUBLES: f64 = 30.0;
const MOST_CREEP: f64 = 0.06;
/// Requests a second to begin with where nothing is known, and how many seconds lie between doublings until a limit
/// is met.
const FIRST_RATE: f64 = 4.0;
const SLOW_STEP: f64 = 0.5;
/// While nothing is known of the limit, the rate is at most so much a second of what was sent and a bit: what is on its
/// way when the limit is met is refused.
const RISK: f64 = 0.05;
/// A refusal takes about so many seconds.
const REFUSAL: f64 = 0.2;
/// So many requests leave at once in the beginning: less than a second's worth of any limit of hundreds a minute.
const FIRST_BURST: u32 = 2;
/// After so many cuts in a row that did not help, the rate is raised by as much as they may have taken.
const MOST_VAIN: u32 = 2;
const VAIN_RAISE: f64 = 0.06;
/// Share of requests that may be refused while feeling for the limit.
const BUDGET: f64 = 0.006;

impl Rate {
    pub(super) fn new(known: &Known, now: f64) -> Self {
        let told = known.requests_per_minute.map(|limit| TOLD_SHARE * limit as f64 / 60.0);
        let positive = |rate: &f64| rate.is_finite() && *rate > 0.0;
        let learnt = known.learnt.as_ref();
        let reached = learnt.and_then(|learnt| learnt.reached).filter(positive);
        let learnt = learnt.and_then(|learnt| learnt.requests_per_second).filter(positive);
        let (per_second, phase) = match (told, learnt) {
            (Some(told), _) => (told, Phase::Told),
            (None, _) if known.unlimited => (f64::INFINITY, Phase::Told),
            (None, Some(learnt)) => (LEARNT_SHARE * learnt, Phase::Creep),
            (None, None) => (FIRST_RATE.max(0.5 * reached.unwrap_or_default()), Phase::Slow),
        };
        Self {
            per_second,
            ceiling: told.unwrap_or(f64::INFINITY),
            phase,
            next: now,
            event_at: now,
            accepted: 0,
            pause: 0.0,
            step_at: now,
            binding_at: f64::NEG_INFINITY,
            recent: Recent { level: 0.0, weight: 0.0, at: now },
            from_headers: false,
            heeded: f64::NEG_INFINITY,
            met: learnt.is_some(),
            credit: FIRST_BURST,
            latency: f64::INFINITY,
            is_raised: false,
            vain: 0,
        }
    }

    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }

    /// The rate, if it is that of a limit.
    pub(super) fn known(&self) -> Option<f64> {
        (self.met || self.from_headers || self.ceiling.is_finite()).then_some(self.per_second)
    }

    /// The rate that was kept without meeting a limit.
    pub(super) fn reached(&mut self, at: f64) -> Option<f64> {
        (self.phase == Phase::Slow).then(|| self.recent.rate(at))
    }

    pub(super) fn is_from_headers(&self) -> bool {
        self.from_headers
    }

    pub(super) fn event_at(&self) -> f64 {
        self.event_at
    }

    pub(super) fn is_after_event(&self, sent: f64) -> bool {
        sent >= self.event_at
    }

    /// When the next request may leave.
    pub(super) fn next_at(&mut self, at: f64) -> f64 {
        if self.next > at {
            self.binding_at = at;
        }
        self.next
    }

    pub(super) fn send(&mut self, at: f64) {
        self.accepted += 1;
        self.recent.add(at);
        if self.phase == Phase::Slow && self.credit > 1 {
            self.credit -= 1;
            return;
        }
        let spared = f64::min(MOST_SPARED, (SPARED / self.per_second).max(LEAST_SPARED));
        self.next = self.next.max(at - spared) + 1.0 / self.per_second;
    }

    /// An answer came after so many seconds.
    pub(super) fn answered(&mut self, took: f64, at: f64, traffic: Traffic) {
        self.latency = self.latency.min(took.max(1e-4));
        if self.phase == Phase::Slow {
            self.grow(at, traffic);
            self.next = self.next.min(at + 1.0 / self.per_second);
        }
    }

    /// A request that was sent then was refused.
    pub(super) fn refused(&mut self, sent: f64) {
        if self.is_after_event(sent) {
            self.accepted -= 1;
        }
    }

    /// After a pause, growth is counted from now.
    pub(super) fn resume(&mut self, at: f64) {
        self.next = self.next.max(at);
        self.step_at = at;
    }

    /// The gate is shut until then.
    pub(super) fn pause(&mut self, until: f64, at: f64) {
        self.pause = self.pause.max(until - at);
        self.next = self.next.max(until);
    }

    /// Raises the rate a little, if it is what keeps requests waiting.
    pub(super) fn grow(&mut self, at: f64, traffic: Traffic) {
        if self.phase == Phase::Told || self.from_headers {
            return;
        }
        if at - self.binding_at > 2.0 {
            self.step_at = at;
            return;
        }
        let recent = self.recent.rate(at);
        let since = at - self.step_at;
        let raised = match self.phase {
            Phase::Told => return,
            Phase::Slow if since >= SLOW_STEP.min(2.0 * self.latency) => {
                // A refusal comes no later than an answer: where answers are quick, less is on its way.
                let risk = RISK * traffic.boldness() * traffic.stake() * (REFUSAL / self.latency).max(1.0);
                (2.0 * self.per_second).min(risk)
            }
            Phase::Fast if since >= f64::max(FAST_STEP, FAST_REQUESTS / self.per_second) => {
                (1.12 * self.per_second).min(1.5 * recent)
            }
            Phase::Creep if since >= f64::max(CREEP_STEP, CREEP_REQUESTS / self.per_second) => {
                if traffic.affords(BUDGET) {
                    let share = f64::min(
                        MOST_CREEP,
                        FIRST_CREEP * f64::powf(2.0, (at - self.event_at) / CREEP_DOUBLES),
                    );
                    (self.per_second * (1.0 + share)).min(1.3 * recent)
                } else {
                    0.0
                }
            }
            Phase::Slow | Phase::Fast | Phase::Creep => return,
        };
        self.step_at = at;
        self.is_raised |= raised > self.per_second;
        self.per_second = self.per_second.max(raised).min(self.ceiling);
    }

    /// A limit was met.
    pub(super) fn limit_met(&mut self, event: Event, at: f64) {
        let since = at - self.event_at;
        if let (Event::Rate { window }, false) = (event, self.from_headers) {
            self.met = true;
            if self.phase == Phase::Slow {
                self.per_second = 0.6 * self.per_second.min(1.3 * self.recent.rate(at));
                self.phase = Phase::Fast;
            } else if self.is_in_vain() {
                self.per_second *= 1.0 + MOST_VAIN as f64 * VAIN_RAISE;
                self.vain = 0;
                self.phase = Phase::Creep;
            } else if self.accepted >= 5 {
                let span = (since - 0.5 * self.pause).max(0.5 * since);
                let measured = 0.998 * (self.accepted as f64 + 0.5) / span;
                // Far below the rate that was refused, the bucket was full in between: it says too little.
                let is_exact = self.accepted >= 20 && measured >= 0.6 * self.per_second;
                self.per_second = self.per_second.min(measured.max(0.7 * self.per_second));
                self.phase = if is_exact { Phase::Creep } else { Phase::Fast };
            } else {
                self.per_second *= 0.7;
                self.phase = Phase::Fast;
            }
            if let Some(window) = window {
                self.per_second = self.per_second.max(window as f64 / 60.0);
                self.phase = Phase::Creep;
            }
            self.per_second = self.per_second.min(self.ceiling);
        }
        self.event_at = at;
        self.accepted = 0;
        self.step_at = at;
        self.pause = 0.0;
        self.is_raised = false;
    }

    /// Whether cuts have not helped: refusals go on at a rate that was not raised. Then they have another reason than the
    /// rate, and without this the rate would be cut for ever.
    fn is_in_vain(&mut self) -> bool {
        self.vain = if self.is_raised || self.accepted < 20 { 0 } else { self.vain + 1 };
        self.vain > MOST_VAIN
    }

    /// The provider says what it allows: that is the rate from now on. Gives the moment before which nothing should
    /// be sent, if almost nothing is left.
    pub(super) fn heed(
        &mut self,
        limits: &RateLimits,
        tokens_per_request: Option<f64>,
        sent: f64,
        at: f64,
    ) -> Option<f64> {
        let is_rate = |allowance: &Allowance| allowance.period.as_secs() <= 3600;
        let requests = limits.requests.filter(is_rate);
        let by_requests = requests.map(|allowance| allowance.per_second());
        let by_tokens = limits.tokens.filter(is_rate).zip(tokens_per_request);
        let by_tokens = by_tokens.map(|(allowance, tokens)| allowance.per_second() / tokens);
        let stated = [by_requests, by_tokens].into_iter().flatten().reduce(f64::min)?;
        if sent < self.heeded || stated <= 0.0 {
            return None;
        }
        self.heeded = sent;
        self.from_headers = true;
        self.per_second = (STATED_SHARE * stated).min(self.ceiling);
        let left = requests.map(|allowance| allowance.remaining)?;
        (left < 2).then(|| at + 1.0 / self.per_second)
    }
}

/// Requests a second of late: the last three seconds count most.
#[derive(Clone, Debug)]
struct Recent {
    level: f64,
    /// The time that the level stands for, in seconds.
    weight: f64,
    at: f64,
}

impl Recent {
    const SPAN: f64 = 3.0;

    fn add(&mut self, at: f64) {
        self.decay(at);
        self.level += 1.0;
    }

    fn rate(&mut self, at: f64) -> f64 {
        self.decay(at);
        self.level / self.weight.max(0.3)
    }

    fn decay(&mut self, at: f64) {
        let kept = f64::exp(-(at - self.at).max(0.0) / Self::SPAN);
        self.level *= kept;
        self.weight = self.weight * kept + Self::SPAN * (1.0 - kept);
        self.at = at;
    }
}
