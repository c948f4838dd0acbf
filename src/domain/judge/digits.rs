//! What a run of digits may mean: `5 000`, `2,5`, `05.03.2026`.

/// A fact that a text states.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fact {
    /// A number in plain form: no leading zeros, no thousands separators, a decimal point.
    Number(String),
    /// A day of a year that is not said, or said as a number beside it.
    Date {
        /// From 1 to 31.
        day: u8,
        /// From 1 to 12.
        month: u8,
    },
    /// A month without a day.
    Month(u8),
}

/// One way to read a run: all that it then says. Only one of several ways is meant.
pub(super) type Reading = Vec<Fact>;

/// The length of the run of digits that a text begins with: digits, and single separators between digits.
pub(super) fn run_len(text: &str) -> usize {
    let mut end = digits_len(text);
    let mut spaced = end <= 3; // `5 000`, but not `2026 000`
    while let Some(separator) = text[end..].chars().next() {
        let after = end + separator.len_utf8();
        let digits = digits_len(&text[after..]);
        let joins = match separator {
            ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' => spaced && digits == 3,
            '.' | ',' | '/' | '-' | ':' | '\'' | '’' => {
                spaced = false;
                digits > 0
            }
            _ => false,
        };
        if !joins {
            break;
        }
        end = after + digits;
    }
    end
}

/// The parts of a run that stand for themselves: a date is one, a range or a time of day has two.
pub(super) fn parts(run: &str) -> Vec<&str> {
    if dates(run).iter().any(|date| date.year.is_some()) {
        return vec![run];
    }
    run.split(['-', ':']).collect()
}

/// The ways to read a part of a run.
pub(super) fn readings(part: &str) -> Vec<Reading> {
    let mut readings: Vec<Reading> = dates(part)
        .into_iter()
        .map(|date| {
            let year = date.year.map(Fact::Number);
            std::iter::once(Fact::Date { day: date.day, month: date.month }).chain(year).collect()
        })
        .collect();
    readings.extend(numbers(part).into_iter().map(|number| vec![Fact::Number(number)]));
    if part.contains(['/', ' ', '\u{a0}', '\u{2009}', '\u{202f}']) {
        readings.push(atoms(part).collect()); // `3/4` may be two numbers, as may be `12 100`
    }
    readings
}

/// Every group of digits of a run as a number of its own.
pub(super) fn atoms(run: &str) -> impl Iterator<Item = Fact> {
    run.split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .map(|group| Fact::Number(integer(group).to_owned()))
}

struct Date {
    day: u8,
    month: u8,
    year: Option<String>,
}

/// The dates that a part may be. With slashes the month may come first.
fn dates(part: &str) -> Vec<Date> {
    let Some(separator) = part.chars().find(|c| matches!(c, '.' | '/' | '-')) else { return Vec::new() };
    let groups: Vec<&str> = part.split(separator).collect();
    let (first, second, year) = match groups[..] {
        [year, month, day] if year.len() == 4 => (day, month, Some(year.to_owned())),
        [day, month, year] if year.len() == 4 => (day, month, Some(year.to_owned())),
        [day, month, year] if year.len() == 2 => (day, month, Some(format!("20{year}"))),
        [day, month] if separator != '-' => (day, month, None),
        _ => return Vec::new(),
    };
    let mut dates: Vec<Date> = date(first, second, year.clone()).into_iter().collect();
    if separator == '/' {
        dates.extend(date(second, first, year));
    }
    dates
}

fn date(day: &str, month: &str, year: Option<String>) -> Option<Date> {
    let small = |group: &str| (group.len() <= 2).then(|| group.parse::<u8>().ok()).flatten();
    let date = Date { day: small(day)?, month: small(month)?, year };
    ((1..=31).contains(&date.day) && (1..=12).contains(&date.month)).then_some(date)
}

/// The numbers that a part may be: `1,200` is read both ways; what is no number, such as `1.2.3`, as it stands.
fn numbers(part: &str) -> Vec<String> {
    let is_digit = |c: char| c.is_ascii_digit();
    let Some(last) = part.rfind(|c| !is_digit(c)) else { return vec![integer(part).to_owned()] };
    let (whole, fraction) = part.split_at(last);
    let fraction = fraction.trim_start_matches(|c| !is_digit(c));
    let mut numbers = Vec::new();
    if let Some(joined) = thousands(part) {
        numbers.push(joined);
    }
    if part[last..].starts_with(['.', ','])
        && let Some(whole) = thousands(whole)
    {
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        numbers.push([whole.as_str(), point, fraction].concat());
    }
    if numbers.is_empty() {
        numbers.push(part.to_owned());
    }
    numbers
}

