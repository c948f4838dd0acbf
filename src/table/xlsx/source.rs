//! A sheet of a workbook as a source.
//!
//! The cells of the sheet are held in memory, sparsely: a cell at the far end of a sheet costs no more than
//! any other. Of merged cells only the top left one has a value, so it counts for the first of their rows.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use jiff::civil::Date;

use super::a1::Place;
use super::{edit, guard};
use crate::domain::cell::Cell;
use crate::domain::entry::RowLink;
use crate::domain::fold::fold;
use crate::table::a1::quoted_sheet;
use crate::table::{Header, RowCount, SourceRow, TableError, TableSource};

/// A sheet of an Excel workbook that statuses are read from.
///
/// Rows have the numbers that Excel shows; hidden rows are rows. Dates, numbers, booleans and errors keep
/// their types.
#[derive(Debug)]
pub struct XlsxSource {
    params: XlsxSourceParams,
    open: Option<Open>,
}

/// Which sheet of which workbook.
#[derive(Clone, Debug)]
pub struct XlsxSourceParams {
    /// The workbook.
    pub path: PathBuf,
    /// The sheet, by its name without regard to case; none for the first that is visible.
    pub sheet: Option<String>,
    /// The row of the header, from 1.
    pub header_row: u64,
    /// The first row of data, below the header.
    pub data_start_row: u64,
}

/// Bytes of text in all cells of a sheet; many cells may share a text that the file has once.
const MAX_TEXT: usize = 200 << 20;

#[derive(Debug)]
struct Open {
    sheet: SheetCells,
    /// Cells of the header: what stands further right belongs to no column.
    width: u32,
    next_row: u64,
}

/// What a sheet holds: its filled cells by row and column, blank rows left out.
#[derive(Debug, PartialEq)]
struct SheetCells {
    name: String,
    rows: Rows,
}

type Rows = BTreeMap<u32, Vec<(u32, Cell)>>;

impl XlsxSource {
    /// A source that reads the workbook when it is opened.
    pub fn new(params: XlsxSourceParams) -> Self {
        Self { params, open: None }
    }

    async fn load(&mut self) -> Result<Header, TableError> {
        self.open = None;
        let params = self.params.clone();
        let loading = tokio::task::spawn_blocking(move || load(&params.path, params.sheet.as_deref()));
        let mut sheet = match loading.await {
            Ok(loaded) => loaded?,
            Err(_panic) => return Err(self.malformed(DAMAGED.to_owned())),
        };
        let header_row = self.params.header_row.max(1);
        let Some(header) = sheet.rows.remove(&row_number(header_row)) else {
            let detail = format!("row {header_row} of sheet «{}» is empty; check header_row", sheet.name);
            return Err(self.malformed(detail));
        };
        let next_row = self.params.data_start_row.max(header_row + 1);
        sheet.rows = sheet.rows.split_off(&row_number(next_row));
        let width = header.last().map_or(0, |(column, _)| column + 1);
        let names = spread(header, width).iter().map(Cell::display).collect();
        let last = sheet.rows.keys().next_back().map(|row| u64::from(*row));
        let rows = last.map_or(0, |last| last + 1 - next_row);
        self.open = Some(Open { sheet, width, next_row });
        Ok(Header { names, rows: RowCount::Exactly(rows) })
    }

    fn read_page(&mut self, max_rows: usize) -> Result<Vec<SourceRow>, TableError> {
        let Some(open) = &mut self.open else {
            let detail = "not open; it must be opened first".to_owned();
            return Err(TableError::Unavailable { table: self.name(), detail, retry_after: None });
        };
        let url = self.params.path.display().to_string();
        let mut page = Vec::new();
        while page.len() < max_rows.max(1) && !open.sheet.rows.is_empty() {
            let row = open.next_row;
            let cells = open.sheet.rows.remove(&row_number(row));
            let cells = cells.map(|cells| spread(cells, open.width)).unwrap_or_default();
            let place = format!("{}!A{row}", quoted_sheet(&open.sheet.name));
            let link = Some(RowLink { url: url.clone(), place });
            page.push(SourceRow { row, cells, link, warnings: Vec::new() });
            open.next_row += 1;
        }
        Ok(page)
    }

    fn malformed(&self, detail: String) -> TableError {
        TableError::Malformed { table: self.name(), detail }
    }
}

impl TableSource for XlsxSource {
    fn name(&self) -> String {
        let path = self.params.path.display();
        match &self.params.sheet {
            Some(sheet) => format!("{path} (sheet «{sheet}»)"),
            None => path.to_string(),
        }
    }

