//! Which row goes to which worker, and when: a state machine without I/O and without a clock.
//!
//! A freed worker gets the next row at once; a row that waits for another attempt holds no worker; rows
//! that ask the same share one flight. Rows queue in lines, one for each run and one for the rows that are sent alone to
//! a job; lines take turns, so that a long one holds up no short one. The [dispatcher](super::dispatcher) carries the
//! decisions out.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::domain::fingerprint::Fingerprint;

/// A row inside the engine.
pub(crate) type JobId = u64;
/// A line of rows.
pub(crate) type LineId = u64;
/// A worker's place in the pool, from 0.
pub(crate) type WorkerId = usize;
/// A moment, counted from the engine's start.
pub(crate) type Moment = Duration;

/// What rows ask, and of whom: those that ask the same of the same models share the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flight {
    pub(crate) asks: Fingerprint,
    /// Jobs with the same providers have the same number.
    pub(crate) crew: usize,
}

/// What a row is among those that ask the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first: it is looked up and, if need be, asked about.
    Lead,
    /// Another row inside asks the same: it shares that row's fate.
    Twin,
}

/// The lines of rows and the pool of workers.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    /// Idle workers; the lowest number first, so that equal events give equal decisions.
    idle: BTreeSet<WorkerId>,
    /// Workers that have not been given up, idle or busy.
    alive: BTreeSet<WorkerId>,
    lines: BTreeMap<LineId, Line>,
    /// The turn that came last.
    turn: u64,
    /// The rows that ask the same as a row that is queued or asked, by what they ask.
    flights: HashMap<Flight, Vec<JobId>>,
}

/// The rows of a line.
#[derive(Debug)]
struct Line {
    ready: VecDeque<JobId>,
    waiting: BTreeSet<(Moment, JobId)>,
    /// When its turn comes: the line with the lowest one goes first.
    turn: u64,
    /// How long one of its rows makes it wait for the next turn.
    stride: u64,
}

impl Schedule {
    /// No lines, and this many idle workers.
    pub(crate) fn new(workers: usize) -> Self {
        Self { idle: (0..workers).collect(), alive: (0..workers).collect(), ..Self::default() }
    }

    /// More workers join the pool.
    pub(crate) fn enlarge(&mut self, workers: std::ops::Range<WorkerId>) {
        self.idle.extend(workers.clone());
        self.alive.extend(workers);
    }

    /// A line opens; where all have rows, its share of the turns is one in `stride` of another's.
    pub(crate) fn open_line(&mut self, line: LineId, stride: u64) {
        let turn = self.turn;
        self.lines.insert(line, Line { ready: VecDeque::new(), waiting: BTreeSet::new(), turn, stride });
    }

    /// A line is closed; it has no rows any more.
    pub(crate) fn close_line(&mut self, line: LineId) {
        self.lines.remove(&line);
    }

    /// Takes a row in, before anything is known about it: from now on rows that ask the same are its twins.
    pub(crate) fn board(&mut self, job: JobId, flight: Flight) -> Place {
        if let Some(twins) = self.flights.get_mut(&flight) {
            twins.push(job);
            return Place::Twin;
        }
        self.flights.insert(flight, Vec::new());
        Place::Lead
    }

    /// A model has to be asked about a row.
    pub(crate) fn queue(&mut self, job: JobId, line: LineId) {
        self.awake(line).ready.push_back(job);
    }

    /// A row is to be asked again, not before `due`.
    pub(crate) fn again(&mut self, job: JobId, line: LineId, due: Moment) {
        self.awake(line).waiting.insert((due, job));
    }

    /// The line; one that had no rows has not saved up turns meanwhile.
    fn awake(&mut self, line: LineId) -> &mut Line {
        let turn = self.turn;
        let line = self.lines.entry(line).or_insert_with(|| Line {
            ready: VecDeque::new(),
            waiting: BTreeSet::new(),
            turn,
            stride: 1,
        });
        if line.ready.is_empty() && line.waiting.is_empty() {
            line.turn = line.turn.max(turn);
        }
        line
    }

