//! Finding the labels: where a part of a comment begins, and what it is about.

use super::PartKind;
use crate::domain::dates;
use crate::domain::tokens::{Kind, Token, is_one_of, same};

/// A label in a text.
pub(super) struct Label {
    /// What its part is about.
    pub(super) kind: PartKind,
    /// Its first token.
    pub(super) at: usize,
    /// The token past it.
    pub(super) past: usize,
    /// True for a symbol, such as a tick.
    pub(super) symbol: bool,
    /// True for `Plan`, which means the next part only in a report.
    pub(super) plan: bool,
    /// True for `Fact`, beside which a plan is a comparison.
    pub(super) fact: bool,
}

/// The words that open a label, folded, and what it is about; longer ones first.
const HEADS: &[(PartKind, &[&str])] = {
    use PartKind::{Done, Next, Now, Other};
    &[
        (Done, &["what", "is", "done"]),
        (Done, &["what", "was", "done"]),
        (Done, &["what", "s", "done"]),
        (Done, &["what", "we", "did"]),
        (Done, &["work", "done"]),
        (Done, &["что", "сделано"]),
        (Done, &["что", "сделали"]),
        (Done, &["за", "период"]),
        (Done, &["за", "отчетный", "период"]),
        (Done, &["за", "неделю"]),
        (Done, &["done"]),
        (Done, &["finished"]),
        (Done, &["completed"]),
        (Done, &["accomplished"]),
        (Done, &["achieved"]),
        (Done, &["сделано"]),
        (Done, &["сделали"]),
        (Done, &["выполнено"]),
        (Done, &["завершено"]),
        (Done, &["готово"]),
        (Now, &["in", "progress"]),
        (Now, &["in", "work"]),
        (Now, &["right", "now"]),
        (Now, &["work", "in", "progress"]),
        (Now, &["under", "way"]),
        (Now, &["what", "is", "in", "progress"]),
        (Now, &["now"]),
        (Now, &["currently"]),
        (Now, &["current"]),
        (Now, &["ongoing"]),
        (Now, &["doing"]),
        (Now, &["wip"]),
        (Now, &["что", "в", "работе"]),
        (Now, &["в", "работе"]),
        (Now, &["в", "процессе"]),
        (Now, &["сейчас"]),
        (Now, &["текущие", "работы"]),
        (Now, &["текущая", "работа"]),
        (Now, &["делаем"]),
        (Next, &["what", "is", "next"]),
        (Next, &["what", "s", "next"]),
        (Next, &["next"]),
        (Next, &["upcoming"]),
        (Next, &["что", "дальше"]),
        (Next, &["следующие", "шаги"]),
        (Next, &["следующий", "шаг"]),
        (Next, &["ближайшие", "шаги"]),
        (Next, &["дальнейшие", "шаги"]),
        (Next, &["дальше"]),
        (Next, &["далее"]),
        (Next, &["предстоит"]),
        (Other, &["risk"]),
        (Other, &["risks"]),
        (Other, &["problem"]),
        (Other, &["problems"]),
        (Other, &["issue"]),
        (Other, &["issues"]),
        (Other, &["blocker"]),
        (Other, &["blockers"]),
        (Other, &["owner"]),
        (Other, &["responsible"]),
        (Other, &["mitigation"]),
        (Other, &["cause"]),
        (Other, &["reason"]),
        (Other, &["delay"]),
        (Other, &["forecast"]),
        (Other, &["new", "forecast"]),
        (Other, &["new", "date"]),
        (Other, &["new", "completion", "date"]),
        (Other, &["decision"]),
        (Other, &["budget"]),
        (Other, &["note"]),
        (Other, &["риск"]),
        (Other, &["риски"]),
        (Other, &["проблема"]),
        (Other, &["проблемы"]),
        (Other, &["блокер"]),
        (Other, &["владелец"]),
        (Other, &["ответственный"]),
        (Other, &["ответственная"]),
        (Other, &["мера"]),
        (Other, &["меры"]),
        (Other, &["причина"]),
        (Other, &["отставание"]),
        (Other, &["прогноз"]),
        (Other, &["новый", "прогноз"]),
        (Other, &["новая", "дата"]),
        (Other, &["новая", "прогнозная", "дата"]),
        (Other, &["решение"]),
        (Other, &["бюджет"]),
        (Other, &["примечание"]),
    ]
};

