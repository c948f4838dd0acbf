//! Taking rows in: code decides what it can, the store answers what it knows, the rest is queued.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::super::cache::{Lookup, persist};
use super::super::desk::Desk;
use super::super::event::Event;
use super::super::request::{Mode, Only};
use super::super::schedule::{JobId, LineId, Moment, Place};
use super::settle::origin;
use super::{Dispatcher, Halted, Job, NoRoom, Offered, RunContext, Sender, Single, Whose};
use crate::domain::entry::Entry;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::freshness::{KnownAnswer, Standing};
use crate::domain::judge::Judge;
use crate::domain::money::MicroUsd;
use crate::domain::outcome::{Outcome, Paid, RowState, SkipReason};
use crate::domain::rules::CodeReview;
use crate::domain::tokenizer;
use crate::llm::retry::RetryPlan;
use crate::store::{Known, StoredAnswer};

impl Dispatcher {
    /// Takes in a page of a run.
    pub(super) fn admit_page(
        &mut self,
        line: LineId,
        rows: Vec<Offered>,
        run: &Arc<RunContext>,
        ctx: &mut Context<Self>,
    ) {
        let mut leads = Vec::new();
        for Offered { entry, review } in rows {
            run.desk.bus.emit(Event::Admitted { row: entry.row });
            let (desk, judge) = (Arc::clone(&run.desk), Arc::clone(&run.judge));
            leads.extend(self.admit(entry, review, judge, desk, line, Whose::Run(Arc::clone(run))));
        }
        self.look_up(leads, ctx);
    }

    /// Takes in a row that somebody waits for.
    pub(super) fn admit_single(
        &mut self,
        Single { entry, judge, desk, left_today }: Single,
        reply: oneshot::Sender<Result<Outcome, NoRoom>>,
        ctx: &mut Context<Self>,
    ) {
        let review = judge.review(&entry);
        let (line, most) = (desk.place.line, left_today.map(|left| self.spent + left));
        let lead = self.admit(entry, review, judge, desk, line, Whose::Sender(Sender { reply, most }));
        self.look_up(lead.into_iter().collect(), ctx);
    }

    /// Takes a row in; gives it back if it has to be looked up.
    fn admit(
        &mut self,
        entry: Entry,
        review: CodeReview,
        judge: Arc<Judge>,
        desk: Arc<Desk>,
        line: LineId,
        whose: Whose,
    ) -> Option<JobId> {
        let knows = !desk.providers.is_empty() || matches!(&whose, Whose::Run(run) if run.has_answers);
        let asks_model = review.asks_model && knows;
        let asks = if asks_model { judge.fingerprint(&entry) } else { Fingerprint([0; 32]) };
        let id = self.add_job(Job {
            entry: Arc::new(entry),
            review: Arc::new(review),
            judge,
            asks,
            line,
            whose,
            plan: RetryPlan::new(desk.providers.len(), desk.limits.attempts),
            provider: 0,
            ticket: None,
            refusals: 0,
            put_off: 0,
            asked_since: None,
            hint: None,
            attempt: None,
            prompt_bytes: 0,
            estimate: MicroUsd::default(),
            called_at: Moment::default(),
            fallback: None,
            desk,
        });
        if !asks_model {
            self.admit_decided(id);
            return None;
        }
        self.board(id)
    }

    /// Puts a row beside those that ask the same; gives it back if it is the first.
    fn board(&mut self, id: JobId) -> Option<JobId> {
        let job = self.jobs.get(&id)?;
        match self.schedule.board(id, job.flight()) {
            Place::Lead => Some(id),
            Place::Twin => {
                job.emit(Event::Twin { row: job.entry.row });
                None
            }
        }
    }

    /// A row that code alone decides.
    fn admit_decided(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let wanted = match job.run().and_then(|run| run.only) {
            // Deciding again costs nothing, and an unchanged row is left alone in the table anyway.
            None | Some(Only::Changed) => true,
            Some(Only::Errors) => false,
            Some(Only::Invalid) => !job.review.findings.is_empty(),
        };
        if !wanted {
            return self.skip(id, SkipReason::NotAsked);
        }
        if job.desk.providers.is_empty() && !self.take_from_limit(id) {
            return self.skip(id, SkipReason::Limit);
        }
        self.settle_by_code(id);
    }

    fn look_up(&mut self, leads: Vec<JobId>, ctx: &mut Context<Self>) {
        if leads.is_empty() {
            return;
        }
        let asked = leads.iter().filter_map(|id| self.jobs.get(id)).map(|job| job.asks).collect();
        let lookup = persist(self.cache.clone(), Lookup(asked)).into_actor(self);
        ctx.spawn(lookup.map(move |reply, dispatcher, ctx| {
            match reply {
                Ok(known) => {
                    for (lead, known) in leads.into_iter().zip(known) {
                        dispatcher.admit_flight(lead, known);
                    }
                }
                // What is known cannot be read: asking would pay again for what may be there.
                Err(error) => leads.into_iter().for_each(|lead| dispatcher.stop_for_store(lead, &error)),
            }
            dispatcher.pump(ctx);
        }));
    }

