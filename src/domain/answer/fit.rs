//! Decides whether a JSON object is an answer to the question.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::extract::NoObject;
use super::quote::RowText;
use super::{Answer, Asked, ModelIssue, RuleWord};
use crate::domain::fold::{fold, squeeze};
use crate::domain::language::Language;
use crate::domain::rules::{NumberedRules, Rule, RuleId};

/// The longest message, in characters.
const MAX_MESSAGE: usize = 300;
/// The longest quote, in characters.
const MAX_QUOTE: usize = 200;
/// The most issues that are kept of an answer: what follows helps nobody.
const MAX_ISSUES: usize = 50;
/// The most issues that are looked at: each quote is searched for in the row.
const MAX_ISSUES_READ: usize = 1_000;

/// Reads the answer to a rulebook in free text.
pub(super) fn free(object: &Map<String, Value>) -> Result<Answer, Misfit> {
    let is_valid =
        member(object, "is_valid")?.as_bool().ok_or(Misfit::WrongType("is_valid", Kind::Boolean))?;
    let mut issues = Vec::new();
    for issue in list(member(object, "issues")?) {
        let issue = issue.as_str().ok_or(Misfit::WrongType("issues", Kind::Strings))?;
        let message = one_line(issue, MAX_MESSAGE);
        if !message.is_empty() && !is_praise(&message) && issues.len() < MAX_ISSUES {
            issues.push(message);
        }
    }
    let rewrite = rewrite(object)?;
    match (is_valid, issues.is_empty()) {
        (true, _) => Ok(Answer::Free { is_valid, issues: Vec::new(), rewrite }),
        (false, false) => Ok(Answer::Free { is_valid, issues, rewrite }),
        (false, true) => Err(Misfit::NoReason),
    }
}

/// Reads the answer to numbered rules.
pub(super) fn ruled(
    object: &Map<String, Value>,
    numbered: &NumberedRules,
    asked: &Asked<'_>,
) -> Result<Answer, Misfit> {
    let rules = words(member(object, "rules")?, numbered, asked)?;
    let known: HashMap<String, &Rule> =
        numbered.rules.iter().map(|rule| (fold(rule.id.as_str()), rule)).collect();
    let row = RowText::of(asked.entry);
    let mut issues: Vec<ModelIssue> = Vec::new();
    let mut dropped = 0;
    let given = list(member(object, "issues")?);
    if given.len() > MAX_ISSUES_READ {
        return Err(Misfit::Text(NoObject::TooMuch));
    }
    for issue in given {
        let issue = RawIssue::read(issue)?;
        let Some(rule) = known.get(&fold(issue.rule)) else {
            dropped += 1;
            continue;
        };
        if !rule.asks_model || asked.review.decided.contains_key(&rule.id) {
            continue;
        }
        if rules.get(&rule.id) != Some(&RuleWord::Fail) {
            return Err(Misfit::IssueWithoutFail(rule.id.clone()));
        }
        let message = one_line(issue.message, MAX_MESSAGE);
        if message.is_empty() {
            return Err(Misfit::EmptyMessage(rule.id.clone()));
        }
        let quote = row.literal(issue.quote).ok_or_else(|| Misfit::StrangeQuote(rule.id.clone()))?;
        let issue = ModelIssue { rule: rule.id.clone(), quote: clip(quote, MAX_QUOTE).to_owned(), message };
        let is_first_of_rule = !issues.iter().any(|known| known.rule == issue.rule);
        if !issues.contains(&issue) && (issues.len() < MAX_ISSUES || is_first_of_rule) {
            issues.push(issue);
        }
    }
    let unexplained = rules.iter().find(|(id, word)| {
        **word == RuleWord::Fail
            && !asked.review.decided.contains_key(*id)
            && !issues.iter().any(|issue| issue.rule == **id)
    });
    match unexplained {
        Some((id, _)) => Err(Misfit::FailWithoutIssue(id.clone())),
        None => Ok(Answer::Ruled { rules, issues, rewrite: rewrite(object)?, dropped }),
    }
}

/// The words on all rules that the model was asked about; a word on a rule that code has decided may be missing.
fn words(
    value: &Value,
    numbered: &NumberedRules,
    asked: &Asked<'_>,
) -> Result<BTreeMap<RuleId, RuleWord>, Misfit> {
    let object = value.as_object().ok_or(Misfit::WrongType("rules", Kind::Object))?;
    let mut given: HashMap<String, Vec<&Value>> = HashMap::new();
    for (id, value) in object {
        given.entry(fold(id)).or_default().push(value);
    }
    let mut words = BTreeMap::new();
    for rule in numbered.rules.iter().filter(|rule| rule.asks_model) {
        let word = match given.get(&fold(rule.id.as_str())).map(Vec::as_slice) {
            None | Some([]) => Err(Misfit::NoWord(rule.id.clone())),
            Some([value]) => word(value).ok_or_else(|| Misfit::WrongWord(rule.id.clone())),
            Some(_) => Err(Misfit::Duplicate),
        };
        match word {
            Ok(word) => {
                words.insert(rule.id.clone(), word);
            }
            Err(_) if asked.review.decided.contains_key(&rule.id) => {}
            Err(misfit) => return Err(misfit),
        }
    }
    Ok(words)
}

fn word(value: &Value) -> Option<RuleWord> {
    match value.as_str()?.trim().to_ascii_lowercase().as_str() {
        "pass" => Some(RuleWord::Pass),
        "fail" => Some(RuleWord::Fail),
        "na" | "n/a" => Some(RuleWord::Na),
        _ => None,
    }
}

struct RawIssue<'a> {
    rule: &'a str,
    quote: &'a str,
    message: &'a str,
}

