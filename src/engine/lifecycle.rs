//! The engine's thread: starts the actors bottom-up, serves commands, stops in phases.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cache::{CacheActor, Close};
use super::clock::Clock;
use super::dispatcher::{Dispatcher, DispatcherParams, Downstream, Drain, NoRoom, Single};
use super::error::{RunError, StartError, ValidateError};
use super::event::{Bus, Event};
use super::handle::Command;
use super::parts::{Limits, Parts, Placement, Provider};
use super::reader::SheetReader;
use super::report::RunReport;
use super::run::Run;
use super::supervise::{Exit, RestartPolicy, supervise, supervise_in};
use super::worker::LlmWorker;
use super::writer::{Writer, WriterParams};
use crate::domain::columns::ColumnNames;
use crate::domain::entry::Entry;
use crate::domain::judge::Judge;
use crate::domain::outcome::Outcome;
use crate::domain::results::Wording;
use crate::domain::rules::Rulebook;
use crate::llm::lane::LaneMemory;
use crate::store::{Lock, LockError, Owner, Store, Unknown};
use crate::table::TableSink;

/// Limbs come back quickly and often: a row that kills workers is given up long before its worker is.
const LIMB: RestartPolicy = RestartPolicy {
    budget: 100,
    window: Duration::from_secs(60),
    pause: Duration::from_millis(100),
    max_pause: Duration::from_secs(5),
};
/// The spine comes back for the next run; the present one ends.
const SPINE: RestartPolicy = RestartPolicy { budget: 20, ..LIMB };

/// One message in flight for each sender is what the protocol allows; a little more costs nothing.
const MAILBOX: usize = 16;

/// How the engine ended.
#[derive(Clone, Debug, Default)]
pub struct ShutdownReport {
    /// True if everything inside was finished in time.
    pub clean: bool,
    /// The run that was under way, if one was.
    pub run: Option<RunReport>,
}

/// What every run of an engine shares.
pub(super) struct Engine {
    pub(super) rulebook: Arc<Rulebook>,
    pub(super) allowed_statuses: Vec<String>,
    pub(super) columns: ColumnNames,
    pub(super) wording: Wording,
    pub(super) as_of: Option<jiff::civil::Date>,
    pub(super) job: String,
    /// What the store had to say when it was opened.
    pub(super) notices: Vec<String>,
    /// This life of this process, in the ledger.
    pub(super) owner: Owner,
    pub(super) unknown: Unknown,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) bus: Bus,
    pub(super) providers: Arc<Vec<Provider>>,
    pub(super) source: Arc<str>,
    pub(super) target: Arc<str>,
    pub(super) cache: Addr<CacheActor>,
    pub(super) writer: Option<Addr<Writer>>,
    pub(super) preview: Option<Addr<Writer>>,
    pub(super) dispatcher: Addr<Dispatcher>,
    pub(super) reader: Option<Addr<SheetReader>>,
}