    /// The rows that ask the same as a row inside.
    pub(crate) fn twins(&self, flight: &Flight) -> &[JobId] {
        self.flights.get(flight).map_or(&[], Vec::as_slice)
    }

    /// The next row for an idle worker, of those that `may_go`: of the line whose turn it is, a row whose pause is over
    /// before a new one.
    ///
    /// Of a line's new rows only the first is asked about: what holds it up holds up all of them.
    pub(crate) fn assign(
        &mut self,
        now: Moment,
        mut may_go: impl FnMut(JobId) -> bool,
    ) -> Option<(WorkerId, JobId)> {
        let worker = *self.idle.first()?;
        let mut order: Vec<(u64, LineId)> = self.lines.iter().map(|(id, line)| (line.turn, *id)).collect();
        order.sort_unstable();
        let (place, job) = order.iter().enumerate().find_map(|(place, (turn, id))| {
            let line = self.lines.get_mut(id)?;
            let job = line.next(now, &mut may_go)?;
            line.turn = turn + line.stride;
            Some((place, job))
        })?;
        let turn = order.get(place).map_or(self.turn, |(turn, _)| *turn);
        // Those that were held up are next as soon as they can be; they save up no turns either.
        for (_, id) in order.iter().take(place) {
            self.lines.entry(*id).and_modify(|line| line.turn = turn);
        }
        self.turn = self.turn.max(turn);
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

    /// A row's fate is known for good: gives the rows that share it.
    pub(crate) fn land(&mut self, flight: &Flight) -> Vec<JobId> {
        self.flights.remove(flight).unwrap_or_default()
    }

    /// When the next pause ends, if an idle worker waits for it.
    pub(crate) fn next_due(&self, now: Moment) -> Option<Moment> {
        let next =
            |line: &Line| line.waiting.range((now, JobId::MAX)..).map(|(due, _)| *due).find(|due| *due > now);
        self.lines.values().filter_map(next).min().filter(|_| !self.idle.is_empty())
    }

    /// Takes the rows out of the lines that `whose` names; rows that are with a worker stay there.
    pub(crate) fn unqueue(&mut self, whose: impl Fn(JobId) -> bool) -> Vec<JobId> {
        let mut out = Vec::new();
        for line in self.lines.values_mut() {
            let queued = line.ready.iter().copied().chain(line.waiting.iter().map(|(_, job)| *job));
            out.extend(queued.filter(|job| whose(*job)));
            line.ready.retain(|job| !whose(*job));
            line.waiting.retain(|(_, job)| !whose(*job));
        }
        out
    }
}

impl Line {
    /// Takes its next row out, if one may go.
    fn next(&mut self, now: Moment, may_go: &mut impl FnMut(JobId) -> bool) -> Option<JobId> {
        let due = self.waiting.range(..=(now, JobId::MAX)).copied().find(|(_, job)| may_go(*job));
        if let Some(entry) = due {
            self.waiting.remove(&entry);
            return Some(entry.1);
        }
        let first = *self.ready.front()?;
        self.ready.pop_front_if(|_| may_go(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(n: u8) -> Flight {
        Flight { asks: Fingerprint([n; 32]), crew: 0 }
    }

    const T0: Moment = Duration::ZERO;

    #[test]
    fn a_freed_worker_gets_the_next_row_at_once() {
        let mut schedule = Schedule::new(2);
        for job in 0..3 {
            assert_eq!(schedule.board(job, asks(job as u8)), Place::Lead);
            schedule.queue(job, 0);
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
        schedule.queue(0, 0);
        schedule.assign(T0, |_| true);
        schedule.again(0, 0, Duration::from_secs(5));
        schedule.free(0);
        assert_eq!(schedule.next_due(T0), Some(Duration::from_secs(5)));
        schedule.queue(1, 0);
        schedule.queue(2, 0);
        assert_eq!(schedule.assign(T0, |_| true), Some((0, 1)));
        schedule.free(0);
        assert_eq!(schedule.assign(Duration::from_secs(5), |_| true), Some((0, 0)));
    }

    #[test]
    fn a_row_that_may_not_go_holds_up_no_other_pause() {
        let mut schedule = Schedule::new(2);
        schedule.again(1, 0, T0);
        schedule.again(2, 0, T0);
        schedule.queue(3, 0);
        assert_eq!(schedule.assign(T0, |job| job == 2), Some((0, 2)));
        assert_eq!(schedule.assign(T0, |_| false), None);
        assert_eq!(schedule.assign(T0, |job| job == 3), Some((1, 3)));
    }

    #[test]
    fn rows_that_ask_the_same_share_one_flight() {
        let mut schedule = Schedule::new(2);
        schedule.board(0, asks(7));
        assert_eq!(schedule.board(1, asks(7)), Place::Twin);
        schedule.queue(0, 0);
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
        schedule.queue(0, 0);
        assert_eq!(schedule.assign(T0, |_| true), None);
        assert_eq!(schedule.workers_left(), 0);
        assert_eq!(schedule.unqueue(|_| true), [0]);
        assert!(schedule.unqueue(|_| true).is_empty());
    }

    /// The rows that go when each worker is free again at once.
    fn order(schedule: &mut Schedule, mut may_go: impl FnMut(JobId) -> bool) -> Vec<JobId> {
        let mut order = Vec::new();
        while let Some((worker, job)) = schedule.assign(T0, &mut may_go) {
            order.push(job);
            schedule.free(worker);
        }
        order
    }

    #[test]
    fn a_long_line_holds_up_no_short_one() {
        let mut schedule = Schedule::new(1);
        (0..6).for_each(|job| schedule.queue(job, 1));
        assert_eq!(schedule.assign(T0, |_| true), Some((0, 0)));
        schedule.free(0);
        (10..12).for_each(|job| schedule.queue(job, 2));
        assert_eq!(order(&mut schedule, |_| true), [10, 1, 11, 2, 3, 4, 5]);
    }

    #[test]
    fn a_line_gets_its_share_and_saves_up_no_turns() {
        let mut schedule = Schedule::new(1);
        schedule.open_line(1, 1);
        schedule.open_line(2, 4);
        (0..10).for_each(|job| schedule.queue(job, 1));
        (20..23).for_each(|job| schedule.queue(job, 2));
        assert_eq!(order(&mut schedule, |_| true), [0, 20, 1, 2, 3, 4, 21, 5, 6, 7, 8, 22, 9]);
        (30..33).for_each(|job| schedule.queue(job, 1));
        (40..43).for_each(|job| schedule.queue(job, 3));
        assert_eq!(order(&mut schedule, |_| true), [40, 30, 41, 31, 42, 32]);
    }

    #[test]
    fn a_line_that_is_held_up_gives_its_turns_to_others_and_is_next_then() {
        let mut schedule = Schedule::new(1);
        (0..4).for_each(|job| schedule.queue(job, 1));
        (10..13).for_each(|job| schedule.queue(job, 2));
        assert_eq!(order(&mut schedule, |job| job >= 10), [10, 11, 12]);
        schedule.queue(13, 2);
        assert_eq!(order(&mut schedule, |_| true), [0, 1, 13, 2, 3]);
    }

    #[test]
    fn the_same_question_to_other_models_is_another_flight() {
        let mut schedule = Schedule::new(1);
        schedule.board(0, asks(7));
        assert_eq!(schedule.board(1, Flight { crew: 1, ..asks(7) }), Place::Lead);
    }

    #[test]
    fn a_pool_that_is_enlarged_has_its_new_workers_idle() {
        let mut schedule = Schedule::new(1);
        schedule.retire(0);
        schedule.enlarge(1..3);
        schedule.queue(0, 0);
        assert_eq!(schedule.assign(T0, |_| true), Some((1, 0)));
        assert_eq!(schedule.workers_left(), 2);
    }
}
