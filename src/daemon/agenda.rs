//! Which jobs run now: those that are due, those that were asked for, those whose tables were edited. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{Happened, Job, Wish};
use crate::domain::timetable::Due;
use crate::engine::Trigger;

/// The jobs, and which of them the daemon runs.
#[derive(Debug)]
pub(super) struct Agenda {
    jobs: Vec<Job>,
    running: BTreeSet<String>,
    /// Jobs whose tables were edited while they ran: they run once more.
    edited: BTreeSet<String>,
}

/// A run that begins now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Begin {
    pub(super) job: String,
    pub(super) trigger: Trigger,
    /// Slots that passed before while nobody looked.
    pub(super) missed: u32,
}

/// What comes of a look.
pub(super) type Decided = Result<Begin, Happened>;

impl Agenda {
    pub(super) fn new(jobs: Vec<Job>) -> Self {
        Self { jobs, running: BTreeSet::new(), edited: BTreeSet::new() }
    }

    /// What is due. `others` tells whether somebody else runs a job.
    pub(super) fn look(&mut self, now: Timestamp, others: impl Fn(&str) -> bool) -> Vec<Decided> {
        let Self { jobs, running, .. } = self;
        let mut decided = Vec::new();
        for Job { name, timetable } in jobs {
            let Some(timetable) = timetable else { continue };
            match timetable.due(now, running.contains(name) || others(name)) {
                Due::Nothing => {}
                Due::Run { missed, .. } => {
                    running.insert(name.clone());
                    decided.push(Ok(Begin { job: name.clone(), trigger: Trigger::Schedule, missed }));
                }
                Due::Skip { slot } => decided.push(Err(Happened::LeftOut { job: name.clone(), slot })),
            }
        }
        decided
    }

    /// Runs that are wished for: a job that runs already is left alone, unless its table was edited since it began.
    pub(super) fn ask(&mut self, wish: &Wish, others: impl Fn(&str) -> bool) -> Vec<Decided> {
        let (job, trigger) = match wish {
            Wish::Run(job) => (job.as_deref(), Trigger::Cli),
            Wish::Edited(job) => (Some(job.as_str()), Trigger::Edit),
            Wish::Jobs(_) | Wish::Stop => return Vec::new(),
        };
        let names: Vec<String> = self.jobs.iter().map(|known| known.name.clone()).collect();
        let mut decided = Vec::new();
        for name in names.iter().filter(|name| job.is_none_or(|job| *name == job)) {
            if !self.running.contains(name) && !others(name) {
                self.running.insert(name.clone());
                decided.push(Ok(Begin { job: name.clone(), trigger, missed: 0 }));
            } else if trigger == Trigger::Edit {
                self.edited.insert(name.clone());
            }
        }
        match job {
            Some(job) if !names.iter().any(|name| name == job) => {
                vec![Err(Happened::Unknown { job: job.to_owned() })]
            }
            _ => decided,
        }
    }

    /// The daemon's run of a job is over. Gives the edits that wait for it.
    pub(super) fn end(&mut self, job: &str) {
        self.running.remove(job);
    }

    /// A job whose table was edited while it ran, and that does not run any more.
    pub(super) fn late_edit(&mut self, others: impl Fn(&str) -> bool) -> Option<Wish> {
        let job = self.edited.iter().find(|job| !self.running.contains(*job) && !others(job))?.clone();
        self.edited.remove(&job);
        Some(Wish::Edited(job))
    }

    /// From now on these are the jobs.
    pub(super) fn replace(&mut self, jobs: Vec<Job>) {
        self.edited.retain(|edited| jobs.iter().any(|job| job.name == *edited));
        self.jobs = jobs;
    }

    /// When each job is due.
    pub(super) fn slots(&self) -> impl Iterator<Item = (&str, Option<Timestamp>)> {
        self.jobs.iter().map(|job| (job.name.as_str(), job.timetable.as_ref().and_then(|table| table.next())))
    }

    /// How long until the next job is due; none if none ever is.
    pub(super) fn next(&self, now: Timestamp) -> Option<Duration> {
        let due = self.slots().filter_map(|(_, next)| next).min()?;
        Some(Duration::try_from(due.duration_since(now)).unwrap_or_default())
    }
}
