//! What formulas come to.

use super::*;
use crate::sandbox::sheets::entry;

/// A spreadsheet of one sheet with these cells, as if typed in.
fn book(cells: &[(&str, &str)]) -> Spreadsheet {
    let mut book = Spreadsheet::new("id", "Book");
    for (place, typed) in cells {
        let place = book.find(place).unwrap();
        let entered = entry::entered(typed, None, &book, Timestamp::UNIX_EPOCH).content;
        let (row, column) = (place.bounds.top.unwrap(), place.bounds.left.unwrap());
        let grid = &mut book.tab_mut(place.tab).unwrap().grid;
        grid.put(row, column, Cell::new(entered));
    }
    book
}

fn now() -> Timestamp {
    "2026-03-13T06:00:00Z".parse().unwrap()
}

/// What `A1` of such a sheet comes to, with the reason of an error.
fn value(formula: &str, others: &[(&str, &str)]) -> String {
    let mut cells = vec![("A1", formula)];
    cells.extend(others);
    let book = book(&cells);
    match Calculator::new(&book, now()).value((0, 0, 0)).unformatted() {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

#[test]
fn formulas_of_numbers_and_texts() {
    let others = [("B1", "2"), ("B2", "3"), ("B3", "x"), ("B4", "TRUE"), ("C1", "=B1*10")];
    for (formula, expected) in [
        ("= 1 / 1024", "0.0009765625"),
        ("=B1+B2*2", "8"),
        ("=SUM(B1:B4)", "5"),
        ("=SUM(B:B;1)", "6"),
        ("=AVERAGE(B1,B2)", "2.5"),
        ("=COUNT(B1:B4)", "2"),
        ("=COUNTA(B1:B9)", "4"),
        ("=MAX(B1:B4)-MIN(B1:B4)", "1"),
        ("=C1&\"%\"", "20%"),
        ("=IF(B1<B2,\"less\",\"more\")", "less"),
        ("=IF(B3=\"X\";1)", "1"),
        ("=IF(FALSE,1)", "false"),
        ("=AND(B4,B1>1)", "true"),
        ("=CONCATENATE(B1;\" of \";B2)", "2 of 3"),
        ("=LEN(\"день 😀\")", "7"),
        ("=ROW()+ROW(B3)", "4"),
        ("=COLUMN(C1)", "3"),
        ("=HYPERLINK(\"https://example.com\",\"label\")", "label"),
        ("=HYPERLINK(\"https://example.com\")", "https://example.com"),
        ("=TODAY()", "46094"),
        ("=DATE(2020,13,1)", "44197"),
        ("=ROUND(2.345,2)", "2.35"),
        ("=ROUND(-1.5)", "-2"),
        ("=MOD(-1;3)", "2"),
        ("=-2^2", "4"),
        ("=50%*B1", "1"),
        ("=\"5\"+1", "6"),
        ("=TEXT(0.5,\"0%\")", "50%"),
        ("=LEFT(\"abc\",2)&MID(\"abc\",2,5)&RIGHT(\"abc\")", "abbcc"),
        ("=COUNTIF(B1:B4,\"X\")", "1"),
        ("=ISBLANK(D9)", "true"),
        ("=Z1000", ""),
    ] {
        assert_eq!(value(formula, &others), expected, "{formula}");
    }
}

#[test]
fn errors_say_why() {
    let others = [("B1", "0"), ("B2", "x"), ("B3", "=B3"), ("B4", "=1/B1")];
    for (formula, expected) in [
        ("=1/B1", "#DIV/0! (Function DIVIDE parameter 2 cannot be zero.)"),
        (
            "=B2*2",
            "#VALUE! (Function MULTIPLY parameter 1 expects number values. But 'x' is a text and cannot be coerced to a number.)",
        ),
        ("=FLY(1)", "#NAME? (Unknown function: 'FLY'.)"),
        ("=nothing", "#NAME? (Unknown range name: 'NOTHING'.)"),
        ("=Gone!A1", "#REF! (Unresolved sheet name 'Gone'.)"),
        ("=1+", "#ERROR! (Formula parse error.)"),
        ("=NA()", "#N/A"),
        ("=#N/A", "#N/A"),
        (
            "=SUM(B1:B4)+1",
            "#REF! (Circular dependency detected. To resolve with iterative calculation, see File > Settings.)",
        ),
        ("=IFERROR(B4,\"none\")", "none"),
        ("=ISERROR(B4)", "true"),
        ("=LEN(B4)", "#DIV/0! (Function DIVIDE parameter 2 cannot be zero.)"),
    ] {
        assert_eq!(value(formula, &others), expected, "{formula}");
    }
    assert!(value("=ABS(1,2)", &[]).starts_with("#N/A (Wrong number of arguments to ABS."));
    assert!(value("=10^999", &[]).starts_with("#NUM!"));
}

#[test]
fn circles_are_errors_and_what_hangs_on_them_too() {
    let book = book(&[("A1", "=B1"), ("B1", "=C1+1"), ("C1", "=A1"), ("D1", "=C1"), ("E1", "=2")]);
    let calculator = Calculator::new(&book, now());
    for column in 0..4 {
        let value = calculator.value((0, 0, column));
        assert!(
            matches!(value, Scalar::Error(Fault { kind: ErrorKind::Reference, .. })),
            "{column}: {value:?}"
        );
    }
    assert_eq!(calculator.value((0, 0, 4)), Scalar::Number(2.0));
}

#[test]
fn long_chains_are_worked_out() {
    let mut book = Spreadsheet::new("id", "Book");
    let tab = book.tab_mut(0).unwrap();
    tab.grid.resize(20_000, 2);
    let formula =
        |text: String| Cell::new(Content::Formula(Arc::new(super::super::Formula::new(&text, false))));
    tab.grid.put(0, 0, Cell::new(Content::Number(1.0)));
    for row in 1..20_000 {
        tab.grid.put(row, 0, formula(format!("=A{row}+1")));
    }
    assert_eq!(Calculator::new(&book, now()).value((0, 19_999, 0)), Scalar::Number(20_000.0));
}

#[test]
fn names_and_other_sheets() {
    let mut book = book(&[("B1", "5"), ("B2", "6")]);
    let mut tab = crate::sandbox::sheets::tab::Tab::new(9, "My Tab", 5, 5);
    let formula = |text: &str| Cell::new(Content::Formula(Arc::new(super::super::Formula::new(text, false))));
    tab.grid.put(0, 0, formula("=SUM(Total)"));
    tab.grid.put(0, 1, formula("='My Tab'!A1*sheet1!B1"));
    book.tabs.push(Arc::new(tab));
    book.names.push(crate::sandbox::sheets::spreadsheet::Named {
        id: "n".into(),
        name: "Total".into(),
        sheet: 0,
        bounds: Rect::new(0..2, 1..2).into(),
    });
    let calculator = Calculator::new(&book, now());
    assert_eq!(calculator.value((1, 0, 1)), Scalar::Number(55.0));
}

#[test]
fn formats_and_links_come_from_what_a_formula_is_made_of() {
    let mut book = book(&[
        ("A1", "=B1+7"),
        ("A2", "=B1-B2"),
        ("A3", "=TODAY()"),
        ("A4", "=HYPERLINK(\"https://e.com/\"&B3,\"x\")"),
        ("B3", "7"),
    ]);
    let dated = serde_json::json!({"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}});
    for row in 0..2 {
        let grid = &mut book.tab_mut(0).unwrap().grid;
        grid.edit(row, 1, |cell| cell.change(|extra| extra.format = dated.as_object().unwrap().clone()));
    }
    let calculator = Calculator::new(&book, now());
    let format = |row| calculator.format((0, row, 0)).map(|(kind, pattern)| format!("{kind} {pattern}"));
    assert_eq!(format(0).as_deref(), Some("DATE yyyy-mm-dd"));
    assert_eq!((format(1), format(2).as_deref()), (None, Some("DATE ")));
    assert_eq!(calculator.link((0, 3, 0)).as_deref(), Some("https://e.com/7"));
    assert_eq!(calculator.link((0, 0, 0)), None);
}
