//! What texts mean in each locale.

use super::*;
use crate::sandbox::sheets::display;

fn typed(text: &str, locale: &str) -> Entered {
    let mut book = Spreadsheet::new("id", "Book");
    book.locale = locale.into();
    entered(text, None, &book, "2026-03-13T06:00:00Z".parse().unwrap())
}

/// The content, and after it what the cell shows if that is something else than was typed.
fn read(text: &str, locale: &str) -> String {
    let entered = typed(text, locale);
    let format = entered.format.as_ref().map(|(kind, pattern)| (*kind, pattern.as_str()));
    let shown = |scalar| display::show(&scalar, format, Locale::of(locale));
    match &entered.content {
        Content::Number(value) => format!("{value} {}", shown(entered.content.scalar().unwrap())),
        Content::Text(text) => format!("text {text}"),
        Content::Bool(value) => format!("bool {value}"),
        Content::Error(kind) => format!("error {}", kind.shown()),
        Content::Formula(formula) => formula.text().to_owned(),
        Content::Blank => "blank".into(),
    }
}

fn check(locale: &str, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(&read(text, locale), expected, "{locale} {text:?}");
    }
}

#[test]
fn american() {
    check(
        "en_US",
        &[
            ("0042", "42 42"),
            ("  7 ", "7 7"),
            ("2,000,000.01", "2000000.01 2,000,000.01"),
            ("1,234", "1234 1,234"),
            ("1,23", "text 1,23"),
            ("12,34,567", "text 12,34,567"),
            ("-5", "-5 -5"),
            ("+5", "5 5"),
            ("(5)", "-5 -5"),
            (".5", "0.5 0.5"),
            ("5.", "5 5"),
            ("5%", "0.05 5%"),
            ("5.25%", "0.0525 5.25%"),
            ("$20.50", "20.5 $20.50"),
            ("-$1,000", "-1000 -$1,000"),
            ("1e5", "100000 1.00E+05"),
            ("1e", "text 1e"),
            ("12345678901234567890", "12345678901234567000 1.23457E+19"),
            ("2020-01-01", "43831 2020-01-01"),
            ("1999-01-02", "36162 1999-01-02"),
            ("1/2/2020", "43832 1/2/2020"),
            ("01/02/2020", "43832 01/02/2020"),
            ("12/31/99", "36525 12/31/99"),
            ("1/2", "46024 1/2"),
            ("3-4", "46085 3-4"),
            ("13/1/2020", "text 13/1/2020"),
            ("2020-02-30", "text 2020-02-30"),
            ("23.11.2026 14:49", "text 23.11.2026 14:49"),
            ("23.11.2026", "text 23.11.2026"),
            ("1/2/2020 10:30", "43832.4375 1/2/2020 10:30:00"),
            ("2020-01-01T06:00", "43831.25 2020-01-01 6:00:00"),
            ("10:30", "0.4375 10:30"),
            ("9:05 PM", "0.8784722222222222 9:05 PM"),
            ("25:00", "1.0416666666666667 25:00"),
            ("10:75", "text 10:75"),
            ("Jan 5, 2020", "43835 Jan 5, 2020"),
            ("5 March 2020", "43895 5 March 2020"),
            ("5-Mar", "46086 5-Mar"),
            ("Mar 2020", "43891 Mar 2020"),
            ("March 2020", "43891 March 2020"),
            ("3/2020", "43891 3/2020"),
            ("TRUE", "bool true"),
            ("false", "bool false"),
            ("#N/A", "error #N/A"),
            ("'0009", "text 0009"),
            ("''x", "text 'x"),
            ("'", "blank"),
            ("", "blank"),
            ("=1+1", "=1+1"),
            ("= sum(a1;2)", "= sum(A1,2)"),
            ("=", "text ="),
            ("+text", "=+text"),
            ("-A1", "=-A1"),
            ("- item", "text - item"),
            ("-", "text -"),
            ("@name", "text @name"),
            ("3_1_0", "text 3_1_0"),
            ("Артур", "text Артур"),
            ("a\nb", "text a\nb"),
            ("1.2.3", "text 1.2.3"),
            ("NaN", "text NaN"),
            ("inf", "text inf"),
        ]
        .map(|(text, expected)| (text, expected)),
    );
}

#[test]
fn british() {
    check(
        "en_GB",
        &[
            ("13/1/2020", "43843 13/1/2020"),
            ("1/2/2020", "43862 1/2/2020"),
            ("£5.00", "5 £5.00"),
            ("$5", "text $5"),
            ("2,000.5", "2000.5 2,000.5"),
        ],
    );
}

#[test]
fn russian() {
    check(
        "ru_RU",
        &[
            ("23.11.2026 14:49", "46349.61736111111 23.11.2026 14:49:00"),
            ("23.11.2026", "46349 23.11.2026"),
            ("05.03.2026", "46086 05.03.2026"),
            ("5.3.26", "46086 5.3.26"),
            ("2020-01-01", "43831 2020-01-01"),
            ("1,5", "1.5 1,5"),
            ("1.5", "text 1.5"),
            ("1 234,50", "1234.5 1\u{a0}234,50"),
            ("1\u{a0}234", "1234 1\u{a0}234"),
            ("5,5%", "0.055 5,50%"),
            ("100 ₽", "100 100 ₽"),
            ("ИСТИНА", "bool true"),
            ("ложь", "bool false"),
            ("5 март 2020", "43895 5 март 2020"),
            ("=СУММ", "=СУММ"),
            ("=SUM(1,5;2)", "=SUM(1,5;2)"),
        ],
    );
}

#[test]
fn german() {
    check(
        "de_DE",
        &[
            ("1.234,5", "1234.5 1.234,5"),
            ("1,5", "1.5 1,5"),
            ("12.50", "text 12.50"),
            ("23.11.2026", "46349 23.11.2026"),
            ("19,99 €", "19.99 19,99 €"),
            ("WAHR", "bool true"),
            ("5 Dez 2020", "44170 5 Dez. 2020"),
        ],
    );
}

#[test]
fn a_text_cell_takes_everything_as_text() {
    let book = Spreadsheet::new("id", "Book");
    for text in ["42", "=1+1", "2020-01-01"] {
        let entered = entered(text, Some("TEXT"), &book, Timestamp::UNIX_EPOCH);
        assert_eq!(entered.content, Content::text(text));
    }
}

#[test]
fn addresses_become_links() {
    assert!(typed("https://example.com/x?y=1", "en_US").link);
    assert!(!typed("see https://example.com", "en_US").link);
    assert!(!typed("https://", "en_US").link);
}

proptest::proptest! {
    #[test]
    fn any_text_is_understood_without_harm(text in "\\PC{0,20}|[-+=0-9.,/:%$ eE()]{0,16}", locale in 0usize..4) {
        let _ = typed(&text, ["en_US", "en_GB", "ru_RU", "de_DE"][locale]);
    }

    #[test]
    fn a_moment_and_its_number_are_the_same(days in -1000i32..60_000, seconds in 0i32..86_400) {
        let serial_of = f64::from(days) + f64::from(seconds) / 86_400.0;
        let back = serial(moment(serial_of).unwrap());
        proptest::prop_assert!((back - serial_of).abs() < 1e-9);
    }
}
