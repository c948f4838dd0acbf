//! One run over the table, from opening it to the report.

use std::convert::Infallible;
use std::sync::Arc;

use actix::prelude::*;
use tokio::time::Instant;

use super::cache::{BeginRun, EndRun, Pending};
use super::dispatcher::{Drain, Halt, Halted, Prepare, RunContext};
use super::error::RunError;
use super::event::Event;
use super::lifecycle::Engine;
use super::reader::{OpenSource, ReadEnd, ReadSource, SheetReader};
use super::report::{Failure, FailureKind, RunOutcome, RunReport};
use super::request::{Mode, RunRequest};
use super::writer::{Flush, Open, Record, Recorded, Writer};
use crate::domain::freshness::Freshness;
use crate::domain::results::Layout;
use crate::store::{RunStart, StoreError};
use crate::table::{SinkOptions, TableError};

/// Rows of one page of results that an earlier run left behind.
const PENDING_PAGE: usize = 200;

/// A run.
pub(super) struct Run<'a> {
    engine: &'a Engine,
    request: RunRequest,
    run_id: String,
    started: Instant,
}

impl<'a> Run<'a> {
    /// A run that has not begun.
    pub(super) fn new(engine: &'a Engine, request: RunRequest) -> Self {
        Self { engine, request, run_id: uuid::Uuid::now_v7().to_string(), started: Instant::now() }
    }

    /// Opens everything before anything is spent, reads and judges, writes, reports.
    pub(super) async fn execute(self) -> Result<RunReport, RunError> {
        let engine = self.engine;
        let (reader, writer) = self.tables()?;
        engine.bus.emit(Event::RunStarted { run: self.run_id.clone() });

        let columns = died("reader", reader.send(OpenSource(engine.columns.clone())).await)?
            .map_err(RunError::Source)?;
        let layout = Layout {
            identifier: columns.identifier.is_some(),
            project_manager: columns.project_manager.is_some(),
        };
        let options = SinkOptions { layout, language: engine.wording.language, today: engine.today() };
        if let Some(writer) = writer {
            died("writer", writer.send(Open(options.clone())).await)?.map_err(RunError::Target)?;
        }
        if self.request.mode != Mode::Plan {
            self.begin().await?;
        }
        if let (Some(writer), Mode::Full) = (writer, self.request.mode) {
            self.write_what_is_pending(writer, options).await?;
        }

        let judge = engine.judge(engine.as_of(self.request.as_of));
        let context = RunContext {
            run_id: self.run_id.clone(),
            judge: Arc::clone(&judge),
            freshness: Freshness {
                models: engine.providers.iter().map(|p| p.model.id().model.clone()).collect(),
                not_before: self.request.not_before,
                force: self.request.force,
            },
            mode: self.request.mode,
            only: self.request.only,
            limit: self.request.limit,
        };
        died("dispatcher", engine.dispatcher.send(Prepare(context)).await)?;
        let read = ReadSource {
            columns,
            judge,
            only_row: self.request.row.clone(),
            page_rows: engine.limits.page_rows,
            cancel: self.request.cancel.clone(),
        };
        let work = async {
            let read = died("reader", reader.send(read).await)?;
            Ok((read, died("dispatcher", engine.dispatcher.send(Drain).await)?))
        };
        let (read, halted) = tokio::select! {
            done = work => done?,
            never = self.halt_when_cancelled() => match never {},
        };

        let whole = self.is_whole() && matches!(read, Ok(ReadEnd::Complete)) && halted.is_none();
        let flushed = match writer {
            Some(writer) => {
                let mark_gone = whole.then_some(self.request.accept_shrink);
                self.flush(writer, mark_gone).await?
            }
            None => Ok(()),
        };
        self.end(read, halted, flushed.err()).await
    }

    fn tables(&self) -> Result<(&'a Addr<SheetReader>, Option<&'a Addr<Writer>>), RunError> {
        let reader = self.engine.reader.as_ref().ok_or(RunError::NoTable)?;
        let writer = match self.request.mode {
            Mode::Plan => None,
            Mode::Full | Mode::DryRun => Some(self.engine.writer.as_ref().ok_or(RunError::NoTable)?),
        };
        Ok((reader, writer))
    }

    /// True if every row of the source is looked at, so that a row of the results that is not there is gone.
    fn is_whole(&self) -> bool {
        self.request.limit.is_none()
            && self.request.only.is_none()
            && self.request.row.is_none()
            && self.request.mode == Mode::Full
    }

