//! Changing a workbook in place.
//!
//! A workbook is a zip file of parts. Parts that need no change are copied without being unpacked; in those
//! that do, only the places that say something new are replaced. So everything people made in the workbook
//! survives: their sheets, columns, formats, formulas, comments, filters.

mod columns;
mod formulas;
mod graft;
mod header;
mod heights;
mod links;
mod package;
mod plan;
mod relations;
mod sheet;
mod strings;
mod styles;
mod tables;
mod workbook;
mod write;
mod xml;

use jiff::civil::Date;

use self::header::Header;
use self::package::Package;
use self::plan::Plan;
use self::relations::Relations;
use self::sheet::Sheet;
use self::strings::SharedTexts;
use self::styles::Styles;
use self::workbook::{SheetEntry, Workbook};
use self::xml::{Edits, Part, with_attribute};
use super::a1::{Area, Place};
use super::{MAX_LINKS, create};
use crate::domain::columns::HeaderProblems;
use crate::domain::key::RowKey;
use crate::domain::language::Language;
use crate::domain::results::ResultColumn;
use crate::table::spool::{Batch, SpoolError};
use crate::table::{Committed, Gone};

/// What a commit is to do.
pub(super) struct Task<'a> {
    /// The results sheet.
    pub(super) sheet: &'a str,
    /// Its columns.
    pub(super) columns: &'a [ResultColumn],
    pub(super) language: Language,
    pub(super) today: Date,
    pub(super) gone: Gone,
    /// How a source is addressed from the workbook; none if it must not be linked.
    pub(super) address: &'a dyn Fn(&str) -> Option<String>,
}

/// Something in a workbook that is not as it should be.
#[derive(Debug, thiserror::Error)]
#[error("its part «{part}» {problem}; open it in Excel, let it repair the file, and save it again")]
pub(super) struct Damage {
    part: String,
    problem: String,
}

/// Why a commit ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    #[error(transparent)]
    Damage(#[from] Damage),
    #[error(transparent)]
    Header(HeaderProblems),
    /// What stands in the place of the results, and what to do.
    #[error("{0}")]
    NoResults(String),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error("a new sheet cannot be made: {0}")]
    Create(#[from] rust_xlsxwriter::XlsxError),
}

impl Damage {
    fn new(part: &str, problem: impl Into<String>) -> Self {
        Self { part: part.to_owned(), problem: problem.into() }
    }
}

/// A key as the workbook holds it: keys of waiting rows must be given in this form.
pub(super) fn stored_key(key: RowKey) -> RowKey {
    plan::stored_key(key)
}

/// Looks whether a workbook can take results.
pub(super) fn check(bytes: &[u8], sheet: &str, columns: &[ResultColumn]) -> Result<(), Stop> {
    let mut package = Package::open(bytes)?;
    let workbook = Workbook::open(&mut package)?;
    if let Some(entry) = workbook.find(sheet) {
        let sheet = read_sheet(&mut package, &workbook, entry)?;
        Header::find(&sheet, &entry.name, columns)?;
    }
    Ok(())
}

/// The places of all cells of a sheet, in the order of the file.
pub(super) fn cell_places(bytes: &[u8], sheet: &str) -> Result<Vec<Place>, Damage> {
    let mut package = Package::open(bytes)?;
    let workbook = Workbook::open(&mut package)?;
    let entry = workbook.find(sheet).ok_or_else(|| Damage::new("xl/workbook.xml", "lists no such sheet"))?;
    let part = workbook.part_of(entry)?.unwrap_or_default().to_owned();
    let sheet = Sheet::new(package.part(&part)?, SharedTexts::default())?;
    Ok(sheet.cells.iter().map(|cell| cell.place).collect())
}

