//! Who may do what with a file.

use serde_json::{Map, Value};

use super::file::Permission;
use super::{Fault, document, document_mut, text};
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::office::{Document, Office};
use crate::sandbox::sheets::query::Query;

/// `permissions.list`
pub(super) fn list(document: &Document) -> Value {
    let permissions: Vec<Value> = document.file.permissions.iter().map(Permission::json).collect();
    Object::new().with("kind", "drive#permissionList").with("permissions", permissions).into()
}

/// `permissions.get`
pub(super) fn get(document: &Document, id: &str) -> Result<Value, Fault> {
    let found = document.file.permissions.iter().find(|permission| permission.id == id);
    found.map(Permission::json).ok_or_else(|| not_found(id))
}

/// The roles that a permission may give.
const ROLES: [&str; 6] = ["owner", "organizer", "fileOrganizer", "writer", "commenter", "reader"];

/// `permissions.create`: the same address gets another role, not a second permission.
pub(super) fn create(
    office: &mut Office,
    id: &str,
    body: &Map<String, Value>,
    query: &Query,
) -> Result<Value, Fault> {
    let (kind, role) = (text(body, "type").unwrap_or_default(), text(body, "role").unwrap_or_default());
    check_role(role, query)?;
    let address = match kind {
        "user" | "group" => text(body, "emailAddress"),
        "domain" => text(body, "domain"),
        "anyone" => Some(""),
        _ => {
            return Err(
                Fault::new(400, "required", "The permission type field is required.").at("permission.type")
            );
        }
    };
    let Some(address) = address.map(str::to_owned) else {
        return Err(Fault::new(
            400,
            "invalid",
            "The specified emailAddress is invalid or not applicable for the given permission type.",
        ));
    };
    let (kind, role) = (kind.to_owned(), role.to_owned());
    document(office, id)?;
    let new = if kind == "anyone" { "anyoneWithLink".to_owned() } else { office.ids.permission() };
    let permissions = &mut document_mut(office, id)?.file.permissions;
    let same = |other: &&mut Permission| other.kind == kind && other.address == address;
    if let Some(permission) = permissions.iter_mut().find(same) {
        permission.role = role;
        return Ok(permission.json());
    }
    let permission = Permission { id: new, kind, role, address, pending_owner: false };
    let shown = permission.json();
    permissions.push(permission);
    Ok(shown)
}

/// `permissions.update`
pub(super) fn update(
    office: &mut Office,
    id: &str,
    permission: &str,
    body: &Map<String, Value>,
    query: &Query,
) -> Result<Value, Fault> {
    let role = text(body, "role");
    if let Some(role) = role {
        check_role(role, query)?;
    }
    let permissions = &mut document_mut(office, id)?.file.permissions;
    let Some(at) = permissions.iter().position(|other| other.id == permission) else {
        return Err(not_found(permission));
    };
    if role == Some("owner") {
        for other in permissions.iter_mut().filter(|other| other.role == "owner") {
            other.role = "writer".into();
        }
    }
    let Some(found) = permissions.get_mut(at) else { return Err(not_found(permission)) };
    if let Some(role) = role {
        role.clone_into(&mut found.role);
    }
    if let Some(pending) = body.get("pendingOwner").and_then(Value::as_bool) {
        found.pending_owner = pending;
    }
    if role == Some("owner") {
        found.pending_owner = false;
    }
    Ok(found.json())
}

/// `permissions.delete`
pub(super) fn delete(office: &mut Office, id: &str, permission: &str) -> Result<(), Fault> {
    let permissions = &mut document_mut(office, id)?.file.permissions;
    match permissions.iter().position(|other| other.id == permission) {
        Some(at) if permissions.get(at).is_some_and(|other| other.role == "owner") => {
            Err(Fault::new(403, "forbidden", "The owner of a file cannot be removed."))
        }
        Some(at) => {
            permissions.remove(at);
            Ok(())
        }
        None => Err(not_found(permission)),
    }
}

fn check_role(role: &str, query: &Query) -> Result<(), Fault> {
    if !ROLES.contains(&role) {
        return Err(
            Fault::new(400, "required", "The permission role field is required.").at("permission.role")
        );
    }
    if role == "owner" && !query.flag("transferOwnership") {
        let message = "The transferOwnership parameter must be enabled when the permission role is 'owner'.";
        return Err(Fault::new(403, "forbidden", message).at("transferOwnership"));
    }
    Ok(())
}

fn not_found(id: &str) -> Fault {
    Fault::new(404, "notFound", format!("Permission not found: {id}.")).at("permissionId")
}
