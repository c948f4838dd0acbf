//! Dispatcher: knows every row inside the engine and what it waits for.
//!
//! - Owns: the rows inside, the [`Schedule`], the results that the writer has not taken yet.
//! - Receives: [`Offer`] from the reader, [`Single`] from the handle, [`Prepare`], [`Drain`], [`Halt`] from the
//!   lifecycle. Sends: `Lookup`, `Sent`, `Keep`, `Release`, `Reject` to the cache, `Validate` to the workers,
//!   `Record` to the writer.
//! - Bound: one page, a row for each worker, and `queue_depth` rows; the reply to `Offer` is withheld while
//!   full.
//! - On panic: it is part of the spine. Who waits for it sees `Closed`, the run ends with an error that says
//!   so, and the next run goes on from what the store knows.
//!
//! A row's way: [`admit`] looks up what is known, [`call`] asks a model, [`settle`] gives the row its state.

mod admit;
mod call;
mod settle;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::cache::CacheActor;
use super::clock::Clock;
use super::event::Bus;
use super::parts::Provider;
use super::request::{Mode, Only};
use super::schedule::{JobId, Moment, Schedule};
use super::worker::LlmWorker;
use super::writer::{Record, Recorded, Writer};
use crate::domain::entry::Entry;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::freshness::Freshness;
use crate::domain::judge::Judge;
use crate::domain::outcome::Outcome;
use crate::domain::results::Wording;
use crate::domain::rules::CodeReview;
use crate::llm::retry::RetryPlan;
use crate::store::{Attempt, Owner, StoredAnswer};

/// Take these rows of the present run. The reply means they are taken; it is withheld while there is no
/// room.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Offer(pub(crate) Vec<Offered>);

/// A row with its code review.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) entry: Entry,
    pub(crate) review: CodeReview,
}

/// Judge this one row. The reply is its outcome, or that there is no room.
#[derive(Message)]
#[rtype(result = "Result<Outcome, NoRoom>")]
pub(crate) struct Single {
    pub(crate) entry: Entry,
    pub(crate) judge: Arc<Judge>,
}

/// Too many rows are queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// A run begins: rows offered from now on are judged and recorded like this.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Prepare(pub(crate) RunContext);

/// How the rows of a run are judged.
#[derive(Clone)]
pub(crate) struct RunContext {
    pub(crate) run_id: String,
    pub(crate) judge: Arc<Judge>,
    pub(crate) freshness: Freshness,
    pub(crate) mode: Mode,
    pub(crate) only: Option<Only>,
    /// How many more rows may be judged anew.
    pub(crate) limit: Option<u64>,
}

/// Finish what is inside. The reply means no row of the run is inside any more, and says what stopped the
/// run early, if anything did.
#[derive(Message)]
#[rtype(result = "Option<Halted>")]
pub(crate) struct Drain;

/// Start no more calls: rows that are queued are left for the next run.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Halt(pub(crate) Halted);

/// Why no more calls are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halted {
    /// Somebody asked for it.
    Interrupted,
    /// The results table cannot be written.
    Target(String),
    /// The store cannot keep answers: what is paid for would be lost.
    Store(String),
    /// Every provider is out.
    Providers(String),
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
    pub(crate) job: String,
    pub(crate) owner: Owner,
    pub(crate) wording: Wording,
    /// Seeds the jitter of pauses.
    pub(crate) seed: u64,
}

/// Whom the dispatcher sends to.
pub(crate) struct Downstream {
    pub(crate) cache: Addr<CacheActor>,
    pub(crate) writer: Option<Addr<Writer>>,
    pub(crate) workers: Vec<Addr<LlmWorker>>,
}

/// The actor.
pub(crate) struct Dispatcher {
    params: DispatcherParams,
    to: Downstream,
    target: Arc<str>,
    providers: Arc<Vec<Provider>>,
    /// Why a provider is out, by provider.
    out: Vec<Option<String>>,
    clock: Arc<dyn Clock>,
    bus: Bus,
    rng: fastrand::Rng,
    run: Option<RunContext>,
    schedule: Schedule,
    jobs: BTreeMap<JobId, Job>,
    next_job: JobId,
    /// Rows with a worker.
    calling: usize,
    /// The moment for which a wake-up is set.
    armed: Option<Moment>,
    /// Results that go out with the next `Record`s.
    outbound: Vec<Recorded>,
    /// `Record`s that the writer has not taken yet.
    records: BTreeMap<u64, Record>,
    next_record: u64,
    halted: Option<Halted>,
    offers: VecDeque<oneshot::Sender<()>>,
    drains: Vec<oneshot::Sender<()>>,
}

