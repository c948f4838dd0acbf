//! When a job runs: its slots by cron, each of them once, whatever the clock does; no run beside another of the same job.
//! Pure: moments come in, decisions go out.

mod cron;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use cron::{Cron, NoCron};

/// When a job runs.
#[derive(Clone, Debug)]
pub struct Timetable {
    cron: Cron,
    zone: TimeZone,
    jitter: SignedDuration,
    seed: u64,
    /// The slot that comes next.
    next: Option<Timestamp>,
    /// The slot that was dealt with last: no slot up to it is dealt with again.
    done: Option<Timestamp>,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// The job is to run for this slot.
    Run {
        /// The slot.
        slot: Timestamp,
        /// Slots before it that passed while nobody looked: they are not made up for one by one.
        missed: u32,
    },
    /// The job still runs: the slot is left out.
    Skip {
        /// The slot.
        slot: Timestamp,
    },
}

/// How a timetable is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The zone of the cron expression.
    pub zone: TimeZone,
    /// Whether a slot that passed while nobody was there is made up for, once.
    pub catch_up: bool,
    /// Each run begins up to so much later, by chance: many instances do not knock at one moment.
    pub jitter: SignedDuration,
    /// Where chance comes from.
    pub seed: u64,
}

/// A clock that is set back by less than this does not run a slot again; one that was wrong by more begins afresh.
const SET_BACK: SignedDuration = SignedDuration::from_hours(25);
/// More slots than this are not counted as missed one by one.
const MISSED_AT_MOST: u32 = 1000;

impl Timetable {
    /// The timetable from `now` on. `last_run` is when the job last began, as far as anybody knows.
    pub fn new(cron: Cron, keeping: Keeping, last_run: Option<Timestamp>, now: Timestamp) -> Self {
        let Keeping { zone, catch_up, jitter, seed } = keeping;
        let missed = last_run
            .filter(|_| catch_up)
            .zip(cron.last_until(now, &zone))
            .filter(|(last_run, slot)| last_run < slot)
            .map(|(_, slot)| slot);
        let next = missed.or_else(|| cron.next_after(now, &zone));
        Self { cron, zone, jitter, seed, next, done: None }
    }

    /// When there is something to be done again; none if never.
    pub fn next(&self) -> Option<Timestamp> {
        self.next.map(|slot| slot + self.delay(slot))
    }

    /// What is to be done at `now`. After anything but [`Due::Nothing`] the slot is dealt with.
    pub fn due(&mut self, now: Timestamp, is_running: bool) -> Due {
        self.look_again_if_the_clock_was_set_back(now);
        let Some(first) = self.next.filter(|_| self.next().is_some_and(|due| due <= now)) else {
            return Due::Nothing;
        };
        // A clock that was set forward, or a machine that slept, may have left several behind.
        let (mut slot, mut missed) = (first, 0);
        while let Some(later) = self.cron.next_after(slot, &self.zone).filter(|later| *later <= now) {
            if missed == MISSED_AT_MOST {
                slot = self.cron.last_until(now, &self.zone).unwrap_or(later);
                break;
            }
            (slot, missed) = (later, missed + 1);
        }
        self.done = Some(slot);
        self.next = self.cron.next_after(slot.max(now), &self.zone);
        if is_running { Due::Skip { slot } } else { Due::Run { slot, missed } }
    }

    fn look_again_if_the_clock_was_set_back(&mut self, now: Timestamp) {
        let Some(done) = self.done.filter(|done| now < *done) else { return };
        if done.duration_since(now) > SET_BACK {
            self.done = None;
            self.next = self.cron.next_after(now, &self.zone);
        } else {
            self.next = self.cron.next_after(done, &self.zone);
        }
    }

    /// A part of the jitter that belongs to the slot.
    fn delay(&self, slot: Timestamp) -> SignedDuration {
        let limit = u64::try_from(self.jitter.as_millis()).unwrap_or_default();
        if limit == 0 {
            return SignedDuration::ZERO;
        }
        let mut chance = fastrand::Rng::with_seed(self.seed ^ slot.as_second().unsigned_abs());
        SignedDuration::from_millis(i64::try_from(chance.u64(..limit)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
