//! Applying a rulebook to a row, as far as code can.

use std::collections::BTreeMap;

use super::{CodeReview, Decided, NumberedRules, ReviewContext, Rule, RuleId, Rulebook, Severity};
use crate::domain::checks::{Check, DateFormat, Flaw, Outcome, Row, is_blank, review_status};
use crate::domain::entry::Entry;
use crate::domain::verdict::{Finding, FoundBy};

impl Rulebook {
    /// What code finds out about a row, and whether a model has to be asked about the rest.
    ///
    /// A row with a spreadsheet error value is invalid as it stands: it is not judged further, by nobody.
    /// Of free text code checks the status alone. In numbered rules a code check that fails decides its rule;
    /// one that cannot tell leaves it to the model, if the rule asks one.
    pub fn review(&self, entry: &Entry, context: &ReviewContext<'_>) -> CodeReview {
        match self {
            Self::Free(_) => match &entry.input_error {
                Some(error) => input_error(error, None, context),
                None => review_free(entry, context),
            },
            Self::Numbered(numbered) => match &entry.input_error {
                Some(error) => {
                    let mut review = input_error(error, Some(Severity::Must), context);
                    review.decided =
                        numbered.rules.iter().map(|rule| (rule.id.clone(), Decided::NotApplicable)).collect();
                    review
                }
                None => numbered.review(&Row::new(entry, context, numbered.format())),
            },
        }
    }
}

fn input_error(error: &str, severity: Option<Severity>, context: &ReviewContext<'_>) -> CodeReview {
    let message =
        context.language.pick("a cell holds the spreadsheet error value", "в ячейке значение ошибки таблицы");
    let finding = Finding {
        rule: None,
        severity,
        message: format!("{message} {error}"),
        quote: Some(error.to_owned()),
        by: FoundBy::Code,
    };
    CodeReview { findings: vec![finding], decided: BTreeMap::new(), asks_model: false }
}

fn review_free(entry: &Entry, context: &ReviewContext<'_>) -> CodeReview {
    let row = Row::new(entry, context, DateFormat::Iso);
    let findings = match review_status(&row) {
        Outcome::Fail(flaws) => flaws.into_iter().map(|flaw| finding(flaw, None)).collect(),
        _ => Vec::new(),
    };
    CodeReview { findings, decided: BTreeMap::new(), asks_model: true }
}

impl NumberedRules {
    fn review(&self, row: &Row<'_>) -> CodeReview {
        let empty = !self.empty_comment.is_empty() && is_blank(row.comment());
        let mut review = CodeReview { findings: Vec::new(), decided: BTreeMap::new(), asks_model: false };
        for rule in &self.rules {
            let outcome = if !rule.applies(row) {
                Outcome::NotApplicable
            } else if empty && self.empty_comment.contains(&rule.id) {
                Outcome::Fail(vec![Flaw::new(row.say("the comment is empty", "комментарий пуст"))])
            } else if empty && rule.reads_comment() {
                Outcome::NotApplicable
            } else {
                rule.review(row)
            };
            review.take(rule, outcome);
        }
        review
    }

    /// The format of completion dates: as a rule wants it, or ISO.
    fn format(&self) -> DateFormat {
        let format = |check: &Check| match check {
            Check::DatePresent { format } => Some(*format),
            _ => None,
        };
        self.rules.iter().flat_map(|rule| &rule.checks).find_map(format).unwrap_or(DateFormat::Iso)
    }
}

impl Rule {
    fn applies(&self, row: &Row<'_>) -> bool {
        (self.applies_to.is_empty() || row.has_status(&self.applies_to)) && !row.has_status(&self.except)
    }

    /// True for rules about the comment, among them all that only a model can check.
    fn reads_comment(&self) -> bool {
        self.asks_model || self.checks.iter().any(Check::reads_comment)
    }

