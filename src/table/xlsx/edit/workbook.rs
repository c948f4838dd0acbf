//! The workbook part: which sheets there are, and what else has to follow when one changes.

use super::Damage;
use super::package::Package;
use super::relations::Relations;
use super::xml::{Edits, ElementAt, Node, Part, with_attribute};
use crate::domain::fold::fold;
use crate::table::a1::quoted_sheet;
use crate::table::xlsx::a1::Area;
use crate::table::xlsx::text;

/// The sheets of a workbook.
#[derive(Debug)]
pub(super) struct Workbook {
    part: Part,
    relations: Relations,
    sheets: Vec<SheetEntry>,
    /// The element that lists them.
    list: ElementAt,
    prefix: String,
    relation_prefix: String,
    edits: Edits,
}

/// A sheet as the workbook lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SheetEntry {
    pub(super) name: String,
    /// Its place among the sheets, which defined names count from 0.
    index: usize,
    number: u32,
    relation: String,
}

const SHEET_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";

impl Workbook {
    /// Reads the list of sheets.
    pub(super) fn open(package: &mut Package<'_>) -> Result<Self, Damage> {
        let root = Relations::of(package, "")?;
        let name = root.of_kind("officeDocument").map_or("xl/workbook.xml", |relation| &relation.target);
        let part = package.part(name)?;
        let relations = Relations::of(package, &part.name)?;
        let mut sheets = Vec::new();
        let (mut prefix, mut relation_prefix) = (String::new(), "r:".to_owned());
        let (mut open, mut close) = (None, None);
        let mut in_list = false;
        let mut walk = part.walk();
        while let Some(node) = walk.next()? {
            match node {
                Node::Open(tag) if tag.depth == 1 => {
                    prefix = tag.prefix();
                    relation_prefix = relations_prefix(tag.attributes()).unwrap_or(relation_prefix);
                }
                Node::Open(tag) if tag.depth == 2 && tag.name() == "sheets" => {
                    in_list = true;
                    open = Some(tag.span);
                }
                Node::Close { depth: 2, span } if in_list => {
                    in_list = false;
                    close = Some(span);
                }
                Node::Open(tag) | Node::Empty(tag) if in_list && tag.name() == "sheet" => {
                    sheets.push(SheetEntry {
                        name: tag.attribute("name").unwrap_or_default(),
                        index: sheets.len(),
                        number: tag.attribute("sheetId").and_then(|id| id.parse().ok()).unwrap_or(0),
                        relation: tag.prefixed_attribute("id").unwrap_or_default(),
                    });
                }
                _ => {}
            }
        }
        let open = open.ok_or_else(|| part.damage("lists no sheets"))?;
        let list = ElementAt { open, close };
        Ok(Self { part, relations, sheets, list, prefix, relation_prefix, edits: Edits::default() })
    }

    /// The sheet of this name, without regard to case.
    pub(super) fn find(&self, name: &str) -> Option<&SheetEntry> {
        self.sheets.iter().find(|sheet| fold(&sheet.name) == fold(name))
    }

    /// The name of the part that holds a sheet; none if it is a chart or a dialog.
    pub(super) fn part_of(&self, sheet: &SheetEntry) -> Result<Option<&str>, Damage> {
        let relation = self.relations.by_id(&sheet.relation);
        let relation = relation
            .ok_or_else(|| self.part.damage(format!("does not say where sheet «{}» is", sheet.name)))?;
        Ok((relation.kind == "worksheet").then_some(relation.target.as_str()))
    }

    /// The name of the part of this kind that the workbook has, such as its styles.
    pub(super) fn part_of_kind(&self, kind: &str) -> Option<&str> {
        self.relations.of_kind(kind).map(|relation| relation.target.as_str())
    }

