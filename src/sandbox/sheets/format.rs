//! Formats of cells as JSON: colours in both of their spellings, the default format, what holds in the end.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::json::single;

/// Gives every colour both of its fields, `color` and `colorStyle`; the style counts where both are given.
pub(crate) fn complete_colors(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(complete_colors),
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().filter_map(|name| plain_name(name)).collect();
            for name in names {
                complete(fields, &name);
            }
            fields.values_mut().for_each(complete_colors);
        }
        _ => {}
    }
}

/// The name of a colour's plain field, of either field.
fn plain_name(name: &str) -> Option<String> {
    let plain = name.strip_suffix("Style").unwrap_or(name);
    let color = plain == "color" || plain.ends_with("Color");
    (color && !matches!(plain, "rgbColor" | "themeColor")).then(|| plain.to_owned())
}

/// The names of both fields of a colour, of either one.
pub(crate) fn color_pair(name: &str) -> Option<(String, String)> {
    let plain = plain_name(name)?;
    let style = format!("{plain}Style");
    Some((plain, style))
}

fn complete(fields: &mut Map<String, Value>, name: &str) {
    let style_name = format!("{name}Style");
    let plain = match fields.get(&style_name) {
        Some(style) => match (style.get("rgbColor"), style.get("themeColor").and_then(Value::as_str)) {
            (Some(color), _) => Some(rounded(color)),
            (None, Some(theme)) => Some(theme_color(theme)),
            (None, None) => None,
        },
        None => fields.get(name).map(rounded),
    };
    let Some(plain) = plain else {
        fields.shift_remove(name);
        fields.shift_remove(&style_name);
        return;
    };
    let themed = fields.get(&style_name).is_some_and(|style| style.get("themeColor").is_some());
    if !themed {
        fields.insert(style_name, json!({"rgbColor": plain}));
    }
    fields.insert(name.to_owned(), plain);
}

/// A colour as it is kept: a byte for each part, shown in single precision.
fn rounded(color: &Value) -> Value {
    let parts = ["red", "green", "blue"].into_iter().filter_map(|part| {
        let share = color.get(part).and_then(Value::as_f64).unwrap_or_default();
        let byte = (share.clamp(0.0, 1.0) * 255.0 + 1e-4).floor();
        (byte > 0.0).then(|| (part.to_owned(), single(byte as f32 / 255.0)))
    });
    Value::Object(parts.collect())
}

/// The theme of a new spreadsheet: names of its colours and their bytes.
const THEME: [(&str, [u8; 3]); 9] = [
    ("TEXT", [0, 0, 0]),
    ("BACKGROUND", [255, 255, 255]),
    ("ACCENT1", [66, 133, 244]),
    ("ACCENT2", [234, 67, 53]),
    ("ACCENT3", [251, 188, 4]),
    ("ACCENT4", [52, 168, 83]),
    ("ACCENT5", [255, 109, 1]),
    ("ACCENT6", [70, 189, 198]),
    ("LINK", [17, 85, 204]),
];

fn bytes(parts: [u8; 3]) -> Value {
    let share = |byte: u8| f64::from(byte) / 255.0;
    rounded(&json!({"red": share(parts[0]), "green": share(parts[1]), "blue": share(parts[2])}))
}

fn theme_color(name: &str) -> Value {
    THEME.iter().find(|(theme, _)| *theme == name).map_or_else(|| json!({}), |(_, parts)| bytes(*parts))
}

/// The theme as the API shows it.
pub(crate) fn theme() -> Value {
    let colors: Vec<Value> = THEME
        .iter()
        .map(|(name, parts)| json!({"colorType": name, "color": {"rgbColor": bytes(*parts)}}))
        .collect();
    json!({"primaryFontFamily": "Arial", "themeColors": colors})
}

/// The format of a cell that nobody has formatted.
pub(crate) fn default_format() -> &'static Value {
    static DEFAULT: LazyLock<Value> = LazyLock::new(usual_format);
    &DEFAULT
}

