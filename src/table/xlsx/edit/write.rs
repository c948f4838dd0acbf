//! Writing cells into a sheet: into rows and cells that are there, or between them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::heights::{lines, with_height};
use super::sheet::{CellAt, RowAt, Sheet};
use super::styles::Styles;
use super::xml::{Edits, with_attribute};
use crate::table::xlsx::a1::{Area, Place};
use crate::table::xlsx::text;

/// What is to stand in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing but the format.
    Blank,
    Number(u64),
    /// Text, never a formula.
    Text(String),
}

/// Cells that are to be written, by row and column, with the style of those that are not there yet.
#[derive(Debug, Default)]
pub(super) struct NewCells(BTreeMap<u32, BTreeMap<u32, (Content, u32)>>);

impl Content {
    /// A text; nothing for an empty one.
    pub(super) fn text(text: String) -> Self {
        if text.is_empty() { Self::Blank } else { Self::Text(text) }
    }
}

impl NewCells {
    /// Puts something into a cell. `style` is for a cell that the sheet does not have yet.
    pub(super) fn put(&mut self, place: Place, content: Content, style: u32) {
        self.0.entry(place.row).or_default().insert(place.column, (content, style));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the cell is to be written.
    pub(super) fn contains(&self, place: Place) -> bool {
        self.0.get(&place.row).is_some_and(|row| row.contains_key(&place.column))
    }

    /// Writes the cells. Everything else in the sheet stays as it is, save what has to say how far it
    /// reaches.
    pub(super) fn write(self, sheet: &Sheet, styles: &mut Styles, edits: &mut Edits) {
        let mut reach = sheet.dimension.as_ref().map(|(_, area)| *area);
        let mut tail = String::new();
        for (row, cells) in self.0 {
            let (first, last) = (cells.keys().next().copied(), cells.keys().next_back().copied());
            let (Some(first), Some(last)) = (first, last) else { continue };
            let places = Area { first: Place { row, column: first }, last: Place { row, column: last } };
            reach = reach.map(|reach| union(reach, places));
            let mut writer = Writer { sheet, styles, edits, row, tail: &mut tail };
            match sheet.row(row) {
                Some(old) => writer.fill_row(old, cells, last),
                None => writer.new_row(cells),
            }
        }
        if !tail.is_empty() {
            sheet.data.append(&sheet.part, &tail, edits);
        }
        if let (Some((span, old)), Some(new)) = (&sheet.dimension, reach)
            && *old != new
        {
            edits.replace(span.clone(), with_attribute(sheet.part.at(span), "ref", &new.to_string()));
        }
    }
}

struct Writer<'a> {
    sheet: &'a Sheet,
    styles: &'a mut Styles,
    edits: &'a mut Edits,
    row: u32,
    /// New rows below all others.
    tail: &'a mut String,
}

impl Writer<'_> {
    fn new_row(&mut self, cells: BTreeMap<u32, (Content, u32)>) {
        let prefix = &self.sheet.prefix;
        let (mut content, mut lines) = (String::new(), 1);
        for (column, (new, style)) in &cells {
            content.push_str(&self.cell(*column, new, *style));
            lines = self.lines(*column, new, *style).max(lines);
        }
        let open = with_height(&format!("<{prefix}row r=\"{}\">", self.row), lines);
        let xml = format!("{open}{content}</{prefix}row>");
        let next = self.sheet.rows.partition_point(|row| row.number < self.row);
        match self.sheet.rows.get(next) {
            Some(next) => self.edits.insert(next.element.open.start, xml),
            None => self.tail.push_str(&xml),
        }
    }

    fn fill_row(&mut self, row: &RowAt, cells: BTreeMap<u32, (Content, u32)>, last: u32) {
        let old = self.sheet.cells_of(row);
        let (mut tail, mut lines) = (String::new(), 1);
        for (column, (new, style)) in &cells {
            let found = old.binary_search_by_key(column, |cell| cell.place.column);
            let there = found.ok().and_then(|at| old.get(at));
            let style = there.map_or(*style, |cell| cell.style);
            let xml = self.cell(*column, new, style);
            lines = self.lines(*column, new, style).max(lines);
            match (there, place_of_new(row, old, found.unwrap_or_else(|at| at))) {
                (Some(cell), _) => self.edits.replace(cell.span.clone(), xml),
                (None, Some(place)) => self.edits.insert(place, xml),
                (None, None) => tail.push_str(&xml),
            }
        }
        let raw = self.sheet.part.at(&row.element.open);
        let mut open = with_height(&with_spans(raw, last), lines);
        if !tail.is_empty() {
            let prefix = &self.sheet.prefix;
            let start = open.strip_suffix("/>").unwrap_or(&open).trim_end();
            open = format!("{start}>{tail}</{prefix}row>");
        }
        if open != raw {
            self.edits.replace(row.element.open.clone(), open);
        }
    }

    fn cell(&mut self, column: u32, content: &Content, style: u32) -> String {
        let style = match content {
            Content::Text(text) => self.styles.quoted(style, text::looks_like_a_formula(text)),
            Content::Blank | Content::Number(_) => style,
        };
        cell(&self.sheet.prefix, Place { row: self.row, column }, content, style)
    }

    fn lines(&self, column: u32, content: &Content, style: u32) -> usize {
        match content {
            Content::Text(text) if self.styles.wraps(style) => lines(text, self.sheet.column_width(column)),
            _ => 1,
        }
    }
}

