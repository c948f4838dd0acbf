//! The functions that formulas may call.

mod criteria;
mod dates;
mod lookup;
mod texts;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::calculator::{Calculator, Key, Operand};
use super::operators::{Joined, finite, number, short, text, truth};
use super::parser::Expr;
use crate::sandbox::sheets::a1::Rect;
use crate::sandbox::sheets::display;
use crate::sandbox::sheets::entry::Locale;
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

/// Calls a function.
pub(super) fn call(
    calc: &Calculator<'_>,
    name: &str,
    arguments: &[Expr],
    place: Key,
) -> Result<Scalar, Fault> {
    let tables: [&[Entry]; 5] =
        [&FUNCTIONS, &criteria::FUNCTIONS, &lookup::FUNCTIONS, &texts::FUNCTIONS, &dates::FUNCTIONS];
    let Some((_, least, most, function)) = tables.into_iter().flatten().find(|(found, ..)| *found == name)
    else {
        warn(name);
        return Err(ErrorKind::Name.because(format!("Unknown function: '{name}'.")));
    };
    if arguments.len() < *least || arguments.len() > *most {
        return Err(ErrorKind::NotAvailable.because(format!(
            "Wrong number of arguments to {name}. Expected {}, but got {} arguments.",
            if least == most { least.to_string() } else { format!("between {least} and {most}") },
            arguments.len()
        )));
    }
    let value = function(&Arguments { calc, list: arguments, place, locale: calc.book().locale() })?;
    match &value {
        Scalar::Text(text) => short(text, name).map(|()| value),
        _ => Ok(value),
    }
}

/// Says once that a function is not modelled: that its cells are errors may be the sandbox's lack.
fn warn(name: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    /// Whoever makes up names does not fill the memory.
    const MOST: usize = 1000;
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MOST && told.insert(name.to_owned()) {
        tracing::warn!(
            function = name,
            "the sandbox does not model this function: its cells are #NAME? here, even if Google Sheets has it"
        );
    }
}

