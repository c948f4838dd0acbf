//! Whatever a model says, the reader of answers neither panics nor hangs, and takes only what is complete.
//!
//! `cargo install cargo-fuzz`, then
//! `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none answer -- -max_total_time=60 -dict=tests/fuzz/answer.dict`

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use status_validator::domain::answer::{Answer, Asked, read_answer};
use status_validator::domain::entry::{DateCell, Entry};
use status_validator::domain::key::RowKey;
use status_validator::domain::language::Language;
use status_validator::domain::rules::{CodeReview, Rulebook};

const RULES: &str = include_str!("../fixtures/malformed/rules.toml");

static RULEBOOKS: LazyLock<[Rulebook; 2]> = LazyLock::new(|| {
    let numbered = Rulebook::from_toml(RULES).unwrap_or_else(|errors| panic!("{errors}"));
    [numbered, Rulebook::Free("Be clear.".into())]
});

fuzz_target!(|text: &str| {
    let entry = Entry {
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
    };
    let review = CodeReview { findings: Vec::new(), decided: Default::default(), asks_model: true };
    for rulebook in RULEBOOKS.iter() {
        for language in [Language::En, Language::Ru] {
            let asked = Asked { rulebook, entry: &entry, review: &review, language };
            match read_answer(text, &asked) {
                Ok(Answer::Ruled { rules, .. }) => assert_eq!(rules.len(), 2),
                Ok(Answer::Free { is_valid, issues, .. }) => assert_eq!(is_valid, issues.is_empty()),
                Err(bad) => assert!(!bad.problem.is_empty()),
            }
        }
    }
});
