//! What a key takes: turns a node into a typed value, or says what was expected.

use std::net::SocketAddr;

use figment::value::{Num, Tag, Value};

use super::node::{Body, Node};
use crate::domain::timetable::Cron;
use crate::net::{address, check_proxy};

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// True or false; also yes/no, on/off, 1/0 where written without quotes.
    Flag,
    /// A whole number within bounds, both included.
    Whole(u64, u64),
    /// A number up to `max`, from `min` (not included where `above`).
    Number { min: f64, above: bool, max: f64 },
    /// A text that is not blank.
    Text,
    /// A text that can stand in an HTTP header.
    Header,
    /// A text that is never shown.
    Secret,
    /// The name of a variable of the environment.
    Variable,
    /// A path of a file.
    Path,
    /// Texts.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A day, `2026-03-13`.
    Date,
    /// A name of the IANA time zone database.
    TimeZone,
    /// A label of the Encoding Standard, such as `windows-1251`.
    Encoding,
    /// One ASCII character, or `tab`.
    Delimiter,
    /// An address of a service: https, or http on this machine.
    Url,
    /// The address of a proxy.
    Proxy,
    /// An IP address and a port, or `unix:` and the path of a socket.
    Address,
    /// A cron expression.
    Schedule,
}

/// Why a node is not what a key takes.
#[derive(Debug, PartialEq)]
pub(super) struct Misfit {
    pub what: String,
    pub hint: Option<String>,
}

impl Kind {
    /// The typed value of a node; `None` if the node says nothing (null or a blank text).
    pub(super) fn admit(self, node: &Node) -> Result<Option<Value>, Misfit> {
        match &node.body {
            Body::Null => Ok(None),
            // A tab is a delimiter, though blank.
            Body::Scalar { text, .. }
                if text.trim().is_empty() && (self != Self::Delimiter || text != "\t") =>
            {
                Ok(None)
            }
            Body::Scalar { text, bare } if self == Self::List => match (bare, list_of(text)) {
                (true, Some(items)) => Ok(Some(items.into())),
                _ => Err(misfit(node, "a list").hint("write it as [\"…\", \"…\"]")),
            },
            Body::Scalar { text, bare } => self.scalar(text, *bare, node).map(Some),
            Body::List(items) if self == Self::List => {
                items.iter().map(item).collect::<Result<Vec<_>, _>>().map(|v| Some(v.into()))
            }
            Body::List(_) | Body::Table(_) => Err(misfit(node, &self.expected())),
        }
    }

    fn scalar(self, text: &str, bare: bool, node: &Node) -> Result<Value, Misfit> {
        match self {
            Self::Flag | Self::Whole(..) | Self::Number { .. } if !bare => {
                let misfit = misfit(node, &self.expected());
                let unquoted = Node::bare(text, node.origin.clone());
                Err(if self.admit(&unquoted).is_ok() {
                    misfit.hint("write it without quotes")
                } else {
                    misfit
                })
            }
            Self::Flag => flag(text).map(Value::from).ok_or_else(|| misfit(node, &self.expected())),
            Self::Whole(min, max) => match whole(text) {
                Some(number) if (i128::from(min)..=i128::from(max)).contains(&number) => {
                    Ok(Value::Num(Tag::Default, Num::U64(u64::try_from(number).unwrap_or(max))))
                }
                Some(_) => Err(self.out_of_range()),
                None => Err(misfit(node, &self.expected())),
            },
            Self::Number { min, above, max } => match number(text) {
                Some(number) if number <= max && (number > min || (!above && number == min)) => {
                    Ok(Value::Num(Tag::Default, Num::F64(number)))
                }
                Some(_) => Err(self.out_of_range()),
                None => Err(misfit(node, &self.expected())),
            },
            _ => self.text(text).map(Value::from),
        }
    }