    /// What the checks together make of the rule.
    fn review(&self, row: &Row<'_>) -> Outcome {
        let mut flaws = Vec::new();
        let (mut passed, mut not_applicable, mut open) = (false, false, false);
        for check in &self.checks {
            match check.review(row) {
                Outcome::Pass if self.asks_model && !check.settles() => open = true,
                Outcome::Pass => passed = true,
                Outcome::NotApplicable => not_applicable = true,
                Outcome::Undecided => open = true,
                Outcome::Fail(found) => flaws.extend(found),
            }
        }
        if !flaws.is_empty() {
            Outcome::from_flaws(flaws)
        } else if open || !(passed || not_applicable) {
            Outcome::Undecided
        } else if passed {
            Outcome::Pass
        } else {
            Outcome::NotApplicable
        }
    }
}

impl CodeReview {
    fn take(&mut self, rule: &Rule, outcome: Outcome) {
        let mut decide = |id: &RuleId, decided| self.decided.insert(id.clone(), decided);
        match outcome {
            Outcome::Pass => drop(decide(&rule.id, Decided::Pass)),
            Outcome::NotApplicable => drop(decide(&rule.id, Decided::NotApplicable)),
            Outcome::Fail(flaws) => {
                decide(&rule.id, Decided::Fail);
                self.findings.extend(flaws.into_iter().map(|flaw| finding(flaw, Some(rule))));
            }
            Outcome::Undecided => self.asks_model |= rule.asks_model,
        }
    }
}

