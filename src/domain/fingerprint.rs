//! The fingerprint of a question: the key of the cache.

use std::fmt;

use jiff::civil;

use super::entry::Entry;
use super::prompt::ShownRow;
use super::rules::AsOfPeriod;

/// A hash over every input that shapes the answer. Equal fingerprints ask the same thing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a row's question: the digest of the static prompt, the period of the report date, and
    /// the row as it is shown to the model. Where the row stands, its name and its manager play no part.
    pub fn of(prompt: &[u8; 32], period: AsOfPeriod, as_of: civil::Date, entry: &Entry) -> Self {
        let shown = ShownRow::of(entry);
        let mut fields = Fields::new();
        fields.add(prompt);
        fields.add(label(period, as_of).as_bytes());
        for text in [shown.status, &shown.completion_date, shown.comment] {
            fields.add(text.as_bytes());
        }
        for (name, value) in shown.context {
            fields.add(name.as_bytes());
            fields.add(value.as_bytes());
        }
        fields.finish()
    }

    /// Reads the 64 hex digits back that a fingerprint is displayed as; none for anything else.
    pub fn parse_hex(text: &str) -> Option<Self> {
        let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                *byte = *byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
            }
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The period of a date: `2026-03-13`, `2026-W11`, or nothing.
fn label(period: AsOfPeriod, as_of: civil::Date) -> String {
    match period {
        AsOfPeriod::Day => as_of.to_string(),
        AsOfPeriod::Week => {
            let week = as_of.iso_week_date();
            format!("{}-W{:02}", week.year(), week.week())
        }
        AsOfPeriod::Never => String::new(),
    }
}

/// Hashes fields, each after its length: where one field ends cannot be moved into the next.
struct Fields(blake3::Hasher);

impl Fields {
    fn new() -> Self {
        Self(blake3::Hasher::new_derive_key("status-validator 2026 question v1"))
    }

    fn add(&mut self, field: &[u8]) {
        self.0.update(&(field.len() as u64).to_le_bytes());
        self.0.update(field);
    }