    fn text(self, text: &str) -> Result<&str, Misfit> {
        let trimmed = text.trim();
        let fits = |fits: bool, hint: &str| {
            let misfit = Misfit { what: format!("expected {}", self.expected()), hint: None };
            if fits { Ok(trimmed) } else { Err(misfit.hint(hint)) }
        };
        match self {
            Self::Text => Ok(text),
            Self::Header | Self::Secret => fits(
                trimmed.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                "use plain ASCII characters without line breaks",
            ),
            Self::Variable => fits(
                is_variable(trimmed),
                "give the variable's name, not its value, such as OPENAI_API_KEY_1; the value belongs into the environment or .env",
            ),
            Self::Choice(words) => {
                fits(words.contains(&trimmed), &format!("write one of: {}", words.join(", ")))
            }
            Self::Date => fits(
                trimmed.len() == 10 && trimmed.parse::<jiff::civil::Date>().is_ok(),
                "write a real day as YYYY-MM-DD, such as 2026-03-13",
            ),
            Self::TimeZone => fits(
                jiff::tz::TimeZone::get(trimmed).is_ok(),
                "write a name of the IANA time zone database, such as Europe/Moscow or UTC",
            ),
            Self::Encoding => fits(
                encoding_rs::Encoding::for_label(trimmed.as_bytes()).is_some(),
                "write a name such as utf-8 or windows-1251",
            ),
            Self::Url => address::check(trimmed).map(|()| trimmed).map_err(|hint| {
                Misfit { what: format!("expected {}", self.expected()), hint: None }.hint(hint)
            }),
            Self::Proxy => check_proxy(trimmed).map(|()| trimmed).map_err(|hint| {
                Misfit { what: format!("expected {}", self.expected()), hint: None }.hint(hint)
            }),
            Self::Address => {
                let is_socket = trimmed.strip_prefix("unix:").is_some_and(|path| !path.is_empty());
                let fits_form = is_socket || trimmed.parse::<SocketAddr>().is_ok();
                fits(fits_form, "write it as 127.0.0.1:8686, [::1]:8686 or unix:/run/status-validator.sock")
            }
            Self::Schedule => trimmed.parse::<Cron>().map(|_| trimmed).map_err(|no_cron| {
                Misfit { what: format!("expected {}", self.expected()), hint: None }.hint(no_cron.to_string())
            }),
            Self::Delimiter => match delimiter(text) {
                Some(_) => Ok(text),
                None => fits(false, "write \",\", \";\" or \"tab\""),
            },
            Self::Flag | Self::Whole(..) | Self::Number { .. } | Self::Path | Self::List => Ok(trimmed),
        }
    }

    fn out_of_range(self) -> Misfit {
        Misfit { what: format!("is out of range, expected {}", self.expected()), hint: None }
    }

    fn expected(self) -> String {
        match self {
            Self::Flag => "true or false".into(),
            Self::Whole(min, max) => format!("a whole number from {min} to {max}"),
            Self::Number { min, above: true, max } => format!("a number above {min}, up to {max}"),
            Self::Number { min, max, .. } => format!("a number from {min} to {max}"),
            Self::Text => "a text".into(),
            Self::Header => "a text for an HTTP header".into(),
            Self::Secret => "a secret for an HTTP header".into(),
            Self::Variable => "the name of an environment variable".into(),
            Self::Path => "a path".into(),
            Self::List => "a list of texts".into(),
            Self::Choice(words) => words.join(" or "),
            Self::Date => "a date".into(),
            Self::TimeZone => "a time zone".into(),
            Self::Encoding => "a text encoding".into(),
            Self::Delimiter => "one ASCII character, or tab".into(),
            Self::Url => "the address of a service".into(),
            Self::Proxy => "the address of a proxy".into(),
            Self::Address => "an IP address and a port, or a socket".into(),
            Self::Schedule => "a cron expression".into(),
        }
    }

