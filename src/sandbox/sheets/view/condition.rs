//! Conditions on cells: which rows a filter hides, which format a rule gives, and alternating colours.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sandbox::sheets::cell::Content;
use crate::sandbox::sheets::entry;
use crate::sandbox::sheets::formula::{Calculator, Expr, Formula, order, rewritten};
use crate::sandbox::sheets::tab::Tab;
use crate::sandbox::sheets::value::Scalar;
use crate::sandbox::sheets::values;

/// The rows that the filter of a sheet hides.
pub(super) fn filtered_rows(calc: &Calculator<'_>, tab: &Tab) -> BTreeSet<u32> {
    let mut hidden = BTreeSet::new();
    let (Some(filter), Some(at)) = (&tab.filter, calc.book().position(tab.id)) else { return hidden };
    let rect = tab.clip(filter.bounds);
    let specs =
        filter.body.get("filterSpecs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for spec in specs {
        let column =
            spec.get("columnIndex").and_then(Value::as_u64).and_then(|column| u32::try_from(column).ok());
        let Some(criteria) = spec.get("filterCriteria") else { continue };
        let hides: Vec<&str> = criteria
            .get("hiddenValues")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let condition = criteria.get("condition").and_then(Value::as_object);
        for row in rect.top + 1..rect.bottom {
            let key = (at, row, column.unwrap_or(0));
            let shown = values::shown(calc, key, tab.grid.cell(key.1, key.2), &calc.value(key));
            let fails =
                condition.is_some_and(|condition| !meets(calc, key, (rect.top + 1, key.2), condition));
            if hides.contains(&shown.as_str()) || fails {
                hidden.insert(row);
            }
        }
    }
    hidden
}

/// The format that the first rule which holds gives a cell.
pub(super) fn rule_format(calc: &Calculator<'_>, key: (usize, u32, u32)) -> Option<Map<String, Value>> {
    let tab = calc.book().tab(key.0)?;
    tab.rules.iter().find_map(|rule| {
        let rects: Vec<_> = rule.ranges.iter().map(|range| tab.clip(*range)).collect();
        let first = rects.first()?;
        if !rects.iter().any(|rect| rect.contains(key.1, key.2)) {
            return None;
        }
        let body = rule.body.get("booleanRule")?;
        let condition = body.get("condition")?.as_object()?;
        let holds = meets(calc, key, (first.top, first.left), condition);
        holds.then(|| body.get("format").and_then(Value::as_object).cloned().unwrap_or_default())
    })
}

/// The colour that alternating colours give a cell.
pub(super) fn banding(tab: &Tab, row: u32, column: u32) -> Option<Map<String, Value>> {
    tab.bandings.iter().find_map(|area| {
        let rect = tab.clip(area.bounds);
        if !rect.contains(row, column) {
            return None;
        }
        let by_row = area.body.get("rowProperties").map(|bands| (bands, row - rect.top, rect.height()));
        let by_column =
            area.body.get("columnProperties").map(|bands| (bands, column - rect.left, rect.width()));
        let picked = [by_row, by_column].into_iter().flatten().find_map(|(bands, index, count)| {
            let has = |name: &str| bands.get(name).is_some();
            let name = if index == 0 && has("headerColor") {
                "headerColor"
            } else if index + 1 == count && has("footerColor") {
                "footerColor"
            } else if (index + u32::from(has("headerColor"))).is_multiple_of(2) {
                "firstBandColor"
            } else {
                "secondBandColor"
            };
            let style = bands.get(format!("{name}Style"))?;
            Some(json!({"backgroundColor": bands.get(name)?, "backgroundColorStyle": style}))
        });
        picked.and_then(|format| format.as_object().cloned())
    })
}

