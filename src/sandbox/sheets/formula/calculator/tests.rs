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
        scoped: false,
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

#[test]
fn functions_that_choose_and_look_up() {
    let others = [
        ("B1", "apple"),
        ("C1", "3"),
        ("D1", "red"),
        ("B2", "Banana"),
        ("C2", "5"),
        ("D2", "yellow"),
        ("B3", "cherry"),
        ("C3", "=C1+C2"),
        ("D3", "red"),
        ("E1", "10"),
        ("E2", "20"),
        ("E3", "30"),
    ];
    for (formula, expected) in [
        ("=VLOOKUP(\"banana\",B1:D3,3,FALSE)", "yellow"),
        ("=VLOOKUP(25,E1:E3,1)", "20"),
        ("=VLOOKUP(\"x\",B1:D3,2,FALSE)", "#N/A (Did not find value 'x' in VLOOKUP evaluation.)"),
        ("=VLOOKUP(\"apple\",B1:D3,4,0)", "#REF! (VLOOKUP evaluates to an out of bounds range.)"),
        ("=HLOOKUP(3,C1:E3,3,FALSE)", "8"),
        ("=INDEX(B1:D3,3,2)", "8"),
        ("=INDEX(B1:D1,3)", "red"),
        ("=INDEX(B1:D3,MATCH(\"b*\",B1:B3,0),3)", "yellow"),
        (
            "=INDEX(B1:B3,4)",
            "#NUM! (Function INDEX parameter 2 value is 4. Valid values are between 0 and 3 inclusive.)",
        ),
        ("=MATCH(25,E1:E3)", "2"),
        ("=MATCH(5,E1:E3)", "#N/A (Did not find value '5' in MATCH evaluation.)"),
        ("=CHOOSE(2,\"a\",\"b\")", "b"),
        ("=IFS(C1>5,\"big\",C1>2,\"middle\")", "middle"),
        ("=IFS(FALSE,1)", "#N/A (No match)"),
        ("=SWITCH(D2,\"red\",1,\"YELLOW\",2,9)", "2"),
        ("=SWITCH(D2,\"red\",1,9)", "9"),
        ("=IFNA(NA(),\"none\")", "none"),
        ("=COUNTIF(D1:D3,\"red\")", "2"),
        ("=COUNTIF(E1:E9,\">=20\")", "2"),
        ("=COUNTIF(E1:E4,\"<>20\")", "3"),
        ("=COUNTIF(B1:B3,\"*an*\")", "1"),
        ("=COUNTIF(B1:B5,\"\")", "2"),
        ("=COUNTIF(B1:B5,\"<>\")", "3"),
        ("=COUNTBLANK(B1:B5)", "2"),
        ("=COUNTIFS(D1:D3,\"red\",E1:E3,\">10\")", "1"),
        ("=COUNTIFS(D1:D3,\"red\",E1:E2,\">10\")", "#VALUE! (Array arguments are of different size.)"),
        ("=SUMIF(D1:D3,\"red\",C1:C3)", "11"),
        ("=SUMIF(E1:E3,\">10\")", "50"),
        ("=SUMIFS(C1:C3,D1:D3,\"red\",E1:E3,\"<\"&30)", "3"),
        ("=AVERAGEIF(D1:D3,\"red\",E1:E3)", "20"),
        (
            "=AVERAGEIFS(E1:E3,D1:D3,\"blue\")",
            "#DIV/0! (Evaluation of function AVERAGE caused a divide by zero error.)",
        ),
        ("=ISNA(MATCH(1,E1:E3,0))", "true"),
        ("=ISERR(1/0)", "true"),
        ("=ISTEXT(B1)", "true"),
        ("=ROUNDUP(1.1*100,0)", "110"),
        ("=ROUNDUP(-1.21,1)", "-1.3"),
        ("=ROUNDDOWN(1.29,1)", "1.2"),
        ("=SQRT(16)+POWER(2,3)+SIGN(-4)+PRODUCT(2,3)", "17"),
    ] {
        assert_eq!(value(formula, &others), expected, "{formula}");
    }
}

