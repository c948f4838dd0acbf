//! Comments on a file; clients copy them along with it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Fault, document, document_mut, file, text};
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::office::{Document, Office};

/// `comments.list`
pub(super) fn list(document: &Document) -> Value {
    json!({"kind": "drive#commentList", "comments": document.file.comments})
}

/// `comments.create`
pub(super) fn create(
    office: &mut Office,
    id: &str,
    body: &Map<String, Value>,
    now: Timestamp,
) -> Result<Value, Fault> {
    let content = text(body, "content").unwrap_or_default();
    if content.is_empty() {
        return Err(Fault::new(400, "required", "Required").at("content"));
    }
    document(office, id)?;
    let new = office.ids.file();
    let document = document_mut(office, id)?;
    let comment: Value = Object::new()
        .with("kind", "drive#comment")
        .with("id", new)
        .with("createdTime", file::moment(now))
        .with("content", content)
        .some("anchor", text(body, "anchor"))
        .into();
    document.file.comments.push(comment.clone());
    Ok(comment)
}
