//! Statuses with the verdicts that people gave: with them the model knows what is right. Pure.

use std::collections::{BTreeSet, HashMap};

/// By the comment of a row: the rules that it violates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Golden(HashMap<String, BTreeSet<String>>);

/// Labels that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoldenError {
    /// The file is no CSV.
    #[error("{what}: not a CSV table: {problem}")]
    NoCsv {
        /// Which of the two files.
        what: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A column is missing.
    #[error("{what}: no column {column}; it is needed")]
    NoColumn {
        /// Which of the two files.
        what: &'static str,
        /// Its name.
        column: String,
    },
    /// There is no row that both files have.
    #[error("no label belongs to a status: the ids of the two files differ")]
    NothingInCommon,
}

/// What the columns of comments are called.
const COMMENTS: [&str; 4] = ["comment", "status comment", "комментарий", "комментарий к статусу"];

impl Golden {
    /// From a table of statuses, whose first column is the id, and one of labels with the columns `id` and
    /// `rules_violated` (numbers or ids, apart by spaces, commas or semicolons).
    ///
    /// # Errors
    /// If one of them is no such table, or they have no id in common.
    pub fn read(statuses: &str, labels: &str) -> Result<Self, GoldenError> {
        let labels = table("labels", labels)?;
        let (id, rules) =
            (column("labels", &labels, &["id"])?, column("labels", &labels, &["rules_violated"])?);
        let of_id: HashMap<&str, &str> = labels
            .rows
            .iter()
            .filter_map(|row| Some((row.get(id)?.as_str(), row.get(rules)?.as_str())))
            .collect();
        let statuses = table("statuses", statuses)?;
        let comment = column("statuses", &statuses, &COMMENTS)?;
        let labelled = statuses.rows.iter().filter_map(|row| {
            let violated = of_id.get(row.first()?.trim())?;
            let rules = violated.split([' ', ',', ';']).filter(|rule| !rule.is_empty());
            let rules =
                rules.map(|rule| if rule.starts_with('R') { rule.to_owned() } else { format!("R{rule}") });
            Some((row.get(comment)?.trim().to_owned(), rules.collect()))
        });
        let known: HashMap<String, BTreeSet<String>> = labelled.collect();
        if known.is_empty() { Err(GoldenError::NothingInCommon) } else { Ok(Self(known)) }
    }

    /// The rules that a row with this comment violates; none if the row is not known.
    pub(super) fn of(&self, comment: &str) -> Option<&BTreeSet<String>> {
        self.0.get(comment.trim())
    }
}

struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

fn table(what: &'static str, text: &str) -> Result<Table, GoldenError> {
    let delimiter = if text.lines().next().is_some_and(|line| line.contains(';')) { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| GoldenError::NoCsv { what, problem: error.to_string() })?;
        rows.push(record.iter().map(str::to_owned).collect::<Vec<String>>());
    }
    let header = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
    Ok(Table { header, rows })
}

fn column(what: &'static str, table: &Table, names: &[&str]) -> Result<usize, GoldenError> {
    let is_named = |cell: &String| names.contains(&cell.trim().to_lowercase().as_str());
    let found = table.header.iter().position(is_named);
    found.ok_or_else(|| GoldenError::NoColumn {
        what,
        column: names.first().copied().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_find_their_comments() {
        let golden = Golden::read(
            "id,Status,Comment\nA-1,On Track, fine \nA-2,At Risk,\"bad, late\"\nA-3,x,none\n",
            "id,is_valid,rules_violated\nA-1,true,\nA-2,false,5;R10\n",
        )
        .unwrap();
        assert_eq!(golden.of("fine"), Some(&BTreeSet::new()));
        assert_eq!(golden.of("bad, late"), Some(&["R5".to_owned(), "R10".to_owned()].into()));
        assert_eq!(golden.of("none"), None);
    }

    #[test]
    fn tables_that_do_not_fit_are_named() {
        for (statuses, labels, told) in [
            ("id,x\n", "id,rules_violated\n", "statuses: no column comment"),
            ("id,comment\n", "x\n", "labels: no column id"),
            ("id,comment\nA,b\n", "id,rules_violated\nB,1\n", "differ"),
        ] {
            let error = Golden::read(statuses, labels).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