fn finding(flaw: Flaw, rule: Option<&Rule>) -> Finding {
    Finding {
        rule: rule.map(|rule| rule.id.clone()),
        severity: rule.map(|rule| rule.severity),
        message: flaw.message,
        quote: flaw.quote,
        by: FoundBy::Code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::DateCell;
    use crate::domain::key::RowKey;
    use crate::domain::language::Language;

    const RULES: &str = r#"
version = "1"
empty_comment = ["R4", "R12"]
[[rule]]
id = "R1"
text = "status"
check = { kind = "allowed-status" }
[[rule]]
id = "R3"
text = "date"
applies_to = ["On\u00a0Track", "Completed"]
check = { kind = "date-against-status", not_before = ["On Track"], not_after = ["Completed"] }
[[rule]]
id = "R4"
text = "structure"
check = "model"
[[rule]]
id = "R7"
text = "fresh"
except = ["Completed"]
check = ["model", { kind = "freshness" }]
[[rule]]
id = "R12"
text = "length"
severity = "style"
check = { kind = "length", min = 20 }
[[rule]]
id = "R13"
text = "privacy"
check = ["model", { kind = "patterns" }]
"#;

    fn entry(status: &str, date: &str, comment: &str) -> Entry {
        Entry {
            row: 2,
            key: RowKey::of_row(2),
            status: status.into(),
            comment: comment.into(),
            completion_date: DateCell::Text(date.into()),
            identifier: None,
            project_manager: None,
            context: Vec::new(),
            input_error: None,
            link: None,
        }
    }

    fn review(rulebook: &Rulebook, entry: &Entry) -> CodeReview {
        let allowed = ["On Track", "Completed"].map(str::to_owned);
        let as_of = jiff::civil::date(2026, 3, 13);
        rulebook.review(entry, &ReviewContext { allowed_statuses: &allowed, as_of, language: Language::Ru })
    }

    fn numbered(entry: &Entry) -> CodeReview {
        review(&Rulebook::from_toml(RULES).expect("a good rulebook"), entry)
    }

    /// What was decided: `R1+ R3- R7.` for pass, fail, not applicable.
    fn decided(review: &CodeReview) -> String {
        let sign = |decided: &Decided| match decided {
            Decided::Pass => '+',
            Decided::Fail => '-',
            Decided::NotApplicable => '.',
        };
        let words: Vec<_> =
            review.decided.iter().map(|(id, decided)| format!("{id}{}", sign(decided))).collect();
        words.join(" ")
    }

    #[test]
    fn each_rule_is_decided_or_left_to_the_model() {
        for (status, date, comment, expected) in [
            ("On Track", "2026-05-01", "Done: the gates were set (5 Mar).", "R1+ R12+ R3+ R7+"),
            ("On\u{a0}Track ", "2026-03-01", "Done: the gates were set (5 Feb).", "R1+ R12+ R3- R7-"),
            ("Completed", "2026-05-01", "Done: the gates were set (5 Feb).", "R1+ R12+ R3- R7."),
            ("on track", "2026-03-01", "call +7 900 123-45-67 please", "R1- R12+ R13- R3."),
            ("On Track", "TBC", "short", "R1+ R12- R3."),
        ] {
            let review = numbered(&entry(status, date, comment));
            assert_eq!(decided(&review), expected, "{status} {date} {comment}");
            assert!(review.asks_model, "only a model judges the structure");
            let failed = review.decided.values().filter(|decided| **decided == Decided::Fail).count();
            assert_eq!(review.findings.len(), failed);
        }
    }

    #[test]
    fn an_empty_comment_violates_what_the_rulebook_says_and_asks_nobody() {
        for comment in ["", " \n\u{a0}", "\u{200b}"] {
            let review = numbered(&entry("Late", "2026-05-01", comment));
            assert_eq!(decided(&review), "R1- R12- R13. R3. R4- R7.");
            let found: Vec<_> =
                review.findings.iter().map(|f| f.rule.as_ref().map_or("", RuleId::as_str)).collect();
            assert_eq!(found, ["R1", "R4", "R12"], "in rulebook order");
            assert!(!review.asks_model);
        }
        let unset = RULES.replace("empty_comment", "as_of_period = \"day\" # ");
        let review =
            review(&Rulebook::from_toml(&unset).expect("a good rulebook"), &entry("On Track", "", ""));
        assert!(review.asks_model, "without `empty_comment` it is a comment like any other");
    }

    #[test]
    fn an_error_value_makes_the_row_invalid_and_goes_nowhere() {
        let mut entry = entry("#N/A", "2026-05-01", "Done: the gates were set (5 Mar).");
        entry.input_error = Some("#N/A".into());
        for rulebook in [Rulebook::free("be nice"), Rulebook::from_toml(RULES).expect("a good rulebook")] {
            let review = review(&rulebook, &entry);
            assert_eq!(review.findings.len(), 1);
            assert!(review.findings[0].message.contains("#N/A"), "{:?}", review.findings);
            assert!(!review.asks_model);
        }
    }

    #[test]
    fn of_free_text_code_checks_the_status_alone() {
        let free = Rulebook::free("be nice");
        let good = review(&free, &entry("On Track", "TBC", ""));
        assert_eq!((good.findings.len(), good.asks_model), (0, true));
        let bad = review(&free, &entry("Late", "TBC", ""));
        assert_eq!(bad.findings[0].line(), "недопустимый статус; допустимы: «On Track», «Completed»: «Late»");
        assert_eq!((bad.findings[0].rule.as_ref(), bad.asks_model), (None, true));
    }

    #[test]
    fn a_rule_that_code_alone_checks_and_cannot_decide_stays_open() {
        let rules =
            "version = \"1\"\n[[rule]]\nid = \"A\"\ntext = \"fresh\"\ncheck = { kind = \"freshness\" }";
        let review = review(&Rulebook::from_toml(rules).expect("a good rulebook"), &entry("x", "", "prose"));
        assert_eq!((decided(&review).as_str(), review.asks_model), ("", false));
    }

    proptest::proptest! {
        #[test]
        fn findings_quote_the_row(status in "\\PC{0,12}", date in "[0-9.-]{0,10}", comment in "(\\PC|Done: |Next: |5 Mar|[0-9-]{1,9}|@a.io|\r\n){0,40}") {
            let entry = entry(&status, &date, &comment);
            for finding in numbered(&entry).findings {
                let quote = finding.quote.unwrap_or_default();
                proptest::prop_assert!([&status, &date, &comment].iter().any(|text| text.contains(&quote)));
            }
        }
    }
}
