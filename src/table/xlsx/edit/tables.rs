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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::xlsx::edit::strings::SharedTexts;
    use crate::table::xlsx::edit::xml::Part;

    /// The table after rows 3 and 4 were added below row 2.
    fn extended(table: &str) -> String {
        let empty = zip::ZipWriter::new(std::io::Cursor::new(Vec::new())).finish().unwrap().into_inner();
        let mut package = Package::open(&empty).unwrap();
        let relations =
            "<Relationships><Relationship Id=\"r1\" Type=\"t/table\" Target=\"../t.xml\"/></Relationships>";
        for (name, xml) in [("xl/_rels/s.xml.rels", relations), ("t.xml", table)] {
            package.write(Part { name: name.into(), xml: xml.into() });
        }
        let relations = Relations::of(&mut package, "xl/s.xml").unwrap();
        let xml = "<worksheet><sheetData/><tableParts><tablePart r:id=\"r1\"/></tableParts></worksheet>";
        let part = Part { name: "xl/s.xml".into(), xml: xml.into() };
        let sheet = Sheet::new(part, SharedTexts::default()).unwrap();
        extend(&mut package, &relations, &sheet, 1, (2, 4)).unwrap();
        package.part("t.xml").unwrap().xml
    }

    #[test]
    fn only_a_table_that_covers_the_results_grows() {
        let grown = "<table ref=\"A1:C4\"><autoFilter ref=\"A1:C4\"/><x ref=\"A1\"/></table>";
        assert_eq!(extended(&grown.replace("C4", "C2")), grown);
        for same in [
            "<table ref=\"A1:C3\" totalsRowCount=\"1\"><autoFilter ref=\"A1:C2\"/></table>",
            "<table ref=\"E2:F2\"><autoFilter ref=\"E2:F2\"/></table>",
            "<table ref=\"A1:C9\"></table>",
            "<table ref=\"?\"></table>",
        ] {
            assert_eq!(extended(same), same);
        }
    }
}
