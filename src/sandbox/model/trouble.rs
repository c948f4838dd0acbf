//! What goes wrong with a model's answer, beyond what goes wrong with any service. Pure.

use std::fmt;

use serde_json::{Value, json};

use super::super::reply::Reply;

/// A way in which an answer is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// 429, too many requests a minute.
    RateLimit,
    /// 429, too many tokens a minute; it says the limit.
    TokenLimit,
    /// 429, too many requests at a time.
    Busy,
    /// 429, no money left: it is of no use to come again.
    Quota,
    /// 529, as Anthropic says it.
    Overloaded,
    /// 401.
    BadKey,
    /// 404, the model is not known.
    NoModel,
    /// The answer is cut at its longest length.
    Length,
    /// The model declines.
    Refusal,
    /// A filter of the provider has struck.
    Filtered,
    /// Words instead of JSON.
    Prose,
    /// JSON that is not closed.
    Broken,
    /// JSON with the right members and wrong types.
    WrongTypes,
    /// An object with nothing in it.
    Nothing,
    /// No text at all.
    Silence,
    /// No choices.
    NoChoices,
    /// An HTML page under 200.
    Page,
    /// No body under 200.
    Empty,
    /// An error under 200, as OpenRouter has it.
    HiddenError,
    /// Bytes that are no text.
    Bytes,
    /// Ten megabytes.
    Huge,
    /// A good answer with figures of tokens that make no sense.
    OddUsage,
}

/// Their words on the command line.
pub const WORDS: [(&str, Trouble); 22] = [
    ("rate-limit", Trouble::RateLimit),
    ("token-limit", Trouble::TokenLimit),
    ("busy", Trouble::Busy),
    ("quota", Trouble::Quota),
    ("overloaded", Trouble::Overloaded),
    ("bad-key", Trouble::BadKey),
    ("no-model", Trouble::NoModel),
    ("length", Trouble::Length),
    ("refusal", Trouble::Refusal),
    ("filtered", Trouble::Filtered),
    ("prose", Trouble::Prose),
    ("broken", Trouble::Broken),
    ("wrong-types", Trouble::WrongTypes),
    ("nothing", Trouble::Nothing),
    ("silence", Trouble::Silence),
    ("no-choices", Trouble::NoChoices),
    ("page", Trouble::Page),
    ("empty", Trouble::Empty),
    ("hidden-error", Trouble::HiddenError),
    ("bytes", Trouble::Bytes),
    ("huge", Trouble::Huge),
    ("odd-usage", Trouble::OddUsage),
];

/// Those that are over with the next attempt: a mixture is made of them.
pub(in crate::sandbox) const PASSING: [Trouble; 15] = [
    Trouble::RateLimit,
    Trouble::TokenLimit,
    Trouble::Busy,
    Trouble::Overloaded,
    Trouble::Length,
    Trouble::Prose,
    Trouble::Broken,
    Trouble::WrongTypes,
    Trouble::Nothing,
    Trouble::Silence,
    Trouble::NoChoices,
    Trouble::Page,
    Trouble::Empty,
    Trouble::HiddenError,
    Trouble::Huge,
];

impl Trouble {
    /// Whether nothing is generated: it costs nothing, and comes at once.
    pub(super) fn is_error(self) -> bool {
        use Trouble::{BadKey, Busy, NoModel, Overloaded, Quota, RateLimit, TokenLimit};
        matches!(self, RateLimit | TokenLimit | Busy | Quota | Overloaded | BadKey | NoModel)
    }

    /// What is sent instead of a good completion.
    pub(super) fn instead_of(self, mut good: Value) -> Reply {
        let mut say = |content: Value| {
            good["choices"][0]["message"]["content"] = content;
        };
        match self {
            Self::RateLimit => {
                let message = "Rate limit reached for requests. Please try again in 1s.";
                return error(429, message, "requests", "rate_limit_exceeded")
                    .header("retry-after", "1".to_owned());
            }
            Self::TokenLimit => {
                let message = "Rate limit reached on tokens per min (TPM): Limit 20000000, Used 19999900, Requested 2100. \
                               Please try again in 600ms.";
                return error(429, message, "tokens", "rate_limit_exceeded")
                    .header("retry-after-ms", "600".to_owned());
            }
            Self::Busy => {
                return error(
                    429,
                    "Too many concurrent requests.",
                    "concurrency",
                    "too_many_concurrent_requests",
                );
            }
            Self::Quota => {
                let message = "You exceeded your current quota, please check your plan and billing details.";
                return error(429, message, "insufficient_quota", "insufficient_quota");
            }
            Self::Overloaded => {
                let body =
                    json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
                return Reply::json(529, body);
            }
            Self::BadKey => {
                return error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key");
            }
            Self::NoModel => {
                let message = "The model does not exist or you do not have access to it.";
                return error(404, message, "invalid_request_error", "model_not_found");
            }
            Self::Page => return Reply::html(200),
            Self::Empty => return Reply::empty(200),
            Self::HiddenError => {
                let error =
                    json!({"code": 502, "message": "Upstream error", "metadata": {"provider_name": "x"}});
                return Reply::json(200, json!({"error": error}));
            }
            Self::Bytes => {
                return Reply::of(200, "application/json", vec![0xff, 0xfe, 0x00, 0xc3, 0x28, 0x1f, 0x8b]);
            }
            Self::Huge => return Reply::of(200, "application/json", vec![b' '; 10 << 20]),
            Self::Length => {
                let text = good["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
                let half = text.floor_char_boundary(text.len() / 2);
                good["choices"][0]["message"]["content"] = json!(text.get(..half));
                good["choices"][0]["finish_reason"] = json!("length");
            }
            Self::Refusal => {
                good["choices"][0]["message"] =
                    json!({"role": "assistant", "content": null, "refusal": "I can't help with that."});
            }
            Self::Filtered => {
                say(json!(""));
                good["choices"][0]["finish_reason"] = json!("content_filter");
            }
            Self::Prose => say(json!("The status looks fine to me, but next steps could be clearer.")),
            Self::Broken => say(json!("{\"issues\": [], \"rules\": {\"R1\": \"pass\"")),
            Self::WrongTypes => {
                say(json!(
                    "{\"issues\": 7, \"rules\": [\"pass\"], \"is_valid\": \"yes\", \"rewrite_suggestion\": {}}"
                ));
            }
            Self::Nothing => say(json!("{}")),
            Self::Silence => say(Value::Null),
            Self::NoChoices => good["choices"] = json!([]),
            Self::OddUsage => {
                good["usage"] = json!({"prompt_tokens": -5, "completion_tokens": "many", "total_tokens": 1e300,
                    "prompt_tokens_details": null});
            }
        }
        Reply::json(200, good)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS.iter().find(|(_, trouble)| trouble == self).map_or("ok", |(word, _)| word);
        f.write_str(word)
    }
}

/// An error in OpenAI's form.
pub(in crate::sandbox) fn error(status: u16, message: &str, kind: &str, code: &str) -> Reply {
    Reply::json(status, json!({"error": {"message": message, "type": kind, "param": null, "code": code}}))
}