#[test]
fn functions_of_texts() {
    for (formula, expected) in [
        ("=SUBSTITUTE(\"a-b-c\",\"-\",\"+\")", "a+b+c"),
        ("=SUBSTITUTE(\"a-b-c\",\"-\",\"+\",2)", "a-b+c"),
        ("=REPLACE(\"годы\",2,2,\"ор\")", "горы"),
        ("=FIND(\"б\",\"абв\")", "2"),
        ("=FIND(\"B\",\"abc\")", "#VALUE! (In FIND evaluation, cannot find 'B' within 'abc'.)"),
        ("=SEARCH(\"B\",\"abcb\",3)", "4"),
        ("=REGEXMATCH(\"R12\",\"\\d+\")", "true"),
        ("=REGEXEXTRACT(\"R12 x\",\"R(\\d+)\")", "12"),
        ("=REGEXREPLACE(\"a1b2\",\"([a-z])(\\d)\",\"$2\\1$\")", "1a$2b$"),
        (
            "=REGEXMATCH(\"x\",\"(\")",
            "#REF! (Function REGEXMATCH parameter 2 value \"(\" is not a valid regular expression.)",
        ),
        ("=JOIN(\",\",1,\"\",\"x\")", "1,,x"),
        ("=TEXTJOIN(\", \",TRUE,B1:B9,\"\",\"x\")", "one, two, x"),
        ("=REPT(\"ab\",3)", "ababab"),
        ("=PROPER(\"the END of it's\")", "The End Of It'S"),
        ("=CHAR(1046)&CODE(\"A\")", "Ж65"),
    ] {
        assert_eq!(value(formula, &[("B1", "one"), ("B3", "two")]), expected, "{formula}");
    }
}

#[test]
fn functions_of_dates() {
    let day =
        |year: i16, month: i8, day: i8| entry::serial(jiff::civil::date(year, month, day).into()).to_string();
    for (formula, expected) in [
        ("=YEAR(\"2026-03-13\")*100+MONTH(TODAY())", "202603".to_owned()),
        ("=DAY(TODAY())&HOUR(0.75)&MINUTE(TIME(1,2,3))", "13182".to_owned()),
        ("=EDATE(DATE(2024,1,31),1)", day(2024, 2, 29)),
        ("=EOMONTH(DATE(2024,1,31),-2)", day(2023, 11, 30)),
        ("=DATEDIF(DATE(2020,2,28),DATE(2023,2,27),\"Y\")", "2".to_owned()),
        ("=DATEDIF(DATE(2020,1,15),DATE(2020,3,14),\"m\")", "1".to_owned()),
        ("=DATEDIF(DATE(2020,1,15),DATE(2020,3,14),\"MD\")", "28".to_owned()),
        ("=DATEDIF(DATE(2020,1,15),DATE(2021,3,14),\"YM\")", "1".to_owned()),
        ("=DATEDIF(DATE(2020,3,1),DATE(2021,3,14),\"YD\")", "13".to_owned()),
        ("=DAYS(DATE(2020,3,1),DATE(2020,2,1))", "29".to_owned()),
        ("=WEEKDAY(DATE(2026,3,13))", "6".to_owned()),
        ("=WEEKDAY(DATE(2026,3,13),2)", "5".to_owned()),
        ("=WEEKNUM(DATE(2026,1,4))", "2".to_owned()),
        ("=WEEKNUM(DATE(2026,1,4),2)", "1".to_owned()),
        ("=ISOWEEKNUM(DATE(2027,1,1))", "53".to_owned()),
    ] {
        assert_eq!(value(formula, &[]), expected, "{formula}");
    }
}

#[test]
fn texts_that_formulas_make_have_an_end() {
    let mut cells = vec![("B1".to_owned(), "x".repeat(1000))];
    for row in 2..40 {
        cells.push((format!("B{row}"), format!("=B{0}&B{0}", row - 1)));
    }
    let cells: Vec<(&str, &str)> =
        cells.iter().map(|(place, text)| (place.as_str(), text.as_str())).collect();
    assert_eq!(value("=LEN(B6)", &cells), "32000");
    let limit =
        |name: &str| format!("#VALUE! (Text result of {name} is longer than the limit of 50000 characters.)");
    for (formula, name) in [
        ("=B39", "CONCATENATE"),
        ("=CONCATENATE(B6,B6)", "CONCATENATE"),
        ("=SUBSTITUTE(B6,\"x\",B6)", "SUBSTITUTE"),
        ("=REGEXREPLACE(B6,\"(x+)\",\"$1$1\")", "REGEXREPLACE"),
        ("=REPT(\"x\",1000000000000)", "REPT"),
        ("=JOIN(B6,1,2,3)", "JOIN"),
        ("=TEXT(1,REPT(\"@@@@@\",10000)&\"0\")", "CONCATENATE"),
    ] {
        assert_eq!(value(formula, &cells), limit(name), "{formula}");
    }
}
