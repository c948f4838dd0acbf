//! Dispatcher: knows every row inside the engine and what it waits for.
//!
//! - Owns: the rows inside, the [`Schedule`], the results that the writer has not taken yet.
//! - Receives: [`Offer`] from the reader, [`Single`] from the handle, [`Prepare`], [`Halt`], [`FinishRun`] from the
//!   run, [`Drain`] from the lifecycle. Sends: `Lookup`, `Sent`, `Keep`, `Release`, `Reject` to the cache, `Validate` to the workers,
//!   `Record` to the writer.
//! - Bound: one page, a row for each worker, and `queue_depth` rows of the run, and as many that were sent
//!   alone; the reply to `Offer` is withheld while full.
//! - On panic: it is part of the spine. It forgets the run; whoever offers or finishes learns that there is
//!   none ([`NoRun`]), the run ends with an error that says so, and the next one goes on from what the store
//!   knows.
//!
//! A row's way: [`admit`] looks up what is known, [`call`] asks a model, [`settle`] gives the row its state.

mod admit;
mod call;
mod gates;
mod present;
mod settle;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::cache::{CacheActor, Remember, persist};
use super::clock::Clock;
use super::event::{Bus, Event};
use super::parts::Provider;
use super::request::{Mode, Only};
use super::schedule::{JobId, Moment, Schedule};
use super::worker::LlmWorker;
use super::writer::{Record, Recorded, Writer};
use crate::domain::entry::Entry;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::foreign::ForeignVerdicts;
use crate::domain::freshness::Freshness;
use crate::domain::judge::Judge;
use crate::domain::money::MicroUsd;
use crate::domain::outcome::Outcome;
use crate::domain::results::Wording;
use crate::domain::rules::CodeReview;
use crate::llm::lane::{Errand, Lane, LaneMemory};
use crate::llm::pace::Ticket;
use crate::llm::retry::RetryPlan;
use crate::store::{Attempt, Owner, StoredAnswer};
use present::Present;

/// Take these rows of the present run. The reply means they are taken; it is withheld while there is no
/// room.
#[derive(Message)]
#[rtype(result = "Result<(), NoRun>")]
pub(crate) struct Offer(pub(crate) Vec<Offered>);

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
}

/// Too many rows were sent alone and wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// A run begins: rows offered from now on are judged and recorded like this.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Prepare(pub(crate) RunContext);

/// How the rows of a run are judged.
pub(crate) struct RunContext {
    pub(crate) run_id: String,
    pub(crate) judge: Arc<Judge>,
    pub(crate) freshness: Freshness,
    pub(crate) mode: Mode,
    pub(crate) only: Option<Only>,
    /// Verdicts that another tool left in the results table.
    pub(crate) foreign: ForeignVerdicts,
    /// How many rows may be judged anew.
    pub(crate) limit: Option<u64>,
    /// What its calls may cost.
    pub(crate) budget: Option<MicroUsd>,
    /// Whether the store knows answers at all; without models nothing is looked up in vain.
    pub(crate) has_answers: bool,
    /// Who takes the results.
    pub(crate) writer: Option<Addr<Writer>>,
}

/// Finish the present run. The reply means none of its rows is inside any more, and says what stopped it
/// early, if anything did.
#[derive(Message)]
#[rtype(result = "Result<Option<Halted>, NoRun>")]
pub(crate) struct FinishRun;

/// Finish everything, rows that were sent alone included.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

/// Start no more calls for the present run: its rows that are queued are left for the next one.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Halt(pub(crate) Halted);

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

/// How the dispatcher works.
#[derive(Clone, Debug)]
pub(crate) struct DispatcherParams {
    /// Attempts at each provider.
    pub(crate) attempts: u32,
    /// Rows queued ahead of the workers.
    pub(crate) queue_depth: usize,
    /// Rows of one `Record`.
    pub(crate) batch_size: usize,
    /// The longest one call may take.
    pub(crate) call_deadline: Duration,
    /// The longest one row may be asked about.
    pub(crate) row_deadline: Duration,
    pub(crate) job: String,
    pub(crate) owner: Owner,
    pub(crate) wording: Wording,
    /// Seeds the jitter of pauses.
    pub(crate) seed: u64,
}

/// Whom the dispatcher sends to, besides the writer of a run.
pub(crate) struct Downstream {
    pub(crate) cache: Addr<CacheActor>,
    pub(crate) workers: Vec<Addr<LlmWorker>>,
}

