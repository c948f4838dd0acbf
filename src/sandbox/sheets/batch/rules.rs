//! Conditional formatting.

use serde_json::{Value, json};

use super::request::{
    Fields, Reply, index, integer, needed, object, objects, place, sheet, tab, tab_mut, text,
};
use crate::sandbox::sheets::draft::Draft;
use crate::sandbox::sheets::format::complete_colors;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::tab::Rule;
use crate::sandbox::sheets::view;

/// `addConditionalFormatRule`
pub(super) fn add(draft: &mut Draft, request: &Fields) -> Reply {
    let (at, rule) = read(draft, needed(request, "rule")?)?;
    let index = index(request, "index")?.unwrap_or(0) as usize;
    let rules = &mut tab_mut(draft, at)?.rules;
    if index > rules.len() {
        let highest = rules.len();
        return Err(Refusal::invalid(format!(
            "Index too large: {index}. Highest allowed index is: {highest}"
        )));
    }
    rules.insert(index, rule);
    Ok(None)
}

/// `updateConditionalFormatRule`: another rule in its place, or the same one in another place.
pub(super) fn update(draft: &mut Draft, request: &Fields) -> Reply {
    let from = index(request, "index")?.unwrap_or(0) as usize;
    let new = match object(request, "rule") {
        Some(rule) => Some(read(draft, rule)?),
        None => None,
    };
    let at = match &new {
        Some((at, _)) if !request.contains_key("sheetId") => *at,
        _ => sheet(draft, integer(request, "sheetId").unwrap_or(0))?,
    };
    check_index(draft, at, from)?;
    let id = tab(draft, at)?.id;
    let rules = &mut tab_mut(draft, at)?.rules;
    if let Some((_, new)) = new {
        let shown = view::rule(&new, id);
        let old = rules.get_mut(from).map(|place| view::rule(&std::mem::replace(place, new), id));
        let reply = Object::new().some("oldRule", old).with("newRule", shown);
        return Ok(Some(reply.count("oldIndex", from as u32).count("newIndex", from as u32).into()));
    }
    let to = index(request, "newIndex")?.unwrap_or(0) as usize;
    if to >= rules.len() {
        let highest = rules.len() - 1;
        return Err(Refusal::invalid(format!("Index too large: {to}. Highest allowed index is: {highest}")));
    }
    let rule = rules.remove(from);
    let shown = view::rule(&rule, id);
    rules.insert(to, rule);
    let reply =
        Object::new().with("newRule", shown).count("oldIndex", from as u32).count("newIndex", to as u32);
    Ok(Some(reply.into()))
}

/// `deleteConditionalFormatRule`
pub(super) fn delete(draft: &mut Draft, request: &Fields) -> Reply {
    let at = sheet(draft, integer(request, "sheetId").unwrap_or(0))?;
    let index = index(request, "index")?.unwrap_or(0) as usize;
    check_index(draft, at, index)?;
    let tab = tab_mut(draft, at)?;
    let rule = view::rule(&tab.rules.remove(index), tab.id);
    Ok(Some(json!({"rule": rule})))
}

fn check_index(draft: &Draft, at: usize, index: usize) -> Result<(), Refusal> {
    let tab = tab(draft, at)?;
    if index < tab.rules.len() {
        return Ok(());
    }
    Err(Refusal::invalid(format!("No conditional format on sheet: {} at index: {index}", tab.id)))
}

/// A rule and the sheet that all of its ranges are on.
fn read(draft: &Draft, rule: &Fields) -> Result<(usize, Rule), Refusal> {
    let mut ranges = Vec::new();
    let mut sheet = None;
    for range in objects(rule, "ranges") {
        let place = place(draft, range)?;
        draft.book.closed(place)?;
        if *sheet.get_or_insert(place.tab) != place.tab {
            return Err(Refusal::invalid("All ranges of a rule must be on the same sheet."));
        }
        ranges.push(place.bounds);
    }
    let Some(sheet) = sheet else {
        return Err(Refusal::invalid("At least one range must be specified."));
    };
    if let Some(gradient) = object(rule, "gradientRule") {
        check_gradient(gradient)?;
    } else {
        let condition = object(rule, "booleanRule").and_then(|rule| object(rule, "condition"));
        if condition.is_none_or(|condition| text(condition, "type").is_empty()) {
            return Err(Refusal::invalid("No condition was specified."));
        }
    }
    let mut body = Value::Object(rule.clone());
    complete_colors(&mut body);
    let mut body = body.as_object().cloned().unwrap_or_default();
    body.shift_remove("ranges");
    Ok((sheet, Rule { ranges, body }))
}

/// A scale of colours has two ends, and numbers where it needs some.
fn check_gradient(gradient: &Fields) -> Result<(), Refusal> {
    for name in ["minpoint", "midpoint", "maxpoint"] {
        let point = object(gradient, name);
        if point.is_none() && name == "midpoint" {
            continue;
        }
        let kind = point.map_or("", |point| text(point, "type"));
        if kind.is_empty() {
            return Err(Refusal::invalid("No interpolationPointType specified."));
        }
        let value = point.map_or("", |point| text(point, "value"));
        if !matches!(kind, "MIN" | "MAX") && value.is_empty() {
            return Err(Refusal::invalid("InterpolationPoint.value is required."));
        }
    }
    Ok(())
}