    /// Adds a sheet at the end, and gives it with the name of its part, which is still to be written.
    pub(super) fn add_sheet(
        &mut self,
        package: &mut Package<'_>,
        name: &str,
    ) -> Result<(SheetEntry, String), Damage> {
        let part = package.free_name("xl/worksheets/sheet", ".xml");
        package.declare(&part, SHEET_TYPE)?;
        let kind_base = self.kind_base();
        let relation = self.relations.add(&kind_base, "worksheet", &part, false);
        let number = self.sheets.iter().map(|sheet| sheet.number).max().unwrap_or(0) + 1;
        let element = format!(
            "<{}sheet name=\"{}\" sheetId=\"{number}\" {}id=\"{relation}\"/>",
            self.prefix,
            text::attribute(name),
            self.relation_prefix
        );
        self.list.append(&self.part, &element, &mut self.edits);
        let entry = SheetEntry { name: name.to_owned(), index: self.sheets.len(), number, relation };
        self.sheets.push(entry.clone());
        Ok((entry, part))
    }

    /// Adds a part that the whole workbook uses, such as its styles.
    pub(super) fn add_part(
        &mut self,
        package: &mut Package<'_>,
        kind: &str,
        content_type: &str,
        part: Part,
    ) -> Result<(), Damage> {
        let name = match package.find(&part.name)? {
            None => part.name,
            Some(_) => package.free_name(&format!("xl/{kind}"), ".xml"),
        };
        package.declare(&name, content_type)?;
        let kind_base = self.kind_base();
        self.relations.add(&kind_base, kind, &name, false);
        package.write(Part { name, xml: part.xml });
        Ok(())
    }

    /// Where the types of relationships to other parts begin.
    pub(super) fn kind_base(&self) -> String {
        let known = self.relations.of_kind("worksheet").map(|relation| relation.kind_base.clone());
        known.unwrap_or_else(|| KIND_BASE.to_owned())
    }

    /// The hidden name that Excel keeps for the filter of a sheet follows the filter.
    pub(super) fn move_filter(&mut self, sheet: &SheetEntry, from: Area, to: Area) -> Result<(), Damage> {
        let mut walk = self.part.walk();
        while let Some(node) = walk.next()? {
            let Node::Open(tag) = node else { continue };
            let is_ours = tag.name() == "definedName"
                && tag.attribute("name").as_deref() == Some("_xlnm._FilterDatabase")
                && tag.attribute("localSheetId").as_deref() == Some(&sheet.index.to_string());
            if !is_ours {
                continue;
            }
            let start = tag.span.end;
            let old = format!("{}!{}", quoted_sheet(&sheet.name), from.absolute());
            let plain = format!("{}!{}", sheet.name, from.absolute());
            if [old, plain].contains(&walk.text()?) {
                let length = self.part.xml.get(start..).and_then(|rest| rest.find('<')).unwrap_or(0);
                let new = format!("{}!{}", quoted_sheet(&sheet.name), to.absolute());
                self.edits.replace(start..start + length, quick_xml::escape::partial_escape(&new));
            }
        }
        Ok(())
    }

    /// Drops the order of calculation, which Excel makes anew: it must not name cells without formulas.
    pub(super) fn drop_calculation_chain(&mut self, package: &mut Package<'_>) -> Result<(), Damage> {
        for part in self.relations.remove_kind("calcChain")? {
            package.remove(&part)?;
        }
        Ok(())
    }

    /// Writes the changes, if there are any.
    pub(super) fn save(&mut self, package: &mut Package<'_>) -> Result<(), Damage> {
        self.relations.save(package)?;
        let edits = std::mem::take(&mut self.edits);
        if !edits.is_empty() {
            self.part.apply(edits)?;
            package.write(self.part.clone());
        }
        Ok(())
    }
}

/// Types of relationships in all but strict workbooks.
const KIND_BASE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const STRICT_KIND_BASE: &str = "http://purl.oclc.org/ooxml/officeDocument/relationships";

/// The prefix, with its colon, that a root element gives to the ids of relationships.
pub(super) fn relations_prefix(attributes: impl Iterator<Item = (String, String)>) -> Option<String> {
    attributes
        .filter(|(_, value)| value == KIND_BASE || value == STRICT_KIND_BASE)
        .find_map(|(key, _)| Some(format!("{}:", key.strip_prefix("xmlns:")?)))
}

/// The start tag of a root element, with the prefix `r:` declared for the ids of relationships.
pub(super) fn with_relations_prefix(tag: &str, kind_base: &str) -> String {
    with_attribute(tag, "xmlns:r", kind_base)
}
