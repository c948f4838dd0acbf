//! How fast one provider is asked: a state machine without I/O and without a clock.
//!
//! A provider may limit the rate of requests or of tokens, or the number of requests at the same time, and may be
//! overloaded; each needs its own answer. So a [`Limiter`] is made of parts: a pace ([`rate`]), an allowance of tokens
//! ([`tokens`]), the sends of the last minute ([`window`]), a bound on requests under way ([`slots`]) and a [`gate`]
//! that is shut while the provider wants to be left alone. What it learns, it can hand on ([`Learnt`]).
//!
//! All rows that go to the provider share it, and a row that waits for it holds no worker.

mod gate;
mod learnt;
mod rate;
mod slots;
mod tokens;
mod window;

use std::time::Duration;

use self::gate::Gate;
pub use self::learnt::Learnt;
use self::rate::{Event, Rate};
use self::slots::{Slots, Why};
use self::tokens::Tokens;
use self::window::Window;
use super::limits::RateLimits;

/// Who keeps the pace of one provider.
///
/// Times are counted from any fixed moment, the same for all calls; they must not run backwards.
#[derive(Clone, Debug)]
pub struct Limiter {
    rate: Rate,
    tokens: Tokens,
    window: Window,
    slots: Slots,
    gate: Gate,
    traffic: Traffic,
}

/// What is known beforehand.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The provider's limit, where a person has set it.
    pub requests_per_minute: Option<u64>,
    /// The provider's limit, where a person has set it.
    pub tokens_per_minute: Option<u64>,
    /// Whether there is no limit at all, but those that were set.
    pub unlimited: bool,
    /// What an earlier run learnt.
    pub learnt: Option<Learnt>,
}

/// Whether a request may be sent now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Admission {
    /// Yes. The ticket comes back with the answer.
    Go(Ticket),
    /// Not before this moment; ask again then, or when an answer has come.
    At(Duration),
    /// Not before a request that is under way has ended.
    Full,
}

/// A request that is under way. It must come back, whatever becomes of the request.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use = "a ticket that does not come back keeps its slot for ever"]
pub struct Ticket {
    sent: f64,
    number: u64,
    tokens: u64,
}

/// What the provider has refused for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many requests or tokens in too short a time, as far as it says.
    Rate,
    /// Too many at the same time, and it says so.
    Slots,
}

/// What was sent and refused, of late and in all.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    sent: u64,
    expected: u64,
    /// Of the last thousand requests or so.
    recent: f64,
    refused: f64,
}

/// So many requests count as lately.
const LATELY: f64 = 4000.0;

impl Traffic {
    /// How many requests a few refusals have to be set against: some that were sent, or will be.
    fn stake(&self) -> f64 {
        (self.sent as f64 + 200.0).max(self.expected as f64 / 4.0)
    }

    /// How much more boldly a limit may be felt for than in a run of a thousand requests: what one refusal costs is spread
    /// over more of them.
    fn boldness(&self) -> f64 {
        (self.expected as f64 / 1000.0).max(1.0).powf(0.35).min(2.0)
    }

    /// Whether another refusal can be afforded: a limit that nobody tells is felt for within this share.
    fn affords(&self, share: f64) -> bool {
        self.refused + 2.0 <= share * (self.recent + 200.0)
    }

    fn send(&mut self) {
        let kept = 1.0 - 1.0 / LATELY;
        self.sent += 1;
        self.recent = kept * self.recent + 1.0;
        self.refused *= kept;
    }
}

impl Limiter {
    /// A limiter for a provider with at most so many requests under way.
    pub fn new(slots: usize, known: &Known, now: Duration) -> Self {
        let now = now.as_secs_f64();
        let learnt = known.learnt.clone().unwrap_or_default();
        Self {
            rate: Rate::new(known, now),
            tokens: Tokens::new(known.tokens_per_minute, now),
            window: Window::new(learnt.requests_in_a_minute),
            slots: Slots::new(slots, learnt.slots, now),
            gate: Gate::default(),
            traffic: Traffic::default(),
        }
    }

    /// At most so many requests may be under way from now on, if that is more than before.
    pub fn widen(&mut self, slots: usize) {
        self.slots.widen(slots);
    }

    /// So many requests are to be expected in all: the more there are, the sooner a high limit has to be found.
    pub fn expect(&mut self, requests: u64) {
        self.traffic.expected = self.traffic.expected.max(requests);
    }

    /// Whether a request of about so many tokens may be sent now.
    pub fn admit(&mut self, tokens: u64, now: Duration) -> Admission {
        let at = now.as_secs_f64();
        self.slots.prove(at - self.gate.quiet(), at, self.traffic);
        if let Err(wait) = self.wait(tokens, at) {
            return wait;
        }
        self.traffic.send();
        let number = self.slots.take(at);
        self.tokens.take(tokens);
        self.window.push(at);
        self.rate.send(at);
        self.gate.send(at);
        if !self.gate.is_half_open() {
            self.rate.grow(at, self.traffic);
            self.window.grow(at, self.rate.event_at(), self.traffic);
        }
        Admission::Go(Ticket { sent: at, number, tokens })
    }

