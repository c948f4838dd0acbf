//! How values are given: as shown, as they are, or as formulas.

use serde_json::{Map, Value};

use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::cell::{Cell, Content};
use crate::sandbox::sheets::display;
use crate::sandbox::sheets::formula::Calculator;
use crate::sandbox::sheets::json::Object;
use crate::sandbox::sheets::query::Query;
use crate::sandbox::sheets::refusal::Refusal;
use crate::sandbox::sheets::value::Scalar;

/// In which form values are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Formatted,
    Unformatted,
    Formula,
}

/// How a range of values is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rendering {
    pub(crate) form: Form,
    /// Dates are given as they are shown, also where nothing else is.
    pub(crate) dates_shown: bool,
    /// By columns.
    pub(crate) columns: bool,
}

impl Rendering {
    /// From the query of a read.
    pub(super) fn of_query(query: &Query) -> Result<Self, Refusal> {
        let form = query.choice("valueRenderOption", "ValueRenderOption")?;
        let dates = query.choice("dateTimeRenderOption", "DateTimeRenderOption")?;
        Ok(Self::of(form, dates, query.choice("majorDimension", "Dimension")?))
    }

    /// From the body of a read.
    pub(super) fn of_body(body: &Map<String, Value>) -> Self {
        let text = |name| super::text(body, name);
        Self::of(text("valueRenderOption"), text("dateTimeRenderOption"), text("majorDimension"))
    }

    /// For the values that an answer to a write repeats; none if it repeats none.
    pub(super) fn of_response(query: &Query) -> Result<Option<Self>, Refusal> {
        let form = query.choice("responseValueRenderOption", "ValueRenderOption")?;
        let dates = query.choice("responseDateTimeRenderOption", "DateTimeRenderOption")?;
        Ok(query.flag("includeValuesInResponse").then(|| Self::of(form, dates, "")))
    }

    /// The same, from the body of a write.
    pub(super) fn of_response_body(body: &Map<String, Value>) -> Option<Self> {
        let text = |name| super::text(body, name);
        let wanted = body.get("includeValuesInResponse").and_then(Value::as_bool).unwrap_or_default();
        wanted.then(|| Self::of(text("responseValueRenderOption"), text("responseDateTimeRenderOption"), ""))
    }

    fn of(form: &str, dates: &str, dimension: &str) -> Self {
        let form = match form {
            "UNFORMATTED_VALUE" => Form::Unformatted,
            "FORMULA" => Form::Formula,
            _ => Form::Formatted,
        };
        Self { form, dates_shown: dates == "FORMATTED_STRING", columns: dimension == "COLUMNS" }
    }

    /// The values of a rectangle as a `ValueRange`, without what is blank at the ends.
    pub(crate) fn value_range(self, calc: &Calculator<'_>, tab: usize, rect: Rect) -> Value {
        let lines = if self.columns {
            let columns =
                rect.columns().map(|column| self.line(calc, rect.rows().map(|row| (tab, row, column))));
            without_blank_end(columns.collect())
        } else {
            let kept = calc.book().tab(tab).map_or(0, |tab| tab.grid.kept_rows());
            let rows = rect.top..rect.bottom.min(kept).max(rect.top);
            let rows = rows.map(|row| self.line(calc, rect.columns().map(|column| (tab, row, column))));
            without_blank_end(rows.collect())
        };
        Object::new()
            .with("range", calc.book().shown(tab, &rect.a1()))
            .with("majorDimension", if self.columns { "COLUMNS" } else { "ROWS" })
            .list("values", lines.into_iter().map(Value::Array).collect())
            .into()
    }

    fn line(self, calc: &Calculator<'_>, keys: impl Iterator<Item = (usize, u32, u32)>) -> Vec<Value> {
        let mut line = Vec::new();
        let mut blanks = 0;
        for key in keys {
            match self.cell(calc, key) {
                None => blanks += 1,
                Some(value) => {
                    line.extend(std::iter::repeat_n(Value::from(""), std::mem::take(&mut blanks)));
                    line.push(value);
                }
            }
        }
        line
    }

    /// A cell; none if it has nothing to give.
    fn cell(self, calc: &Calculator<'_>, key: (usize, u32, u32)) -> Option<Value> {
        let cell = calc.book().tab(key.0)?.grid.cell(key.1, key.2);
        if cell.is_blank() {
            return None;
        }
        if let (Form::Formula, Content::Formula(formula)) = (self.form, cell.content()) {
            return Some(Value::from(formula.text()));
        }
        let value = calc.value(key);
        let value = match self.form {
            Form::Formatted => Value::from(shown(calc, key, cell, &value)),
            _ if self.dates_shown && is_date(calc, key, cell, &value) => {
                Value::from(shown(calc, key, cell, &value))
            }
            _ => value.unformatted(),
        };
        (value.as_str() != Some("")).then_some(value)
    }
}

fn without_blank_end(mut lines: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    lines
}

/// What a cell shows.
pub(crate) fn shown(calc: &Calculator<'_>, key: (usize, u32, u32), cell: &Cell, value: &Scalar) -> String {
    with_format(calc, key, cell, |format| display::show(value, format, calc.book().locale()))
}

fn is_date(calc: &Calculator<'_>, key: (usize, u32, u32), cell: &Cell, value: &Scalar) -> bool {
    matches!(value, Scalar::Number(_)) && with_format(calc, key, cell, display::is_date)
}

/// Gives the number format of a cell, its own one or the one its formula takes over.
fn with_format<T>(
    calc: &Calculator<'_>,
    key: (usize, u32, u32),
    cell: &Cell,
    act: impl FnOnce(Option<(&str, &str)>) -> T,
) -> T {
    if let Some(format) = cell.number_format() {
        return act(Some(format));
    }
    let taken = calc.format(key);
    act(taken.as_ref().map(|(kind, pattern)| (kind.as_str(), pattern.as_str())))
}
