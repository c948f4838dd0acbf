//! Writer: brings results to the table, a batch at a time.
//!
//! - Owns: the sink, the rows that are not written yet, the outbox entries that are not confirmed yet.
//! - Receives: [`Open`], [`Record`], [`Flush`], [`CloseTable`]. Sends: `NoteCommit` to the cache around a commit
//!   whose effect may come late, `Confirm` after one.
//! - Bound: the batch on the wire and the one that gathers; the reply to `Record` is withheld while the
//!   latter is full, and its sender sends no further one meanwhile.
//! - On panic: nothing is lost. The sink lives on, the batch on the wire goes again (rows are found by key),
//!   and who waited for a reply sends again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;

use super::batch::Batch;
use super::cache::{CacheActor, CommitUnderWay, Confirm, NoteCommit, persist};
use super::event::{Bus, Event};
use super::supervise::panic_text;
use crate::domain::foreign::ForeignVerdicts;
use crate::domain::key::RowKey;
use crate::domain::results::ResultRow;
use crate::fault::{self, Point};
use crate::store::WriteId;
use crate::table::{Committed, SinkOptions, TableError, TableSink};

/// Get ready for a run. The reply means the table can be written, and gives what another tool judged in it.
#[derive(Message)]
#[rtype(result = "Result<ForeignVerdicts, Arc<TableError>>")]
pub(crate) struct Open(pub(crate) SinkOptions);

/// Bring these rows to the table. The reply means they are taken; it is withheld while there is no room.
/// Sending the same rows again is harmless.
#[derive(Message, Clone)]
#[rtype(result = "Result<(), Arc<TableError>>")]
pub(crate) struct Record(pub(crate) Arc<Vec<Recorded>>);

/// A row for the table, and its outbox entry where it has one.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) row: Arc<ResultRow>,
    pub(crate) write_id: Option<WriteId>,
}

/// Write everything. The reply means every row taken so far is durable in the table.
#[derive(Message)]
#[rtype(result = "Result<(), Arc<TableError>>")]
pub(crate) struct Flush {
    /// Set after a whole source was read: rows that were not in it are marked. The value says whether
    /// nearly all may be.
    pub(crate) mark_gone: Option<bool>,
}

/// The run is over and everything is written. The reply means the table is left as people shall find it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CloseTable;

/// How the writer works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriterParams {
    /// Rows of a batch.
    pub(crate) batch_size: usize,
    /// The shortest time between two commits of a run; a commit that takes long makes it longer.
    pub(crate) commit_interval: Duration,
    /// How long an unavailable table is waited for.
    pub(crate) patience: Duration,
}

/// A commit that takes a second is repeated every twenty at most: writing stays under 5 % of the time.
const COMMIT_SHARE: u32 = 20;
/// The first results are seen soon; the longer a run has lasted, the fewer commits it makes, down to one a minute.
const COMMIT_GROWTH: u32 = 2;
const RAREST_COMMIT: Duration = Duration::from_secs(60);
/// The pause before an unavailable table is tried again; doubles up to the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// The actor.
pub(crate) struct Writer {
    sink: Arc<Mutex<Box<dyn TableSink>>>,
    target: Arc<str>,
    cache: Addr<CacheActor>,
    params: WriterParams,
    bus: Bus,
    batch: Batch<Recorded>,
    /// Outbox entries whose rows the sink has taken but not committed.
    uncommitted: Vec<(RowKey, WriteId)>,
    dirty: bool,
    credits: VecDeque<Reply>,
    flush: Option<Flushing>,
    opened: Instant,
    last_commit: Instant,
    commit_took: Duration,
    /// Since when the table has been unavailable, and the next pause.
    trouble: Option<(Instant, Duration)>,
    failed: Option<Arc<TableError>>,
    /// Counts openings: what an earlier one began has no say any more.
    opening: u64,
}

type Reply = oneshot::Sender<Result<(), Arc<TableError>>>;

