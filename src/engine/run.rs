//! One run over the table, from opening it to the report.

use std::convert::Infallible;
use std::sync::Arc;

use actix::prelude::*;
use tokio::time::Instant;

use super::advice::advice;
use super::cache::{BeginRun, EndRun, HasAnswers, Pending, SpentSince, persist};
use super::desk::Desk;
use super::dispatcher::{FinishRun, Halt, Halted, NoRun, Prepare, RunContext};
use super::error::RunError;
use super::event::Event;
use super::lifecycle::Engine;
use super::reader::{OpenSource, ReadEnd, ReadSource, SheetReader};
use super::report::{Failure, FailureKind, RunOutcome, RunReport};
use super::request::{Mode, RunRequest};
use super::schedule::LineId;
use super::station::Station;
use super::writer::{CloseTable, Flush, Open, Record, Recorded, Writer};
use crate::domain::columns::Columns;
use crate::domain::foreign::ForeignVerdicts;
use crate::domain::freshness::Freshness;
use crate::domain::money::MicroUsd;
use crate::domain::results::Layout;
use crate::fault::{self, Point};
use crate::store::{RunStart, StoreError};
use crate::table::{SinkOptions, TableError};

/// Rows of one page of results that an earlier run left behind.
const PENDING_PAGE: usize = 200;

/// A run.
pub(super) struct Run {
    engine: Arc<Engine>,
    station: Arc<Station>,
    request: RunRequest,
    run_id: String,
    started: Instant,
}

impl Run {
    /// A run that has not begun.
    pub(super) fn new(
        engine: Arc<Engine>,
        station: Arc<Station>,
        request: RunRequest,
        run_id: String,
    ) -> Self {
        Self { engine, station, request, run_id, started: Instant::now() }
    }

    /// Opens everything before anything is spent, reads and judges, writes, reports.
    pub(super) async fn execute(self) -> Result<RunReport, RunError> {
        let (reader, writer) = self.tables()?;
        self.desk().bus.emit(Event::RunStarted { run: self.run_id.clone() });
        let ended = self.carry_out(&reader, writer.as_ref()).await;
        self.desk().bus.emit(Event::RunEnded {
            run: self.run_id.clone(),
            trigger: self.request.trigger,
            outcome: ended.as_ref().map_or(RunOutcome::Failed, |report| report.outcome),
            took: self.started.elapsed(),
        });
        ended
    }

    async fn carry_out(
        &self,
        reader: &Addr<SheetReader>,
        writer: Option<&Addr<Writer>>,
    ) -> Result<RunReport, RunError> {
        let (engine, desk) = (&self.engine, self.desk());
        engine.notices.iter().for_each(|notice| desk.bus.emit(Event::Warning(notice.clone())));

        let columns =
            died("reader", reader.send(OpenSource(desk.columns.clone())).await)?.map_err(RunError::Source)?;
        let layout = Layout {
            identifier: columns.identifier.is_some(),
            project_manager: columns.project_manager.is_some(),
        };
        let options = SinkOptions {
            layout,
            language: desk.wording.language,
            today: desk.today(),
            time_zone: desk.wording.timezone.clone(),
            unsettled: None, // the writer knows
        };
        let foreign = match writer {
            Some(writer) => self.open(writer, &options).await?,
            None => ForeignVerdicts::default(),
        };
        if self.request.mode != Mode::Plan {
            self.begin().await?;
        }
        let ended = self.judge_rows(reader, writer, columns, options, foreign).await;
        match ended {
            Ok(ended) => self.end(ended).await,
            Err(error) => {
                let kind = FailureKind::Engine;
                let report = self.report(RunOutcome::Failed, Some(Failure { kind, text: error.to_string() }));
                self.record(&report).await;
                Err(error)
            }
        }
    }

