//! Texts that become cells: `pasteData`, `textToColumns`. Cells that are missing on the right and below are added.

use super::request::{Fields, Reply, cells, flag, grid, index, needed, tab, tab_mut, text};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::Content;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::entry;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::shift::Axis;
use crate::sandbox::sheets::values::enter;

/// `pasteData`: lines of texts, each as if it was typed in.
pub(super) fn paste(draft: &mut Draft, request: &Fields) -> Reply {
    let coordinate = needed(request, "coordinate")?;
    let at = grid(draft, coordinate)?;
    let (top, left) =
        (index(coordinate, "rowIndex")?.unwrap_or(0), index(coordinate, "columnIndex")?.unwrap_or(0));
    if flag(request, "html") {
        return Err(Refusal::not_modelled("HTML of pasteData"));
    }
    let delimiter = text(request, "delimiter");
    if delimiter.is_empty() {
        return Err(Refusal::invalid("One of delimiter and html must be set."));
    }
    // Formats, rules and the like cannot come with a text.
    if !matches!(
        text(request, "type"),
        "" | "PASTE_NORMAL" | "PASTE_VALUES" | "PASTE_NO_BORDERS" | "PASTE_FORMULA"
    ) {
        return Ok(None);
    }
    let data = text(request, "data");
    let lines: Vec<Vec<String>> = if data.is_empty() {
        Vec::new()
    } else {
        data.lines().map(|line| line.split(delimiter).map(str::to_owned).collect()).collect()
    };
    write(draft, at, (top, left), &lines)?;
    Ok(None)
}

/// `textToColumns`
pub(super) fn to_columns(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, source) = cells(draft, request, "source")?;
    if source.width() != 1 {
        return Err(Refusal::invalid("The source must span exactly one column."));
    }
    let texts = texts(draft, at, source)?;
    let delimiter = match text(request, "delimiterType") {
        "COMMA" => ",",
        "SEMICOLON" => ";",
        "PERIOD" => ".",
        "SPACE" => " ",
        "CUSTOM" => text(request, "delimiter"),
        _ => detected(&texts),
    };
    if delimiter.is_empty() {
        return Err(Refusal::invalid("delimiter must be set where delimiterType is CUSTOM."));
    }
    for (row, whole) in texts.iter().filter(|(_, whole)| whole.contains(delimiter)) {
        let parts = whole.split(delimiter).map(|part| part.trim().to_owned()).collect();
        write(draft, at, (*row, source.left), &[parts])?;
    }
    Ok(None)
}

/// The texts that were entered in a column, with their rows.
fn texts(draft: &Draft, at: usize, source: Rect) -> Result<Vec<(u32, String)>, Refusal> {
    let found = tab(draft, at)?.grid.cells_in(source);
    let texts = found.filter_map(|(row, _, cell)| match cell.content() {
        Content::Text(text) => Some((row, text.to_string())),
        _ => None,
    });
    Ok(texts.collect())
}

/// The delimiter that stands in the most of the texts.
fn detected(texts: &[(u32, String)]) -> &'static str {
    let count = |mark: &&str| texts.iter().filter(|(_, text)| text.contains(*mark)).count();
    // The first of equals counts, so it is looked for from the end.
    [" ", ".", "\t", ";", ","].into_iter().max_by_key(count).unwrap_or(",")
}

/// Enters texts as if they were typed, the first one in this place.
fn write(
    draft: &mut Draft,
    at: usize,
    (top, left): (u32, u32),
    lines: &[Vec<String>],
) -> Result<(), Refusal> {
    let end = |start: u32, length: usize| start.saturating_add(u32::try_from(length).unwrap_or(u32::MAX));
    let (bottom, right) = (end(top, lines.len()), end(left, lines.iter().map(Vec::len).max().unwrap_or(0)));
    let (rows, columns) = (tab(draft, at)?.grid.rows(), tab(draft, at)?.grid.columns());
    draft.book.check_room(at, Axis::Rows, bottom.saturating_sub(rows))?;
    draft.book.check_room(at, Axis::Columns, right.saturating_sub(columns))?;
    if bottom > rows || right > columns {
        tab_mut(draft, at)?.grid.resize(rows.max(bottom), columns.max(right));
        draft.book.check_size()?;
    }
    for (line, row) in lines.iter().zip(top..) {
        for (part, column) in line.iter().zip(left..) {
            let kind =
                tab(draft, at)?.grid.cell(row, column).number_format().map(|(kind, _)| kind.to_owned());
            let entered = entry::entered(part, kind.as_deref(), &draft.book, draft.now);
            let grid = &mut tab_mut(draft, at)?.grid;
            if entered.content != Content::Blank || !grid.cell(row, column).is_blank() {
                grid.edit(row, column, |cell| enter(cell, entered));
            }
        }
    }
    Ok(())
}
