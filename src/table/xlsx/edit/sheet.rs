//! A sheet with the place of everything in it: its rows and cells, and what has to follow when rows are
//! added.

use std::ops::Range;

use super::Damage;
use super::strings::{SharedTexts, rich_text};
use super::workbook::relations_prefix;
use super::xml::{ElementAt, Node, Part, Tag};
use crate::table::xlsx::a1::{Area, Place};
use crate::table::xlsx::{MAX_COLUMNS, MAX_ROWS, text};

/// A sheet's part and what stands where.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) part: Part,
    /// The prefix of its elements with its colon, empty as a rule.
    pub(super) prefix: String,
    /// The start tag of its root.
    pub(super) root: Range<usize>,
    /// The prefix of ids of relationships with its colon, if it has declared one.
    pub(super) relation_prefix: Option<String>,
    pub(super) rows: Vec<RowAt>,
    pub(super) cells: Vec<CellAt>,
    pub(super) data: ElementAt,
    pub(super) dimension: Option<(Range<usize>, Area)>,
    pub(super) columns: Option<ElementAt>,
    /// Widths and formats of columns, in order.
    pub(super) column_formats: Vec<ColumnsAt>,
    pub(super) filter: Option<(Range<usize>, Area)>,
    pub(super) links: Option<ElementAt>,
    pub(super) link_list: Vec<(Range<usize>, Area)>,
    /// Where links are to be put if there are none.
    pub(super) links_place: usize,
    /// Ids of relationships to its tables.
    pub(super) tables: Vec<String>,
    texts: SharedTexts,
}

/// A row that the sheet has.
#[derive(Debug)]
pub(super) struct RowAt {
    pub(super) number: u32,
    pub(super) element: ElementAt,
    /// Its cells among those of the sheet.
    pub(super) cells: Range<usize>,
}

/// A cell that the sheet has, filled or only formatted.
#[derive(Clone, Debug)]
pub(super) struct CellAt {
    pub(super) place: Place,
    pub(super) span: Range<usize>,
    pub(super) style: u32,
    pub(super) is_filled: bool,
    pub(super) formula: Formula,
}

/// What computes a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    None,
    Own,
    /// A formula that the cells of a group share stands here.
    Shared {
        group: u32,
    },
    /// The cell takes part in a group.
    Follows {
        group: u32,
    },
}

/// A run of columns with one format.
#[derive(Clone, Debug)]
pub(super) struct ColumnsAt {
    pub(super) span: Range<usize>,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) style: u32,
    /// In characters of the default font.
    width: Option<f64>,
}

/// The width of columns that the sheet says nothing about.
const DEFAULT_WIDTH: f64 = 8.43;

/// What may stand between the cells and the links of a sheet, by the order that the format prescribes.
const BEFORE_LINKS: [&str; 12] = [
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
];

impl Sheet {
    /// Reads a sheet's part.
    pub(super) fn new(part: Part, texts: SharedTexts) -> Result<Self, Damage> {
        let data = ElementAt { open: 0..0, close: None };
        let mut scan = Scan {
            sheet: Self {
                part: Part { name: part.name.clone(), xml: String::new() },
                prefix: String::new(),
                root: 0..0,
                relation_prefix: None,
                rows: Vec::new(),
                cells: Vec::new(),
                data,
                dimension: None,
                columns: None,
                column_formats: Vec::new(),
                filter: None,
                links: None,
                link_list: Vec::new(),
                links_place: 0,
                tables: Vec::new(),
                texts,
            },
            section: String::new(),
            is_in_row: false,
            is_in_cell: false,
            is_in_value: false,
            is_past_data: false,
            is_links_place_known: false,
        };
        let mut walk = part.walk();
        while let Some(node) = walk.next()? {
            match node {
                Node::Open(tag) => scan.open(&part, &tag)?,
                Node::Empty(tag) => {
                    scan.open(&part, &tag)?;
                    scan.close(tag.depth, None);
                }
                Node::Close { depth, span } => scan.close(depth, Some(span)),
                Node::Text(text) => scan.text(&text),
            }
        }
        let mut sheet = scan.sheet;
        if sheet.data.open.is_empty() {
            return Err(part.damage("is no sheet with cells"));
        }
        sheet.part = part;
        Ok(sheet)
    }

    /// A row of the sheet.
    pub(super) fn row(&self, number: u32) -> Option<&RowAt> {
        let at = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        self.rows.get(at)
    }

