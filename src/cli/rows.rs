//! Result rows on standard output, in the order in which they are judged.
//!
//! Rows are printed as they come and not kept, so a long table takes no memory: only the table for people
//! gathers its first rows, since it needs them all for its widths.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::io;

use comfy_table::LineStyle;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Map, Value};

use super::args::RowFormat;
use super::screen::{self, Screen};
use super::terminal;
use crate::domain::results::{IsValid, Layout, ResultColumn, ResultRow};
use crate::table::csv::neutralise;

/// The table for people shows this many rows, and says how many more there are.
const TABLE_ROWS: usize = 50;
/// The most that it shows of a cell.
const CELL_LINES: usize = 6;
const CELL_WIDTH: usize = 200;

/// Prints result rows in one of the forms.
pub(crate) struct RowPrinter {
    screen: Screen,
    format: RowFormat,
    columns: Vec<ResultColumn>,
    printed: u64,
    /// Hashes of the rows given last: a sink is given these again after an error.
    last: HashSet<u64>,
    hasher: RandomState,
    to_fix: Vec<ResultRow>,
    /// Rows to fix that did not find room.
    more: u64,
    failed: Option<io::Error>,
}

impl RowPrinter {
    pub(crate) fn new(screen: Screen, format: RowFormat) -> Self {
        Self {
            screen,
            format,
            columns: Vec::new(),
            printed: 0,
            last: HashSet::new(),
            hasher: RandomState::new(),
            to_fix: Vec::new(),
            more: 0,
            failed: None,
        }
    }

    /// Says which columns there are.
    pub(crate) fn begin(&mut self, layout: Layout) {
        self.columns = layout.columns();
    }

    /// Prints rows; those that were printed just before are left out.
    pub(crate) fn rows(&mut self, rows: &[ResultRow]) {
        let hashes: Vec<u64> = rows.iter().map(|row| self.hash(row)).collect();
        for (row, hash) in rows.iter().zip(&hashes) {
            if !self.last.contains(hash) {
                self.row(row);
            }
        }
        self.last = hashes.into_iter().collect();
    }

    fn row(&mut self, row: &ResultRow) {
        let text = match self.format {
            RowFormat::Table => return self.gather(row),
            RowFormat::Rows if self.printed == 0 => format!("[\n  {},\n  {}", self.header(), self.array(row)),
            RowFormat::Rows => format!(",\n  {}", self.array(row)),
            RowFormat::Json if self.printed == 0 => format!("[\n  {}", self.object(row)),
            RowFormat::Json => format!(",\n  {}", self.object(row)),
            RowFormat::Jsonl => format!("{}\n", self.object(row)),
            RowFormat::Csv if self.printed == 0 => format!("{}{}", self.csv_header(), self.csv(row)),
            RowFormat::Csv => self.csv(row),
        };
        self.printed += 1;
        self.print(&text);
    }

    /// Prints what is left to print, and says whether all of it could be written.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        let text = match self.format {
            RowFormat::Table => self.table(),
            RowFormat::Rows if self.printed == 0 => format!("[\n  {}\n]\n", self.header()),
            RowFormat::Json if self.printed == 0 => "[]\n".to_owned(),
            RowFormat::Json | RowFormat::Rows => "\n]\n".to_owned(),
            RowFormat::Csv if self.printed == 0 && !self.columns.is_empty() => self.csv_header(),
            RowFormat::Csv | RowFormat::Jsonl => String::new(),
        };
        self.print(&text);
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.screen.flush(),
        }
    }

    /// True if what is printed reaches nobody.
    pub(crate) fn is_in_vain(&self) -> bool {
        self.failed.is_some() || self.screen.is_closed()
    }

    fn print(&mut self, text: &str) {
        if let Err(error) = self.screen.data(text) {
            self.failed.get_or_insert(error);
        }
    }

    fn hash(&self, row: &ResultRow) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        row.key.hash(&mut hasher);
        for column in [ResultColumn::Comment, ResultColumn::IsValid, ResultColumn::Issues] {
            row.text(column).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn object(&self, row: &ResultRow) -> String {
        let value = |column: &ResultColumn| match column {
            ResultColumn::RowNumber => Value::from(row.row),
            column => Value::from(row.text(*column)),
        };
        let object: Map<String, Value> =
            self.columns.iter().map(|column| (column.name().to_owned(), value(column))).collect();
        terminal::json(&Value::Object(object).to_string()).into_owned()
    }

    fn header(&self) -> String {
        let names: Vec<Value> = self.columns.iter().map(|column| Value::from(column.name())).collect();
        Value::Array(names).to_string()
    }

    fn array(&self, row: &ResultRow) -> String {
        let cells: Vec<Value> = self.columns.iter().map(|column| Value::from(row.text(*column))).collect();
        terminal::json(&Value::Array(cells).to_string()).into_owned()
    }

    fn csv_header(&self) -> String {
        csv_line(self.columns.iter().map(|column| column.name().to_owned()))
    }

    fn csv(&self, row: &ResultRow) -> String {
        csv_line(
            self.columns.iter().map(|column| neutralise(&terminal::block(&row.text(*column))).into_owned()),
        )
    }

    fn gather(&mut self, row: &ResultRow) {
        if row.is_valid == IsValid::Yes {
            return;
        }
        if self.to_fix.len() < TABLE_ROWS {
            self.to_fix.push(row.clone());
        } else {
            self.more += 1;
        }
    }

    fn table(&mut self) -> String {
        if self.to_fix.is_empty() {
            return String::new();
        }
        self.to_fix.sort_by_key(|row| row.row);
        let mut table = new_table(&self.screen, Lines::Between);
        let named = self.columns.contains(&ResultColumn::ProjectName);
        let header = if named {
            ["Row", "Project", "Status", "What to fix"].as_slice()
        } else {
            &["Row", "Status", "What to fix"]
        };
        table.set_header(header.iter().map(|name| heading(&self.screen, name)));
        for row in &self.to_fix {
            let mut cells = vec![Cell::new(row.row).set_alignment(CellAlignment::Right)];
            if named {
                cells.push(Cell::new(shown(row.project.as_deref().unwrap_or_default())));
            }
            cells.extend([Cell::new(shown(&row.status)), Cell::new(shown(&row.issues))]);
            table.add_row(cells);
        }
        let more = match self.more {
            0 => String::new(),
            more => format!("and {more} more rows\n"),
        };
        format!("{table}\n{more}")
    }
}

