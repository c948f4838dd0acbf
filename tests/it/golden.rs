//! The code checks against labelled statuses in two languages: what code decides, it must decide exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use status_validator::domain::entry::{DateCell, Entry};
use status_validator::domain::key::RowKey;
use status_validator::domain::language::Language;
use status_validator::domain::rules::{CodeReview, Decided, ReviewContext, RuleId, Rulebook};

/// Rules that code alone decides.
const EXACT: [&str; 6] = ["R1", "R2", "R3", "R11", "R12", "R14"];
/// Rules of which code decides a part; a model is asked about the rest.
const PARTIAL: [&str; 4] = ["R6", "R7", "R9", "R13"];
/// Violations of R13 that no pattern shows: insults.
const MEANING: [&str; 1] = ["EN-067"];

/// A labelled set of statuses.
struct Set {
    language: Language,
    statuses: Vec<&'static str>,
    rows: Vec<Labelled>,
}

/// A row, the rules that people say it violates, and what code says.
struct Labelled {
    entry: Entry,
    id: String,
    violated: BTreeSet<String>,
    review: CodeReview,
}

/// How a rule was found.
#[derive(Default)]
struct Score {
    labelled: usize,
    found: usize,
    right: usize,
}

impl Score {
    fn precision(&self) -> f64 {
        ratio(self.right, self.found)
    }

    fn recall(&self) -> f64 {
        ratio(self.right, self.labelled)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
    }
}

