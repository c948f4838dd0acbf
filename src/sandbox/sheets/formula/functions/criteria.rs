//! Functions that count and add up the cells that meet criteria: `">5"`, `"<>done"`, `"a*"`.

use std::cmp::Ordering;

use regex::{Regex, RegexBuilder};

use super::{Arguments, Entry, MANY, no_average};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::entry::{self, Locale};
use crate::sandbox::sheets::formula::operators::{finite, order};
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

pub(super) const FUNCTIONS: [Entry; 7] = [
    ("COUNTIF", 2, 2, |args| count(args)),
    ("COUNTIFS", 2, MANY, |args| count(args)),
    ("COUNTBLANK", 1, 1, |args| {
        let (tab, rect) = args.area(0)?;
        let blank = |value: &Scalar| Criterion::Blank(true).meets(value);
        let values = rect.cells().map(|(row, column)| args.calc.settled((tab, row, column)));
        Ok(Scalar::Number(values.filter(blank).count() as f64))
    }),
    ("SUMIF", 2, 3, |args| sum(&of_one(args)?)),
    ("SUMIFS", 3, MANY, |args| sum(&of_many(args)?)),
    ("AVERAGEIF", 2, 3, |args| average(&of_one(args)?)),
    ("AVERAGEIFS", 3, MANY, |args| average(&of_many(args)?)),
];

fn count(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    Ok(Scalar::Number(meeting(args, 0, args.list.len())?.len() as f64))
}

fn sum(numbers: &[f64]) -> Result<Scalar, Fault> {
    finite(numbers.iter().sum()).map(Scalar::Number)
}

fn average(numbers: &[f64]) -> Result<Scalar, Fault> {
    if numbers.is_empty() {
        return Err(no_average());
    }
    finite(numbers.iter().sum::<f64>() / numbers.len() as f64).map(Scalar::Number)
}

/// The numbers of `SUMIF(range, criterion, [numbers])`.
fn of_one(args: &Arguments<'_, '_>) -> Result<Vec<f64>, Fault> {
    numbers(args, if args.list.len() > 2 { 2 } else { 0 }, &meeting(args, 0, 2)?)
}

/// The numbers of `SUMIFS(numbers, range, criterion, ...)`.
fn of_many(args: &Arguments<'_, '_>) -> Result<Vec<f64>, Fault> {
    let found = meeting(args, 1, args.list.len())?;
    let ((_, first), (_, numbered)) = (args.area(1)?, args.area(0)?);
    same_size(first, numbered)?;
    numbers(args, 0, &found)
}

/// The numbers of an area in those places, counted from its first cell.
fn numbers(args: &Arguments<'_, '_>, area: usize, places: &[(u32, u32)]) -> Result<Vec<f64>, Fault> {
    let (tab, rect) = args.area(area)?;
    let mut numbers = Vec::new();
    for (down, right) in places {
        // What is outside of the area was not worked out.
        if *down >= rect.height() || *right >= rect.width() {
            continue;
        }
        match args.calc.settled((tab, rect.top + down, rect.left + right)) {
            Scalar::Number(value) => numbers.push(value),
            Scalar::Error(fault) => return Err(fault),
            _ => {}
        }
    }
    Ok(numbers)
}

/// The places, counted from the first cell of the areas, whose cells meet all criteria. Areas and criteria take
/// turns in the arguments.
fn meeting(args: &Arguments<'_, '_>, from: usize, to: usize) -> Result<Vec<(u32, u32)>, Fault> {
    if !(to - from).is_multiple_of(2) {
        return Err(ErrorKind::NotAvailable.because("Each range needs a criterion."));
    }
    let (_, first) = args.area(from)?;
    let mut places: Vec<(u32, u32)> =
        first.cells().map(|(row, column)| (row - first.top, column - first.left)).collect();
    for index in (from..to).step_by(2) {
        let (tab, rect) = args.area(index)?;
        same_size(first, rect)?;
        let criterion = Criterion::read(&args.get(index + 1), args.locale)?;
        places.retain(|(down, right)| {
            criterion.meets(&args.calc.settled((tab, rect.top + down, rect.left + right)))
        });
    }
    Ok(places)
}