    /// A value as errors and listings may show it: quoted unless it is `bare`, cut, and masked if it is or
    /// may be a secret.
    pub(super) fn shown(self, text: &str, bare: bool) -> String {
        let variable = || text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let masked = match self {
            Self::Secret => true,
            // By custom, variables are in capitals; anything else may be a key pasted into the wrong line.
            Self::Variable => !variable(),
            Self::Url | Self::Proxy => address::has_secret(text),
            _ => text.starts_with("sk-") || text.contains("PRIVATE KEY"),
        };
        if masked {
            return "***".to_owned();
        }
        match text.char_indices().nth(SHOWN_CHARS) {
            Some((cut, _)) => format!("{:?}", format!("{}…", text.get(..cut).unwrap_or_default())),
            None if bare && (number(text).is_some() || flag(text).is_some()) => text.to_owned(),
            None => format!("{text:?}"),
        }
    }
}

/// Longer values are cut where they are shown.
const SHOWN_CHARS: usize = 80;

impl Misfit {
    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

fn misfit(node: &Node, expected: &str) -> Misfit {
    Misfit { what: format!("expected {expected}, found {}", node.kind()), hint: None }
}

fn item(node: &Node) -> Result<Value, Misfit> {
    match &node.body {
        Body::Scalar { text, .. } if !text.trim().is_empty() => Ok(text.clone().into()),
        Body::Scalar { .. } | Body::Null => Err(misfit_item("a blank one")),
        _ => Err(misfit_item(node.kind())),
    }
}

fn misfit_item(found: &str) -> Misfit {
    Misfit { what: format!("expected a list of texts, found {found} in it"), hint: None }
}

/// A list written in one text, as variables and flags give it: a TOML array, or texts between commas.
fn list_of(text: &str) -> Option<Vec<Value>> {
    let items = if text.trim_start().starts_with('[') {
        let table: toml::Table = toml::from_str(&format!("list = {text}")).ok()?;
        let items = table.get("list")?.as_array()?;
        items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?
    } else {
        text.split(',').map(|item| item.trim().to_owned()).collect()
    };
    items.iter().all(|item| !item.trim().is_empty()).then(|| items.into_iter().map(Value::from).collect())
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A whole number in plain decimal notation; leading zeros are not plain (some read them as octal).
fn whole(text: &str) -> Option<i128> {
    let digits = text.trim().trim_start_matches('-');
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { text.trim().parse().ok() } else { None }
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    if plain { text.parse().ok().filter(|n: &f64| n.is_finite()) } else { None }
}

/// The delimiter as a byte.
pub(super) fn delimiter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"tab" | b"\\t" | b"\t" => Some(b'\t'),
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => {
            Some(*byte)
        }
        _ => None,
    }
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::origin::Origin;
    use proptest::prelude::*;

    fn bare(text: &str) -> Node {
        Node::bare(text, Origin::Default)
    }

    fn quoted(text: &str) -> Node {
        Node { body: Body::Scalar { text: text.into(), bare: false }, origin: Origin::Default }
    }

    #[test]
    fn numbers_know_their_bounds_and_their_quotes() {
        let workers = Kind::Whole(1, 1000);
        assert_eq!(workers.admit(&bare("8")).unwrap().and_then(|v| v.to_u128()), Some(8));
        assert!(workers.admit(&bare("0")).unwrap_err().what.contains("out of range"));
        assert!(workers.admit(&bare("-3")).unwrap_err().what.contains("out of range"));
        assert!(workers.admit(&bare("99999999999999999999999")).unwrap_err().what.contains("out of range"));
        for wrong in ["010", "5.0", "five", "1_0", "--1", "-"] {
            assert!(workers.admit(&bare(wrong)).unwrap_err().what.starts_with("expected"), "{wrong}");
        }
        let misfit = workers.admit(&quoted("8")).unwrap_err();
        assert_eq!(misfit.what, "expected a whole number from 1 to 1000, found a string");
        assert_eq!(misfit.hint.as_deref(), Some("write it without quotes"));
        let timeout = Kind::Number { min: 0.0, above: true, max: 3600.0 };
        assert!(timeout.admit(&bare("0")).is_err() && timeout.admit(&bare("nan")).is_err());
        assert!(timeout.admit(&bare("0.5")).is_ok());
    }

