//! The query of a call.

use percent_encoding::percent_decode_str;

use super::refusal::{Refusal, Violation};
use super::schema::{self, Mask, MaskError};

/// The parameters of a query, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query as it was sent.
    pub(crate) fn parse(text: &str) -> Self {
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        };
        Self(text.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    /// Refuses parameters that neither the call has, nor all calls have; those that end with `?` are flags.
    pub(crate) fn check(&self, known: &[&str]) -> Result<(), Refusal> {
        let violations: Vec<Violation> = self
            .0
            .iter()
            .filter_map(|(name, value)| {
                let camel = schema::camel_case(name);
                let own = known.iter().copied().find(|known| known.trim_end_matches('?') == camel);
                match own {
                    Some(own) if own.ends_with('?') => bad_flag(&camel, value),
                    None if !COMMON.contains(&name.as_str()) => Some(unknown_parameter(name)),
                    _ => None,
                }
            })
            .collect();
        if violations.is_empty() { Ok(()) } else { Err(Refusal::violations(violations)) }
    }

    /// The last value of a parameter; none if it is absent or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let last = self.0.iter().rev().find(|(found, _)| found == name);
        last.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }

    /// A flag, in any of the spellings that clients use.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes"))
    }

    /// A value of an enum; its default if the parameter is absent.
    pub(crate) fn choice(&self, name: &str, kind: &str) -> Result<&'static str, Refusal> {
        match self.get(name) {
            Some(text) => schema::read_enum(text, kind, name)
                .map_err(|violation: Violation| Refusal::violations(vec![violation])),
            None => Ok(schema::values_of(kind).first().copied().unwrap_or_default()),
        }
    }

    /// The mask of an answer's fields, checked against its message; none if everything is wanted.
    pub(crate) fn fields(&self, message: &str) -> Result<Option<Mask>, Refusal> {
        let Some(text) = self.get("fields") else { return Ok(None) };
        match Mask::of(text, message) {
            Ok(mask) => Ok(Some(mask)),
            Err(MaskError::Unknown(path)) => Err(Refusal::unknown_field(&path)),
            Err(MaskError::Malformed) => Err(Refusal::unknown_field(text)),
        }
    }
}

/// Parameters that every call has.
const COMMON: [&str; 12] = [
    "$.xgafv",
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
    "userIp",
];

fn unknown_parameter(name: &str) -> Violation {
    let description = format!(
        "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could \
         not be found in request message."
    );
    Violation { field: String::new(), description }
}

fn bad_flag(name: &str, value: &str) -> Option<Violation> {
    let known = ["", "true", "false", "1", "0", "yes", "no", "t", "f", "y", "n"];
    if known.contains(&value.to_ascii_lowercase().as_str()) {
        return None;
    }
    let field = schema::snake_case(name);
    let description = format!("Invalid value at '{field}' (TYPE_BOOL), \"{value}\"");
    Some(Violation { field, description })
}

/// Decodes a part of a path or a query: `%41` is `A`, `+` is a blank.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read() {
        let query = Query::parse("ranges=Sheet1%21A1%3AB2&ranges=%D0%9B!A+1&includeGridData=True&fields=&x");
        assert_eq!(query.all("ranges"), ["Sheet1!A1:B2", "Л!A 1"]);
        assert!(query.flag("includeGridData") && !query.flag("x"));
        assert_eq!((query.get("fields"), query.get("x"), query.get("y")), (None, None, None));
        assert!(query.fields("Spreadsheet").unwrap().is_none());
    }

    #[test]
    fn what_a_query_must_not_say() {
        let query = Query::parse("majorDimension=DIAGONAL&fields=sheets.sheetProperties");
        let refusal = query.choice("majorDimension", "Dimension").unwrap_err();
        let expected = "Invalid value at 'major_dimension' (type.googleapis.com/google.apps.sheets.v4.Dimension), \
                        \"DIAGONAL\"";
        assert_eq!(refusal.message(), expected);
        assert!(query.fields("Spreadsheet").is_err());
        assert!(query.check(&["majorDimension"]).is_ok());
        let refusal = query.check(&["ranges"]).unwrap_err();
        let expected = "Invalid JSON payload received. Unknown name \"majorDimension\": Cannot bind query parameter. \
                        Field 'majorDimension' could not be found in request message.";
        assert_eq!(refusal.message(), expected);
        let flag = Query::parse("include_grid_data=maybe").check(&["includeGridData?"]).unwrap_err();
        assert_eq!(flag.message(), "Invalid value at 'include_grid_data' (TYPE_BOOL), \"maybe\"");
        assert_eq!(query.choice("other", "Dimension").unwrap(), "DIMENSION_UNSPECIFIED");
    }
}
