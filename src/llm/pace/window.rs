//! The sends of the last minute: some providers count them, whatever the pace.

use std::collections::VecDeque;

use super::Traffic;

/// Bounds the requests of any sixty seconds, if the provider turns out to count them.
#[derive(Clone, Debug)]
pub(super) struct Window {
    log: VecDeque<f64>,
    limit: Option<f64>,
    /// How many stood in the log when a limit was last met.
    at_event: Option<usize>,
    grown_at: f64,
}

/// A little more than a minute: the provider's clock and the way there are not ours.
const MINUTE: f64 = 60.05;

impl Window {
    pub(super) fn new(learnt: Option<usize>) -> Self {
        Self { log: VecDeque::new(), limit: learnt.map(|n| n as f64), at_event: None, grown_at: 0.0 }
    }

    /// The bound, if there is one.
    pub(super) fn limit(&self) -> Option<usize> {
        self.limit.map(|limit| limit as usize)
    }

    /// When the next request fits.
    pub(super) fn free_at(&mut self, at: f64) -> f64 {
        self.trim(at);
        let Some(limit) = self.limit() else { return 0.0 };
        match self.log.len().checked_sub(limit.max(1)) {
            Some(surplus) => self.log.get(surplus).map_or(0.0, |sent| sent + MINUTE),
            None => 0.0,
        }
    }

    pub(super) fn push(&mut self, at: f64) {
        self.log.push_back(at);
    }

    /// A request that was refused was not counted.
    pub(super) fn remove(&mut self, sent: f64) {
        if let Some(place) = self.log.iter().rposition(|at| *at == sent) {
            self.log.remove(place);
        }
    }

    /// Feels for a higher bound, within what may be refused.
    pub(super) fn grow(&mut self, at: f64, event_at: f64, traffic: Traffic) {
        let Some(limit) = &mut self.limit else { return };
        if at - self.grown_at > 15.0 && traffic.affords(0.006) {
            *limit += (f64::min(0.15, 0.005 * f64::powf(2.0, (at - event_at) / 30.0)) * *limit).max(1.0);
            self.grown_at = at;
        }
    }

    /// A limit was met. The same number of sends twice is no accident.
    pub(super) fn limit_met(&mut self, at: f64, last_event_at: f64, slots_only: bool) {
        self.trim(at);
        let count = self.log.len();
        let close = |other: usize| count.abs_diff(other) as f64 <= (0.03 * count as f64).max(1.0);
        if at - last_event_at > 3.0 && at > 20.0 && !slots_only && self.at_event.is_some_and(close) {
            self.limit = Some(count as f64);
            self.grown_at = at;
        } else if self.limit.is_some_and(|limit| (count as f64) < 0.97 * limit) {
            self.limit = None;
        }
        self.at_event = Some(count);
    }

    /// The provider says itself what it allows.
    pub(super) fn forget(&mut self) {
        self.limit = None;
    }

    fn trim(&mut self, at: f64) {
        while self.log.front().is_some_and(|sent| *sent <= at - MINUTE) {
            self.log.pop_front();
        }
    }
}
