//! The prompt: static part first, the row last, as data in a fence.

use serde_json::Value;

/// The part of the prompt that is the same for all rows: byte-identical, so that providers can cache it.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticPrompt {
    /// The system text: task, data handling, answer format.
    pub system: String,
    /// The rules and the allowed statuses.
    pub rules: String,
    /// The JSON schema of the answer, fit for strict structured output.
    pub schema: Value,
    /// Groups requests that share this part, for the provider's prompt cache: `rules_` and 16 hex digits.
    pub cache_key: String,
}