    fn wait(&mut self, tokens: u64, at: f64) -> Result<(), Admission> {
        if self.slots.is_full() {
            return Err(Admission::Full);
        }
        let waits = |until: f64| if until > at + MOMENT { Err(Admission::At(moment(until))) } else { Ok(()) };
        waits(self.gate.shut_until())?;
        if let Some(until) = self.gate.probing_until() {
            waits(until)?;
            self.reopen(at);
        }
        waits(self.window.free_at(at))?;
        waits(self.tokens.free_at(tokens, at))?;
        waits(self.rate.next_at(at))
    }

    /// The probe was not refused: things go on as before.
    fn reopen(&mut self, at: f64) {
        self.gate.open();
        self.rate.resume(at);
    }

    /// An answer has come.
    pub fn answered(&mut self, ticket: Ticket, used: Option<u64>, limits: &RateLimits, now: Duration) {
        let at = now.as_secs_f64();
        self.slots.give_back();
        self.tokens.settle(ticket.tokens, used);
        self.heed(limits, ticket.sent, at);
        if self.gate.is_half_open() && ticket.sent >= self.gate.shut_until() {
            self.reopen(at);
        }
        if !self.gate.is_half_open() {
            self.rate.answered(at - ticket.sent, at, self.traffic);
        }
        self.slots.answered(ticket.number, at, self.traffic);
    }

    /// The provider has refused for now, and perhaps said how long.
    pub fn refused(
        &mut self,
        ticket: Ticket,
        what: Refused,
        wait: Option<Duration>,
        limits: &RateLimits,
        now: Duration,
    ) {
        let at = now.as_secs_f64();
        self.slots.give_back();
        self.tokens.settle(ticket.tokens, Some(0));
        self.heed(limits, ticket.sent, at);
        self.window.remove(ticket.sent);
        self.traffic.refused += 1.0;
        self.gate.refused(at - ticket.sent);
        // What was sent before the last event was known belongs to that event.
        let is_new = self.rate.is_after_event(ticket.sent);
        self.rate.refused(ticket.sent);
        let is_probe = self.gate.is_half_open() && ticket.sent >= self.gate.shut_until();
        self.slots.prove(at - self.gate.quiet(), at, self.traffic);
        let slots_only = match what {
            Refused::Slots => self.slots.refused(ticket.number, Why::Said, at),
            Refused::Rate if self.rate.is_from_headers() || !is_new => {
                self.slots.forget(ticket.number);
                false
            }
            Refused::Rate => {
                let why = if wait.is_some() { Why::Timed } else { Why::Unsaid };
                self.slots.refused(ticket.number, why, at)
            }
        };
        if is_new && (slots_only || !is_probe) {
            self.window.limit_met(at, self.rate.event_at(), slots_only);
            let event = if slots_only { Event::Slots } else { Event::Rate { window: self.window.limit() } };
            self.rate.limit_met(event, at);
        }
        let wait = wait.map(|wait| wait.as_secs_f64());
        let until = self.gate.shut(wait, is_new, is_probe, self.rate.per_second(), at);
        self.rate.pause(until, at);
    }

    /// The request has failed for a reason that is not the provider's limit: it is in trouble, or lost.
    pub fn failed(&mut self, ticket: Ticket, limits: &RateLimits, now: Duration) {
        let at = now.as_secs_f64();
        self.slots.give_back();
        self.slots.forget(ticket.number);
        self.tokens.settle(ticket.tokens, None);
        self.heed(limits, ticket.sent, at);
        if self.gate.is_half_open() && ticket.sent >= self.gate.shut_until() {
            self.reopen(at);
        }
    }

    /// The provider says what it allows.
    fn heed(&mut self, limits: &RateLimits, sent: f64, at: f64) {
        let tokens_per_request = self.tokens.per_request();
        if let Some(until) = self.rate.heed(limits, tokens_per_request, sent, at) {
            self.gate.shut_at_least(until);
        }
        if self.rate.is_from_headers() {
            self.window.forget();
        }
    }

    /// When the gate opens, if it is shut: nothing is sent before.
    pub fn shut_until(&self) -> Duration {
        moment(self.gate.shut_until())
    }

    /// Requests under way.
    pub fn in_flight(&self) -> usize {
        self.slots.in_flight()
    }

    /// The limit that is kept, in requests a minute; none while none is known.
    pub fn requests_per_minute(&self) -> Option<f64> {
        let window = self.window.limit().map(|limit| limit as f64);
        let rate = self.rate.known().map(|rate| rate * 60.0);
        [rate, window].into_iter().flatten().reduce(f64::min)
    }

    /// What was learnt, for the next run.
    pub fn learnt(&mut self, now: Duration) -> Learnt {
        Learnt {
            requests_per_second: self.rate.known(),
            reached: self.rate.reached(now.as_secs_f64()),
            requests_in_a_minute: self.window.limit(),
            slots: self.slots.learnt(),
        }
    }
}

/// What is so near is now: seconds with fractions are never exact.
const MOMENT: f64 = 1e-6;

fn moment(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
