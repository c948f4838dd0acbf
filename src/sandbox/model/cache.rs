//! What a provider keeps of prompts, and what of it a request finds again. Pure.
//!
//! As <https://platform.openai.com/docs/guides/prompt-caching> and the other vendors have it: a beginning of 1,024 tokens
//! and more is kept, in steps of 128; it is there when the request that brought it has been answered, so requests that
//! leave together find nothing; and with many requests a minute some go to another machine.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::tokenizer;

/// How prompts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptCache {
    /// What is kept.
    pub keeps: Keeps,
    /// Shorter beginnings are not kept, in tokens.
    pub least_tokens: usize,
    /// A beginning that was not asked for so long is forgotten, in seconds.
    pub forgets_s: f64,
    /// With more requests a minute of one beginning and `prompt_cache_key`, the others go to further machines; none: one
    /// machine takes them all.
    pub a_machine_takes: Option<u32>,
}

impl Default for PromptCache {
    fn default() -> Self {
        Self { keeps: Keeps::Automatic, least_tokens: 1024, forgets_s: 600.0, a_machine_takes: None }
    }
}

/// Which beginnings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeps {
    /// None.
    Nothing,
    /// Every beginning, as with OpenAI's models up to gpt-5.5.
    Automatic,
    /// Those that end at a `prompt_cache_breakpoint`, or at the last message where there is none: OpenAI's from gpt-5.6 on.
    Breakpoints,
    /// Those that end at a `cache_control`: Anthropic's by way of OpenRouter.
    Marks,
}

/// What a request found, and brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Tokens of the prompt.
    pub(super) prompt: u64,
    /// Those that were found.
    pub(super) cached: u64,
    /// Those that are kept from now on.
    pub(super) written: u64,
    brings: Brings,
}

/// What is kept once the request has been answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Brings {
    machine: (u64, u32),
    beginnings: Vec<u64>,
}

/// The machines and what they keep.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// By machine: beginnings, and when each was last asked for.
    machines: HashMap<(u64, u32), HashMap<u64, Duration>>,
    /// By route: the requests of the last minute.
    routes: HashMap<u64, VecDeque<Duration>>,
    /// Tokens of long texts, which come again and again.
    texts: HashMap<String, Vec<u32>>,
}

const STEP: usize = 128;
/// Requests go to a machine by so many of their first tokens.
const ROUTED_BY: usize = 256;
const MINUTE: Duration = Duration::from_secs(60);
/// Texts that are remembered.
const MOST_TEXTS: usize = 64;
const LONG_TEXT: usize = 1_000;

impl Kept {
    /// A request arrives: how long its prompt is, and what of it is found.
    pub(super) fn look_up(&mut self, request: &Value, how: &PromptCache, now: Duration) -> Found {
        let prompt = self.prompt(request);
        let length = prompt.tokens.len();
        let beginnings = prompt.beginnings(how);
        if beginnings.is_empty() {
            return Found { prompt: length as u64, ..Found::default() };
        }
        let machine =
            self.machine(&prompt, request["prompt_cache_key"].as_str().unwrap_or_default(), how, now);
        let kept = self.machines.entry(machine).or_default();
        kept.retain(|_, used| now.saturating_sub(*used).as_secs_f64() <= how.forgets_s);
        let found = beginnings.iter().filter(|(_, digest)| kept.contains_key(digest));
        let cached = found.map(|(length, _)| *length).max().unwrap_or(0);
        for (_, digest) in &beginnings {
            kept.entry(*digest).and_modify(|used| *used = now);
        }
        let new = beginnings.iter().filter(|(_, digest)| !kept.contains_key(digest));
        let written = match how.keeps {
            Keeps::Automatic | Keeps::Nothing => 0,
            Keeps::Breakpoints | Keeps::Marks => new.map(|(length, _)| *length).max().unwrap_or(0),
        };
        Found {
            prompt: length as u64,
            cached: cached as u64,
            written: written.saturating_sub(cached) as u64,
            brings: Brings {
                machine,
                beginnings: beginnings.into_iter().map(|(_, digest)| digest).collect(),
            },
        }
    }

    /// The request has been answered: what it brought is there now.
    pub(super) fn keep(&mut self, found: &Found, now: Duration) {
        let kept = self.machines.entry(found.brings.machine).or_default();
        kept.extend(found.brings.beginnings.iter().map(|digest| (*digest, now)));
    }

    fn machine(&mut self, prompt: &Prompt, key: &str, how: &PromptCache, now: Duration) -> (u64, u32) {
        let beginning = prompt.tokens.get(..ROUTED_BY).unwrap_or(&prompt.tokens);
        let route = digest(digest(0, key.bytes().map(u32::from)), beginning.iter().copied());
        let lately = self.routes.entry(route).or_default();
        while lately.front().is_some_and(|at| now.saturating_sub(*at) >= MINUTE) {
            lately.pop_front();
        }
        lately.push_back(now);
        let nth = how.a_machine_takes.map_or(0, |most| (lately.len() as u32 - 1) / most.max(1));
        (route, nth)
    }

    /// The tokens in the order in which providers see them: the schema, then the messages.
    fn prompt(&mut self, request: &Value) -> Prompt {
        let mut prompt = Prompt::default();
        if let Some(schema) = request.pointer("/response_format/json_schema/schema") {
            prompt.tokens.extend(self.encode(&schema.to_string()));
        }
        for message in request["messages"].as_array().into_iter().flatten() {
            for part in parts(message) {
                prompt.tokens.extend(self.encode(part.text));
                let end = prompt.tokens.len();
                prompt.breakpoints.extend(part.is_breakpoint.then_some(end));
                prompt.marks.extend(part.is_mark.then_some(end));
            }
            // What a message costs beside its text.
            prompt.tokens.resize(prompt.tokens.len() + tokenizer::A_MESSAGE as usize, u32::MAX);
        }
        prompt.tokens.resize(prompt.tokens.len() + tokenizer::BEGINNING as usize, u32::MAX);
        prompt
    }

