//! The zip file that a workbook is, with the parts that are to change.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::Damage;
use super::xml::{Edits, Node, Part};
use crate::table::xlsx::text;

/// A workbook's parts. Those that are not written or removed are copied as they are, still compressed.
#[derive(Debug)]
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    written: BTreeMap<String, String>,
    removed: BTreeSet<String>,
}

/// Says which parts there are and what they hold.
const CONTENT_TYPES: &str = "[Content_Types].xml";

impl<'a> Package<'a> {
    /// Opens a workbook that was admitted.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Damage> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| Damage::new("zip", format!("cannot be read ({error})")))?;
        Ok(Self { archive, written: BTreeMap::new(), removed: BTreeSet::new() })
    }

    /// A part as it will be; none if there is none of that name.
    pub(super) fn find(&mut self, name: &str) -> Result<Option<Part>, Damage> {
        let Some(name) = self.stored_name(name) else {
            return Ok(None);
        };
        if let Some(xml) = self.written.get(&name) {
            return Ok(Some(Part { name, xml: xml.clone() }));
        }
        let mut bytes = Vec::new();
        let read = match self.archive.by_name(&name) {
            Ok(mut file) => file.read_to_end(&mut bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        read.map_err(|error| Damage::new(&name, format!("cannot be read ({error})")))?;
        let xml = String::from_utf8(bytes).map_err(|_| Damage::new(&name, "is not in UTF-8"))?;
        let xml = xml.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(xml);
        Ok(Some(Part { name, xml }))
    }

    /// A part that the workbook cannot do without.
    pub(super) fn part(&mut self, name: &str) -> Result<Part, Damage> {
        self.find(name)?.ok_or_else(|| Damage::new(name, "is missing"))
    }

    /// Puts a part in place of the old one, or adds it.
    pub(super) fn write(&mut self, part: Part) {
        self.removed.remove(&part.name);
        self.written.insert(part.name, part.xml);
    }

    /// Takes a part out.
    pub(super) fn remove(&mut self, name: &str) -> Result<(), Damage> {
        if let Some(name) = self.stored_name(name) {
            self.written.remove(&name);
            self.removed.insert(name);
        }
        self.edit_content_types(|part, edits| {
            let mut walk = part.walk();
            while let Some(node) = walk.next()? {
                if let Node::Empty(tag) = node
                    && tag.name() == "Override"
                    && tag.attribute("PartName").is_some_and(|of| same_part(&of, name))
                {
                    edits.replace(tag.span, "");
                }
            }
            Ok(())
        })
    }

    /// Says what a new part holds.
    pub(super) fn declare(&mut self, name: &str, content_type: &str) -> Result<(), Damage> {
        let content_type = text::attribute(content_type);
        let name = text::attribute(name);
        let element = format!("<{{prefix}}Override PartName=\"/{name}\" ContentType=\"{content_type}\"/>");
        self.add_content_type(&element, |_| false)
    }

    /// Says that files ending in `.rels` hold relationships, unless the package says so already.
    pub(super) fn declare_relations(&mut self) -> Result<(), Damage> {
        let element = "<{prefix}Default Extension=\"rels\" \
             ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>";
        self.add_content_type(element, |extension| extension.eq_ignore_ascii_case("rels"))
    }

    /// A name that no part has: `before`, a number, `after`.
    pub(super) fn free_name(&self, before: &str, after: &str) -> String {
        let mut names = (1..).map(|number: u32| format!("{before}{number}{after}"));
        names.find(|name| self.stored_name(name).is_none()).unwrap_or_default()
    }

    /// The workbook with its changes; none if there are none.
    pub(super) fn finish(mut self) -> Result<Option<Vec<u8>>, Damage> {
        if self.written.is_empty() && self.removed.is_empty() {
            return Ok(None);
        }
        self.rezip().map(Some).map_err(|error| Damage::new("zip", format!("cannot be written ({error})")))
    }

    fn rezip(&mut self) -> zip::result::ZipResult<Vec<u8>> {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        out.set_raw_comment(self.archive.comment().into())?;
        for index in 0..self.archive.len() {
            let file = self.archive.by_index_raw(index)?;
            let name = file.name()?.into_owned();
            if self.removed.contains(&name) {
                continue;
            }
            match self.written.remove(&name) {
                Some(xml) => {
                    drop(file);
                    write_part(&mut out, &name, &xml)?;
                }
                None => out.raw_copy_file(file)?,
            }
        }
        for (name, xml) in &self.written {
            write_part(&mut out, name, xml)?;
        }
        Ok(out.finish()?.into_inner())
    }

    /// The name as the zip file has it: names of parts are the same in any case.
    fn stored_name(&self, name: &str) -> Option<String> {
        let there = |candidate: &str| same_part(candidate, name) && !self.removed.contains(candidate);
        if self.written.contains_key(name) {
            return Some(name.to_owned());
        }
        self.archive
            .file_names()
            .filter_map(Result::ok)
            .map(std::borrow::Cow::into_owned)
            .find(|candidate| there(candidate))
            .or_else(|| self.written.keys().find(|candidate| there(candidate)).cloned())
    }

    fn add_content_type(&mut self, element: &str, is_it: impl Fn(&str) -> bool) -> Result<(), Damage> {
        self.edit_content_types(|part, edits| {
            let mut walk = part.walk();
            let mut prefix = String::new();
            while let Some(node) = walk.next()? {
                match node {
                    Node::Open(tag) if tag.depth == 1 => prefix = tag.prefix(),
                    Node::Empty(tag) if tag.attribute("Extension").is_some_and(|of| is_it(&of)) => {
                        return Ok(());
                    }
                    Node::Close { depth: 1, span } => {
                        edits.insert(span.start, element.replace("{prefix}", &prefix));
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }

    fn edit_content_types(
        &mut self,
        edit: impl FnOnce(&Part, &mut Edits) -> Result<(), Damage>,
    ) -> Result<(), Damage> {
        let mut part = self.part(CONTENT_TYPES)?;
        let mut edits = Edits::default();
        edit(&part, &mut edits)?;
        if !edits.is_empty() {
            part.apply(edits)?;
            self.write(part);
        }
        Ok(())
    }
}

fn same_part(left: &str, right: &str) -> bool {
    left.trim_start_matches('/').eq_ignore_ascii_case(right.trim_start_matches('/'))
}

fn write_part(out: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, xml: &str) -> zip::result::ZipResult<()> {
    out.start_file(name, SimpleFileOptions::default())?;
    Ok(out.write_all(xml.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = "<Types><Default Extension=\"xml\" ContentType=\"a/xml\"/>\
         <Override PartName=\"/xl/calcChain.xml\" ContentType=\"c\"/></Types>";

    fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, xml) in parts {
            write_part(&mut out, name, xml).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    #[test]
    fn parts_that_do_not_change_keep_their_bytes() {
        let old = zip(&[(CONTENT_TYPES, TYPES), ("xl/a.xml", "<a/>"), ("xl/calcChain.xml", "<c/>")]);
        let mut package = Package::open(&old).unwrap();
        assert!(Package::open(&old).unwrap().finish().unwrap().is_none());
        package.remove("xl/CalcChain.xml").unwrap();
        package.write(Part { name: "xl/b.xml".into(), xml: "<b/>".into() });
        package.declare("xl/b.xml", "b/xml").unwrap();
        package.declare_relations().unwrap();
        package.declare_relations().unwrap();
        let new = package.finish().unwrap().unwrap();
        let mut package = Package::open(&new).unwrap();
        assert_eq!(package.part("XL/a.xml").unwrap().xml, "<a/>");
        assert_eq!(package.part("xl/b.xml").unwrap().xml, "<b/>");
        assert!(package.find("xl/calcChain.xml").unwrap().is_none());
        let types = package.part(CONTENT_TYPES).unwrap().xml;
        assert!(!types.contains("calcChain"), "{types}");
        assert!(types.contains("<Override PartName=\"/xl/b.xml\" ContentType=\"b/xml\"/>"), "{types}");
        assert_eq!(types.matches("Extension=\"rels\"").count(), 1, "{types}");
        assert_eq!(package.free_name("xl/", ".xml"), "xl/1.xml");
        assert!(package.part("xl/z.xml").unwrap_err().to_string().contains("xl/z.xml"));
    }
}
