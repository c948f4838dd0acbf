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

use super::a1::{Place, quoted_sheet};
use super::{edit, guard};
use crate::domain::cell::Cell;
use crate::domain::entry::RowLink;
use crate::domain::fold::fold;
use crate::table::{Header, SourceRow, TableError, TableSource};

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
        Ok(Header { names, rows: Some(rows) })
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
