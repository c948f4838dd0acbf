//! Dispatcher: knows every row inside the engine and what it waits for.
//!
//! - Owns: the rows inside, the [`Schedule`], the lanes to the providers, the results that no writer has taken yet.
//! - Receives: [`Offer`] from readers, [`Single`] from the handle, [`Prepare`], [`Halt`], [`FinishRun`] from
//!   runs, [`Employ`], [`Drain`] from the lifecycle. Sends: `Lookup`, `Sent`, `Keep`, `Release`, `Reject` to the cache,
//!   `Validate` to the workers, `Record` to the writer of a run.
//! - Bound: of each run one page, a row for each worker, and `queue_depth` rows, and of each job as many that were sent
//!   alone; the reply to `Offer` is withheld while full.
//! - On panic: it is part of the spine. It forgets the runs; whoever offers or finishes learns that there is
//!   none ([`NoRun`]), the run ends with an error that says so, and the next one goes on from what the store
//!   knows.
//!
//! A row's way: [`admit`] looks up what is known, [`call`] asks a model, [`settle`] gives the row its state.

mod admit;
mod call;
mod gates;
mod job;
mod lanes;
mod present;
mod settle;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::board::Board;
use super::cache::CacheActor;
use super::clock::Clock;
use super::desk::{Desk, Place};
use super::event::Hub;
use super::parts::Provider;
use super::request::{Mode, Only};
use super::schedule::{JobId, LineId, Moment, Schedule, WorkerId};
use super::worker::LlmWorker;
use super::writer::Writer;
use crate::domain::entry::Entry;
use crate::domain::foreign::ForeignVerdicts;
use crate::domain::freshness::Freshness;
use crate::domain::judge::Judge;
use crate::domain::money::MicroUsd;
use crate::domain::outcome::Outcome;
use crate::domain::rules::CodeReview;
use crate::llm::lane::LaneMemory;
use crate::store::Owner;
use job::{Job, Sender, Whose};
use lanes::Lanes;
use present::Present;

/// Take these rows of a run. The reply means they are taken; it is withheld while there is no room.
#[derive(Message)]
#[rtype(result = "Result<(), NoRun>")]
pub(crate) struct Offer {
    /// The run's line.
    pub(crate) run: LineId,
    pub(crate) rows: Vec<Offered>,
}

/// A row with its code review.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) entry: Entry,
    pub(crate) review: CodeReview,
}

/// There is no run any more: the dispatcher has died since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRun;

/// Judge this one row. The reply is its outcome, or that there is no room.
#[derive(Message)]
#[rtype(result = "Result<Outcome, NoRoom>")]
pub(crate) struct Single {
    pub(crate) entry: Entry,
    pub(crate) judge: Arc<Judge>,
    pub(crate) desk: Arc<Desk>,
    /// What is left of the day's cap.
    pub(crate) left_today: Option<MicroUsd>,
}

/// Too many rows were sent alone and wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// A run begins: rows that are offered for it are judged and recorded like this. The reply is its line.
#[derive(Message)]
#[rtype(result = "LineId")]
pub(crate) struct Prepare(pub(crate) RunContext);

/// How the rows of a run are judged.
pub(crate) struct RunContext {
    pub(crate) run_id: String,
    pub(crate) desk: Arc<Desk>,
    pub(crate) judge: Arc<Judge>,
    pub(crate) freshness: Freshness,
    pub(crate) mode: Mode,
    pub(crate) only: Option<Only>,
    /// Verdicts that another tool left in the results table.
    pub(crate) foreign: ForeignVerdicts,
    /// How many rows may be judged anew.
    pub(crate) limit: Option<u64>,
    /// What its calls may cost, and what is left of the day's cap for them and those of others.
    pub(crate) budget: Option<MicroUsd>,
    pub(crate) left_today: Option<MicroUsd>,
    /// Whether the store knows answers at all; without models nothing is looked up in vain.
    pub(crate) has_answers: bool,
    /// Who takes the results.
    pub(crate) writer: Option<Addr<Writer>>,
}

/// Finish the run of this line. The reply means none of its rows is inside any more, and says what stopped it
/// early, if anything did.
#[derive(Message)]
#[rtype(result = "Result<Option<Halted>, NoRun>")]
pub(crate) struct FinishRun(pub(crate) LineId);

/// Finish everything, rows that were sent alone included.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

/// Start no more calls for a run: its rows that are queued are left for the next one.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Halt {
    /// The run's line.
    pub(crate) run: LineId,
    pub(crate) why: Halted,
}

/// A job is set up, with these models; more workers join the pool. The reply says where the desk stands.
#[derive(Message)]
#[rtype(result = "Place")]
pub(crate) struct Employ {
    pub(crate) providers: Vec<Provider>,
    /// What earlier runs learnt of each.
    pub(crate) memories: Vec<Option<LaneMemory>>,
    pub(crate) workers: Vec<Addr<LlmWorker>>,
}

