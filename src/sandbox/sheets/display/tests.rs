//! Patterns and what they show.

use super::*;
use crate::sandbox::sheets::value::ErrorKind;

fn check(locale: &str, cases: &[(f64, &str, &str)]) {
    for (value, pattern, expected) in cases {
        let shown = show(&Scalar::Number(*value), Some(("", pattern)), Locale::of(locale));
        assert_eq!(&shown, expected, "{value} {pattern}");
    }
}

#[test]
fn numbers_without_a_pattern() {
    for (value, expected) in [
        (2.0, "2"),
        (1.45, "1.45"),
        (0.1 + 0.2, "0.3"),
        (1.0 / 1024.0, "0.0009765625"),
        (1.0 / 3.0, "0.3333333333"),
        (1.0 / 3000.0, "0.0003333333333"),
        (100.0 / 3.0, "33.33333333"),
        (1_234_567.891_234, "1234567.891"),
        (123_456_789_012_345.0, "123456789012345"),
        (1_234_567_890_123_456.0, "1.23457E+15"),
        (1e-7, "0.0000001"),
        (1.5e-12, "1.5E-12"),
        (-0.0, "0"),
        (-2.5, "-2.5"),
    ] {
        assert_eq!(general(value, Locale::of("en_US")), expected);
    }
    assert_eq!(general(1.5, Locale::of("ru_RU")), "1,5");
}

#[test]
fn patterns_of_numbers() {
    check(
        "en_US",
        &[
            (1234.5, "#,##0.00", "1,234.50"),
            (1_234_567.0, "#,##0", "1,234,567"),
            (0.0, "#,##0.00", "0.00"),
            (0.5, "#.##", ".5"),
            (5.0, "0.##", "5."),
            (42.0, "00000", "00042"),
            (0.256, "0%", "26%"),
            (0.256, "0.0%", "25.6%"),
            (-1234.5, "#,##0.00", "-1,234.50"),
            (-0.001, "0.00", "0.00"),
            (2.345, "0.00", "2.35"),
            (1.005, "0.00", "1.01"),
            (20.5, "\"$\"#,##0.00", "$20.50"),
            (20.5, "#,##0.00\\ \"€\"", "20.50 €"),
            (4_000_000.0, "[$₩-412]#,##0", "₩4,000,000"),
            (1500.0, "0.0,\"k\"", "1.5k"),
            (12345.678, "0.00E+00", "1.23E+04"),
            (-5.0, "0;(0);\"zero\"", "(5)"),
            (0.0, "0;(0);\"zero\"", "zero"),
            (5.0, "[Red]0", "5"),
            (150.0, "[>100]\"big\";0", "big"),
            (50.0, "[>100]\"big\";0", "50"),
            (5_551_234.0, "000-0000", "555-1234"),
            (7.0, "0\" days\"", "7 days"),
            (1.5, "@", "1.5"),
            (1234.0, "#", "1234"),
            (0.0, "#", ""),
            (1234.0, "0000,000", "0,001,234"),
            (1234.567, "# ?/?", "1234 4/7"),
            (1234.567, "# ??/??", "1234 55/97"),
            (1234.567, "#,##0 ?/?", "1,234 4/7"),
            (-2.5, "# ?/?", "-2 1/2"),
            (0.5, "# ??/??", "  1/2 "),
            (5.0, "# ?/?", "5    "),
            (0.0, "# ?/?", "0    "),
            (0.99, "# ?/?", "1    "),
            (2.5, "?/?", "5/2"),
            (0.3, "# ?/8\" in\"", " 2/8 in"),
            (0.125, "# ?/16", " 2/16"),
            (1.0, "\"a/b\"0", "a/b1"),
            (1.0, "0/\"x\"", "1/x"),
        ],
    );
    check("de_DE", &[(1234.5, "#,##0.00", "1.234,50"), (0.5, "0.0%", "50,0%")]);
    check("ru_RU", &[(1_234_567.5, "#,##0.0", "1\u{a0}234\u{a0}567,5")]);
}

#[test]
fn patterns_of_dates() {
    let moment = 46_094.617_361_111; // 13 March 2026, 14:49, a Friday
    check(
        "en_US",
        &[
            (moment, "dd.mm.yyyy hh:mm", "13.03.2026 14:49"),
            (moment, "yyyy-mm-dd", "2026-03-13"),
            (moment, "M/d/yyyy H:mm:ss", "3/13/2026 14:49:00"),
            (moment, "h:mm am/pm", "2:49 PM"),
            (moment, "h a/p", "2 P"),
            (moment, "dddd, mmmm d", "Friday, March 13"),
            (moment, "ddd mmm yy", "Fri Mar 26"),
            (moment, "mm:ss", "49:00"),
            (moment, "\"week of\" d", "week of 13"),
            (1.5, "[h]:mm", "36:00"),
            (0.5, "hh:mm:ss", "12:00:00"),
            (0.000_005_787, "ss.000", "00.500"),
            (0.999_999_999, "hh:mm:ss", "00:00:00"),
            (1e12, "yyyy", "1000000000000"),
        ],
    );
    check("ru_RU", &[(moment, "d mmmm yyyy", "13 март 2026"), (moment, "ddd", "пт")]);
}

#[test]
fn types_have_patterns_of_their_own() {
    let shown = |value, kind, locale| show(&Scalar::Number(value), Some((kind, "")), Locale::of(locale));
    assert_eq!(shown(43_831.0, "DATE", "en_US"), "1/1/2020");
    assert_eq!(shown(43_831.5, "DATE_TIME", "de_DE"), "01.01.2020 12:00:00");
    assert_eq!(shown(0.5, "PERCENT", "en_US"), "50.00%");
    assert_eq!(shown(5.0, "CURRENCY", "de_DE"), "5,00 €");
    assert_eq!(shown(5.0, "TEXT", "en_US"), "5");
    assert!(
        is_date(Some(("DATE", ""))) && is_date(Some(("NUMBER", "dd.mm"))) && !is_date(Some(("NUMBER", "0")))
    );
}

#[test]
fn other_values_are_shown_as_they_are() {
    let locale = Locale::of("en_US");
    let format = Some(("NUMBER", "0.00"));
    assert_eq!(show(&Scalar::from("x"), format, locale), "x");
    assert_eq!(show(&Scalar::Bool(true), format, locale), "TRUE");
    assert_eq!(show(&Scalar::Bool(false), format, Locale::of("ru_RU")), "ЛОЖЬ");
    assert_eq!(show(&ErrorKind::NotAvailable.into(), format, locale), "#N/A");
    assert_eq!(show(&Scalar::Blank, format, locale), "");
}

proptest::proptest! {
    #[test]
    fn any_pattern_shows_any_number_without_harm(value in -1e16f64..1e16, pattern in "\\PC{0,12}|[#0?.,%;ymdhs\\[\\]\"\\\\E+@/ ]{0,14}") {
        let _ = show(&Scalar::Number(value), Some(("", &pattern)), Locale::of("en_US"));
    }
}
