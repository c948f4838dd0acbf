//! The rules as the model reads them.

use crate::domain::rules::{NumberedRules, Rule, RuleId, Rulebook};

/// The rules and the allowed statuses, as one message.
pub(super) fn text(rulebook: &Rulebook, allowed_statuses: &[String]) -> String {
    let mut text = String::from("# Rules\n\n");
    match rulebook {
        Rulebook::Free(rules) => text.push_str(rules),
        Rulebook::Numbered(numbered) => push_numbered(&mut text, numbered),
    }
    text.push_str("\n\n# Allowed statuses\n\n");
    if allowed_statuses.is_empty() {
        text.push_str("Any status is allowed.");
        return text;
    }
    for status in allowed_statuses {
        push_line(&mut text, &["- ", status]);
    }
    text.push_str(
        "\nA program compares the status with this list. Do not report a status that is not in it.",
    );
    text
}

fn push_numbered(text: &mut String, numbered: &NumberedRules) {
    if !numbered.preamble.trim().is_empty() {
        push_line(text, &[numbered.preamble.trim(), "\n"]);
    }
    for rule in &numbered.rules {
        push_rule(text, rule);
    }
    let asked: Vec<&str> =
        numbered.rules.iter().filter(|rule| rule.asks_model).map(|rule| rule.id.as_str()).collect();
    text.push_str("Rules to decide: ");
    text.push_str(&asked.join(", "));
}

fn push_rule(text: &mut String, rule: &Rule) {
    let Rule { id, title, .. } = rule;
    push_line(text, &["## ", RuleId::as_str(id), " ", decided_by(rule), " ", title]);
    if !rule.applies_to.is_empty() {
        push_line(text, &["Applies only to the statuses: ", &rule.applies_to.join("; ")]);
    }
    if !rule.except.is_empty() {
        push_line(text, &["Does not apply to the statuses: ", &rule.except.join("; ")]);
    }
    push_line(text, &[rule.text.trim(), "\n"]);
}

fn decided_by(rule: &Rule) -> &'static str {
    if rule.asks_model { "[model]" } else { "[code]" }
}

fn push_line(text: &mut String, parts: &[&str]) {
    text.extend(parts.iter().copied());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::prompt::tests::numbered;

    #[test]
    fn numbered_rules_are_shown_whole() {
        let expected = "\
# Rules

The comment has three parts.

## R5 [model] Concrete dates
Does not apply to the statuses: Completed; On Hold
Each item has a day and a month.

## R8 [model] Risk
Applies only to the statuses: At Risk
Names the risk, its owner and a measure.

## R12 [code] Length
80 to 900 characters.

Rules to decide: R5, R8

# Allowed statuses

- On Track
- At Risk

A program compares the status with this list. Do not report a status that is not in it.";
        assert_eq!(text(&numbered(), &["On Track".into(), "At Risk".into()]), expected);
    }

    #[test]
    fn free_rules_are_passed_verbatim() {
        let rules = "1. Три части.\r\n\t2. Без «скоро».\n";
        let expected = format!("# Rules\n\n{rules}\n\n# Allowed statuses\n\nAny status is allowed.");
        assert_eq!(text(&Rulebook::Free(rules.into()), &[]), expected);
    }
}
