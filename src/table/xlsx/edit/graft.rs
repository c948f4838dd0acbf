//! Putting a results sheet into a workbook that has none: the sheet of a new workbook is moved over with
//! its styles.

use super::package::Package;
use super::styles::{Shift, Styles};
use super::workbook::Workbook;
use super::xml::{Edits, Part, Tag, with_attribute, without_attribute};
use super::{Stop, Task};
use crate::table::xlsx::create;

/// The XML of an empty results sheet whose styles are among those of `workbook`.
pub(super) fn sheet_for(
    task: &Task<'_>,
    package: &mut Package<'_>,
    workbook: &mut Workbook,
) -> Result<String, Stop> {
    let bytes = create::workbook(task.sheet, task.columns)?;
    let mut source = Package::open(&bytes)?;
    let sources = Workbook::open(&mut source)?;
    let part = |kind: &str| sources.part_of_kind(kind).unwrap_or_default().to_owned();
    let new_styles = Styles::new(source.part(&part("styles"))?)?;
    let mut sheet = source.part(&part("worksheet"))?;
    let shift = match workbook.part_of_kind("styles").map(str::to_owned) {
        Some(name) => {
            let mut styles = Styles::new(package.part(&name)?)?;
            let shift = styles.take_over(&new_styles);
            if let Some(part) = styles.finish()? {
                package.write(part);
            }
            shift
        }
        None => {
            let part = source.part(&part("styles"))?;
            workbook.add_part(package, "styles", STYLES_TYPE, part)?;
            Shift { cells: 0, conditions: 0 }
        }
    };
    let mut edits = Edits::default();
    sheet.for_each_tag(|tag| {
        if let Some(tag_with) = rewritten(&sheet, tag, shift) {
            edits.replace(tag.span.clone(), tag_with);
        }
    })?;
    sheet.apply(edits)?;
    Ok(sheet.xml)
}

const STYLES_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml";

fn rewritten(sheet: &Part, tag: &Tag<'_>, shift: Shift) -> Option<String> {
    let raw = sheet.at(&tag.span);
    let (name, by) = match tag.name() {
        "c" | "row" => ("s", shift.cells),
        "col" => ("style", shift.cells),
        "cfRule" => ("dxfId", shift.conditions),
        // two selected sheets would be edited as one
        "sheetView" => return Some(without_attribute(raw, "tabSelected")),
        _ => return None,
    };
    let number: usize = tag.attribute(name)?.parse().ok()?;
    Some(with_attribute(raw, name, &(number + by).to_string()))
}