    /// What happens between the first row and the last write.
    async fn judge_rows(
        &self,
        reader: &Addr<SheetReader>,
        writer: Option<&Addr<Writer>>,
        columns: Columns,
        options: SinkOptions,
        foreign: ForeignVerdicts,
    ) -> Result<Ended, RunError> {
        let (engine, desk) = (&self.engine, self.desk());
        if let (Some(writer), Mode::Full) = (writer, self.request.mode) {
            self.write_what_is_pending(writer, &options).await?;
        }
        // Rows that keep a foreign verdict are not given to the table: it cannot tell them from those that are gone.
        let keeps_foreign = self.request.not_before.is_some() && !foreign.is_empty();
        let judge = desk.judge(self.request.as_of);
        let context = RunContext {
            run_id: self.run_id.clone(),
            desk: Arc::clone(desk),
            judge: Arc::clone(&judge),
            freshness: Freshness {
                models: desk.providers.iter().map(|p| p.model.id().model.clone()).collect(),
                not_before: self.request.not_before,
                force: self.request.force,
            },
            mode: self.request.mode,
            only: self.request.only,
            foreign,
            limit: self.request.limit,
            budget: desk.limits.max_cost,
            left_today: left_today(engine, desk).await.map_err(RunError::Store)?,
            has_answers: persist(engine.cache.clone(), HasAnswers).await.map_err(RunError::Store)?,
            writer: writer.cloned(),
        };
        let line = died("dispatcher", engine.dispatcher.send(Prepare(context)).await)?;
        let source = ReadSource {
            run: line,
            columns,
            judge,
            only_row: self.request.row.clone(),
            page_rows: desk.limits.page_rows,
            cancel: self.request.cancel.clone(),
        };
        let work = async {
            let read = reader.send(source).await;
            if read.is_err() {
                died("dispatcher", engine.dispatcher.send(Halt { run: line, why: Halted::Reader }).await)?;
            }
            match engine.dispatcher.send(FinishRun(line)).await {
                Ok(Ok(halted)) => Ok((read, halted)),
                Ok(Err(NoRun)) | Err(_) => Err(RunError::ActorDied("dispatcher")),
            }
        };
        let (read, halted) = tokio::select! {
            biased;
            done = work => done?,
            never = self.halt_when_cancelled(line) => match never {},
        };
        let complete = matches!(read, Ok(Ok(ReadEnd::Complete))) && halted.is_none();
        let whole = self.is_whole() && complete && !keeps_foreign;
        if self.is_whole() && matches!(read, Ok(Ok(ReadEnd::Disturbed))) {
            desk.bus.emit(Event::Warning(
                "the source was changed while it was read: which of its rows are gone is left to the next run".into(),
            ));
        }
        let flushed = match writer {
            Some(writer) => {
                let mark_gone = whole.then_some(self.request.accept_shrink);
                let flushed = self.flush(writer, mark_gone).await?;
                if flushed.is_ok() {
                    // What is left behind is taken away by the next run; the results are written.
                    writer.send(CloseTable).await.ok();
                }
                flushed
            }
            None => Ok(()),
        };
        Ok(Ended { read: died("reader", read)?, halted, flushed })
    }

    fn tables(&self) -> Result<(Addr<SheetReader>, Option<Addr<Writer>>), RunError> {
        let Station { reader, writer, preview, .. } = self.station.as_ref();
        let reader = reader.clone().ok_or(RunError::NoTable)?;
        let writer = match self.request.mode {
            Mode::Plan => None,
            Mode::Full => Some(writer.clone().ok_or(RunError::NoTable)?),
            Mode::DryRun => Some(preview.clone().ok_or(RunError::NoPreview)?),
        };
        Ok((reader, writer))
    }