struct Flushing {
    mark_gone: Option<bool>,
    reply: Reply,
}

impl Writer {
    /// A writer for this sink.
    pub(crate) fn new(
        sink: Box<dyn TableSink>,
        cache: Addr<CacheActor>,
        params: WriterParams,
        bus: Bus,
    ) -> Self {
        Self {
            target: sink.name().into(),
            sink: Arc::new(Mutex::new(sink)),
            cache,
            batch: Batch::new(params.batch_size),
            params,
            bus,
            uncommitted: Vec::new(),
            dirty: false,
            credits: VecDeque::new(),
            flush: None,
            opened: Instant::now(),
            last_commit: Instant::now(),
            commit_took: Duration::ZERO,
            trouble: None,
            failed: None,
            opening: 0,
        }
    }
}

impl Actor for Writer {
    type Context = Context<Self>;
}

impl Supervised for Writer {
    fn restarting(&mut self, ctx: &mut Self::Context) {
        self.batch.put_back();
        self.credits.clear(); // answered as taken: the rows are in the batch
        self.pump(ctx);
    }
}

impl Handler<Open> for Writer {
    type Result = ResponseFuture<Result<ForeignVerdicts, Arc<TableError>>>;

    fn handle(&mut self, Open(mut options): Open, _ctx: &mut Self::Context) -> Self::Result {
        self.batch.clear();
        self.uncommitted.clear();
        self.dirty = false;
        self.flush = None;
        self.trouble = None;
        self.failed = None;
        self.opening += 1;
        self.opened = Instant::now();
        self.last_commit = self.opened;
        let (sink, bus) = (Arc::clone(&self.sink), self.bus.clone());
        let (cache, target) = (self.cache.clone(), Arc::clone(&self.target));
        Box::pin(async move {
            let mut sink = sink.lock().await;
            if !sink.settles_within().is_zero() {
                // A store that cannot say is no reason to write rashly: as if one were just under way.
                options.unsettled =
                    persist(cache, CommitUnderWay(target)).await.unwrap_or(Some(Duration::ZERO));
            }
            let opened = sink.open(&options).await;
            bus.table_requests(sink.take_requests());
            opened.map_err(Arc::new)?;
            Ok(sink.foreign_verdicts())
        })
    }
}

impl Handler<CloseTable> for Writer {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: CloseTable, _ctx: &mut Self::Context) -> Self::Result {
        let (sink, bus, target) = (Arc::clone(&self.sink), self.bus.clone(), Arc::clone(&self.target));
        Box::pin(async move {
            let mut sink = sink.lock().await;
            if let Err(error) = sink.close().await {
                tracing::warn!(%target, %error, "the results are written, but something is left behind for the next run");
            }
            bus.table_requests(sink.take_requests());
        })
    }
}

impl Handler<Record> for Writer {
    type Result = ResponseFuture<Result<(), Arc<TableError>>>;

    fn handle(&mut self, Record(rows): Record, ctx: &mut Self::Context) -> Self::Result {
        if let Some(error) = &self.failed {
            let error = Arc::clone(error);
            return Box::pin(async move { Err(error) });
        }
        self.batch.take(rows.iter().cloned());
        self.bus.emit(Event::Taken { rows: rows.len() });
        let (reply, taken) = oneshot::channel();
        self.credits.push_back(reply);
        self.pump(ctx);
        Box::pin(async move { taken.await.unwrap_or(Ok(())) })
    }
}

impl Handler<Flush> for Writer {
    type Result = ResponseFuture<Result<(), Arc<TableError>>>;

    fn handle(&mut self, flush: Flush, ctx: &mut Self::Context) -> Self::Result {
        let (reply, done) = oneshot::channel();
        self.flush = Some(Flushing { mark_gone: flush.mark_gone, reply });
        self.pump(ctx);
        let target = Arc::clone(&self.target);
        Box::pin(async move {
            done.await.unwrap_or_else(|_| {
                let detail = "a later request took the place of this one".to_owned();
                Err(Arc::new(TableError::Unavailable {
                    table: target.to_string(),
                    detail,
                    retry_after: None,
                }))
            })
        })
    }
}