impl<'a> RawIssue<'a> {
    fn read(value: &'a Value) -> Result<Self, Misfit> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let quote = match value.get("quote") {
            Some(Value::Null) => Some(""),
            _ => text("quote"),
        };
        match (text("rule"), quote, text("message")) {
            (Some(rule), Some(quote), Some(message)) => Ok(Self { rule, quote, message }),
            _ => Err(Misfit::WrongType("issues", Kind::Issues)),
        }
    }
}

fn member<'a>(object: &'a Map<String, Value>, name: &'static str) -> Result<&'a Value, Misfit> {
    object.get(name).ok_or(Misfit::Missing(name))
}

/// A list, a single entry in place of a list of one, or null in place of an empty one.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        single => std::slice::from_ref(single),
    }
}

fn rewrite(object: &Map<String, Value>) -> Result<String, Misfit> {
    let text = match member(object, "rewrite_suggestion")? {
        Value::Null => "",
        value => value.as_str().ok_or(Misfit::WrongType("rewrite_suggestion", Kind::Text))?,
    };
    Ok(text.trim().chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect())
}

/// Free rules often ask for a remark on good rows too, marked so.
fn is_praise(message: &str) -> bool {
    message.starts_with(['✅', '✔', '☑'])
}

fn one_line(text: &str, limit: usize) -> String {
    let line = squeeze(&text.replace(|c: char| c.is_control(), " "));
    match line.char_indices().nth(limit) {
        None => line,
        Some(_) => format!("{}…", clip(&line, limit - 1).trim_end()),
    }
}

fn clip(text: &str, limit: usize) -> &str {
    text.char_indices().nth(limit).map_or(text, |(end, _)| &text[..end])
}

/// What is wrong with an answer. Repeats nothing of it but ids of rules as the rulebook has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    Text(NoObject),
    Missing(&'static str),
    WrongType(&'static str, Kind),
    Duplicate,
    NoReason,
    NoWord(RuleId),
    WrongWord(RuleId),
    FailWithoutIssue(RuleId),
    IssueWithoutFail(RuleId),
    EmptyMessage(RuleId),
    StrangeQuote(RuleId),
}

/// What a member has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Text,
    Strings,
    Object,
    Issues,
}

impl From<NoObject> for Misfit {
    fn from(no_object: NoObject) -> Self {
        match no_object {
            NoObject::Duplicate => Self::Duplicate,
            other => Self::Text(other),
        }
    }
}

impl Misfit {
    pub(super) fn describe(&self, language: Language) -> String {
        let say = |en: &str, ru: &str| language.pick(en, ru).to_owned();
        match self {
            Self::Text(NoObject::Empty) => say("the answer is empty", "ответ пуст"),
            Self::Text(NoObject::TooMuch) => say(
                "the answer is too long or too deeply nested",
                "ответ слишком длинный или слишком глубоко вложен",
            ),
            Self::Text(NoObject::Unfinished) => {
                say("the JSON object breaks off before its end", "объект JSON обрывается до конца")
            }
            Self::Text(NoObject::None | NoObject::Duplicate) => say(
                "it has no JSON object with the members asked for",
                "в ответе нет объекта JSON с нужными полями",
            ),
            Self::Missing(name) => say(&format!("`{name}` is missing"), &format!("нет поля `{name}`")),
            Self::WrongType(name, kind) => {
                let kind = kind.describe(language);
                say(&format!("`{name}` must be {kind}"), &format!("поле `{name}` должно быть: {kind}"))
            }
            Self::Duplicate => {
                say("a member of the JSON object is given twice", "поле объекта JSON указано дважды")
            }
            Self::NoReason => say(
                "`is_valid` is false, but `issues` names no violation",
                "`is_valid` — false, но в `issues` нет ни одного нарушения",
            ),
            Self::NoWord(id) => {
                say(&format!("`rules` has no word on {id}"), &format!("в `rules` нет слова о правиле {id}"))
            }
            Self::WrongWord(id) => say(
                &format!("the word on {id} must be pass, fail or na"),
                &format!("слово о правиле {id} должно быть pass, fail или na"),
            ),
            Self::FailWithoutIssue(id) => say(
                &format!("{id} is judged fail, but no issue explains it"),
                &format!("по правилу {id} указано fail, но в `issues` о нём ничего нет"),
            ),
            Self::IssueWithoutFail(id) => say(
                &format!("there is an issue for {id}, but {id} is not judged fail"),
                &format!("в `issues` есть правило {id}, но по нему не указано fail"),
            ),
            Self::EmptyMessage(id) => say(
                &format!("the issue for {id} has an empty message"),
                &format!("в замечании по правилу {id} пустое поле `message`"),
            ),
            Self::StrangeQuote(id) => say(
                &format!(
                    "the quote for {id} does not occur in the row: copy the words literally from one value, or \
                     leave the quote empty where something is missing"
                ),
                &format!(
                    "цитаты по правилу {id} нет в строке: скопируй слова дословно из одного значения или оставь \
                     цитату пустой, если чего-то не хватает"
                ),
            ),
        }
    }
}

impl Kind {
    fn describe(self, language: Language) -> &'static str {
        match self {
            Self::Boolean => language.pick("true or false, without quotes", "true или false без кавычек"),
            Self::Text => language.pick("a string", "строка"),
            Self::Strings => language.pick("an array of strings", "массив строк"),
            Self::Object => {
                language.pick("an object with a word for each rule", "объект со словом для каждого правила")
            }
            Self::Issues => language.pick(
                "an array of objects with the strings rule, quote and message",
                "массив объектов со строками rule, quote и message",
            ),
        }
    }
}