/// Starts the engine's thread and waits until its actors stand.
pub(super) fn start(
    parts: Parts,
) -> Result<(mpsc::UnboundedSender<Command>, Bus, std::thread::JoinHandle<()>), StartError> {
    if parts.limits.max_workers == 0 || parts.limits.attempts == 0 || parts.limits.batch_size == 0 {
        return Err(StartError::Parts("max_workers, attempts and batch_size must be at least 1".into()));
    }
    let held: Result<Vec<Lock>, LockError> =
        parts.claims.iter().map(|claim| claim.take(Duration::ZERO)).collect();
    let held = held?;
    let store = (parts.store)()?;
    let (commands, inbox) = mpsc::unbounded_channel();
    let (ready, started) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("status-validator".into()).spawn(move || {
        let runtime = match runtime(parts.placement) {
            Ok(runtime) => runtime,
            Err(error) => return drop(ready.send(Err(StartError::Thread(error)))),
        };
        System::with_tokio_rt(move || runtime).block_on(async move {
            let bus = Bus::new(&parts.job, parts.observer.clone());
            let (engine, arbiter) = assemble(parts, store, bus.clone());
            if ready.send(Ok(bus)).is_ok() {
                serve(Arc::new(engine), arbiter, inbox).await;
            }
        });
        drop(held); // not before the store is closed
    })?;
    let died = || StartError::Thread(std::io::Error::other("the thread ended at once"));
    let bus = started.recv().map_err(|_| died())??;
    Ok((commands, bus, thread))
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
fn assemble(parts: Parts, store: Store, bus: Bus) -> (Engine, Option<Arbiter>) {
    let Parts { source, sink, preview, limits, clock, .. } = parts;
    bus.set_max_workers(limits.max_workers);
    let notices = store.notices().iter().map(ToString::to_string).collect();
    let source_name: Arc<str> = source.as_ref().map(|s| s.name()).unwrap_or_default().into();
    let target: Arc<str> = sink.as_ref().map(|s| s.name()).unwrap_or_default().into();
    let providers = Arc::new(parts.providers);
    // What cannot be read is found out again.
    let recall = |provider: &Provider| store.recall(&provider.memory_key()).ok().flatten();
    let memories = providers.iter().map(|provider| LaneMemory::read(&recall(provider)?.json)).collect();

    let arbiter = (parts.placement == Placement::OwnThread).then(Arbiter::new);
    let build = {
        let (open, clock) = (Arc::clone(&parts.store), Arc::clone(&clock));
        move |_: &mut Context<CacheActor>| CacheActor::new(store, open, clock)
    };
    let observer = observer("cache", &bus);
    let cache = match &arbiter {
        Some(arbiter) => supervise_in(&arbiter.handle(), LIMB, observer, MAILBOX, build),
        None => supervise(LIMB, observer, MAILBOX, build),
    };
    let writer = |sink: Box<dyn TableSink>| {
        let params = WriterParams {
            batch_size: limits.batch_size,
            commit_interval: limits.commit_interval,
            patience: limits.sink_patience,
        };
        let actor = Writer::new(sink, cache.clone(), params, bus.clone());
        supervise(LIMB, self::observer("writer", &bus), MAILBOX, |_| actor)
    };
    let (writer, preview) = (sink.map(writer), preview.map(writer));
    let workers = (0..limits.max_workers)
        .map(|number| {
            let actor = LlmWorker::new(number, bus.clone());
            supervise(LIMB, self::observer("worker", &bus), MAILBOX, |_| actor)
        })
        .collect();
    let owner = Owner(uuid::Uuid::now_v7());
    let params = DispatcherParams {
        owner,
        attempts: limits.attempts,
        queue_depth: limits.queue_depth,
        batch_size: limits.batch_size,
        call_deadline: limits.call_deadline,
        row_deadline: limits.row_deadline,
        job: parts.job.clone(),
        wording: parts.wording.clone(),
        seed: parts.seed.unwrap_or_else(|| fastrand::u64(..)),
    };
    let to = Downstream { cache: cache.clone(), workers };
    let dispatcher = Dispatcher::new(
        params,
        to,
        Arc::clone(&target),
        Arc::clone(&providers),
        memories,
        Arc::clone(&clock),
        bus.clone(),
    );
    let dispatcher = supervise(SPINE, self::observer("dispatcher", &bus), MAILBOX, |_| dispatcher);
    let reader = source.map(|source| {
        let actor = SheetReader::new(source, dispatcher.clone(), bus.clone());
        supervise(SPINE, self::observer("reader", &bus), MAILBOX, |_| actor)
    });
    let engine = Engine {
        rulebook: parts.rulebook,
        allowed_statuses: parts.allowed_statuses,
        columns: parts.columns,
        wording: parts.wording,
        as_of: parts.as_of,
        job: parts.job,
        notices,
        owner,
        unknown: parts.unknown,
        limits,
        clock,
        bus,
        providers,
        source: source_name,
        target,
        cache,
        writer,
        preview,
        dispatcher,
        reader,
    };
    (engine, arbiter)
}

/// Turns an actor's exits into events.
fn observer(actor: &'static str, bus: &Bus) -> impl Fn(Exit) + Send + use<> {
    let bus = bus.clone();
    move |exit| match exit {
        Exit::Restarting { panic } => {
            tracing::warn!(actor, panic = panic.as_deref().unwrap_or("none"), "actor restarts");
            bus.emit(Event::Restarted { actor, panic });
        }
        Exit::GivenUp { panic } => {
            tracing::error!(actor, panic = panic.as_deref().unwrap_or("none"), "actor is given up");
            bus.emit(Event::GivenUp { actor });
        }
    }
}

/// Serves commands until told to stop or until nobody can command any more, then stops in phases.
async fn serve(engine: Arc<Engine>, arbiter: Option<Arbiter>, mut inbox: mpsc::UnboundedReceiver<Command>) {
    let mut run: Option<Running> = None;
    let (grace, reply) = loop {
        let Some(command) = inbox.recv().await else { break (Duration::from_secs(30), None) };
        match command {
            Command::Validate { entry, reply } => {
                let engine = Arc::clone(&engine);
                actix_rt::spawn(async move { reply.send(engine.validate(*entry).await).ok() });
            }
            Command::Run { reply, .. } if run.as_ref().is_some_and(Running::is_under_way) => {
                drop(reply.send(Err(RunError::AlreadyRunning)));
            }
            Command::Run { request, reply } => {
                let cancel = request.cancel.clone();
                let engine = Arc::clone(&engine);
                let task = actix_rt::spawn(async move { Run::new(&engine, *request).execute().await });
                let (done, ended) = oneshot::channel();
                actix_rt::spawn(async move {
                    let result = task.await.unwrap_or(Err(RunError::ActorDied("run")));
                    done.send(result.as_ref().ok().cloned()).ok(); // read at shutdown only
                    reply.send(result).ok(); // who asked may have gone
                });
                run = Some(Running { cancel, ended });
            }
            Command::Shutdown { grace, reply } => break (grace, Some(reply)),
        }
    };
    inbox.close();
    let report = stop(&engine, arbiter, run, grace).await;
    if let Some(reply) = reply {
        drop(reply.send(report));
    }
}

struct Running {
    cancel: CancellationToken,
    ended: oneshot::Receiver<Option<RunReport>>,
}

impl Running {
    fn is_under_way(&self) -> bool {
        self.ended.is_empty() && !self.ended.is_terminated()
    }
}

/// Phases: let the run end, let single rows end, close the store, join its thread. Each has what is left
/// of the grace; the store is closed in any case, and last.
async fn stop(
    engine: &Engine,
    arbiter: Option<Arbiter>,
    run: Option<Running>,
    grace: Duration,
) -> ShutdownReport {
    let far = Duration::from_secs(365 * 24 * 3600); // an endless grace is no overflow
    let deadline = Instant::now() + grace.min(far);
    let mut report = ShutdownReport { clean: true, run: None };
    if let Some(run) = run {
        run.cancel.cancel();
        match in_time(deadline, "the run", run.ended).await {
            Some(ended) => report.run = ended.ok().flatten(),
            None => report.clean = false,
        }
    }
    if in_time(deadline, "single rows", engine.dispatcher.send(Drain)).await.is_none() {
        report.clean = false;
    }
    // The store's own thread needs no grace: its work is short and must not be cut.
    engine.cache.send(Close).await.ok(); // an error means it is gone already
    if let Some(arbiter) = arbiter {
        arbiter.stop();
        report.clean &= arbiter.join().is_ok();
    }
    report
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
    /// The report date: asked for, configured, or today.
    pub(super) fn as_of(&self, asked: Option<jiff::civil::Date>) -> jiff::civil::Date {
        asked.or(self.as_of).unwrap_or_else(|| self.today())
    }

    /// Today in the configured time zone.
    pub(super) fn today(&self) -> jiff::civil::Date {
        self.clock.now().to_zoned_datetime(self.wording.timezone.clone()).date()
    }

    /// The judge for a report date.
    pub(super) fn judge(&self, as_of: jiff::civil::Date) -> Arc<Judge> {
        Arc::new(Judge::new(
            Arc::clone(&self.rulebook),
            self.allowed_statuses.clone(),
            self.wording.language,
            as_of,
        ))
    }

    async fn validate(&self, entry: Entry) -> Result<Outcome, ValidateError> {
        let judge = self.judge(self.as_of(None));
        match self.dispatcher.send(Single { entry, judge }).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(NoRoom)) => Err(ValidateError::Busy { retry_after: Duration::from_secs(1) }),
            Err(_closed) => Err(ValidateError::ShuttingDown),
        }
    }
}
