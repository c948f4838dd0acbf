//! How numbers, dates and truth values are written in a spreadsheet's locale.

/// A locale.
#[derive(Debug)]
pub(crate) struct Locale {
    name: &'static str,
    /// What stands before the fraction of a number.
    pub(crate) decimal: char,
    /// What groups the thousands of a number.
    pub(crate) group: char,
    /// The parts of a date in their order.
    pub(crate) order: [Part; 3],
    /// What separates the parts of a date.
    pub(crate) separator: char,
    pub(crate) currency: &'static str,
    /// The currency stands after the number.
    pub(crate) currency_last: bool,
    pub(crate) date: &'static str,
    pub(crate) time: &'static str,
    pub(crate) date_time: &'static str,
    pub(crate) truth: [&'static str; 2],
    /// Names of the months, long ones and short ones.
    pub(crate) months: [[&'static str; 12]; 2],
    /// Names of the days from Sunday, long ones and short ones.
    pub(crate) days: [[&'static str; 7]; 2],
}

/// A part of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Day,
    Month,
    Year,
}

use Part::{Day, Month, Year};

impl Locale {
    /// The locale of a name such as `de_DE`; the one of its language, or else the American one.
    pub(crate) fn of(name: &str) -> &'static Self {
        let language = |name: &str| name.split(['_', '-']).next().unwrap_or_default().to_ascii_lowercase();
        let all = || std::iter::once(&AMERICAN).chain(&OTHERS);
        all()
            .find(|locale| locale.name == name)
            .or_else(|| all().find(|locale| language(locale.name) == language(name)))
            .unwrap_or(&AMERICAN)
    }

    /// True if a comma stands before the fraction of a number.
    pub(crate) fn decimal_comma(&self) -> bool {
        self.decimal == ','
    }

    /// The default pattern of a number format's type.
    pub(crate) fn pattern(&self, kind: &str) -> String {
        match kind {
            "NUMBER" => "#,##0.00".into(),
            "PERCENT" => "0.00%".into(),
            "SCIENTIFIC" => "0.00E+00".into(),
            "CURRENCY" => self.money(true),
            "DATE" => self.date.into(),
            "TIME" => self.time.into(),
            "DATE_TIME" => self.date_time.into(),
            _ => String::new(),
        }
    }

    /// The pattern of an amount of the locale's currency.
    pub(crate) fn money(&self, cents: bool) -> String {
        let digits = if cents { "#,##0.00" } else { "#,##0" };
        if self.currency_last {
            format!("{digits}\\ \"{}\"", self.currency)
        } else {
            format!("\"{}\"{digits}", self.currency)
        }
    }
}

const ENGLISH_MONTHS: [[&str; 12]; 2] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
];

const ENGLISH_DAYS: [[&str; 7]; 2] = [
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
    ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
];

static AMERICAN: Locale = Locale {
    name: "en_US",
    decimal: '.',
    group: ',',
    order: [Month, Day, Year],
    separator: '/',
    currency: "$",
    currency_last: false,
    date: "M/d/yyyy",
    time: "h:mm:ss am/pm",
    date_time: "M/d/yyyy H:mm:ss",
    truth: ["TRUE", "FALSE"],
    months: ENGLISH_MONTHS,
    days: ENGLISH_DAYS,
};

static OTHERS: [Locale; 4] = [
    Locale {
        name: "en_GB",
        decimal: '.',
        group: ',',
        order: [Day, Month, Year],
        separator: '/',
        currency: "£",
        currency_last: false,
        date: "dd/MM/yyyy",
        time: "HH:mm:ss",
        date_time: "dd/MM/yyyy HH:mm:ss",
        truth: ["TRUE", "FALSE"],
        months: ENGLISH_MONTHS,
        days: ENGLISH_DAYS,
    },
    Locale {
        name: "de_DE",
        decimal: ',',
        group: '.',
        order: [Day, Month, Year],
        separator: '.',
        currency: "€",
        currency_last: true,
        date: "dd.MM.yyyy",
        time: "HH:mm:ss",
        date_time: "dd.MM.yyyy HH:mm:ss",
        truth: ["WAHR", "FALSCH"],
        months: [
            [
                "Januar",
                "Februar",
                "März",
                "April",
                "Mai",
                "Juni",
                "Juli",
                "August",
                "September",
                "Oktober",
                "November",
                "Dezember",
            ],
            ["Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."],
        ],
        days: [
            ["Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"],
            ["So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"],
        ],
    },
    Locale {
        name: "fr_FR",
        decimal: ',',
        group: '\u{202f}',
        order: [Day, Month, Year],
        separator: '/',
        currency: "€",
        currency_last: true,
        date: "dd/MM/yyyy",
        time: "HH:mm:ss",
        date_time: "dd/MM/yyyy HH:mm:ss",
        truth: ["VRAI", "FAUX"],
        months: [
            [
                "janvier",
                "février",
                "mars",
                "avril",
                "mai",
                "juin",
                "juillet",
                "août",
                "septembre",
                "octobre",
                "novembre",
                "décembre",
            ],
            [
                "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
                "déc.",
            ],
        ],
        days: [
            ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
            ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."],
        ],
    },
    Locale {
        name: "ru_RU",
        decimal: ',',
        group: '\u{a0}',
        order: [Day, Month, Year],
        separator: '.',
        currency: "₽",
        currency_last: true,
        date: "dd.MM.yyyy",
        time: "H:mm:ss",
        date_time: "dd.MM.yyyy H:mm:ss",
        truth: ["ИСТИНА", "ЛОЖЬ"],
        months: [
            [
                "январь",
                "февраль",
                "март",
                "апрель",
                "май",
                "июнь",
                "июль",
                "август",
                "сентябрь",
                "октябрь",
                "ноябрь",
                "декабрь",
            ],
            ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
        ],
        days: [
            ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"],
            ["вс", "пн", "вт", "ср", "чт", "пт", "сб"],
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_found_by_name_or_language() {
        for (name, decimal, group) in [
            ("en_US", '.', ','),
            ("de_AT", ',', '.'),
            ("ru", ',', '\u{a0}'),
            ("xx", '.', ','),
            ("en", '.', ','),
        ] {
            let locale = Locale::of(name);
            assert_eq!((locale.decimal, locale.group), (decimal, group), "{name}");
        }
        assert_eq!(Locale::of("en_GB").order, [Day, Month, Year]);
        assert_eq!(Locale::of("de_DE").money(true), "#,##0.00\\ \"€\"");
    }
}
