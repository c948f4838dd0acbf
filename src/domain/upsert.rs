//! What happens to a row of the results table when a new result for it comes in: the same decision for
//! every kind of table.

use std::collections::HashSet;

use super::fold::fold;
use super::key::RowKey;
use super::language::Language;
use super::results::{IsValid, ResultColumn, ResultRow};

/// What to do with a row that already stands in the results table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowChange {
    /// Nothing: it says the same already, the time of the check aside.
    Unchanged,
    /// Set these columns.
    Set(Vec<(ResultColumn, String)>),
}

/// Decides how a row that stands in the table changes for a new result.
///
/// `existing` gives the text in a column of the table, none for a column that the table lacks. `render`
/// is how the table writes a text: clipped to what its cells hold, neutralised where a text could be
/// taken for a formula.
///
/// A row that could not be checked never hides a verdict: where the judged text still stands, the verdict
/// stays and a note is put before the issues; where the text has changed, the verdict would be shown
/// beside a text that it was not given for, so the note names it instead.
pub fn change(
    existing: impl Fn(ResultColumn) -> Option<String>,
    new: &ResultRow,
    columns: &[ResultColumn],
    language: Language,
    render: impl Fn(String) -> String,
) -> RowChange {
    let mut new = new.clone();
    let old_verdict = existing(ResultColumn::IsValid).as_deref().and_then(IsValid::parse);
    let mut wanted: Vec<ResultColumn> = columns.to_vec();
    if new.is_valid == IsValid::NotChecked && matches!(old_verdict, Some(IsValid::Yes | IsValid::No)) {
        let old = |column| existing(column).unwrap_or_default();
        let judged = [ResultColumn::StatusValue, ResultColumn::CompletionDate, ResultColumn::Comment];
        if judged.into_iter().all(|column| old(column) == render(new.text(column))) {
            wanted.retain(|column| {
                matches!(
                    column,
                    ResultColumn::RowNumber
                        | ResultColumn::ProjectName
                        | ResultColumn::SourceUrl
                        | ResultColumn::ProjectManager
                        | ResultColumn::Issues
                        | ResultColumn::Key
                )
            });
            new.issues = with_note(&new.issues, &old(ResultColumn::Issues), language);
        } else {
            let word = old(ResultColumn::IsValid);
            let at = old(ResultColumn::CheckDate);
            new.issues.push_str(&match language {
                Language::En => format!("\nlast verdict: {} on {at}, for an earlier text", word.trim()),
                Language::Ru => format!("\nпрежний вердикт: {} от {at}, для прежнего текста", word.trim()),
            });
        }
    } else if new.is_valid == IsValid::NotChecked && old_verdict == Some(IsValid::NotChecked) {
        // A second failure must not lose the verdict that the first one's note remembers.
        let old_issues = existing(ResultColumn::Issues).unwrap_or_default();
        let remembered =
            |line: &&str| line.starts_with("last verdict: ") || line.starts_with("прежний вердикт: ");
        if let Some(line) = old_issues.lines().find(remembered) {
            new.issues.push('\n');
            new.issues.push_str(line);
        }
    }
    // The time of an answer stays as long as the answer does; without one it is that of the run, and tells nothing new.
    let is_dated = new.is_dated();
    let mut set = Vec::new();
    let mut changed = false;
    for column in wanted {
        let text = render(new.text(column));
        match existing(column) {
            Some(old) if old == text => {}
            None => {}
            Some(_) => {
                changed |= column != ResultColumn::CheckDate || is_dated;
                set.push((column, text));
            }
        }
    }
    if changed { RowChange::Set(set) } else { RowChange::Unchanged }
}

const NOTE_MARK: &str = "⚠ ";

fn with_note(reason: &str, issues: &str, language: Language) -> String {
    let tail: Vec<&str> = issues.lines().filter(|line| !line.starts_with(NOTE_MARK)).collect();
    let keeps = language.pick("the verdict below is the last one", "ниже — последний вердикт");
    let mut lines = vec![format!("{NOTE_MARK}{}; {keeps}", reason.replace('\n', " "))];
    lines.extend(tail.iter().map(|line| (*line).to_owned()));
    lines.join("\n")
}

