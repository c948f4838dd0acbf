//! The words of dates in English and Russian: months, ordinal days, links between dates.

use super::super::tokens::{folded, is_one_of};

/// Forms that stand beside a day number; with a nominative one a day is read too, as people type it.
const MONTHS: [(i8, &[&str]); 12] = [
    (1, &["january", "jan", "января", "январь", "янв"]),
    (2, &["february", "feb", "февраля", "февраль", "февр", "фев"]),
    (3, &["march", "mar", "марта", "март", "мар"]),
    (4, &["april", "apr", "апреля", "апрель", "апр"]),
    (5, &["may", "мая", "май"]),
    (6, &["june", "jun", "июня", "июнь", "июн"]),
    (7, &["july", "jul", "июля", "июль", "июл"]),
    (8, &["august", "aug", "августа", "август", "авг"]),
    (9, &["september", "sept", "sep", "сентября", "сентябрь", "сент", "сен"]),
    (10, &["october", "oct", "октября", "октябрь", "окт"]),
    (11, &["november", "nov", "ноября", "ноябрь", "нояб", "ноя"]),
    (12, &["december", "dec", "декабря", "декабрь", "дек"]),
];

/// Words that point at a day without being a date this module reads.
const DAY_WORDS: [&str; 46] = [
    "today",
    "yesterday",
    "tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "сегодня",
    "вчера",
    "завтра",
    "позавчера",
    "послезавтра",
    "понедельник",
    "понедельника",
    "понедельнику",
    "вторник",
    "вторника",
    "вторнику",
    "среду",
    "среды",
    "четверг",
    "четверга",
    "четвергу",
    "пятница",
    "пятницу",
    "пятницы",
    "пятнице",
    "суббота",
    "субботу",
    "субботы",
    "воскресенье",
    "январе",
    "феврале",
    "марте",
    "апреле",
    "мае",
    "июне",
    "июле",
    "августе",
    "сентябре",
    "октябре",
    "ноябре",
    "декабре",
];

const RU_UNITS: [&str; 19] = [
    "перв",
    "втор",
    "треть",
    "четверт",
    "пят",
    "шест",
    "седьм",
    "восьм",
    "девят",
    "десят",
    "одиннадцат",
    "двенадцат",
    "тринадцат",
    "четырнадцат",
    "пятнадцат",
    "шестнадцат",
    "семнадцат",
    "восемнадцат",
    "девятнадцат",
];

const EN_UNITS: [&str; 19] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

/// The month that a word names; `may` without a capital letter is a verb.
pub(super) fn month(word: &str) -> Option<i8> {
    let first = folded(word).next()?;
    if word.len() > 20 || !matches!(first, 'a' | 'd' | 'f' | 'j' | 'm' | 'n' | 'o' | 's' | 'а'..='я') {
        return None;
    }
    let (month, _) = MONTHS.iter().find(|(_, names)| is_one_of(word, names))?;
    (word != "may").then_some(*month)
}

