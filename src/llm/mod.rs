//! Language models: the trait the engine knows, and what can go wrong with one request.
//!
//! [`ChatModel`] is one provider with one model; anyone can implement it; [`openai`] is the one that there is.
//!
//! When it is asked is decided without I/O. A provider has a [`lane`]: [`pace`] finds and keeps its limits, [`breaker`]
//! leaves it alone while it fails, and the first requests go ahead where something has to be found out. A row has a plan:
//! [`retry`] says which provider is asked next, after what pause ([`backoff`]).

pub mod backoff;
pub mod breaker;
pub mod lane;
pub mod limits;
pub mod openai;
pub mod pace;
pub mod retry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;

use self::limits::RateLimits;
use crate::domain::money::Usage;
use crate::domain::prompt::StaticPrompt;

/// A chat model of one provider. One call is one answer that may be paid for.
pub trait ChatModel: Send + Sync {
    /// The provider's name in the settings and the model asked for.
    fn id(&self) -> &ModelId;

    /// Asks for one answer. The future may be dropped at any moment.
    ///
    /// The model waits for nothing but its own deadline: pauses between attempts are the caller's.
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Reply, NoAnswer>>;

    /// Whether it is known what the provider takes and refuses. While it is not, the first question goes alone,
    /// so that a refusal is met once and not by every worker.
    fn is_known(&self) -> bool {
        true
    }

    /// Whether the provider may limit the rate or the number of requests. One within this process need not.
    fn is_limited(&self) -> bool {
        true
    }

    /// Whether the provider keeps the static part of a prompt for later requests. If so, the first question of a run
    /// goes alone: others that left with it would find nothing kept yet, and pay for it again.
    fn keeps(&self, _fixed: &StaticPrompt) -> bool {
        false
    }

    /// A run begins that will ask so many questions a minute: over how many places the model spreads them, so that each
    /// finds the static part kept. Where [`ChatModel::keeps`] holds, so many questions go first, and alone.
    fn spread(&self, _requests_per_minute: f64) -> u32 {
        1
    }

    /// Whose limits these are: the address, the key and the model, in a form that gives away none of them.
    fn account(&self) -> String {
        self.id().to_string()
    }

    /// What was learnt about the provider, to be kept for the next run: JSON with a version of its own.
    fn memory(&self) -> Option<Value> {
        None
    }

    /// Takes over what an earlier run learnt; what cannot be read is ignored.
    fn recall(&self, _memory: &Value) {}
}

/// A provider and the model asked for there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelId {
    /// The provider's name in the settings.
    pub provider: String,
    /// The model.
    pub model: String,
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.provider, self.model)
    }
}

/// One question: the static part, the same for all rows of a run, and the row.
#[derive(Clone, Debug)]
pub struct Question {
    /// System text, rules and schema.
    pub fixed: Arc<StaticPrompt>,
    /// The row, fenced.
    pub row: String,
    /// What was wrong with the previous answer, if this is a second attempt. Goes after the row.
    pub hint: Option<String>,
    /// How long the answer may be.
    pub room: Room,
}

/// How long an answer may be, measured by the usual limit of its provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Room {
    /// As long as usual.
    #[default]
    Usual,
    /// Twice as long: the usual limit has cut it.
    Double,
}

impl Room {
    /// The limit, in tokens.
    pub fn of(self, usual: u32) -> u32 {
        match self {
            Self::Usual => usual,
            Self::Double => usual.saturating_mul(2),
        }
    }
}

/// An answer as it came. What it says is not looked at here.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The text of the answer.
    pub text: String,
    /// The model that answered, as the provider names it; the one asked for where it does not say.
    pub model: String,
    /// Tokens, as far as the provider says.
    pub usage: Usage,
    /// Requests that were needed, refused parameters included: 1 as a rule.
    pub requests: u32,
    /// What the provider says of its limits.
    pub limits: RateLimits,
}

/// There is no answer: why, and what it took.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct NoAnswer {
    /// Why.
    pub error: LlmError,
    /// Tokens that were used all the same, where the provider says so: an answer that was cut, for one.
    pub usage: Option<Usage>,
    /// Requests that were sent, refused parameters included: 1 as a rule.
    pub requests: u32,
    /// What the provider says of its limits.
    pub limits: Box<RateLimits>,
}

impl From<LlmError> for NoAnswer {
    fn from(error: LlmError) -> Self {
        Self { error, usage: None, requests: 1, limits: Box::default() }
    }
}

/// Why there is no answer. The provider is named by whoever reports it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LlmError {
    /// Too many requests or tokens for now (429).
    #[error("rate limited{}", match .retry_after { Some(wait) => format!(", asked to wait {wait:?}"), None => String::new() })]
    RateLimited {
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// Too many requests at the same time (429 that says so).
    #[error("too many requests at the same time{}", match .retry_after { Some(wait) => format!(", asked to wait {wait:?}"), None => String::new() })]
    Busy {
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider is in trouble (5xx, overloaded, reset connection).
    #[error("unavailable: {detail}")]
    Unavailable {
        /// What happened.
        detail: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// No answer within the deadline. It may have been paid for.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The key is refused (401, 403).
    #[error("access refused: {0}")]
    Auth(String),
    /// No money or quota left (402, 429 `insufficient_quota`).
    #[error("no money or quota left: {0}")]
    Quota(String),
    /// The model does not exist there (404), or the address is not that of an API: it redirects (3xx).
    #[error("unknown model or address: {0}")]
    UnknownModel(String),
    /// The row is too long for the model.
    #[error("the row is too long for the model: {0}")]
    TooLong(String),
    /// The provider or the model declines to answer for this row.
    #[error("declined to answer: {0}")]
    Refused(String),
    /// The answer was cut at the token limit. It was paid for.
    #[error("the answer was cut at {0} tokens; raise max_output_tokens")]
    Truncated(u32),
    /// The request was refused as malformed (400, 422) and no parameter is to blame.
    #[error("request refused: {0}")]
    BadRequest(String),
    /// Something came, but not an answer: HTML, an empty body, broken JSON.
    #[error("not an answer: {0}")]
    BadReply(String),
}

/// A JSON value of the schema that an answer must fit.
pub type Schema = Value;