    fn encode(&mut self, text: &str) -> Vec<u32> {
        if text.len() < LONG_TEXT {
            return tokenizer::encode(text);
        }
        if let Some(tokens) = self.texts.get(text) {
            return tokens.clone();
        }
        if self.texts.len() >= MOST_TEXTS {
            self.texts.clear();
        }
        let tokens = tokenizer::encode(text);
        self.texts.insert(text.to_owned(), tokens.clone());
        tokens
    }
}

/// A part of a message.
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    is_breakpoint: bool,
    is_mark: bool,
}

/// The parts of a message: its text, or the texts of its array.
pub(super) fn parts(message: &Value) -> Vec<Part<'_>> {
    match &message["content"] {
        Value::String(text) => vec![Part { text, is_breakpoint: false, is_mark: false }],
        Value::Array(parts) => parts
            .iter()
            .map(|part| Part {
                text: part["text"].as_str().unwrap_or_default(),
                is_breakpoint: part["prompt_cache_breakpoint"].is_object(),
                is_mark: part["cache_control"].is_object(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// A prompt in tokens, and where it says that a beginning ends.
#[derive(Default)]
struct Prompt {
    tokens: Vec<u32>,
    breakpoints: Vec<usize>,
    marks: Vec<usize>,
}

impl Prompt {
    /// The beginnings that may be kept: how long each is, and its digest.
    fn beginnings(&self, how: &PromptCache) -> Vec<(usize, u64)> {
        let ends: Vec<usize> = match how.keeps {
            Keeps::Nothing => Vec::new(),
            Keeps::Automatic => (how.least_tokens.max(1)..=self.tokens.len()).step_by(STEP).collect(),
            Keeps::Breakpoints if self.breakpoints.is_empty() => vec![self.tokens.len()],
            Keeps::Breakpoints => self.breakpoints.clone(),
            Keeps::Marks => self.marks.clone(),
        };
        let mut found = Vec::new();
        let (mut sum, mut from) = (0, 0);
        for end in ends {
            sum = digest(sum, self.tokens.get(from..end).unwrap_or_default().iter().copied());
            from = end;
            if end >= how.least_tokens {
                found.push((end, sum));
            }
        }
        found
    }
}

/// A digest of what came before and these numbers (FNV-1a).
fn digest(before: u64, numbers: impl IntoIterator<Item = u32>) -> u64 {
    let start = before ^ 0xcbf2_9ce4_8422_2325;
    numbers.into_iter().fold(start, |sum, number| (sum ^ u64::from(number)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn request(row: &str) -> Value {
        let rules = "Each item has a date and an owner. ".repeat(300);
        json!({"prompt_cache_key": "k", "messages": [
            {"role": "system", "content": "Judge."},
            {"role": "user", "content": rules},
            {"role": "user", "content": row},
        ]})
    }

    fn marked(row: &str, mark: &str) -> Value {
        let mut request = request(row);
        let text = request["messages"][1]["content"].take();
        request["messages"][1]["content"] =
            json!([{"type": "text", "text": text, mark: {"mode": "explicit"}}]);
        request
    }

    /// What a second request finds after the first one was answered.
    fn second(how: &PromptCache, request: impl Fn(&str) -> Value) -> Found {
        let mut kept = Kept::default();
        let first = kept.look_up(&request("one"), how, at(0));
        assert_eq!(first.cached, 0);
        assert_eq!(kept.look_up(&request("two"), how, at(1)).cached, 0, "the first is not answered yet");
        kept.keep(&first, at(2));
        kept.look_up(&request("three"), how, at(3))
    }

    #[test]
    fn a_beginning_is_found_in_steps_once_it_was_answered() {
        let found = second(&PromptCache::default(), request);
        assert!(found.cached >= 2048 && found.cached % 128 == 0, "{found:?}");
        assert!(found.prompt > found.cached && found.prompt - found.cached < 200, "{found:?}");
        assert_eq!(
            second(&PromptCache { keeps: Keeps::Nothing, ..PromptCache::default() }, request).cached,
            0
        );
        let long = PromptCache { least_tokens: 100_000, ..PromptCache::default() };
        assert_eq!(second(&long, request).cached, 0);
    }

    #[test]
    fn where_breakpoints_or_marks_are_needed_nothing_is_found_without() {
        for (keeps, mark) in
            [(Keeps::Breakpoints, "prompt_cache_breakpoint"), (Keeps::Marks, "cache_control")]
        {
            let how = PromptCache { keeps, ..PromptCache::default() };
            assert_eq!(second(&how, request).cached, 0, "{keeps:?}");
            let found = second(&how, |row| marked(row, mark));
            assert!(found.cached > 2000 && found.written == 0, "{keeps:?} {found:?}");
        }
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten_and_a_busy_machine_is_not_the_only_one() {
        let how = PromptCache { forgets_s: 90.0, a_machine_takes: Some(2), ..PromptCache::default() };
        let mut kept = Kept::default();
        let first = kept.look_up(&request("1"), &how, at(0));
        kept.keep(&first, at(1));
        assert!(kept.look_up(&request("2"), &how, at(2)).cached > 0);
        assert_eq!(kept.look_up(&request("3"), &how, at(3)).cached, 0, "another machine");
        assert!(kept.look_up(&request("4"), &how, at(63)).cached > 0);
        assert_eq!(kept.look_up(&request("5"), &how, at(200)).cached, 0, "forgotten");
    }
}
