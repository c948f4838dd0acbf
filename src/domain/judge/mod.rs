//! The judge: everything that turns rows into questions, and answers into verdicts.
//!
//! A row that gives orders to whoever judges it is judged like any other; a person is asked to look at it.
//!
//! Code has the last word: it decides what it can, the model is heard on the rest, and whether a row is valid is
//! derived from the violations that are left.

mod digits;
mod facts;

use std::sync::Arc;

use jiff::civil;

use super::answer::{Answer, Asked, BadAnswer, ModelIssue, read_answer};
use super::entry::Entry;
use super::fingerprint::Fingerprint;
use super::fold::fold;
use super::injection;
use super::language::Language;
use super::prompt::{self, ShownRow, StaticPrompt};
use super::rules::{AsOfPeriod, CodeReview, ReviewContext, RuleId, Rulebook};
use super::verdict::{Finding, FoundBy, Verdict};
use facts::Facts;

/// The longest rewrite that is shown, in characters.
const MAX_REWRITE: usize = 1_500;

/// What rows are judged by: the same for all rows of a run.
#[derive(Clone, Debug)]
pub struct Judge {
    rulebook: Arc<Rulebook>,
    statuses: Vec<String>,
    language: Language,
    prompt: Arc<StaticPrompt>,
    prompt_digest: [u8; 32],
    fixed_bytes: usize,
    as_of: civil::Date,
}

impl Judge {
    /// A judge by a rulebook; an empty list of statuses allows any; `as_of` is the report date.
    pub fn new(
        rulebook: Arc<Rulebook>,
        statuses: Vec<String>,
        language: Language,
        as_of: civil::Date,
    ) -> Self {
        let prompt = Arc::new(StaticPrompt::new(&rulebook, &statuses, language));
        let prompt_digest = prompt.digest();
        let fixed_bytes = prompt.system.len() + prompt.rules.len() + prompt.schema.to_string().len();
        Self { rulebook, statuses, language, prompt, prompt_digest, fixed_bytes, as_of }
    }

    /// The part of the prompt that is the same for all rows.
    pub fn prompt(&self) -> &Arc<StaticPrompt> {
        &self.prompt
    }

    /// What code finds out about a row.
    pub fn review(&self, entry: &Entry) -> CodeReview {
        let context =
            ReviewContext { allowed_statuses: &self.statuses, as_of: self.as_of, language: self.language };
        self.rulebook.review(entry, &context)
    }

    /// The fingerprint of the question that a row asks. Rules in free text may look at the date: they are
    /// asked anew each week.
    pub fn fingerprint(&self, entry: &Entry) -> Fingerprint {
        let period = match &*self.rulebook {
            Rulebook::Free(_) => AsOfPeriod::Week,
            Rulebook::Numbered(numbered) => numbered.as_of_period,
        };
        Fingerprint::of(&self.prompt_digest, period, self.as_of, entry)
    }

    /// The message of a row; for `fence` see [`prompt::row_message`].
    pub fn row_message(&self, entry: &Entry, fence: &str) -> String {
        prompt::row_message(entry, self.as_of, fence)
    }

    /// The length of a row's prompt: its message, the static part and the schema.
    pub fn prompt_bytes(&self, entry: &Entry) -> usize {
        self.fixed_bytes + self.row_message(entry, "0000000000000000").len()
    }

    /// The message after the row when an answer did not fit.
    pub fn hint_message(&self, bad: &BadAnswer) -> String {
        prompt::hint_message(bad, self.language)
    }

    /// The message after the row when an answer was too long.
    pub fn brevity_message(&self) -> String {
        prompt::brevity_message(self.language).to_owned()
    }

    /// Reads the answer to a row's question.
    ///
    /// # Errors
    /// [`BadAnswer`] if it does not fit; see [`read_answer`].
    pub fn read(&self, entry: &Entry, review: &CodeReview, text: &str) -> Result<Answer, BadAnswer> {
        let asked = Asked { rulebook: &self.rulebook, entry, review, language: self.language };
        read_answer(text, &asked)
    }

