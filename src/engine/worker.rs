//! LlmWorker: asks a model about one row at a time.
//!
//! - Owns: nothing. A restart has nothing to put in order.
//! - Receives: [`Validate`], one at a time, from the dispatcher. Sends: nothing; what it learns is the reply.
//! - Bound: one row, by the dispatcher's doing.
//! - On panic: the model is asked in a task of its own, so its panic is a value ([`JobError::Panicked`]);
//!   the worker replies, then starts afresh. A panic of the handler itself reaches the dispatcher as `Closed`.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio_util::task::AbortOnDropHandle;

use super::event::{Bus, Event};
use super::supervise::panic_text;
use crate::domain::answer::{Answer, BadAnswer};
use crate::domain::entry::Entry;
use crate::domain::judge::Judge;
use crate::domain::rules::CodeReview;
use crate::fault::{self, Point};
use crate::llm::{ChatModel, NoAnswer, Question, Reply};

/// Ask this model about this row. The reply is the whole fate of the attempt.
#[derive(Message)]
#[rtype(result = "Result<Judged, JobError>")]
pub(crate) struct Validate {
    pub(crate) entry: Arc<Entry>,
    pub(crate) review: Arc<CodeReview>,
    pub(crate) judge: Arc<Judge>,
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) question: Question,
    /// Of the row's job.
    pub(crate) bus: Bus,
    /// The longest the model may take; its own deadline is a little shorter.
    pub(crate) deadline: Duration,
}

/// An answer that fits.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) reply: Reply,
    pub(crate) answer: Answer,
}

/// Why an attempt gave no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// The provider gave no answer.
    #[error("{0}")]
    Llm(Box<NoAnswer>),
    /// It answered, and was paid, but the answer does not fit.
    #[error("{problem}")]
    BadAnswer {
        /// What is wrong with it.
        problem: BadAnswer,
        /// The answer.
        reply: Box<Reply>,
    },
    /// The model's code panicked.
    #[error("the model's code panicked: {0}")]
    Panicked(String),
    /// The model kept neither its deadline nor ours.
    #[error("the model hung for {0:?}")]
    TimedOut(Duration),
    /// The worker died with the row.
    #[error("the worker died")]
    Lost,
}

/// The actor.
pub(crate) struct LlmWorker {
    number: usize,
}

impl LlmWorker {
    /// The worker with this number in the pool.
    pub(crate) fn new(number: usize) -> Self {
        Self { number }
    }
}

impl Actor for LlmWorker {
    type Context = Context<Self>;
}

impl Supervised for LlmWorker {}

impl Handler<Validate> for LlmWorker {
    type Result = ResponseActFuture<Self, Result<Judged, JobError>>;

    fn handle(&mut self, ask: Validate, _ctx: &mut Self::Context) -> Self::Result {
        ask.bus.emit(Event::Took { row: ask.entry.row, worker: self.number });
        let deadline = ask.deadline;
        // Dropped with this future, so a restarted worker never leaves a call running behind it.
        let task = AbortOnDropHandle::new(actix_rt::spawn(attempt(ask)));
        let bounded = tokio::time::timeout(deadline, task);
        Box::pin(bounded.into_actor(self).map(move |ended, _, ctx| match ended {
            Ok(Ok(result)) => result,
            Ok(Err(join)) => {
                ctx.stop(); // the supervisor starts us afresh, after this reply
                Err(match join.try_into_panic() {
                    Ok(panic) => JobError::Panicked(panic_text(panic.as_ref())),
                    Err(_cancelled) => JobError::Lost,
                })
            }
            Err(_elapsed) => Err(JobError::TimedOut(deadline)),
        }))
    }
}

async fn attempt(ask: Validate) -> Result<Judged, JobError> {
    let asked = fault::during(Point::CallSent, ask.model.ask(&ask.question)).await;
    let reply = asked.map_err(|none| JobError::Llm(Box::new(none)))?;
    fault::pass(Point::AnswerArrived);
    match ask.judge.read(&ask.entry, &ask.review, &reply.text) {
        Ok(answer) => Ok(Judged { reply, answer }),
        Err(problem) => Err(JobError::BadAnswer { problem, reply: Box::new(reply) }),
    }
}
