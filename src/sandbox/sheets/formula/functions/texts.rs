//! Functions of texts: searching, replacing, joining.

use regex::{Captures, Regex};

use super::{Arguments, Entry, MANY};
use crate::sandbox::sheets::formula::calculator::Operand;
use crate::sandbox::sheets::formula::operators::{Joined, text, truth};
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

pub(super) const FUNCTIONS: [Entry; 14] = [
    ("SUBSTITUTE", 3, 4, substitute),
    ("REPLACE", 4, 4, |args| {
        let (start, length) = (args.number(1)?, args.number(2)?);
        if start < 1.0 || length < 0.0 {
            return Err(
                ErrorKind::Value.because("Function REPLACE starts at 1 and takes no negative length.")
            );
        }
        let (whole, skipped) = (args.text(0)?, start as usize - 1);
        let mut joined = Joined::by("REPLACE");
        joined.push(&whole.chars().take(skipped).collect::<String>())?;
        joined.push(&args.text(3)?)?;
        let after = skipped.saturating_add(length as usize);
        joined.push(&whole.chars().skip(after).collect::<String>())?;
        Ok(joined.into())
    }),
    ("FIND", 2, 3, |args| position(args, "FIND", str::to_owned)),
    ("SEARCH", 2, 3, |args| position(args, "SEARCH", str::to_lowercase)),
    ("REGEXMATCH", 2, 2, |args| Ok(Scalar::Bool(regex(args, "REGEXMATCH")?.is_match(&args.text(0)?)))),
    ("REGEXEXTRACT", 2, 2, |args| {
        let whole = args.text(0)?;
        let found = regex(args, "REGEXEXTRACT")?.captures(&whole).and_then(|found| {
            // Several groups would be an array; the sandbox gives the first.
            found.get(1).or_else(|| found.get(0)).map(|part| part.as_str().to_owned())
        });
        found.map(Scalar::from).ok_or_else(|| {
            ErrorKind::NotAvailable.because("Function REGEXEXTRACT parameter 2 value does not match text of Function REGEXEXTRACT parameter 1 value.")
        })
    }),
    ("REGEXREPLACE", 3, 3, regex_replace),
    ("JOIN", 2, MANY, |args| join(args, "JOIN", 1, false)),
    ("TEXTJOIN", 3, MANY, |args| join(args, "TEXTJOIN", 2, truth(&args.get(1))?)),
    ("REPT", 2, 2, |args| {
        let (part, times) = (args.text(0)?, args.number(1)?);
        if times < 0.0 {
            return Err(ErrorKind::Value.because(
                "Function REPT parameter 2 value is negative. It should be greater than or equal to 0.",
            ));
        }
        let mut joined = Joined::by("REPT");
        if !part.is_empty() {
            for _ in 0..times as u64 {
                joined.push(&part)?;
            }
        }
        Ok(joined.into())
    }),
    ("PROPER", 1, 1, |args| {
        let mut inside = false;
        let mut proper = String::new();
        for c in args.text(0)?.chars() {
            if inside {
                proper.extend(c.to_lowercase())
            } else {
                proper.extend(c.to_uppercase())
            }
            inside = c.is_alphabetic();
        }
        Ok(proper.into())
    }),
    ("CHAR", 1, 1, |args| {
        let code = args.number(0)?;
        let found = (code >= 1.0).then_some(code as u32).and_then(char::from_u32);
        found.map(|c| Scalar::from(c.to_string())).ok_or_else(|| {
            ErrorKind::Number.because(format!("Function CHAR parameter 1 value {code} is out of range."))
        })
    }),
    ("CODE", 1, 1, |args| match args.text(0)?.chars().next() {
        Some(c) => Ok(Scalar::Number(f64::from(u32::from(c)))),
        None => Err(ErrorKind::Value.because("Function CODE parameter 1 value should be non-empty.")),
    }),
    ("T", 1, 1, |args| {
        Ok(match args.get(0) {
            Scalar::Text(text) => Scalar::Text(text),
            Scalar::Error(fault) => return Err(fault),
            _ => Scalar::from(""),
        })
    }),
];

