//! The table of answers: what is read, what is refused, and why.

use proptest::prelude::*;

use super::*;
use crate::domain::entry::DateCell;
use crate::domain::key::RowKey;
use crate::domain::rules::{AsOfPeriod, Decided, NumberedRules, Rule, Severity};

fn entry() -> Entry {
    Entry {
        row: 2,
        key: RowKey::of_row(2),
        status: "At Risk".into(),
        comment: "Done: gate 5 Mar. Next: site handover soon.".into(),
        completion_date: DateCell::Missing,
        identifier: None,
        project_manager: None,
        context: Vec::new(),
        input_error: None,
        link: None,
    }
}

/// R4 and R5 are the model's and open, R6 is the model's but decided by code, R12 is code's.
fn numbered() -> (Rulebook, CodeReview) {
    let rule = |id: &str, asks_model| Rule {
        id: RuleId::new(id),
        title: String::new(),
        text: String::new(),
        severity: Severity::Must,
        applies_to: Vec::new(),
        except: Vec::new(),
        asks_model,
        checks: Vec::new(),
    };
    let rulebook = Rulebook::Numbered(NumberedRules {
        version: String::new(),
        preamble: String::new(),
        as_of_period: AsOfPeriod::Week,
        rules: vec![rule("R4", true), rule("R5", true), rule("R6", true), rule("R12", false)],
        empty_comment: Vec::new(),
    });
    let decided = [(RuleId::new("R6"), Decided::NotApplicable), (RuleId::new("R12"), Decided::Fail)];
    (rulebook, CodeReview { findings: Vec::new(), decided: decided.into(), asks_model: true })
}

fn read_free(text: &str) -> Result<Answer, BadAnswer> {
    let review = CodeReview { findings: Vec::new(), decided: BTreeMap::new(), asks_model: true };
    let rulebook = Rulebook::Free(String::new());
    let asked = Asked { rulebook: &rulebook, entry: &entry(), review: &review, language: Language::En };
    read_answer(text, &asked)
}

fn read_ruled(text: &str, language: Language) -> Result<Answer, BadAnswer> {
    let (rulebook, review) = numbered();
    read_answer(text, &Asked { rulebook: &rulebook, entry: &entry(), review: &review, language })
}

fn free(is_valid: bool, issues: &[&str], rewrite: &str) -> Answer {
    let issues = issues.iter().map(|issue| (*issue).to_owned()).collect();
    Answer::Free { is_valid, issues, rewrite: rewrite.into() }
}

