//! Giving rows their state, and the results to the writer.

use std::sync::Arc;

use actix::prelude::*;

use super::super::cache::{Keep, persist};
use super::super::event::{By, Event, Settled};
use super::super::request::Mode;
use super::super::schedule::{JobId, LineId, Place};
use super::super::writer::{Record, Recorded};
use super::{Dispatcher, Halted, Job, Sender, Whose};
use crate::domain::answer::Answer;
use crate::domain::money::MicroUsd;
use crate::domain::outcome::{Origin, Outcome, Paid, Provenance, RowState};
use crate::domain::results::ResultRow;
use crate::fault::{self, Point};
use crate::store::{Judged, OutboxEntry, Results, StoreError, StoredAnswer, WriteId};

/// A row that is about to get its state.
struct Due {
    job: JobId,
    state: RowState,
    write_id: Option<WriteId>,
}

impl Dispatcher {
    /// The row is judged by code alone.
    pub(super) fn settle_by_code(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let verdict = job.judge.verdict(&job.entry, &job.review, None);
        self.settle(id, RowState::Judged { verdict, origin: Origin::Code });
    }

    /// An answer has arrived for a row and for those that ask the same. It is kept first, with their outbox
    /// entries; only then do the rows get their states.
    pub(super) fn settle_flight_answered(
        &mut self,
        id: JobId,
        stored: StoredAnswer,
        answer: Answer,
        ctx: &mut Context<Self>,
    ) {
        let Some(attempt) = self.jobs.get_mut(&id).and_then(|job| job.attempt.take()) else { return };
        let Some(flight) = self.jobs.get(&id).map(Job::flight) else { return };
        let mut keep = Keep { attempt, answer: stored.clone(), results: Results::default() };
        let mut due = Vec::new();
        for (n, member) in std::iter::once(&id).chain(self.schedule.twins(&flight)).enumerate() {
            let Some(job) = self.jobs.get(member) else { continue };
            let paid = if n == 0 { Paid::Now } else { Paid::ByTwin };
            let state = judged(job, &answer, &stored, paid);
            keep.results.judged.extend(self.history(job, &state));
            let entry = self.outbox_entry(job, &state);
            due.push(Due { job: *member, state, write_id: entry.as_ref().map(|entry| entry.write_id) });
            keep.results.outbox.extend(entry);
        }
        let kept = persist(self.cache.clone(), keep).into_actor(self);
        ctx.spawn(kept.map(move |reply, dispatcher, ctx| {
            fault::pass(Point::AnswerStored);
            if let Err(error) = reply {
                // The answer is here all the same: the rows are written, but nothing more is paid for.
                let lines: Vec<_> =
                    due.iter().filter_map(|due| dispatcher.jobs.get(&due.job)).map(|job| job.line).collect();
                for line in lines {
                    dispatcher.halt(line, Halted::Store(error.to_string()));
                }
            }
            let twins = dispatcher.schedule.land(&flight);
            for due in due {
                dispatcher.settle_written(due.job, due.state, due.write_id);
            }
            // Rows that came while the answer was on its way to the store.
            for late in twins {
                let Some(job) = dispatcher.jobs.get(&late) else { continue };
                let state = judged(job, &answer, &stored, Paid::ByTwin);
                dispatcher.settle(late, state);
            }
            dispatcher.pump(ctx);
        }));
    }

    /// No answer will come for a row and for those that ask the same.
    pub(super) fn settle_flight_failed(&mut self, id: JobId, reason: &str) {
        let Some(job) = self.jobs.get(&id) else { return };
        let twins = self.schedule.land(&job.flight());
        for member in std::iter::once(id).chain(twins) {
            self.settle_unanswered(member, reason);
        }
    }

    /// No call is started any more for a row: it is left for the next run. Of those that ask the same, rows
    /// that do not belong to the run go on.
    pub(super) fn abandon(&mut self, id: JobId) {
        let Some(flight) = self.jobs.get(&id).map(Job::flight) else { return };
        let twins = self.schedule.land(&flight);
        self.settle_halted(id);
        for twin in twins {
            let Some(job) = self.jobs.get(&twin) else { continue };
            if self.halted(job).is_some() {
                self.settle_halted(twin);
            } else if self.schedule.board(twin, flight) == Place::Lead {
                let line = job.line;
                self.schedule.queue(twin, line);
            }
        }
    }

