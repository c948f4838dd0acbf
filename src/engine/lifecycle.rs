//! The engine's thread: starts the actors bottom-up, serves commands, stops in phases.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::board::{Board, RunStatus};
use super::cache::{CacheActor, Close, Inspect, StoreFactory};
use super::clock::Clock;
use super::dispatcher::{Dispatcher, DispatcherParams, Drain, NoRoom, Single};
use super::error::{RunError, StartError, ValidateError};
use super::event::{Hub, Observer};
use super::handle::{Command, EngineHandle, Started};
use super::parts::{Limits, Parts, Placement};
use super::report::RunReport;
use super::request::RunRequest;
use super::run::{Run, left_today};
use super::station::{LIMB, MAILBOX, SPINE, Station, Stations, of_all};
use super::supervise::{supervise, supervise_in};
use crate::domain::entry::Entry;
use crate::domain::outcome::Outcome;
use crate::store::{Claim, Lock, LockError, Owner, Store};

/// How the engine ended.
#[derive(Clone, Debug, Default)]
pub struct ShutdownReport {
    /// True if everything inside was finished in time.
    pub clean: bool,
    /// A run that was under way, if one was.
    pub run: Option<RunReport>,
}

/// What every run of an engine shares.
pub(super) struct Engine {
    /// What the store had to say when it was opened.
    pub(super) notices: Vec<String>,
    /// This life of this process, in the ledger.
    pub(super) owner: Owner,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cache: Addr<CacheActor>,
    pub(super) dispatcher: Addr<Dispatcher>,
}

/// Starts the engine's thread and waits until its actors stand.
pub(super) fn start(jobs: Vec<Parts>) -> Result<(EngineHandle, std::thread::JoinHandle<()>), StartError> {
    check(&jobs)?;
    let Some(first) = jobs.first() else { return Err(StartError::Parts("an engine needs a job".into())) };
    let mut held = Held::default();
    held.take(&jobs)?;
    let shared = Shared::of(first)?;
    let (commands, inbox) = mpsc::unbounded_channel();
    let (ready, started) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("status-validator".into()).spawn(move || {
        let runtime = match runtime(shared.placement) {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(StartError::Thread(error)))),
        };
        System::with_tokio_rt(move || runtime).block_on(async move {
            let (serving, arbiter) = assemble(jobs, shared, held).await;
            if ready.send(Ok(Arc::clone(&serving.stations.board))).is_ok() {
                serving.serve(arbiter, inbox).await;
            }
        });
    })?;
    let died = || StartError::Thread(std::io::Error::other("the thread ended at once"));
    let board = started.recv().map_err(|_| died())??;
    Ok((EngineHandle::new(commands, board), thread))
}

fn check(jobs: &[Parts]) -> Result<(), StartError> {
    let is_empty =
        |limits: &Limits| limits.max_workers == 0 || limits.attempts == 0 || limits.batch_size == 0;
    if jobs.iter().any(|parts| is_empty(&parts.limits)) {
        return Err(StartError::Parts("max_workers, attempts and batch_size must be at least 1".into()));
    }
    let mut names: Vec<&str> = jobs.iter().map(|parts| parts.job.as_str()).collect();
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(one, other)| one == other) {
        Some((twice, _)) => Err(StartError::Parts(format!("there are two jobs «{twice}»"))),
        None => Ok(()),
    }
}

/// What all jobs have in common: the first one brings it.
struct Shared {
    store: Store,
    open: StoreFactory,
    observer: Option<Arc<dyn Observer>>,
    clock: Arc<dyn Clock>,
    placement: Placement,
    seed: Option<u64>,
}

impl Shared {
    fn of(first: &Parts) -> Result<Self, StartError> {
        Ok(Self {
            store: (first.store)()?,
            open: Arc::clone(&first.store),
            observer: first.observer.clone(),
            clock: Arc::clone(&first.clock),
            placement: first.placement,
            seed: first.seed,
        })
    }
}

/// What this engine alone works on, until it ends.
#[derive(Default)]
struct Held(Vec<(Claim, Lock)>);

impl Held {
    /// Takes what is not held yet.
    fn take(&mut self, jobs: &[Parts]) -> Result<(), LockError> {
        for claim in jobs.iter().flat_map(|parts| &parts.claims) {
            if !self.0.iter().any(|(known, _)| known == claim) {
                self.0.push((claim.clone(), claim.take(Duration::ZERO)?));
            }
        }
        Ok(())
    }
}

