//! Results as cells of the tab. Pure.

use super::write::{Cells, Content, RowWrite, whole};
use crate::domain::clip::clip;
use crate::domain::key::RowKey;
use crate::domain::language::Language;
use crate::domain::results::{ResultColumn, ResultRow};
use crate::domain::upsert::{RowChange, change};
use crate::table::places::Places;

/// Google's limit of a cell, in UTF-16 units.
pub(in super::super) const CELL_UNITS: usize = 50_000;

/// The longest key. Each write notes the keys of its rows in cells, too, where a character may take six.
pub(super) const KEY_UNITS: usize = 4_000;

/// How the tab shows results.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) columns: Vec<ResultColumn>,
    pub(super) language: Language,
}

impl Form {
    /// The cells of a row that is added.
    pub(super) fn added(&self, row: &ResultRow, places: &Places) -> Vec<(u32, Content)> {
        self.columns
            .iter()
            .filter_map(|column| Some((place(places, *column)?, content(row, *column))))
            .collect()
    }

    /// How a row that stands in the tab changes; none if it says the same already, the time of the check aside.
    ///
    /// `texts` are the row's texts from the first column on. Columns whose old
    /// text stays are left out, all others are written whether or not they change: so a row that people have moved
    /// meanwhile is hit as a whole or not at all.
    pub(super) fn changed(
        &self,
        at: u32,
        texts: &[String],
        row: &ResultRow,
        places: &Places,
    ) -> Option<RowWrite> {
        let text = |column| {
            let place = places.of(column)?;
            Some(texts.get(place).cloned().unwrap_or_default())
        };
        let render = |text: String| rendered(&text);
        let RowChange::Set(set) = change(text, row, &self.columns, self.language, render) else {
            return None;
        };
        let put = self.columns.iter().filter_map(|column| {
            let at = place(places, *column)?;
            let changed = set.iter().find(|(changed, _)| changed == column);
            match changed {
                Some((_, told)) if *told == text_of(row, *column) => Some((at, content(row, *column))),
                Some((_, told)) => Some((at, Content::Text(told.clone()))),
                None if text(*column) == Some(text_of(row, *column)) => Some((at, content(row, *column))),
                None => None,
            }
        });
        Some(RowWrite { row: at, was: whole(texts), key: row.key.clone(), cells: Cells::Put(put.collect()) })
    }

    /// A row whose number gives way to a mark, and whose key is written down: the number, by which it might have been
    /// known, is lost to the mark.
    pub(super) fn marked(
        &self,
        at: u32,
        texts: &[String],
        key: RowKey,
        mark: String,
        places: &Places,
    ) -> RowWrite {
        let put = [
            (place(places, ResultColumn::RowNumber), Content::Text(mark)),
            (place(places, ResultColumn::Key), Content::Text(key.as_str().to_owned())),
        ];
        let put = put.into_iter().filter_map(|(place, content)| Some((place?, content))).collect();
        RowWrite { row: at, was: whole(texts), key, cells: Cells::Put(put) }
    }

