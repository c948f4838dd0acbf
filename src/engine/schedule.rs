//! Which row goes to which worker, and when: a state machine without I/O and without a clock.
//!
//! A freed worker gets the next row at once; a row that waits for another attempt holds no worker; rows
//! that ask the same share one flight. The [dispatcher](super::dispatcher) carries the decisions out.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::domain::fingerprint::Fingerprint;

/// A row inside the engine.
pub(crate) type JobId = u64;
/// A worker's place in the pool, from 0.
pub(crate) type WorkerId = usize;
/// A moment, counted from the engine's start.
pub(crate) type Moment = Duration;

/// What a row is among those that ask the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first: it is looked up and, if need be, asked about.
    Lead,
    /// Another row inside asks the same: it shares that row's fate.
    Twin,
}

/// The queue of rows and the pool of workers.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// Idle workers; the lowest number first, so that equal events give equal decisions.
    idle: BTreeSet<WorkerId>,
    /// Workers that have not been given up, idle or busy.
    alive: BTreeSet<WorkerId>,
    ready: VecDeque<JobId>,
    waiting: BTreeSet<(Moment, JobId)>,
    /// The rows that ask the same as a row that is queued or asked, by what they ask.
    flights: HashMap<Fingerprint, Vec<JobId>>,
}

impl Schedule {
    /// An empty queue with this many idle workers.
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            idle: (0..workers).collect(),
            alive: (0..workers).collect(),
            ready: VecDeque::new(),
            waiting: BTreeSet::new(),
            flights: HashMap::new(),
        }
    }

    /// Takes a row in, before anything is known about it: from now on rows that ask the same are its twins.
    pub(crate) fn board(&mut self, job: JobId, asks: Fingerprint) -> Place {
        if let Some(twins) = self.flights.get_mut(&asks) {
            twins.push(job);
            return Place::Twin;
        }
        self.flights.insert(asks, Vec::new());
        Place::Lead
    }

    /// A model has to be asked about a row.
    pub(crate) fn queue(&mut self, job: JobId) {
        self.ready.push_back(job);
    }

    /// The rows that ask the same as a row inside.
    pub(crate) fn twins(&self, asks: &Fingerprint) -> &[JobId] {
        self.flights.get(asks).map_or(&[], Vec::as_slice)
    }

    /// The next row for an idle worker, of those that `may_go`; rows whose pause is over go before new ones.
    ///
    /// Of new rows only the first is asked about: what holds it up holds up all of them.
    pub(crate) fn assign(
        &mut self,
        now: Moment,
        mut may_go: impl FnMut(JobId) -> bool,
    ) -> Option<(WorkerId, JobId)> {
        let worker = *self.idle.first()?;
        let due = self.waiting.range(..=(now, JobId::MAX)).copied().find(|(_, job)| may_go(*job));
        let job = match due {
            Some(entry) => {
                self.waiting.remove(&entry);
                entry.1
            }
            None => {
                let first = *self.ready.front()?;
                self.ready.pop_front_if(|_| may_go(first))?
            }
        };
        self.idle.remove(&worker);
        Some((worker, job))
    }

    /// A worker has finished a row, or has been restarted.
    pub(crate) fn free(&mut self, worker: WorkerId) {
        if self.alive.contains(&worker) {
            self.idle.insert(worker);
        }
    }

    /// A worker is gone for good.
    pub(crate) fn retire(&mut self, worker: WorkerId) {
        self.alive.remove(&worker);
        self.idle.remove(&worker);
    }

    /// The workers that are left.
    pub(crate) fn workers_left(&self) -> usize {
        self.alive.len()
    }

    /// A row is to be asked again, not before `due`.
    pub(crate) fn again(&mut self, job: JobId, due: Moment) {
        self.waiting.insert((due, job));
    }

    /// A row's fate is known for good: gives the rows that share it.
    pub(crate) fn land(&mut self, asks: &Fingerprint) -> Vec<JobId> {
        self.flights.remove(asks).unwrap_or_default()
    }

    /// When the next pause ends, if an idle worker waits for it.
    pub(crate) fn next_due(&self, now: Moment) -> Option<Moment> {
        let later = self.waiting.range((now, JobId::MAX)..).find(|(due, _)| *due > now);
        later.map(|(due, _)| *due).filter(|_| !self.idle.is_empty())
    }

    /// Takes the rows out of the queue that `whose` names; rows that are with a worker stay there.
    pub(crate) fn unqueue(&mut self, whose: impl Fn(JobId) -> bool) -> Vec<JobId> {
        let ready = self.ready.iter().copied();
        let out: Vec<JobId> =
            ready.chain(self.waiting.iter().map(|(_, job)| *job)).filter(|job| whose(*job)).collect();
        self.ready.retain(|job| !whose(*job));
        self.waiting.retain(|(_, job)| !whose(*job));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(n: u8) -> Fingerprint {
        Fingerprint([n; 32])
    }

    const T0: Moment = Duration::ZERO;

    #[test]
    fn a_freed_worker_gets_the_next_row_at_once() {
        let mut schedule = Schedule::new(2);
        for job in 0..3 {
            assert_eq!(schedule.board(job, asks(job as u8)), Place::Lead);
            schedule.queue(job);
        }
        assert_eq!(schedule.assign(T0, |_| true), Some((0, 0)));
        assert_eq!(schedule.assign(T0, |_| true), Some((1, 1)));
        assert_eq!(schedule.assign(T0, |_| true), None);
        schedule.free(1);
        assert_eq!(schedule.assign(T0, |_| true), Some((1, 2)));
    }

    #[test]
    fn a_pausing_row_holds_no_worker_and_goes_first_when_due() {
        let mut schedule = Schedule::new(1);
        schedule.queue(0);
        schedule.assign(T0, |_| true);
        schedule.again(0, Duration::from_secs(5));
        schedule.free(0);
        assert_eq!(schedule.next_due(T0), Some(Duration::from_secs(5)));
        schedule.queue(1);
        schedule.queue(2);
        assert_eq!(schedule.assign(T0, |_| true), Some((0, 1)));
        schedule.free(0);
        assert_eq!(schedule.assign(Duration::from_secs(5), |_| true), Some((0, 0)));
    }

    #[test]
    fn a_row_that_may_not_go_holds_up_no_other_pause() {
        let mut schedule = Schedule::new(2);
        schedule.again(1, T0);
        schedule.again(2, T0);
        schedule.queue(3);
        assert_eq!(schedule.assign(T0, |job| job == 2), Some((0, 2)));
        assert_eq!(schedule.assign(T0, |_| false), None);
        assert_eq!(schedule.assign(T0, |job| job == 3), Some((1, 3)));
    }

    #[test]
    fn rows_that_ask_the_same_share_one_flight() {
        let mut schedule = Schedule::new(2);
        schedule.board(0, asks(7));
        assert_eq!(schedule.board(1, asks(7)), Place::Twin);
        schedule.queue(0);
        schedule.assign(T0, |_| true);
        assert_eq!(schedule.board(2, asks(7)), Place::Twin, "until it has landed");
        assert_eq!(schedule.land(&asks(7)), [1, 2]);
        assert_eq!(schedule.board(3, asks(7)), Place::Lead);
    }

    #[test]
    fn a_retired_worker_never_comes_back() {
        let mut schedule = Schedule::new(1);
        schedule.retire(0);
        schedule.free(0);
        schedule.queue(0);
        assert_eq!(schedule.assign(T0, |_| true), None);
        assert_eq!(schedule.workers_left(), 0);
        assert_eq!(schedule.unqueue(|_| true), [0]);
        assert!(schedule.unqueue(|_| true).is_empty());
    }
}
