//! Google Drive, as far as it is about spreadsheets: files, who may see them, and CSV.

mod comments;
mod export;
mod file;
mod files;
mod permissions;
mod search;

use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Endpoint, Route};
use super::office::{Document, Office};
use super::query::Query;
use super::schema::{Mask, MaskError};

pub(crate) use file::File;

/// The type of a spreadsheet.
pub(crate) const SPREADSHEET: &str = "application/vnd.google-apps.spreadsheet";

/// Carries out a call.
pub(super) fn answer(office: &mut Office, route: &Route, query: &Query, call: &Call<'_>) -> Answer {
    carry_out(office, route, query, call).unwrap_or_else(|error| error.answer())
}

/// A path that Drive does not know.
pub(super) fn unknown_path() -> Answer {
    Fault::new(404, "notFound", "Not Found").answer()
}

fn carry_out(office: &mut Office, route: &Route, query: &Query, call: &Call<'_>) -> Result<Answer, Fault> {
    let (id, part) = (route.part(0), route.part(1));
    let shown = match route.endpoint() {
        Endpoint::About => files::about(office, query)?,
        Endpoint::FileList => files::list(office, query)?,
        Endpoint::FileCreate => files::create(office, &body(call)?, call.now)?,
        Endpoint::FileGet => files::get(document(office, id)?),
        Endpoint::FileUpdate => files::update(office, id, &body(call)?, call.now)?,
        Endpoint::FileDelete => {
            document(office, id)?;
            office.documents.retain(|document| document.book.id != id);
            return Ok(Answer::empty());
        }
        Endpoint::FileCopy => files::copy(office, id, &body(call)?, call.now)?,
        Endpoint::FileExport => return export::export(&document(office, id)?.book, query, call.now),
        Endpoint::FileImport => export::import(office, id, call)?,
        Endpoint::PermissionList => permissions::list(document(office, id)?),
        Endpoint::PermissionCreate => permissions::create(office, id, &body(call)?, query)?,
        Endpoint::PermissionGet => permissions::get(document(office, id)?, part)?,
        Endpoint::PermissionUpdate => permissions::update(office, id, part, &body(call)?, query)?,
        Endpoint::PermissionDelete => {
            permissions::delete(office, id, part)?;
            return Ok(Answer::empty());
        }
        Endpoint::CommentList => comments::list(document(office, id)?),
        Endpoint::CommentCreate => comments::create(office, id, &body(call)?, call.now)?,
        _ => return Err(Fault::new(404, "notFound", "Not Found")),
    };
    masked(shown, query, route.endpoint())
}

/// What is shown where nothing is asked for.
fn default_fields(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::FileList => "kind,nextPageToken,incompleteSearch,files(kind,id,name,mimeType)",
        Endpoint::FileCreate | Endpoint::FileGet | Endpoint::FileUpdate | Endpoint::FileCopy => {
            "kind,id,name,mimeType"
        }
        Endpoint::PermissionList => "kind,nextPageToken,permissions(kind,id,type,role)",
        Endpoint::PermissionCreate | Endpoint::PermissionGet | Endpoint::PermissionUpdate => {
            "kind,id,type,role"
        }
        _ => "*",
    }
}

fn masked(mut shown: Value, query: &Query, endpoint: Endpoint) -> Result<Answer, Fault> {
    // Drive takes blanks around the names, which Sheets does not.
    let text: String = match query.get("fields") {
        Some(text) => text.chars().filter(|c| !c.is_whitespace()).collect(),
        None => default_fields(endpoint).into(),
    };
    let mask = Mask::parse(&text).map_err(|error| match error {
        MaskError::Malformed | MaskError::Unknown(_) => {
            Fault::new(400, "invalidParameter", format!("Invalid field selection {text}")).at("fields")
        }
    })?;
    mask.prune(&mut shown);
    Ok(Answer::json(200, shown))
}

/// The body of a call, an object.
fn body(call: &Call<'_>) -> Result<Map<String, Value>, Fault> {
    if call.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(call.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Fault::new(400, "parseError", "Parse Error")),
    }
}

/// A text of a body.
fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// A file that the caller may see. One that is not shared is not found.
fn document<'a>(office: &'a Office, id: &str) -> Result<&'a Document, Fault> {
    office.document(id).map_err(|_| Fault::file_not_found(id))
}

fn document_mut<'a>(office: &'a mut Office, id: &str) -> Result<&'a mut Document, Fault> {
    office.document_mut(id).map_err(|_| Fault::file_not_found(id))
}

/// Why a call is not carried out, in the words of Drive.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    code: u16,
    reason: &'static str,
    message: String,
    /// The parameter that is wrong.
    parameter: Option<&'static str>,
}

impl Fault {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), parameter: None }
    }

    fn at(self, parameter: &'static str) -> Self {
        Self { parameter: Some(parameter), ..self }
    }

    fn file_not_found(id: &str) -> Self {
        Self::new(404, "notFound", format!("File not found: {id}.")).at("fileId")
    }

    fn answer(&self) -> Answer {
        let mut error = json!({"message": self.message, "domain": "global", "reason": self.reason});
        if let Some(parameter) = self.parameter {
            error["location"] = parameter.into();
            error["locationType"] = "parameter".into();
        }
        let body = json!({"error": {"code": self.code, "message": self.message, "errors": [error]}});
        Answer::json(self.code, body)
    }
}

#[cfg(test)]
mod tests;