fn same_size(left: Rect, right: Rect) -> Result<(), Fault> {
    if (left.height(), left.width()) == (right.height(), right.width()) {
        return Ok(());
    }
    Err(ErrorKind::Value.because("Array arguments are of different size."))
}

/// Which orders of a value and what it is compared with are right.
type Is = fn(Ordering) -> bool;

/// What a value has to be.
pub(super) enum Criterion {
    /// Nothing; or something, if false.
    Blank(bool),
    /// A text of that form; or not, if false.
    Like(Regex, bool),
    /// Something of that type which compares so.
    Compared(Is, Scalar),
    /// Anything but that.
    Not(Scalar),
}

impl Criterion {
    /// Reads a criterion as it is written in a formula or a cell.
    pub(super) fn read(value: &Scalar, locale: &Locale) -> Result<Self, Fault> {
        let text = match value {
            Scalar::Text(text) => text,
            Scalar::Error(fault) => return Err(fault.clone()),
            Scalar::Blank => return Ok(Self::Compared(Ordering::is_eq, Scalar::Number(0.0))),
            other => return Ok(Self::Compared(Ordering::is_eq, other.clone())),
        };
        let marks: [(&str, Is); 6] = [
            ("<=", Ordering::is_le),
            (">=", Ordering::is_ge),
            ("<>", Ordering::is_ne),
            ("<", Ordering::is_lt),
            (">", Ordering::is_gt),
            ("=", Ordering::is_eq),
        ];
        let found = marks.iter().find_map(|(mark, is)| Some((*mark, *is, text.strip_prefix(mark)?)));
        let (mark, is, rest) = found.unwrap_or(("=", Ordering::is_eq, text));
        let literal = match entry::as_number(rest, locale) {
            Some(number) => Scalar::Number(number),
            None if rest.eq_ignore_ascii_case("true") => Scalar::Bool(true),
            None if rest.eq_ignore_ascii_case("false") => Scalar::Bool(false),
            None => Scalar::from(rest),
        };
        Ok(match (mark, literal) {
            ("=" | "<>", Scalar::Text(text)) if text.is_empty() => Self::Blank(mark == "="),
            ("=" | "<>", Scalar::Text(text)) => Self::Like(wildcards(&text)?, mark == "="),
            ("<>", other) => Self::Not(other),
            (_, other) => Self::Compared(is, other),
        })
    }

    /// True if a value is so.
    pub(super) fn meets(&self, value: &Scalar) -> bool {
        let same_type = |wanted: &Scalar| std::mem::discriminant(wanted) == std::mem::discriminant(value);
        match self {
            Self::Blank(wanted) => {
                let empty = match value {
                    Scalar::Blank => true,
                    Scalar::Text(text) => text.is_empty(),
                    _ => false,
                };
                empty == *wanted
            }
            Self::Like(form, wanted) => matches!(value, Scalar::Text(text) if form.is_match(text)) == *wanted,
            Self::Compared(is, wanted) => same_type(wanted) && is(order(value, wanted)),
            Self::Not(wanted) => !(same_type(wanted) && order(value, wanted).is_eq()),
        }
    }
}

/// A whole text in which `*` stands for any characters and `?` for one; `~` takes that meaning from what follows.
pub(super) fn wildcards(text: &str) -> Result<Regex, Fault> {
    let mut pattern = String::from("^");
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            '~' => pattern.push_str(&regex::escape(&characters.next().unwrap_or('~').to_string())),
            other => pattern.push_str(&regex::escape(&other.to_string())),
        }
    }
    pattern.push('$');
    let built = RegexBuilder::new(&pattern).case_insensitive(true).dot_matches_new_line(true).build();
    built.map_err(|_| ErrorKind::Value.because("The criterion is too long."))
}
