//! Asking models: assign, book the call, send it, and decide what follows when it ends.

use std::sync::Arc;

use actix::prelude::*;

use super::super::SINGLE_RUN;
use super::super::cache::{Reject, Release, Sent, persist};
use super::super::event::{CallEnd, Event};
use super::super::schedule::{JobId, WorkerId};
use super::super::worker::{JobError, Judged, Validate};
use super::{Dispatcher, Halted, Job};
use crate::domain::money::{MicroUsd, Usage};
use crate::llm::retry::{Failure, Next};
use crate::llm::{LlmError, NoAnswer, Question};
use crate::store::{Attempt, AttemptId, Sending, StoredAnswer};

impl Dispatcher {
    /// Gives idle workers their next rows.
    pub(super) fn start_calls(&mut self, ctx: &mut Context<Self>) {
        while let Some((worker, job)) = self.schedule.assign(self.bus.now()) {
            self.calling += 1;
            self.book(worker, job, ctx);
        }
        self.set_wake_up(ctx);
    }

    fn set_wake_up(&mut self, ctx: &mut Context<Self>) {
        let Some(due) = self.schedule.next_due() else { return };
        if self.armed.is_some_and(|armed| armed <= due) {
            return;
        }
        self.armed = Some(due);
        ctx.run_later(due.saturating_sub(self.bus.now()), |dispatcher, ctx| {
            dispatcher.armed = None;
            dispatcher.pump(ctx);
        });
    }

    /// The ledger hears of a call before it is made.
    fn book(&mut self, worker: WorkerId, id: JobId, ctx: &mut Context<Self>) {
        let out = self.run.as_ref().map(|run| run.out.clone()).unwrap_or_default();
        let Some(job) = self.jobs.get_mut(&id) else { return self.release_worker(worker) };
        let is_of_run = job.run().is_some();
        let is_out = |n: usize| is_of_run && out.get(n).is_some_and(Option::is_some);
        let Some(number) = job.plan.provider(is_out) else {
            self.release_worker(worker);
            return self.give_up_providers(id);
        };
        job.provider = number;
        let Some(provider) = self.providers.get(number).cloned() else {
            return self.release_worker(worker);
        };
        let model = provider.model.id();
        let estimate = provider.estimate(job.judge.prompt(), &job.entry);
        job.estimate = estimate;
        if !self.afford(id, estimate) {
            self.release_worker(worker);
            self.halt(Halted::Budget);
            return self.abandon(id);
        }
        let Some(job) = self.jobs.get(&id) else { return self.release_worker(worker) };
        let sending = Sending {
            attempt: AttemptId(uuid::Uuid::now_v7()),
            owner: self.params.owner,
            fingerprint: job.asks,
            run: job.run().map_or_else(|| SINGLE_RUN.to_owned(), |run| run.run_id.clone()),
            provider: model.provider.clone(),
            model: model.model.clone(),
            estimate,
        };
        let booked = persist(self.to.cache.clone(), Sent(sending)).into_actor(self);
        ctx.spawn(booked.map(move |reply, dispatcher, ctx| match reply {
            Ok(attempt) => dispatcher.call(worker, id, attempt, ctx),
            Err(error) => {
                dispatcher.release_worker(worker);
                dispatcher.stop_for_store(id, &error);
                dispatcher.pump(ctx);
            }
        }));
    }

    fn call(&mut self, worker: WorkerId, id: JobId, attempt: Attempt, ctx: &mut Context<Self>) {
        let Some(job) = self.jobs.get_mut(&id) else { return self.release_worker(worker) };
        let (Some(provider), Some(address)) = (self.providers.get(job.provider), self.to.workers.get(worker))
        else {
            return self.release_worker(worker);
        };
        job.attempt = Some(attempt);
        let ask = Validate {
            entry: Arc::clone(&job.entry),
            review: Arc::clone(&job.review),
            judge: Arc::clone(&job.judge),
            model: Arc::clone(&provider.model),
            question: Question {
                fixed: Arc::clone(job.judge.prompt()),
                row: job.judge.row_message(&job.entry, &fence()),
                hint: job.hint.clone(),
            },
            deadline: self.params.call_deadline,
        };
        let asked = address.send(ask).into_actor(self);
        if let Some(job) = self.jobs.get(&id) {
            let (row, provider) = (job.entry.row, job.provider);
            self.emit(job, Event::CallStarted { row, worker, provider });
        }
        ctx.spawn(asked.map(move |reply, dispatcher, ctx| {
            let ended = reply.unwrap_or(Err(JobError::Lost));
            dispatcher.ended(worker, id, ended, ctx);
            dispatcher.pump(ctx);
        }));
    }

