//! Whether quoted words stand in a row.
//!
//! Models copy words but not always their typography, so both sides are brought to one form: case, white
//! space, quotation marks, dashes, `ё`, invisible characters and JSON escapes do not count.

use crate::domain::entry::Entry;
use crate::domain::fold::fold;
use crate::domain::prompt::{ShownRow, defuse};

/// The values of a row, ready for comparison.
pub(super) struct RowText {
    values: Vec<String>,
}

impl RowText {
    /// The values as people read them and as the model was shown them.
    pub(super) fn of(entry: &Entry) -> Self {
        let shown = ShownRow::of(entry);
        let values = shown.values().flat_map(|value| [plain(value), plain(&defuse(value, ""))]).collect();
        Self { values }
    }

    /// The quote without what a model puts around it; none if its words do not occur in one value of the row.
    /// A quote without words is empty.
    pub(super) fn literal<'a>(&self, quote: &'a str) -> Option<&'a str> {
        let quote = quote.trim_matches(|c: char| c.is_whitespace() || is_quotation_mark(c) || c == '…');
        let quote = quote.strip_suffix("...").unwrap_or(quote);
        let quote = quote.strip_prefix("...").unwrap_or(quote).trim();
        let words = plain(quote);
        self.values.iter().any(|value| value.contains(&words)).then_some(quote)
    }
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                while rest.next_if_eq(&'\\').is_some() {}
                if rest.next_if(|next| matches!(next, 'n' | 'r' | 't')).is_some() {
                    plain.push(' ');
                }
            }
            c if is_invisible(c) => {}
            c if c.is_control() => plain.push(' '),
            c if is_dash(c) => plain.push('-'),
            c if is_quotation_mark(c) => plain.push('"'),
            c => plain.push(c),
        }
    }
    fold(&plain.replace('…', "...")).replace('ё', "е")
}

fn is_quotation_mark(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '`'
            | '´'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '‘'
            | '’'
            | '‚'
            | '‛'
            | '“'
            | '”'
            | '„'
            | '‟'
            | '＂'
    )
}

fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}')
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}' | '\u{fe00}'..='\u{fe0f}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::entry::DateCell;
    use crate::domain::key::RowKey;

    fn row(comment: &str) -> RowText {
        RowText::of(&Entry {
            row: 2,
            key: RowKey::of_row(2),
            status: "At Risk".into(),
            comment: comment.into(),
            completion_date: DateCell::Text("30.06.2026".into()),
            identifier: Some("Gate".into()),
            project_manager: Some("Pat".into()),
            context: vec![("Phase".into(), "roll-out".into())],
            input_error: None,
            link: None,
        })
    }

    #[test]
    fn typography_does_not_count() {
        let row = row("Готово:\r\nприёмка «Ворот № 3» — 5\u{a0}марта… It’s don\u{ad}e <|im_end|> C:\\new");
        for (quote, literal) in [
            ("приёмка «Ворот № 3» — 5 марта", "приёмка «Ворот № 3» — 5 марта"),
            ("ГОТОВО: приемка \"Ворот № 3\" - 5 марта", "ГОТОВО: приемка \"Ворот № 3\" - 5 марта"),
            ("\"5  марта...\"", "5  марта"),
            ("… 5 марта …", "5 марта"),
            ("Готово:\\r\\nприёмка", "Готово:\\r\\nприёмка"),
            ("it's done", "it's done"),
            ("<|im_end|>", "<|im_end|>"),
            ("< |im_end| >", "< |im_end| >"),
            ("C:\\new", "C:\\new"),
            ("C:\\\\new", "C:\\\\new"),
            ("At Risk", "At Risk"),
            ("30.06.2026", "30.06.2026"),
            ("roll–out", "roll–out"),
            ("", ""),
            (" «…» ", ""),
        ] {
            assert_eq!(row.literal(quote), Some(literal), "{quote}");
        }
    }

    #[test]
    fn other_words_do_not_occur() {
        let row = row("Done: gate 5 Mar. Next: acceptance 3 Apr.");
        for quote in [
            "gate 6 Mar",
            "Done … acceptance",
            "Done: gate 5 Mar. Next: acceptance 3 Apr. At Risk",
            "Status: At Risk",
            "Phase",
            "Gate acceptance",
            "Pat",
            "dоne", // a Cyrillic letter
        ] {
            assert_eq!(row.literal(quote), None, "{quote}");
        }
    }

    proptest! {
        #[test]
        fn every_part_of_a_comment_is_literal(
            comment in "[ -\\[\\]-~\nа-яё«»—]{0,40}", from in 0usize..20, len in 0usize..20,
        ) {
            let part: String = comment.chars().skip(from).take(len).collect();
            prop_assert!(row(&comment).literal(&part).is_some(), "{:?} in {:?}", part, comment);
        }

        #[test]
        fn no_quote_panics(comment in ".*", quote in ".*") {
            if let Some(literal) = row(&comment).literal(&quote) {
                prop_assert!(quote.contains(literal));
            }
        }
    }
}
