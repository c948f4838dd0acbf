//! What a model is told when its answer did not fit.

use crate::domain::answer::BadAnswer;
use crate::domain::language::Language;

/// The message that follows the row on a further attempt. Holds no text of the row and none of the model's.
pub fn hint_message(bad: &BadAnswer, language: Language) -> String {
    let (before, after) = match language {
        Language::En => (
            "Your previous answer to this row could not be used: ",
            ". Judge the row once more, from the start, and answer with one complete JSON object in the form \
             described, and nothing else.",
        ),
        Language::Ru => (
            "Предыдущий ответ на эту строку нельзя использовать: ",
            ". Проверь строку ещё раз с начала и ответь одним полным объектом JSON в описанной форме, без \
             другого текста.",
        ),
    };
    [before, &bad.problem, after].concat()
}

/// The message that follows the row when answers to it were cut.
pub fn brevity_message(language: Language) -> &'static str {
    match language {
        Language::En => {
            "Your previous answer was too long and was cut. Answer with the JSON object alone: one short sentence for \
             each issue, and no rewrite."
        }
        Language::Ru => {
            "Предыдущий ответ был слишком длинным и оборвался. Ответь одним объектом JSON: по одному короткому \
             предложению на замечание, без новой редакции текста."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_problem_and_asks_for_json() {
        let bad = BadAnswer { problem: "`is_valid` is missing".into() };
        for language in [Language::En, Language::Ru] {
            let hint = hint_message(&bad, language);
            assert!(hint.contains(": `is_valid` is missing. "), "{hint}");
            assert!(hint.contains("JSON"), "{hint}");
        }
    }
}