/// True if a condition holds for a cell. A formula of the condition is written for `first`.
fn meets(
    calc: &Calculator<'_>,
    key: (usize, u32, u32),
    first: (u32, u32),
    condition: &Map<String, Value>,
) -> bool {
    let kind = condition.get("type").and_then(Value::as_str).unwrap_or_default();
    let value = calc.value(key);
    let Some(cell) = calc.book().tab(key.0).map(|tab| tab.grid.cell(key.1, key.2)) else { return false };
    let text = values::shown(calc, key, cell, &value).to_lowercase();
    let operands: Vec<Scalar> = condition
        .get("values")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|operand| operand_of(calc, key, first, operand))
        .collect();
    let word =
        |at: usize| operands.get(at).map(|operand| show_plain(operand).to_lowercase()).unwrap_or_default();
    let numeric = |test: fn(&Scalar, &Scalar) -> bool| {
        matches!(value, Scalar::Number(_)) && operands.first().is_some_and(|operand| test(&value, operand))
    };
    let between = || {
        let (Some(low), Some(high)) = (operands.first(), operands.get(1)) else { return false };
        matches!(value, Scalar::Number(_)) && order(low, &value).is_le() && order(&value, high).is_le()
    };
    match kind {
        "BLANK" => text.is_empty(),
        "NOT_BLANK" => !text.is_empty(),
        "TEXT_CONTAINS" => text.contains(&word(0)),
        "TEXT_NOT_CONTAINS" => !text.contains(&word(0)),
        "TEXT_STARTS_WITH" => text.starts_with(&word(0)),
        "TEXT_ENDS_WITH" => text.ends_with(&word(0)),
        "TEXT_EQ" => text == word(0),
        "TEXT_NOT_EQ" => text != word(0),
        "TEXT_IS_EMAIL" => {
            text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        }
        "TEXT_IS_URL" => text.starts_with("http://") || text.starts_with("https://"),
        "NUMBER_EQ" | "DATE_EQ" => numeric(|value, operand| order(value, operand).is_eq()),
        "NUMBER_NOT_EQ" | "DATE_NOT_EQ" => !numeric(|value, operand| order(value, operand).is_eq()),
        "NUMBER_GREATER" | "DATE_AFTER" => numeric(|value, operand| order(value, operand).is_gt()),
        "NUMBER_GREATER_THAN_EQ" | "DATE_ON_OR_AFTER" => {
            numeric(|value, operand| order(value, operand).is_ge())
        }
        "NUMBER_LESS" | "DATE_BEFORE" => numeric(|value, operand| order(value, operand).is_lt()),
        "NUMBER_LESS_THAN_EQ" | "DATE_ON_OR_BEFORE" => {
            numeric(|value, operand| order(value, operand).is_le())
        }
        "NUMBER_BETWEEN" | "DATE_BETWEEN" => between(),
        "NUMBER_NOT_BETWEEN" | "DATE_NOT_BETWEEN" => !between(),
        "DATE_IS_VALID" => matches!(value, Scalar::Number(_)),
        "ONE_OF_LIST" => operands.iter().any(|operand| show_plain(operand).to_lowercase() == text),
        "BOOLEAN" => matches!(value, Scalar::Bool(_)),
        "CUSTOM_FORMULA" => operands.first().is_some_and(|operand| {
            matches!(operand, Scalar::Bool(true)) || matches!(operand, Scalar::Number(value) if *value != 0.0)
        }),
        _ => false,
    }
}

fn show_plain(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.to_string(),
        other => other.unformatted().to_string().trim_matches('"').to_owned(),
    }
}

/// A value of a condition, as if typed; a formula goes along with the cell, and a date may be relative.
fn operand_of(calc: &Calculator<'_>, key: (usize, u32, u32), first: (u32, u32), operand: &Value) -> Scalar {
    if let Some(relative) = operand.get("relativeDate").and_then(Value::as_str) {
        let today = entry::serial(calc.clock()).floor();
        let days = match relative {
            "PAST_YEAR" => -365.0,
            "PAST_MONTH" => -30.0,
            "PAST_WEEK" => -7.0,
            "YESTERDAY" => -1.0,
            "TOMORROW" => 1.0,
            _ => 0.0,
        };
        return Scalar::Number(today + days);
    }
    let text = operand.get("userEnteredValue").and_then(Value::as_str).unwrap_or_default();
    let entered = entry::entered(text, None, calc.book(), Timestamp::UNIX_EPOCH);
    let Content::Formula(formula) = entered.content else {
        return entered.content.scalar().unwrap_or_default();
    };
    let by = (i64::from(key.1) - i64::from(first.0), i64::from(key.2) - i64::from(first.1));
    let moved = rewritten(formula.text(), formula.decimal_comma(), |reference| reference.copied(by.0, by.1));
    let moved = moved.map(|text| Formula::new(&text, formula.decimal_comma()));
    let expr: Option<&Expr> = moved.as_ref().map_or_else(|| formula.expr(), Formula::expr);
    expr.map(|expr| calc.work_out(expr, key)).unwrap_or_default()
}