fn substitute(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let (whole, wanted, new) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let only = if args.list.len() > 3 { Some(args.number(3)?) } else { None };
    if only.is_some_and(|only| only < 1.0) {
        return Err(ErrorKind::Value.because("Function SUBSTITUTE counts occurrences from 1."));
    }
    if wanted.is_empty() {
        return Ok(whole.into());
    }
    let mut joined = Joined::by("SUBSTITUTE");
    let mut rest = whole.as_str();
    let mut number = 0_u64;
    while let Some((before, after)) = rest.split_once(wanted.as_str()) {
        number += 1;
        joined.push(before)?;
        joined.push(if only.is_none_or(|only| only as u64 == number) { &new } else { &wanted })?;
        rest = after;
    }
    joined.push(rest)?;
    Ok(joined.into())
}

/// Where a text stands in another one, from 1, both as `folded` makes them.
fn position(args: &Arguments<'_, '_>, name: &str, folded: fn(&str) -> String) -> Result<Scalar, Fault> {
    let (wanted, whole) = (args.text(0)?, args.text(1)?);
    let start = if args.list.len() > 2 { args.number(2)? } else { 1.0 };
    if start < 1.0 {
        return Err(ErrorKind::Value.because(format!("Function {name} starts at 1.")));
    }
    let skipped = start as usize - 1;
    let rest = folded(&whole.chars().skip(skipped).collect::<String>());
    let before = rest.find(&folded(&wanted)).and_then(|at| rest.get(..at));
    before.map(|before| Scalar::Number((skipped + before.chars().count()) as f64 + 1.0)).ok_or_else(|| {
        ErrorKind::Value.because(format!("In {name} evaluation, cannot find '{wanted}' within '{whole}'."))
    })
}

fn regex(args: &Arguments<'_, '_>, name: &str) -> Result<Regex, Fault> {
    let pattern = args.text(1)?;
    Regex::new(&pattern).map_err(|_| {
        ErrorKind::Reference.because(format!(
            "Function {name} parameter 2 value \"{pattern}\" is not a valid regular expression."
        ))
    })
}

fn regex_replace(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let (whole, form, new) = (args.text(0)?, regex(args, "REGEXREPLACE")?, args.text(2)?);
    let mut joined = Joined::by("REGEXREPLACE");
    let mut done = 0;
    for found in form.captures_iter(&whole) {
        let Some(all) = found.get(0) else { continue };
        joined.push(whole.get(done..all.start()).unwrap_or_default())?;
        fill(&mut joined, &new, &found)?;
        done = all.end();
    }
    joined.push(whole.get(done..).unwrap_or_default())?;
    Ok(joined.into())
}

/// Adds a replacement in which `$1` and `\1` stand for what a group has found.
fn fill(joined: &mut Joined, new: &str, found: &Captures<'_>) -> Result<(), Fault> {
    let mut rest = new;
    while let Some((before, after)) = rest.split_once(['$', '\\']) {
        joined.push(before)?;
        let group = after.chars().next().and_then(|c| c.to_digit(10));
        rest = match group {
            Some(group) => {
                joined.push(found.get(group as usize).map_or("", |part| part.as_str()))?;
                after.get(1..).unwrap_or_default()
            }
            None => {
                let mark = rest.get(before.len()..before.len() + 1).unwrap_or_default();
                joined.push(mark)?;
                after
            }
        };
    }
    joined.push(rest)
}

/// Joins the values of the arguments from there on; those of areas in the order of their rows.
fn join(args: &Arguments<'_, '_>, name: &'static str, from: usize, skips: bool) -> Result<Scalar, Fault> {
    let between = args.text(0)?;
    let mut joined = Joined::by(name);
    let mut first = true;
    let mut add = |value: &Scalar| -> Result<(), Fault> {
        let part = text(value, args.locale)?;
        if skips && part.is_empty() {
            return Ok(());
        }
        if !std::mem::take(&mut first) {
            joined.push(&between)?;
        }
        joined.push(&part)
    };
    for expr in args.list.iter().skip(from) {
        match args.calc.operand(expr, args.place) {
            Operand::Scalar(value) => add(&value)?,
            Operand::Area(tab, rect) => {
                for (row, column) in rect.cells() {
                    add(&args.calc.settled((tab, row, column)))?;
                }
            }
        }
    }
    Ok(joined.into())
}
