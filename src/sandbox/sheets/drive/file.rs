//! What Drive knows of a file beside its contents.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::SPREADSHEET;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::office::Document;

/// The file of a spreadsheet; its name is the title of the spreadsheet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File {
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// Grows with every change.
    pub(crate) version: u64,
    pub(crate) parents: Vec<String>,
    pub(crate) description: String,
    pub(crate) trashed: bool,
    pub(crate) starred: bool,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) comments: Vec<Value>,
}

/// Who may do what with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) id: String,
    /// `user`, `group`, `domain` or `anyone`.
    pub(crate) kind: String,
    /// `owner`, `writer`, `commenter`, `reader` and the like.
    pub(crate) role: String,
    /// The address of a user or a group, or the name of a domain.
    pub(crate) address: String,
    /// The user is to become the owner.
    pub(crate) pending_owner: bool,
}

impl File {
    /// A new file of an owner.
    pub(crate) fn new(permission: String, owner: &str, now: Timestamp) -> Self {
        let owner = Permission {
            id: permission,
            kind: "user".into(),
            role: "owner".into(),
            address: owner.to_owned(),
            pending_owner: false,
        };
        Self {
            created: now,
            modified: now,
            version: 1,
            parents: vec!["root".into()],
            description: String::new(),
            trashed: false,
            starred: false,
            permissions: vec![owner],
            comments: Vec::new(),
        }
    }

    /// Something was changed.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.modified = now.max(self.modified);
        self.version += 1;
    }
}

impl Permission {
    /// As Drive shows it.
    pub(crate) fn json(&self) -> Value {
        let by_address = matches!(self.kind.as_str(), "user" | "group");
        let name = self.address.split('@').next().unwrap_or_default();
        Object::new()
            .with("kind", "drive#permission")
            .with("id", self.id.as_str())
            .with("type", self.kind.as_str())
            .some("emailAddress", by_address.then_some(self.address.as_str()))
            .some("domain", (self.kind == "domain").then_some(self.address.as_str()))
            .with("role", self.role.as_str())
            .some("displayName", by_address.then_some(name))
            .some("allowFileDiscovery", (!by_address).then_some(false))
            .some("deleted", by_address.then_some(false))
            .some("pendingOwner", by_address.then_some(self.pending_owner))
            .into()
    }
}

/// A moment as Drive writes it.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// All that is known of a file.
pub(super) fn json(document: &Document) -> Value {
    let (book, file) = (&document.book, &document.file);
    let owners: Vec<Value> = file
        .permissions
        .iter()
        .filter(|permission| permission.role == "owner")
        .map(|permission| {
            let name = permission.address.split('@').next().unwrap_or_default();
            json!({"kind": "drive#user", "displayName": name, "me": true, "permissionId": permission.id, "emailAddress": permission.address})
        })
        .collect();
    let permissions: Vec<Value> = file.permissions.iter().map(Permission::json).collect();
    Object::new()
        .with("kind", "drive#file")
        .with("id", book.id.as_str())
        .with("name", book.title.as_str())
        .with("mimeType", SPREADSHEET)
        .text("description", &file.description)
        .with("starred", file.starred)
        .with("trashed", file.trashed)
        .with("parents", file.parents.clone())
        .with("version", file.version.to_string())
        .with("webViewLink", format!("https://docs.google.com/spreadsheets/d/{}/edit", book.id))
        .with("createdTime", moment(file.created))
        .with("modifiedTime", moment(file.modified))
        .with("owners", owners)
        .with("ownedByMe", true)
        .with("shared", file.permissions.len() > 1)
        .with("permissions", permissions)
        .into()
}
