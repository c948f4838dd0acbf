//! Files: made, found, changed, copied.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::search::Search;
use super::{Fault, SPREADSHEET, document, document_mut, file, text};
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::office::{Document, Office};
use crate::sandbox::sheets::query::Query;
use crate::sandbox::sheets::spreadsheet::Spreadsheet;

/// `about.get`
pub(super) fn about(office: &Office, query: &Query) -> Result<Value, Fault> {
    if query.get("fields").is_none() {
        let message = "The 'fields' parameter is required for this method.";
        return Err(Fault::new(400, "required", message).at("fields"));
    }
    let name = office.user().split('@').next().unwrap_or_default();
    let user = json!({"kind": "drive#user", "displayName": name, "me": true, "emailAddress": office.user()});
    Ok(json!({"kind": "drive#about", "user": user}))
}

/// `files.get`
pub(super) fn get(document: &Document) -> Value {
    file::json(document)
}

/// The most files of a page, and how many there are if nobody says.
const PAGE: [usize; 2] = [1000, 100];

/// `files.list`
pub(super) fn list(office: &Office, query: &Query) -> Result<Value, Fault> {
    let search = Search::parse(query.get("q").unwrap_or_default())
        .ok_or_else(|| Fault::new(400, "invalid", "Invalid Value").at("q"))?;
    let [most, usual] = PAGE;
    let size = match query.get("pageSize") {
        Some(size) => size.parse().ok().filter(|size| (1..=most).contains(size)).ok_or_else(|| {
            Fault::new(
                400,
                "invalidParameter",
                format!("Invalid value '{size}'. Values must be within the range: [1, {most}]"),
            )
            .at("pageSize")
        })?,
        None => usual,
    };
    let start = match query.get("pageToken") {
        Some(token) => token
            .strip_prefix("~!!~")
            .and_then(|token| token.parse::<usize>().ok())
            .ok_or_else(|| Fault::new(400, "invalid", "Invalid Value").at("pageToken"))?,
        None => 0,
    };
    let mut found: Vec<&Document> =
        office.documents.iter().filter(|document| document.shared && search.meets(document)).collect();
    sort(&mut found, query.get("orderBy").unwrap_or("modifiedTime desc"))?;
    let end = (start + size).min(found.len());
    let next = (end < found.len()).then(|| format!("~!!~{end}"));
    let files: Vec<Value> = found.iter().take(end).skip(start).map(|document| file::json(document)).collect();
    Ok(Object::new()
        .with("kind", "drive#fileList")
        .some("nextPageToken", next)
        .with("incompleteSearch", false)
        .with("files", files)
        .into())
}

fn sort(found: &mut [&Document], order: &str) -> Result<(), Fault> {
    let mut keys: Vec<&str> = order.split(',').collect();
    keys.reverse();
    for key in keys {
        let (name, descending) = match key.trim().split_once(' ') {
            Some((name, "desc")) => (name, true),
            Some(_) => return Err(Fault::new(400, "invalid", "Invalid Value").at("orderBy")),
            None => (key.trim(), false),
        };
        found.sort_by(|left, right| {
            let order = match name {
                "createdTime" => left.file.created.cmp(&right.file.created),
                "name" | "name_natural" => {
                    left.book.title.to_lowercase().cmp(&right.book.title.to_lowercase())
                }
                _ => left.file.modified.cmp(&right.file.modified),
            };
            if descending { order.reverse() } else { order }
        });
    }
    Ok(())
}

/// `files.create`
pub(super) fn create(office: &mut Office, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Fault> {
    check_type(body)?;
    let name = text(body, "name").unwrap_or("Untitled");
    let book = Spreadsheet::new(office.ids.file(), name);
    let id = office.open(book, now);
    let document = document_mut(office, &id)?;
    set(document, body);
    Ok(file::json(document))
}

/// `files.update`
pub(super) fn update(
    office: &mut Office,
    id: &str,
    body: &Map<String, Value>,
    now: Timestamp,
) -> Result<Value, Fault> {
    check_type(body)?;
    let document = document_mut(office, id)?;
    if let Some(name) = text(body, "name") {
        name.clone_into(&mut document.book.title);
    }
    set(document, body);
    document.file.touch(now);
    Ok(file::json(document))
}

/// `files.copy`
pub(super) fn copy(
    office: &mut Office,
    id: &str,
    body: &Map<String, Value>,
    now: Timestamp,
) -> Result<Value, Fault> {
    check_type(body)?;
    let source = document(office, id)?;
    let mut book = source.book.clone();
    let parents = source.file.parents.clone();
    book.id = office.ids.file();
    book.title = text(body, "name").map_or_else(|| format!("Copy of {}", book.title), str::to_owned);
    let id = office.open(book, now);
    let document = document_mut(office, &id)?;
    document.file.parents = parents;
    set(document, body);
    Ok(file::json(document))
}

fn check_type(body: &Map<String, Value>) -> Result<(), Fault> {
    match text(body, "mimeType") {
        None | Some(SPREADSHEET) => Ok(()),
        Some(other) => {
            Err(Fault::new(400, "badRequest", format!("The sandbox only serves spreadsheets, not {other}.")))
        }
    }
}

fn set(document: &mut Document, body: &Map<String, Value>) {
    let file = &mut document.file;
    if let Some(parents) = body.get("parents").and_then(Value::as_array) {
        file.parents = parents.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    if let Some(description) = text(body, "description") {
        description.clone_into(&mut file.description);
    }
    for (name, flag) in [("trashed", &mut file.trashed), ("starred", &mut file.starred)] {
        if let Some(value) = body.get(name).and_then(Value::as_bool) {
            *flag = value;
        }
    }
}