#[test]
fn code_decides_exactly_what_it_decides() {
    let mut wrong = Vec::new();
    println!("rule  lang  labelled  found  precision  recall");
    for set in sets() {
        let code = set.language.code();
        for rule in EXACT.iter().chain(&PARTIAL) {
            let score = score(&set, rule, &mut wrong);
            let (precision, recall) = (score.precision(), score.recall());
            println!(
                "{rule:<5} {code:<5} {:>8} {:>6} {precision:>10.2} {recall:>7.2}",
                score.labelled, score.found
            );
            if (EXACT.contains(rule) || *rule == "R13") && (precision, recall) != (1.0, 1.0) {
                wrong.push(format!("{code} {rule}: precision {precision:.2}, recall {recall:.2}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Counts one rule over a set; false alarms and contradictions go to `wrong`.
fn score(set: &Set, rule: &str, wrong: &mut Vec<String>) -> Score {
    let mut score = Score::default();
    for row in &set.rows {
        let labelled = row.violated.contains(rule);
        let by_meaning = rule == "R13" && MEANING.contains(&row.id.as_str());
        let found = row.review.findings.iter().any(|f| f.rule.as_ref().is_some_and(|id| id.as_str() == rule));
        score.labelled += usize::from(labelled && !by_meaning);
        score.found += usize::from(found);
        score.right += usize::from(labelled && found);
        let passed = matches!(
            row.review.decided.get(&RuleId::new(rule)),
            Some(Decided::Pass | Decided::NotApplicable)
        );
        if found && !labelled {
            wrong.push(format!("{} is flagged by {rule}: {:?}", row.id, row.review.findings));
        }
        if passed && labelled {
            wrong.push(format!("{} violates {rule}, but code says that it does not", row.id));
        }
    }
    score
}

#[test]
fn date_checks_spare_the_model_most_of_its_work() {
    for set in sets() {
        let code = set.language.code();
        for (rule, least) in [("R6", 0.6), ("R7", 0.7)] {
            let decided = |row: &&Labelled| row.review.decided.contains_key(&RuleId::new(rule));
            let share = ratio(set.rows.iter().filter(decided).count(), set.rows.len());
            println!("{rule} {code}: decided by code in {:.0}% of rows", share * 100.0);
            assert!(share >= least, "{rule} {code}: {share}");
        }
        let counts = |rule: &str, found: bool| {
            let rows = set.rows.iter().filter(|row| row.violated.contains(rule));
            rows.filter(|row| !found || row.review.decided.get(&RuleId::new(rule)) == Some(&Decided::Fail))
                .count()
        };
        for rule in ["R6", "R7"] {
            assert_eq!(counts(rule, true), counts(rule, false), "{code}: every labelled violation of {rule}");
        }
    }
}

#[test]
fn findings_quote_the_row_and_speak_its_language() {
    for set in sets() {
        for row in &set.rows {
            for finding in &row.review.findings {
                let date = row.entry.completion_date.to_string();
                let quoted = finding.quote.as_deref().is_none_or(|quote| {
                    !quote.is_empty()
                        && [&row.entry.comment, &row.entry.status, &date]
                            .iter()
                            .any(|text| text.contains(quote))
                });
                assert!(quoted, "{}: {finding:?}", row.id);
                let russian = finding.message.chars().any(|c| ('а'..='я').contains(&c));
                assert_eq!(russian, set.language == Language::Ru, "{}: {}", row.id, finding.message);
                assert!(finding.severity.is_some(), "{}: {finding:?}", row.id);
            }
        }
    }
}

#[test]
fn a_model_is_asked_about_every_row_with_a_comment_and_no_other() {
    for set in sets() {
        for row in &set.rows {
            assert_eq!(row.review.asks_model, !row.entry.comment.is_empty(), "{}", row.id);
        }
    }
    let empty = sets().into_iter().flat_map(|set| set.rows).find(|row| row.id == "EN-106").expect("the row");
    let found: Vec<_> =
        empty.review.findings.iter().filter_map(|f| f.rule.as_ref().map(RuleId::as_str)).collect();
    assert_eq!(found, ["R4", "R12"]);
}

#[test]
fn the_examples_name_only_allowed_statuses() {
    for set in sets() {
        let rulebook = rulebook(set.language);
        assert_eq!(rulebook.rules().len(), 14);
        for status in rulebook.named_statuses() {
            assert!(set.statuses.contains(&status), "{status}");
        }
    }
}

fn sets() -> Vec<Set> {
    let en = vec!["On Track", "At Risk", "Delayed", "Completed", "On Hold"];
    let ru = vec!["В графике", "Есть риски", "Отстает", "Завершен", "Приостановлен"];
    vec![read_set(Language::En, en), read_set(Language::Ru, ru)]
}

fn read_set(language: Language, statuses: Vec<&'static str>) -> Set {
    let code = language.code();
    let golden: BTreeMap<_, _> =
        records(&format!("tests/fixtures/golden-{code}.csv")).map(|r| (r[0].clone(), r[2].clone())).collect();
    let rulebook = rulebook(language);
    let allowed: Vec<String> = statuses.iter().map(|status| (*status).to_owned()).collect();
    let context =
        ReviewContext { allowed_statuses: &allowed, as_of: jiff::civil::date(2026, 3, 13), language };
    let rows = records(&format!("examples/statuses-{code}.csv")).map(|record| {
        let (id, entry) = (record[0].clone(), entry(&record));
        let violated = golden[&id].split(';').filter(|n| !n.is_empty()).map(|n| format!("R{n}")).collect();
        let review = rulebook.review(&entry, &context);
        Labelled { entry, id, violated, review }
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), golden.len());
    Set { language, statuses, rows }
}

fn rulebook(language: Language) -> Rulebook {
    let text = std::fs::read_to_string(path(&format!("examples/rules-{}.toml", language.code())))
        .expect("the rules");
    Rulebook::from_toml(&text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn entry(record: &[String]) -> Entry {
    Entry {
        row: 2,
        key: RowKey::of_row(2),
        status: record[3].clone(),
        comment: record[5].clone(),
        completion_date: DateCell::Text(record[4].clone()),
        identifier: Some(record[1].clone()),
        project_manager: Some(record[2].clone()),
        context: Vec::new(),
        input_error: None,
        link: None,
    }
}

fn records(file: &str) -> impl Iterator<Item = Vec<String>> + use<> {
    let reader = csv::Reader::from_reader(File::open(path(file)).expect("the file"));
    reader.into_records().map(|record| record.expect("a record").iter().map(str::to_owned).collect())
}

fn path(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}
