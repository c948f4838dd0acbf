//! Requests at the same time: how many are under way, and how many the provider takes.

use std::collections::VecDeque;

use super::Traffic;

/// Bounds the requests under way: by the pool of workers, and by the provider if it counts them.
///
/// A provider that refuses seldom says why. If it counts the requests under way, then what stays within the number is
/// always taken and what exceeds it never, however long one waits. So a first refusal only names a suspect; a second
/// one, with nothing above that number taken in between, makes it the bound.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    most: usize,
    cap: usize,
    in_flight: usize,
    /// More than this was refused, so many times in a row.
    suspect: Option<(usize, u32)>,
    /// When the bound was last set, and how long it is kept before one more is tried.
    set_at: f64,
    patience: f64,
    /// The bound that held before the present trial.
    trial: Option<usize>,
    /// Requests that may still be refused, in the order in which they were sent.
    unproven: VecDeque<Sent>,
    sent: u64,
    accepted: Peaks,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    number: u64,
    at: f64,
    /// How many were under way with it, those not counted that turned out to be refused.
    in_flight: usize,
}

/// What a refusal says of its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// That too many were under way.
    Said,
    /// Nothing, not even how long to wait.
    Unsaid,
    /// How long to wait: who can say that counts requests over time.
    Timed,
}

const FIRST_PATIENCE: f64 = 30.0;
const LONGEST_PATIENCE: f64 = 600.0;

impl Slots {
    pub(super) fn new(most: usize, learnt: Option<usize>, now: f64) -> Self {
        let most = most.max(1);
        let cap = learnt.unwrap_or(most).clamp(1, most);
        Self {
            most,
            cap,
            in_flight: 0,
            suspect: None,
            set_at: now,
            patience: if learnt.is_some() { 4.0 * FIRST_PATIENCE } else { FIRST_PATIENCE },
            trial: None,
            unproven: VecDeque::new(),
            sent: 0,
            accepted: Peaks::default(),
        }
    }

    /// The pool has grown; a bound of the provider's stays.
    pub(super) fn widen(&mut self, most: usize) {
        if self.learnt().is_none() && self.trial.is_none() {
            self.cap = self.cap.max(most);
        }
        self.most = self.most.max(most);
    }

    pub(super) fn is_full(&self) -> bool {
        self.in_flight >= self.cap
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The provider's own bound, if there is one.
    pub(super) fn learnt(&self) -> Option<usize> {
        let cap = self.trial.unwrap_or(self.cap);
        (cap < self.most).then_some(cap)
    }

    /// A request leaves. Gives its number.
    pub(super) fn take(&mut self, at: f64) -> u64 {
        self.in_flight += 1;
        self.sent += 1;
        self.unproven.push_back(Sent { number: self.sent, at, in_flight: self.in_flight });
        self.sent
    }

    pub(super) fn give_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Requests that were sent before then and not refused have been taken.
    pub(super) fn prove(&mut self, sent_before: f64, at: f64, traffic: Traffic) {
        while let Some(sent) = self.unproven.pop_front_if(|sent| sent.at <= sent_before) {
            self.taken(sent.in_flight, at, traffic);
        }
    }

    /// A request was answered.
    pub(super) fn answered(&mut self, number: u64, at: f64, traffic: Traffic) {
        if let Some(sent) = self.forget(number) {
            self.taken(sent.in_flight, at, traffic);
        }
    }

    fn taken(&mut self, in_flight: usize, at: f64, traffic: Traffic) {
        self.accepted.push(in_flight, at);
        self.suspect = self.suspect.filter(|(suspect, _)| in_flight <= *suspect);
        if self.cap >= self.most || in_flight < self.cap {
            return;
        }
        if self.trial.take().is_some() {
            // One more was taken: the bound is not where it was, so larger steps.
            self.cap = (self.cap + self.cap / 4 + 1).min(self.most);
            self.trial = (self.cap < self.most).then_some(in_flight);
            self.patience = FIRST_PATIENCE;
            self.set_at = at;
        } else if at - self.set_at > self.patience && traffic.affords(0.008) {
            self.trial = Some(self.cap);
            self.cap += 1;
            self.set_at = at;
        }
    }

    /// A request was refused. True if the number of those under way alone explains it.
    pub(super) fn refused(&mut self, number: u64, why: Why, at: f64) -> bool {
        let Some(Sent { in_flight, .. }) = self.forget(number) else { return false };
        // It never held a slot there, so those that left after it were fewer than they seemed.
        for later in self.unproven.iter_mut().filter(|sent| sent.number > number) {
            later.in_flight = later.in_flight.saturating_sub(1).max(1);
        }
        if why != Why::Said && (in_flight <= 1 || in_flight <= self.accepted.most(at)) {
            return false;
        }
        if let Some(before) = self.trial.take() {
            self.cap = before;
            self.patience = (2.0 * self.patience).min(LONGEST_PATIENCE);
            self.set_at = at;
            return true;
        }
        let bound = in_flight.saturating_sub(1).max(1);
        let times = match self.suspect {
            Some((suspect, times))
                if suspect == bound && self.unproven.iter().all(|sent| sent.in_flight <= suspect) =>
            {
                times + 1
            }
            _ => 1,
        };
        let enough = match why {
            Why::Said => 1,
            Why::Unsaid if bound == 1 => 1,
            Why::Unsaid => 2,
            Why::Timed => 4,
        };
        let is_bound = self.cap < self.most || times >= enough;
        if is_bound {
            self.cap = bound.min(self.cap);
            self.suspect = None;
            self.set_at = at;
        } else {
            self.suspect = Some((bound, times));
        }
        is_bound
    }

    /// A request is no longer a sign of what is taken.
    pub(super) fn forget(&mut self, number: u64) -> Option<Sent> {
        let place = self.unproven.binary_search_by_key(&number, |sent| sent.number).ok()?;
        self.unproven.remove(place)
    }
}

/// The most of the last two minutes, in steps of ten seconds.
#[derive(Clone, Debug, Default)]
struct Peaks {
    steps: [usize; Self::STEPS],
    step: usize,
}

impl Peaks {
    const STEPS: usize = 13;

    fn push(&mut self, value: usize, at: f64) {
        self.advance(at);
        if let Some(peak) = self.steps.get_mut(self.step % Self::STEPS) {
            *peak = (*peak).max(value);
        }
    }

    fn most(&mut self, at: f64) -> usize {
        self.advance(at);
        self.steps.iter().copied().max().unwrap_or_default()
    }

    fn advance(&mut self, at: f64) {
        let step = (at / 10.0) as usize;
        for passed in self.step.saturating_add(1)..=step.min(self.step + Self::STEPS) {
            if let Some(peak) = self.steps.get_mut(passed % Self::STEPS) {
                *peak = 0;
            }
        }
        self.step = self.step.max(step);
    }
}
