//! A model that follows a script.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};

use crate::domain::money::Usage;
use crate::llm::limits::RateLimits;
use crate::llm::{ChatModel, LlmError, ModelId, NoAnswer, Question, Reply};

/// What the model does with one question.
#[derive(Clone, Debug)]
pub enum Step {
    /// Answers with this text.
    Answer {
        /// After this time.
        after: Duration,
        /// The answer.
        text: String,
    },
    /// Fails.
    Fail {
        /// After this time.
        after: Duration,
        /// Like this.
        error: LlmError,
    },
    /// Panics.
    Panic,
    /// Never answers.
    Hang,
}

type Script = dyn Fn(&Question, u64) -> Step + Send + Sync;

/// A model that asks its script what to do. Clones share their counters.
#[derive(Clone)]
pub struct FakeModel {
    id: ModelId,
    script: Arc<Script>,
    limited: bool,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    in_flight: AtomicUsize,
    peak: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

impl FakeModel {
    /// A model of this name; the script is given the question and the number of the call, from 0.
    pub fn new(model: &str, script: impl Fn(&Question, u64) -> Step + Send + Sync + 'static) -> Self {
        let id = ModelId { provider: "fake".to_owned(), model: model.to_owned() };
        Self { id, script: Arc::new(script), limited: false, counters: Arc::default() }
    }

    /// A model that finds every row valid, under a rulebook in free text, after this time.
    pub fn content_after(after: Duration) -> Self {
        let text = r#"{"is_valid": true, "issues": [], "rewrite_suggestion": ""}"#;
        Self::new("content", move |_, _| Step::Answer { after, text: text.to_owned() })
    }

    /// The same, of a provider whose limits have to be felt for; otherwise it takes as many questions as there are.
    #[must_use]
    pub fn limited(self) -> Self {
        Self { limited: true, ..self }
    }

    /// How many questions were asked.
    pub fn calls(&self) -> u64 {
        self.counters.calls.load(Ordering::SeqCst)
    }

    /// The most questions at one time.
    pub fn peak(&self) -> usize {
        self.counters.peak.load(Ordering::SeqCst)
    }

    /// The rows that were asked about, in order.
    pub fn asked(&self) -> Vec<String> {
        self.counters.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Counts a question out, however it ends: answered, panicked or dropped.
struct InFlight(Arc<Counters>);

impl InFlight {
    fn enter(counters: &Arc<Counters>) -> Self {
        let now = counters.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        counters.peak.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(counters))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ChatModel for FakeModel {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn is_limited(&self) -> bool {
        self.limited
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Reply, NoAnswer>> {
        async move {
            let number = self.counters.calls.fetch_add(1, Ordering::SeqCst);
            self.counters.asked.lock().unwrap_or_else(PoisonError::into_inner).push(question.row.clone());
            let _in_flight = InFlight::enter(&self.counters);
            match (self.script)(question, number) {
                Step::Answer { after, text } => {
                    tokio::time::sleep(after).await;
                    let usage = Usage { prompt_tokens: 100, completion_tokens: 10, ..Usage::default() };
                    Ok(Reply {
                        text,
                        model: self.id.model.clone(),
                        usage,
                        requests: 1,
                        limits: RateLimits::default(),
                    })
                }
                Step::Fail { after, error } => {
                    tokio::time::sleep(after).await;
                    Err(error.into())
                }
                #[expect(clippy::panic, reason = "the script asks for a panic")]
                Step::Panic => panic!("scripted panic"),
                Step::Hang => std::future::pending().await,
            }
        }
        .boxed()
    }
}
