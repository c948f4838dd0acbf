//! What a server refuses, learnt from its errors once and remembered for all later requests. Pure.
//!
//! Servers disagree about every optional parameter, and the address says little about which. So a request
//! starts with all that is wanted; a refusal that names one of its features takes that feature off the
//! list, and the next best of the same ladder (`json_schema`, `json_object`, none) takes its place. The
//! memory is a set that only grows: workers that meet the same refusal at the same time learn it once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::envelope::Envelope;

/// So many refusals are answered with another request before a question is given up.
pub(super) const MOST_ALTERATIONS: u32 = 8;

/// Something in a request that a server may refuse without refusing the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// `response_format` with a strict schema.
    JsonSchema,
    /// `response_format` that only asks for JSON.
    JsonObject,
    /// `reasoning`, an object (OpenRouter's form).
    Reasoning,
    /// `reasoning_effort`, a word (OpenAI's form).
    ReasoningEffort,
    /// High effort in either form; medium without it.
    HighEffort,
    /// `temperature`.
    Temperature,
    /// `max_tokens`, which all but OpenAI's newer models know.
    MaxTokens,
    /// `max_completion_tokens`, which replaces it there.
    MaxCompletionTokens,
    /// `prompt_cache_key`.
    PromptCacheKey,
    /// `prompt_cache_breakpoint` at the end of the static part, and `prompt_cache_options` (OpenAI from gpt-5.6 on).
    Breakpoint,
    /// `cache_control` at the end of the static part (Anthropic's models by way of OpenRouter).
    CacheControl,
    /// Several user messages in a row; one long message without it (templates where roles must alternate).
    SeparateTurns,
}

/// What one provider's model is known to refuse. Serialises to JSON with a version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Capabilities {
    refused: BTreeSet<Feature>,
}

impl Capabilities {
    /// What is refused.
    pub fn refused(&self) -> impl Iterator<Item = Feature> + '_ {
        self.refused.iter().copied()
    }

    /// Adds what was refused. Says whether anything was new.
    pub(super) fn learn(&mut self, refused: &BTreeSet<Feature>) -> bool {
        let known = self.refused.len();
        self.refused.extend(refused);
        self.refused.len() > known
    }
}