    /// No call is started any more: the row is left for the next run.
    pub(super) fn settle_halted(&mut self, id: JobId) {
        let reason = self.jobs.get(&id).and_then(|job| self.halted(job)).map(Halted::reason);
        self.settle_unanswered(id, &reason.unwrap_or_default());
    }

    /// The store fails: nothing more is paid for, since it could not be kept.
    pub(super) fn stop_for_store(&mut self, id: JobId, error: &StoreError) {
        let halted = Halted::Store(error.to_string());
        let reason = halted.reason();
        if let Some(line) = self.jobs.get(&id).map(|job| job.line) {
            self.halt(line, halted);
        }
        self.settle_flight_failed(id, &reason);
    }

    /// A stored answer that was not fresh enough is still better than none; otherwise «not checked».
    pub(super) fn settle_unanswered(&mut self, id: JobId, reason: &str) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let stored = job.fallback.take();
        let answer = stored.as_ref().and_then(|s| job.judge.read(&job.entry, &job.review, &s.text).ok());
        let Some((stored, answer)) = stored.zip(answer) else {
            return self.settle(id, RowState::NotChecked { reason: reason.to_owned() });
        };
        let state = judged(job, &answer, &stored, Paid::Before);
        let kept = Event::VerdictKept { row: job.entry.row, reason: reason.to_owned() };
        if let Some(job) = self.jobs.get(&id) {
            job.emit(kept);
        }
        self.settle(id, state);
    }

    /// Starts no more calls for a run, if the line is one's; the first reason counts. Its rows that are queued are left
    /// for the next run.
    pub(super) fn halt(&mut self, line: LineId, why: Halted) {
        let Some(run) = self.runs.get_mut(&line).filter(|run| run.halted.is_none()) else { return };
        tracing::warn!(reason = %why.reason(), "no more calls are started");
        run.halted = Some(why);
        let jobs = &self.jobs;
        let of_run = |id: JobId| jobs.get(&id).is_some_and(|job| job.line == line);
        for job in self.schedule.unqueue(of_run) {
            self.abandon(job);
        }
    }

    /// Starts no more calls at all.
    pub(super) fn halt_all(&mut self, why: &Halted) {
        let lines: Vec<LineId> = self.runs.keys().copied().collect();
        lines.into_iter().for_each(|line| self.halt(line, why.clone()));
        for single in self.schedule.unqueue(|_| true) {
            self.settle_flight_failed(single, &why.reason());
        }
    }

    pub(super) fn settle(&mut self, id: JobId, state: RowState) {
        self.settle_written(id, state, None);
    }

    fn settle_written(&mut self, id: JobId, state: RowState, write_id: Option<WriteId>) {
        let Some(job) = self.take_job(id) else { return };
        job.emit(Event::Settled { row: job.entry.row, state: settled(&state) });
        let left_for_later = matches!(state, RowState::NotChecked { .. })
            && self.halted(&job).is_some_and(|halted| !halted.is_worth_showing());
        let row = self.result_row(&job, &state);
        match job.whose {
            Whose::Sender(Sender { reply, .. }) => {
                let outcome = Outcome { row: job.entry.row, key: Some(job.entry.key.clone()), state };
                reply.send(Ok(outcome)).ok(); // who asked may have gone
            }
            Whose::Run(run) if run.writer.is_some() && !left_for_later => {
                let Some(run) = self.runs.get_mut(&job.line) else { return };
                run.outbound.extend(row.map(|row| Recorded { row: Arc::new(row), write_id }));
            }
            Whose::Run(_) => {}
        }
    }

    fn result_row(&self, job: &Job, state: &RowState) -> Option<ResultRow> {
        ResultRow::new(&job.entry, state, self.clock.now(), &job.desk.wording)
    }

    fn outbox_entry(&self, job: &Job, state: &RowState) -> Option<OutboxEntry> {
        let run = job.run().filter(|run| run.mode == Mode::Full)?;
        Some(OutboxEntry {
            target: job.desk.target.to_string(),
            write_id: WriteId(uuid::Uuid::now_v7()),
            run: run.run_id.clone(),
            row: self.result_row(job, state)?,
        })
    }

    fn history(&self, job: &Job, state: &RowState) -> Option<Judged> {
        let RowState::Judged { verdict, .. } = state else { return None };
        Some(Judged {
            job: job.desk.job.to_string(),
            row_key: job.entry.key.clone(),
            run: job.run()?.run_id.clone(),
            fingerprint: job.asks,
            verdict: verdict.clone(),
            at: self.clock.now(),
        })
    }

    /// Sends the results of each run to its writer, one batch at a time: the reply is the credit for the next one.
    pub(super) fn send_records(&mut self, ctx: &mut Context<Self>) {
        let mut due = Vec::new();
        for (line, run) in &mut self.runs {
            if run.recording.is_none() && !run.outbound.is_empty() {
                let size = run.context.desk.limits.batch_size.min(run.outbound.len());
                run.recording = Some(Record(Arc::new(run.outbound.drain(..size).collect())));
                due.push(*line);
            }
        }
        due.into_iter().for_each(|line| self.send_record(line, ctx));
    }

    fn send_record(&mut self, line: LineId, ctx: &mut Context<Self>) {
        let Some(run) = self.runs.get(&line) else { return };
        let (Some(writer), Some(record)) = (run.context.writer.clone(), run.recording.clone()) else {
            return;
        };
        let taken = writer.send(record).into_actor(self);
        ctx.spawn(taken.map(move |reply, dispatcher, ctx| {
            match reply {
                Ok(Ok(())) => {}
                Err(_) if writer.connected() => return dispatcher.send_record(line, ctx),
                Ok(Err(error)) => dispatcher.halt(line, Halted::Target(error.to_string())),
                Err(error) => dispatcher.halt(line, Halted::Target(error.to_string())),
            }
            if let Some(run) = dispatcher.runs.get_mut(&line) {
                run.recording = None;
            }
            dispatcher.pump(ctx);
        }));
    }
}