fn usual_format() -> Value {
    let white = json!({"red": 1, "green": 1, "blue": 1});
    json!({
        "backgroundColor": white,
        "padding": {"top": 2, "right": 3, "bottom": 2, "left": 3},
        "verticalAlignment": "BOTTOM",
        "wrapStrategy": "OVERFLOW_CELL",
        "textFormat": {
            "foregroundColor": {},
            "fontFamily": "arial,sans,sans-serif",
            "fontSize": 10,
            "bold": false,
            "italic": false,
            "strikethrough": false,
            "underline": false,
            "foregroundColorStyle": {"rgbColor": {}},
        },
        "backgroundColorStyle": {"rgbColor": white},
    })
}

/// The format that holds: the default, then each layer over it.
pub(crate) fn effective(layers: &[&Map<String, Value>]) -> Value {
    let mut format = default_format().clone();
    for layer in layers {
        overlay(&mut format, layer);
    }
    if super::cell::link_of(format.get("textFormat")).is_some() {
        let entered = |name: &str| {
            layers.iter().any(|layer| layer.get("textFormat").is_some_and(|text| text.get(name).is_some()))
        };
        if !entered("foregroundColor") {
            format["textFormat"]["foregroundColor"] = theme_color("LINK");
            format["textFormat"]["foregroundColorStyle"] = json!({"themeColor": "LINK"});
        }
        if !entered("underline") {
            format["textFormat"]["underline"] = Value::Bool(true);
        }
    }
    format
}

/// Objects that are one value and not a set of fields of their own.
const WHOLE: [&str; 4] = ["numberFormat", "link", "textRotation", "padding"];

fn overlay(target: &mut Value, layer: &Map<String, Value>) {
    let Some(fields) = target.as_object_mut() else { return };
    for (name, value) in layer {
        let whole = WHOLE.contains(&name.as_str()) || color_pair(name).is_some();
        match (fields.get_mut(name), value) {
            (Some(inner @ Value::Object(_)), Value::Object(layer)) if !whole => overlay(inner, layer),
            _ => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    #[test]
    fn a_colour_is_kept_in_both_spellings() {
        let mut format = json!({"backgroundColor": {"red": 0.5, "blue": 1}, "textFormat": {"foregroundColorStyle": {"themeColor": "ACCENT1"}}});
        complete_colors(&mut format);
        assert_eq!(format["backgroundColor"].to_string(), r#"{"red":0.49803922,"blue":1}"#);
        assert_eq!(format["backgroundColorStyle"]["rgbColor"], format["backgroundColor"]);
        assert_eq!(format["textFormat"]["foregroundColor"]["green"], json!(0.52156866));
        assert_eq!(format["textFormat"]["foregroundColorStyle"], json!({"themeColor": "ACCENT1"}));
        let mut both = json!({"tabColor": {"red": 1}, "tabColorStyle": {"rgbColor": {"green": 1}}});
        complete_colors(&mut both);
        assert_eq!(both["tabColor"], json!({"green": 1}));
        let mut none = json!({"tabColorStyle": {}});
        complete_colors(&mut none);
        assert_eq!(none, json!({}));
    }

    #[test]
    fn layers_go_over_the_default() {
        let format =
            json!({"textFormat": {"bold": true}, "numberFormat": {"type": "DATE", "pattern": "yyyy"}});
        let over = json!({"textFormat": {"bold": false, "italic": true}});
        let effective = effective(&[object(&format), object(&over)]);
        assert_eq!(effective["textFormat"]["bold"], json!(false));
        assert_eq!(effective["textFormat"]["italic"], json!(true));
        assert_eq!(effective["textFormat"]["fontSize"], json!(10));
        assert_eq!(effective["numberFormat"]["pattern"], json!("yyyy"));
    }

    #[test]
    fn links_are_underlined_in_their_own_colour() {
        let link = json!({"textFormat": {"link": {"uri": "https://example.com"}}});
        let shown = effective(&[object(&link)]);
        assert_eq!(shown["textFormat"]["underline"], json!(true));
        assert_eq!(shown["textFormat"]["foregroundColorStyle"], json!({"themeColor": "LINK"}));
        let plain = json!({"textFormat": {"link": {"uri": "https://example.com"}, "underline": false}});
        assert_eq!(effective(&[object(&plain)])["textFormat"]["underline"], json!(false));
    }
}
