//! The relationships of a part: what its `r:id` attributes mean.

use super::Damage;
use super::package::Package;
use super::xml::{Edits, Node, Part, Tag};
use crate::table::xlsx::text;

/// The relationships of one part of a package.
#[derive(Debug)]
pub(super) struct Relations {
    part: Part,
    is_new: bool,
    list: Vec<Relation>,
    added: String,
    edits: Edits,
}

/// What one relationship leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its type, such as `worksheet`.
    pub(super) kind: String,
    /// What comes before that word; older and stricter workbooks differ in it.
    pub(super) kind_base: String,
    /// The address outside, or the name of a part.
    pub(super) target: String,
    pub(super) is_external: bool,
}

const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
     <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"></Relationships>";

impl Relations {
    /// The relationships of the part `owner`, or of the package if the name is empty.
    pub(super) fn of(package: &mut Package<'_>, owner: &str) -> Result<Self, Damage> {
        let (folder, file) = owner.rsplit_once('/').map_or(("", owner), |(folder, file)| (folder, file));
        let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let name = format!("{folder}_rels/{file}.rels");
        let found = package.find(&name)?;
        let is_new = found.is_none();
        let mut part = found.unwrap_or_else(|| Part { name, xml: EMPTY.to_owned() });
        let mut list = Vec::new();
        part.for_each_tag(|tag| {
            if tag.name() != "Relationship" {
                return;
            }
            let attribute = |name| tag.attribute(name).unwrap_or_default();
            let kind = attribute("Type");
            let (kind_base, kind) = kind.rsplit_once('/').unwrap_or(("", &kind));
            let is_external = attribute("TargetMode") == "External";
            let target = attribute("Target");
            list.push(Relation {
                id: attribute("Id"),
                kind: kind.to_owned(),
                kind_base: kind_base.to_owned(),
                target: if is_external { target } else { part_name(&folder, &target) },
                is_external,
            });
        })?;
        if list.is_empty() {
            part.xml = EMPTY.to_owned(); // it may have been one tag without an end
        }
        Ok(Self { part, is_new, list, added: String::new(), edits: Edits::default() })
    }

    /// True if there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The relationship with this id.
    pub(super) fn by_id(&self, id: &str) -> Option<&Relation> {
        self.list.iter().find(|relation| relation.id == id)
    }

    /// The first relationship of this kind.
    pub(super) fn of_kind(&self, kind: &str) -> Option<&Relation> {
        self.list.iter().find(|relation| relation.kind == kind)
    }

    /// The id of a relationship to `target`, which is added if there is none.
    pub(super) fn add(&mut self, kind_base: &str, kind: &str, target: &str, is_external: bool) -> String {
        let same = |relation: &&Relation| {
            relation.kind == kind && relation.target == target && relation.is_external == is_external
        };
        if let Some(relation) = self.list.iter().find(same) {
            return relation.id.clone();
        }
        let mut ids = (1..).map(|number: u32| format!("rId{number}"));
        let id = ids.find(|id| self.by_id(id).is_none()).unwrap_or_default();
        let mode = if is_external { " TargetMode=\"External\"" } else { "" };
        let written = if is_external { target.to_owned() } else { format!("/{target}") };
        self.added.push_str(&format!(
            "<{{prefix}}Relationship Id=\"{id}\" Type=\"{kind_base}/{kind}\" Target=\"{}\"{mode}/>",
            text::attribute(&written)
        ));
        self.list.push(Relation {
            id: id.clone(),
            kind: kind.to_owned(),
            kind_base: kind_base.to_owned(),
            target: target.to_owned(),
            is_external,
        });
        id
    }

    /// Takes the relationships of a kind out, and gives what they led to.
    pub(super) fn remove_kind(&mut self, kind: &str) -> Result<Vec<String>, Damage> {
        let (removed, kept) = self.list.drain(..).partition(|relation: &Relation| relation.kind == kind);
        self.list = kept;
        let removed: Vec<Relation> = removed;
        let mut open = None;
        let mut walk = self.part.walk();
        while let Some(node) = walk.next()? {
            let is_removed = |tag: &Tag<'_>| {
                let id = tag.attribute("Id");
                id.is_some_and(|id| removed.iter().any(|relation| relation.id == id))
            };
            match node {
                Node::Empty(tag) if is_removed(&tag) => self.edits.replace(tag.span, ""),
                Node::Open(tag) if is_removed(&tag) => open = Some(tag.span.start),
                Node::Close { span, .. } => {
                    if let Some(start) = open.take() {
                        self.edits.replace(start..span.end, "");
                    }
                }
                _ => {}
            }
        }
        Ok(removed.into_iter().map(|relation| relation.target).collect())
    }

    /// Writes the changes, if there are any.
    pub(super) fn save(&mut self, package: &mut Package<'_>) -> Result<(), Damage> {
        if self.added.is_empty() && self.edits.is_empty() {
            return Ok(());
        }
        let mut prefix = String::new();
        let mut end = None;
        let mut walk = self.part.walk();
        while let Some(node) = walk.next()? {
            match node {
                Node::Open(tag) if tag.depth == 1 => prefix = tag.prefix(),
                Node::Close { depth: 1, span } => end = Some(span.start),
                _ => {}
            }
        }
        let end = end.ok_or_else(|| self.part.damage("has no end"))?;
        let mut edits = std::mem::take(&mut self.edits);
        edits.insert(end, std::mem::take(&mut self.added).replace("{prefix}", &prefix));
        self.part.apply(edits)?;
        if self.is_new {
            package.declare_relations()?;
        }
        package.write(self.part.clone());
        Ok(())
    }
}

/// The name of the part that a relationship of a part in `folder` leads to.
fn part_name(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let path = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}{target}"),
    };
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_from_their_folder() {
        for (folder, target, name) in [
            ("xl/", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl/worksheets/", "../tables/table1.xml", "xl/tables/table1.xml"),
            ("xl/", "/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("", "./xl\\workbook.xml", "xl/workbook.xml"),
            ("", "../../x", "x"),
        ] {
            assert_eq!(part_name(folder, target), name);
        }
    }
}