/// A whole number, with thousands separators of one kind or none.
fn thousands(part: &str) -> Option<String> {
    let Some(separator) = part.chars().find(|c| !c.is_ascii_digit()) else {
        return Some(integer(part).to_owned());
    };
    let groups: Vec<&str> = part.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let all_digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    let fits = separator != '/'
        && (1..=3).contains(&first.len())
        && rest.iter().all(|group| group.len() == 3 && all_digits(group))
        && (separator != '.' || rest.len() > 1);
    fits.then(|| integer(&groups.concat()).to_owned())
}

fn integer(digits: &str) -> &str {
    let short = digits.trim_start_matches('0');
    if short.is_empty() { &digits[..digits.len().min(1)] } else { short }
}

fn digits_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_ends_where_its_digits_do() {
        for (text, run) in [
            ("5 Mar", "5"),
            ("5 000 gates", "5 000"),
            ("5\u{a0}000\u{a0}000,50 RUB", "5\u{a0}000\u{a0}000,50"),
            ("2026 100 gates", "2026"),
            ("12 1000", "12"),
            ("05.03.2026.", "05.03.2026"),
            ("05.03.2026-12.03.2026;", "05.03.2026-12.03.2026"),
            ("5, 7", "5"),
            ("1,200.5%", "1,200.5"),
            ("14:30)", "14:30"),
            ("5–7", "5"),
            ("x", ""),
            ("", ""),
        ] {
            assert_eq!(&text[..run_len(text)], run, "{text}");
        }
    }

    #[test]
    fn a_part_is_read_in_every_way_it_may_be_meant() {
        let cases = [
            ("7", vec!["7"]),
            ("007", vec!["7"]),
            ("000", vec!["0"]),
            ("5 000", vec!["5000", "5 & 0"]),
            ("12’500", vec!["12500"]),
            ("1,5", vec!["1.5"]),
            ("1,50", vec!["1.5"]),
            ("1,200", vec!["1200", "1.2"]),
            ("1,200.50", vec!["1200.5"]),
            ("1.200.000", vec!["1200000"]),
            ("2.5", vec!["2/5", "2.5"]),
            ("20.03", vec!["20/3", "20.03"]),
            ("20.13", vec!["20.13"]),
            ("3/4", vec!["3/4", "4/3", "3/4", "3 & 4"]),
            ("24/7", vec!["24/7", "24/7", "24 & 7"]),
            ("05.03.2026", vec!["5/3 & 2026", "05.03.2026"]),
            ("05.03.26", vec!["5/3 & 2026", "05.03.26"]),
            ("2026-03-05", vec!["5/3 & 2026", "2026-03-05"]),
            ("31.02.1.5", vec!["31.02.1.5"]),
        ];
        for (part, expected) in cases {
            let spell = |fact: &Fact| match fact {
                Fact::Number(number) => number.clone(),
                Fact::Date { day, month } => format!("{day}/{month}"),
                Fact::Month(month) => format!("month {month}"),
            };
            let read: Vec<String> = readings(part)
                .iter()
                .map(|reading| reading.iter().map(spell).collect::<Vec<_>>().join(" & "))
                .collect();
            assert_eq!(read, expected, "{part}");
        }
    }

    #[test]
    fn ranges_and_times_have_parts_and_dates_have_not() {
        assert_eq!(parts("2026-03-05"), ["2026-03-05"]);
        assert_eq!(parts("5-7"), ["5", "7"]);
        assert_eq!(parts("14:30"), ["14", "30"]);
        assert_eq!(parts("10.03-12.03"), ["10.03", "12.03"]);
        assert_eq!(parts("555-01-99-7"), ["555", "01", "99", "7"]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_everything_has_a_reading(text in "[0-9][0-9.,/:' -]{0,16}") {
            let run = &text[..run_len(&text)];
            prop_assert!(!run.is_empty());
            for part in parts(run) {
                prop_assert!(readings(part).iter().all(|reading| !reading.is_empty()));
                prop_assert!(!readings(part).is_empty());
            }
        }
    }
}