/// Brings the waiting rows into a workbook, or into a new one.
///
/// Gives the new file, none if nothing has changed.
pub(super) fn update(
    old: Option<&[u8]>,
    task: &Task<'_>,
    batch: &Batch<'_>,
) -> Result<(Option<Vec<u8>>, Committed), Stop> {
    let created;
    let bytes = match old {
        Some(bytes) => bytes,
        None if batch.is_empty()? => return Ok((None, Committed::default())),
        None => {
            created = create::workbook(task.sheet, task.columns)?;
            &created
        }
    };
    let mut package = Package::open(bytes)?;
    let mut workbook = Workbook::open(&mut package)?;
    let entry = match workbook.find(task.sheet) {
        Some(entry) => entry.clone(),
        None if batch.is_empty()? => return Ok((None, Committed::default())),
        None => {
            let xml = graft::sheet_for(task, &mut package, &mut workbook)?;
            let (entry, name) = workbook.add_sheet(&mut package, task.sheet)?;
            package.write(Part { name, xml });
            entry
        }
    };
    let mut sheet = read_sheet(&mut package, &workbook, &entry)?;
    let mut header = Header::find(&sheet, &entry.name, task.columns)?;
    if header.is_none() && batch.is_empty()? {
        return Ok((None, Committed::default()));
    }
    if header.is_none() && Relations::of(&mut package, &sheet.part.name)?.is_empty() {
        // nothing is in the sheet: it becomes as pleasant as a new one
        let xml = graft::sheet_for(task, &mut package, &mut workbook)?;
        package.write(Part { name: sheet.part.name, xml });
        sheet = read_sheet(&mut package, &workbook, &entry)?;
        header = Header::find(&sheet, &entry.name, task.columns)?;
    }
    let header = match header {
        Some(header) => header.complete(&sheet, task.columns)?,
        None => Header::of_blank(task.columns),
    };
    let mut plan = plan::plan(task, &sheet, &header, batch)?;
    let committed = std::mem::take(&mut plan.committed);
    if plan.cells.is_empty() {
        return Ok((None, committed));
    }
    let mut change = Change { task, package, workbook, entry, sheet, header, committed };
    change.apply(plan)?;
    Ok((change.package.finish()?, change.committed))
}

fn read_sheet(package: &mut Package<'_>, workbook: &Workbook, entry: &SheetEntry) -> Result<Sheet, Stop> {
    let Some(name) = workbook.part_of(entry)?.map(str::to_owned) else {
        let name = &entry.name;
        return Err(Stop::NoResults(format!("sheet «{name}» has no cells; name another sheet")));
    };
    let texts = match workbook.part_of_kind("sharedStrings").map(str::to_owned) {
        Some(name) => package.find(&name)?,
        None => None,
    };
    Ok(Sheet::new(package.part(&name)?, SharedTexts::new(texts)?)?)
}

/// A workbook while it is changed.
struct Change<'a, 'b> {
    task: &'a Task<'a>,
    package: Package<'b>,
    workbook: Workbook,
    entry: SheetEntry,
    sheet: Sheet,
    header: Header,
    committed: Committed,
}

impl Change<'_, '_> {
    fn apply(&mut self, plan: Plan) -> Result<(), Damage> {
        let mut relations = Relations::of(&mut self.package, &self.sheet.part.name)?;
        let mut styles = match self.workbook.part_of_kind("styles").map(str::to_owned) {
            Some(name) => Styles::new(self.package.part(&name)?)?,
            None => Styles::default(),
        };
        let mut edits = Edits::default();
        if formulas::release(&self.sheet, &plan.cells, &mut edits)? {
            self.workbook.drop_calculation_chain(&mut self.package)?;
        }
        let kind_base = self.workbook.kind_base();
        let left_out =
            links::write(&self.sheet, plan.links, &mut relations, &kind_base, self.task.address, &mut edits)?;
        if left_out > 0 {
            let warning = format!("{left_out} rows have no link: a sheet takes no more than {MAX_LINKS}");
            self.committed.warnings.push(warning);
        }
        plan.cells.write(&self.sheet, &mut styles, &mut edits);
        let (old_last, new_last) = plan.last_row;
        if new_last > old_last {
            self.extend_filter(plan.last_row, &mut edits)?;
            tables::extend(&mut self.package, &relations, &self.sheet, self.header.row, plan.last_row)?;
        }
        if self.header.added.contains(&ResultColumn::Key)
            && let Some(column) = self.header.column(ResultColumn::Key)
        {
            columns::hide(&self.sheet, column, &mut edits);
        }
        let mut part = std::mem::take(&mut self.sheet.part);
        part.apply(edits)?;
        self.package.write(part);
        if let Some(part) = styles.finish()? {
            self.package.write(part);
        }
        relations.save(&mut self.package)?;
        self.workbook.save(&mut self.package)
    }

    /// A filter over the results covers new rows too.
    fn extend_filter(&mut self, (old_last, new_last): (u32, u32), edits: &mut Edits) -> Result<(), Damage> {
        let Some((span, old)) = &self.sheet.filter else { return Ok(()) };
        let covers = old.first.row == self.header.row && (old_last..new_last).contains(&old.last.row);
        if !covers {
            return Ok(());
        }
        let new = Area { first: old.first, last: Place { row: new_last, column: old.last.column } };
        edits.replace(span.clone(), with_attribute(self.sheet.part.at(span), "ref", &new.to_string()));
        self.workbook.move_filter(&self.entry, *old, new)
    }
}
