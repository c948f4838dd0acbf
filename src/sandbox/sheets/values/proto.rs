//! Values that no cell can hold, in the notation in which the API complains of them.

use serde_json::Value;

/// A value of JSON in the text format of protocol buffers.
pub(super) fn text_format(value: &Value, indent: usize) -> String {
    let pad = "  ".repeat(indent);
    match value {
        Value::Null => format!("{pad}null_value: NULL_VALUE\n"),
        Value::Bool(value) => format!("{pad}bool_value: {value}\n"),
        Value::Number(value) => format!("{pad}number_value: {value}\n"),
        Value::String(text) => format!("{pad}string_value: {}\n", quoted(text)),
        Value::Array(items) => {
            let inner = items
                .iter()
                .map(|item| format!("{pad}  values {{\n{}{pad}  }}\n", text_format(item, indent + 2)));
            format!("{pad}list_value {{\n{}{pad}}}\n", inner.collect::<String>())
        }
        Value::Object(fields) => {
            let inner = fields.iter().map(|(key, value)| {
                let value = text_format(value, indent + 3);
                format!(
                    "{pad}  fields {{\n{pad}    key: {}\n{pad}    value {{\n{value}{pad}    }}\n{pad}  }}\n",
                    quoted(key)
                )
            });
            format!("{pad}struct_value {{\n{}{pad}}}\n", inner.collect::<String>())
        }
    }
}

/// A text in quotes, with everything outside of ASCII as octal bytes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\r' => quoted.push_str("\\r"),
            b'\t' => quoted.push_str("\\t"),
            b' '..=b'~' => quoted.push(char::from(byte)),
            other => quoted.push_str(&format!("\\{other:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_objects_are_written_out() {
        assert_eq!(
            text_format(&json!(["a\"b", 1]), 0),
            "list_value {\n  values {\n    string_value: \"a\\\"b\"\n  }\n  values {\n    number_value: 1\n  }\n}\n"
        );
        assert_eq!(
            text_format(&json!({"k": true}), 0),
            "struct_value {\n  fields {\n    key: \"k\"\n    value {\n      bool_value: true\n    }\n  }\n}\n"
        );
        assert_eq!(quoted("é"), "\"\\303\\251\"");
    }
}