    fn open(&mut self) -> BoxFuture<'_, Result<Header, TableError>> {
        self.load().boxed()
    }

    fn next_page(&mut self, max_rows: usize) -> BoxFuture<'_, Result<Vec<SourceRow>, TableError>> {
        future::ready(self.read_page(max_rows)).boxed()
    }
}

const DAMAGED: &str = "the workbook is damaged; open it in Excel, let it repair the file, and save it again";

/// Rows beyond the end of every sheet are all the same.
fn row_number(row: u64) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

/// The cells from the first column to `width`, empty ones included; what stands further right is left out.
fn spread(cells: Vec<(u32, Cell)>, width: u32) -> Vec<Cell> {
    let mut row = Vec::new();
    for (column, cell) in cells.into_iter().filter(|(column, _)| *column < width) {
        row.resize(column as usize, Cell::Empty);
        row.push(cell);
    }
    row
}

fn load(path: &Path, sheet: Option<&str>) -> Result<SheetCells, TableError> {
    let table = || path.display().to_string();
    let bytes = guard::admit(path)?;
    parse(&bytes, sheet).map_err(|problem| match problem {
        Problem::NoSheet(detail) => TableError::NotFound { table: table(), detail },
        Problem::Xlsx(error) => {
            TableError::Malformed { table: table(), detail: format!("{error}; {DAMAGED}") }
        }
        Problem::Damaged(error) => TableError::Malformed { table: table(), detail: error.to_string() },
        Problem::TooMuchText => {
            let most = MAX_TEXT >> 20;
            let detail =
                format!("its cells hold more than {most} MB of text; move what is old to another workbook");
            TableError::Malformed { table: table(), detail }
        }
    })
}

#[derive(Debug)]
enum Problem {
    NoSheet(String),
    Xlsx(XlsxError),
    Damaged(edit::Damage),
    TooMuchText,
}

impl From<XlsxError> for Problem {
    fn from(error: XlsxError) -> Self {
        Self::Xlsx(error)
    }
}

impl From<edit::Damage> for Problem {
    fn from(damage: edit::Damage) -> Self {
        Self::Damaged(damage)
    }
}

fn parse(bytes: &[u8], sheet: Option<&str>) -> Result<SheetCells, Problem> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes))?;
    let name = pick_sheet(&workbook, sheet)?;
    let mut reader = workbook.worksheet_cells_reader(&name)?;
    let mut places = None; // found out only for a sheet that needs it
    let mut rows = Rows::new();
    let (mut index, mut text) = (0, 0);
    loop {
        let (place, cell) = match reader.next_cell() {
            Ok(None) => break,
            Ok(Some(cell)) => {
                let (row, column) = cell.get_position();
                (Place { row: row + 1, column }, cell_of(cell.get_value()))
            }
            // an error value that calamine does not know; it does not say where
            Err(XlsxError::CellError(error)) => {
                let places = match &mut places {
                    Some(places) => places,
                    unknown => unknown.insert(edit::cell_places(bytes, &name)?),
                };
                let place = places.get(index).copied();
                (place.ok_or_else(|| XlsxError::CellError(error.clone()))?, Cell::Error(error))
            }
            Err(error) => return Err(error.into()),
        };
        index += 1;
        if let Cell::Text(value) = &cell {
            text += value.len();
            if text > MAX_TEXT {
                return Err(Problem::TooMuchText);
            }
        }
        if cell != Cell::Empty {
            rows.entry(place.row).or_default().push((place.column, cell));
        }
    }
    for cells in rows.values_mut() {
        cells.sort_by_key(|(column, _)| *column);
        cells.dedup_by_key(|(column, _)| *column);
    }
    Ok(SheetCells { name, rows })
}

fn pick_sheet(workbook: &Xlsx<Cursor<&[u8]>>, wanted: Option<&str>) -> Result<String, Problem> {
    let sheets = || workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let found = match wanted {
        Some(wanted) => sheets().find(|sheet| fold(&sheet.name) == fold(wanted)),
        None => sheets().find(|sheet| sheet.visible == SheetVisible::Visible).or_else(|| sheets().next()),
    };
    if let Some(sheet) = found {
        return Ok(sheet.name.clone());
    }
    let names: Vec<String> = sheets().map(|sheet| format!("«{}»", sheet.name)).collect();
    Err(Problem::NoSheet(match wanted {
        Some(wanted) if !names.is_empty() => {
            format!("it has no sheet «{wanted}», only {}; name one of these", names.join(", "))
        }
        _ => "it has no sheet with cells; give another workbook".to_owned(),
    }))
}