    /// The verdict from what code found and, where a model was asked, its answer.
    pub fn verdict(&self, entry: &Entry, review: &CodeReview, answer: Option<&Answer>) -> Verdict {
        let mut findings = review.findings.clone();
        let mut notes = Vec::new();
        let mut objected = false;
        let rewrite = match answer {
            None => "",
            Some(Answer::Free { is_valid, issues, rewrite }) => {
                objected = !is_valid;
                let issues = if *is_valid { &[][..] } else { issues };
                findings.extend(issues.iter().map(|message| free_finding(message)));
                rewrite
            }
            Some(Answer::Ruled { issues, rewrite, dropped, .. }) => {
                let open = issues.iter().filter(|issue| !review.decided.contains_key(&issue.rule));
                findings.extend(open.map(|issue| self.finding(issue)));
                findings.sort_by_key(|finding| finding.rule.as_ref().map(|id| self.position(id)));
                if *dropped > 0 {
                    notes.push(self.say(NOTE_UNKNOWN_RULE));
                }
                rewrite
            }
        };
        let look = injection::found(entry).map(|words| format!("{}: «{words}»", self.say(LOOK)));
        let valid = findings.is_empty() && !objected;
        let mut verdict = Verdict { valid, findings, rewrite: None, notes, look };
        if !verdict.valid {
            self.add_rewrite(&mut verdict, entry, rewrite);
        }
        verdict
    }

    /// Adds a rewrite that says something new and adds no facts, or the note why it is withheld.
    fn add_rewrite(&self, verdict: &mut Verdict, entry: &Entry, rewrite: &str) {
        if fold(rewrite).is_empty() || fold(rewrite) == fold(&entry.comment) {
            return;
        }
        if rewrite.chars().nth(MAX_REWRITE).is_some() {
            return verdict.notes.push(self.say(NOTE_LONG_REWRITE));
        }
        let shown = ShownRow::of(entry);
        let as_of = self.as_of.to_string();
        let known = Facts::of(shown.values().chain([as_of.as_str()]));
        match known.first_foreign(rewrite) {
            None => verdict.rewrite = Some(rewrite.to_owned()),
            Some(foreign) => verdict.notes.push(format!("{}: {foreign}", self.say(NOTE_NEW_FACTS))),
        }
    }

    fn finding(&self, issue: &ModelIssue) -> Finding {
        let severity = match &*self.rulebook {
            Rulebook::Free(_) => None,
            Rulebook::Numbered(numbered) => {
                numbered.rules.iter().find(|rule| rule.id == issue.rule).map(|rule| rule.severity)
            }
        };
        Finding {
            rule: Some(issue.rule.clone()),
            severity,
            message: issue.message.clone(),
            quote: (!issue.quote.is_empty()).then(|| issue.quote.clone()),
            by: FoundBy::Model,
        }
    }

    /// The place of a rule in the rulebook; one that it does not have comes last.
    fn position(&self, id: &RuleId) -> usize {
        match &*self.rulebook {
            Rulebook::Free(_) => 0,
            Rulebook::Numbered(numbered) => {
                numbered.rules.iter().position(|rule| rule.id == *id).unwrap_or(usize::MAX)
            }
        }
    }

    fn say(&self, note: [&str; 2]) -> String {
        let [en, ru] = note;
        self.language.pick(en, ru).to_owned()
    }
}

fn free_finding(message: &str) -> Finding {
    Finding { rule: None, severity: None, message: message.to_owned(), quote: None, by: FoundBy::Model }
}

const LOOK: [&str; 2] = [
    "Look — the row speaks to its reviewer, which decides nothing",
    "Посмотрите — строка обращается к проверяющему, на вердикт это не влияет",
];
const NOTE_UNKNOWN_RULE: [&str; 2] = [
    "the model also named a rule that the rulebook does not have; that remark was dropped",
    "модель назвала и правило, которого нет в своде; это замечание отброшено",
];
const NOTE_LONG_REWRITE: [&str; 2] = [
    "the suggested text was withheld: it is longer than 1500 characters",
    "предложенный текст не показан: в нём больше 1500 знаков",
];
const NOTE_NEW_FACTS: [&str; 2] = [
    "the suggested text was withheld: it has a date or a number that the row does not have",
    "предложенный текст не показан: в нём есть дата или число, которых нет в строке",
];

#[cfg(test)]
mod tests;
