//! Which job runs next: those that are due and those that were asked for, in their order. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::{Happened, Job};
use crate::domain::timetable::Due;

/// What is to be run, and what runs.
#[derive(Debug)]
pub(super) struct Agenda {
    jobs: Vec<Job>,
    waiting: VecDeque<Waiting>,
    running: Option<String>,
}

/// A run that has not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) job: String,
    /// Slots that passed before while nobody looked.
    pub(super) missed: u32,
}

impl Agenda {
    pub(super) fn new(jobs: Vec<Job>) -> Self {
        Self { jobs, waiting: VecDeque::new(), running: None }
    }

    /// Puts jobs that are due on the list.
    pub(super) fn look(&mut self, now: Timestamp) -> Vec<Happened> {
        let Self { jobs, waiting, running } = self;
        let mut happened = Vec::new();
        for Job { name, timetable } in jobs {
            let Some(timetable) = timetable else { continue };
            match timetable.due(now, is_busy(name, waiting, running.as_deref())) {
                Due::Nothing => {}
                Due::Run { missed, .. } => waiting.push_back(Waiting { job: name.clone(), missed }),
                Due::Skip { slot } => happened.push(Happened::LeftOut { job: name.clone(), slot }),
            }
        }
        happened
    }

    /// Puts a job, or all of them, on the list, where they are not there yet.
    pub(super) fn ask(&mut self, job: Option<&str>) -> Option<Happened> {
        let Self { jobs, waiting, running } = self;
        let mut is_known = job.is_none();
        for Job { name, .. } in jobs.iter().filter(|known| job.is_none_or(|job| known.name == job)) {
            is_known = true;
            if !is_busy(name, waiting, running.as_deref()) {
                waiting.push_back(Waiting { job: name.clone(), missed: 0 });
            }
        }
        job.filter(|_| !is_known).map(|job| Happened::Unknown { job: job.to_owned() })
    }

    /// The run that begins now: one at a time.
    pub(super) fn begin(&mut self) -> Option<Waiting> {
        if self.running.is_some() {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.running = Some(next.job.clone());
        Some(next)
    }

    /// The run is over.
    pub(super) fn end(&mut self) {
        self.running = None;
    }

    /// From now on these are the jobs. What waits for one that is gone does not run.
    pub(super) fn replace(&mut self, jobs: Vec<Job>) {
        self.jobs = jobs;
        let jobs = &self.jobs;
        self.waiting.retain(|waiting| jobs.iter().any(|job| job.name == waiting.job));
    }

    /// When the next job is due; none if none ever is.
    pub(super) fn next(&self, now: Timestamp) -> Option<Duration> {
        let due = self.jobs.iter().filter_map(|job| job.timetable.as_ref()?.next()).min()?;
        Some(Duration::try_from(due.duration_since(now)).unwrap_or_default())
    }
}

fn is_busy(name: &str, waiting: &VecDeque<Waiting>, running: Option<&str>) -> bool {
    running == Some(name) || waiting.iter().any(|waiting| waiting.job == name)
}
