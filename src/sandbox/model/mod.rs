//! The model of a chat service: what it lets through, how long it takes, what it keeps, says, bills and refuses.
//!
//! [`Model`] is a state machine without I/O: a request [`begins`](Model::begin) and, when its time is over,
//! [`ends`](Model::end). [`Behaviour`] is all that may be switched; `limits`, `latency`, `cache`, `refuses`, `trouble`
//! and `answer` (by the labels of `golden`) are its parts.

mod answer;
mod behaviour;
mod cache;
mod golden;
mod gullible;
mod latency;
pub mod limits;
mod refuses;
mod trouble;

use std::time::Duration;

use serde_json::{Value, json};

pub use behaviour::{Behaviour, Bills};
pub use cache::{Keeps, PromptCache};
pub use golden::{Golden, GoldenError};
pub use latency::Latency;
pub(super) use trouble::{PASSING, error};
pub use trouble::{Trouble, WORDS};

use super::fault::{Arrival, Fault};
use super::reply::Reply;
use super::spec::{FaultScript, FaultSpec, SpecError};
use crate::domain::tokenizer;
use answer::Judgement;
use cache::{Found, Kept};
use limits::{Limiter, Met, Refusal, Tells};

/// What the model is called.
pub(super) const NAME: &str = "rule-of-thumb";

/// A model of a chat service.
#[derive(Debug)]
pub(super) struct Model {
    behaviour: Behaviour,
    golden: Golden,
    limiter: Limiter,
    kept: Kept,
    faults: FaultScript,
    random: fastrand::Rng,
}

/// How a request will go.
#[derive(Debug)]
pub(super) struct Course {
    /// When it is answered.
    pub(super) after: Duration,
    /// With what.
    pub(super) reply: Reply,
    /// To be handed back when it is over; none for a request that was not let through.
    pub(super) ticket: Option<Ticket>,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Ticket {
    found: Found,
    unused: f64,
}

/// An error comes at once, as far as a network does.
const SOON: Duration = Duration::from_millis(20);
/// The answer that is reserved where a request does not say how long it may be.
const USUAL_ANSWER: u64 = 1024;

impl Model {
    /// A model that answers at once and lets everything through.
    pub(super) fn new() -> Self {
        let behaviour = Behaviour::default();
        Self {
            limiter: Limiter::new(behaviour.limits),
            random: fastrand::Rng::with_seed(behaviour.seed),
            behaviour,
            golden: Golden::default(),
            kept: Kept::default(),
            faults: FaultScript::default(),
        }
    }

    pub(super) fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// From now on it behaves like this. What was used of the limits and what is kept stays.
    ///
    /// # Errors
    /// If a fault has no meaning, or a figure makes no sense. Then nothing changes.
    pub(super) fn behave(&mut self, behaviour: Behaviour) -> Result<(), SpecError> {
        behaviour.check()?;
        let faults: Result<Vec<FaultSpec>, SpecError> =
            behaviour.faults.iter().map(|text| text.parse()).collect();
        self.faults = FaultScript::new(faults?).seeded(behaviour.seed);
        if behaviour.seed != self.behaviour.seed {
            self.random = fastrand::Rng::with_seed(behaviour.seed);
        }
        self.limiter.change(behaviour.limits);
        self.behaviour = behaviour;
        Ok(())
    }

    /// From now on it knows these rows.
    pub(super) fn learn(&mut self, golden: Golden) {
        self.golden = golden;
    }

    /// What goes wrong with a request, by the behaviour.
    pub(super) fn fault(&mut self, arrival: &Arrival) -> Fault {
        self.faults.strike(arrival)
    }

    /// A request arrives.
    pub(super) fn begin(&mut self, body: &[u8], trouble: Option<Trouble>, now: Duration) -> Course {
        let request: Value = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return Course::refused(invalid(&format!("The body is no JSON: {error}"))),
        };
        if answer::texts(&request).is_empty() {
            return Course::refused(invalid("Missing required parameter: 'messages'."));
        }
        if let Some(trouble) = trouble.filter(|trouble| trouble.is_error()) {
            return Course::refused(trouble.instead_of(Value::Null));
        }
        if let Some(refusal) = refuses::refusal(&request, &self.behaviour.refuses) {
            return Course::refused(self.told(Reply::json(400, refusal), now));
        }
        let judgement = Judgement {
            golden: &self.golden,
            error_rate: self.behaviour.error_rate,
            gullible: self.behaviour.gullible,
            seed: self.behaviour.seed,
        };
        let content = answer::said(&request, &judgement);
        let longest = request["max_completion_tokens"].as_u64().or(request["max_tokens"].as_u64());
        let mut completion = tokenizer::text_tokens(&content);
        let is_cut = longest.is_some_and(|longest| completion > longest);
        completion = completion.min(longest.unwrap_or(u64::MAX));
        let found = self.kept.look_up(&request, &self.behaviour.prompt_cache, now);
        let used = found.prompt + completion;
        let reserved = match self.behaviour.limits.reserves {
            true => found.prompt + longest.unwrap_or(USUAL_ANSWER),
            false => used,
        };
        if let Err(refusal) = self.limiter.ask(reserved as f64, now) {
            let reply = self.too_many(&refusal, reserved, now);
            return Course::refused(self.told(reply, now));
        }
        let trouble = trouble.or(is_cut.then_some(Trouble::Length));
        let good = self.completion(&request, &content, &found, completion);
        let reply = match trouble {
            Some(trouble) => trouble.instead_of(good),
            None => Reply::json(200, good),
        };
        Course {
            after: self.behaviour.latency.of(&mut self.random),
            reply: self.told(reply, now),
            ticket: Some(Ticket { found, unused: reserved.saturating_sub(used) as f64 }),
        }
    }

