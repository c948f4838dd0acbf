//! Writing cells into a sheet: into rows and cells that are there, or between them.

use std::collections::BTreeMap;
use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

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

/// A row that would need more lines than this gets a fixed height: 2,000 lines are not to fill the screen.
const MOST_LINES: usize = 12;
/// Points a line of the default font takes.
const LINE_HEIGHT: usize = 15;
/// Characters in a line of the columns that hold long texts.
const LINE_WIDTH: usize = 55;

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
        let height = match height(cells.values().map(|(content, _)| content)) {
            Some(points) => format!(" ht=\"{points}\" customHeight=\"1\""),
            None => String::new(),
        };
        let mut xml = format!("<{prefix}row r=\"{}\"{height}>", self.row);
        for (column, (content, style)) in cells {
            xml.push_str(&self.cell(column, &content, style));
        }
        xml.push_str(&format!("</{prefix}row>"));
        match self.sheet.rows.iter().find(|row| row.number > self.row) {
            Some(next) => self.edits.insert(next.element.open.start, xml),
            None => self.tail.push_str(&xml),
        }
    }

    fn fill_row(&mut self, row: &RowAt, cells: BTreeMap<u32, (Content, u32)>, last: u32) {
        let old = self.sheet.cells_of(row);
        let mut tail = String::new(); // of a row that is one tag
        for (column, (content, style)) in cells {
            match old.binary_search_by_key(&column, |cell| cell.place.column) {
                Ok(at) => {
                    if let Some(cell) = old.get(at) {
                        let xml = self.cell(column, &content, cell.style);
                        self.edits.replace(cell.span.clone(), xml);
                    }
                }
                Err(at) => {
                    let xml = self.cell(column, &content, style);
                    match place_of_new(row, old, at) {
                        Some(place) => self.edits.insert(place, xml),
                        None => tail.push_str(&xml),
                    }
                }
            }
        }
        let raw = self.sheet.part.at(&row.element.open);
        let widened = with_spans(raw, last);
        if row.element.close.is_none() && !tail.is_empty() {
            let prefix = &self.sheet.prefix;
            let open = widened.strip_suffix("/>").unwrap_or(&widened).trim_end();
            self.edits.replace(row.element.open.clone(), format!("{open}>{tail}</{prefix}row>"));
        } else if widened != raw {
            self.edits.replace(row.element.open.clone(), widened);
        }
    }

    fn cell(&mut self, column: u32, content: &Content, style: u32) -> String {
        let style = match content {
            Content::Text(text) => self.styles.quoted(style, text::looks_like_a_formula(text)),
            Content::Blank | Content::Number(_) => style,
        };
        cell(&self.sheet.prefix, Place { row: self.row, column }, content, style)
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

/// The height in points of a row whose texts would need too many lines; none if Excel may choose it.
fn height<'a>(contents: impl Iterator<Item = &'a Content>) -> Option<usize> {
    let lines = contents.map(|content| match content {
        Content::Text(text) => text.lines().map(|line| line.width() / LINE_WIDTH + 1).sum(),
        Content::Blank | Content::Number(_) => 1,
    });
    (lines.max().unwrap_or(1) > MOST_LINES).then_some(MOST_LINES * LINE_HEIGHT)
}