/// A row inside.
struct Job {
    entry: Arc<Entry>,
    review: Arc<CodeReview>,
    judge: Arc<Judge>,
    /// Zero for a row that asks no model.
    asks: Fingerprint,
    /// `None` for a row that somebody sent alone.
    run: Option<String>,
    /// Who waits for a row that was sent alone.
    reply: Option<oneshot::Sender<Result<Outcome, NoRoom>>>,
    plan: RetryPlan,
    provider: usize,
    hint: Option<String>,
    /// The ledger's entry for the call that is under way.
    attempt: Option<Attempt>,
    /// An answer that is not fresh enough, but better than none if no new one can be had.
    fallback: Option<StoredAnswer>,
}

impl Dispatcher {
    /// A dispatcher with an empty queue.
    pub(crate) fn new(
        params: DispatcherParams,
        to: Downstream,
        target: Arc<str>,
        providers: Arc<Vec<Provider>>,
        clock: Arc<dyn Clock>,
        bus: Bus,
    ) -> Self {
        Self {
            schedule: Schedule::new(to.workers.len()),
            out: vec![None; providers.len()],
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
            armed: None,
            outbound: Vec::new(),
            records: BTreeMap::new(),
            next_record: 0,
            halted: None,
            offers: VecDeque::new(),
            drains: Vec::new(),
        }
    }

    /// Rows inside, results on their way to the writer included.
    fn inside(&self) -> usize {
        let recorded: usize = self.records.values().map(|record| record.0.len()).sum();
        self.jobs.len() + self.outbound.len() + recorded
    }

    /// Carries out what has become possible. Called at the end of every handler and reply.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        self.start_calls(ctx);
        self.send_records(ctx);
        if self.inside() <= self.params.queue_depth + self.calling {
            self.offers.drain(..).for_each(|reply| {
                reply.send(()).ok(); // who asked may have gone
            });
        }
        if self.jobs.is_empty() && self.outbound.is_empty() && self.records.is_empty() {
            self.drains.drain(..).for_each(|reply| {
                reply.send(()).ok(); // who asked may have gone
            });
        }
    }

    fn add_job(&mut self, job: Job) -> JobId {
        let id = self.next_job;
        self.next_job += 1;
        self.jobs.insert(id, job);
        id
    }
}

impl Actor for Dispatcher {
    type Context = Context<Self>;
}

impl Supervised for Dispatcher {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        // Whoever waited has seen `Closed`; the store knows what was paid for.
        self.schedule = Schedule::new(self.to.workers.len());
        self.jobs.clear();
        self.calling = 0;
        self.armed = None;
        self.outbound.clear();
        self.records.clear();
        self.run = None;
        self.offers.clear();
        self.drains.clear();
    }
}

impl Handler<Prepare> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Prepare(run): Prepare, _ctx: &mut Self::Context) {
        self.run = Some(run);
        self.halted = None;
        self.out.fill(None);
    }
}

impl Handler<Offer> for Dispatcher {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Offer(rows): Offer, ctx: &mut Self::Context) -> Self::Result {
        let (credit, granted) = oneshot::channel();
        self.offers.push_back(credit);
        self.admit_page(rows, ctx);
        self.pump(ctx);
        Box::pin(async move { drop(granted.await) })
    }
}

impl Handler<Single> for Dispatcher {
    type Result = ResponseFuture<Result<Outcome, NoRoom>>;

    fn handle(&mut self, single: Single, ctx: &mut Self::Context) -> Self::Result {
        if self.schedule.queued() >= self.params.queue_depth.max(1) {
            return Box::pin(async { Err(NoRoom) });
        }
        let (reply, outcome) = oneshot::channel();
        self.admit_single(single, reply, ctx);
        self.pump(ctx);
        Box::pin(async move { outcome.await.unwrap_or(Err(NoRoom)) })
    }
}

impl Handler<Drain> for Dispatcher {
    type Result = ResponseActFuture<Self, Option<Halted>>;

    fn handle(&mut self, _: Drain, ctx: &mut Self::Context) -> Self::Result {
        let (reply, drained) = oneshot::channel();
        self.drains.push(reply);
        self.pump(ctx);
        Box::pin(drained.into_actor(self).map(|_, dispatcher, _| {
            dispatcher.run = None;
            dispatcher.halted.take() // single rows are judged on
        }))
    }
}

impl Handler<Halt> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Halt(why): Halt, ctx: &mut Self::Context) {
        self.halt(why);
        self.pump(ctx);
    }
}