    /// The cells of a row.
    pub(super) fn cells_of(&self, row: &RowAt) -> &[CellAt] {
        self.cells.get(row.cells.clone()).unwrap_or_default()
    }

    /// A cell of the sheet.
    pub(super) fn cell(&self, place: Place) -> Option<&CellAt> {
        let at = self.cells.binary_search_by_key(&place, |cell| cell.place).ok()?;
        self.cells.get(at)
    }

    /// The last row with a filled cell, 0 if there is none.
    pub(super) fn last_filled_row(&self) -> u32 {
        self.cells.iter().rfind(|cell| cell.is_filled).map_or(0, |cell| cell.place.row)
    }

    /// How many columns there are, up to the last one with a filled cell.
    pub(super) fn width(&self) -> u32 {
        self.cells.iter().filter(|cell| cell.is_filled).map(|cell| cell.place.column + 1).max().unwrap_or(0)
    }

    /// The style that new cells of a column get if nothing else says so.
    pub(super) fn column_style(&self, column: u32) -> u32 {
        self.run_of(column).map_or(0, |run| run.style)
    }

    /// How many characters of the default font fit beside each other in a column.
    pub(super) fn column_width(&self, column: u32) -> f64 {
        self.run_of(column).and_then(|run| run.width).unwrap_or(DEFAULT_WIDTH)
    }

    fn run_of(&self, column: u32) -> Option<&ColumnsAt> {
        self.column_formats.iter().find(|run| (run.first..=run.last).contains(&column))
    }

    /// What a cell shows, as text; a formula counts with its last result.
    pub(super) fn text(&self, cell: &CellAt) -> Result<String, Damage> {
        if !cell.is_filled {
            return Ok(String::new());
        }
        let element = Part { name: self.part.name.clone(), xml: self.part.at(&cell.span).to_owned() };
        let mut walk = element.walk();
        let (mut kind, mut value) = (String::new(), None);
        while let Some(node) = walk.next()? {
            let Node::Open(tag) = node else { continue };
            match tag.name() {
                "c" => kind = tag.attribute("t").unwrap_or_default(),
                "is" => return rich_text(&mut walk),
                "v" if value.is_none() => value = Some(walk.text()?),
                _ => {}
            }
        }
        let value = value.unwrap_or_default();
        Ok(match kind.as_str() {
            "s" => {
                let number = value.trim().parse();
                self.texts.get(number.map_err(|_| self.part.damage("has a cell without its text"))?)?
            }
            "str" => text::decode(&value).into_owned(),
            "b" => if value.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            "e" | "d" | "inlineStr" => value,
            _ => value.trim().parse::<f64>().map_or(value, |number| number.to_string()),
        })
    }
}

/// A pass through a sheet.
struct Scan {
    sheet: Sheet,
    /// The child of the root that the pass is in.
    section: String,
    is_in_row: bool,
    is_in_cell: bool,
    is_in_value: bool,
    is_past_data: bool,
    is_links_place_known: bool,
}

