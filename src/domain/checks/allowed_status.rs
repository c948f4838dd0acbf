//! The status is one of the allowed ones: spaces are forgiven, case and look-alike letters are not.

use super::look_alike::{describe, impostors, is_invisible, looks_like};
use super::row::comparable;
use super::{Flaw, Outcome, Row};
use crate::domain::fold::fold;

/// Characters named in one message; a longer list helps nobody.
const MAX_NAMED: usize = 3;

/// Checks the status against the allowed ones; without any, every status is allowed.
pub(crate) fn review(row: &Row<'_>) -> Outcome {
    let allowed = row.context.allowed_statuses;
    let known = |status: &str| *status == row.status || comparable(status) == row.status;
    if allowed.is_empty() || allowed.iter().any(|status| known(status)) {
        return Outcome::Pass;
    }
    Outcome::fail(Flaw::new(message(row, allowed)).quoting(&row.entry.status))
}

fn message(row: &Row<'_>, allowed: &[String]) -> String {
    let status = &*row.status;
    if status.chars().all(is_invisible) {
        let list: Vec<_> = allowed.iter().map(|status| row.quoted(status)).collect();
        return format!(
            "{}: {}",
            row.say("the status is empty; allowed are", "статус не указан; допустимы"),
            list.join(", ")
        );
    }
    if let Some(twin) = allowed.iter().find(|known| looks_like(status, &comparable(known))) {
        let looks = row.say("the status looks like", "статус похож на");
        let holds = row.say("but holds", "но содержит");
        return format!(
            "{looks} {} {holds} {}",
            row.quoted(twin),
            named(row, &strangers(status, &comparable(twin)))
        );
    }
    let mut message = row.say("the status is not an allowed one", "недопустимый статус").to_owned();
    if let Some(near) = nearest(status, allowed) {
        message.push_str(&format!(
            "; {} {}?",
            row.say("did you mean", "возможно, имелось в виду"),
            row.quoted(near)
        ));
    } else {
        let list: Vec<_> = allowed.iter().map(|status| row.quoted(status)).collect();
        message.push_str(&format!("; {}: {}", row.say("allowed are", "допустимы"), list.join(", ")));
    }
    let hidden: Vec<char> = status.chars().filter(|c| is_invisible(*c)).collect();
    let mixed = status.split(' ').filter(|word| is_mixed(word)).flat_map(impostors);
    let strange: Vec<char> = hidden.into_iter().chain(mixed).collect();
    if !strange.is_empty() {
        message.push_str(&format!("; {} {}", row.say("it holds", "содержит"), named(row, &strange)));
    }
    message
}

/// The characters of a status that stand where its twin has others.
fn strangers(status: &str, twin: &str) -> Vec<char> {
    let hidden = status.chars().filter(|c| is_invisible(*c));
    let visible = status.chars().filter(|c| !is_invisible(*c));
    let other = visible.zip(twin.chars().filter(|c| !is_invisible(*c))).filter(|(one, other)| one != other);
    hidden.chain(other.map(|(stranger, _)| stranger)).collect()
}

fn named(row: &Row<'_>, characters: &[char]) -> String {
    let mut seen: Vec<char> = Vec::new();
    for c in characters {
        if !seen.contains(c) {
            seen.push(*c);
        }
    }
    let names: Vec<_> = seen.iter().take(MAX_NAMED).map(|c| describe(*c, row.context.language)).collect();
    names.join(", ")
}

/// True for a word of letters of two scripts.
fn is_mixed(word: &str) -> bool {
    use super::script_share::{Script, script_of};
    let has = |script| word.chars().any(|c| script_of(c) == Some(script));
    has(Script::Latin) && has(Script::Cyrillic)
}

/// The allowed status that was probably meant: equal but for case, or a few letters off.
fn nearest<'s>(status: &str, allowed: &'s [String]) -> Option<&'s str> {
    let folded = fold(status);
    if folded.len() > 100 {
        return None;
    }
    let distance = |known: &String| strsim::damerau_levenshtein(&folded, &fold(known));
    let (near, distance) = allowed.iter().map(|known| (known, distance(known))).min_by_key(|(_, d)| *d)?;
    (distance * 3 <= near.chars().count()).then_some(near.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, with_row};
    use super::*;

    fn flaw(status: &str) -> Option<Flaw> {
        let mut entry = entry("");
        entry.status = status.into();
        match with_row(&entry, review) {
            Outcome::Fail(mut flaws) => flaws.pop(),
            _ => None,
        }
    }

    #[test]
    fn spaces_are_forgiven() {
        for status in ["On Track", " On Track\n", "On\u{a0}Track", "On  Track", "At Risk", "On Hold"] {
            assert_eq!(flaw(status), None, "{status:?}");
        }
    }

    #[test]
    fn other_statuses_fail_and_say_why() {
        for (status, said) in [
            ("", "the status is empty; allowed are: “On Track”"),
            ("on track", "did you mean “On Track”?"),
            ("On Trakc", "did you mean “On Track”?"),
            ("In Progress", "allowed are: “On Track”, “At Risk”"),
            ("\u{41e}n Track", "looks like “On Track” but holds U+041E (a CYRILLIC letter)"),
            ("On\u{200b} Track", "looks like “On Track” but holds U+200B (zero width space)"),
            ("\u{41e}n track", "it holds U+041E (a CYRILLIC letter)"),
            ("\u{200b}", "the status is empty"),
            ("On Track.", "did you mean “On Track”?"),
        ] {
            let flaw = flaw(status).unwrap_or_else(|| panic!("{status:?} passed"));
            assert!(flaw.message.contains(said), "{status:?}: {}", flaw.message);
        }
        assert_eq!(flaw("on track").and_then(|flaw| flaw.quote), Some("on track".into()));
    }
}
