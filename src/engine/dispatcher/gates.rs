//! Where the rows meet the lanes: which of them may go now, and what a lane hears of a call's end.

use super::super::schedule::Moment;
use super::super::worker::{JobError, Judged};
use super::Job;
use super::lanes::Lanes;
use super::present::Present;
use crate::llm::lane::{Ended, Lane};
use crate::llm::pace::{Admission, Refused};
use crate::llm::{LlmError, Reply};

/// Which lanes let a row go, within one look at the queue.
pub(super) struct Gates {
    shut: Vec<bool>,
    /// When the first of those that are shut opens, as far as that is known.
    pub(super) opens: Option<Moment>,
}

impl Gates {
    pub(super) fn new(lanes: usize) -> Self {
        Self { shut: vec![false; lanes], opens: None }
    }

    /// True if the row may go now: with a ticket, or without one if nobody is left to ask. `run` is the row's, if it is of
    /// one.
    pub(super) fn lets_go(
        &mut self,
        job: &mut Job,
        run: Option<&Present>,
        lanes: &mut Lanes,
        now: Moment,
    ) -> bool {
        let lane_of = |n: usize| job.desk.place.lanes.get(n).and_then(|lane| lanes.get(*lane));
        let is_out = |n: usize| match run {
            Some(run) => run.out.get(n).is_some_and(Option::is_some),
            None => lane_of(n).is_some_and(Lane::is_given_up),
        };
        let is_closed = |n: usize| lane_of(n).is_some_and(|lane| lane.is_closed(now));
        let Some(number) = job.plan.provider(is_out, is_closed) else { return true };
        job.provider = number;
        let (Some(tokens), Some(number)) =
            (job.asked().map(|provider| provider.tokens(job.prompt_bytes)), job.lane())
        else {
            return true;
        };
        let (Some(lane), Some(shut)) = (lanes.get_mut(number), self.shut.get_mut(number)) else {
            return true;
        };
        if *shut {
            return false;
        }
        match lane.admit(tokens, now) {
            Admission::Go(ticket) => {
                job.ticket = Some(ticket);
                return true;
            }
            Admission::At(due) => self.opens = earlier(self.opens, Some(due)),
            Admission::Full => {}
        }
        *shut = true;
        false
    }
}

pub(super) fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}

/// What a lane has to know of a call's end.
pub(super) fn fate(result: &Result<Judged, JobError>) -> Ended<'_> {
    match result {
        Ok(Judged { reply, .. }) => answered(reply),
        Err(JobError::BadAnswer { reply, .. }) => answered(reply),
        Err(JobError::Llm(none)) => {
            let refused = |what, wait| Ended::Refused { what, wait, limits: &none.limits };
            match none.error {
                LlmError::RateLimited { retry_after } => refused(Refused::Rate, retry_after),
                LlmError::Busy { retry_after } => refused(Refused::Slots, retry_after),
                LlmError::Unavailable { .. } | LlmError::Timeout(_) | LlmError::BadReply(_) => Ended::Failed,
                LlmError::Auth(_)
                | LlmError::Quota(_)
                | LlmError::UnknownModel(_)
                | LlmError::TooLong(_)
                | LlmError::Refused(_)
                | LlmError::Truncated(_)
                | LlmError::BadRequest(_) => Ended::Declined,
            }
        }
        Err(JobError::TimedOut(_)) => Ended::Failed,
        // Our own fault, or the model's code: nothing is known of the provider.
        Err(JobError::Panicked(_) | JobError::Lost) => Ended::Withdrawn,
    }
}

fn answered(reply: &Reply) -> Ended<'_> {
    let used = reply.usage.prompt_tokens + reply.usage.completion_tokens;
    Ended::Answered { tokens: (used > 0).then_some(used), limits: &reply.limits }
}
