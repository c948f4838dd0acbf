//! Developer metadata.

use serde_json::{Value, json};

use super::request::{Fields, Reply, integer, mask, needed, object, objects, tab, text};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::metadata::{Location, Metadata};
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::values::selected;

/// `createDeveloperMetadata`
pub(super) fn create(draft: &mut Draft, request: &Fields) -> Reply {
    let fields = needed(request, "developerMetadata")?;
    let (key, visibility) = (text(fields, "metadataKey"), text(fields, "visibility"));
    if key.is_empty() {
        return Err(Refusal::invalid("Developer metadata must have a key."));
    }
    if visibility.is_empty() {
        return Err(Refusal::invalid("Developer metadata must have a visibility."));
    }
    let location = location(draft, fields)?;
    let taken = |id: i32| draft.book.metadata.iter().any(|metadata| metadata.id == id);
    let id = match integer(fields, "metadataId") {
        Some(id) if id < 0 => return Err(Refusal::invalid("metadataId must be positive.")),
        Some(id) if taken(id) => {
            return Err(Refusal::invalid(format!("Developer metadata with id {id} already exists.")));
        }
        Some(id) => id,
        None => draft.ids.number(taken),
    };
    let metadata = Metadata {
        id,
        key: key.to_owned(),
        value: text(fields, "metadataValue").to_owned(),
        visibility: visibility.to_owned(),
        location,
    };
    let reply = json!({"developerMetadata": metadata.json()});
    draft.book.metadata.push(metadata);
    Ok(Some(reply))
}

/// `updateDeveloperMetadata`: all that one of the filters selects.
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let mask = mask(request, "DeveloperMetadata")?;
    let fields = needed(request, "developerMetadata")?;
    let place = if mask.has("location") && fields.contains_key("location") {
        Some(location(draft, fields)?)
    } else {
        None
    };
    let mut ids = Vec::new();
    for filter in objects(request, "dataFilters") {
        ids.extend(selected(&draft.book, filter)?.into_iter().map(|metadata| metadata.id));
    }
    let mut changed = Vec::new();
    for metadata in draft.book.metadata.iter_mut().filter(|metadata| ids.contains(&metadata.id)) {
        for (name, target) in [
            ("metadataKey", &mut metadata.key),
            ("metadataValue", &mut metadata.value),
            ("visibility", &mut metadata.visibility),
        ] {
            let given = text(fields, name);
            if mask.has(name) && (!given.is_empty() || name == "metadataValue") {
                given.clone_into(target);
            }
        }
        if let Some(place) = place {
            metadata.location = place;
        }
        changed.push(metadata.json());
    }
    Ok(Some(Object::new().list("developerMetadata", changed).into()))
}

/// `deleteDeveloperMetadata`: all that the filter selects.
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let filter = needed(request, "dataFilter")?;
    let ids: Vec<i32> = selected(&draft.book, filter)?.into_iter().map(|metadata| metadata.id).collect();
    let mut deleted: Vec<Value> = Vec::new();
    draft.book.metadata.retain(|metadata| {
        let gone = ids.contains(&metadata.id);
        if gone {
            deleted.push(metadata.json());
        }
        !gone
    });
    Ok(Some(Object::new().list("deletedDeveloperMetadata", deleted).into()))
}

fn location(draft: &Draft, fields: &Fields) -> Result<Location, Refusal> {
    let location = object(fields, "location").and_then(Location::read).ok_or_else(|| {
        Refusal::invalid("Developer metadata must be on a spreadsheet, a sheet, or one row or column.")
    })?;
    if let Some(id) = location.sheet() {
        let at = draft.book.position(id).ok_or_else(|| Refusal::invalid(format!("No grid with id: {id}")))?;
        if let Location::Line(_, axis, index) = location {
            let size = tab(draft, at)?.grid.size(axis);
            if index >= size {
                return Err(Refusal::invalid(format!(
                    "range.startIndex is larger than current grid size ({size})"
                )));
            }
        }
    }
    Ok(location)
}
