//! Appends values behind a table.

use serde_json::{Map, Value};

use super::Input;
use super::render::Rendering;
use super::table::last_table;
use super::write::Block;
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::lines;
use crate::sandbox::sheets::query::Query;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::shift::Axis;

/// `values.append`: the range says where to look for a table; the values go below the last one it meets, or
/// to the beginning of the range if it meets none.
pub(crate) fn append(
    draft: &mut Draft,
    range: &str,
    query: &Query,
    body: &Map<String, Value>,
) -> Result<Value, Refusal> {
    let rendering = Rendering::of_response(query)?;
    let input = Input::of_query(query)?;
    let insert = query.choice("insertDataOption", "AppendValuesRequest.InsertDataOption")? == "INSERT_ROWS";
    let block = Block::read(body)?;
    let place = draft.book.find(range)?;
    let rect = draft.book.closed(place)?;
    let Some(tab) = draft.book.tab(place.tab) else { return Err(Refusal::not_found()) };
    let table = last_table(&tab.grid, rect);
    let (row, column) = table.map_or((rect.top, rect.left), |table| (table.bottom, table.left));
    let (rows, columns) = (tab.grid.rows(), tab.grid.columns());
    if insert && block.height() > 0 {
        lines::insert(draft, place.tab, Axis::Rows, row.min(rows), block.height(), row > 0)?;
    }
    let Some(tab) = draft.book.tab_mut(place.tab) else { return Err(Refusal::not_found()) };
    let rows = tab.grid.rows().max(row + block.height());
    tab.grid.resize(rows, columns.max(column + block.width()));
    draft.book.check_size()?;
    let written = block.write(draft, place.tab, row, column, input)?;
    Ok(Object::new()
        .with("spreadsheetId", draft.book.id.as_str())
        .some("tableRange", table.map(|table| draft.book.shown(place.tab, &table.a1())))
        .with("updates", written.response(&draft.book, rendering, draft.now))
        .into())
}
