//! Taking rows in: code decides what it can, the store answers what it knows, the rest is queued.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::super::cache::Lookup;
use super::super::event::Event;
use super::super::request::{Mode, Only};
use super::super::schedule::{Admitted, JobId};
use super::settle::origin;
use super::{Dispatcher, Halted, Job, NoRoom, Offered, Single};
use crate::domain::answer::Answer;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::freshness::{Freshness, KnownAnswer, Standing};
use crate::domain::outcome::{Outcome, Paid, RowState, SkipReason};
use crate::llm::retry::{Next, RetryPlan};
use crate::store::{Known, StoredAnswer};

/// How often a lookup is sent again when the cache dies over it.
const LOOKUPS: u32 = 3;

impl Dispatcher {
    /// Takes in a page of the present run.
    pub(super) fn admit_page(&mut self, rows: Vec<Offered>, ctx: &mut Context<Self>) {
        let Some(run) = self.run.clone() else { return };
        let mut unknown = Vec::new();
        for Offered { entry, review } in rows {
            self.bus.emit(Event::Admitted { row: entry.row });
            let asks_model = review.asks_model && !self.providers.is_empty();
            let job = self.job(entry, review, Arc::clone(&run.judge), asks_model);
            let job = self.add_job(Job { run: Some(run.run_id.clone()), ..job });
            if asks_model {
                unknown.push(job);
            } else {
                self.admit_decided(job, &run);
            }
        }
        self.look_up(unknown, LOOKUPS, ctx);
    }

    /// Takes in a row that somebody waits for.
    pub(super) fn admit_single(
        &mut self,
        Single { entry, judge }: Single,
        reply: oneshot::Sender<Result<Outcome, NoRoom>>,
        ctx: &mut Context<Self>,
    ) {
        let review = judge.review(&entry);
        let asks_model = review.asks_model && !self.providers.is_empty();
        let job = self.job(entry, review, judge, asks_model);
        let job = self.add_job(Job { reply: Some(reply), ..job });
        if asks_model {
            self.look_up(vec![job], LOOKUPS, ctx);
        } else {
            self.settle_by_code(job);
        }
    }

    fn job(
        &self,
        entry: crate::domain::entry::Entry,
        review: crate::domain::rules::CodeReview,
        judge: Arc<crate::domain::judge::Judge>,
        asks_model: bool,
    ) -> Job {
        Job {
            asks: if asks_model { judge.fingerprint(&entry) } else { Fingerprint([0; 32]) },
            entry: Arc::new(entry),
            review: Arc::new(review),
            judge,
            run: None,
            reply: None,
            plan: RetryPlan::new(self.providers.len(), self.params.attempts),
            provider: 0,
            hint: None,
            attempt: None,
            fallback: None,
        }
    }

    /// A row that code alone decides.
    fn admit_decided(&mut self, job: JobId, run: &super::RunContext) {
        let Some(valid) = self.jobs.get(&job).map(|job| job.review.findings.is_empty()) else { return };
        let wanted = match run.only {
            None => true,
            // Deciding again costs nothing, and an unchanged row is left alone in the table anyway.
            Some(Only::Changed) => true,
            Some(Only::Errors) => false,
            Some(Only::Invalid) => !valid,
        };
        if !wanted {
            return self.settle(job, RowState::Skipped { reason: SkipReason::NotAsked });
        }
        if self.providers.is_empty() && !self.take_from_limit() {
            return self.settle(job, RowState::Skipped { reason: SkipReason::Limit });
        }
        self.settle_by_code(job);
    }

    fn look_up(&mut self, jobs: Vec<JobId>, tries: u32, ctx: &mut Context<Self>) {
        if jobs.is_empty() {
            return;
        }
        let asked = jobs.iter().filter_map(|id| self.jobs.get(id)).map(|job| job.asks).collect();
        let lookup = self.to.cache.send(Lookup(asked)).into_actor(self);
        ctx.spawn(lookup.map(move |reply, dispatcher, ctx| {
            match reply {
                Ok(Ok(known)) => {
                    for (job, known) in jobs.into_iter().zip(known) {
                        dispatcher.admit_known(job, known);
                    }
                }
                Ok(Err(error)) => dispatcher.refuse(jobs, &error.to_string()),
                Err(MailboxError::Closed) if tries > 1 => return dispatcher.look_up(jobs, tries - 1, ctx),
                Err(error) => dispatcher.refuse(jobs, &error.to_string()),
            }
            dispatcher.pump(ctx);
        }));
    }

