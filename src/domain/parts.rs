//! The labelled parts of a comment: done, now, next and others, English and Russian.
//!
//! A part begins at its label. It surely lasts to the end of its sentence, or of its list; what follows up to
//! the next known label may be anything and is kept apart as its tail.

mod labels;

use std::ops::Range;

use super::tokens::{Kind, Token, tokens};
use labels::Label;

/// What a part of a comment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// What is done.
    Done,
    /// What is in progress.
    Now,
    /// What comes next.
    Next,
    /// Risk, owner, cause, forecast and the like.
    Other,
}

/// A labelled part of a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is about.
    pub kind: PartKind,
    /// What surely belongs to it: from behind the label, in bytes.
    pub sure: Range<usize>,
    /// What stands between that and the next known label: may belong to it or not.
    pub tail: Range<usize>,
}

/// The labelled parts of a comment in their order.
pub fn parts(comment: &str) -> Vec<Part> {
    in_tokens(comment, &tokens(comment))
}

/// [`parts`] for a comment that has been cut already.
pub fn in_tokens(text: &str, tokens: &[Token]) -> Vec<Part> {
    let found = kept(labels::find(text, tokens));
    let starts = found.iter().skip(1).map(|label| label.at).chain([tokens.len()]);
    found.iter().zip(starts).map(|(label, next)| part(text, tokens, label, next)).collect()
}

/// Drops labels that mean something else beside the others.
fn kept(mut found: Vec<Label>) -> Vec<Label> {
    let has = |found: &[Label], kind, symbol| {
        found.iter().any(|label| label.kind == kind && label.symbol == symbol && !label.plan)
    };
    let (done, next) = (has(&found, PartKind::Done, false), has(&found, PartKind::Next, false));
    let symbols_only = !done && !next && has(&found, PartKind::Done, true);
    // Beside worded labels, symbols are mere bullets.
    found.retain(|label| !label.symbol || symbols_only);
    // `Plan: 27 Feb. Fact: 5 Mar` is a comparison; beside `Next:` a plan is something else; alone it is no report.
    let known = has(&found, PartKind::Done, false) || has(&found, PartKind::Now, false);
    let plans = !next && known && !found.iter().any(|label| label.fact);
    for label in found.iter_mut().filter(|label| label.plan && !plans) {
        label.kind = PartKind::Other;
    }
    found
}

fn part(text: &str, tokens: &[Token], label: &Label, next: usize) -> Part {
    let byte = |at: usize| tokens.get(at).map_or(text.len(), |token| token.start);
    let end = sure_end(text, tokens, label.past, next);
    Part { kind: label.kind, sure: byte(label.past)..byte(end), tail: byte(end)..byte(next) }
}

/// The token past the sentence that starts at `from`, or past the list, if one starts there.
fn sure_end(text: &str, tokens: &[Token], from: usize, limit: usize) -> usize {
    let kind = |at: usize| tokens.get(at).filter(|_| at < limit).map(|token| token.kind);
    let mut at = from;
    while let Some(token) = tokens.get(at).filter(|_| at < limit) {
        match token.kind {
            Kind::Break if at > from && !labels::is_bullet(text, tokens, at + 1) => return at,
            Kind::Mark('.' | '!' | '?' | '…') => {
                let apart = tokens.get(at + 1).is_some_and(|next| next.start > token.end);
                let sentence = match kind(at + 1) {
                    Some(Kind::Word) => {
                        apart && !abbreviates(text, tokens, at) && starts_upper(text, tokens.get(at + 1))
                    }
                    Some(Kind::Mark('«' | '"' | '“' | '(')) => {
                        apart && starts_upper(text, tokens.get(at + 2))
                    }
                    _ => false,
                };
                if sentence {
                    return at + 1;
                }
            }
            Kind::Mark('|') => return at,
            _ => {}
        }
        at += 1;
    }
    limit.min(tokens.len())
}

/// `ул. Примерной`, `Mr. Smith`: the full stop ends no sentence.
fn abbreviates(text: &str, tokens: &[Token], stop: usize) -> bool {
    let before = stop.checked_sub(1).and_then(|at| tokens.get(at)).filter(|token| token.kind == Kind::Word);
    before.is_some_and(|word| {
        super::tokens::is_one_of(word.text(text), &["ул", "им", "гор", "mr", "mrs", "dr", "st"])
    })
}