fn runtime(placement: Placement) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all();
    // Files and name look-ups; more threads would only cost memory.
    builder.max_blocking_threads(4);
    #[cfg(feature = "testing")]
    if placement == Placement::Paused {
        builder.start_paused(true);
    }
    let _ = placement;
    builder.build()
}

/// Starts the actors, the last of the chain first, so that every address exists before its sender.
async fn assemble(jobs: Vec<Parts>, shared: Shared, held: Held) -> (Serving, Option<Arbiter>) {
    let Shared { store, open, observer, clock, placement, seed } = shared;
    let hub = Hub::new(observer);
    let board = Arc::new(Board::new(hub.clone()));
    let notices = store.notices().iter().map(ToString::to_string).collect();
    let arbiter = (placement == Placement::OwnThread).then(Arbiter::new);
    let build = {
        let clock = Arc::clone(&clock);
        move |_: &mut Context<CacheActor>| CacheActor::new(store, open, clock)
    };
    let observer = of_all("cache", &hub);
    let cache = match &arbiter {
        Some(arbiter) => supervise_in(&arbiter.handle(), LIMB, observer, MAILBOX, build),
        None => supervise(LIMB, observer, MAILBOX, build),
    };
    let owner = Owner(uuid::Uuid::now_v7());
    let dispatcher = Dispatcher::new(DispatcherParams {
        owner,
        clock: Arc::clone(&clock),
        hub: hub.clone(),
        board: Arc::clone(&board),
        cache: cache.clone(),
        seed: seed.unwrap_or_else(|| fastrand::u64(..)),
    });
    let dispatcher = supervise(SPINE, of_all("dispatcher", &hub), MAILBOX, |_| dispatcher);
    let engine =
        Engine { notices, owner, clock: clock.clone(), cache: cache.clone(), dispatcher: dispatcher.clone() };
    let mut stations = Stations { hub, board, clock, cache, dispatcher, workers: 0, all: Vec::new() };
    stations.replace(jobs).await;
    (Serving { engine: Arc::new(engine), stations, runs: BTreeMap::new(), held }, arbiter)
}

/// The engine at work.
struct Serving {
    engine: Arc<Engine>,
    stations: Stations,
    /// The runs that are under way, by their ids.
    runs: BTreeMap<String, Running>,
    held: Held,
}

struct Running {
    station: Arc<Station>,
    cancel: CancellationToken,
    ended: oneshot::Receiver<Option<RunReport>>,
}

impl Serving {
    /// Serves commands until told to stop or until nobody can command any more, then stops in phases.
    async fn serve(mut self, arbiter: Option<Arbiter>, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let (grace, reply) = loop {
            let Some(command) = inbox.recv().await else { break (Duration::from_secs(30), None) };
            self.runs.retain(|_, run| run.ended.is_empty() && !run.ended.is_terminated());
            match command {
                // Who asked may have gone, with each of these.
                Command::Validate { job, entry, reply } => self.validate(job.as_deref(), *entry, reply),
                Command::Run { request, reply } => drop(reply.send(self.run(*request))),
                Command::Cancel { run, reply } => drop(reply.send(self.cancel(&run))),
                Command::Replace { jobs, reply } => drop(reply.send(self.replace(jobs).await)),
                Command::Inspect(look) => {
                    let cache = self.engine.cache.clone();
                    actix_rt::spawn(async move { cache.send(Inspect(look)).await.ok() });
                }
                Command::Shutdown { grace, reply } => break (grace, Some(reply)),
            }
        };
        inbox.close();
        let report = self.stop(arbiter, grace).await;
        if let Some(reply) = reply {
            drop(reply.send(report));
        }
    }

