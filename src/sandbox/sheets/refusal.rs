//! Why a call is not carried out, in the API's words.

use serde_json::{Value, json};

use super::call::Answer;

/// A refusal. Nothing has been changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    code: u16,
    status: &'static str,
    message: String,
    details: Vec<Value>,
}

/// A field of a request that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Its path; empty for the request itself.
    pub(crate) field: String,
    pub(crate) description: String,
}

impl Refusal {
    /// An argument is wrong.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { code: 400, status: "INVALID_ARGUMENT", message: message.into(), details: Vec::new() }
    }

    /// There is no such spreadsheet, or no such path.
    pub(crate) fn not_found() -> Self {
        let message = "Requested entity was not found.".into();
        Self { code: 404, status: "NOT_FOUND", message, details: Vec::new() }
    }

    /// The spreadsheet is not shared with the caller.
    pub(crate) fn denied() -> Self {
        let message = "The caller does not have permission".into();
        Self { code: 403, status: "PERMISSION_DENIED", message, details: Vec::new() }
    }

    /// The service would do it; the sandbox has no model of it.
    pub(crate) fn not_modelled(what: &str) -> Self {
        let message =
            format!("The sandbox does not model {what}, which Google Sheets has; nothing was changed.");
        Self { code: 501, status: "UNIMPLEMENTED", message, details: Vec::new() }
    }

    /// Fields of the request cannot be read.
    pub(crate) fn violations(violations: Vec<Violation>) -> Self {
        let all: Vec<&str> = violations.iter().map(|violation| violation.description.as_str()).collect();
        Self { details: vec![bad_request(&violations)], ..Self::invalid(all.join("\n")) }
    }

    /// The field mask of an answer names what is not there.
    pub(crate) fn unknown_field(path: &str) -> Self {
        let description =
            format!("Error expanding 'fields' parameter. Cannot find matching fields for path '{path}'.");
        let violation = Violation { field: path.to_owned(), description };
        let details = vec![bad_request(&[violation])];
        Self { details, ..Self::invalid("Request contains an invalid argument.") }
    }

    /// Says in which part of the request the fault is: `requests[0].addSheet`, `data[1]`.
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.message = format!("Invalid {place}: {}", self.message);
        self
    }

    /// What is wrong.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The answer that tells it.
    pub(crate) fn answer(&self) -> Answer {
        let mut error = json!({"code": self.code, "message": self.message, "status": self.status});
        if !self.details.is_empty() {
            error["details"] = Value::Array(self.details.clone());
        }
        Answer::json(self.code, json!({"error": error}))
    }
}

fn bad_request(violations: &[Violation]) -> Value {
    let fields: Vec<Value> = violations
        .iter()
        .map(|violation| match violation.field.as_str() {
            "" => json!({"description": violation.description}),
            field => json!({"field": field, "description": violation.description}),
        })
        .collect();
    json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields})
}