    fn ended(
        &mut self,
        worker: WorkerId,
        id: JobId,
        ended: Result<Judged, JobError>,
        ctx: &mut Context<Self>,
    ) {
        self.release_worker(worker);
        let Some(job) = self.jobs.get(&id) else { return };
        let (row, provider) = (job.entry.row, job.provider);
        let price = self.providers.get(provider).and_then(|provider| provider.price);
        let cost = |usage: &Usage| match price {
            Some(price) => price.of(usage),
            None => usage.stated_cost.unwrap_or_default(),
        };
        let book = |end, usage: Option<&Usage>, requests| Event::CallEnded {
            row,
            worker,
            end,
            usage: usage.copied().unwrap_or_default(),
            cost: usage.map(cost).unwrap_or_default(),
            requests,
        };
        match ended {
            Ok(Judged { reply, answer }) => {
                let paid = cost(&reply.usage);
                self.emit(job, book(CallEnd::Answered, Some(&reply.usage), reply.requests));
                let asked = self.providers.get(provider).map(|p| p.model.id().clone());
                let stored = StoredAnswer {
                    provider: asked.as_ref().map(|id| id.provider.clone()).unwrap_or_default(),
                    model_asked: asked.map(|id| id.model).unwrap_or_default(),
                    cost: paid,
                    model: reply.model,
                    text: reply.text,
                    usage: reply.usage,
                    at: self.clock.now(),
                };
                self.settle_up(id, Some(paid));
                self.settle_flight_answered(id, stored, answer, ctx);
            }
            Err(JobError::BadAnswer { problem, reply }) => {
                self.emit(job, book(CallEnd::BadAnswer, Some(&reply.usage), reply.requests));
                let cost = cost(&reply.usage);
                self.fail(id, &Failure::BadAnswer(problem), Some((reply.usage, cost)));
            }
            Err(JobError::Llm(NoAnswer { error, usage, requests, .. })) => {
                let end = match error {
                    LlmError::RateLimited { .. } | LlmError::Busy { .. } => CallEnd::RateLimited,
                    LlmError::Timeout(_) => CallEnd::Lost,
                    _ => CallEnd::Failed,
                };
                self.emit(job, book(end, usage.as_ref(), requests));
                let paid = usage.map(|usage| (usage, cost(&usage)));
                if error.stops_provider() {
                    self.stop_provider(id, provider, &error);
                }
                self.fail(id, &Failure::Llm(error), paid);
            }
            Err(JobError::Panicked(text)) => {
                self.emit(job, book(CallEnd::Lost, None, 1));
                self.fail(id, &Failure::Panicked(text), None);
            }
            Err(JobError::TimedOut(_)) => {
                self.emit(job, book(CallEnd::Lost, None, 1));
                self.fail(id, &Failure::TimedOut, None);
            }
            Err(JobError::Lost) => {
                self.emit(job, book(CallEnd::Lost, None, 1));
                self.fail(id, &Failure::Lost, None);
            }
        }
    }

    /// Takes what a call may cost from the budget of its run; false if there is not enough left.
    fn afford(&mut self, id: JobId, estimate: MicroUsd) -> bool {
        let is_of_run = self.jobs.get(&id).is_some_and(|job| self.run_of(job).is_some());
        let Some(run) = self.run.as_mut().filter(|_| is_of_run) else { return true };
        let spent = run.spent + estimate;
        let enough = run.context.budget.is_none_or(|budget| spent <= budget);
        if enough {
            run.spent = spent;
        }
        enough
    }

    /// A call has ended: what it cost takes the place of what it could have cost.
    fn settle_up(&mut self, id: JobId, cost: Option<MicroUsd>) {
        let Some(job) = self.jobs.get(&id) else { return };
        let (estimate, is_of_run) = (job.estimate, self.run_of(job).is_some());
        if let Some(run) = self.run.as_mut().filter(|_| is_of_run) {
            run.spent = MicroUsd(run.spent.0.saturating_sub(estimate.0)) + cost.unwrap_or(estimate);
        }
    }

    /// A worker is free again, unless it is gone for good.
    fn release_worker(&mut self, worker: WorkerId) {
        self.calling = self.calling.saturating_sub(1);
        if self.to.workers.get(worker).is_some_and(Addr::connected) {
            self.schedule.free(worker);
            return;
        }
        self.schedule.retire(worker);
        if self.schedule.workers_left() == 0 {
            self.halt(Halted::Workers);
        }
    }

