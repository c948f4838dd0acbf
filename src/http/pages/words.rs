//! What the pages say, in English and Russian. A word without one of the two does not compile.

use crate::domain::language::Language;

macro_rules! words {
    ($($name:ident: $en:literal, $ru:literal;)*) => {
        /// A word or a sentence of the pages.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Word { $($name),* }

        impl Word {
            /// In this language.
            pub(super) fn of(self, language: Language) -> &'static str {
                match self { $(Self::$name => language.pick($en, $ru)),* }
            }
        }
    };
}

words! {
    AllWell: "All is well", "Всё в порядке";
    NothingRan: "Nothing has run yet", "Запусков ещё не было";
    Attention: "Needs attention", "Требует внимания";
    Skip: "Skip to content", "К содержанию";
    Overview: "Overview", "Обзор";
    Jobs: "Jobs", "Задания";
    Job: "Job", "Задание";
    Run: "Run", "Запуск";
    Runs: "Runs", "Запуски";
    Rows: "Rows", "Строки";
    Row: "Row", "Строка";
    Providers: "Models", "Модели";
    Spending: "Spending", "Расходы";
    Troubles: "What went wrong lately", "Последние ошибки";
    NoTroubles: "Nothing went wrong lately.", "Ошибок в последнее время не было.";
    LastRun: "Last run", "Последний запуск";
    NextRun: "Next run", "Следующий запуск";
    WhenAsked: "when asked", "по запросу";
    Never: "never", "ни разу";
    Watches: "and when the table changes", "и при изменении таблицы";
    RunNow: "Run now", "Запустить";
    Cancel: "Stop", "Остановить";
    Running: "Running", "Идёт";
    Progress: "Progress", "Ход выполнения";
    Valid: "OK", "верно";
    Invalid: "to fix", "исправить";
    NotChecked: "not checked", "не проверено";
    Skipped: "skipped", "пропущено";
    Cached: "known already", "известно заранее";
    InFlight: "questions under way", "вопросов в работе";
    RowsPerSecond: "rows a second", "строк в секунду";
    Cost: "cost", "стоимость";
    Today: "Today", "Сегодня";
    Month: "This month", "В этом месяце";
    Cap: "cap", "предел";
    NoCap: "no cap", "без предела";
    PendingWrites: "results not written yet", "результатов ещё не записано";
    Pending: "Not written yet", "Не записано";
    Rules: "Rules", "Правила";
    State: "State", "Состояние";
    Model: "Model", "Модель";
    FreeRules: "rules in free text", "правила свободным текстом";
    Version: "version", "версия";
    CodeOnly: "code checks only", "только проверки кодом";
    Limit: "requests a minute", "запросов в минуту";
    LimitUnknown: "limit not met", "предел не встречен";
    Paused: "pausing", "пауза";
    Trouble: "in trouble", "сбои";
    GivenUp: "given up", "отключена";
    Asked: "in use", "работает";
    Started: "Started", "Начало";
    Took: "Took", "Длительность";
    Outcome: "Outcome", "Итог";
    Ok: "complete", "полностью";
    Partial: "partly", "частично";
    Failed: "failed", "ошибка";
    Budget: "stopped by the cap", "остановлено пределом";
    Interrupted: "interrupted", "прервано";
    Reasons: "Why rows were not checked", "Почему строки не проверены";
    Violations: "Violated rules", "Нарушенные правила";
    Warnings: "Warnings", "Предупреждения";
    Count: "Rows", "Строк";
    Reason: "Reason", "Причина";
    Rule: "Rule", "Правило";
    Verdict: "Verdict", "Вердикт";
    When: "When", "Когда";
    Rewrite: "Suggested text", "Предлагаемый текст";
    TextsHidden: "Texts of the table are not shown; serve.show_content shows them.", "Тексты таблицы не показаны; их показывает serve.show_content.";
    NoRows: "No rows that a model has judged.", "Строк, о которых судила модель, нет.";
    NextPage: "Next page", "Следующая страница";
    All: "all", "все";
    ChartVerdicts: "Verdicts of the last runs", "Вердикты последних запусков";
    ChartPace: "Rows a second, last minutes", "Строк в секунду, последние минуты";
    ChartLatency: "Seconds an answer, last minutes", "Секунд на ответ, последние минуты";
    NotFound: "There is no such page.", "Такой страницы нет.";
    SomethingWrong: "This did not work", "Не получилось";
    Back: "Back to the overview", "Назад к обзору";
    Login: "Sign in", "Вход";
    Token: "Token", "Токен";
    TokenWrong: "That is not the token.", "Токен неверен.";
    TokenWait: "Too many wrong tokens: wait a minute.", "Слишком много неверных токенов: подождите минуту.";
    ReloadKept: "The settings could not be read again; the former ones hold", "Настройки не удалось перечитать; действуют прежние";
    Reloaded: "Settings read", "Настройки прочитаны";
    Since: "serving since", "работает с";
    Requests: "Requests", "Запросы";
    Tokens: "Tokens", "Токены";
    Written: "Written", "Записано";
    Read: "Read", "Прочитано";
    OtherLanguage: "Русский", "English";
}

