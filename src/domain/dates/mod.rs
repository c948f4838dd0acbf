//! Dates in running text, English and Russian.
//!
//! Reads what is surely a calendar date and passes over the rest: versions, decimals and impossible days are
//! not dates. [`hints`] tells whether a stretch of text may hold a date that was not read.

mod scan;
mod words;

use std::ops::Range;

use jiff::civil::Date;

use super::tokens::{Kind, Token, tokens};
pub(crate) use words::is_dash;

/// A date, or a range of dates, in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDate {
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// The date; the first one of a range.
    pub first: Date,
    /// The last date of a range; else the same as `first`.
    pub last: Date,
    /// False if the year was taken from the report date.
    pub year_written: bool,
    /// False if the text can be read in another way, such as `March 6` before a countable noun.
    pub sure: bool,
}

/// The dates of a text in their order. A date without a year is in `year`.
pub fn find_dates(text: &str, year: i16) -> Vec<FoundDate> {
    in_tokens(text, &tokens(text), year)
}

/// [`find_dates`] for a text that has been cut already.
pub fn in_tokens(text: &str, tokens: &[Token], year: i16) -> Vec<FoundDate> {
    scan::Scanner::new(text, tokens, year).run()
}

/// True if a stretch of the text may hold a date that [`find_dates`] did not read: a month without a day, a
/// day of the week, `3/4`, `5.3`.
pub fn hints(text: &str, tokens: &[Token], dates: &[FoundDate], stretch: Range<usize>) -> bool {
    let from = tokens.partition_point(|token| token.start < stretch.start);
    let to = tokens.partition_point(|token| token.start < stretch.end);
    let inside = tokens.get(from..to).unwrap_or_default();
    let read = |token: &Token| dates.iter().any(|date| date.span.contains(&token.start));
    let small = |token: &Token, max: u8| {
        token.kind == Kind::Number && token.text(text).parse::<u8>().is_ok_and(|n| (1..=max).contains(&n))
    };
    let lone_word = inside.iter().any(|token| {
        let word = token.text(text);
        token.kind == Kind::Word
            && (words::month(word).is_some() || words::points_at_a_day(word))
            && !read(token)
    });
    let fraction = inside.windows(3).any(|three| match three {
        [day, mark, month] if mark.is_mark('/') => small(day, 31) && small(month, 31) && !read(day),
        [day, mark, month] if mark.is_mark('.') => {
            small(day, 31) && small(month, 12) && month.start == mark.end && !read(day)
        }
        _ => false,
    });
    lone_word || fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let show = |date: &FoundDate| {
            let mut shown = date.first.to_string();
            if date.last != date.first {
                shown.push_str(&format!("..{}", date.last));
            }
            if !date.sure {
                shown.push('?');
            }
            shown
        };
        find_dates(text, 2026).iter().map(show).collect()
    }

    fn check(cases: &[(&str, &[&str])]) {
        for (text, expected) in cases {
            assert_eq!(&read(text), expected, "{text}");
        }
    }

    #[test]
    fn dates_in_english() {
        check(&[
            ("agreed 6 Mar, accepted 12 Mar.", &["2026-03-06", "2026-03-12"]),
            ("(6 March 2026)", &["2026-03-06"]),
            ("on March 6, 2026 we", &["2026-03-06"]),
            ("by Mar 6.", &["2026-03-06"]),
            ("the 6th of March", &["2026-03-06"]),
            ("6-Mar-2026", &["2026-03-06"]),
            ("fifth of March; twenty-first of March", &["2026-03-05", "2026-03-21"]),
            ("on 5 March 35 drivers and on 12 March 33 of them", &["2026-03-05", "2026-03-12"]),
            ("On March 35 drivers", &[]),
            ("in March 30 tills were upgraded", &["2026-03-30?"]),
            ("2026-03-04; 2026-03-11T10:00", &["2026-03-04", "2026-03-11"]),
            ("03/20/2026 and 20/03/2026, 03/04/2026", &["2026-03-20", "2026-03-20", "2026-04-03?"]),
            ("phase 2 may close", &[]),
            ("30 Apr 2400 employees", &["2026-04-30"]),
            ("1 May 2027", &["2027-05-01"]),
        ]);
    }

    #[test]
    fn dates_in_russian() {
        check(&[
            ("утверждены 06.03, сдано (12.03).", &["2026-03-06", "2026-03-12"]),
            ("приказ от 27.02.2026г.", &["2026-02-27"]),
            ("Пятого марта и двадцать первого марта", &["2026-03-05", "2026-03-21"]),
            ("12 марта сдали тест 33 из них, 5-го марта", &["2026-03-12", "2026-03-05"]),
            ("6 мар. 2026 г.", &["2026-03-06"]),
            ("5.03.2026 и 05.03.26", &["2026-03-05", "2026-03-05"]),
            ("04.03 и 11.03", &["2026-03-04", "2026-03-11"]),
            ("3 и 5 марта", &["2026-03-03?", "2026-03-05"]),
            ("в марте обновлены 30 касс", &[]),
        ]);
    }

    #[test]
    fn ranges() {
        check(&[
            ("tiling 24 Mar to 31 Mar", &["2026-03-24..2026-03-31"]),
            ("06.04–10.04", &["2026-04-06..2026-04-10"]),
            ("06–10.04", &["2026-04-06..2026-04-10"]),
            ("7-9 Apr", &["2026-04-07..2026-04-09"]),
            ("from 16 to 27 March 2026", &["2026-03-16..2026-03-27"]),
            ("с 1 по 7 марта", &["2026-03-01..2026-03-07"]),
            ("27.02.2026–13.03.2026", &["2026-02-27..2026-03-13"]),
            ("28.12–15.01.2027", &["2026-12-28..2027-01-15"]),
            ("methods 6-9 by 27 Mar", &["2026-03-27"]),
            ("15.05 - 10.04", &["2026-05-15", "2026-04-10"]),
        ]);
    }

    #[test]
    fn numbers_that_are_no_dates() {
        for text in [
            "release 0.10",
            "0.19 dB",
            "1.8",
            "0,19 дБ",
            "2,5 с",
            "релиз 10.04",
            "Ubuntu 22.04",
            "v22.04",
            "10.04%",
            "12.10 руб.",
            "192.168.10.04",
            "10.04.01.02",
            "31.02",
            "30 Feb",
            "32 марта",
            "00.03",
            "5.12",
            "3/4",
            "5 % обращений",
            "п. 10.04",
            "$10.04",
            "12 500",
            "99.12",
            "2026-13-01",
            "2026-02-30",
            "2026-03-041",
            "31.04.2026",
            "№ 10.04",
            "sized 05.06 mm",
            "10.04 × 3",
            "20.20",
            "05.03.1826",
        ] {
            assert_eq!(read(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn hints_tell_of_what_was_not_read() {
        let hinted = |text: &str| {
            let tokens = tokens(text);
            hints(text, &tokens, &in_tokens(text, &tokens, 2026), 0..text.len())
        };
        for text in ["done in March", "в марте", "on Monday", "вчера", "3/4", "31 Feb", "5.3"] {
            assert!(hinted(text), "{text}");
        }
        for text in ["done 5 March", "05.03", "180 of 200", "0.19 dB", "2026-03-04"] {
            assert!(!hinted(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "[0-9./:, \\-–](\\PC|[0-9]{1,4}|[./\\-–]| Mar| марта| to | и ){0,30}") {
            let mut end = 0;
            for date in find_dates(&text, 2026) {
                proptest::prop_assert!(date.span.start >= end && text.get(date.span.clone()).is_some());
                proptest::prop_assert!(date.first <= date.last);
                end = date.span.end;
            }
        }

        #[test]
        fn every_way_to_write_a_day_reads_the_same(day in 1i8..=28, month in 1i8..=12) {
            let date = jiff::civil::date(2026, month, day);
            let en = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let name = en[usize::try_from(month - 1).unwrap()];
            for text in [
                format!("x {day} {name}"), format!("{name} {day}, 2026"), date.to_string(),
                format!("({day:02}.{month:02})"), format!("к {day:02}.{month:02}.2026;"),
            ] {
                let found = find_dates(&text, 2026);
                proptest::prop_assert_eq!(found.len(), 1, "{}", text);
                proptest::prop_assert_eq!(found[0].first, date);
            }
        }
    }
}
