//! An office with one spreadsheet, for tests: calls in short, and answers that are no refusals.

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::call::Call;
use super::office::Office;

/// An office and the id of a spreadsheet in it.
pub(crate) struct Bench {
    pub(crate) office: Office,
    pub(crate) id: String,
}

/// The moment of every call.
pub(crate) fn now() -> Timestamp {
    "2026-03-13T06:00:00Z".parse().unwrap()
}

/// A text as a part of a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Bench {
    /// A spreadsheet of one sheet, `Sheet1`, whose id is 0.
    pub(crate) fn new() -> Self {
        let mut office = Office::new(1);
        office.open_spreadsheet("book", "Book", now()).unwrap();
        Self { office, id: "book".into() }
    }

    /// With a sheet of that size, which holds these values as if they were typed.
    pub(crate) fn of(rows: u32, columns: u32, values: &Value) -> Self {
        let mut bench = Self::new();
        bench.batch(&json!([{"updateSheetProperties": {
            "properties": {"gridProperties": {"rowCount": rows, "columnCount": columns}},
            "fields": "gridProperties(rowCount,columnCount)"
        }}]));
        bench.type_in("A1", values);
        bench
    }

    /// Any call; the path goes on behind the id of the spreadsheet.
    pub(crate) fn call(&mut self, method: &str, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let path = if path.starts_with("/v4") || path.starts_with("/drive") {
            path.to_owned()
        } else {
            format!("/v4/spreadsheets/{}{path}", self.id)
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let call = Call { method, path: &path, query, body: body.as_bytes(), now: now() };
        let answer = self.office.answer(&call);
        (answer.status, answer.body.unwrap_or_default())
    }

    /// A call that has to go well.
    pub(crate) fn ok(&mut self, method: &str, path: &str, query: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method, path, query, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// A call that has to be refused; gives the message. Nothing must have changed.
    pub(crate) fn refused(&mut self, method: &str, path: &str, query: &str, body: &Value) -> String {
        let before = self.office.clone();
        let (status, answer) = self.call(method, path, query, body);
        assert!(status >= 400, "{method} {path}: {answer}");
        assert!(self.office == before, "{method} {path}: a refused call has changed something");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }

    /// A batch of changes; gives the replies.
    pub(crate) fn batch(&mut self, requests: &Value) -> Value {
        self.ok("POST", ":batchUpdate", "", &json!({"requests": requests}))["replies"].take()
    }

    /// A batch that has to be refused; gives the message.
    pub(crate) fn batch_refused(&mut self, requests: &Value) -> String {
        self.refused("POST", ":batchUpdate", "", &json!({"requests": requests}))
    }

    /// Writes values as if they were typed.
    pub(crate) fn type_in(&mut self, range: &str, values: &Value) -> Value {
        self.write(range, "valueInputOption=USER_ENTERED", values)
    }

    /// Writes values with these options.
    pub(crate) fn write(&mut self, range: &str, query: &str, values: &Value) -> Value {
        self.ok("PUT", &format!("/values/{}", encoded(range)), query, &json!({"values": values}))
    }

    /// The values of a range; null if it has none.
    pub(crate) fn values(&mut self, range: &str) -> Value {
        self.read(range, "")["values"].take()
    }

    /// A range as the API gives it.
    pub(crate) fn read(&mut self, range: &str, query: &str) -> Value {
        self.ok("GET", &format!("/values/{}", encoded(range)), query, &Value::Null)
    }

    /// The formulas of a range.
    pub(crate) fn formulas(&mut self, range: &str) -> Value {
        self.read(range, "valueRenderOption=FORMULA")["values"].take()
    }

    /// Fields of the spreadsheet.
    pub(crate) fn fields(&mut self, fields: &str) -> Value {
        self.ok("GET", "", &format!("fields={}", encoded(fields)), &Value::Null)
    }

    /// Fields of the first sheet.
    pub(crate) fn sheet(&mut self, fields: &str) -> Value {
        self.fields(&format!("sheets({fields})"))["sheets"][0].take()
    }

    /// Fields of one cell.
    pub(crate) fn cell(&mut self, range: &str, fields: &str) -> Value {
        let query = format!(
            "ranges={}&fields={}",
            encoded(range),
            encoded(&format!("sheets.data.rowData.values({fields})"))
        );
        let answer = self.ok("GET", "", &query, &Value::Null);
        answer.pointer("/sheets/0/data/0/rowData/0/values/0").cloned().unwrap_or_default()
    }
}
