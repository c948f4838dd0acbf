//! Rules for what may be entered. They bind people; the API may write anything, as it may on the real one.

use super::request::{Fields, Reply, cells, object, tab_mut, text};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::refusal::Refusal;

/// `setDataValidation`: without a rule the cells have none.
pub(super) fn set(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rect) = cells(draft, request, "range")?;
    let rule = object(request, "rule");
    if let Some(rule) = rule {
        let condition = object(rule, "condition");
        if condition.is_none_or(|condition| text(condition, "type").is_empty()) {
            return Err(Refusal::invalid("No condition was specified."));
        }
    }
    let grid = &mut tab_mut(draft, at)?.grid;
    match rule {
        None => grid.edit_kept(rect, |_, _, cell| cell.change(|extra| extra.validation = None)),
        Some(rule) => {
            for (row, column) in rect.cells() {
                grid.edit(row, column, |cell| {
                    cell.change(|extra| extra.validation = Some(rule.clone().into()))
                });
            }
        }
    }
    Ok(None)
}
