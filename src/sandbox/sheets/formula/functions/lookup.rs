//! Functions that choose and look up.

use super::criteria::wildcards;
use super::{Arguments, Entry, MANY};
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::display;
use crate::sandbox::sheets::formula::operators::{order, truth};
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

pub(super) const FUNCTIONS: [Entry; 8] = [
    ("INDEX", 1, 3, index),
    ("MATCH", 2, 3, |args| {
        let (tab, rect) = args.area(1)?;
        if rect.height() > 1 && rect.width() > 1 {
            return Err(
                ErrorKind::NotAvailable.because("MATCH range must be a single row or a single column.")
            );
        }
        let way = if args.list.len() > 2 { args.number(2)? } else { 1.0 };
        let values: Vec<Scalar> =
            rect.cells().map(|(row, column)| args.calc.settled((tab, row, column))).collect();
        let at = find(args, "MATCH", &values, Way::of(way))?;
        Ok(Scalar::Number(at as f64 + 1.0))
    }),
    ("VLOOKUP", 3, 4, |args| {
        table(args, "VLOOKUP", |rect| (rect.height(), rect.width()), |line, column| (line, column))
    }),
    ("HLOOKUP", 3, 4, |args| {
        table(args, "HLOOKUP", |rect| (rect.width(), rect.height()), |line, row| (row, line))
    }),
    ("CHOOSE", 2, MANY, |args| {
        let (choice, most) = (args.number(0)?.trunc(), args.list.len() - 1);
        if !(1.0..=most as f64).contains(&choice) {
            return Err(ErrorKind::Number.because(format!(
                "Function CHOOSE parameter 1 value is {choice}. Valid values are between 1 and {most} inclusive."
            )));
        }
        Ok(args.get(choice as usize))
    }),
    ("IFS", 2, MANY, |args| {
        for index in (0..args.list.len()).step_by(2) {
            if truth(&args.get(index))? {
                return Ok(args.get(index + 1));
            }
        }
        Err(ErrorKind::NotAvailable.because("No match"))
    }),
    ("SWITCH", 3, MANY, |args| {
        let value = args.get(0);
        if let Scalar::Error(fault) = value {
            return Err(fault);
        }
        let mut index = 1;
        while index + 1 < args.list.len() {
            if order(&value, &args.get(index)).is_eq() {
                return Ok(args.get(index + 1));
            }
            index += 2;
        }
        if index < args.list.len() {
            return Ok(args.get(index));
        }
        Err(ErrorKind::NotAvailable.because("No match"))
    }),
    ("IFNA", 2, 2, |args| {
        let value = args.get(0);
        let missing = matches!(&value, Scalar::Error(fault) if fault.kind == ErrorKind::NotAvailable);
        Ok(if missing { args.get(1) } else { value })
    }),
];

fn index(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let (tab, rect) = args.area(0)?;
    let (mut row, mut column) = (args.number(1)?.trunc(), args.number(2)?.trunc());
    // A single number counts along an area of one row.
    if args.list.len() == 2 && rect.height() == 1 {
        (row, column) = (1.0, row);
    }
    let place = |parameter: u32, value: f64, size: u32| {
        if value == 0.0 && size == 1 {
            return Ok(0);
        }
        if value == 0.0 {
            return Err(
                ErrorKind::Value.because("The sandbox has no arrays: INDEX of a whole row or column.")
            );
        }
        if !(0.0..=f64::from(size)).contains(&value) {
            return Err(ErrorKind::Number.because(format!(
                "Function INDEX parameter {parameter} value is {value}. Valid values are between 0 and {size} inclusive."
            )));
        }
        Ok(value as u32 - 1)
    };
    let (down, right) = (place(2, row, rect.height())?, place(3, column, rect.width())?);
    Ok(args.calc.settled((tab, rect.top + down, rect.left + right)))
}

/// How a value is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The same one.
    Exact,
    /// The last that is not greater, of sorted ones.
    Ascending,
    /// The last that is not less, of those that are sorted the other way.
    Descending,
}

impl Way {
    fn of(number: f64) -> Self {
        if number == 0.0 {
            Self::Exact
        } else if number > 0.0 {
            Self::Ascending
        } else {
            Self::Descending
        }
    }
}

/// The position of what the first argument asks for.
fn find(args: &Arguments<'_, '_>, name: &str, values: &[Scalar], way: Way) -> Result<usize, Fault> {
    let wanted = match args.get(0) {
        Scalar::Error(fault) => return Err(fault),
        Scalar::Blank => Scalar::Number(0.0),
        other => other,
    };
    let same_type = |value: &Scalar| std::mem::discriminant(value) == std::mem::discriminant(&wanted);
    let found = match (way, &wanted) {
        (Way::Exact, Scalar::Text(text)) => {
            let form = wildcards(text)?;
            values.iter().position(|value| matches!(value, Scalar::Text(text) if form.is_match(text)))
        }
        (Way::Exact, _) => values.iter().position(|value| same_type(value) && order(value, &wanted).is_eq()),
        (Way::Ascending, _) => {
            values.iter().rposition(|value| same_type(value) && order(value, &wanted).is_le())
        }
        (Way::Descending, _) => {
            values.iter().rposition(|value| same_type(value) && order(value, &wanted).is_ge())
        }
    };
    found.ok_or_else(|| {
        let shown = display::show(&wanted, None, args.locale);
        ErrorKind::NotAvailable.because(format!("Did not find value '{shown}' in {name} evaluation."))
    })
}

/// `VLOOKUP` and `HLOOKUP`: `size` gives the lines and the length of each, `place` the way from the first cell.
fn table(
    args: &Arguments<'_, '_>,
    name: &str,
    size: fn(Rect) -> (u32, u32),
    place: fn(u32, u32) -> (u32, u32),
) -> Result<Scalar, Fault> {
    let (tab, rect) = args.area(1)?;
    let (lines, length) = size(rect);
    let wanted = args.number(2)?.trunc();
    if wanted < 1.0 {
        let why = format!(
            "Function {name} parameter 3 value is {wanted}. It should be greater than or equal to 1."
        );
        return Err(ErrorKind::Value.because(why));
    }
    if wanted > f64::from(length) {
        return Err(ErrorKind::Reference.because(format!("{name} evaluates to an out of bounds range.")));
    }
    let sorted = args.list.len() < 4 || truth(&args.get(3))?;
    let cell = |line: u32, at: u32| {
        let (down, right) = place(line, at);
        args.calc.settled((tab, rect.top + down, rect.left + right))
    };
    let keys: Vec<Scalar> = (0..lines).map(|line| cell(line, 0)).collect();
    let at = find(args, name, &keys, if sorted { Way::Ascending } else { Way::Exact })?;
    Ok(cell(u32::try_from(at).unwrap_or(u32::MAX), wanted as u32 - 1))
}
