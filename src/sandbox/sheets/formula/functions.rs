//! The functions that formulas may call.

use std::sync::Arc;

use super::calculator::{Calculator, Key, Operand};
use super::operators::{finite, number, order, text, truth};
use super::parser::Expr;
use crate::sandbox::sheets::display;
use crate::sandbox::sheets::entry::{self, Locale};
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

/// Calls a function.
pub(super) fn call(
    calc: &Calculator<'_>,
    name: &str,
    arguments: &[Expr],
    place: Key,
) -> Result<Scalar, Fault> {
    let Some((_, least, most, function)) = FUNCTIONS.iter().find(|(found, ..)| *found == name) else {
        return Err(ErrorKind::Name.because(format!("Unknown function: '{name}'.")));
    };
    if arguments.len() < *least || arguments.len() > *most {
        return Err(ErrorKind::NotAvailable.because(format!(
            "Wrong number of arguments to {name}. Expected {}, but got {} arguments.",
            if least == most { least.to_string() } else { format!("between {least} and {most}") },
            arguments.len()
        )));
    }
    function(&Arguments { calc, list: arguments, place, locale: calc.book().locale() })
}

type Function = fn(&Arguments<'_, '_>) -> Result<Scalar, Fault>;

/// As many arguments as there are.
const MANY: usize = 255;

/// The functions with the least and the most arguments they take.
const FUNCTIONS: [(&str, usize, usize, Function); 40] = [
    ("SUM", 1, MANY, |args| args.numbers().map(|numbers| Scalar::Number(numbers.iter().sum()))),
    ("AVERAGE", 1, MANY, average),
    ("COUNT", 1, MANY, |args| Ok(count(&args.all(), |value| matches!(value, Scalar::Number(_))))),
    ("COUNTA", 1, MANY, |args| Ok(count(&args.all(), |value| !value.is_blank()))),
    ("COUNTIF", 2, 2, count_if),
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
    ("TODAY", 0, 0, |args| Ok(Scalar::Number(entry::serial(args.calc.clock()).floor()))),
    ("NOW", 0, 0, |args| Ok(Scalar::Number(entry::serial(args.calc.clock())))),
    ("DATE", 3, 3, date),
    ("HYPERLINK", 1, 2, |args| {
        args.text(0)?;
        Ok(if args.list.len() > 1 { args.get(1) } else { args.get(0) })
    }),
    ("CONCATENATE", 1, MANY, |args| {
        let parts: Result<String, Fault> = args.all().iter().map(|value| text(value, args.locale)).collect();
        parts.map(Scalar::from)
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
    ("ROUND", 1, 2, round),
    ("TEXT", 2, 2, |args| {
        let pattern = args.text(1)?;
        Ok(display::show(&args.get(0), Some(("", &pattern)), args.locale).into())
    }),
    ("VALUE", 1, 1, |args| args.number(0).map(Scalar::Number)),
    ("ISBLANK", 1, 1, |args| Ok(Scalar::Bool(args.get(0).is_blank()))),
    ("ISERROR", 1, 1, |args| Ok(Scalar::Bool(matches!(args.get(0), Scalar::Error(_))))),
    ("ISNUMBER", 1, 1, |args| Ok(Scalar::Bool(matches!(args.get(0), Scalar::Number(_))))),
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
        return Err(
            ErrorKind::DivideByZero.because("Evaluation of function AVERAGE caused a divide by zero error.")
        );
    }
    finite(numbers.iter().sum::<f64>() / numbers.len() as f64).map(Scalar::Number)
}

fn count_if(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let wanted = args.get(1);
    let Some(Operand::Area(tab, rect)) = args.list.first().map(|expr| args.calc.operand(expr, args.place))
    else {
        return Err(ErrorKind::NotAvailable.because("Argument must be a range."));
    };
    let values: Vec<Scalar> = args.calc.values(tab, rect).collect();
    Ok(count(&values, |value| !value.is_blank() && order(value, &wanted).is_eq()))
}

fn choose(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let branch = if truth(&args.get(0))? { 1 } else { 2 };
    Ok(match args.list.get(branch) {
        None => Scalar::Bool(false),
        Some(Expr::Missing) => Scalar::Text(Arc::from("")),
        Some(_) => args.get(branch),
    })
}

fn date(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let whole = |index| args.number(index).map(|value| value.trunc().clamp(-99_999.0, 99_999.0) as i64);
    let (year, month, day) = (whole(0)?, whole(1)?, whole(2)?);
    let year = if (0..1900).contains(&year) { year + 1900 } else { year };
    let months = year * 12 + month - 1;
    let first = i16::try_from(months.div_euclid(12)).ok().zip(i8::try_from(months.rem_euclid(12) + 1).ok());
    let first = first.and_then(|(year, month)| jiff::civil::Date::new(year, month, 1).ok());
    let Some(first) = first else {
        return Err(ErrorKind::Number.because("Function DATE result is not a date that can be shown."));
    };
    Ok(Scalar::Number(entry::serial(first.into()) + (day - 1) as f64))
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

fn round(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let (value, places) = (args.number(0)?, args.number(1)?.trunc().clamp(-20.0, 20.0));
    let scale = 10f64.powi(places as i32);
    let rounded = (value * scale).abs();
    let rounded = (rounded + 0.5 + rounded * f64::EPSILON).floor() / scale;
    finite(rounded.copysign(value)).map(Scalar::Number)
}