/// A function, with the least and the most arguments that it takes.
type Entry = (&'static str, usize, usize, Function);

type Function = fn(&Arguments<'_, '_>) -> Result<Scalar, Fault>;

/// As many arguments as there are.
const MANY: usize = 255;

/// Functions of numbers, of truth, and of what else has no table of its own.
const FUNCTIONS: [Entry; 48] = [
    ("SUM", 1, MANY, |args| args.numbers().map(|numbers| Scalar::Number(numbers.iter().sum()))),
    ("AVERAGE", 1, MANY, average),
    ("COUNT", 1, MANY, |args| Ok(count(&args.all(), |value| matches!(value, Scalar::Number(_))))),
    ("COUNTA", 1, MANY, |args| Ok(count(&args.all(), |value| !value.is_blank()))),
    ("MIN", 1, MANY, |args| args.numbers().map(|numbers| extreme(&numbers, f64::min))),
    ("MAX", 1, MANY, |args| args.numbers().map(|numbers| extreme(&numbers, f64::max))),
    ("IF", 2, 3, choose),
    ("IFERROR", 1, 2, |args| {
        let value = args.get(0);
        Ok(if matches!(value, Scalar::Error(_)) { args.get(1) } else { value })
    }),
    ("AND", 1, MANY, |args| args.truths().map(|truths| Scalar::Bool(truths.iter().all(|truth| *truth)))),
    ("OR", 1, MANY, |args| args.truths().map(|truths| Scalar::Bool(truths.iter().any(|truth| *truth)))),
    ("NOT", 1, 1, |args| truth(&args.get(0)).map(|value| Scalar::Bool(!value))),
    ("TRUE", 0, 0, |_| Ok(Scalar::Bool(true))),
    ("FALSE", 0, 0, |_| Ok(Scalar::Bool(false))),
    ("NA", 0, 0, |_| Err(ErrorKind::NotAvailable.because(""))),
    ("HYPERLINK", 1, 2, |args| {
        args.text(0)?;
        Ok(if args.list.len() > 1 { args.get(1) } else { args.get(0) })
    }),
    ("CONCATENATE", 1, MANY, |args| {
        let mut joined = Joined::by("CONCATENATE");
        for value in args.all() {
            joined.push(&text(&value, args.locale)?)?;
        }
        Ok(joined.into())
    }),
    ("CONCAT", 2, 2, |args| Ok(format!("{}{}", args.text(0)?, args.text(1)?).into())),
    ("LEN", 1, 1, |args| Ok(Scalar::Number(args.text(0)?.encode_utf16().count() as f64))),
    ("UPPER", 1, 1, |args| Ok(args.text(0)?.to_uppercase().into())),
    ("LOWER", 1, 1, |args| Ok(args.text(0)?.to_lowercase().into())),
    ("TRIM", 1, 1, |args| {
        Ok(args.text(0)?.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").into())
    }),
    ("LEFT", 1, 2, |args| part(args, |characters, length| characters.into_iter().take(length).collect())),
    ("RIGHT", 1, 2, |args| {
        part(args, |characters, length| {
            let skipped = characters.len().saturating_sub(length);
            characters.into_iter().skip(skipped).collect()
        })
    }),
    ("MID", 3, 3, middle),
    ("EXACT", 2, 2, |args| Ok(Scalar::Bool(args.text(0)? == args.text(1)?))),
    ("ROW", 0, 1, |args| args.position(|(_, row, _)| row)),
    ("COLUMN", 0, 1, |args| args.position(|(_, _, column)| column)),
    ("ABS", 1, 1, |args| args.number(0).map(|value| Scalar::Number(value.abs()))),
    ("INT", 1, 1, |args| args.number(0).map(|value| Scalar::Number(value.floor()))),
    ("MOD", 2, 2, modulo),
    ("ROUND", 1, 2, |args| rounded(args, |size| (size + 0.5 + size * f64::EPSILON).floor())),
    // What lies a hair off a whole number is one: 1.1 * 100 is 110.00000000000001.
    ("ROUNDUP", 1, 2, |args| rounded(args, |size| (size - size * 2.0 * f64::EPSILON).ceil())),
    ("ROUNDDOWN", 1, 2, |args| rounded(args, |size| (size + size * 2.0 * f64::EPSILON).floor())),
    ("TRUNC", 1, 2, |args| rounded(args, |size| (size + size * 2.0 * f64::EPSILON).floor())),
    ("PRODUCT", 1, MANY, |args| finite(args.numbers()?.iter().product()).map(Scalar::Number)),
    ("POWER", 2, 2, |args| finite(args.number(0)?.powf(args.number(1)?)).map(Scalar::Number)),
    ("SQRT", 1, 1, |args| {
        let value = args.number(0)?;
        if value < 0.0 {
            return Err(ErrorKind::Number.because(format!(
                "Function SQRT parameter 1 value is negative. It should be greater than or equal to 0 but is {value}."
            )));
        }
        Ok(Scalar::Number(value.sqrt()))
    }),
    ("SIGN", 1, 1, |args| {
        let value = args.number(0)?;
        Ok(Scalar::Number(if value == 0.0 { 0.0 } else { value.signum() }))
    }),
    ("TEXT", 2, 2, |args| {
        let pattern = args.text(1)?;
        Ok(display::show(&args.get(0), Some(("", &pattern)), args.locale).into())
    }),
    ("VALUE", 1, 1, |args| args.number(0).map(Scalar::Number)),
    ("ISBLANK", 1, 1, |args| Ok(Scalar::Bool(args.get(0).is_blank()))),
    ("ISERROR", 1, 1, |args| Ok(Scalar::Bool(matches!(args.get(0), Scalar::Error(_))))),
    ("ISNA", 1, 1, |args| Ok(Scalar::Bool(args.fault_of(0) == Some(ErrorKind::NotAvailable)))),
    ("ISERR", 1, 1, |args| {
        Ok(Scalar::Bool(args.fault_of(0).is_some_and(|kind| kind != ErrorKind::NotAvailable)))
    }),
    ("ISNUMBER", 1, 1, |args| Ok(Scalar::Bool(matches!(args.get(0), Scalar::Number(_))))),
    ("ISTEXT", 1, 1, |args| Ok(Scalar::Bool(matches!(args.get(0), Scalar::Text(_))))),
    ("ISNONTEXT", 1, 1, |args| Ok(Scalar::Bool(!matches!(args.get(0), Scalar::Text(_))))),
    ("ISLOGICAL", 1, 1, |args| Ok(Scalar::Bool(matches!(args.get(0), Scalar::Bool(_))))),
];

struct Arguments<'a, 'b> {
    calc: &'a Calculator<'b>,
    list: &'a [Expr],
    place: Key,
    locale: &'static Locale,
}

impl Arguments<'_, '_> {
    /// An argument as a single value; nothing if it is not given.
    fn get(&self, index: usize) -> Scalar {
        self.list.get(index).map_or(Scalar::Blank, |expr| self.calc.scalar(expr, self.place))
    }

    /// The kind of error that an argument is; none if it is none.
    fn fault_of(&self, index: usize) -> Option<ErrorKind> {
        match self.get(index) {
            Scalar::Error(fault) => Some(fault.kind),
            _ => None,
        }
    }

    /// An argument that has to be a range: its sheet and its cells.
    fn area(&self, index: usize) -> Result<(usize, Rect), Fault> {
        match self.list.get(index).map(|expr| self.calc.operand(expr, self.place)) {
            Some(Operand::Area(tab, rect)) => Ok((tab, rect)),
            Some(Operand::Scalar(Scalar::Error(fault))) => Err(fault),
            _ => Err(ErrorKind::NotAvailable.because("Argument must be a range.")),
        }
    }

    fn number(&self, index: usize) -> Result<f64, Fault> {
        number(&self.get(index), self.locale)
    }

    fn text(&self, index: usize) -> Result<String, Fault> {
        text(&self.get(index), self.locale)
    }

    /// The values of all arguments, those of ranges without what is blank.
    fn all(&self) -> Vec<Scalar> {
        let mut values = Vec::new();
        for expr in self.list {
            match self.calc.operand(expr, self.place) {
                Operand::Scalar(value) => values.push(value),
                Operand::Area(tab, rect) => values.extend(self.calc.values(tab, rect)),
            }
        }
        values
    }

    /// The numbers of all arguments. In ranges only numbers count; what is given directly must be one.
    fn numbers(&self) -> Result<Vec<f64>, Fault> {
        let mut numbers = Vec::new();
        for expr in self.list {
            match self.calc.operand(expr, self.place) {
                Operand::Scalar(value) => numbers.push(number(&value, self.locale)?),
                Operand::Area(tab, rect) => {
                    for value in self.calc.values(tab, rect) {
                        match value {
                            Scalar::Number(value) => numbers.push(value),
                            Scalar::Error(fault) => return Err(fault),
                            _ => {}
                        }
                    }
                }
            }
        }
        Ok(numbers)
    }

    fn truths(&self) -> Result<Vec<bool>, Fault> {
        self.all().iter().filter(|value| !value.is_blank()).map(truth).collect()
    }

    /// The row or the column of the first argument, or of the formula itself; from 1.
    fn position(&self, of: impl Fn(Key) -> u32) -> Result<Scalar, Fault> {
        let place = match self.list.first() {
            None => self.place,
            Some(expr) => match self.calc.operand(expr, self.place) {
                Operand::Area(tab, rect) => (tab, rect.top, rect.left),
                Operand::Scalar(Scalar::Error(fault)) => return Err(fault),
                Operand::Scalar(_) => {
                    return Err(ErrorKind::NotAvailable.because("Argument must be a range."));
                }
            },
        };
        Ok(Scalar::Number(f64::from(of(place)) + 1.0))
    }
}

fn count(values: &[Scalar], counts: impl Fn(&Scalar) -> bool) -> Scalar {
    Scalar::Number(values.iter().filter(|value| counts(value)).count() as f64)
}

fn extreme(numbers: &[f64], of: fn(f64, f64) -> f64) -> Scalar {
    Scalar::Number(numbers.iter().copied().reduce(of).unwrap_or(0.0))
}

fn average(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let numbers = args.numbers()?;
    if numbers.is_empty() {
        return Err(no_average());
    }
    finite(numbers.iter().sum::<f64>() / numbers.len() as f64).map(Scalar::Number)
}

fn no_average() -> Fault {
    ErrorKind::DivideByZero.because("Evaluation of function AVERAGE caused a divide by zero error.")
}

fn choose(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let branch = if truth(&args.get(0))? { 1 } else { 2 };
    Ok(match args.list.get(branch) {
        None => Scalar::Bool(false),
        Some(Expr::Missing) => Scalar::Text(Arc::from("")),
        Some(_) => args.get(branch),
    })
}

fn part(args: &Arguments<'_, '_>, of: fn(Vec<char>, usize) -> String) -> Result<Scalar, Fault> {
    let length = if args.list.len() > 1 { args.number(1)? } else { 1.0 };
    if length < 0.0 {
        return Err(ErrorKind::Value
            .because("Parameter 2 value is negative. It should be greater than or equal to 0."));
    }
    Ok(of(args.text(0)?.chars().collect(), length as usize).into())
}

fn middle(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let (start, length) = (args.number(1)?, args.number(2)?);
    if start < 1.0 || length < 0.0 {
        return Err(ErrorKind::Number.because("Function MID starts at 1 and takes no negative length."));
    }
    let text: String = args.text(0)?.chars().skip(start as usize - 1).take(length as usize).collect();
    Ok(text.into())
}

fn modulo(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let (value, by) = (args.number(0)?, args.number(1)?);
    if by == 0.0 {
        return Err(ErrorKind::DivideByZero.because("Function MOD parameter 2 cannot be zero."));
    }
    Ok(Scalar::Number(value - by * (value / by).floor()))
}

/// A number with so many places, its size rounded to a whole one by `whole`.
fn rounded(args: &Arguments<'_, '_>, whole: fn(f64) -> f64) -> Result<Scalar, Fault> {
    let (value, places) = (args.number(0)?, args.number(1)?.trunc().clamp(-20.0, 20.0));
    let scale = 10f64.powi(places as i32);
    finite((whole((value * scale).abs()) / scale).copysign(value)).map(Scalar::Number)
}