    async fn begin(&self) -> Result<(), RunError> {
        let start = RunStart {
            run_id: self.run_id.clone(),
            job: self.engine.job.clone(),
            source: self.engine.source.to_string(),
            target: self.engine.target.to_string(),
            owner: self.engine.owner,
            started: self.engine.clock.now(),
        };
        let begun = self.engine.cache.send(BeginRun(start, self.engine.unknown)).await;
        let recovery = kept(begun)?;
        if recovery.unanswered > 0 {
            self.engine.bus.emit(Event::Warning(format!(
                "{} calls of an earlier run ended without an answer and may have been paid for",
                recovery.unanswered
            )));
        }
        Ok(())
    }

    /// Results that an earlier run paid for and could not bring to the table come first: their source rows
    /// may have changed since.
    async fn write_what_is_pending(
        &self,
        writer: &Addr<Writer>,
        options: SinkOptions,
    ) -> Result<(), RunError> {
        let mut after = None;
        loop {
            let target = Arc::clone(&self.engine.target);
            let page = Pending { target, after: after.clone(), limit: PENDING_PAGE };
            let entries = kept(self.engine.cache.send(page).await)?;
            let Some(last) = entries.last() else { break };
            after = Some(last.row.key.clone());
            let rows = entries
                .into_iter()
                .map(|entry| Recorded { row: Arc::new(entry.row), write_id: Some(entry.write_id) })
                .collect();
            let record = Record(Arc::new(rows));
            // The writer is restarted at once if it dies over this; the rows are safe in the store.
            let mut sent = writer.send(record.clone()).await;
            if sent.is_err() && writer.connected() {
                sent = writer.send(record).await;
            }
            died("writer", sent)?.map_err(RunError::Target)?;
        }
        if after.is_some() {
            self.flush(writer, None).await?.map_err(RunError::Target)?;
            // Afresh, so that these keys do not count as rows of the present source.
            died("writer", writer.send(Open(options)).await)?.map_err(RunError::Target)?;
        }
        Ok(())
    }

    /// A wish to stop reaches the reader by itself, and the dispatcher through this.
    async fn halt_when_cancelled(&self) -> Infallible {
        self.request.cancel.cancelled().await;
        // If the dispatcher is gone, whoever waits for it says so.
        self.engine.dispatcher.send(Halt(Halted::Interrupted)).await.ok();
        std::future::pending().await
    }

    /// Flushes; a writer that dies over it is asked again, it still has the rows.
    async fn flush(
        &self,
        writer: &Addr<Writer>,
        mark_gone: Option<bool>,
    ) -> Result<Result<(), Arc<TableError>>, RunError> {
        loop {
            match writer.send(Flush { mark_gone }).await {
                Ok(flushed) => return Ok(flushed),
                Err(_) if writer.connected() => {}
                Err(_) => return Err(RunError::ActorDied("writer")),
            }
        }
    }

    async fn end(
        self,
        read: Result<ReadEnd, Arc<TableError>>,
        halted: Option<Halted>,
        unwritten: Option<Arc<TableError>>,
    ) -> Result<RunReport, RunError> {
        let tally = self.engine.bus.tally();
        let interrupted = matches!(read, Ok(ReadEnd::Cancelled)) || halted == Some(Halted::Interrupted);
        let failure = read
            .err()
            .map(|error| Failure { kind: FailureKind::Source, text: error.to_string() })
            .or(unwritten.map(|error| Failure { kind: FailureKind::Target, text: error.to_string() }))
            .or(halted.as_ref().and_then(Failure::of));
        let outcome = match failure {
            Some(_) => RunOutcome::Failed,
            None if interrupted => RunOutcome::Interrupted,
            None if tally.rows_not_checked > 0 => RunOutcome::Partial,
            None => RunOutcome::Ok,
        };
        let elapsed_s = self.started.elapsed().as_secs_f64();
        let report = RunReport {
            run_id: self.run_id.clone(),
            job: self.engine.job.clone(),
            outcome,
            rows_per_s: if elapsed_s > 0.0 { tally.rows_read as f64 / elapsed_s } else { 0.0 },
            elapsed_s,
            tally,
            failure,
        };
        if self.request.mode != Mode::Plan {
            let text = serde_json::to_string(&report).unwrap_or_default();
            let end = EndRun { run_id: self.run_id, outcome: outcome.as_str(), report: text };
            if let Err(error) = kept(self.engine.cache.send(end).await) {
                tracing::warn!(%error, "the run is not in the history");
            }
        }
        Ok(report)
    }
}

fn died<T>(actor: &'static str, reply: Result<T, MailboxError>) -> Result<T, RunError> {
    reply.map_err(|_| RunError::ActorDied(actor))
}

fn kept<T>(reply: Result<Result<T, Arc<StoreError>>, MailboxError>) -> Result<T, RunError> {
    died("cache", reply)?.map_err(RunError::Store)
}