    /// What the store knows decides about the first row of a flight. If that does not take off, the next
    /// one that asks the same is decided by the same knowledge.
    fn admit_flight(&mut self, lead: JobId, known: Known) {
        let Some(flight) = self.jobs.get(&lead).map(Job::flight) else { return };
        self.admit_known(lead, known.clone());
        if self.jobs.contains_key(&lead) {
            return; // queued: its twins wait with it
        }
        let mut twins = self.schedule.land(&flight).into_iter();
        while let Some(twin) = twins.next() {
            self.schedule.board(twin, flight);
            self.admit_known(twin, known.clone());
            if self.jobs.contains_key(&twin) {
                for later in twins {
                    self.schedule.board(later, flight);
                }
                return;
            }
            self.schedule.land(&flight);
        }
    }

    fn admit_known(&mut self, id: JobId, known: Known) {
        let Some(job) = self.jobs.get(&id) else { return };
        let freshness = job.run().map_or_else(|| job.desk.any_age(), |run| run.freshness.clone());
        let has_models = !job.desk.providers.is_empty();
        let stored = match known {
            Known::Answered(stored) => Some(stored),
            Known::Held if has_models && !freshness.force => {
                let reason = "a crash left this call without an answer, and `unknown = \"hold\"` is set; \
                              a run with `unknown = \"retry\"` asks again";
                return self.settle(id, RowState::NotChecked { reason: reason.to_owned() });
            }
            Known::Held | Known::Missing => None,
        };
        let answer = stored.as_ref().and_then(|s| job.judge.read(&job.entry, &job.review, &s.text).ok());
        // What cannot be read any more is as good as missing.
        let Some((stored, answer)) = stored.zip(answer) else {
            return if has_models { self.admit_unknown(id, None) } else { self.admit_decided(id) };
        };
        let known = KnownAnswer { model: &stored.model_asked, at: stored.at };
        // Where no model will judge the row anew, what one said before stands.
        let is_fresh = !has_models || freshness.standing(&known) == Standing::Fresh;
        let verdict = job.judge.verdict(&job.entry, &job.review, Some(&answer));
        let wanted = match job.run().and_then(|run| run.only) {
            None => true,
            Some(Only::Changed | Only::Errors) => !is_fresh,
            Some(Only::Invalid) => !verdict.valid,
        };
        if !wanted {
            self.skip(id, SkipReason::NotAsked);
        } else if is_fresh {
            let origin = origin(&stored, Paid::Before);
            self.settle(id, RowState::Judged { verdict, origin });
        } else {
            self.admit_unknown(id, Some(stored));
        }
    }

    /// A row that has to be asked about; `stale` is an answer that does not count any more.
    fn admit_unknown(&mut self, id: JobId, stale: Option<StoredAnswer>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let never_judged = stale.is_none();
        job.fallback = stale;
        // Asked for by date: what another tool judged lately, for this very text, is not paid for again.
        let stands =
            |run: &RunContext, not_before| never_judged && run.foreign.stands(&job.entry, not_before);
        let keeps_foreign =
            job.run().is_some_and(|run| run.freshness.not_before.is_some_and(|moment| stands(run, moment)));
        let run = job.run().map(|run| (run.mode, run.only));
        match run {
            None => self.queue(id),
            Some(_) if keeps_foreign => self.skip(id, SkipReason::JudgedElsewhere),
            Some((_, Some(Only::Invalid))) if never_judged => self.skip(id, SkipReason::NotAsked),
            Some(_) if !self.take_from_limit(id) => self.skip(id, SkipReason::Limit),
            Some((Mode::Plan, _)) => self.plan_call(id),
            Some((Mode::Full | Mode::DryRun, _)) => self.queue(id),
        }
    }

    /// Counts what a call would take instead of making it.
    fn plan_call(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        let fixed_tokens = self.run_of(job).map_or(0, |run| run.fixed_tokens);
        let row = job.judge.row_message(&job.entry, "0000000000000000");
        let prompt_tokens = fixed_tokens + tokenizer::text_tokens(&row) + tokenizer::A_MESSAGE;
        job.emit(Event::Planned { row: job.entry.row, prompt_tokens, fixed_tokens });
        self.skip(id, SkipReason::Planned);
    }

    fn queue(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        if self.halted(job).is_some() {
            return self.settle_halted(id);
        }
        if self.schedule.workers_left() == 0 {
            self.halt_all(&Halted::Workers);
            return self.settle_unanswered(id, &Halted::Workers.reason());
        }
        job.emit(Event::Queued { row: job.entry.row });
        let line = job.line;
        if let Some(job) = self.jobs.get_mut(&id) {
            job.prompt_bytes = job.judge.prompt_bytes(&job.entry);
        }
        self.schedule.queue(id, line);
    }

    fn skip(&mut self, id: JobId, reason: SkipReason) {
        self.settle(id, RowState::Skipped { reason });
    }

    /// True if the limit of the row's run allows one more row to be judged anew.
    fn take_from_limit(&mut self, id: JobId) -> bool {
        match self.run_of_mut(id).and_then(|run| run.limit.as_mut()) {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }
}