/// What a visit to the sink was for.
struct Visit {
    rows: Vec<Recorded>,
    commit: bool,
    mark_gone: Option<bool>,
}

impl Writer {
    /// Does what can be done now: answers who waits for room, starts the next visit to the sink.
    fn pump(&mut self, ctx: &mut Context<Self>) {
        if self.batch.is_busy() {
            return self.grant();
        }
        if let Some(error) = self.failed.clone() {
            self.credits.drain(..).for_each(|reply| answer(reply, Err(Arc::clone(&error))));
            if let Some(flushing) = self.flush.take() {
                answer(flushing.reply, Err(error));
            }
            return;
        }
        let flushing = self.flush.is_some();
        let rows = self.batch.start(flushing).unwrap_or_default();
        self.grant();
        let interval = self.commit_interval();
        let mark_gone = self.flush.as_mut().and_then(|flush| flush.mark_gone);
        let last = flushing && self.batch.is_last();
        let overdue = self.dirty && self.last_commit.elapsed() >= interval;
        let commit = if last { self.dirty || !rows.is_empty() || mark_gone.is_some() } else { overdue };
        if rows.is_empty() && !commit {
            if let Some(flushing) = self.flush.take() {
                answer(flushing.reply, Ok(()));
            }
            return;
        }
        self.batch.set_busy();
        self.visit(Visit { rows, commit, mark_gone: mark_gone.filter(|_| last) }, ctx);
    }

    fn commit_interval(&self) -> Duration {
        let grown = (self.opened.elapsed() / COMMIT_GROWTH).min(RAREST_COMMIT);
        self.params.commit_interval.max(self.commit_took * COMMIT_SHARE).max(grown)
    }

    /// Lets in who waits, as far as there is room.
    fn grant(&mut self) {
        if self.batch.has_room() {
            self.credits.drain(..).for_each(|reply| answer(reply, Ok(())));
        }
    }

    fn visit(&mut self, visit: Visit, ctx: &mut Context<Self>) {
        let sink = Arc::clone(&self.sink);
        let rows: Vec<ResultRow> = visit.rows.iter().map(|recorded| (*recorded.row).clone()).collect();
        let (commit, mark_gone, opening) = (visit.commit, visit.mark_gone, self.opening);
        let (cache, target, bus) = (self.cache.clone(), Arc::clone(&self.target), self.bus.clone());
        // A task of its own: a sink that panics is an error, and one that is slow outlives our restart
        // with the lock held, so that visits never overlap.
        let task = actix_rt::spawn(async move {
            let started = Instant::now();
            let mut sink = sink.lock().await;
            if !rows.is_empty() {
                sink.upsert(&rows).await?;
            }
            if let Some(accept_shrink) = mark_gone {
                sink.mark_gone(accept_shrink).await?;
            }
            let committed = if commit || sink.is_full() {
                let committed = commit_noted(sink.as_mut(), cache, target).await;
                bus.table_requests(sink.take_requests());
                Some(committed?)
            } else {
                None
            };
            Ok((committed, started.elapsed()))
        });
        ctx.spawn(task.into_actor(self).map(move |ended, writer, ctx| {
            if writer.opening != opening {
                return;
            }
            let ended = ended.unwrap_or_else(|join| {
                // What a panic says may hold anything: it is for the log, not for a report.
                let detail = match join.try_into_panic() {
                    Ok(panic) => {
                        tracing::error!(table = %writer.target, panic = panic_text(panic.as_ref()), "panic");
                        "its code panicked, told in the log".to_owned()
                    }
                    Err(_cancelled) => "the write was cancelled".to_owned(),
                };
                Err(TableError::Unavailable { table: writer.target.to_string(), detail, retry_after: None })
            });
            match ended {
                Ok((committed, took)) => writer.arrived(visit, committed, took),
                Err(error) => return writer.troubled(error, ctx),
            }
            writer.pump(ctx);
        }));
    }