/// Plans, which mean the next part only in a report of what is done.
const PLANS: &[&[&str]] = &[
    &["to", "do"],
    &["todo"],
    &["plan"],
    &["plans"],
    &["planned"],
    &["в", "планах"],
    &["план"],
    &["планы"],
    &["планируется"],
    &["запланировано"],
];

const FACTS: &[&[&str]] = &[&["fact"], &["actual"], &["факт"], &["фактически"]];

/// Words that may follow a head without changing what it is about.
const QUALIFIERS: &[&str] = &[
    "this",
    "last",
    "next",
    "past",
    "week",
    "weeks",
    "period",
    "month",
    "reporting",
    "in",
    "for",
    "over",
    "during",
    "the",
    "so",
    "far",
    "to",
    "date",
    "by",
    "on",
    "step",
    "steps",
    "up",
    "actions",
    "action",
    "work",
    "works",
    "items",
    "tasks",
    "plan",
    "plans",
    "milestones",
    "activities",
    "days",
    "за",
    "на",
    "в",
    "период",
    "неделю",
    "неделе",
    "недели",
    "отчетный",
    "отчетном",
    "периоде",
    "прошлую",
    "прошлой",
    "эту",
    "этой",
    "следующую",
    "следующей",
    "следующий",
    "ближайшие",
    "ближайший",
    "предстоящую",
    "работы",
    "задачи",
    "шаги",
    "действия",
    "сейчас",
    "дни",
    "дней",
    "к",
    "дату",
    "отчетную",
    "момент",
    "данный",
    "текущий",
    "по",
    "проекту",
    "of",
    "completion",
    "завершения",
    "задержки",
    "отставания",
    "меры",
    "срыва",
];

/// The longest label in words; longer ones are sentences.
const MAX_WORDS: usize = 6;

/// Finds the labels of a text, in their order.
pub(super) fn find(text: &str, tokens: &[Token]) -> Vec<Label> {
    let mut found = Vec::new();
    let mut place = Place::Line;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if place != Place::Inside {
            let label = match token.kind {
                Kind::Word => worded(text, tokens, at, place),
                Kind::Mark(mark) => symbol(mark).map(|kind| Label::symbol(kind, at)),
                _ => None,
            };
            if let Some(label) = label {
                at = label.past;
                place = if label.symbol { Place::Line } else { Place::Inside };
                found.push(label);
                continue;
            }
        }
        place = place.after(tokens, at);
        at += 1;
    }
    found
}

/// True if a list item starts at a token: a dash, a dot, a tick, `1.`, `2)`.
pub(super) fn is_bullet(text: &str, tokens: &[Token], at: usize) -> bool {
    let Some(token) = tokens.get(at) else { return false };
    match token.kind {
        Kind::Mark(mark) => {
            matches!(mark, '-' | '–' | '—' | '*' | '•' | '·' | '▪' | '◦' | '●' | '+' | '→' | '○' | '■')
                || symbol(mark).is_some()
        }
        Kind::Number => {
            token.text(text).len() <= 2
                && tokens
                    .get(at + 1)
                    .is_some_and(|next| matches!(next.kind, Kind::Mark('.' | ')')) && next.start == token.end)
                && tokens
                    .get(at + 2)
                    .is_some_and(|after| tokens.get(at + 1).is_some_and(|next| after.start > next.end))
        }
        Kind::Word | Kind::Break => false,
    }
}

/// Where in a sentence a token stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the start of a line.
    Line,
    /// At the start of a sentence.
    Sentence,
    /// Behind a comma or a semicolon.
    Clause,
    Inside,
}

impl Place {
    /// The place of the token that follows the one at `at`.
    fn after(self, tokens: &[Token], at: usize) -> Self {
        let Some(token) = tokens.get(at) else { return Self::Inside };
        let apart = tokens.get(at + 1).is_none_or(|next| next.start > token.end || next.kind == Kind::Break);
        match token.kind {
            Kind::Break => Self::Line,
            Kind::Mark('.' | '!' | '?' | '…') if apart => {
                // `1. Done:` and `1) Done:` are still at the start.
                if self == Self::Inside { Self::Sentence } else { self }
            }
            Kind::Mark('|') => Self::Line,
            Kind::Mark(';' | ',') if apart => Self::Clause,
            Kind::Mark(mark) if self != Self::Inside && !mark.is_alphanumeric() && mark != ':' => self,
            Kind::Number
                if self != Self::Inside
                    && matches!(tokens.get(at + 1).map(|next| next.kind), Some(Kind::Mark('.' | ')'))) =>
            {
                self
            }
            _ => Self::Inside,
        }
    }
}