    /// Starts a run, unless one of the same job is under way.
    fn run(&mut self, request: RunRequest) -> Result<Started, RunError> {
        let Some(station) = self.stations.of(request.job.as_deref()) else {
            return Err(RunError::UnknownJob(request.job.unwrap_or_default()));
        };
        if self.runs.values().any(|run| run.station.desk.job == station.desk.job) {
            return Err(RunError::AlreadyRunning);
        }
        let (station, cancel) = (Arc::clone(station), request.cancel.clone());
        let run_id = uuid::Uuid::now_v7().to_string();
        let run = Run::new(Arc::clone(&self.engine), Arc::clone(&station), request, run_id.clone());
        let board = Arc::clone(&self.stations.board);
        board.show_run(
            &station.desk,
            Some(RunStatus { run_id: run_id.clone(), since: self.engine.clock.now() }),
        );
        let task = actix_rt::spawn(run.execute());
        let (reply, report) = oneshot::channel();
        let (done, ended) = oneshot::channel();
        let shown = Arc::clone(&station);
        actix_rt::spawn(async move {
            let result = task.await.unwrap_or(Err(RunError::ActorDied("run")));
            board.show_run(&shown.desk, None);
            done.send(result.as_ref().ok().cloned()).ok(); // read at shutdown only
            reply.send(result).ok(); // who asked may have gone
        });
        self.runs.insert(run_id.clone(), Running { station, cancel, ended });
        Ok(Started { run_id, report })
    }

    /// Ends a run early. False if it is not under way.
    fn cancel(&self, run: &str) -> bool {
        let found = self.runs.get(run);
        if let Some(run) = found {
            run.cancel.cancel();
        }
        found.is_some()
    }

    fn validate(
        &self,
        job: Option<&str>,
        entry: Entry,
        reply: oneshot::Sender<Result<Outcome, ValidateError>>,
    ) {
        let Some(station) = self.stations.of(job).cloned() else {
            return drop(reply.send(Err(ValidateError::UnknownJob(job.unwrap_or_default().to_owned()))));
        };
        let engine = Arc::clone(&self.engine);
        actix_rt::spawn(async move { reply.send(engine.validate(&station, entry).await).ok() });
    }

    /// From now on these are the jobs.
    async fn replace(&mut self, jobs: Vec<Parts>) -> Result<(), StartError> {
        check(&jobs)?;
        self.held.take(&jobs)?;
        self.stations.replace(jobs).await;
        Ok(())
    }

    /// Phases: let runs end, let single rows end, close the store, join its thread. Each has what is left
    /// of the grace; the store is closed in any case, and last.
    async fn stop(self, arbiter: Option<Arbiter>, grace: Duration) -> ShutdownReport {
        let far = Duration::from_secs(365 * 24 * 3600); // an endless grace is no overflow
        let deadline = Instant::now() + grace.min(far);
        let mut report = ShutdownReport { clean: true, run: None };
        self.runs.values().for_each(|run| run.cancel.cancel());
        for run in self.runs.into_values() {
            match in_time(deadline, "a run", run.ended).await {
                Some(ended) => report.run = ended.ok().flatten().or(report.run),
                None => report.clean = false,
            }
        }
        if in_time(deadline, "single rows", self.engine.dispatcher.send(Drain)).await.is_none() {
            report.clean = false;
        }
        // The store's own thread needs no grace: its work is short and must not be cut.
        self.engine.cache.send(Close).await.ok(); // an error means it is gone already
        if let Some(arbiter) = arbiter {
            arbiter.stop();
            report.clean &= arbiter.join().is_ok();
        }
        report // what is held is let go now, not before the store is closed
    }
}

/// Waits for a phase, and says every five seconds who is still at work.
async fn in_time<T>(deadline: Instant, phase: &str, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    loop {
        let next = deadline.min(Instant::now() + Duration::from_secs(5));
        match tokio::time::timeout_at(next, &mut work).await {
            Ok(done) => return Some(done),
            Err(_) if Instant::now() >= deadline => {
                tracing::error!(phase, "not finished in time; the next run goes on from what is kept");
                return None;
            }
            Err(_) => tracing::info!(phase, "still at work"),
        }
    }
}

impl Engine {
    async fn validate(&self, station: &Station, entry: Entry) -> Result<Outcome, ValidateError> {
        let desk = Arc::clone(&station.desk);
        let left_today =
            left_today(self, &desk).await.map_err(|error| ValidateError::Store(error.to_string()))?;
        let single = Single { entry, judge: desk.judge(None), desk, left_today };
        match self.dispatcher.send(single).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(NoRoom)) => Err(ValidateError::Busy { retry_after: Duration::from_secs(1) }),
            Err(_closed) => Err(ValidateError::ShuttingDown),
        }
    }
}