/// Whether rows of a table have a line between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Between,
    Dense,
}

/// A table for people, as wide as there is room.
pub(crate) fn new_table(screen: &Screen, lines: Lines) -> Table {
    let mut table = Table::new();
    let style = match lines {
        Lines::Between => presets::UTF8_HORIZONTAL_ONLY,
        Lines::Dense => presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()),
    };
    table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
    let terminal = table.width().filter(|columns| *columns >= screen::NARROW);
    if let Some(width) = screen.table_width(terminal) {
        table.set_width(width);
    }
    if screen.out_colors.0 {
        table.enforce_styling();
    }
    table
}

/// The name of a column.
pub(crate) fn heading(screen: &Screen, name: &str) -> Cell {
    let cell = Cell::new(name);
    if screen.out_colors.0 { cell.add_attribute(Attribute::Bold) } else { cell }
}

/// A cell for people: safe, and not too long.
pub(crate) fn shown(text: &str) -> String {
    let lines = text.lines().map(|line| terminal::clip(&terminal::line(line), CELL_WIDTH).into_owned());
    let mut lines: Vec<String> = lines.take(CELL_LINES + 1).collect();
    if lines.len() > CELL_LINES {
        lines.truncate(CELL_LINES);
        lines.push("…".to_owned());
    }
    lines.join("\n")
}

/// A line of CSV.
pub(crate) fn csv_line(fields: impl Iterator<Item = String>) -> String {
    let fields: Vec<String> = fields
        .map(|field| {
            let plain = !field.contains(['"', ',', '\n', '\r']) && field.trim() == field;
            if plain { field } else { format!("\"{}\"", field.replace('"', "\"\"")) }
        })
        .collect();
    fields.join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::args::{ProgressMode, When};
    use super::*;
    use crate::domain::key::RowKey;

    fn row(number: u64, is_valid: IsValid) -> ResultRow {
        ResultRow {
            key: RowKey::of_row(number),
            row: number,
            project: Some(format!("P{number}")),
            link: None,
            project_manager: None,
            status: "On Track".into(),
            completion_date: String::new(),
            comment: "=1+1\u{1b}[2J\nsecond, line".into(),
            is_valid,
            issues: "R5 — no date".into(),
            rewrite: String::new(),
            raw: String::new(),
            check_date: String::new(),
            model: String::new(),
            rules: String::new(),
            severity: String::new(),
        }
    }

    fn printer(format: RowFormat) -> RowPrinter {
        let mut printer = RowPrinter::new(Screen::new(When::Never, ProgressMode::None, true), format);
        printer.begin(Layout { identifier: true, project_manager: false });
        printer
    }

    #[test]
    fn rows_that_come_again_after_an_error_are_printed_once() {
        let mut printer = printer(RowFormat::Table);
        let rows = [row(2, IsValid::No), row(3, IsValid::No), row(4, IsValid::Yes)];
        printer.rows(&rows[..2]);
        printer.rows(&rows);
        printer.rows(&[row(5, IsValid::NotChecked)]);
        let numbers: Vec<u64> = printer.to_fix.iter().map(|row| row.row).collect();
        assert_eq!(numbers, [2, 3, 5]);
    }

    #[test]
    fn the_table_shows_its_first_rows_and_counts_the_others() {
        let mut printer = printer(RowFormat::Table);
        printer.rows(&(1..=60).rev().map(|number| row(number, IsValid::No)).collect::<Vec<_>>());
        let table = printer.table();
        assert!(table.contains("P60") && table.contains("and 10 more rows"), "{table}");
        assert!(printer.to_fix.is_sorted_by_key(|row| row.row), "in the order of the source");
    }

    #[test]
    fn lines_of_csv_and_json_are_whole_and_safe() {
        let printer = printer(RowFormat::Csv);
        let line = printer.csv(&row(2, IsValid::No));
        assert!(line.contains("\"'=1+1\\u{1b}[2J\nsecond, line\""), "{line}");
        let array = printer.array(&row(2, IsValid::No));
        assert!(array.starts_with("[\"2\",\"P2\",\"On Track\",\"\",\"=1+1\\u001b[2J"), "{array}");
        let object = printer.object(&row(2, IsValid::No));
        assert!(object.contains("=1+1\\u001b[2J\\nsecond, line"), "{object}");
    }
}