/// A desk is given up: no rows are sent to it alone any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Dismiss(pub(crate) LineId);

/// Why no more calls are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halted {
    /// Somebody asked for it.
    Interrupted,
    /// The source's reader has died.
    Reader,
    /// The results table cannot be written.
    Target(String),
    /// The store cannot keep answers: what is paid for would be lost.
    Store(String),
    /// Every provider is out.
    Providers(String),
    /// The next call could cost more than is allowed.
    Budget,
    /// No worker is left.
    Workers,
}

/// What the dispatcher is started with.
pub(crate) struct DispatcherParams {
    pub(crate) owner: Owner,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) hub: Hub,
    pub(crate) board: Arc<Board>,
    pub(crate) cache: Addr<CacheActor>,
    /// Seeds the jitter of pauses.
    pub(crate) seed: u64,
}

/// The actor.
pub(crate) struct Dispatcher {
    owner: Owner,
    clock: Arc<dyn Clock>,
    hub: Hub,
    cache: Addr<CacheActor>,
    rng: fastrand::Rng,
    workers: Vec<Addr<LlmWorker>>,
    /// The ways to the providers.
    lanes: Lanes,
    /// The runs that are under way, by their lines.
    runs: BTreeMap<LineId, Present>,
    schedule: Schedule,
    jobs: BTreeMap<JobId, Job>,
    next_job: JobId,
    next_line: LineId,
    /// What is inside of each line.
    lines: BTreeMap<LineId, Inside>,
    /// For which line each worker is at work.
    at_work: BTreeMap<WorkerId, LineId>,
    /// What all calls have cost, or may cost while they are under way.
    spent: MicroUsd,
    /// The moment for which a wake-up is set.
    armed: Option<Moment>,
    drains: Vec<oneshot::Sender<()>>,
}

/// The rows of a line that are inside.
#[derive(Clone, Copy, Debug, Default)]
struct Inside {
    rows: usize,
    /// Those that are with a worker.
    calling: usize,
}

impl Dispatcher {
    /// A dispatcher without desks.
    pub(crate) fn new(params: DispatcherParams) -> Self {
        Self {
            owner: params.owner,
            clock: params.clock,
            hub: params.hub,
            cache: params.cache,
            rng: fastrand::Rng::with_seed(params.seed),
            workers: Vec::new(),
            lanes: Lanes::new(params.board),
            runs: BTreeMap::new(),
            schedule: Schedule::new(0),
            jobs: BTreeMap::new(),
            next_job: 0,
            next_line: 0,
            lines: BTreeMap::new(),
            at_work: BTreeMap::new(),
            spent: MicroUsd::default(),
            armed: None,
            drains: Vec::new(),
        }
    }

    /// Carries out what has become possible. Called at the end of every handler and reply.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        self.start_calls(ctx);
        self.send_records(ctx);
        for (line, run) in &mut self.runs {
            let Inside { rows, calling } = self.lines.get(line).copied().unwrap_or_default();
            let inside = rows + run.on_their_way();
            if inside <= run.context.desk.limits.queue_depth + calling {
                grant(run.offers.drain(..));
            }
            if inside == 0 {
                grant(run.finish.take());
            }
        }
        let is_empty = self.jobs.is_empty() && self.runs.values().all(|run| run.on_their_way() == 0);
        if is_empty {
            grant(self.drains.drain(..));
        }
    }

    fn add_job(&mut self, job: Job) -> JobId {
        let id = self.next_job;
        self.next_job += 1;
        self.lines.entry(job.line).or_default().rows += 1;
        self.jobs.insert(id, job);
        id
    }

    fn take_job(&mut self, id: JobId) -> Option<Job> {
        let job = self.jobs.remove(&id)?;
        if let Some(line) = self.lines.get_mut(&job.line) {
            line.rows = line.rows.saturating_sub(1);
        }
        Some(job)
    }

    /// The run that the row belongs to, if it belongs to one.
    fn run_of(&self, job: &Job) -> Option<&Present> {
        job.run().and_then(|_| self.runs.get(&job.line))
    }

    fn run_of_mut(&mut self, id: JobId) -> Option<&mut Present> {
        let job = self.jobs.get(&id)?;
        job.run()?;
        self.runs.get_mut(&job.line)
    }

    /// Why no call is started for the row any more, if that is so.
    fn halted(&self, job: &Job) -> Option<&Halted> {
        self.run_of(job)?.halted.as_ref()
    }

    fn new_line(&mut self, stride: u64) -> LineId {
        let line = self.next_line;
        self.next_line += 1;
        self.schedule.open_line(line, stride);
        line
    }
}

