//! E-mail addresses, internationalised ones included.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled in every test of this file")]
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[\p{L}\p{N}][\p{L}\p{N}._%+\-]*@(?:[\p{L}\p{N}](?:[\p{L}\p{N}\-]*[\p{L}\p{N}])?\.)+(?:xn--[a-zA-Z0-9\-]+|\p{L}{2,24})",
    )
    .unwrap()
});

/// Endings of file names such as `icon@2x.png`, which look like domains.
const FILES: [&str; 8] = ["png", "jpg", "jpeg", "gif", "svg", "webp", "js", "pdf"];

/// The addresses in a text. `git@host:path` is none: a repository's place.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    if !text.contains('@') {
        return Vec::new();
    }
    let repository = |end: usize| {
        let rest = text.get(end..).unwrap_or_default();
        let mut rest = rest.chars();
        matches!(rest.next(), Some(':' | '/')) && rest.next().is_some_and(|c| c.is_alphanumeric() || c == '~')
    };
    let file = |address: &str| {
        address
            .rsplit_once('.')
            .is_some_and(|(_, end)| FILES.iter().any(|file| end.eq_ignore_ascii_case(file)))
    };
    let addresses = ADDRESS.find_iter(text).filter(|found| !repository(found.end()) && !file(found.as_str()));
    addresses.map(|found| found.range()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn addresses_are_found() {
        for (text, expected) in [
            ("write to test@example.invalid.", "test@example.invalid"),
            ("Иван <i.ivanov+it@почта.рф>, спасибо", "i.ivanov+it@почта.рф"),
            ("почта@пример.рус", "почта@пример.рус"),
            ("mailto:a_b-c%d@sub.example.co.uk?x", "a_b-c%d@sub.example.co.uk"),
            ("x@xn--e1afmkfd.xn--p1ai", "x@xn--e1afmkfd.xn--p1ai"),
            ("user@EXAMPLE.COM: answered", "user@EXAMPLE.COM"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
    }

    #[test]
    fn other_at_signs_are_not() {
        for text in [
            "@angular/core 12",
            "lodash@4.17.21",
            "image@sha256:abc",
            "git@github.com:org/repo",
            "root@server",
            "icon@2x.png",
            "5 pcs @ 3.50",
            "a@b",
            "@",
            "@@@.@",
            "meeting @ office",
            "=cmd@SUM(A1.B2)",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }
}
