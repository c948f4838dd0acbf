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
        assert_eq!(query.choice("other", "Dimension").unwrap(), "DIMENSION_UNSPECIFIED");
    }
}
