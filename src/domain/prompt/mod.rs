//! The prompt: static part first, the row last, as data in a fence.
//!
//! [`StaticPrompt`] is the same for all rows of a run; [`row_message`] is one row; [`hint_message`] goes after
//! it when an answer did not fit. All of it is assembled from parts, so text of a row or of the rules is never
//! a template.

mod hint;
mod row;
mod rules;
mod schema;
mod system;

use serde_json::Value;

use super::language::Language;
use super::rules::Rulebook;
use super::tokenizer;

pub use hint::{brevity_message, hint_message};
pub(in crate::domain) use row::defuse;
pub use row::{ShownRow, row_message};

/// The version of everything here that shapes an answer without showing in the static part, such as the row's
/// form. Raise it with such a change: known answers are then asked for anew.
const PROMPT_VERSION: u32 = 1;

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

impl StaticPrompt {
    /// The static part for a rulebook; an empty list of statuses allows any. Holds no date and no run id.
    pub fn new(rulebook: &Rulebook, allowed_statuses: &[String], language: Language) -> Self {
        let mut prompt = Self {
            system: system::text(rulebook, language),
            rules: rules::text(rulebook, allowed_statuses),
            schema: schema::of_answer(rulebook),
            cache_key: String::new(),
        };
        let mut digest = super::fingerprint::Fingerprint(prompt.digest()).to_string();
        digest.truncate(16);
        prompt.cache_key = format!("rules_{digest}");
        prompt
    }

    /// Its tokens, as OpenAI's present models count them: see [`super::tokenizer`].
    pub fn tokens(&self) -> u64 {
        tokenizer::prompt_tokens([self.system.as_str(), &self.rules], Some(&self.schema))
    }

    /// A BLAKE3 hash over all that is static, the version of the prompt included.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("status-validator 2026 static prompt");
        hasher.update(&PROMPT_VERSION.to_le_bytes());
        for part in [self.system.as_str(), &self.rules, &self.schema.to_string()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rules::{AsOfPeriod, NumberedRules, Rule, RuleId, Severity};

    /// Two rules for the model, one for code.
    pub(super) fn numbered() -> Rulebook {
        let rule = |id: &str, title: &str, text: &str, asks_model| Rule {
            id: RuleId::new(id),
            title: title.into(),
            text: text.into(),
            severity: Severity::Must,
            applies_to: Vec::new(),
            except: Vec::new(),
            asks_model,
            checks: Vec::new(),
        };
        let mut dates = rule("R5", "Concrete dates", "Each item has a day and a month.", true);
        dates.severity = Severity::Should;
        dates.except = vec!["Completed".into(), "On Hold".into()];
        let mut risk = rule("R8", "Risk", "Names the risk, its owner and a measure.", true);
        risk.applies_to = vec!["At Risk".into()];
        Rulebook::Numbered(NumberedRules {
            version: "7".into(),
            preamble: "The comment has three parts.".into(),
            as_of_period: AsOfPeriod::Week,
            rules: vec![dates, risk, rule("R12", "Length", "80 to 900 characters.", false)],
            empty_comment: Vec::new(),
        })
    }

    fn statuses() -> Vec<String> {
        vec!["On Track".into(), "At Risk".into()]
    }

    #[test]
    fn equal_inputs_give_equal_bytes() {
        let one = StaticPrompt::new(&numbered(), &statuses(), Language::Ru);
        let two = StaticPrompt::new(&numbered(), &statuses(), Language::Ru);
        assert_eq!(one, two);
        assert_eq!(one.schema.to_string(), two.schema.to_string());
        assert_eq!(one.digest(), two.digest());
    }

    #[test]
    fn every_input_changes_the_digest_and_the_cache_key() {
        let free = |text: &str| Rulebook::Free(text.into());
        let prompts = [
            StaticPrompt::new(&numbered(), &statuses(), Language::En),
            StaticPrompt::new(&numbered(), &statuses(), Language::Ru),
            StaticPrompt::new(&numbered(), &statuses()[..1], Language::En),
            StaticPrompt::new(&numbered(), &[], Language::En),
            StaticPrompt::new(&free("a"), &statuses(), Language::En),
            StaticPrompt::new(&free("b"), &statuses(), Language::En),
        ];
        for (index, one) in prompts.iter().enumerate() {
            for two in &prompts[index + 1..] {
                assert_ne!(one.digest(), two.digest());
                assert_ne!(one.cache_key, two.cache_key);
            }
        }
    }

    #[test]
    fn the_cache_key_is_short_and_plain() {
        let key = StaticPrompt::new(&numbered(), &[], Language::En).cache_key;
        let digits = key.strip_prefix("rules_").unwrap();
        assert_eq!(digits.len(), 16);
        assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }

    #[test]
    fn templates_in_the_rules_stay_text() {
        let text = "Keep {rules_text}, {0}, {{as_of}} and ${HOME} as they are.\n  Indented.  ";
        let prompt = StaticPrompt::new(&Rulebook::Free(text.into()), &["{status}".into()], Language::En);
        assert!(prompt.rules.contains(text));
        assert!(prompt.rules.contains("{status}"));
    }
}
