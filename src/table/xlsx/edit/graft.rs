//! Putting a results sheet into a workbook that has none: the sheet of a new workbook is moved over with
//! its styles.

use super::package::Package;
use super::sheet::Sheet;
use super::strings::SharedTexts;
use super::styles::{Shift, Styles};
use super::workbook::Workbook;
use super::write::{Content, cell};
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
    let texts = SharedTexts::new(source.find(&part("sharedStrings"))?)?;
    let sheet = Sheet::new(source.part(&part("worksheet"))?, texts)?;
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
    for at in &sheet.cells {
        let content = Content::text(sheet.text(at)?);
        let style = at.style + u32::try_from(shift.cells).unwrap_or(0);
        edits.replace(at.span.clone(), cell(&sheet.prefix, at.place, &content, style));
    }
    let mut part = sheet.part;
    part.for_each_tag(|tag| {
        if let Some(new) = rewritten(&part, tag, shift) {
            edits.replace(tag.span.clone(), new);
        }
    })?;
    part.apply(edits)?;
    Ok(part.xml)
}

const STYLES_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml";

fn rewritten(sheet: &Part, tag: &Tag<'_>, shift: Shift) -> Option<String> {
    let raw = sheet.at(&tag.span);
    let (name, by) = match tag.name() {
        "row" => ("s", shift.cells),
        "col" => ("style", shift.cells),
        "cfRule" => ("dxfId", shift.conditions),
        // two selected sheets would be edited as one
        "sheetView" => return Some(without_attribute(raw, "tabSelected")),
        _ => return None,
    };
    let number: usize = tag.attribute(name)?.parse().ok()?;
    Some(with_attribute(raw, name, &(number + by).to_string()))
}
