//! Asking models: assign, book the call, send it, and decide what follows when it ends.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::super::SINGLE_RUN;
use super::super::cache::{Reject, Release, Sent, persist};
use super::super::event::{CallEnd, Event};
use super::super::schedule::{JobId, Moment, WorkerId};
use super::super::worker::{JobError, Judged, Validate};
use super::gates::{Gates, earlier, fate};
use super::{Dispatcher, Halted, Job, Whose};
use crate::domain::money::{MicroUsd, Usage};
use crate::llm::lane::Ended;
use crate::llm::retry::{Failure, Next};
use crate::llm::{LlmError, NoAnswer, Question};
use crate::store::{Attempt, AttemptId, Sending, StoredAnswer};

impl Dispatcher {
    /// Gives idle workers their next rows, as fast as the lanes let them go.
    pub(super) fn start_calls(&mut self, ctx: &mut Context<Self>) {
        let now = self.hub.now();
        let mut wake = self.expire(now);
        loop {
            let mut gates = Gates::new(self.lanes.len());
            let Self { schedule, lanes, jobs, runs, lines, .. } = self;
            let assigned = schedule.assign(now, |id| {
                let Some(job) = jobs.get_mut(&id) else { return true };
                let calling = lines.get(&job.line).map_or(0, |inside| inside.calling);
                let run = job.run().and_then(|_| runs.get(&job.line));
                calling < job.desk.limits.max_workers && gates.lets_go(job, run, lanes, now)
            });
            wake = earlier(wake, gates.opens);
            let Some((worker, job)) = assigned else { break };
            if let Some(line) = self.jobs.get(&job).map(|job| job.line) {
                self.at_work.insert(worker, line);
                self.lines.entry(line).or_default().calling += 1;
            }
            self.book(worker, job, ctx);
        }
        self.set_wake_up(earlier(self.schedule.next_due(now), wake), ctx);
    }

    /// Gives up the rows whose time is over while they wait to be asked again. Tells when the next one's will be.
    fn expire(&mut self, now: Moment) -> Option<Moment> {
        let due = |job: &Job| job.asked_since.map(|since| since + job.desk.limits.row_deadline);
        let is_late = |job: &Job| due(job).is_some_and(|due| now >= due);
        if self.jobs.values().any(is_late) {
            let jobs = &self.jobs;
            for id in self.schedule.unqueue(|id| jobs.get(&id).is_some_and(is_late)) {
                self.give_up(id);
            }
        }
        self.jobs.values().filter(|job| job.attempt.is_none()).filter_map(due).filter(|due| *due > now).min()
    }

    fn set_wake_up(&mut self, due: Option<Moment>, ctx: &mut Context<Self>) {
        let Some(due) = due else { return };
        if self.armed.is_some_and(|armed| armed <= due) {
            return;
        }
        self.armed = Some(due);
        ctx.run_later(due.saturating_sub(self.hub.now()), move |dispatcher, ctx| {
            // A later alarm may still be set; only the last one counts.
            if dispatcher.armed == Some(due) {
                dispatcher.armed = None;
            }
            dispatcher.pump(ctx);
        });
    }

    /// The ledger hears of a call before it is made.
    fn book(&mut self, worker: WorkerId, id: JobId, ctx: &mut Context<Self>) {
        let Some(job) = self.jobs.get_mut(&id) else { return self.release_worker(worker) };
        if job.ticket.is_none() {
            self.release_worker(worker);
            return self.give_up_providers(id);
        }
        let Some(provider) = job.asked().cloned() else {
            return self.release_worker(worker);
        };
        let model = provider.model.id();
        let estimate = provider.estimate(job.prompt_bytes, job.plan.room());
        job.estimate = estimate;
        if !self.afford(id, estimate) {
            self.withdraw(id);
            self.release_worker(worker);
            return self.stop_for_budget(id);
        }
        let Some(job) = self.jobs.get(&id) else { return self.release_worker(worker) };
        let sending = Sending {
            attempt: AttemptId(uuid::Uuid::now_v7()),
            owner: self.owner,
            fingerprint: job.asks,
            run: job.run().map_or_else(|| SINGLE_RUN.to_owned(), |run| run.run_id.clone()),
            provider: model.provider.clone(),
            model: model.model.clone(),
            estimate,
        };
        let booked = persist(self.cache.clone(), Sent(sending)).into_actor(self);
        ctx.spawn(booked.map(move |reply, dispatcher, ctx| match reply {
            Ok(attempt) => dispatcher.call(worker, id, attempt, ctx),
            Err(error) => {
                dispatcher.withdraw(id);
                dispatcher.release_worker(worker);
                dispatcher.stop_for_store(id, &error);
                dispatcher.pump(ctx);
            }
        }));
    }

