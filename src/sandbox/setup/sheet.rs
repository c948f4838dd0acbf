//! Tables from files: where they are to go, and what is in them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::SetupError;
use super::samples::{self, Sample};
use crate::domain::cell::Cell;
use crate::domain::language::Language;
use crate::sandbox::SpecError;
use crate::sandbox::sheets::{ErrorKind, Typed};
use crate::table::csv::{CsvSource, CsvSourceParams};
use crate::table::xlsx::{XlsxSource, XlsxSourceParams};
use crate::table::{TableError, TableSource};

/// A table and the tab that it goes to, written `ID:TAB=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetFile {
    /// The tab.
    pub name: TabName,
    /// The table: `.csv`, `.tsv` or `.xlsx`. Of a workbook, the sheet of the tab's name, or the first.
    pub file: PathBuf,
}

/// A tab of a spreadsheet, written `ID:TAB`, or `ID` for the tab `Status Review`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TabName {
    /// The spreadsheet's id.
    pub spreadsheet: String,
    /// The tab's name.
    pub tab: String,
}

/// A table that was read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) name: TabName,
    pub(super) rows: Vec<Vec<Typed>>,
    /// True for sample statuses, which were written for a certain day.
    pub(super) is_sample: bool,
}

/// The tab that results go to where none is named.
pub(super) const REVIEW: &str = "Status Review";

impl SheetFile {
    pub(super) async fn read(&self) -> Result<Loaded, SetupError> {
        let rows = match self.kind() {
            Some("xlsx") => match self.xlsx(Some(self.name.tab.clone())).await {
                Err(TableError::NotFound { .. }) => self.xlsx(None).await,
                read => read,
            },
            Some("csv") => self.csv(None).await,
            Some("tsv") => self.csv(Some(b'\t')).await,
            _ => return Err(SetupError::UnknownKind(self.file.clone())),
        }?;
        Ok(Loaded { name: self.name.clone(), rows, is_sample: samples::are_in(&self.file) })
    }

    fn kind(&self) -> Option<&'static str> {
        let extension = self.file.extension()?;
        ["csv", "tsv", "xlsx"].into_iter().find(|kind| extension.eq_ignore_ascii_case(kind))
    }

    async fn csv(&self, delimiter: Option<u8>) -> Result<Vec<Vec<Typed>>, TableError> {
        let (path, encoding) = (self.file.clone(), None);
        read(&mut CsvSource::new(CsvSourceParams {
            path,
            header_row: 1,
            data_start_row: 2,
            encoding,
            delimiter,
        }))
        .await
    }

    async fn xlsx(&self, sheet: Option<String>) -> Result<Vec<Vec<Typed>>, TableError> {
        let path = self.file.clone();
        read(&mut XlsxSource::new(XlsxSourceParams { path, sheet, header_row: 1, data_start_row: 2 })).await
    }
}

impl Loaded {
    /// The sample statuses of a language.
    pub(super) fn sample(language: Language) -> Self {
        let Sample { statuses, tab, .. } = Sample::of(language);
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(statuses.as_bytes());
        let rows = reader.records().flatten();
        let rows = rows.map(|row| row.iter().map(|text| typed(Cell::text(text))).collect()).collect();
        Self { name: TabName { spreadsheet: SAMPLES.into(), tab: tab.into() }, rows, is_sample: true }
    }

    /// What its first row shows.
    pub(super) fn header(&self) -> Vec<String> {
        let text = |cell: &Typed| if let Typed::Text(text) = cell { text.clone() } else { String::new() };
        self.rows.first().into_iter().flatten().map(text).collect()
    }
}

/// The spreadsheet of the samples.
const SAMPLES: &str = "sandbox";

/// Rows of a page; tables of a sandbox are held in memory anyway.
const PAGE: usize = 1000;

