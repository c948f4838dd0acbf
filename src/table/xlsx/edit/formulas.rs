//! Formulas that several cells share: when the cell that holds one is overwritten, the others get their own.

use std::collections::BTreeMap;

use super::Damage;
use super::sheet::{CellAt, Formula, Sheet};
use super::write::NewCells;
use super::xml::{Edits, Node, Part};
use crate::table::xlsx::a1::Place;

/// Gives own formulas to the cells whose shared formula stands in a cell that is to be written.
///
/// Says whether any formula is overwritten at all.
pub(super) fn release(sheet: &Sheet, cells: &NewCells, edits: &mut Edits) -> Result<bool, Damage> {
    let with_formula = || sheet.cells.iter().filter(|cell| cell.formula != Formula::None);
    let mut is_any_overwritten = false;
    let mut lost: BTreeMap<u32, &CellAt> = BTreeMap::new();
    for cell in with_formula().filter(|cell| cells.contains(cell.place)) {
        is_any_overwritten = true;
        if let Formula::Shared { group } = cell.formula {
            lost.insert(group, cell);
        }
    }
    for cell in with_formula().filter(|cell| !cells.contains(cell.place)) {
        if let Formula::Follows { group } = cell.formula
            && let Some(master) = lost.get(&group)
        {
            let shared = formula(sheet, master)?.1;
            let own = calamine::expand_shared_formula(&shared, position(master.place), position(cell.place))
                .map_err(|error| {
                    sheet.part.damage(format!("has a formula that cannot be moved ({error})"))
                })?;
            let (at, _) = formula(sheet, cell)?;
            let prefix = &sheet.prefix;
            edits.replace(at, format!("<{prefix}f>{}</{prefix}f>", quick_xml::escape::partial_escape(&own)));
        }
    }
    Ok(is_any_overwritten)
}

/// Where the formula of a cell stands, and what it says.
fn formula(sheet: &Sheet, cell: &CellAt) -> Result<(std::ops::Range<usize>, String), Damage> {
    let element = Part { name: sheet.part.name.clone(), xml: sheet.part.at(&cell.span).to_owned() };
    let mut walk = element.walk();
    let within = |span: std::ops::Range<usize>| cell.span.start + span.start..cell.span.start + span.end;
    while let Some(node) = walk.next()? {
        match node {
            Node::Empty(tag) if tag.name() == "f" => return Ok((within(tag.span), String::new())),
            Node::Open(tag) if tag.name() == "f" => {
                let start = tag.span.start;
                let text = walk.text()?;
                return Ok((within(start..walk.position()), text));
            }
            _ => {}
        }
    }
    Err(sheet.part.damage("has lost a formula"))
}

fn position(place: Place) -> (u32, u32) {
    (place.row - 1, place.column)
}