    fn call(&mut self, worker: WorkerId, id: JobId, attempt: Attempt, ctx: &mut Context<Self>) {
        let now = self.hub.now();
        let Some(job) = self.jobs.get_mut(&id) else { return self.release_worker(worker) };
        job.attempt = Some(attempt);
        job.called_at = now;
        let since = *job.asked_since.get_or_insert(now);
        let (Some(provider), Some(address)) = (job.asked(), self.workers.get(worker)) else {
            return self.release_worker(worker);
        };
        let limits = &job.desk.limits;
        let ask = Validate {
            entry: Arc::clone(&job.entry),
            review: Arc::clone(&job.review),
            judge: Arc::clone(&job.judge),
            model: Arc::clone(&provider.model),
            question: Question {
                fixed: Arc::clone(job.judge.prompt()),
                row: job.judge.row_message(&job.entry, &fence()),
                hint: job.hint.clone(),
                room: job.plan.room(),
            },
            bus: job.desk.bus.clone(),
            deadline: limits.call_deadline.min((since + limits.row_deadline).saturating_sub(now)),
        };
        let asked = address.send(ask).into_actor(self);
        if let Some(job) = self.jobs.get(&id) {
            let (row, provider) = (job.entry.row, job.provider);
            job.emit(Event::CallStarted { row, worker, provider });
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
        self.tell_lane(id, &ended);
        let Some(job) = self.jobs.get(&id) else { return };
        let (row, provider) = (job.entry.row, job.provider);
        let took = self.hub.now().saturating_sub(job.called_at);
        let price = job.asked().and_then(|provider| provider.price);
        let cost = |usage: &Usage| match price {
            Some(price) => price.of(usage),
            None => usage.stated_cost.unwrap_or_default(),
        };
        let book = |end, usage: Option<&Usage>, requests| Event::CallEnded {
            row,
            worker,
            provider,
            end,
            usage: usage.copied().unwrap_or_default(),
            cost: usage.map(cost).unwrap_or_default(),
            requests,
            took,
        };
        match ended {
            Ok(Judged { reply, answer }) => {
                let paid = cost(&reply.usage);
                job.emit(book(CallEnd::Answered, Some(&reply.usage), reply.requests));
                let asked = job.asked().map(|provider| provider.model.id().clone());
                if let Some(run) = self.run_of_mut(id) {
                    run.fit += 1;
                }
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
                job.emit(book(CallEnd::BadAnswer, Some(&reply.usage), reply.requests));
                let cost = cost(&reply.usage);
                if let Some(run) = self.run_of_mut(id) {
                    run.unfit += 1;
                }
                self.fail(id, &Failure::BadAnswer(problem), Some((reply.usage, cost)));
            }
            Err(JobError::Llm(none)) => {
                let NoAnswer { error, usage, requests, .. } = *none;
                let end = match error {
                    LlmError::RateLimited { .. } | LlmError::Busy { .. } => CallEnd::RateLimited,
                    LlmError::Timeout(_) => CallEnd::TimedOut,
                    _ => CallEnd::Failed,
                };
                job.emit(book(end, usage.as_ref(), requests));
                let paid = usage.map(|usage| (usage, cost(&usage)));
                if error.stops_provider() {
                    self.stop_provider(id, provider, &error.to_string());
                }
                self.fail(id, &Failure::Llm(error), paid);
            }
            Err(JobError::Panicked(text)) => {
                job.emit(book(CallEnd::Lost, None, 1));
                self.fail(id, &Failure::Panicked(text), None);
            }
            Err(JobError::TimedOut(_)) => {
                job.emit(book(CallEnd::TimedOut, None, 1));
                self.fail(id, &Failure::TimedOut, None);
            }
            Err(JobError::Lost) => {
                job.emit(book(CallEnd::Lost, None, 1));
                self.fail(id, &Failure::Lost, None);
            }
        }
    }

    /// The lane hears how a call has ended, and may give its provider up.
    fn tell_lane(&mut self, id: JobId, result: &Result<Judged, JobError>) {
        let now = self.hub.now();
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let provider = job.provider;
        let (Some(ticket), Some(number)) = (job.ticket.take(), job.lane()) else { return };
        let Some(lane) = self.lanes.get_mut(number) else { return };
        let is_given_up = lane.ended(ticket, fate(result), now);
        self.lanes.show(number, now);
        if is_given_up && let Err(error) = result {
            self.stop_provider(id, provider, &format!("it failed again and again, last with: {error}"));
        }
    }

    /// A call was let go and is not made.
    fn withdraw(&mut self, id: JobId) {
        let now = self.hub.now();
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let (ticket, lane) = (job.ticket.take(), job.lane());
        if let (Some(ticket), Some(lane)) = (ticket, lane.and_then(|lane| self.lanes.get_mut(lane))) {
            lane.ended(ticket, Ended::Withdrawn, now);
        }
    }

    /// Takes what a call may cost from the budget of its run and of the day; false if there is not enough left.
    fn afford(&mut self, id: JobId, estimate: MicroUsd) -> bool {
        let spent_by_all = self.spent;
        let most = self.jobs.get(&id).and_then(|job| match &job.whose {
            Whose::Sender(sender) => sender.most,
            Whose::Run(_) => None,
        });
        let is_enough = match self.run_of_mut(id) {
            Some(run) => run.afford(estimate, spent_by_all),
            None => most.is_none_or(|most| spent_by_all + estimate <= most),
        };
        if is_enough {
            self.spent = spent_by_all + estimate;
        }
        is_enough
    }

    /// The call could cost more than is allowed: it is not made.
    fn stop_for_budget(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        if job.run().is_some() {
            self.halt(job.line, Halted::Budget);
            return self.abandon(id);
        }
        self.settle_flight_failed(id, &Halted::Budget.reason());
    }

    /// A call has ended: what it cost takes the place of what it could have cost.
    fn settle_up(&mut self, id: JobId, cost: Option<MicroUsd>) {
        let Some(estimate) = self.jobs.get(&id).map(|job| job.estimate) else { return };
        let cost = cost.unwrap_or(estimate);
        self.spent = MicroUsd(self.spent.0.saturating_sub(estimate.0)) + cost;
        if let Some(run) = self.run_of_mut(id) {
            run.settle_up(estimate, cost);
        }
    }

    /// A worker is free again, unless it is gone for good.
    fn release_worker(&mut self, worker: WorkerId) {
        let line = self.at_work.remove(&worker);
        if let Some(line) = line.and_then(|line| self.lines.get_mut(&line)) {
            line.calling = line.calling.saturating_sub(1);
        }
        if self.workers.get(worker).is_some_and(Addr::connected) {
            self.schedule.free(worker);
            return;
        }
        self.schedule.retire(worker);
        if self.schedule.workers_left() == 0 {
            self.halt_all(&Halted::Workers);
        }
    }

    /// A provider is out for the rest of the run. A row that was sent alone only moves on: nothing would
    /// ever let the provider in again.
    fn stop_provider(&mut self, id: JobId, provider: usize, reason: &str) {
        let Some(run) = self.run_of_mut(id) else { return };
        if let Some(out @ None) = run.out.get_mut(provider) {
            *out = Some(reason.to_owned());
            let bus = run.context.desk.bus.clone();
            bus.emit(Event::ProviderOut { provider, reason: reason.to_owned() });
        }
    }

    /// An attempt has failed: the ledger hears of it, and the row's plan says what follows.
    fn fail(&mut self, id: JobId, failure: &Failure, paid: Option<(Usage, MicroUsd)>) {
        // What may have been paid counts as estimated, as in the ledger.
        let cost = paid.map(|(_, cost)| cost).or((!maybe_paid(failure)).then_some(MicroUsd::default()));
        self.settle_up(id, cost);
        let run = self.run_of_mut(id);
        let out = run.as_ref().map(|run| run.out.clone()).unwrap_or_default();
        let others_fit = run.is_some_and(|run| run.answers_mostly_fit());
        let jitter = self.rng.f64();
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if let Some(attempt) = job.attempt.take() {
            let (cache, why) = (self.cache.clone(), failure.to_string());
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
        let is_out = |n: usize| out.get(n).is_some_and(Option::is_some);
        let all_out = !out.is_empty() && (0..out.len()).all(is_out);
        let now = self.hub.now();
        let next = if failure.asks_to_wait() && job.refusals < MOST_REFUSALS {
            job.refusals += 1;
            // The lane keeps it waiting, and all others; it counts for no attempt.
            let lane = job.lane().and_then(|lane| self.lanes.get(lane));
            let after = lane.map(|lane| lane.pause(now)).unwrap_or_default();
            Next::Again { provider: job.provider, after }
        } else {
            job.plan.next(failure, jitter, is_out)
        };
        let deadline = job.asked_since.map(|since| since + job.desk.limits.row_deadline);
        let is_late = |at: Moment| deadline.is_some_and(|deadline| at >= deadline);
        let (mut is_fresh, put_off) = (false, PUT_OFF + PUT_OFF.mul_f64(jitter));
        let next = match next {
            Next::Again { after, .. } if is_late(now + after) => Next::GiveUp,
            Next::GiveUp
                if !all_out
                    && !is_late(now + put_off)
                    && job.desk.limits.attempts > 1
                    && job.put_off < MOST_PUT_OFF
                    && job.plan.may_pass(others_fit && job.put_off == 0) =>
            {
                // Others are answered meanwhile, or the breaker ends this.
                job.put_off += 1;
                is_fresh = true;
                job.plan.start_over();
                Next::Again { provider: 0, after: put_off }
            }
            next => next,
        };
        job.hint = if is_fresh { None } else { hint(job, failure) };
        let Some(job) = self.jobs.get(&id) else { return };
        if self.halted(job).is_some() {
            return self.abandon(id);
        }
        match next {
            Next::Again { provider, after } => {
                let (row, line, due) = (job.entry.row, job.line, now + after);
                job.emit(Event::Retry { row, provider, after });
                self.schedule.again(id, line, due);
            }
            Next::GiveUp if all_out && !is_late(now) => self.give_up_providers(id),
            Next::GiveUp => self.give_up(id),
        }
    }

    /// No more attempts are made for a row, for the reasons that its plan has noted.
    fn give_up(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let name = |n: usize| job.desk.providers.get(n).map(|provider| provider.model.id().to_string());
        let reason = job.plan.reason(|n| name(n).unwrap_or_default());
        self.settle_flight_failed(id, &reason);
    }

    /// Every provider is out: one message for the run, not one for each row.
    fn give_up_providers(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let Some(run) = self.run_of(job) else {
            return self.settle_flight_failed(id, "no provider is left");
        };
        let line = job.line;
        let named = job.desk.providers.iter().zip(&run.out);
        let why: Vec<String> = named
            .map(|(provider, out)| format!("{}: {}", provider.model.id(), out.as_deref().unwrap_or("unused")))
            .collect();
        let halted = Halted::Providers(why.join("; "));
        let reason = halted.reason();
        self.halt(line, halted);
        self.settle_flight_failed(id, &reason);
    }
}

/// A row whose attempts all met passing trouble is put off so often, by this time at least.
const MOST_PUT_OFF: u32 = 2;
const PUT_OFF: Duration = Duration::from_secs(10);
/// A row that was refused so often for now goes on to the next provider.
const MOST_REFUSALS: u32 = 20;

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
        Failure::Llm(LlmError::Truncated(_)) if job.plan.wants_brevity() => Some(job.judge.brevity_message()),
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