    /// A provider is out for the rest of the run. A row that was sent alone only moves on: nothing would
    /// ever let the provider in again.
    fn stop_provider(&mut self, id: JobId, provider: usize, error: &LlmError) {
        if self.jobs.get(&id).and_then(|job| self.run_of(job)).is_none() {
            return;
        }
        if let Some(out @ None) = self.run.as_mut().and_then(|run| run.out.get_mut(provider)) {
            *out = Some(error.to_string());
            self.bus.emit(Event::ProviderOut { provider, reason: error.to_string() });
        }
    }

    /// An attempt has failed: the ledger hears of it, and the row's plan says what follows.
    fn fail(&mut self, id: JobId, failure: &Failure, paid: Option<(Usage, MicroUsd)>) {
        // What may have been paid counts as estimated, as in the ledger.
        let cost = paid.map(|(_, cost)| cost).or((!maybe_paid(failure)).then_some(MicroUsd::default()));
        self.settle_up(id, cost);
        let out = self.run.as_ref().map(|run| run.out.clone()).unwrap_or_default();
        let jitter = self.rng.f64();
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(attempt) = job.attempt.take() {
            let (cache, why) = (self.to.cache.clone(), failure.to_string());
            // Nobody waits: if it is lost, the ledger counts the estimate.
            match paid {
                Some((usage, cost)) => {
                    actix_rt::spawn(persist(cache, Reject { attempt, usage, cost, why }));
                }
                None => {
                    let maybe_paid = maybe_paid(failure);
                    actix_rt::spawn(persist(cache, Release { attempt, error: why, maybe_paid }));
                }
            }
        }
        let is_of_run = job.run().is_some();
        let is_out = |n: usize| is_of_run && out.get(n).is_some_and(Option::is_some);
        let all_out = !out.is_empty() && (0..out.len()).all(is_out);
        let next = job.plan.next(failure, jitter, is_out);
        job.hint = hint(job, failure);
        let Some(job) = self.jobs.get(&id) else { return };
        if self.halted(job).is_some() {
            return self.abandon(id);
        }
        match next {
            Next::Again { provider, after } => {
                let (row, due) = (job.entry.row, self.bus.now() + after);
                self.emit(job, Event::Retry { row, provider, after });
                self.schedule.again(id, due);
            }
            Next::GiveUp if all_out => self.give_up_providers(id),
            Next::GiveUp => {
                let name = |n: usize| self.providers.get(n).map(|p| p.model.id().to_string());
                let reason = job.plan.reason(|n| name(n).unwrap_or_default());
                self.settle_flight_failed(id, &reason);
            }
        }
    }

    /// Every provider is out: one message for the run, not one for each row.
    fn give_up_providers(&mut self, id: JobId) {
        let Some(run) = &self.run else { return self.settle_flight_failed(id, "no provider is left") };
        let named = self.providers.iter().zip(&run.out);
        let why: Vec<String> = named
            .map(|(provider, out)| format!("{}: {}", provider.model.id(), out.as_deref().unwrap_or("unused")))
            .collect();
        let halted = Halted::Providers(why.join("; "));
        let reason = halted.reason();
        self.halt(halted);
        self.settle_flight_failed(id, &reason);
    }
}

/// True if the provider may have worked, and be paid, although no answer arrived that can be used.
fn maybe_paid(failure: &Failure) -> bool {
    match failure {
        Failure::BadAnswer(_) | Failure::Panicked(_) | Failure::TimedOut | Failure::Lost => true,
        Failure::Llm(error) => match error {
            LlmError::RateLimited { .. }
            | LlmError::Busy { .. }
            | LlmError::Auth(_)
            | LlmError::Quota(_)
            | LlmError::UnknownModel(_)
            | LlmError::TooLong(_)
            | LlmError::BadRequest(_) => false,
            LlmError::Unavailable { .. }
            | LlmError::Timeout(_)
            | LlmError::Refused(_)
            | LlmError::Truncated(_)
            | LlmError::BadReply(_) => true,
        },
    }
}

/// What the next attempt is told about the last one.
fn hint(job: &Job, failure: &Failure) -> Option<String> {
    match failure {
        Failure::BadAnswer(problem) => Some(job.judge.hint_message(problem)),
        Failure::Llm(_) | Failure::Panicked(_) | Failure::TimedOut | Failure::Lost => job.hint.clone(),
    }
}

/// A fence that no cell can foresee. Without randomness from the system a process id has to do; the fence is
/// also taken out of the cells.
fn fence() -> String {
    let mut bytes = [0_u8; 8];
    if getrandom::fill(&mut bytes).is_err() {
        bytes[..4].copy_from_slice(&std::process::id().to_le_bytes());
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