/// The features that one provider's requests should have: a list of ladders, the best step first.
#[derive(Clone, Debug)]
pub(super) struct Wishes(Vec<&'static [Feature]>);

impl Wishes {
    /// `is_openai` only decides which name is tried first.
    pub(super) fn new(is_openai: bool, temperature: bool, reasoning: bool, mark: Option<Feature>) -> Self {
        use Feature::*;
        let mut ladders: Vec<&[Feature]> =
            vec![&[JsonSchema, JsonObject], &[PromptCacheKey], &[SeparateTurns]];
        ladders.push(if is_openai {
            &[MaxCompletionTokens, MaxTokens]
        } else {
            &[MaxTokens, MaxCompletionTokens]
        });
        match mark {
            Some(Breakpoint) => ladders.push(&[Breakpoint]),
            Some(CacheControl) => ladders.push(&[CacheControl]),
            _ => {}
        }
        if temperature {
            ladders.push(&[Temperature]);
        }
        if reasoning {
            ladders.push(if is_openai { &[ReasoningEffort] } else { &[Reasoning, ReasoningEffort] });
            ladders.push(&[HighEffort]);
        }
        Self(ladders)
    }

    /// What the next request carries: of each ladder the best step that was not refused.
    pub(super) fn granted(&self, known: &Capabilities) -> BTreeSet<Feature> {
        let best = |ladder: &&[Feature]| ladder.iter().copied().find(|step| !known.refused.contains(step));
        self.0.iter().filter_map(best).collect()
    }
}

/// Which of the features that a request `carried` an error refuses; none if it is about something else.
///
/// A feature must be blamed, not merely named: by the error's `param` or place, or by its name in a
/// message that also says that something is unsupported, unknown or not permitted.
pub(super) fn refused(carried: &BTreeSet<Feature>, said: &Envelope) -> BTreeSet<Feature> {
    if said.has_code(&["json_validate_failed"]) {
        return BTreeSet::new();
    }
    if carried.contains(&Feature::SeparateTurns)
        && said.says(&["roles must alternate", "role must alternate"])
    {
        return BTreeSet::from([Feature::SeparateTurns]);
    }
    let blamed: BTreeSet<Feature> =
        carried.iter().copied().filter(|feature| said.params.iter().any(|p| feature.is_at(p))).collect();
    let blamed = if blamed.is_empty() {
        let named = |feature: &Feature| Some((feature.place_in(&said.message)?, *feature));
        carried.iter().filter_map(named).min().map(|(_, feature)| feature).into_iter().collect()
    } else {
        blamed
    };
    blamed
        .into_iter()
        .filter(|feature| feature.is_refused_by(said))
        .map(|feature| feature.or_its_value(carried, said))
        .collect()
}

impl Feature {
    /// The names under which servers speak of it; empty where it is not a parameter of its own.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::JsonSchema => &["response_format", "json_schema"],
            Self::JsonObject => &["response_format", "json_object"],
            Self::Reasoning => &["reasoning"],
            Self::ReasoningEffort => &["reasoning_effort"],
            Self::Temperature => &["temperature"],
            Self::MaxTokens => &["max_tokens"],
            Self::MaxCompletionTokens => &["max_completion_tokens"],
            Self::PromptCacheKey => &["prompt_cache_key"],
            Self::Breakpoint => &["prompt_cache_breakpoint", "prompt_cache_options"],
            Self::CacheControl => &["cache_control"],
            Self::HighEffort | Self::SeparateTurns => &[],
        }
    }

    /// Whether a `param` such as `response_format.type` is this one; marks stand within messages.
    fn is_at(self, param: &str) -> bool {
        let mut parts = param.split(['.', '[', ']']);
        match self {
            Self::Breakpoint | Self::CacheControl => parts.any(|part| self.names().contains(&part)),
            _ => parts.next().is_some_and(|head| self.names().contains(&head)),
        }
    }

    /// Where a message first names it.
    fn place_in(self, message: &str) -> Option<usize> {
        self.names().iter().filter_map(|name| find_name(message, name)).min()
    }

    fn is_refused_by(self, said: &Envelope) -> bool {
        let is_limit = matches!(self, Self::MaxTokens | Self::MaxCompletionTokens);
        // "must be at most 8192" is about the number, which only a person can put right.
        said.has_code(REFUSING_CODES)
            || said.says(REFUSING_WORDS)
            || (!is_limit && said.says(REFUSING_VALUES))
    }

    /// Where only the value is refused, the feature that stands for the value.
    fn or_its_value(self, carried: &BTreeSet<Feature>, said: &Envelope) -> Self {
        let is_effort = matches!(self, Self::Reasoning | Self::ReasoningEffort);
        let is_value = said.has_code(&["unsupported_value"])
            || said.says(&["supported values", "does not support 'high'"]);
        if is_effort && is_value && carried.contains(&Self::HighEffort) { Self::HighEffort } else { self }
    }
}

const REFUSING_CODES: &[&str] =
    &["unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden", "literal_error"];
/// Each is about a thing that was sent: "unknown" or "not available" alone also stand in faults that pass.
const REFUSING_WORDS: &[&str] = &[
    "unsupported",
    "unrecognized",
    "unrecognised",
    "unknown parameter",
    "unknown name",
    "unknown field",
    "unknown argument",
    "unknown key",
    "unexpected keyword",
    "not permitted",
    "not allowed",
    "not support",
    "not compatible",
    "cannot find",
    "extra inputs",
    "extra fields",
];
const REFUSING_VALUES: &[&str] =
    &["must be", "should be", "must contain the word", "invalid schema", "invalid value"];

/// Where a text names a parameter, as a whole word. `reasoning` is an English word too: it must be quoted,
/// or follow a colon.
fn find_name(text: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_quote = |c: char| matches!(c, '\'' | '"' | '`');
    text.match_indices(name).map(|(at, _)| at).find(|&at| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + name.len()..).and_then(|rest| rest.chars().next());
        let whole = !before.ends_with(is_part) && !after.is_some_and(is_part);
        whole && (name != "reasoning" || before.ends_with(is_quote) || before.ends_with(": "))
    })
}

/// [`Capabilities`] as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    refused: BTreeSet<Feature>,
}

const VERSION: u32 = 1;

impl From<Capabilities> for Stored {
    fn from(known: Capabilities) -> Self {
        Self { version: VERSION, refused: known.refused }
    }
}

impl TryFrom<Stored> for Capabilities {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        if stored.version != VERSION {
            return Err(format!("version {} of capabilities is not known, {VERSION} is", stored.version));
        }
        Ok(Self { refused: stored.refused })
    }
}

#[cfg(test)]
mod tests;
