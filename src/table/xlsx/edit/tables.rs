//! Tables on a sheet: one that covers the results covers new rows too.

use super::Damage;
use super::package::Package;
use super::relations::Relations;
use super::sheet::Sheet;
use super::xml::{Edits, with_attribute};
use crate::table::xlsx::a1::Area;

/// Makes the tables that reached from the header down to `old_last` reach down to `new_last`.
///
/// A table with a row of totals stays as it is: the new rows stand below its totals.
pub(super) fn extend(
    package: &mut Package<'_>,
    relations: &Relations,
    sheet: &Sheet,
    header_row: u32,
    (old_last, new_last): (u32, u32),
) -> Result<(), Damage> {
    for relation in sheet.tables.iter().filter_map(|id| relations.by_id(id)) {
        let Some(mut part) = package.find(&relation.target)? else { continue };
        let mut edits = Edits::default();
        let mut covers = false;
        part.for_each_tag(|tag| {
            let Some(mut area) = tag.attribute("ref").and_then(|area| Area::parse(&area)) else { return };
            if tag.depth == 1 {
                let has_totals = tag.attribute("totalsRowCount").is_some_and(|count| count != "0");
                let covered = (old_last..new_last).contains(&area.last.row);
                covers = area.first.row == header_row && covered && !has_totals;
            }
            if covers && (tag.depth == 1 || tag.name() == "autoFilter") {
                area.last.row = new_last;
                let new = with_attribute(part.at(&tag.span), "ref", &area.to_string());
                edits.replace(tag.span.clone(), new);
            }
        })?;
        if !edits.is_empty() {
            part.apply(edits)?;
            package.write(part);
        }
    }
    Ok(())
}