    /// A short mark of all that a row says, but for the time of the check where it is not that of an answer: equal for
    /// a row that need not be written.
    pub(super) fn told(&self, text: impl Fn(ResultColumn) -> String) -> [u8; 8] {
        let is_dated = !text(ResultColumn::RawLlmJson).is_empty();
        let mut hasher = blake3::Hasher::new();
        for column in self.columns.iter().filter(|column| is_dated || **column != ResultColumn::CheckDate) {
            let text = text(*column);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let mut short = [0; 8];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        short
    }

    /// The columns of a row whose texts are too long for a cell.
    pub(super) fn cut(&self, row: &ResultRow) -> impl Iterator<Item = ResultColumn> {
        let is_cut = |column: &ResultColumn| clip(&row.text(*column), CELL_UNITS).1;
        self.columns.iter().copied().filter(is_cut)
    }
}

/// The text of a column, as it stands in a cell.
pub(super) fn text_of(row: &ResultRow, column: ResultColumn) -> String {
    rendered(&row.text(column))
}

fn rendered(text: &str) -> String {
    clip(text, CELL_UNITS).0.into_owned()
}

fn content(row: &ResultRow, column: ResultColumn) -> Content {
    let text = text_of(row, column);
    match (column, &row.link) {
        (ResultColumn::RowNumber, _) => Content::Number(row.row),
        (ResultColumn::ProjectName | ResultColumn::SourceUrl, Some(link)) => {
            Content::Link { text, address: link.to_string() }
        }
        _ => Content::Text(text),
    }
}

fn place(places: &Places, column: ResultColumn) -> Option<u32> {
    places.of(column).and_then(|place| u32::try_from(place).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::results::{IsValid, Layout};
    use crate::table::spool::tests::result_row;

    fn form() -> Form {
        let columns = Layout { identifier: true, project_manager: false }.columns();
        Form { columns, language: Language::En }
    }

    fn texts(form: &Form, row: &ResultRow) -> Vec<String> {
        form.columns.iter().map(|column| text_of(row, *column)).collect()
    }

    #[test]
    fn a_row_is_written_as_a_whole_or_not_at_all() {
        let (form, mut row) = (form(), result_row("Gate", 5));
        let places = Places::of_new_table(&form.columns);
        let old = texts(&form, &row);
        assert!(form.changed(4, &old, &row, &places).is_none());
        row.is_valid = IsValid::No;
        let change = form.changed(4, &old, &row, &places).unwrap();
        assert_eq!(change.marks().len(), form.columns.len());
        assert_eq!((change.row, change.key.as_str(), change.was), (4, "gate", whole(&old)));
    }

    #[test]
    fn the_time_of_a_check_counts_if_it_is_that_of_an_answer() {
        let (form, row) = (form(), result_row("Gate", 5));
        let places = Places::of_new_table(&form.columns);
        let later = ResultRow { check_date: "14.03.2026 09:00".into(), ..row.clone() };
        assert!(form.changed(4, &texts(&form, &row), &later, &places).is_some(), "judged anew");
        assert_ne!(form.told(|column| text_of(&row, column)), form.told(|column| text_of(&later, column)));
        let [row, later] = [row, later].map(|row| ResultRow { raw: String::new(), ..row });
        assert!(form.changed(4, &texts(&form, &row), &later, &places).is_none(), "checked by code again");
        assert_eq!(form.told(|column| text_of(&row, column)), form.told(|column| text_of(&later, column)));
    }

    #[test]
    fn a_verdict_that_stays_is_not_touched() {
        let (form, mut row) = (form(), result_row("Gate", 5));
        let places = Places::of_new_table(&form.columns);
        let old = texts(&form, &row);
        row.is_valid = IsValid::NotChecked;
        row.model = String::new();
        row.issues = "not checked: no provider is left".into();
        let change = form.changed(4, &old, &row, &places).unwrap();
        let Cells::Put(put) = &change.cells else { panic!("{change:?}") };
        let place = |column| places.of(column).unwrap() as u32;
        let written =
            |column| put.iter().find(|(at, _)| *at == place(column)).map(|(_, content)| content.text());
        assert_eq!(written(ResultColumn::IsValid), None);
        assert!(written(ResultColumn::Issues).unwrap().contains("the verdict below is the last one"));
        assert_eq!(written(ResultColumn::Comment).as_deref(), Some("Done: 5 gates"), "as it stands there");
        assert_eq!(written(ResultColumn::Model), None, "the verdict's, not this run's");
        assert_eq!(written(ResultColumn::Key).as_deref(), Some("gate"));
    }

    #[test]
    fn numbers_and_links_have_their_types_and_long_texts_are_cut() {
        let (form, mut row) = (form(), result_row("=Gate", 5));
        row.link =
            Some(crate::domain::entry::RowLink { url: "https://x".into(), place: "gid=1&range=5:5".into() });
        row.comment = "я".repeat(60_000);
        let places = Places::of_new_table(&form.columns);
        let cells = form.added(&row, &places);
        assert_eq!(cells[0].1, Content::Number(5));
        let address = "https://x#gid=1&range=5:5".to_owned();
        assert_eq!(cells[1].1, Content::Link { text: "=Gate".into(), address });
        assert_eq!(cells[4].1.text().encode_utf16().count(), CELL_UNITS);
        assert_eq!(form.cut(&row).collect::<Vec<_>>(), [ResultColumn::Comment]);
    }
}