impl Scan {
    fn open(&mut self, part: &Part, tag: &Tag<'_>) -> Result<(), Damage> {
        match tag.depth {
            1 => {
                self.sheet.prefix = tag.prefix();
                self.sheet.root = tag.span.clone();
                self.sheet.relation_prefix = relations_prefix(tag.attributes());
                Ok(())
            }
            2 => {
                tag.name().clone_into(&mut self.section);
                self.open_section(tag);
                Ok(())
            }
            3 => self.open_member(part, tag),
            4 if self.is_in_row && tag.name() == "c" => self.open_cell(part, tag),
            5 if self.is_in_cell => {
                self.open_content(tag);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open_section(&mut self, tag: &Tag<'_>) {
        let sheet = &mut self.sheet;
        let element = ElementAt { open: tag.span.clone(), close: None };
        let area = || tag.attribute("ref").and_then(|area| Area::parse(&area));
        if self.is_past_data && !self.is_links_place_known && !BEFORE_LINKS.contains(&tag.name()) {
            self.is_links_place_known = true;
            sheet.links_place = tag.span.start;
        }
        match tag.name() {
            "dimension" => sheet.dimension = area().map(|area| (tag.span.clone(), area)),
            "cols" => sheet.columns = Some(element),
            "sheetData" => {
                sheet.data = element;
                self.is_past_data = true;
            }
            "autoFilter" => sheet.filter = area().map(|area| (tag.span.clone(), area)),
            "hyperlinks" => sheet.links = Some(element),
            _ => {}
        }
    }

    fn open_member(&mut self, part: &Part, tag: &Tag<'_>) -> Result<(), Damage> {
        let number = |name| tag.attribute(name).and_then(|number| number.parse::<u32>().ok());
        let sheet = &mut self.sheet;
        match (self.section.as_str(), tag.name()) {
            ("sheetData", "row") => {
                let last = sheet.rows.last().map_or(0, |row| row.number);
                let row = if tag.attribute("r").is_some() { number("r") } else { last.checked_add(1) };
                let row = row.filter(|row| (last + 1..=MAX_ROWS).contains(row));
                let row =
                    row.ok_or_else(|| part.damage(format!("has rows out of order after row {last}")))?;
                let cells = sheet.cells.len()..sheet.cells.len();
                let element = ElementAt { open: tag.span.clone(), close: None };
                sheet.rows.push(RowAt { number: row, element, cells });
                self.is_in_row = true;
            }
            ("cols", "col") => {
                if let (Some(first), Some(last)) = (number("min"), number("max"))
                    && (1..=last).contains(&first)
                {
                    let style = number("style").unwrap_or(0);
                    let (first, last) = (first - 1, last - 1);
                    let width = tag.attribute("width").and_then(|width| width.parse().ok());
                    sheet.column_formats.push(ColumnsAt {
                        span: tag.span.clone(),
                        first,
                        last,
                        style,
                        width,
                    });
                }
            }
            ("hyperlinks", "hyperlink") => {
                if let Some(area) = tag.attribute("ref").and_then(|area| Area::parse(&area)) {
                    sheet.link_list.push((tag.span.clone(), area));
                }
            }
            ("tableParts", "tablePart") => sheet.tables.extend(tag.prefixed_attribute("id")),
            _ => {}
        }
        Ok(())
    }

    fn open_cell(&mut self, part: &Part, tag: &Tag<'_>) -> Result<(), Damage> {
        let sheet = &mut self.sheet;
        let Some(row) = sheet.rows.last() else { return Ok(()) };
        let last = sheet.cells.last().map(|cell| cell.place).filter(|place| place.row == row.number);
        let next = last.map_or(0, |place| place.column + 1);
        let place = match tag.attribute("r") {
            Some(reference) => Place::parse(&reference),
            None => Some(Place { row: row.number, column: next }),
        };
        let place = place
            .filter(|place| place.row == row.number && place.column >= next && place.column < MAX_COLUMNS);
        let place =
            place.ok_or_else(|| part.damage(format!("has cells out of order in row {}", row.number)))?;
        let style = tag.attribute("s").and_then(|style| style.parse().ok()).unwrap_or(0);
        let formula = Formula::None;
        sheet.cells.push(CellAt { place, span: tag.span.clone(), style, is_filled: false, formula });
        self.is_in_cell = true;
        Ok(())
    }

    fn open_content(&mut self, tag: &Tag<'_>) {
        let Some(cell) = self.sheet.cells.last_mut() else { return };
        match tag.name() {
            "is" => cell.is_filled = true,
            "v" => self.is_in_value = true,
            "f" => {
                cell.is_filled = true;
                let group = tag.attribute("si").and_then(|group| group.parse().ok());
                cell.formula = match (tag.attribute("t").as_deref(), group) {
                    (Some("shared"), Some(group)) if tag.attribute("ref").is_some() => {
                        Formula::Shared { group }
                    }
                    (Some("shared"), Some(group)) => Formula::Follows { group },
                    _ => Formula::Own,
                };
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.is_in_value
            && !text.is_empty()
            && let Some(cell) = self.sheet.cells.last_mut()
        {
            cell.is_filled = true;
        }
    }

    /// An element of this depth ends; `close` is its end tag if it has one.
    fn close(&mut self, depth: usize, close: Option<Range<usize>>) {
        let sheet = &mut self.sheet;
        match (depth, self.section.as_str()) {
            (1, _) => {
                if let (false, Some(close)) = (self.is_links_place_known, &close) {
                    sheet.links_place = close.start;
                }
            }
            (2, section) => {
                let element = match section {
                    "sheetData" => Some(&mut sheet.data),
                    "cols" => sheet.columns.as_mut(),
                    "hyperlinks" => sheet.links.as_mut(),
                    _ => None,
                };
                if let Some(element) = element {
                    element.close = close;
                }
                self.section.clear();
            }
            (3, "sheetData") => {
                if let (true, Some(row)) = (self.is_in_row, sheet.rows.last_mut()) {
                    row.cells.end = sheet.cells.len();
                    row.element.close = close;
                }
                self.is_in_row = false;
            }
            (3, "cols") => {
                if let (Some(run), Some(close)) = (sheet.column_formats.last_mut(), close) {
                    run.span.end = close.end;
                }
            }
            (3, "hyperlinks") => {
                if let (Some((span, _)), Some(close)) = (sheet.link_list.last_mut(), close) {
                    span.end = close.end;
                }
            }
            (4, _) => {
                if let (true, Some(cell), Some(close)) = (self.is_in_cell, sheet.cells.last_mut(), close) {
                    cell.span.end = close.end;
                }
                self.is_in_cell = false;
            }
            (5, _) => self.is_in_value = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(xml: &str) -> Result<Sheet, Damage> {
        let texts = "<sst><si><t>shared</t></si></sst>";
        let texts = SharedTexts::new(Some(Part { name: "s".into(), xml: texts.into() })).unwrap();
        Sheet::new(Part { name: "xl/worksheets/sheet1.xml".into(), xml: xml.into() }, texts)
    }

    const XML: &str = "<x:worksheet xmlns:x=\"m\" xmlns:rel=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
        <x:dimension ref=\"A1:C3\"/><x:cols><x:col min=\"1\" max=\"2\" style=\"4\"></x:col></x:cols><x:sheetData>\
        <x:row r=\"2\" ht=\"20\"><x:c r=\"A2\" t=\"s\"><x:v>0</x:v></x:c><x:c s=\"3\"/><x:c t=\"b\"><x:v>1</x:v></x:c><x:extLst><x:e/></x:extLst></x:row>\
        <x:row/><x:row r=\"9\"><x:c r=\"B9\"><x:f t=\"shared\" ref=\"B9:B10\" si=\"5\">A9</x:f><x:v>1.50</x:v></x:c>\
        <x:c t=\"inlineStr\"><x:is><x:t>in</x:t></x:is></x:c></x:row></x:sheetData>\
        <x:autoFilter ref=\"A2:C9\"/><x:hyperlinks><x:hyperlink ref=\"A9\"></x:hyperlink></x:hyperlinks><x:pageMargins/>\
        <x:tableParts><x:tablePart rel:id=\"rId4\"/></x:tableParts></x:worksheet>";

    #[test]
    fn a_sheet_knows_where_everything_stands() {
        let sheet = sheet(XML).unwrap();
        let numbers: Vec<u32> = sheet.rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [2, 3, 9]);
        let texts: Vec<String> = sheet.cells.iter().map(|cell| sheet.text(cell).unwrap()).collect();
        assert_eq!(texts, ["shared", "", "TRUE", "1.5", "in"]);
        assert_eq!(sheet.part.at(&sheet.cells[2].span), "<x:c t=\"b\"><x:v>1</x:v></x:c>");
        assert_eq!(sheet.cell(Place { row: 9, column: 1 }).unwrap().formula, Formula::Shared { group: 5 });
        assert_eq!((sheet.last_filled_row(), sheet.width(), sheet.column_style(1)), (9, 3, 4));
        assert_eq!((sheet.prefix.as_str(), sheet.relation_prefix.as_deref()), ("x:", Some("rel:")));
        assert_eq!(sheet.part.at(&sheet.link_list[0].0), "<x:hyperlink ref=\"A9\"></x:hyperlink>");
        assert!(sheet.part.xml[sheet.links_place..].starts_with("<x:hyperlinks>"));
        assert_eq!(sheet.tables, ["rId4"]);
    }

    #[test]
    fn a_sheet_in_disorder_is_damage() {
        for rows in [
            "<row r=\"2\"/><row r=\"2\"/>",
            "<row r=\"0\"/>",
            "<row r=\"x\"/>",
            "<row r=\"1048577\"/>",
            "<row r=\"1\"><c r=\"B1\"/><c r=\"A1\"/></row>",
            "<row r=\"1\"><c r=\"A2\"/></row>",
            "<row r=\"1\"><c r=\"XFD1\"/><c/></row>",
        ] {
            let error = sheet(&format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")).unwrap_err();
            assert!(error.to_string().contains("out of order"), "{rows}: {error}");
        }
        assert!(sheet("<chartsheet/>").is_err());
    }
}
