//! Giving rows their state, and the results to the writer.

use std::sync::Arc;

use actix::prelude::*;

use super::super::cache::Keep;
use super::super::event::{By, Event, Settled};
use super::super::request::Mode;
use super::super::schedule::JobId;
use super::super::writer::{Record, Recorded};
use super::{Dispatcher, Halted, Job};
use crate::domain::answer::Answer;
use crate::domain::outcome::{Origin, Outcome, Paid, Provenance, RowState};
use crate::domain::results::ResultRow;
use crate::store::{Judged, OutboxEntry, Results, StoredAnswer, WriteId};

/// How often a message is sent again when its receiver dies over it.
const TRIES: u32 = 3;

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
        answer: &Answer,
        ctx: &mut Context<Self>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let Some(attempt) = job.attempt.take() else { return };
        let twins = self.schedule.land(&job.asks);
        let mut keep = Keep { attempt, answer: stored, results: Results::default() };
        let mut due = Vec::new();
        let flight = std::iter::once((id, Paid::Now)).chain(twins.into_iter().map(|t| (t, Paid::ByTwin)));
        for (member, paid) in flight {
            let Some(job) = self.jobs.get(&member) else { continue };
            let verdict = job.judge.verdict(&job.entry, &job.review, Some(answer));
            let state = RowState::Judged { verdict, origin: origin(&keep.answer, paid) };
            keep.results.judged.extend(self.judged(job, &state));
            let entry = self.outbox_entry(job, &state);
            due.push(Due { job: member, state, write_id: entry.as_ref().map(|e| e.write_id) });
            keep.results.outbox.extend(entry);
        }
        self.keep(keep, due, TRIES, ctx);
    }

    fn keep(&mut self, keep: Keep, due: Vec<Due>, tries: u32, ctx: &mut Context<Self>) {
        let kept = self.to.cache.send(keep.clone()).into_actor(self);
        ctx.spawn(kept.map(move |reply, dispatcher, ctx| {
            let lost = match reply {
                Ok(Ok(())) => None,
                Err(MailboxError::Closed) if tries > 1 => return dispatcher.keep(keep, due, tries - 1, ctx),
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = lost {
                // The answer is here all the same: the rows are written, but nothing more is paid for.
                dispatcher.halt(Halted::Store(error));
            }
            for due in due {
                dispatcher.settle_written(due.job, due.state, due.write_id);
            }
            dispatcher.pump(ctx);
        }));
    }

    /// No answer will come for a row and for those that ask the same.
    pub(super) fn settle_flight_failed(&mut self, id: JobId, reason: &str) {
        let Some(job) = self.jobs.get(&id) else { return };
        let twins = self.schedule.land(&job.asks);
        for member in std::iter::once(id).chain(twins) {
            self.settle_unanswered(member, reason);
        }
    }

    /// No call is started any more: the row and those that ask the same are left for the next run.
    pub(super) fn settle_flight_halted(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let twins = self.schedule.land(&job.asks);
        for member in std::iter::once(id).chain(twins) {
            self.settle_halted(member);
        }
    }

    /// No call is started any more: the row is left for the next run.
    pub(super) fn settle_halted(&mut self, id: JobId) {
        let reason = self.halted.as_ref().map(Halted::reason).unwrap_or_default();
        self.settle_unanswered(id, &reason);
    }

    /// A stored answer that was not fresh enough is still better than none; otherwise «not checked».
    fn settle_unanswered(&mut self, id: JobId, reason: &str) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let stored = job.fallback.take();
        let answer = stored.as_ref().and_then(|s| job.judge.read(&job.entry, &job.review, &s.text).ok());
        let state = match (stored, answer) {
            (Some(stored), Some(answer)) => {
                let verdict = job.judge.verdict(&job.entry, &job.review, Some(&answer));
                let row = job.entry.row;
                self.bus.emit(Event::Warning(format!("row {row} keeps its earlier verdict: {reason}")));
                RowState::Judged { verdict, origin: origin(&stored, Paid::Before) }
            }
            _ => RowState::NotChecked { reason: reason.to_owned() },
        };
        self.settle(id, state);
    }

    /// Stops starting calls; the first reason counts. Rows that are queued are left for the next run.
    pub(super) fn halt(&mut self, why: Halted) {
        if self.halted.is_some() {
            return;
        }
        tracing::warn!(reason = %why.reason(), "no more calls are started");
        self.halted = Some(why);
        for job in self.schedule.clear_queue() {
            self.settle_flight_halted(job);
        }
    }

    pub(super) fn settle(&mut self, id: JobId, state: RowState) {
        self.settle_written(id, state, None);
    }

    fn settle_written(&mut self, id: JobId, state: RowState, write_id: Option<WriteId>) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        self.bus.emit(Event::Settled { row: job.entry.row, state: settled(&state) });
        if let Some(reply) = job.reply.take() {
            let outcome = Outcome { row: job.entry.row, key: Some(job.entry.key.clone()), state };
            return drop(reply.send(Ok(outcome))); // whoever asked may have gone
        }
        let left_for_later = matches!(state, RowState::NotChecked { .. })
            && self.halted.as_ref().is_some_and(|halted| !halted.is_worth_showing());
        if left_for_later || self.to.writer.is_none() {
            return;
        }
        if let Some(row) = self.result_row(&job, &state) {
            self.outbound.push(Recorded { row: Arc::new(row), write_id });
        }
    }

    fn result_row(&self, job: &Job, state: &RowState) -> Option<ResultRow> {
        ResultRow::new(&job.entry, state, self.clock.now(), &self.params.wording)
    }

    fn outbox_entry(&self, job: &Job, state: &RowState) -> Option<OutboxEntry> {
        let run = self.run.as_ref().filter(|run| run.mode == Mode::Full && job.run.is_some())?;
        Some(OutboxEntry {
            target: self.target.to_string(),
            write_id: WriteId(uuid::Uuid::now_v7()),
            run: run.run_id.clone(),
            row: self.result_row(job, state)?,
        })
    }

    fn judged(&self, job: &Job, state: &RowState) -> Option<Judged> {
        let RowState::Judged { verdict, .. } = state else { return None };
        Some(Judged {
            job: self.params.job.clone(),
            row_key: job.entry.key.clone(),
            run: job.run.clone()?,
            fingerprint: job.asks,
            verdict: verdict.clone(),
            at: self.clock.now(),
        })
    }

    /// Sends results to the writer, a batch at a time.
    pub(super) fn send_records(&mut self, ctx: &mut Context<Self>) {
        while !self.outbound.is_empty() {
            let size = self.params.batch_size.min(self.outbound.len());
            let record = Record(Arc::new(self.outbound.drain(..size).collect()));
            let number = self.next_record;
            self.next_record += 1;
            self.records.insert(number, record.clone());
            self.send_record(number, record, ctx);
        }
    }

    fn send_record(&mut self, number: u64, record: Record, ctx: &mut Context<Self>) {
        let Some(writer) = self.to.writer.clone() else { return };
        let taken = writer.send(record.clone()).into_actor(self);
        ctx.spawn(taken.map(move |reply, dispatcher, ctx| {
            match reply {
                Ok(Ok(())) => {}
                Err(_) if writer.connected() => return dispatcher.send_record(number, record, ctx),
                Ok(Err(error)) => dispatcher.halt(Halted::Target(error.to_string())),
                Err(error) => dispatcher.halt(Halted::Target(error.to_string())),
            }
            dispatcher.records.remove(&number);
            dispatcher.pump(ctx);
        }));
    }
}

impl Halted {
    /// Why, for people.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Interrupted => "the run was interrupted; the next run goes on here".to_owned(),
            Self::Target(why) => format!("the results table cannot be written: {why}"),
            Self::Store(why) => format!("the store cannot keep answers: {why}"),
            Self::Providers(why) => format!("no provider is left: {why}"),
            Self::Workers => "all workers have failed too often".to_owned(),
        }
    }

    /// True if a row that was left for this reason should say so in the results table.
    fn is_worth_showing(&self) -> bool {
        match self {
            Self::Providers(_) | Self::Workers => true,
            Self::Interrupted | Self::Target(_) | Self::Store(_) => false,
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
        raw: stored.text.clone(),
    })
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
        },
        RowState::NotChecked { reason } => Settled::NotChecked(reason.clone()),
        RowState::Skipped { reason } => Settled::Skipped(*reason),
    }
}
