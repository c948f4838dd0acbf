//! Whatever stands in a rulebook, it is taken or refused with its problems, and what is taken can judge a row.
//!
//! `cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none rulebook -- -max_total_time=60`

#![no_main]

use libfuzzer_sys::fuzz_target;
use status_validator::domain::entry::{DateCell, Entry};
use status_validator::domain::key::RowKey;
use status_validator::domain::language::Language;
use status_validator::domain::prompt::StaticPrompt;
use status_validator::domain::rules::{ReviewContext, Rulebook};

fuzz_target!(|text: &str| {
    let rulebook = match Rulebook::from_toml(text) {
        Ok(rulebook) => rulebook,
        Err(errors) => return assert!(!errors.to_string().is_empty()),
    };
    let entry = Entry {
        row: 2,
        key: RowKey::of_row(2),
        status: "At Risk".into(),
        comment: "Done: gate 5 Mar. Next: site handover 32.13, call +7 900 000-00-00.".into(),
        completion_date: DateCell::Text("31.06.2026".into()),
        identifier: None,
        project_manager: None,
        context: Vec::new(),
        input_error: None,
        link: None,
    };
    let statuses = ["On Track".to_owned()];
    for language in [Language::En, Language::Ru] {
        let as_of = jiff::civil::date(2026, 3, 13);
        let review = rulebook.review(&entry, &ReviewContext { allowed_statuses: &statuses, as_of, language });
        assert!(review.findings.iter().all(|finding| !finding.line().is_empty()));
        assert!(!StaticPrompt::new(&rulebook, &statuses, language).system.is_empty());
    }
});