impl Halted {
    /// Why, for people.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Interrupted => "the run was interrupted; the next run goes on here".to_owned(),
            Self::Reader => "the reader of the source died".to_owned(),
            Self::Target(why) => format!("the results table cannot be written: {why}"),
            Self::Store(why) => format!("the store cannot keep answers: {why}"),
            Self::Providers(why) => format!("no provider is left: {why}"),
            Self::Budget => "the next call could cost more than the cap allows".to_owned(),
            Self::Workers => "all workers have failed too often".to_owned(),
        }
    }

    /// True if a row that was left for this reason should say so in the results table.
    fn is_worth_showing(&self) -> bool {
        match self {
            Self::Providers(_) | Self::Workers => true,
            Self::Interrupted | Self::Reader | Self::Target(_) | Self::Store(_) | Self::Budget => false,
        }
    }
}

/// The origin of a verdict that rests on a stored answer.
pub(super) fn origin(stored: &StoredAnswer, paid: Paid) -> Origin {
    Origin::Model(Provenance {
        provider: stored.provider.clone(),
        model: stored.model.clone(),
        at: stored.at,
        paid,
        usage: stored.usage,
        cost: stored.cost,
        raw: stored.text.clone(),
    })
}

/// The state of a row that a model's answer decides.
fn judged(job: &Job, answer: &Answer, stored: &StoredAnswer, paid: Paid) -> RowState {
    let verdict = job.judge.verdict(&job.entry, &job.review, Some(answer));
    RowState::Judged { verdict, origin: origin(stored, paid) }
}

fn settled(state: &RowState) -> Settled {
    match state {
        RowState::Judged { verdict, origin } => Settled::Judged {
            valid: verdict.valid,
            by: match origin {
                Origin::Code => By::Code,
                Origin::Model(Provenance { paid: Paid::Now, .. }) => By::Model,
                Origin::Model(Provenance { paid: Paid::Before, .. }) => By::Cache,
                Origin::Model(Provenance { paid: Paid::ByTwin, .. }) => By::Twin,
            },
            rules: verdict.rules().into_iter().cloned().collect(),
            cost: match origin {
                Origin::Code => MicroUsd::default(),
                Origin::Model(provenance) => provenance.cost,
            },
        },
        RowState::NotChecked { reason } => Settled::NotChecked(reason.clone()),
        RowState::Skipped { reason } => Settled::Skipped(*reason),
    }
}