/// The actor.
pub(crate) struct Dispatcher {
    params: DispatcherParams,
    to: Downstream,
    target: Arc<str>,
    providers: Arc<Vec<Provider>>,
    clock: Arc<dyn Clock>,
    bus: Bus,
    rng: fastrand::Rng,
    /// The ways to the providers.
    lanes: Vec<Lane>,
    run: Option<Present>,
    schedule: Schedule,
    jobs: BTreeMap<JobId, Job>,
    next_job: JobId,
    /// Rows with a worker.
    calling: usize,
    /// Rows inside that were sent alone.
    singles: usize,
    /// The moment for which a wake-up is set.
    armed: Option<Moment>,
    /// Results of the run that no `Record` carries yet.
    outbound: VecDeque<Recorded>,
    /// The `Record` that the writer has not taken yet.
    recording: Option<Record>,
    offers: VecDeque<oneshot::Sender<()>>,
    finish: Option<oneshot::Sender<()>>,
    drains: Vec<oneshot::Sender<()>>,
}

/// A row inside.
struct Job {
    entry: Arc<Entry>,
    review: Arc<CodeReview>,
    judge: Arc<Judge>,
    /// Zero for a row that asks no model.
    asks: Fingerprint,
    whose: Whose,
    plan: RetryPlan,
    /// The provider that is asked, or was asked last.
    provider: usize,
    /// The lane's word that the call may be made; it goes back with the call's end.
    ticket: Option<Ticket>,
    /// How often a provider asked to wait, and when the first call was made.
    refusals: u32,
    /// How often all attempts were in vain, and the row was put off.
    put_off: u32,
    asked_since: Option<Moment>,
    hint: Option<String>,
    /// The ledger's entry for the call that is under way.
    attempt: Option<Attempt>,
    /// The length of its prompt; known once the row is queued.
    prompt_bytes: usize,
    /// What that call may cost.
    estimate: MicroUsd,
    /// When it began.
    called_at: Moment,
    /// An answer that is not fresh enough, but better than none if no new one can be had.
    fallback: Option<StoredAnswer>,
}

/// To whom a row belongs.
enum Whose {
    /// To a run.
    Run(Arc<RunContext>),
    /// To somebody who sent it alone and waits for its outcome.
    Sender(Option<oneshot::Sender<Result<Outcome, NoRoom>>>),
}

impl Job {
    fn run(&self) -> Option<&Arc<RunContext>> {
        match &self.whose {
            Whose::Run(run) => Some(run),
            Whose::Sender(_) => None,
        }
    }
}

impl Dispatcher {
    /// A dispatcher with an empty queue.
    pub(crate) fn new(
        params: DispatcherParams,
        to: Downstream,
        target: Arc<str>,
        providers: Arc<Vec<Provider>>,
        memories: Vec<Option<LaneMemory>>,
        clock: Arc<dyn Clock>,
        bus: Bus,
    ) -> Self {
        let (slots, now) = (to.workers.len(), bus.now());
        for (provider, memory) in providers.iter().zip(&memories) {
            if let Some(model) = memory.as_ref().and_then(|memory| memory.model.as_ref()) {
                provider.model.recall(model);
            }
        }
        let learnt = memories.into_iter().map(|memory| memory.map(|memory| memory.pace));
        let lanes = providers.iter().zip(learnt).map(|(provider, learnt)| provider.lane(slots, learnt, now));
        Self {
            lanes: lanes.collect(),
            schedule: Schedule::new(to.workers.len()),
            rng: fastrand::Rng::with_seed(params.seed),
            params,
            to,
            target,
            providers,
            clock,
            bus,
            run: None,
            jobs: BTreeMap::new(),
            next_job: 0,
            calling: 0,
            singles: 0,
            armed: None,
            outbound: VecDeque::new(),
            recording: None,
            offers: VecDeque::new(),
            finish: None,
            drains: Vec::new(),
        }
    }

    /// Rows of the run that are inside, results on their way to the writer included.
    fn inside(&self) -> usize {
        let recording = self.recording.as_ref().map_or(0, |record| record.0.len());
        self.jobs.len() - self.singles + self.outbound.len() + recording
    }