impl Label {
    fn symbol(kind: PartKind, at: usize) -> Self {
        Self { kind, at, past: at + 1, symbol: true, plan: false, fact: false }
    }
}

fn symbol(mark: char) -> Option<PartKind> {
    match mark {
        '✔' | '✅' | '☑' | '✓' | '🗸' => Some(PartKind::Done),
        '▶' | '⏳' | '🔄' | '⏯' | '🚧' | '⌛' | '🔧' => Some(PartKind::Now),
        '➡' | '⏭' | '⏩' | '🔜' | '➜' | '➔' => Some(PartKind::Next),
        _ => None,
    }
}

fn worded(text: &str, tokens: &[Token], at: usize, place: Place) -> Option<Label> {
    if !may_close(tokens, at) {
        return None;
    }
    let head = head(text, tokens, at)?;
    let past = close(text, tokens, at + head.length, place)?;
    Some(Label { kind: head.kind, at, past, symbol: false, plan: head.plan, fact: head.fact })
}

/// A quick look ahead: a run of words that ends like a label.
fn may_close(tokens: &[Token], at: usize) -> bool {
    let ahead = tokens.get(at..).unwrap_or_default().iter().take(MAX_WORDS + 3);
    let end = ahead.map(|token| token.kind).find(|kind| !matches!(kind, Kind::Word | Kind::Mark('\'' | '’')));
    matches!(end, Some(Kind::Break | Kind::Mark(':' | '-' | '–' | '—' | '(' | '*' | '_')))
}

struct Head {
    kind: PartKind,
    length: usize,
    plan: bool,
    fact: bool,
}

fn head(text: &str, tokens: &[Token], at: usize) -> Option<Head> {
    let of = |lists: &[&[&str]]| lists.iter().filter_map(|words| length(text, tokens, at, words)).max();
    if let Some(length) = of(PLANS) {
        return Some(Head { kind: PartKind::Next, length, plan: true, fact: false });
    }
    if let Some(length) = of(FACTS) {
        return Some(Head { kind: PartKind::Other, length, plan: false, fact: true });
    }
    let heads = HEADS.iter().filter_map(|(kind, words)| Some((length(text, tokens, at, words)?, *kind)));
    let (length, kind) = heads.max_by_key(|(length, _)| *length)?;
    Some(Head { kind, length, plan: false, fact: false })
}

/// The number of tokens that these words take at a place, if they stand there.
fn length(text: &str, tokens: &[Token], at: usize, words: &[&str]) -> Option<usize> {
    let mut next = at;
    for (index, word) in words.iter().enumerate() {
        if index > 0 && tokens.get(next).is_some_and(|token| matches!(token.kind, Kind::Mark('\'' | '’'))) {
            next += 1;
        }
        let token = tokens.get(next).filter(|token| token.kind == Kind::Word)?;
        same(token.text(text), word).then_some(())?;
        next += 1;
    }
    Some(next - at)
}

/// The token past the colon, dash or line end that makes words a label.
fn close(text: &str, tokens: &[Token], mut at: usize, place: Place) -> Option<usize> {
    let kind = |at: usize| tokens.get(at).map(|token| token.kind);
    let mut words = 1;
    while kind(at) == Some(Kind::Word) {
        let word = tokens.get(at)?.text(text);
        words += 1;
        if words > MAX_WORDS || !is_one_of(word, QUALIFIERS) {
            return None;
        }
        at += 1;
    }
    // The period in brackets: `Done (27.02–13.03):`.
    if kind(at) == Some(Kind::Mark('(')) {
        let length = tokens.get(at..)?.iter().take(20).position(|token| token.is_mark(')'))?;
        let inside = tokens.get(at)?.end..tokens.get(at + length)?.start;
        dates::find_dates(text.get(inside)?, 2000).first()?;
        at += length + 1;
    }
    while matches!(kind(at), Some(Kind::Mark('*' | '_'))) {
        at += 1;
    }
    let token = tokens.get(at)?;
    let apart = || tokens.get(at + 1).is_none_or(|next| next.start > token.end);
    let spaced = || {
        at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|before| before.end < token.start)
    };
    match token.kind {
        Kind::Mark(':') => Some(at + 1),
        Kind::Mark('-' | '–' | '—') if place != Place::Clause && apart() && spaced() => Some(at + 1),
        Kind::Break if place == Place::Line => Some(at),
        _ => None,
    }
}