fn starts_upper(text: &str, token: Option<&Token>) -> bool {
    token.is_some_and(|token| token.text(text).starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(comment: &str, kind: PartKind) -> Vec<String> {
        let found = parts(comment);
        let of_kind = found.iter().filter(|part| part.kind == kind);
        of_kind.map(|part| comment[part.sure.clone()].trim().trim_end_matches('.').to_owned()).collect()
    }

    #[test]
    fn labels_of_both_languages_open_parts() {
        for (comment, done, next) in [
            (
                "Done: a 6 Mar. In progress: b. Next: c 26 Mar. The issue was closed on 4 Mar.",
                "a 6 Mar",
                "c 26 Mar",
            ),
            ("Finished: a; b. Currently doing c. Next steps: d", "a; b", "d"),
            ("Что сделано: а (28.02).\nСейчас: б.\nДальше: в 19.03.", "а (28.02)", "в 19.03"),
            (
                "Выполнено за период: 1) а 05.03; 2) б 10.03. Сейчас: в. План: г 27.03.",
                "1) а 05.03; 2) б 10.03",
                "г 27.03",
            ),
            (
                "За отчётный период: 02.03 сварены, 0,19 дБ. В работе участок Б. Следующие шаги: в",
                "02.03 сварены, 0,19 дБ",
                "в",
            ),
            ("Next: a 17 Mar. Now: b. Done: c 10 Mar with 0 remarks.", "c 10 Mar with 0 remarks", "a 17 Mar"),
            ("**Done:** a\n**Next:** b", "a", "** b"),
            ("done: a 5 Mar; now: b; next: c 20 Mar", "a 5 Mar;", "c 20 Mar"),
            ("Сделано — а 05.03. Далее — б 20.03.", "а 05.03", "б 20.03"),
            ("Done\n- a 5 Mar.\n- b 6 Mar\nNext\n- c", "a 5 Mar.\n- b 6 Mar", "- c"),
            ("- Done: a (5 Mar)\n- In progress: b\n- Next: c", "a (5 Mar)", "c"),
            ("Done this week: a. Plan for next week: b", "a", "b"),
            ("Done (27.02–13.03): a. Next: b", "a", "b"),
        ] {
            let trim = |text: &str| text.trim_matches(['-', '*', '\n', ' ']).to_owned();
            assert_eq!(
                of(comment, PartKind::Done).iter().map(|part| trim(part)).collect::<Vec<_>>(),
                [done],
                "{comment}"
            );
            assert_eq!(of(comment, PartKind::Next), [next], "{comment}");
        }
    }

    #[test]
    fn symbols_are_labels_unless_words_are() {
        let symbols = "✔ 27.02 — камеры; ✔ 10.03 — запись.\n▶ В работе: канал.\n➡ 20.03 — приёмка.";
        assert_eq!(of(symbols, PartKind::Done).len(), 2);
        assert_eq!(of(symbols, PartKind::Next), ["20.03 — приёмка"]);
        let bullets = "Done:\n➡ signed 5 Mar\n➡ tested 10 Mar\nNext:\n✔ plan 20 Mar";
        assert_eq!(of(bullets, PartKind::Done), ["➡ signed 5 Mar\n➡ tested 10 Mar"]);
        assert_eq!(of(bullets, PartKind::Next), ["✔ plan 20 Mar"]);
    }

    #[test]
    fn what_is_no_label_opens_nothing() {
        for comment in [
            "On 5 March we finished upgrading, next we hand over.",
            "The work done: all of it",
            "Not done: a",
            "Не сделано: а",
            "Plan: 27 Feb. Fact: 5 Mar.",
            "Done so that everyone sees it: a",
        ] {
            assert_eq!(
                (of(comment, PartKind::Done), of(comment, PartKind::Next)),
                (vec![], vec![]),
                "{comment}"
            );
        }
    }

    #[test]
    fn a_second_sentence_is_not_sure() {
        let comment = "Done: a 5 Mar. Later we saw b 20 Mar. Owner: c.";
        let done = &parts(comment)[0];
        assert_eq!(comment[done.tail.clone()].trim(), "Later we saw b 20 Mar.");
        let abbreviated = "Сделано: склад на ул. Примерной принят 05.03. Дальше: б";
        assert_eq!(of(abbreviated, PartKind::Done), ["склад на ул. Примерной принят 05.03"]);
    }

    proptest::proptest! {
        #[test]
        fn parts_lie_in_the_text(text in "(Done:|Next:|\\PC|[.\n;✔➡ -]|План —){0,20}") {
            let mut end = 0;
            for part in parts(&text) {
                proptest::prop_assert!(part.sure.start >= end && part.sure.end == part.tail.start);
                proptest::prop_assert!(text.get(part.sure.clone()).is_some() && text.get(part.tail.clone()).is_some());
                end = part.tail.end;
            }
        }
    }
}