    #[test]
    fn digits_stay_a_text_where_a_text_is_wanted() {
        assert_eq!(Kind::Text.admit(&bare("0000123")).unwrap(), Some(Value::from("0000123")));
        assert_eq!(Kind::Text.admit(&bare("  ")).unwrap(), None);
    }

    #[test]
    fn a_tab_is_a_delimiter_by_name_and_by_itself() {
        for tab in ["tab", "\t", "\\t"] {
            let value = Kind::Delimiter.admit(&quoted(tab)).unwrap().and_then(Value::into_string).unwrap();
            assert_eq!(delimiter(&value), Some(b'\t'));
        }
    }

    #[test]
    fn lists_come_as_lists_as_toml_or_between_commas() {
        let wanted: Value = vec!["On Track", "At, Risk"].into();
        assert_eq!(Kind::List.admit(&bare("[\"On Track\", \"At, Risk\"]")).unwrap(), Some(wanted));
        assert_eq!(Kind::List.admit(&bare("a, b")).unwrap(), Some(vec!["a", "b"].into()));
        for wrong in ["[1, 2]", "a,,b", "[\"a\""] {
            assert!(Kind::List.admit(&bare(wrong)).is_err(), "{wrong}");
        }
        assert!(Kind::List.admit(&quoted("On Track")).is_err());
    }

    #[test]
    fn rubbish_is_refused() {
        for (kind, text) in [
            (Kind::Date, "2026-02-30"),
            (Kind::Date, "2026-03-13T10:00"),
            (Kind::TimeZone, "Moscow"),
            (Kind::Encoding, "utf-99"),
            (Kind::Delimiter, "ab"),
            (Kind::Delimiter, "\""),
            (Kind::Address, "localhost"),
            (Kind::Schedule, "daily"),
            (Kind::Schedule, "0 25 * * *"),
            (Kind::Schedule, "0 7 * * XYZ"),
            (Kind::Variable, "sk-proj-1"),
            (Kind::Header, "Статусы"),
            (Kind::Choice(&["en", "ru"]), "de"),
            (Kind::Url, "http://api.example.org/v1"),
        ] {
            assert!(kind.admit(&quoted(text)).is_err(), "{kind:?} takes {text}");
        }
    }

    #[test]
    fn secrets_are_masked_even_in_the_wrong_line() {
        assert_eq!(Kind::Secret.shown("abc", false), "***");
        assert_eq!(Kind::Variable.shown("sk_live_abc", false), "***");
        assert_eq!(Kind::Text.shown("sk-live", false), "***");
        assert_eq!(Kind::Url.shown("https://u:p@example.org", false), "***");
        assert_eq!(Kind::Variable.shown("OPENAI_API_KEY_1", false), "\"OPENAI_API_KEY_1\"");
        assert_eq!(Kind::Text.shown("a\u{1b}[31m", false), "\"a\\u{1b}[31m\"");
    }

    proptest! {
        #[test]
        fn no_text_makes_any_kind_panic(text in ".{0,40}", bare in any::<bool>()) {
            let node = Node { body: Body::Scalar { text: text.clone(), bare }, origin: Origin::Default };
            for key in crate::settings::raw::KEYS {
                if let Err(misfit) = key.kind.admit(&node) {
                    prop_assert!(misfit.what.contains("expected"), "{}", misfit.what);
                }
                // An escaped character takes up to ten.
                prop_assert!(key.kind.shown(&text, bare).chars().count() <= 10 * SHOWN_CHARS);
            }
        }
    }
}