fn cell_of(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::String(text) => Cell::text(text.as_str()),
        DataRef::SharedString(text) => Cell::text(*text),
        DataRef::Bool(value) => Cell::Bool(*value),
        DataRef::DateTime(at) => date_of(at).map_or(Cell::Number(at.as_f64()), Cell::Date),
        DataRef::DateTimeIso(text) => {
            let date = text.get(..10).and_then(|date| date.parse().ok());
            date.map_or_else(|| Cell::text(text.as_str()), Cell::Date)
        }
        DataRef::DurationIso(text) => Cell::text(text.as_str()),
        DataRef::Error(error) => Cell::Error(error.to_string()),
    }
}

/// The date of a cell that is formatted as one; none for a time of day, a duration, and for what is no
/// date: Excel's 29 February 1900, numbers past the year 9999.
fn date_of(at: &ExcelDateTime) -> Option<Date> {
    let days = at.as_f64();
    if at.is_duration() || !(1.0..=LAST_DAY).contains(&days) {
        return None;
    }
    let (year, month, day, ..) = at.to_ymd_hms_milli();
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// 31 December 9999 in the system that begins in 1900, with its whole day.
const LAST_DAY: f64 = 2_958_465.999_999;

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::{ExcelDateTime as At, Format, Formula, Workbook};

    use super::*;
    use crate::table::xlsx::survival::{part, rezip};

    fn source(path: &Path, sheet: Option<&str>, header_row: u64, data_start_row: u64) -> XlsxSource {
        let sheet = sheet.map(str::to_owned);
        XlsxSource::new(XlsxSourceParams { path: path.to_owned(), sheet, header_row, data_start_row })
    }

    /// All rows, `page` at a time.
    async fn read(mut source: XlsxSource, page: usize) -> Result<(Header, Vec<SourceRow>), TableError> {
        let header = source.open().await?;
        let mut rows = Vec::new();
        loop {
            let next = source.next_page(page).await?;
            assert!(next.len() <= page);
            if next.is_empty() {
                return Ok((header, rows));
            }
            rows.extend(next);
        }
    }

    /// A sheet whose table begins in C4, with every type of cell.
    fn typed(path: &Path) {
        let mut workbook = Workbook::new();
        workbook.add_worksheet().set_name("Notes").unwrap().set_hidden(true);
        let sheet = workbook.add_worksheet().set_name("It's weekly").unwrap();
        sheet.set_active(true);
        sheet.write_string(3, 2, "Project").unwrap().write_string(3, 4, " Date ").unwrap();
        sheet.write_string(4, 2, "a\r_x0041_").unwrap();
        let date = Format::new().set_num_format("dd.mm.yyyy");
        let at = At::parse_from_str("2026-03-13 18:30:00").unwrap();
        sheet.write_datetime_with_format(4, 4, &at, &date).unwrap();
        sheet.write_string(4, 9, "beyond the header").unwrap();
        sheet.write_number(6, 2, 7).unwrap().write_boolean(6, 3, true).unwrap();
        sheet.write_formula(6, 4, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
        sheet.merge_range(7, 2, 8, 2, "merged", &Format::new()).unwrap();
        sheet.write_number_with_format(8, 4, 60, &date).unwrap();
        sheet.set_row_hidden(8).unwrap();
        sheet.write_string_with_format(40, 4, "", &date).unwrap();
        workbook.save(path).unwrap();
    }

    #[tokio::test]
    async fn cells_keep_their_types_and_rows_the_numbers_that_excel_shows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        typed(&path);
        for page in [1, 2, 100] {
            let (header, rows) = read(source(&path, None, 4, 5), page).await.unwrap();
            assert_eq!(header.names, ["", "", "Project", "", " Date "]);
            assert_eq!(header.rows, RowCount::Exactly(5));
            let numbers: Vec<u64> = rows.iter().map(|row| row.row).collect();
            assert_eq!(numbers, [5, 6, 7, 8, 9]);
            let cells = |at: usize| rows[at].cells.get(2..).unwrap_or_default().to_vec();
            let date = Cell::Date(jiff::civil::date(2026, 3, 13));
            assert_eq!(cells(0), [Cell::Text("a\r_x0041_".into()), Cell::Empty, date]);
            assert_eq!(cells(1), []);
            assert_eq!(cells(2), [Cell::Number(7.0), Cell::Bool(true), Cell::Error("#DIV/0!".into())]);
            assert_eq!(cells(3), [Cell::Text("merged".into())]);
            assert_eq!(
                cells(4),
                [Cell::Empty, Cell::Empty, Cell::Number(60.0)],
                "29 February 1900 is no date"
            );
            let link = rows[0].link.clone().unwrap();
            assert_eq!((link.url, link.place.as_str()), (path.display().to_string(), "'It''s weekly'!A5"));
        }
    }

    #[tokio::test]
    async fn days_are_counted_from_1904_where_the_workbook_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        typed(&path);
        let xml = part(&path, "xl/workbook.xml").replace("<workbookPr ", "<workbookPr date1904=\"1\" ");
        rezip(&path, &[("xl/workbook.xml", &xml)]);
        let (_, rows) = read(source(&path, None, 4, 5), 9).await.unwrap();
        assert_eq!(rows[0].cells[4], Cell::Date(jiff::civil::date(2030, 3, 14)));
        assert_eq!(rows[4].cells[4], Cell::Date(jiff::civil::date(1904, 3, 1)));
    }

    #[tokio::test]
    async fn errors_of_other_programs_are_errors_in_their_cells() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        typed(&path);
        let name = "xl/worksheets/sheet2.xml";
        let xml = part(&path, name).replace("#DIV/0!", "#SPILL!");
        rezip(&path, &[(name, &xml)]);
        let (_, rows) = read(source(&path, None, 4, 5), 9).await.unwrap();
        assert_eq!(rows[2].cells[3..], [Cell::Bool(true), Cell::Error("#SPILL!".into())]);
        assert_eq!(rows[3].cells[2], Cell::Text("merged".into()));
    }

    #[tokio::test]
    async fn sheets_are_found_by_name_and_missing_ones_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        typed(&path);
        assert!(read(source(&path, Some(" it's  WEEKLY"), 4, 5), 9).await.is_ok());
        let error = read(source(&path, Some("Plan"), 4, 5), 9).await.unwrap_err();
        assert!(matches!(error, TableError::NotFound { .. }), "{error}");
        assert!(error.to_string().contains("only «Notes», «It's weekly»"), "{error}");
        let error = read(source(&path, None, 1, 2), 9).await.unwrap_err().to_string();
        assert!(error.contains("row 1 of sheet «It's weekly» is empty"), "{error}");
        assert!(source(&path, None, 4, 5).next_page(9).await.is_err(), "not open");
    }

    #[tokio::test]
    async fn a_cell_at_the_end_of_the_sheet_costs_no_more_than_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write_string(0, 0, "Project").unwrap();
        sheet.write_string(1_048_575, 16_383, "far").unwrap();
        workbook.save(&path).unwrap();
        let mut source = source(&path, None, 1, 2);
        assert_eq!(source.open().await.unwrap().rows, RowCount::Exactly(1_048_575));
        assert_eq!(source.next_page(10).await.unwrap()[9].row, 11);
    }

    #[tokio::test]
    async fn claims_of_a_hostile_workbook_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        let shared = "xl/sharedStrings.xml";
        let long = "x".repeat(30_000);
        let cells: String = (2..9_000)
            .map(|row| format!("<row r=\"{row}\"><c r=\"C{row}\" t=\"s\"><v>0</v></c></row>"))
            .collect();
        for (name, from, to, expected) in [
            (shared, "uniqueCount=\"", "uniqueCount=\"9999999999", "claims more than"),
            (shared, "<t>Project</t>", &format!("<t>{long}</t>")[..], "MB of text"),
        ] {
            typed(&path);
            let changed = part(&path, name).replace(from, to);
            let sheet = "xl/worksheets/sheet2.xml";
            let head = part(&path, sheet);
            let (start, _) = head.split_once("<row").unwrap();
            rezip(&path, &[(name, &changed), (sheet, &format!("{start}{cells}</sheetData></worksheet>"))]);
            let error = read(source(&path, None, 4, 5), 9).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]

        #[test]
        fn a_damaged_workbook_is_an_error_and_never_a_panic(
            which in 0..5usize, at in 0.0..1.0f64, what in "[<>/\"&= a0-9:]{0,4}",
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.xlsx");
            typed(&path);
            let name = ["xl/worksheets/sheet2.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml",
                "xl/_rels/workbook.xml.rels"][which];
            let mut xml = part(&path, name);
            let at = ((xml.len() - 4) as f64 * at) as usize;
            xml.replace_range(at..at + 3, &what);
            rezip(&path, &[(name, &xml)]);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let result = runtime.block_on(read(source(&path, None, 4, 5), 1_000));
            let is_fine = matches!(result, Ok(_) | Err(TableError::Malformed { .. } | TableError::NotFound { .. }));
            proptest::prop_assert!(is_fine, "{:?}", result.map(|(header, _)| header));
        }
    }
}