    /// What is known cannot be read: asking would pay again for what may be there.
    fn refuse(&mut self, jobs: Vec<JobId>, error: &str) {
        self.halt(Halted::Store(error.to_owned()));
        for job in jobs {
            self.settle_halted(job);
        }
    }

    fn admit_known(&mut self, id: JobId, known: Known) {
        let Some(job) = self.jobs.get(&id) else { return };
        let run = self.run.as_ref().filter(|_| job.run.is_some());
        let freshness = run.map_or_else(|| self.any_age(), |run| run.freshness.clone());
        let stored = match known {
            Known::Answered(stored) => Some(stored),
            Known::Held if !freshness.force => {
                let reason = "a crash left this call without an answer, and `unknown = \"hold\"` is set; \
                              a run with --force asks again";
                return self.settle(id, RowState::NotChecked { reason: reason.to_owned() });
            }
            Known::Held | Known::Missing => None,
        };
        let answer = stored.as_ref().and_then(|s| job.judge.read(&job.entry, &job.review, &s.text).ok());
        match (stored, answer) {
            (Some(stored), Some(answer)) => {
                let known = KnownAnswer { model: &stored.model_asked, at: stored.at };
                match freshness.standing(&known) {
                    Standing::Fresh => self.settle_known(id, &stored, &answer),
                    Standing::Stale(_) => self.admit_unknown(id, Some(stored)),
                }
            }
            // What cannot be read any more is as good as missing.
            (_, None) | (None, _) => self.admit_unknown(id, None),
        }
    }

    /// A row whose answer is known from an earlier run.
    fn settle_known(&mut self, id: JobId, stored: &StoredAnswer, answer: &Answer) {
        let Some(job) = self.jobs.get(&id) else { return };
        let verdict = job.judge.verdict(&job.entry, &job.review, Some(answer));
        let wanted = match self.run.as_ref().filter(|_| job.run.is_some()).and_then(|run| run.only) {
            None => true,
            Some(Only::Changed | Only::Errors) => false,
            Some(Only::Invalid) => !verdict.valid,
        };
        if !wanted {
            return self.settle(id, RowState::Skipped { reason: SkipReason::NotAsked });
        }
        self.settle(id, RowState::Judged { verdict, origin: origin(stored, Paid::Before) });
    }

    /// A row that has to be asked about; `stale` is an answer that does not count any more.
    fn admit_unknown(&mut self, id: JobId, stale: Option<StoredAnswer>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let run = self.run.as_ref().filter(|_| job.run.is_some());
        let never_judged = stale.is_none();
        job.fallback = stale;
        match run.map(|run| (run.mode, run.only)) {
            None => self.queue(id),
            Some((_, Some(Only::Invalid))) if never_judged => {
                self.settle(id, RowState::Skipped { reason: SkipReason::NotAsked });
            }
            Some(_) if !self.take_from_limit() => {
                self.settle(id, RowState::Skipped { reason: SkipReason::Limit });
            }
            Some((Mode::Plan, _)) => self.plan_call(id),
            Some((Mode::Full | Mode::DryRun, _)) => self.queue(id),
        }
    }

    /// Counts what a call would take instead of making it.
    fn plan_call(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let fixed = job.judge.prompt();
        let chars = fixed.system.chars().count()
            + fixed.rules.chars().count()
            + job.judge.row_message(&job.entry, "0000000000000000").chars().count();
        self.bus.emit(Event::Planned { row: job.entry.row, prompt_chars: chars as u64 });
        self.settle(id, RowState::Skipped { reason: SkipReason::Planned });
    }

    fn queue(&mut self, id: JobId) {
        if self.halted.is_some() {
            return self.settle_halted(id);
        }
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let row = job.entry.row;
        match self.schedule.admit(id, job.asks) {
            Admitted::Queued => self.bus.emit(Event::Queued { row }),
            Admitted::Twin => self.bus.emit(Event::Twin { row }),
        }
        let out = &self.out;
        match job.plan.first(|provider| out.get(provider).is_some_and(Option::is_some)) {
            Next::Again { provider, .. } => job.provider = provider,
            Next::GiveUp => self.give_up_providers(id),
        }
    }

    /// What counts for a row that somebody sent alone: an answer of a configured model, however old.
    fn any_age(&self) -> Freshness {
        let models = self.providers.iter().map(|p| p.model.id().model.clone()).collect();
        Freshness { models, not_before: None, force: false }
    }

    /// True if the run's limit allows one more row to be judged anew.
    fn take_from_limit(&mut self) -> bool {
        match self.run.as_mut().and_then(|run| run.limit.as_mut()) {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }
}