/// `1 row`, `5 строк`: a number with its noun.
pub(super) fn rows(language: Language, n: u64) -> String {
    counted(language, n, ["row", "rows"], ["строка", "строки", "строк"])
}

/// `1 job`, `2 задания`.
pub(super) fn jobs(language: Language, n: u64) -> String {
    counted(language, n, ["job", "jobs"], ["задание", "задания", "заданий"])
}

fn counted(language: Language, n: u64, en: [&str; 2], ru: [&str; 3]) -> String {
    let noun = match language {
        Language::En => en[usize::from(n != 1)],
        Language::Ru => {
            ru[match (n % 10, n % 100) {
                (1, rest) if rest != 11 => 0,
                (2..=4, rest) if !(12..=14).contains(&rest) => 1,
                _ => 2,
            }]
        }
    };
    format!("{} {noun}", number(language, n))
}

/// A number with its thousands apart, as the language has it.
pub(super) fn number(language: Language, n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push_str(language.pick(",", "\u{a0}"));
        }
        grouped.push(digit);
    }
    grouped
}

/// Dollars: cents where there are dollars, more digits where there are none.
pub(super) fn dollars(usd: f64) -> String {
    if usd >= 1.0 || usd == 0.0 { format!("${usd:.2}") } else { format!("${usd:.4}") }
}

/// How long: `12 s`, `4 min 5 s`, `2 h 3 min`.
pub(super) fn span(language: Language, seconds: f64) -> String {
    let (h, min, s) = (language.pick("h", "ч"), language.pick("min", "мин"), language.pick("s", "с"));
    match seconds as u64 {
        0..10 => format!("{seconds:.1} {s}"),
        whole @ 10..60 => format!("{whole} {s}"),
        whole @ 60..3600 => format!("{} {min} {} {s}", whole / 60, whole % 60),
        whole => format!("{} {h} {} {min}", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_numbers() {
        for (n, en, ru) in [
            (0, "0 rows", "0 строк"),
            (1, "1 row", "1 строка"),
            (2, "2 rows", "2 строки"),
            (5, "5 rows", "5 строк"),
            (11, "11 rows", "11 строк"),
            (12, "12 rows", "12 строк"),
            (21, "21 rows", "21 строка"),
            (104, "104 rows", "104 строки"),
            (1112, "1,112 rows", "1\u{a0}112 строк"),
        ] {
            assert_eq!((rows(Language::En, n), rows(Language::Ru, n)), (en.to_owned(), ru.to_owned()));
        }
        assert_eq!(jobs(Language::Ru, 3), "3 задания");
        assert_eq!(span(Language::Ru, 7384.0), "2 ч 3 мин");
    }
}