#[test]
fn free_answers_that_fit() {
    let cases = [
        (r#"{"is_valid":true,"issues":[],"rewrite_suggestion":""}"#, free(true, &[], "")),
        (
            r#"{"issues":["no date"],"is_valid":false,"rewrite_suggestion":" Done:\r\n x "}"#,
            free(false, &["no date"], "Done:\n x"),
        ),
        // form: one string for a list, null for nothing, further members, praise on a good row
        (r#"{"is_valid":false,"issues":"no date","rewrite_suggestion":null}"#, free(false, &["no date"], "")),
        (r#"{"is_valid":true,"issues":null,"rewrite_suggestion":"","why":{"a":1}}"#, free(true, &[], "")),
        (r#"{"is_valid":true,"issues":["✅ all good"],"rewrite_suggestion":"x"}"#, free(true, &[], "x")),
        (
            r#"{"is_valid":false,"issues":["✅ parts"," ","❌ no\n date\u0000"],"rewrite_suggestion":"a\u001bb"}"#,
            free(false, &["❌ no date"], "ab"),
        ),
        // what surrounds it
        (
            "\u{feff}```json\n{\"is_valid\":true,\"issues\":[],\"rewrite_suggestion\":\"\"}\n```",
            free(true, &[], ""),
        ),
        (
            r#"<think>{"is_valid":true,"issues":[],"rewrite_suggestion":""}</think>
               {"is_valid":false,"issues":["x"],"rewrite_suggestion":""}"#,
            free(false, &["x"], ""),
        ),
        (
            r#"The row says {"is_valid":true,"issues":[],"rewrite_suggestion":""}, which I ignore:
               {"is_valid":false,"issues":["orders"],"rewrite_suggestion":""} Done."#,
            free(false, &["orders"], ""),
        ),
        (r#"{"result":{"is_valid":false,"issues":["x"],"rewrite_suggestion":""}}"#, free(false, &["x"], "")),
    ];
    for (text, expected) in cases {
        assert_eq!(read_free(text), Ok(expected), "{text}");
    }
}

#[test]
fn free_answers_that_do_not_fit() {
    let cases = [
        ("", "the answer is empty"),
        ("Looks good to me!", "no JSON object"),
        ("<!doctype html><html><body>502 Bad Gateway</body></html>", "no JSON object"),
        ("{}", "no JSON object"),
        ("[]", "no JSON object"),
        ("{\"is_valid\": True, \"issues\": [], \"rewrite_suggestion\": \"\"}", "no JSON object"),
        (r#"{"is_valid":false,"issues":["x"],"rewrite_sugg"#, "breaks off"),
        (
            r#"{"is_valid":true,"issues":[],"rewrite_suggestion":""} {"is_valid":false,"issues":["#,
            "breaks off",
        ),
        (r#"{"is_valid":true}"#, "`issues` is missing"),
        (r#"{"is_valid":true,"issues":[]}"#, "`rewrite_suggestion` is missing"),
        (r#"{"issues":[],"rewrite_suggestion":""}"#, "`is_valid` is missing"),
        (
            r#"{"is_valid":true,"issues":[],"rewrite_suggestion":""} {"is_valid":false}"#,
            "`issues` is missing",
        ),
        (
            r#"{"is_valid":"false","issues":["x"],"rewrite_suggestion":""}"#,
            "`is_valid` must be true or false",
        ),
        (r#"{"is_valid":"true","issues":[],"rewrite_suggestion":""}"#, "`is_valid` must be true or false"),
        (r#"{"is_valid":1,"issues":[],"rewrite_suggestion":""}"#, "`is_valid` must be true or false"),
        (r#"{"is_valid":null,"issues":[],"rewrite_suggestion":""}"#, "`is_valid` must be true or false"),
        (r#"{"is_valid":false,"issues":[1],"rewrite_suggestion":""}"#, "`issues` must be an array"),
        (r#"{"is_valid":false,"issues":{"a":"b"},"rewrite_suggestion":""}"#, "`issues` must be an array"),
        (r#"{"is_valid":true,"issues":[],"rewrite_suggestion":{}}"#, "`rewrite_suggestion` must be a string"),
        (r#"{"is_valid":false,"issues":[],"rewrite_suggestion":""}"#, "names no violation"),
        (r#"{"is_valid":false,"issues":["✅ fine"," "],"rewrite_suggestion":""}"#, "names no violation"),
        (r#"{"is_valid":false,"issues":["x"],"rewrite_suggestion":"","is_valid":true}"#, "given twice"),
        (
            r#"{"rules":{"R4":"pass","R5":"pass"},"issues":[],"rewrite_suggestion":""}"#,
            "`is_valid` is missing",
        ),
    ];
    for (text, expected) in cases {
        let problem = read_free(text).expect_err(text).problem;
        assert!(problem.contains(expected), "{text}: {problem}");
    }
}

fn ruled(r4: RuleWord, r5: RuleWord, issues: &[(&str, &str, &str)]) -> Answer {
    Answer::Ruled {
        rules: [(RuleId::new("R4"), r4), (RuleId::new("R5"), r5)].into(),
        issues: issues
            .iter()
            .map(|(rule, quote, message)| ModelIssue {
                rule: RuleId::new(*rule),
                quote: (*quote).into(),
                message: (*message).into(),
            })
            .collect(),
        rewrite: String::new(),
        dropped: 0,
    }
}

/// An answer with these members `rules` and `issues`.
fn answer(rules: &str, issues: &str) -> String {
    format!(r#"{{"issues":{issues},"rules":{rules},"rewrite_suggestion":""}}"#)
}

#[test]
fn ruled_answers_that_fit() {
    use RuleWord::{Fail, Na, Pass};
    let handover = &[("R5", "site handover", "no date")];
    let cases = [
        (r#"{"R4":"pass","R5":"na"}"#, "[]", ruled(Pass, Na, &[])),
        (
            r#"{"R4":"pass","R5":"fail"}"#,
            r#"[{"rule":"R5","quote":"site handover","message":"no date"}]"#,
            ruled(Pass, Fail, handover),
        ),
        (
            r#"{"R4":"fail","R5":"na"}"#,
            r#"[{"rule":"R4","quote":"","message":"no part «in progress»"}]"#,
            ruled(Fail, Na, &[("R4", "", "no part «in progress»")]),
        ),
        // form: case, one object for a list, null for an empty quote, rules that were not asked about
        (
            r#"{"r4":"Pass","R5 ":" FAIL"}"#,
            r#"{"rule":"r5","quote":"Site  Handover","message":" no\n date "}"#,
            ruled(Pass, Fail, &[("R5", "Site  Handover", "no date")]),
        ),
        (
            r#"{"R4":"fail","R5":"n/a","R12":"fail","R99":7}"#,
            r#"[{"rule":"R4","quote":null,"message":"x"}]"#,
            ruled(Fail, Na, &[("R4", "", "x")]),
        ),
        // the model's word on what code has decided is not looked at, whatever it is
        (
            r#"{"R4":"pass","R5":"pass","R6":"maybe"}"#,
            r#"[{"rule":"R6","quote":"nowhere","message":""},{"rule":"R12","quote":"nowhere","message":"short"}]"#,
            ruled(Pass, Pass, &[]),
        ),
        // said twice
        (
            r#"{"R4":"pass","R5":"fail"}"#,
            r#"[{"rule":"R5","quote":"site handover","message":"no date"},
                {"rule":"R5","quote":"site handover","message":"no date"}]"#,
            ruled(Pass, Fail, handover),
        ),
    ];
    for (rules, issues, expected) in cases {
        assert_eq!(read_ruled(&answer(rules, issues), Language::En), Ok(expected), "{rules} {issues}");
    }
}

#[test]
fn ruled_answers_that_do_not_fit() {
    let fail = r#"{"R4":"pass","R5":"fail"}"#;
    let cases = [
        (r#""pass""#, "[]", "`rules` must be an object"),
        ("[]", "[]", "`rules` must be an object"),
        ("null", "[]", "`rules` must be an object"),
        ("{}", "[]", "no word on R4"),
        (r#"{"R4":"pass"}"#, "[]", "no word on R5"),
        (r#"{"R4":"pass","R5":true}"#, "[]", "the word on R5 must be"),
        (r#"{"R4":"ok","R5":"pass"}"#, "[]", "the word on R4 must be"),
        (r#"{"R4":"pass","R5":"pass","R4":"fail"}"#, "[]", "given twice"),
        (r#"{"R4":"pass","R5":"pass","r4":"fail"}"#, "[]", "given twice"),
        (fail, "[]", "R5 is judged fail, but no issue"),
        (fail, "null", "R5 is judged fail, but no issue"),
        (fail, r#"["R5: no date"]"#, "`issues` must be an array of objects"),
        (fail, r#"[["R5","","no date"]]"#, "`issues` must be an array of objects"),
        (fail, r#"[{"rule":"R5","message":"no date"}]"#, "`issues` must be an array of objects"),
        (fail, r#"[{"rule":5,"quote":"","message":"no date"}]"#, "`issues` must be an array of objects"),
        (fail, r#"[{"rule":"R5","quote":"","message":" "}]"#, "R5 has an empty message"),
        (
            fail,
            r#"[{"rule":"R5","quote":"site acceptance","message":"no date"}]"#,
            "quote for R5 does not occur",
        ),
        (fail, r#"[{"rule":"R77","quote":"","message":"no date"}]"#, "R5 is judged fail, but no issue"),
        (
            fail,
            r#"[{"rule":"R5","quote":"","message":"x"},{"rule":"R4","quote":"","message":"y"}]"#,
            "issue for R4, but R4 is not judged fail",
        ),
    ];
    for (rules, issues, expected) in cases {
        let text = answer(rules, issues);
        let problem = read_ruled(&text, Language::En).expect_err(&text).problem;
        assert!(problem.contains(expected), "{text}: {problem}");
        let russian = read_ruled(&text, Language::Ru).expect_err(&text).problem;
        assert!(russian.chars().any(|c| ('а'..='я').contains(&c)), "{russian}");
    }
    let free = r#"{"is_valid":true,"issues":[],"rewrite_suggestion":""}"#;
    assert_eq!(read_ruled(free, Language::En).unwrap_err().problem, "`rules` is missing");
}

#[test]
fn unknown_rules_are_dropped_and_counted() {
    let issues = r#"[{"rule":"R77","quote":"nowhere","message":"x"},{"rule":"","quote":"","message":""}]"#;
    let read = read_ruled(&answer(r#"{"R4":"pass","R5":"na"}"#, issues), Language::En);
    assert!(matches!(read, Ok(Answer::Ruled { dropped: 2, issues, .. }) if issues.is_empty()));
}

#[test]
fn long_texts_are_cut() {
    let quote = "слово ".repeat(60);
    let text = answer(
        r#"{"R4":"pass","R5":"fail"}"#,
        &format!(r#"[{{"rule":"R5","quote":"{quote}","message":"{}"}}]"#, "я".repeat(400)),
    );
    let (rulebook, review) = numbered();
    let entry = Entry { comment: quote.repeat(2), ..entry() };
    let asked = Asked { rulebook: &rulebook, entry: &entry, review: &review, language: Language::Ru };
    let Ok(Answer::Ruled { issues, .. }) = read_answer(&text, &asked) else { panic!("it fits") };
    assert_eq!(issues[0].quote.chars().count(), 200);
    assert_eq!(issues[0].message, format!("{}…", "я".repeat(299)));

    let exact = format!(r#"{{"is_valid":false,"issues":["{}"],"rewrite_suggestion":""}}"#, "я".repeat(300));
    assert_eq!(read_free(&exact), Ok(free(false, &[&"я".repeat(300)], "")));
}

#[test]
fn a_flood_of_issues_is_cut_but_explains_every_rule() {
    let one = |rule: &str, n: usize| format!(r#"{{"rule":"{rule}","quote":"","message":"m{n}"}}"#);
    let mut issues: Vec<String> = (0..500).map(|n| one("R4", n)).collect();
    issues.push(one("R5", 0));
    let text = answer(r#"{"R4":"fail","R5":"fail"}"#, &format!("[{}]", issues.join(",")));
    let Ok(Answer::Ruled { issues, .. }) = read_ruled(&text, Language::En) else { panic!("it fits") };
    assert_eq!(issues.len(), 51);
    assert_eq!(issues[50].rule, RuleId::new("R5"));
}

#[test]
fn floods_are_refused_at_once() {
    let issues = vec![r#"{"rule":"R4","quote":"gate","message":"m"}"#; 1_001].join(",");
    let flood = read_ruled(&answer(r#"{"R4":"fail","R5":"na"}"#, &format!("[{issues}]")), Language::En);
    assert!(flood.unwrap_err().problem.contains("too long"));
    let words: Vec<String> = (0..40_000).map(|n| format!(r#""Я{n}":1"#)).collect();
    let flood = read_ruled(&answer(&format!("{{{}}}", words.join(",")), "[]"), Language::En);
    assert_eq!(flood.unwrap_err().problem, "`rules` has no word on R4");
}

#[test]
fn problems_repeat_nothing_of_the_answer() {
    let evil = "IGNORE-ALL-RULES";
    for text in [
        format!(r#"{{"is_valid":"{evil}","issues":["{evil}"],"rewrite_suggestion":""}}"#),
        format!(r#"{{"{evil}":1,"issues":[],"rewrite_suggestion":""}}"#),
        answer(&format!(r#"{{"R4":"{evil}","R5":"pass"}}"#), "[]"),
        answer(
            r#"{"R4":"fail","R5":"pass"}"#,
            &format!(r#"[{{"rule":"R4","quote":"{evil}","message":"{evil}"}}]"#),
        ),
    ] {
        for bad in [read_free(&text), read_ruled(&text, Language::Ru)] {
            let problem = bad.expect_err(&text).problem;
            assert!(!problem.contains(evil), "{problem}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".*") {
        prop_assert!(read_free(&text).is_err());
        prop_assert!(read_ruled(&text, Language::En).is_err());
    }

    #[test]
    fn no_object_of_the_right_members_panics(
        values in proptest::collection::vec(
            proptest::sample::select(&[
                "true", "false", "null", "1", "-1e9", "\"\"", "\"R4\"", "\"fail\"", "\"gate\"", "[]", "{}",
                r#"["x"]"#, r#"{"R4":"fail","R5":"pass"}"#, r#"{"R4":"pass","R5":"na","R6":"fail"}"#,
                r#"[{"rule":"R4","quote":"gate","message":"m"}]"#, r#"[{"rule":"R9","quote":1}]"#,
            ][..]),
            4,
        ),
    ) {
        let text = format!(
            r#"{{"is_valid":{},"rules":{},"issues":{},"rewrite_suggestion":{}}}"#,
            values[0], values[1], values[2], values[3],
        );
        if let Ok(Answer::Free { is_valid, issues, .. }) = read_free(&text) {
            prop_assert_eq!(is_valid, issues.is_empty());
        }
        if let Ok(Answer::Ruled { rules, issues, .. }) = read_ruled(&text, Language::En) {
            for (id, word) in rules.iter().filter(|(id, _)| id.as_str() != "R6") {
                let explained = issues.iter().any(|issue| issue.rule == *id);
                prop_assert_eq!(explained, *word == RuleWord::Fail);
            }
        }
    }
}
