//! Small parts of JSON answers: numbers as the API prints them, objects without what says nothing.

use serde_json::{Map, Number, Value};

/// A number as the API prints it: without a fraction where it has none.
pub(crate) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// A number of single precision, with as many digits as it has.
pub(crate) fn single(value: f32) -> Value {
    number(value.to_string().parse().unwrap_or_default())
}

/// An object that is put together field by field, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// An object without fields.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A field that always stands there.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// A field that stands there if it has a value.
    pub(crate) fn some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A count or an index, left out at zero.
    pub(crate) fn count(self, name: &str, value: u32) -> Self {
        self.some(name, (value != 0).then_some(value))
    }

    /// An id, left out at zero.
    pub(crate) fn id(self, name: &str, value: i32) -> Self {
        self.some(name, (value != 0).then_some(value))
    }

    /// A flag, left out where it is not set.
    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.some(name, value.then_some(true))
    }

    /// A text, left out where it is empty.
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.some(name, (!value.is_empty()).then_some(value))
    }

    /// A list, left out where it is empty.
    pub(crate) fn list(self, name: &str, values: Vec<Value>) -> Self {
        self.some(name, (!values.is_empty()).then_some(values))
    }

    /// All fields of another object.
    pub(crate) fn and(mut self, other: Map<String, Value>) -> Self {
        self.0.extend(other);
        self
    }

    /// The fields.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_short_as_they_are() {
        for (value, expected) in
            [(2.0, "2"), (0.5, "0.5"), (-3.0, "-3"), (1e20, "1e+20"), (0.000_976_562_5, "0.0009765625")]
        {
            assert_eq!(number(value).to_string(), expected);
        }
        assert_eq!(single(127.0 / 255.0).to_string(), "0.49803922");
        assert_eq!(single(1.0).to_string(), "1");
    }
}