async fn read(source: &mut dyn TableSource) -> Result<Vec<Vec<Typed>>, TableError> {
    let header = source.open().await?;
    let mut rows = vec![header.names.into_iter().map(|name| typed(Cell::text(name))).collect()];
    loop {
        let page = source.next_page(PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        for row in page {
            for warning in row.warnings {
                tracing::warn!(table = source.name(), row = row.row, warning);
            }
            rows.push(row.cells.into_iter().map(typed).collect());
        }
    }
}

fn typed(cell: Cell) -> Typed {
    match cell {
        Cell::Empty => Typed::Blank,
        Cell::Text(text) => Typed::Text(text),
        Cell::Number(number) => Typed::Number(number),
        Cell::Bool(value) => Typed::Bool(value),
        Cell::Date(date) => Typed::Date(date.at(0, 0, 0, 0)),
        Cell::Error(name) => ErrorKind::of_shown(&name).map_or(Typed::Text(name), Typed::Error),
    }
}

impl FromStr for SheetFile {
    type Err = SpecError;

    /// Where several `=` could part the tab from the file, the first counts that leaves a file which is there.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let wrong = || SpecError::new(text, "is not ID:TAB=FILE: write it as my-sheet:Statuses=statuses.csv");
        let (id, rest) = text.split_once(':').ok_or_else(wrong)?;
        let parts = || rest.match_indices('=').map(|(at, _)| (&rest[..at], &rest[at + 1..]));
        let there = parts().find(|(_, file)| Path::new(file).is_file());
        let (tab, file) = there.or_else(|| parts().next()).ok_or_else(wrong)?;
        if file.trim().is_empty() {
            return Err(wrong());
        }
        Ok(Self { name: TabName::new(id, tab)?, file: PathBuf::from(file) })
    }
}

impl TabName {
    fn new(id: &str, tab: &str) -> Result<Self, SpecError> {
        let is_id =
            !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !is_id {
            return Err(SpecError::new(id, "is no id of a spreadsheet: use letters, digits, - and _"));
        }
        if tab.trim().is_empty() || tab.chars().any(char::is_control) {
            return Err(SpecError::new(tab, "is no name of a tab: write it as my-sheet:Statuses"));
        }
        Ok(Self { spreadsheet: id.to_owned(), tab: tab.to_owned() })
    }
}

impl FromStr for TabName {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (id, tab) = text.split_once(':').unwrap_or((text, REVIEW));
        Self::new(id, tab)
    }
}

impl fmt::Display for TabName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spreadsheet «{}», tab «{}»", self.spreadsheet, self.tab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, String) {
        let SheetFile { name, file } = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        (name.spreadsheet, name.tab, file.display().to_string())
    }

    #[test]
    fn tables_are_named_with_their_tabs() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a=b:c.csv");
        std::fs::write(&odd, "x\n").unwrap();
        let odd = odd.display().to_string();
        for (text, id, tab, file) in [
            ("src:Statuses=week.csv", "src", "Statuses", "week.csv"),
            ("1-_Ab:Статусы за неделю=папка/a b.xlsx", "1-_Ab", "Статусы за неделю", "папка/a b.xlsx"),
            (r"src:A: b=C:\week.csv", "src", "A: b", r"C:\week.csv"),
            ("src:T=no=such.csv", "src", "T", "no=such.csv"),
            (&format!("src:T={odd}"), "src", "T", &odd),
            (&format!("src:a=b={odd}"), "src", "a=b", &odd),
        ] {
            assert_eq!(parts(text), (id.into(), tab.into(), file.into()), "{text}");
        }
    }

    #[test]
    fn what_names_no_table_is_refused() {
        for text in
            ["", "src", "src:Statuses", "Statuses=a.csv", ":T=a.csv", "a/b:T=a.csv", "src: =a.csv", "src:T="]
        {
            assert!(text.parse::<SheetFile>().is_err(), "{text}");
        }
        let name: TabName = "dst".parse().unwrap();
        assert_eq!((name.spreadsheet.as_str(), name.tab.as_str()), ("dst", REVIEW));
        assert!("".parse::<TabName>().is_err() && "dst:".parse::<TabName>().is_err());
    }

    #[tokio::test]
    async fn a_workbook_gives_the_sheet_of_the_tab_or_its_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.XLSX");
        let mut workbook = rust_xlsxwriter::Workbook::new();
        for name in ["First", "Second"] {
            let sheet = workbook.add_worksheet().set_name(name).unwrap();
            sheet.write_string(0, 0, name).unwrap().write_number(1, 0, 7.5).unwrap();
        }
        workbook.save(&file).unwrap();
        for (tab, header) in [("second", "Second"), ("Other", "First")] {
            let name = TabName::new("id", tab).unwrap();
            let loaded = SheetFile { name, file: file.clone() }.read().await.unwrap();
            assert_eq!(loaded.rows, [[Typed::Text(header.into())], [Typed::Number(7.5)]]);
            assert!(!loaded.is_sample);
        }
    }
}