    fn desk(&self) -> &Arc<Desk> {
        &self.station.desk
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
            job: self.desk().job.to_string(),
            source: self.desk().source.to_string(),
            target: self.desk().target.to_string(),
            owner: self.engine.owner,
            started: self.engine.clock.now(),
        };
        let begin = BeginRun(start, self.desk().unknown);
        let recovery = persist(self.engine.cache.clone(), begin).await.map_err(RunError::Store)?;
        if let (Some(rows), None) = (recovery.rows_before, self.desk().bus.tally().rows_expected) {
            self.desk().bus.emit(Event::RowsExpected(rows));
        }
        if recovery.unanswered > 0 {
            self.desk().bus.emit(Event::Warning(format!(
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
        options: &SinkOptions,
    ) -> Result<(), RunError> {
        let mut after = None;
        loop {
            let target = Arc::clone(&self.desk().target);
            let page = Pending { target, after: after.clone(), limit: PENDING_PAGE };
            let entries = persist(self.engine.cache.clone(), page).await.map_err(RunError::Store)?;
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
            self.open(writer, options).await?;
        }
        Ok(())
    }

    /// Opens the table. Gives the verdicts that another tool wrote into it.
    async fn open(&self, writer: &Addr<Writer>, options: &SinkOptions) -> Result<ForeignVerdicts, RunError> {
        died("writer", writer.send(Open(options.clone())).await)?.map_err(RunError::Target)
    }

    /// A wish to stop reaches the reader by itself, and the dispatcher through this.
    async fn halt_when_cancelled(&self, run: LineId) -> Infallible {
        self.request.cancel.cancelled().await;
        // If the dispatcher is gone, whoever waits for it says so.
        self.engine.dispatcher.send(Halt { run, why: Halted::Interrupted }).await.ok();
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

    async fn end(&self, Ended { read, halted, flushed }: Ended) -> Result<RunReport, RunError> {
        let interrupted =
            matches!(read, Ok(ReadEnd::Cancelled)) || matches!(halted, Some(Halted::Interrupted));
        let failure = read
            .err()
            .map(|error| Failure::of_table(FailureKind::Source, &error))
            .or(flushed.err().map(|error| Failure::of_table(FailureKind::Target, &error)))
            .or(halted.as_ref().and_then(Failure::of));
        let tally = self.desk().bus.tally();
        let outcome = match failure {
            Some(_) => RunOutcome::Failed,
            None if matches!(halted, Some(Halted::Budget)) => RunOutcome::Budget,
            None if interrupted => RunOutcome::Interrupted,
            None if tally.rows_not_checked + tally.verdicts_kept > 0 => RunOutcome::Partial,
            None => RunOutcome::Ok,
        };
        let report = self.report(outcome, failure);
        self.record(&report).await;
        Ok(report)
    }

    fn report(&self, outcome: RunOutcome, failure: Option<Failure>) -> RunReport {
        let tally = self.desk().bus.tally();
        let elapsed_s = self.started.elapsed().as_secs_f64();
        RunReport {
            run_id: self.run_id.clone(),
            job: self.desk().job.to_string(),
            outcome,
            advice: advice(&tally, elapsed_s),
            rows_per_s: if elapsed_s > 0.0 { tally.rows_read as f64 / elapsed_s } else { 0.0 },
            elapsed_s,
            tally,
            failure,
        }
    }

    /// Puts the report into the history.
    async fn record(&self, report: &RunReport) {
        if self.request.mode == Mode::Plan {
            return;
        }
        let end = EndRun {
            run_id: self.run_id.clone(),
            outcome: report.outcome.as_str(),
            report: serde_json::to_string(report).unwrap_or_default(),
        };
        if let Err(error) = persist(self.engine.cache.clone(), end).await {
            tracing::warn!(%error, "the run is not in the history");
        }
        fault::pass(Point::RunEnded);
    }
}

/// What is left of the cap of today's spending; none where there is no cap.
pub(super) async fn left_today(engine: &Engine, desk: &Desk) -> Result<Option<MicroUsd>, Arc<StoreError>> {
    let Some(cap) = desk.limits.max_cost_per_day else { return Ok(None) };
    let midnight = desk.today().to_zoned_datetime(desk.wording.timezone.clone());
    let since = midnight.map_or(engine.clock.now(), |midnight| midnight.timestamp());
    let spent = persist(engine.cache.clone(), SpentSince(since)).await?;
    Ok(Some(MicroUsd(cap.0.saturating_sub(spent.0))))
}

/// How the parts of a run ended.
struct Ended {
    read: Result<ReadEnd, Arc<TableError>>,
    halted: Option<Halted>,
    flushed: Result<(), Arc<TableError>>,
}

fn died<T>(actor: &'static str, reply: Result<T, MailboxError>) -> Result<T, RunError> {
    reply.map_err(|_| RunError::ActorDied(actor))
}