/// The XML of a cell; nothing for one that has neither content nor style.
pub(super) fn cell(prefix: &str, place: Place, content: &Content, style: u32) -> String {
    let style = if style == 0 { String::new() } else { format!(" s=\"{style}\"") };
    match content {
        Content::Blank if style.is_empty() => String::new(),
        Content::Blank => format!("<{prefix}c r=\"{place}\"{style}/>"),
        Content::Number(number) => {
            format!("<{prefix}c r=\"{place}\"{style}><{prefix}v>{number}</{prefix}v></{prefix}c>")
        }
        Content::Text(text) => format!(
            "<{prefix}c r=\"{place}\"{style} t=\"inlineStr\"><{prefix}is><{prefix}t xml:space=\"preserve\">{}\
             </{prefix}t></{prefix}is></{prefix}c>",
            text::encode(text)
        ),
    }
}

/// Where a cell is to be put that comes before the `at`-th cell of a row; none in a row that is one tag.
fn place_of_new(row: &RowAt, cells: &[CellAt], at: usize) -> Option<usize> {
    row.element.close.as_ref()?;
    match cells.get(at) {
        Some(next) => Some(next.span.start),
        None => Some(cells.last().map_or(row.element.open.end, |last: &CellAt| last.span.end)),
    }
}

/// The start tag of a row, which may say in which columns its cells are.
fn with_spans(tag: &str, last: u32) -> String {
    let spans: Option<Range<u32>> = (|| {
        let (_, rest) = tag.split_once(" spans=\"")?;
        let (first, end) = rest.split('"').next()?.split_once(':')?;
        Some(first.parse().ok()?..end.parse().ok()?)
    })();
    match spans {
        Some(spans) if spans.end < last + 1 => {
            with_attribute(tag, "spans", &format!("{}:{}", spans.start, last + 1))
        }
        _ => tag.to_owned(),
    }
}

fn union(left: Area, right: Area) -> Area {
    Area {
        first: Place {
            row: left.first.row.min(right.first.row),
            column: left.first.column.min(right.first.column),
        },
        last: Place {
            row: left.last.row.max(right.last.row),
            column: left.last.column.max(right.last.column),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::xlsx::edit::strings::SharedTexts;
    use crate::table::xlsx::edit::xml::Part;

    /// The sheet with texts put into cells; a style is for cells that are not there yet.
    fn put(data: &str, cells: &[(&str, &str, u32)]) -> String {
        let xml = format!("<worksheet><dimension ref=\"B2:B2\"/>{data}</worksheet>");
        let mut part = Part { name: "sheet".into(), xml };
        let sheet = Sheet::new(part.clone(), SharedTexts::default()).unwrap();
        let mut new = NewCells::default();
        for (place, text, style) in cells {
            let content = text.parse().map_or_else(|_| Content::text((*text).into()), Content::Number);
            new.put(Place::parse(place).unwrap(), content, *style);
        }
        let mut edits = Edits::default();
        new.write(&sheet, &mut Styles::default(), &mut edits);
        part.apply(edits).unwrap();
        part.xml.strip_prefix("<worksheet>").unwrap().strip_suffix("</worksheet>").unwrap().to_owned()
    }

    #[test]
    fn cells_are_put_where_they_belong() {
        for (data, cells, expected) in [
            (
                "<sheetData/>",
                &[("C3", "7", 4), ("A1", "", 0)][..],
                "<dimension ref=\"A1:C3\"/><sheetData><row r=\"1\"></row>\
                 <row r=\"3\"><c r=\"C3\" s=\"4\"><v>7</v></c></row></sheetData>",
            ),
            (
                "<sheetData><row r=\"2\"/><row r=\"9\" x=\"y\"><c r=\"B9\" s=\"3\"><f>A1</f><v>1</v></c></row></sheetData>",
                &[("A2", "", 2), ("A5", "1", 0), ("A9", "2", 0), ("B9", "3", 0), ("C9", "4", 0)][..],
                "<dimension ref=\"A2:C9\"/><sheetData><row r=\"2\"><c r=\"A2\" s=\"2\"/></row>\
                 <row r=\"5\"><c r=\"A5\"><v>1</v></c></row><row r=\"9\" x=\"y\"><c r=\"A9\"><v>2</v></c>\
                 <c r=\"B9\" s=\"3\"><v>3</v></c><c r=\"C9\"><v>4</v></c></row></sheetData>",
            ),
            (
                "<sheetData><row r=\"2\" spans=\"2:2\"><c r=\"B2\" s=\"1\"/></row></sheetData>",
                &[("B2", " <x>", 0), ("D2", "1", 0)][..],
                "<dimension ref=\"B2:D2\"/><sheetData><row r=\"2\" spans=\"2:4\"><c r=\"B2\" s=\"1\" t=\"inlineStr\">\
                 <is><t xml:space=\"preserve\"> &lt;x&gt;</t></is></c><c r=\"D2\"><v>1</v></c></row></sheetData>",
            ),
        ] {
            assert_eq!(put(data, cells), expected);
        }
    }
}
