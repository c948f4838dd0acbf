//! The schema in itself, and against the discovery document of the API where that is at hand.

use std::path::PathBuf;

use serde_json::Value;

use super::*;

#[test]
fn every_type_that_is_named_is_there() {
    assert!(SCHEMA.messages.len() > 100);
    for message in SCHEMA.messages.values() {
        for field in &message.fields {
            match field.holds {
                Holds::Message(name) => assert!(SCHEMA.messages.contains_key(name), "{name}"),
                Holds::Enum(name) => assert!(values_of(name).len() > 1, "{name}"),
                _ => {}
            }
        }
    }
    for (name, _, fields) in messages::CHOICES {
        assert!(fields.iter().all(|field| message(name).field(field).is_some()), "{name}");
    }
    for kind in UNSERVED {
        assert_eq!(message("Request").field(kind).unwrap().holds, Holds::Any, "{kind}");
    }
}

#[test]
fn names_go_both_ways() {
    for (camel, snake) in [("startRowIndex", "start_row_index"), ("a1Range", "a1_range"), ("name", "name")] {
        assert_eq!((camel_case(snake).as_str(), snake_case(camel).as_str()), (camel, snake));
    }
}

#[test]
fn messages_are_those_of_the_discovery_document() {
    let Some(folder) = std::env::var_os("SHEETS_REFERENCE").map(PathBuf::from) else {
        println!("SHEETS_REFERENCE is not set: the schema is not compared with the discovery document");
        return;
    };
    let document = std::fs::read_to_string(folder.join("sheets.v4.json")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let mut compared = 0;
    for message in SCHEMA.messages.values() {
        let properties =
            document["schemas"][message.name]["properties"].as_object().cloned().unwrap_or_default();
        let mut wanted: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut given: Vec<&str> = message.fields.iter().map(|field| field.name).collect();
        wanted.sort_unstable();
        given.sort_unstable();
        assert_eq!(given, wanted, "fields of {}", message.name);
        for field in &message.fields {
            let property = &properties[field.name];
            let (shape, inner) = match property["type"].as_str() {
                Some("array") => (Shape::List, &property["items"]),
                Some("object") => (Shape::Map, &property["additionalProperties"]),
                _ => (Shape::One, property),
            };
            assert_eq!(field.shape, shape, "{}.{}", message.name, field.name);
            assert!(
                fits(field.holds, inner),
                "{}.{}: {:?} is not {inner}",
                message.name,
                field.name,
                field.holds
            );
            compared += 1;
        }
    }
    for parameters in [
        ("spreadsheets", "values", "append", "insertDataOption", "AppendValuesRequest.InsertDataOption"),
        ("spreadsheets", "values", "get", "valueRenderOption", "ValueRenderOption"),
    ] {
        let (one, two, method, name, kind) = parameters;
        let parameter = &document["resources"][one]["resources"][two]["methods"][method]["parameters"][name];
        assert_eq!(parameter["enum"], Value::from(values_of(kind).to_vec()), "{name}");
    }
    println!("{compared} fields of {} messages", SCHEMA.messages.len());
}

fn fits(holds: Holds, property: &Value) -> bool {
    let (kind, format) = (property["type"].as_str(), property["format"].as_str());
    match holds {
        Holds::Any => true,
        Holds::List => kind == Some("array"),
        Holds::Int | Holds::Index => format == Some("int32"),
        Holds::Float => format == Some("float"),
        Holds::Double => format == Some("double"),
        Holds::Bool => kind == Some("boolean"),
        Holds::Text => kind == Some("string") && property.get("enum").is_none(),
        Holds::Mask => format == Some("google-fieldmask"),
        Holds::Message(name) => property["$ref"] == name,
        Holds::Enum(name) => property["enum"] == Value::from(values_of(name).to_vec()),
    }
}