    fn finish(self) -> Fingerprint {
        Fingerprint(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::entry::{DateCell, RowLink};
    use crate::domain::key::RowKey;

    fn entry(status: &str, day: &str, comment: &str, context: &[(String, String)]) -> Entry {
        Entry {
            row: 2,
            key: RowKey::of_row(2),
            status: status.into(),
            comment: comment.into(),
            completion_date: DateCell::Text(day.into()),
            identifier: None,
            project_manager: None,
            context: context.to_vec(),
            input_error: None,
            link: None,
        }
    }

    fn of(entry: &Entry) -> Fingerprint {
        Fingerprint::of(&[7; 32], AsOfPeriod::Week, date(2026, 3, 13), entry)
    }

    #[test]
    fn periods_have_labels() {
        for (period, day, expected) in [
            (AsOfPeriod::Day, date(2026, 3, 13), "2026-03-13"),
            (AsOfPeriod::Week, date(2026, 3, 9), "2026-W11"),
            (AsOfPeriod::Week, date(2026, 3, 15), "2026-W11"),
            (AsOfPeriod::Week, date(2026, 1, 1), "2026-W01"),
            (AsOfPeriod::Week, date(2027, 1, 3), "2026-W53"),
            (AsOfPeriod::Never, date(2026, 3, 13), ""),
        ] {
            assert_eq!(label(period, day), expected);
        }
    }

    #[test]
    fn prompt_and_period_shape_it_and_days_of_a_week_do_not() {
        let entry = entry("On Track", "2026-06-30", "x", &[]);
        let base = of(&entry);
        let with = |prompt: u8, period, day| Fingerprint::of(&[prompt; 32], period, day, &entry);
        assert_eq!(with(7, AsOfPeriod::Week, date(2026, 3, 9)), base);
        assert_ne!(with(8, AsOfPeriod::Week, date(2026, 3, 13)), base);
        assert_ne!(with(7, AsOfPeriod::Week, date(2026, 3, 16)), base);
        assert_ne!(with(7, AsOfPeriod::Day, date(2026, 3, 13)), base);
        assert_ne!(with(7, AsOfPeriod::Day, date(2026, 3, 13)), with(7, AsOfPeriod::Day, date(2026, 3, 14)));
        assert_eq!(
            with(7, AsOfPeriod::Never, date(2026, 3, 13)),
            with(7, AsOfPeriod::Never, date(2031, 1, 1))
        );
    }

    #[test]
    fn place_people_and_edges_do_not_shape_it() {
        let one = entry("On Track", "2026-06-30", "x y", &[("Phase".into(), "build".into())]);
        let other = Entry {
            row: 99,
            key: RowKey::of_identifier("Gate", 3),
            status: " On Track\u{a0}".into(),
            comment: "\nx y\r\n".into(),
            completion_date: DateCell::Date(date(2026, 6, 30)),
            identifier: Some("Gate".into()),
            project_manager: Some("Pat".into()),
            link: Some(RowLink { url: "file.csv".into(), place: String::new() }),
            ..one.clone()
        };
        assert_eq!(of(&one), of(&other));
        assert_ne!(of(&one), of(&Entry { comment: "x  y".into(), ..one.clone() }));
        assert_ne!(of(&one), of(&Entry { context: Vec::new(), ..one.clone() }));
    }

    #[test]
    fn a_known_value_stays() {
        let entry = entry("On Track", "2026-06-30", "Done.", &[("Phase".into(), "build".into())]);
        assert_eq!(of(&entry).to_string(), KNOWN, "a change asks every known answer anew: raise the version");
    }
    const KNOWN: &str = "5064bb6f5016d47d5be05aed01358981088282cde48311e4cd8771477621aa76";

    #[test]
    fn only_64_hex_digits_are_read() {
        assert_eq!(Fingerprint::parse_hex(&"0f".repeat(32)), Some(Fingerprint([15; 32])));
        for text in ["", "0f", &"0g".repeat(32), &"0f".repeat(33), &"+f".repeat(32), &"ж".repeat(32)] {
            assert_eq!(Fingerprint::parse_hex(text), None, "{text}");
        }
    }

    /// Texts of few letters without edges to trim, so that collisions of sloppy joins would be found.
    fn text() -> impl Strategy<Value = String> {
        "[ab|\u{1}]{0,3}"
    }

    type Fields4 = (String, String, String, Vec<(String, String)>);

    fn fields() -> impl Strategy<Value = Fields4> {
        (text(), text(), text(), proptest::collection::vec((text(), text()), 0..3))
    }

    proptest! {
        #[test]
        fn different_rows_differ_and_equal_rows_do_not(one in fields(), two in fields()) {
            let of = |(status, day, comment, context): &Fields4| of(&entry(status, day, comment, context));
            prop_assert_eq!(of(&one) == of(&two), one == two);
            prop_assert_eq!(of(&one), of(&one.clone()));
        }

        #[test]
        fn moving_text_between_fields_changes_it(text in "[a-c]{1,6}", at in 0usize..6) {
            let (left, right) = text.split_at(at.min(text.len()));
            let whole = of(&entry(&text, "", "", &[]));
            prop_assert_eq!(of(&entry(left, right, "", &[])) == whole, right.is_empty());
            prop_assert_eq!(of(&entry(left, "", right, &[])) == whole, right.is_empty());
            prop_assert_ne!(of(&entry(left, "", "", &[(right.to_owned(), String::new())])), whole);
        }

        #[test]
        fn what_is_displayed_is_read_back(bytes in any::<[u8; 32]>()) {
            let fingerprint = Fingerprint(bytes);
            prop_assert_eq!(Fingerprint::parse_hex(&fingerprint.to_string()), Some(fingerprint));
        }
    }
}