    fn arrived(&mut self, visit: Visit, committed: Option<Committed>, took: Duration) {
        self.trouble = None;
        let rows = self.batch.arrived();
        self.dirty |= !rows.is_empty();
        let with_entry = rows.into_iter().filter_map(|r| Some((r.row.key.clone(), r.write_id?)));
        self.uncommitted.extend(with_entry);
        let Some(committed) = committed else { return };
        self.dirty = false;
        self.last_commit = Instant::now();
        self.commit_took = took;
        if visit.mark_gone.is_some()
            && let Some(flush) = &mut self.flush
        {
            flush.mark_gone = None;
        }
        self.report(committed);
        let entries = std::mem::take(&mut self.uncommitted);
        if !entries.is_empty() {
            let confirm = Confirm { target: Arc::clone(&self.target), entries };
            // Unconfirmed entries are only written once more by the next run: nobody waits for this.
            actix_rt::spawn(self.cache.send(confirm));
        }
    }

    fn report(&self, committed: Committed) {
        let Committed { written, unchanged, marked_gone, shrink_refused, warnings } = committed;
        self.bus.emit(Event::Committed { written, unchanged, marked_gone });
        warnings.into_iter().for_each(|text| self.bus.emit(Event::Warning(text)));
        if shrink_refused > 0 {
            self.bus.emit(Event::Warning(format!(
                "{}: {shrink_refused} rows, nearly all, are no longer in the source; none was marked as gone. \
                 If the source is right, run again with --accept-shrink",
                self.target
            )));
        }
    }

    /// The visit failed: try again after a pause, or give the table up. The rows stay with us either way.
    fn troubled(&mut self, error: TableError, ctx: &mut Context<Self>) {
        self.batch.put_back();
        let (since, pause) = self.trouble.unwrap_or((Instant::now(), FIRST_PAUSE));
        let next_pause = (pause * 2).min(LONGEST_PAUSE);
        let pause = match &error {
            TableError::Unavailable { retry_after: Some(asked), .. } => pause.max(*asked),
            _ => pause,
        };
        if !error.is_transient() || since.elapsed() + pause > self.params.patience {
            tracing::error!(table = %self.target, %error, "results cannot be written; they are kept for the next run");
            self.failed = Some(Arc::new(error));
            return self.pump(ctx);
        }
        tracing::warn!(table = %self.target, %error, ?pause, "results cannot be written yet");
        self.trouble = Some((since, next_pause));
        self.batch.set_busy(); // nothing else goes out during the pause
        let opening = self.opening;
        ctx.run_later(pause, move |writer, ctx| {
            if writer.opening == opening {
                writer.batch.put_back();
                writer.pump(ctx);
            }
        });
    }
}

/// Commits; where the effect may come late, the store knows as long as it may.
async fn commit_noted(
    sink: &mut dyn TableSink,
    cache: Addr<CacheActor>,
    target: Arc<str>,
) -> Result<Committed, TableError> {
    if sink.settles_within().is_zero() {
        let committed = sink.commit().await;
        fault::pass(Point::TableVerified);
        return committed;
    }
    let note = |under_way| {
        let note = persist(cache.clone(), NoteCommit { target: Arc::clone(&target), under_way });
        async move {
            if let Err(error) = note.await {
                tracing::warn!(%error, "the store does not know whether a write is under way");
            }
        }
    };
    note(true).await;
    let committed = sink.commit().await;
    fault::pass(Point::TableVerified);
    if committed.is_ok() || sink.is_settled() {
        note(false).await;
    }
    committed
}

/// Answers who asked; that they are gone does not matter.
fn answer<T>(reply: oneshot::Sender<T>, value: T) {
    drop(reply.send(value));
}
