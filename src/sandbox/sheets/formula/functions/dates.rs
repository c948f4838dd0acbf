//! Functions of dates and times.

use jiff::civil::{Date, DateTime, Weekday};

use super::{Arguments, Entry};
use crate::sandbox::sheets::entry;
use crate::sandbox::sheets::value::{ErrorKind, Fault, Scalar};

pub(super) const FUNCTIONS: [Entry; 19] = [
    ("DATE", 3, 3, date),
    ("TIME", 3, 3, |args| {
        let seconds =
            args.number(0)?.trunc() * 3600.0 + args.number(1)?.trunc() * 60.0 + args.number(2)?.trunc();
        if seconds < 0.0 {
            return Err(ErrorKind::Number.because("Function TIME result is negative."));
        }
        Ok(Scalar::Number((seconds / 86_400.0).fract()))
    }),
    ("DATEVALUE", 1, 1, |args| args.number(0).map(|value| Scalar::Number(value.floor()))),
    ("YEAR", 1, 1, |args| part(args, |moment| moment.year().into())),
    ("MONTH", 1, 1, |args| part(args, |moment| moment.month().into())),
    ("DAY", 1, 1, |args| part(args, |moment| moment.day().into())),
    ("HOUR", 1, 1, |args| part(args, |moment| moment.hour().into())),
    ("MINUTE", 1, 1, |args| part(args, |moment| moment.minute().into())),
    ("SECOND", 1, 1, |args| part(args, |moment| moment.second().into())),
    ("WEEKDAY", 1, 2, |args| {
        let day = moment(args, 0)?.weekday();
        Ok(Scalar::Number(f64::from(match kind(args)? {
            1 => day.to_sunday_one_offset(),
            2 => day.to_monday_one_offset(),
            3 => day.to_monday_zero_offset(),
            other => return Err(unknown_kind("WEEKDAY", other)),
        })))
    }),
    ("WEEKNUM", 1, 2, |args| {
        let day = moment(args, 0)?.date();
        let first = match kind(args)? {
            1 | 17 => Weekday::Sunday,
            2 | 11 => Weekday::Monday,
            12 => Weekday::Tuesday,
            13 => Weekday::Wednesday,
            14 => Weekday::Thursday,
            15 => Weekday::Friday,
            16 => Weekday::Saturday,
            21 => return Ok(Scalar::Number(day.iso_week_date().week().into())),
            other => return Err(unknown_kind("WEEKNUM", other)),
        };
        // The week of the first of January is the first one.
        let before = day.first_of_year().weekday().since(first);
        Ok(Scalar::Number(f64::from((i32::from(day.day_of_year()) - 1 + i32::from(before)) / 7 + 1)))
    }),
    ("ISOWEEKNUM", 1, 1, |args| Ok(Scalar::Number(moment(args, 0)?.date().iso_week_date().week().into()))),
    ("EDATE", 2, 2, |args| {
        let (day, months) = (moment(args, 0)?.date(), args.number(1)?.trunc());
        later(day, months).map(|day| Scalar::Number(serial(day)))
    }),
    ("EOMONTH", 2, 2, |args| {
        let (day, months) = (moment(args, 0)?.date(), args.number(1)?.trunc());
        later(day, months).map(|day| Scalar::Number(serial(day.last_of_month())))
    }),
    ("DAYS", 2, 2, |args| Ok(Scalar::Number(args.number(0)?.floor() - args.number(1)?.floor()))),
    ("DATEDIF", 3, 3, |args| difference(args)),
    ("TODAY", 0, 0, |args| Ok(Scalar::Number(entry::serial(args.calc.clock()).floor()))),
    ("NOW", 0, 0, |args| Ok(Scalar::Number(entry::serial(args.calc.clock())))),
    ("TIMEVALUE", 1, 1, |args| args.number(0).map(|value| Scalar::Number(value - value.floor()))),
];

fn serial(day: Date) -> f64 {
    entry::serial(day.into())
}

/// The moment that an argument stands for.
fn moment(args: &Arguments<'_, '_>, index: usize) -> Result<DateTime, Fault> {
    let value = args.number(index)?;
    entry::moment(value).ok_or_else(|| ErrorKind::Number.because(format!("{value} is not a date.")))
}

fn part(args: &Arguments<'_, '_>, of: fn(DateTime) -> f64) -> Result<Scalar, Fault> {
    moment(args, 0).map(|moment| Scalar::Number(of(moment)))
}

/// From which day weeks are counted: the second argument.
fn kind(args: &Arguments<'_, '_>) -> Result<i64, Fault> {
    if args.list.len() > 1 { args.number(1).map(|value| value.trunc() as i64) } else { Ok(1) }
}

fn unknown_kind(name: &str, kind: i64) -> Fault {
    ErrorKind::Number.because(format!("Function {name} parameter 2 value is {kind}, which has no meaning."))
}

/// The first of a month; months before and after the year are those of other years.
fn first_of(year: i64, month: i64) -> Result<Date, Fault> {
    let months = year * 12 + month - 1;
    let first = i16::try_from(months.div_euclid(12)).ok().zip(i8::try_from(months.rem_euclid(12) + 1).ok());
    let first = first.and_then(|(year, month)| Date::new(year, month, 1).ok());
    first.ok_or_else(|| ErrorKind::Number.because("The result is not a date that can be shown."))
}

/// So many months later; the last day of a month that is too short.
fn later(day: Date, months: f64) -> Result<Date, Fault> {
    let months = months.clamp(-99_999.0, 99_999.0) as i64;
    let first = first_of(day.year().into(), i64::from(day.month()) + months)?;
    Ok(first.with().day(day.day().min(first.days_in_month())).build().unwrap_or(first))
}

fn date(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let whole = |index| args.number(index).map(|value| value.trunc().clamp(-99_999.0, 99_999.0) as i64);
    let (year, month, day) = (whole(0)?, whole(1)?, whole(2)?);
    let year = if (0..1900).contains(&year) { year + 1900 } else { year };
    Ok(Scalar::Number(serial(first_of(year, month)?) + (day - 1) as f64))
}

fn difference(args: &Arguments<'_, '_>) -> Result<Scalar, Fault> {
    let (from, to) = (moment(args, 0)?.date(), moment(args, 1)?.date());
    if from > to {
        return Err(ErrorKind::Number.because("Function DATEDIF parameter 1 is after parameter 2."));
    }
    let unit = args.text(2)?.to_uppercase();
    let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month())
        - i32::from(from.month())
        - i32::from(to.day() < from.day());
    let after = |months: i32| later(from, f64::from(months)).map(|day| serial(to) - serial(day));
    Ok(Scalar::Number(match unit.as_str() {
        "Y" => f64::from(months / 12),
        "M" => f64::from(months),
        "D" => serial(to) - serial(from),
        "MD" => after(months)?,
        "YM" => f64::from(months % 12),
        "YD" => after(months / 12 * 12)?,
        _ => return Err(ErrorKind::Number.because("Function DATEDIF takes Y, M, D, MD, YM and YD.")),
    }))
}