/// True for an English month with a capital letter: only such a one may stand before its day.
pub(super) fn may_lead(word: &str) -> bool {
    word.is_ascii() && word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// A word that names a day in a way that is not read as a date.
pub(super) fn points_at_a_day(word: &str) -> bool {
    is_one_of(word, &DAY_WORDS)
}

/// The day (1..=19, 20, 30) that an ordinal word names.
pub(super) fn ordinal(word: &str) -> Option<i8> {
    if word.is_ascii() {
        let tens = [(20, "twentieth"), (30, "thirtieth")];
        return index_of(&EN_UNITS, |unit| word.eq_ignore_ascii_case(unit))
            .or_else(|| tens.iter().find(|(_, ten)| word.eq_ignore_ascii_case(ten)).map(|(day, _)| *day));
    }
    let ends = |stem: &str| {
        let mut letters = folded(word);
        stem.chars().all(|c| letters.next() == Some(c))
            && matches!(letters.collect::<String>().as_str(), "ого" | "его" | "ое" | "е")
    };
    index_of(&RU_UNITS, ends)
        .or_else(|| [(20, "двадцат"), (30, "тридцат")].iter().find(|(_, ten)| ends(ten)).map(|(day, _)| *day))
}

/// The tens that open a compound ordinal: `двадцать` пятого, `twenty`-fifth.
pub(super) fn tens(word: &str) -> Option<i8> {
    if is_one_of(word, &["двадцать", "twenty"]) {
        Some(20)
    } else if is_one_of(word, &["тридцать", "thirty"]) {
        Some(30)
    } else {
        None
    }
}

fn index_of(units: &[&str], matches: impl Fn(&str) -> bool) -> Option<i8> {
    units.iter().position(|unit| matches(unit)).and_then(|index| i8::try_from(index + 1).ok())
}

/// The endings of a day number: 6th, 6-го.
pub(super) fn is_day_ending(word: &str) -> bool {
    is_one_of(word, &["st", "nd", "rd", "th", "го", "ого", "е", "ое"])
}

/// `г`, `года`: a year follows its number.
pub(super) fn is_year_word(word: &str) -> bool {
    is_one_of(word, &["г", "года", "год"])
}

/// Words that make a range of two dates.
pub(super) fn is_range_word(word: &str) -> bool {
    is_one_of(word, &["to", "till", "until", "through", "thru", "по", "до"])
}

/// Words that join two separate days.
pub(super) fn is_and(word: &str) -> bool {
    is_one_of(word, &["and", "и"])
}

/// Marks that make a range of two dates.
pub(crate) fn is_dash(mark: char) -> bool {
    matches!(mark, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Words before a number that make it a version, a clause or a size, never a date.
pub(super) fn names_a_number(word: &str) -> bool {
    is_one_of(
        word,
        &[
            "v",
            "ver",
            "version",
            "release",
            "ubuntu",
            "python",
            "java",
            "clause",
            "section",
            "table",
            "figure",
            "fig",
            "paragraph",
            "iso",
            "gost",
            "гост",
            "версия",
            "версии",
            "версию",
            "версией",
            "релиз",
            "релиза",
            "релизе",
            "сборка",
            "сборки",
            "п",
            "пп",
            "пункт",
            "пункта",
            "пункту",
            "раздел",
            "раздела",
            "таблица",
            "рис",
            "сп",
            "снип",
        ],
    )
}

/// Words after a number that make it an amount, never a date.
pub(super) fn is_unit(word: &str) -> bool {
    is_one_of(
        word,
        &[
            "percent",
            "usd",
            "eur",
            "gbp",
            "rub",
            "kg",
            "g",
            "t",
            "km",
            "m",
            "cm",
            "mm",
            "db",
            "gb",
            "mb",
            "tb",
            "kb",
            "ghz",
            "mhz",
            "kw",
            "mw",
            "kwh",
            "hours",
            "hour",
            "h",
            "hrs",
            "min",
            "minutes",
            "sec",
            "seconds",
            "ms",
            "million",
            "mln",
            "billion",
            "bn",
            "thousand",
            "points",
            "days",
            "people",
            "pcs",
            "l",
            "bar",
            "руб",
            "рублей",
            "рубля",
            "млн",
            "млрд",
            "тыс",
            "кг",
            "т",
            "тонн",
            "тонны",
            "км",
            "м",
            "см",
            "мм",
            "дб",
            "гб",
            "мб",
            "тб",
            "кб",
            "ггц",
            "мгц",
            "квт",
            "мвт",
            "ч",
            "час",
            "часа",
            "часов",
            "мин",
            "минут",
            "минуты",
            "сек",
            "секунд",
            "мс",
            "процента",
            "процентов",
            "шт",
            "штук",
            "балла",
            "баллов",
            "раза",
            "раз",
            "дней",
            "дня",
            "чел",
            "человек",
            "га",
            "л",
            "литров",
            "па",
            "мпа",
            "бар",
            "пп",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_by_any_form() {
        for (word, expected) in [
            ("Mar", Some(3)),
            ("MARCH", Some(3)),
            ("марта", Some(3)),
            ("May", Some(5)),
            ("may", None),
            ("march", Some(3)),
            ("Sept", Some(9)),
            ("маршрут", None),
            ("marble", None),
            ("мая", Some(5)),
        ] {
            assert_eq!(month(word), expected, "{word}");
        }
    }

    #[test]
    fn ordinals() {
        for (word, expected) in [
            ("Пятого", Some(5)),
            ("третьего", Some(3)),
            ("двадцатого", Some(20)),
            ("девятнадцатое", Some(19)),
            ("fifth", Some(5)),
            ("Thirtieth", Some(30)),
            ("пятно", None),
            ("вторник", None),
            ("first-rate", None),
        ] {
            assert_eq!(ordinal(word), expected, "{word}");
        }
        assert_eq!(tens("Двадцать"), Some(20));
    }
}
