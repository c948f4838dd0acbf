//! Asking models: assign, book the call, send it, and decide what follows when it ends.

use std::sync::Arc;

use actix::prelude::*;

use super::super::cache::{Reject, Release, Sent};
use super::super::event::{CallEnd, Event};
use super::super::schedule::{JobId, Moment, WorkerId};
use super::super::worker::{JobError, Judged, Validate};
use super::{Dispatcher, Halted, Job};
use crate::domain::money::{MicroUsd, Usage};
use crate::llm::retry::{Failure, Next};
use crate::llm::{LlmError, Question, Reply};
use crate::store::{AttemptId, Sending, StoredAnswer};

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
        let Some(job) = self.jobs.get(&id) else { return self.release_worker(worker) };
        let Some(provider) = self.providers.get(job.provider) else { return self.release_worker(worker) };
        let model = provider.model.id();
        let sending = Sending {
            attempt: AttemptId(uuid::Uuid::now_v7()),
            owner: self.params.owner,
            fingerprint: job.asks,
            run: job.run.clone().unwrap_or_else(|| super::super::SINGLE_RUN.to_owned()),
            provider: model.provider.clone(),
            model: model.model.clone(),
            estimate: provider.estimate(job.judge.prompt(), &job.entry),
        };
        let booked = self.to.cache.send(Sent(sending)).into_actor(self);
        ctx.spawn(booked.map(move |reply, dispatcher, ctx| {
            match reply {
                Ok(Ok(attempt)) => {
                    if let Some(job) = dispatcher.jobs.get_mut(&id) {
                        job.attempt = Some(attempt);
                    }
                    return dispatcher.call(worker, id, ctx);
                }
                Ok(Err(error)) => {
                    dispatcher.release_worker(worker);
                    dispatcher.halt(Halted::Store(error.to_string()));
                    dispatcher.settle_flight_halted(id);
                }
                Err(_closed) => {
                    // The cache died over it and is being restarted: nothing was sent, book it again.
                    dispatcher.release_worker(worker);
                    dispatcher.fail(id, &Failure::Lost, None);
                }
            }
            dispatcher.pump(ctx);
        }));
    }

    fn call(&mut self, worker: WorkerId, id: JobId, ctx: &mut Context<Self>) {
        let found = self
            .jobs
            .get(&id)
            .and_then(|job| Some((job, self.providers.get(job.provider)?, self.to.workers.get(worker)?)));
        let Some((job, provider, address)) = found else { return self.release_worker(worker) };
        let question = Question {
            fixed: Arc::clone(job.judge.prompt()),
            row: job.judge.row_message(&job.entry, &fence()),
            hint: job.hint.clone(),
        };
        let ask = Validate {
            entry: Arc::clone(&job.entry),
            review: Arc::clone(&job.review),
            judge: Arc::clone(&job.judge),
            model: Arc::clone(&provider.model),
            question,
            deadline: self.params.call_deadline,
        };
        self.bus.emit(Event::CallStarted { row: job.entry.row, worker, provider: job.provider });
        let asked = address.send(ask).into_actor(self);
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
        let cost = |reply: &Reply| price.map(|price| price.of(&reply.usage)).unwrap_or_else(|| stated(reply));
        let book = |end, reply: Option<&Reply>| Event::CallEnded {
            row,
            worker,
            end,
            usage: reply.map(|reply| reply.usage).unwrap_or_default(),
            cost: reply.map(cost).unwrap_or_default(),
            requests: reply.map_or(1, |reply| reply.requests),
        };
        match ended {
            Ok(Judged { reply, answer }) => {
                self.bus.emit(book(CallEnd::Answered, Some(&reply)));
                let asked = self.providers.get(provider).map(|p| p.model.id().clone());
                let stored = StoredAnswer {
                    provider: asked.as_ref().map(|id| id.provider.clone()).unwrap_or_default(),
                    model_asked: asked.map(|id| id.model).unwrap_or_default(),
                    cost: cost(&reply),
                    model: reply.model,
                    text: reply.text,
                    usage: reply.usage,
                    at: self.clock.now(),
                };
                self.settle_flight_answered(id, stored, &answer, ctx);
            }
            Err(JobError::BadAnswer { problem, reply }) => {
                self.bus.emit(book(CallEnd::BadAnswer, Some(&reply)));
                let cost = cost(&reply);
                self.fail(id, &Failure::BadAnswer(problem), Some((reply.usage, cost)));
            }
            Err(JobError::Llm(error)) => {
                let end = match error {
                    LlmError::RateLimited { .. } => CallEnd::RateLimited,
                    LlmError::Timeout(_) => CallEnd::Lost,
                    _ => CallEnd::Failed,
                };
                self.bus.emit(book(end, None));
                if error.stops_provider() {
                    self.stop_provider(provider, &error);
                }
                self.fail(id, &Failure::Llm(error), None);
            }
            Err(JobError::Panicked(text)) => {
                self.bus.emit(book(CallEnd::Lost, None));
                self.fail(id, &Failure::Panicked(text), None);
            }
            Err(JobError::TimedOut(_)) => {
                self.bus.emit(book(CallEnd::Lost, None));
                self.fail(id, &Failure::TimedOut, None);
            }
            Err(JobError::Lost) => {
                self.bus.emit(book(CallEnd::Lost, None));
                self.fail(id, &Failure::Lost, None);
            }
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

    fn stop_provider(&mut self, provider: usize, error: &LlmError) {
        if let Some(out @ None) = self.out.get_mut(provider) {
            *out = Some(error.to_string());
            self.bus.emit(Event::ProviderOut { provider, reason: error.to_string() });
        }
    }

    /// An attempt has failed: the ledger hears of it, and the row's plan says what follows.
    fn fail(&mut self, id: JobId, failure: &Failure, paid: Option<(Usage, MicroUsd)>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(attempt) = job.attempt.take() {
            let why = failure.to_string();
            match paid {
                Some((usage, cost)) => {
                    actix_rt::spawn(self.to.cache.send(Reject { attempt, usage, cost, why }));
                }
                None => {
                    let maybe_paid = maybe_paid(failure);
                    actix_rt::spawn(self.to.cache.send(Release { attempt, error: why, maybe_paid }));
                }
            }
        }
        if self.halted.is_some() {
            return self.settle_flight_halted(id);
        }
        let out = &self.out;
        let jitter = self.rng.f64();
        let next = job.plan.next(failure, jitter, |p| out.get(p).is_some_and(Option::is_some));
        job.hint = hint(job, failure);
        match next {
            Next::Again { provider, after } => {
                job.provider = provider;
                let row = job.entry.row;
                let due: Moment = self.bus.now() + after;
                self.schedule.again(id, due);
                self.bus.emit(Event::Retry { row, provider, after });
            }
            Next::GiveUp => {
                let reason = self.plan_reason(id);
                self.settle_flight_failed(id, &reason);
            }
        }
        if !self.out.is_empty() && self.out.iter().all(Option::is_some) {
            self.give_up_providers(id);
        }
    }

    fn plan_reason(&self, id: JobId) -> String {
        let name = |n: usize| self.providers.get(n).map(|p| p.model.id().to_string()).unwrap_or_default();
        self.jobs.get(&id).map(|job| job.plan.reason(name)).unwrap_or_default()
    }

    /// Every provider is out: one message for the run, not one for each row.
    pub(super) fn give_up_providers(&mut self, id: JobId) {
        let why: Vec<String> = self
            .providers
            .iter()
            .zip(&self.out)
            .map(|(provider, out)| format!("{}: {}", provider.model.id(), out.as_deref().unwrap_or("unused")))
            .collect();
        let why = why.join("; ");
        if self.run.is_some() {
            self.halt(Halted::Providers(why));
        } else {
            self.settle_flight_failed(id, &why);
        }
    }
}

/// True if the provider may have worked, and be paid, although no answer arrived.
fn maybe_paid(failure: &Failure) -> bool {
    match failure {
        Failure::BadAnswer(_) | Failure::Panicked(_) | Failure::TimedOut | Failure::Lost => true,
        Failure::Llm(LlmError::Timeout(_) | LlmError::BadReply(_) | LlmError::Truncated(_)) => true,
        Failure::Llm(_) => false,
    }
}

/// What the next attempt is told about the last one.
fn hint(job: &Job, failure: &Failure) -> Option<String> {
    match failure {
        Failure::BadAnswer(problem) => Some(job.judge.hint_message(problem)),
        Failure::Llm(_) | Failure::Panicked(_) | Failure::TimedOut | Failure::Lost => job.hint.clone(),
    }
}

fn stated(reply: &Reply) -> MicroUsd {
    reply.usage.stated_cost.unwrap_or_default()
}

/// A fence that no cell can foresee. Without randomness from the system the clock's address space still
/// differs from run to run; the fence is also taken out of the cells.
fn fence() -> String {
    let mut bytes = [0_u8; 8];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = std::process::id().to_le_bytes().repeat(2).try_into().unwrap_or([7; 8]);
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