    /// Carries out what has become possible. Called at the end of every handler and reply.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        self.start_calls(ctx);
        self.send_records(ctx);
        let inside = self.inside();
        if inside <= self.params.queue_depth + self.calling {
            grant(self.offers.drain(..));
        }
        if inside == 0 {
            grant(self.finish.take());
        }
        if inside == 0 && self.singles == 0 {
            grant(self.drains.drain(..));
        }
    }

    fn add_job(&mut self, job: Job) -> JobId {
        let id = self.next_job;
        self.next_job += 1;
        self.singles += usize::from(job.run().is_none());
        self.jobs.insert(id, job);
        id
    }

    /// Keeps what was learnt of the providers for the next run.
    fn remember(&mut self) {
        let now = self.bus.now();
        for (provider, lane) in self.lanes.iter().enumerate() {
            self.bus.emit(Event::Pace { provider, requests_per_minute: lane.requests_per_minute() });
        }
        for (lane, provider) in self.lanes.iter_mut().zip(self.providers.iter()) {
            let memory = LaneMemory::new(lane.learnt(now), provider.model.memory());
            let Ok(json) = serde_json::to_string(&memory) else { continue };
            // Nobody waits: without it the next run finds out again.
            actix_rt::spawn(persist(self.to.cache.clone(), Remember { key: provider.memory_key(), json }));
        }
    }

    /// Something happened to a row.
    fn emit(&self, job: &Job, event: Event) {
        match job.run() {
            Some(_) => self.bus.emit(event),
            None => self.bus.show(event),
        }
    }

    /// The present run, if the row belongs to it.
    fn run_of(&self, job: &Job) -> Option<&Present> {
        let run = job.run()?;
        self.run.as_ref().filter(|present| Arc::ptr_eq(&present.context, run))
    }

    /// Why no call is started for the row any more, if that is so.
    fn halted(&self, job: &Job) -> Option<&Halted> {
        self.run_of(job)?.halted.as_ref()
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
        let (slots, now) = (self.to.workers.len(), self.bus.now());
        self.schedule = Schedule::new(slots);
        // Calls that are under way do not come back to the lanes.
        for (lane, provider) in self.lanes.iter_mut().zip(self.providers.iter()) {
            *lane = provider.lane(slots, Some(lane.learnt(now)), now);
        }
        self.jobs.clear();
        self.calling = 0;
        self.singles = 0;
        self.armed = None;
        self.outbound.clear();
        self.recording = None;
        self.run = None;
        self.offers.clear();
        self.finish = None;
        self.drains.clear();
    }
}

impl Handler<Prepare> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Prepare(context): Prepare, _ctx: &mut Self::Context) {
        let tally = self.bus.tally();
        let expected = tally.rows_expected.or(tally.rows_at_most).unwrap_or(ROWS);
        for (lane, provider) in self.lanes.iter_mut().zip(self.providers.iter()) {
            let expected = context.limit.map_or(expected, |limit| limit.min(expected));
            let places = provider.model.spread(likely_rate(lane, expected));
            let errand = match () {
                () if provider.model.keeps(context.judge.prompt()) => Some(Errand::Prime(places)),
                () if !provider.model.is_known() => Some(Errand::Negotiate),
                () => None,
            };
            lane.begin(expected, errand);
        }
        self.run = Some(Present::new(context, self.providers.len()));
    }
}

/// How many requests a minute will be sent, as far as that can be told. A short run is taken to last two minutes at least:
/// otherwise each place would be shown the prompt and hardly use it.
fn likely_rate(lane: &Lane, expected: u64) -> f64 {
    lane.requests_per_minute().unwrap_or_default().min(expected as f64 / 2.0)
}

/// So many rows are taken to be there where the source does not say.
const ROWS: u64 = 1000;

impl Handler<Offer> for Dispatcher {
    type Result = ResponseFuture<Result<(), NoRun>>;

    fn handle(&mut self, Offer(rows): Offer, ctx: &mut Self::Context) -> Self::Result {
        let Some(run) = self.run.as_ref().map(|run| Arc::clone(&run.context)) else {
            return Box::pin(async { Err(NoRun) });
        };
        let (credit, granted) = oneshot::channel();
        self.offers.push_back(credit);
        self.admit_page(rows, &run, ctx);
        self.pump(ctx);
        Box::pin(async move { granted.await.map_err(|_| NoRun) })
    }
}

impl Handler<Single> for Dispatcher {
    type Result = ResponseFuture<Result<Outcome, NoRoom>>;

    fn handle(&mut self, single: Single, ctx: &mut Self::Context) -> Self::Result {
        if self.singles >= self.params.queue_depth.max(1) {
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

    fn handle(&mut self, _: FinishRun, ctx: &mut Self::Context) -> Self::Result {
        let (reply, finished) = oneshot::channel();
        self.finish = Some(reply);
        self.pump(ctx);
        Box::pin(finished.into_actor(self).map(|_, dispatcher, _| {
            dispatcher.remember();
            dispatcher.run.take().map(|run| run.halted).ok_or(NoRun)
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

    fn handle(&mut self, Halt(why): Halt, ctx: &mut Self::Context) {
        self.halt(why);
        self.pump(ctx);
    }
}
