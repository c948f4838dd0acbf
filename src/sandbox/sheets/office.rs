//! All spreadsheets of the sandbox and the files that hold them: calls go in, answers come out.

use jiff::Timestamp;

use super::call::{Answer, Call, Endpoint, Route, Service};
use super::draft::Draft;
use super::drive::{self, File};
use super::ids::Ids;
use super::lock;
use super::query::Query;
use super::refusal::Refusal;
use super::service;
use super::spreadsheet::Spreadsheet;

/// Every spreadsheet, and everything that may be asked about one.
///
/// Nothing is read from outside: the moment of a call comes with it, and ids come from the seed, so the same
/// calls get the same answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Office {
    pub(crate) documents: Vec<Document>,
    pub(crate) ids: Ids,
    pub(crate) switches: Switches,
    pub(crate) user: String,
}

/// Where the real service is known to behave in two ways, or not known well enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switches {
    /// `values.update` from a single cell may write below the last row, and the sheet grows. Default: false,
    /// such a write is refused.
    pub update_grows_rows: bool,
    /// Chosen ids of named ranges are honoured; an id or a name that exists, and the deletion of an id that
    /// does not exist, are refused. Default: true. If false, the server gives its own ids, takes the same id
    /// or name again, and takes deletions of unknown ids for done.
    pub named_range_ids: bool,
    /// `duplicateSheet` also copies the named ranges of the sheet, under their names within the copy, such as
    /// `'Copy of Plan'!Total`. Default: true. The API's reference says nothing of it; that copies bring such names
    /// is what programs in the field reckon with, which cut the title off the names they are given.
    pub copies_named_ranges: bool,
    /// A named range stays when its sheet is deleted: it is not shown any more, but its name and its id are still
    /// taken. Default: true, as <https://github.com/burnash/gspread/issues/1530> tells it. If false, it goes with its
    /// sheet. Names within a copy go with the copy either way.
    pub keeps_deleted_names: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            update_grows_rows: false,
            named_range_ids: true,
            copies_named_ranges: true,
            keeps_deleted_names: true,
        }
    }
}

/// A spreadsheet and the file that holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) book: Spreadsheet,
    pub(crate) file: File,
    /// The caller may see it.
    pub(crate) shared: bool,
}

impl Office {
    /// An office without spreadsheets, whose ids come from a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            documents: Vec::new(),
            ids: Ids::new(seed),
            switches: Switches::default(),
            user: "sandbox@status-validator.iam.gserviceaccount.com".into(),
        }
    }

    /// The switches.
    pub fn switches(&self) -> Switches {
        self.switches
    }

    /// Sets the switches.
    pub fn set_switches(&mut self, switches: Switches) {
        self.switches = switches;
    }

    /// The address of whoever calls: the owner of new files and an editor of new protections.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Sets the address of whoever calls.
    pub fn set_user(&mut self, address: impl Into<String>) {
        self.user = address.into();
    }

    /// Carries out a call below `/v4/`, `/drive/` or `/upload/drive/`. A refused call has changed nothing.
    pub fn answer(&mut self, call: &Call<'_>) -> Answer {
        let Some(route) = Route::find(call.method, call.path) else {
            return match call.service() {
                Some(Service::Drive) => drive::unknown_path(),
                _ => Refusal::not_found().answer(),
            };
        };
        let query = Query::parse(call.query);
        match route.endpoint() {
            Endpoint::About
            | Endpoint::FileList
            | Endpoint::FileCreate
            | Endpoint::FileGet
            | Endpoint::FileUpdate
            | Endpoint::FileDelete
            | Endpoint::FileCopy
            | Endpoint::FileExport
            | Endpoint::FileImport
            | Endpoint::PermissionList
            | Endpoint::PermissionCreate
            | Endpoint::PermissionGet
            | Endpoint::PermissionUpdate
            | Endpoint::PermissionDelete
            | Endpoint::CommentList
            | Endpoint::CommentCreate => drive::answer(self, &route, &query, call),
            _ => service::answer(self, &route, &query, call).unwrap_or_else(|refusal| refusal.answer()),
        }
    }

    /// A document that the caller may see.
    pub(crate) fn document(&self, id: &str) -> Result<&Document, Refusal> {
        let document = self.documents.iter().find(|document| document.book.id == id);
        let document = document.ok_or_else(Refusal::not_found)?;
        if document.shared { Ok(document) } else { Err(Refusal::denied()) }
    }

    /// A document that the caller may see, to change it.
    pub(crate) fn document_mut(&mut self, id: &str) -> Result<&mut Document, Refusal> {
        let document = self.documents.iter_mut().find(|document| document.book.id == id);
        let document = document.ok_or_else(Refusal::not_found)?;
        if document.shared { Ok(document) } else { Err(Refusal::denied()) }
    }

    /// Changes a spreadsheet: all of what `act` does, or nothing.
    pub(crate) fn change<T>(
        &mut self,
        id: &str,
        now: Timestamp,
        act: impl FnOnce(&mut Draft) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let book = self.document(id)?.book.clone();
        let mut draft = self.draft(book, now);
        let result = act(&mut draft)?;
        lock::check(&self.document(id)?.book, &draft.book)?;
        self.ids = draft.ids;
        let document = self.document_mut(id)?;
        document.book = draft.book;
        document.file.touch(now);
        Ok(result)
    }

    /// A draft of a spreadsheet.
    pub(crate) fn draft(&self, book: Spreadsheet, now: Timestamp) -> Draft {
        Draft { book, ids: self.ids.clone(), now, switches: self.switches, user: self.user.clone() }
    }

    /// Puts a new spreadsheet into the office; gives its id.
    pub(crate) fn open(&mut self, book: Spreadsheet, now: Timestamp) -> String {
        let id = book.id.clone();
        let file = File::new(self.ids.permission(), &self.user, now);
        self.documents.push(Document { book, file, shared: true });
        id
    }
}

#[cfg(test)]
mod tests;
