//! A cell as the table gave it, before anyone decides what it means.

use jiff::civil;

/// One cell of a source row. Tables that know types (XLSX, Google Sheets) keep them; CSV gives `Text`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing in the cell.
    Empty,
    /// Text as stored, untrimmed.
    Text(String),
    /// A number; dates never arrive this way.
    Number(f64),
    /// A checkbox or a boolean.
    Bool(bool),
    /// A calendar date, from a cell that the table formats as one; a time of day is dropped.
    Date(civil::Date),
    /// A spreadsheet error such as `#N/A`, by its name.
    Error(String),
}

/// The error values that Excel and Google Sheets show, also recognised where a table exports them as text.
const ERROR_VALUES: [&str; 10] = [
    "#N/A", "#ERROR!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
];

impl Cell {
    /// A text cell; an empty string is an empty cell, an exported error value is an error.
    pub fn text(value: impl Into<String>) -> Self {
        let value = value.into();
        if value.is_empty() {
            return Self::Empty;
        }
        match ERROR_VALUES.iter().find(|known| **known == value.trim()) {
            Some(known) => Self::Error((*known).to_owned()),
            None => Self::Text(value),
        }
    }

    /// The cell as people read it: dates as `YYYY-MM-DD`, whole numbers without a fraction.
    pub fn display(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
            Self::Date(date) => date.to_string(),
            Self::Error(name) => name.clone(),
        }
    }

    /// True for an empty cell and for one that holds only white space.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Number(_) | Self::Bool(_) | Self::Date(_) | Self::Error(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_what_people_read() {
        let cases = [
            (Cell::text(""), ""),
            (Cell::text(" a "), " a "),
            (Cell::text("#REF!"), "#REF!"),
            (Cell::Number(7.0), "7"),
            (Cell::Number(0.25), "0.25"),
            (Cell::Bool(true), "TRUE"),
            (Cell::Date(civil::date(2026, 3, 1)), "2026-03-01"),
        ];
        for (cell, expected) in cases {
            assert_eq!(cell.display(), expected, "{cell:?}");
        }
        assert_eq!(Cell::text("#REF!"), Cell::Error("#REF!".into()));
    }
}