/// Answers who waits; that they are gone does not matter.
fn grant(waiting: impl IntoIterator<Item = oneshot::Sender<()>>) {
    for reply in waiting {
        reply.send(()).ok();
    }
}

impl Actor for Dispatcher {
    type Context = Context<Self>;
}

impl Supervised for Dispatcher {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        // Whoever waits learns of it by its reply; the store knows what was paid for.
        self.schedule = Schedule::new(self.workers.len());
        self.lanes.start_over(self.hub.now());
        self.jobs.clear();
        self.lines.clear();
        self.at_work.clear();
        self.armed = None;
        self.runs.clear();
        self.drains.clear();
    }
}

impl Handler<Employ> for Dispatcher {
    type Result = MessageResult<Employ>;

    fn handle(&mut self, employ: Employ, _ctx: &mut Self::Context) -> Self::Result {
        let Employ { providers, memories, workers } = employ;
        let before = self.workers.len();
        self.workers.extend(workers);
        self.schedule.enlarge(before..self.workers.len());
        let (lanes, crew) = self.lanes.employ(&providers, memories, self.workers.len(), self.hub.now());
        let line = self.new_line(SINGLES);
        MessageResult(Place { lanes, crew, line })
    }
}

/// Where rows of a run wait, those that are sent alone get one turn in so many.
const SINGLES: u64 = 4;

impl Handler<Dismiss> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Dismiss(line): Dismiss, _ctx: &mut Self::Context) {
        // What is left in it is judged all the same: it opens again by itself.
        if self.lines.get(&line).is_none_or(|inside| inside.rows == 0) {
            self.lines.remove(&line);
            self.schedule.close_line(line);
        }
    }
}

impl Handler<Prepare> for Dispatcher {
    type Result = MessageResult<Prepare>;

    fn handle(&mut self, Prepare(context): Prepare, _ctx: &mut Self::Context) -> Self::Result {
        self.lanes.begin(&context);
        let line = self.new_line(1);
        self.runs.insert(line, Present::new(context, self.spent));
        MessageResult(line)
    }
}

impl Handler<Offer> for Dispatcher {
    type Result = ResponseFuture<Result<(), NoRun>>;

    fn handle(&mut self, Offer { run: line, rows }: Offer, ctx: &mut Self::Context) -> Self::Result {
        let Some(run) = self.runs.get_mut(&line) else {
            return Box::pin(async { Err(NoRun) });
        };
        let context = Arc::clone(&run.context);
        let (credit, granted) = oneshot::channel();
        run.offers.push_back(credit);
        self.admit_page(line, rows, &context, ctx);
        self.pump(ctx);
        Box::pin(async move { granted.await.map_err(|_| NoRun) })
    }
}

impl Handler<Single> for Dispatcher {
    type Result = ResponseFuture<Result<Outcome, NoRoom>>;

    fn handle(&mut self, single: Single, ctx: &mut Self::Context) -> Self::Result {
        let inside = self.lines.get(&single.desk.place.line).copied().unwrap_or_default();
        if inside.rows >= single.desk.limits.queue_depth.max(1) {
            return Box::pin(async { Err(NoRoom) });
        }
        let (reply, outcome) = oneshot::channel();
        self.admit_single(single, reply, ctx);
        self.pump(ctx);
        Box::pin(async move { outcome.await.unwrap_or(Err(NoRoom)) })
    }
}

impl Handler<FinishRun> for Dispatcher {
    type Result = ResponseActFuture<Self, Result<Option<Halted>, NoRun>>;

    fn handle(&mut self, FinishRun(line): FinishRun, ctx: &mut Self::Context) -> Self::Result {
        let (reply, finished) = oneshot::channel();
        match self.runs.get_mut(&line) {
            Some(run) => run.finish = Some(reply),
            None => drop(reply),
        }
        self.pump(ctx);
        Box::pin(finished.into_actor(self).map(move |_, dispatcher, _| {
            let run = dispatcher.runs.remove(&line).ok_or(NoRun)?;
            dispatcher.lines.remove(&line);
            dispatcher.schedule.close_line(line);
            dispatcher.lanes.remember(&run.context.desk, &dispatcher.cache, dispatcher.hub.now());
            Ok(run.halted)
        }))
    }
}

impl Handler<Drain> for Dispatcher {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) -> Self::Result {
        let (reply, drained) = oneshot::channel();
        self.drains.push(reply);
        self.pump(ctx);
        Box::pin(async move { drop(drained.await) })
    }
}

impl Handler<Halt> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Halt { run, why }: Halt, ctx: &mut Self::Context) {
        self.halt(run, why);
        self.pump(ctx);
    }
}
