//! What people see of an engine without asking its actors: its jobs, the runs under way, the lanes to providers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::desk::Desk;
use super::event::{Bus, Hub};
use super::report::Tally;
use crate::domain::rules::Rulebook;
use crate::llm::ModelId;

/// A job of an engine.
#[derive(Clone, Debug)]
pub struct JobStatus {
    /// Its name.
    pub name: String,
    /// What people call the source.
    pub source: String,
    /// What people call the results.
    pub target: String,
    /// What rows are checked against.
    pub rulebook: Arc<Rulebook>,
    /// The models that may be asked, in order; none: code alone decides.
    pub models: Vec<ModelId>,
    /// The run that is under way.
    pub running: Option<RunStatus>,
    /// The counters of the run that is under way, or of the last one.
    pub tally: Tally,
}

/// A run that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStatus {
    /// Its id.
    pub run_id: String,
    /// When it began.
    pub since: Timestamp,
}

/// A provider, as it is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderStatus {
    /// Its name in the settings, and the model.
    pub id: ModelId,
    /// Calls under way.
    pub in_flight: usize,
    /// The limit that is kept, in requests a minute; none while none is known.
    pub requests_per_minute: Option<f64>,
    /// How long nothing is sent because it asked for that.
    pub pause: Duration,
    /// True while only a trial is sent now and then, because requests have failed.
    pub is_open: bool,
    /// True if a run has given it up.
    pub is_given_up: bool,
}

/// Written by the engine, read by anyone.
pub(crate) struct Board {
    hub: Hub,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    /// In the order in which they were given.
    jobs: Vec<Posted>,
    lanes: Vec<LaneState>,
}

struct Posted {
    desk: Arc<Desk>,
    run: Option<RunStatus>,
    /// Of the run that is under way, or of the last one: it may be of a desk that has been replaced.
    bus: Bus,
}

/// How a lane stands.
#[derive(Clone)]
pub(crate) struct LaneState {
    pub(crate) provider: ModelId,
    pub(crate) in_flight: usize,
    pub(crate) requests_per_minute: Option<f64>,
    /// Since the engine's start.
    pub(crate) paused_until: Duration,
    pub(crate) is_open: bool,
    pub(crate) is_given_up: bool,
}

impl Board {
    pub(crate) fn new(hub: Hub) -> Self {
        Self { hub, shown: Mutex::default() }
    }

    /// From now on these are the jobs. Runs that are under way stay shown while their jobs do.
    pub(crate) fn show_desks(&self, desks: &[Arc<Desk>]) {
        let mut shown = self.lock();
        let before = std::mem::take(&mut shown.jobs);
        let posted = |desk: &Arc<Desk>| {
            let before = before.iter().find(|posted| posted.desk.job == desk.job);
            Posted {
                run: before.and_then(|posted| posted.run.clone()),
                bus: before.map_or(&desk.bus, |posted| &posted.bus).clone(),
                desk: Arc::clone(desk),
            }
        };
        shown.jobs = desks.iter().map(posted).collect();
    }

    /// A run of a job begins or has ended.
    pub(crate) fn show_run(&self, desk: &Desk, run: Option<RunStatus>) {
        if let Some(posted) = self.lock().jobs.iter_mut().find(|posted| posted.desk.job == desk.job) {
            (posted.run, posted.bus) = (run, desk.bus.clone());
        }
    }

    pub(crate) fn show_lane(&self, number: usize, state: LaneState) {
        let lanes = &mut self.lock().lanes;
        match lanes.get_mut(number) {
            Some(lane) => *lane = state,
            None => lanes.push(state),
        }
    }

    pub(crate) fn jobs(&self) -> Vec<JobStatus> {
        let status = |Posted { desk, run, bus }: &Posted| JobStatus {
            name: desk.job.to_string(),
            source: desk.source.to_string(),
            target: desk.target.to_string(),
            rulebook: Arc::clone(&desk.rulebook),
            models: desk.providers.iter().map(|provider| provider.model.id().clone()).collect(),
            running: run.clone(),
            tally: bus.tally(),
        };
        self.lock().jobs.iter().map(status).collect()
    }

    pub(crate) fn providers(&self) -> Vec<ProviderStatus> {
        let now = self.hub.now();
        let status = |lane: LaneState| ProviderStatus {
            id: lane.provider,
            in_flight: lane.in_flight,
            requests_per_minute: lane.requests_per_minute,
            pause: lane.paused_until.saturating_sub(now),
            is_open: lane.is_open,
            is_given_up: lane.is_given_up,
        };
        self.lock().lanes.iter().cloned().map(status).collect()
    }

    /// The counters of the run of the first job that is under way, or of its last one.
    pub(crate) fn tally(&self) -> Tally {
        self.lock().jobs.first().map(|posted| posted.bus.tally()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