/// Finds the keys of rows that stand in a results table, in reading order.
///
/// Rows with a `Key` keep it. Rows without one (the table was written by another tool) get the key that
/// the reader would give them: the first free occurrence of the project name, or the row number. But a row
/// that has neither a key nor a verdict nor a row number was put there by people: it stays theirs, whatever
/// it is called.
///
/// Holds 64 bits of a hash for each key: tables may be long.
#[derive(Debug, Default)]
pub struct ExistingKeys {
    used: HashSet<[u8; 8]>,
}

impl ExistingKeys {
    /// The key of the next row, from its text in our columns; none for a row that is not ours.
    pub fn next(&mut self, text: impl Fn(ResultColumn) -> Option<String>) -> Option<RowKey> {
        let stored = text(ResultColumn::Key).filter(|key| !key.trim().is_empty());
        if let Some(key) = stored.map(RowKey::stored) {
            if key.is_theirs() {
                return None;
            }
            // A copied row carries its original's key: the first one stays ours, the copy is people's.
            return self.claim(&key).then_some(key);
        }
        if !is_result(&text) {
            return None;
        }
        match text(ResultColumn::ProjectName).filter(|project| !fold(project).is_empty()) {
            Some(project) => (1..).map(|n| RowKey::of_identifier(&project, n)).find(|key| self.claim(key)),
            None => {
                let row = text(ResultColumn::RowNumber)?;
                let key = RowKey::of_row(row.trim().parse().ok()?);
                self.claim(&key).then_some(key)
            }
        }
    }

    /// True if no row before has this key.
    fn claim(&mut self, key: &RowKey) -> bool {
        let mut short = [0; 8];
        short.copy_from_slice(&blake3::hash(key.as_str().as_bytes()).as_bytes()[..8]);
        self.used.insert(short)
    }
}

/// True for a row without a key that a tool wrote.
fn is_result(text: impl Fn(ResultColumn) -> Option<String>) -> bool {
    let has_verdict = text(ResultColumn::IsValid).is_some_and(|word| IsValid::parse(&word).is_some());
    let is_number = |number: String| number.trim().parse::<u64>().is_ok() || is_gone_mark(&number);
    has_verdict || text(ResultColumn::RowNumber).is_some_and(is_number)
}

/// The text that marks a row whose source row is gone. It stands in the `Row Number` column.
pub fn gone_mark(language: Language, today: jiff::civil::Date) -> String {
    format!("{} {today}", gone_words(language))
}

/// The text that marks a row of the results that stands there a second time. It stands in the `Row Number` column.
pub fn double_mark(language: Language, first: u64) -> String {
    match language {
        Language::En => format!("the same as row {first}: delete this one"),
        Language::Ru => format!("то же, что строка {first}: удалите эту"),
    }
}

/// True for a `Row Number` cell that already carries the mark, in either language.
pub fn is_gone_mark(text: &str) -> bool {
    [Language::En, Language::Ru].into_iter().any(|language| text.starts_with(gone_words(language)))
}

fn gone_words(language: Language) -> &'static str {
    language.pick("not in the source since", "нет в источнике с")
}

/// True if so few of the rows in the results table are still in the source that something is wrong with
/// the source rather than with the rows: nine in ten or more are gone.
pub fn is_suspicious_shrink(rows_in_target: u64, gone: u64) -> bool {
    rows_in_target > 0 && gone * 10 >= rows_in_target * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_key_are_ours_only_if_a_tool_wrote_them() {
        let mut keys = ExistingKeys::default();
        let mut next = |number: &str, project: &str, word: &str, key: &str| {
            let found = keys.next(|column| match column {
                ResultColumn::RowNumber => Some(number.to_owned()),
                ResultColumn::ProjectName => Some(project.to_owned()),
                ResultColumn::IsValid => Some(word.to_owned()),
                ResultColumn::Key => Some(key.to_owned()),
                _ => None,
            });
            found.map(|key| key.as_str().to_owned())
        };
        assert_eq!(next("", "Gate", "", ""), None, "a note of people about a project");
        assert_eq!(next("2", "Gate", "YES", "gate").as_deref(), Some("gate"));
        assert_eq!(next("", "Gate", "NO", "").as_deref(), Some("gate #2"));
        assert_eq!(next("2", "Gate", "YES", "gate"), None, "a copy of that row");
        assert_eq!(next("7", "", "", "").as_deref(), Some("@7"));
        assert_eq!(next("not in the source since 2026-03-13", "Roof", "", "").as_deref(), Some("roof"));
        assert_eq!(next("total", "Sum", "", ""), None);
        assert_eq!(next("7", "Sum", "YES", "@theirs 3f"), None, "put back as it was");
    }
}