    /// A request is over; one that was given up has brought nothing.
    pub(super) fn end(&mut self, ticket: &Ticket, is_answered: bool, now: Duration) {
        self.limiter.ended(ticket.unused);
        if is_answered {
            self.kept.keep(&ticket.found, now);
        }
    }

    fn completion(&self, request: &Value, content: &str, found: &Found, completion: u64) -> Value {
        let id = blake3::hash(request.to_string().as_bytes()).to_hex();
        let mut answer = json!({
            "id": format!("chatcmpl-{}", id.get(..24).unwrap_or_default()),
            "object": "chat.completion",
            "created": 0,
            "model": request["model"].as_str().unwrap_or(NAME),
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": content, "refusal": null},
                "finish_reason": "stop",
            }],
        });
        let Found { prompt, cached, written, .. } = found;
        let usage = match self.behaviour.bills {
            Bills::OpenAi => json!({
                "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
                "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
                "completion_tokens_details": {"reasoning_tokens": 0},
            }),
            Bills::DeepSeek => json!({
                "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
                "prompt_cache_hit_tokens": cached, "prompt_cache_miss_tokens": prompt - cached,
            }),
            Bills::Nothing => return answer,
        };
        answer["usage"] = usage;
        answer
    }

    /// A request too many, in OpenAI's words.
    fn too_many(&mut self, refusal: &Refusal, tokens: u64, now: Duration) -> Reply {
        let (requests, of_tokens) = self.limiter.left(now);
        let limits = &self.behaviour.limits;
        let (what, kind, left, asked) = match refusal.met {
            Met::AtOnce => {
                let message = "Too many concurrent requests; wait for one to end.";
                return trouble::error(429, message, "concurrency", "too_many_concurrent_requests");
            }
            Met::Requests => ("requests per min (RPM)", "requests", requests, 1),
            Met::Tokens => ("tokens per min (TPM)", "tokens", of_tokens, tokens),
        };
        let (limit, remaining) = left.map_or((0, 0), |left| (left.limit, left.remaining));
        let message = match limits.tells {
            Tells::All => format!(
                "Rate limit reached on {what}: Limit {limit}, Used {}, Requested {asked}. Please try again in {}ms.",
                limit.saturating_sub(remaining),
                refusal.wait.as_millis() + 1
            ),
            Tells::Nothing | Tells::RetryAfter => "Too many requests.".to_owned(),
        };
        let reply = trouble::error(429, &message, kind, "rate_limit_exceeded");
        match limits.tells {
            Tells::Nothing => reply,
            Tells::RetryAfter => {
                reply.header("retry-after", (refusal.wait.as_secs_f64().ceil() as u64).to_string())
            }
            Tells::All => reply
                .header("retry-after", (refusal.wait.as_secs_f64().ceil() as u64).to_string())
                .header("retry-after-ms", (refusal.wait.as_millis() + 1).to_string()),
        }
    }

    /// An answer with the headers that tell of the limits.
    fn told(&mut self, mut reply: Reply, now: Duration) -> Reply {
        if self.behaviour.limits.tells != Tells::All {
            return reply;
        }
        let (requests, tokens) = self.limiter.left(now);
        const NAMES: [[&str; 3]; 2] = [
            ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
            ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
        ];
        for ([limit, remaining, reset], left) in NAMES.into_iter().zip([requests, tokens]) {
            if let Some(left) = left {
                reply = reply
                    .header(limit, left.limit.to_string())
                    .header(remaining, left.remaining.to_string())
                    .header(reset, format!("{}ms", left.reset.as_millis()));
            }
        }
        reply
    }
}

impl Course {
    fn refused(reply: Reply) -> Self {
        Self { after: SOON, reply, ticket: None }
    }
}

/// Chance that belongs to a seed and a text.
fn random(seed: u64, text: &str) -> fastrand::Rng {
    let digest = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(digest.as_bytes().get(..8).unwrap_or(&[0; 8]));
    fastrand::Rng::with_seed(seed ^ u64::from_le_bytes(first))
}

fn invalid(message: &str) -> Reply {
    let error = json!({"message": message, "type": "invalid_request_error", "param": null, "code": null});
    Reply::json(400, json!({"error": error}))
}

#[cfg(test)]
mod tests;
