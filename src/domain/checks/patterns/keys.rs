//! API keys, tokens and private keys, by the forms that their issuers document.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// The literal beginnings let the regex engine skip texts without them.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled in every test of this file")]
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    let forms = [
        r"sk-[A-Za-z0-9_\-]{12,}",
        r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}",
        r"gh[pousr]_[A-Za-z0-9]{16,}",
        r"github_pat_[A-Za-z0-9_]{20,}",
        r"glpat-[A-Za-z0-9_\-]{16,}",
        r"(?:AKIA|ASIA)[A-Z0-9]{12,}",
        r"AIza[A-Za-z0-9_\-]{20,}",
        r"ya29\.[A-Za-z0-9_\-]{16,}",
        r"y[0-3]_[A-Za-z0-9_\-]{30,}",
        r"AQVN[A-Za-z0-9_\-]{30,}",
        r"xox[abeoprs]-[A-Za-z0-9\-]{10,}",
        r"eyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*)?",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        r"[0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}",
        r"Bearer [A-Za-z0-9._\-]{20,}",
        r"://[^\s/:@]+:[^\s/@]+@",
    ];
    Regex::new(&forms.join("|")).unwrap()
});

/// The keys in a text.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(key) = KEY.find_at(text, from) {
        from = key.end();
        let before = text.get(..key.start()).and_then(|before| before.chars().next_back());
        // `risk-based-…` and `task-…` hold `sk-`; so a key stands alone, and a wordy one has a digit.
        let alone = key.as_str().starts_with("://")
            || !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
        let plain_words =
            key.as_str().starts_with("sk-") && !key.as_str().bytes().any(|byte| byte.is_ascii_digit());
        if alone && !plain_words {
            found.push(key.range());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    // Joined at run time, so that no scanner takes this file for a leak.
    fn sample(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn keys_are_found() {
        for key in [
            sample(&["sk-", "proj-0000aaaa1111bbbb2222"]),
            sample(&["ghp", "_0123456789abcdefABCDEF0123456789abcd"]),
            sample(&["AKIA", "IOSFODNN7EXAMPLE"]),
            sample(&["AIza", "SyA-0123456789abcdefghijklmnopqrstu"]),
            sample(&["xoxb", "-123456789012-abcdef"]),
            sample(&["eyJ", "hbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0", ".c2lnbmF0dXJl"]),
            sample(&["-----BEGIN RSA ", "PRIVATE KEY-----"]),
            sample(&["://user:", "pa55@"]),
        ] {
            let text = format!("ключ {key}, см. выше");
            assert_eq!(
                find(&text).into_iter().map(|span| &text[span]).collect::<Vec<_>>(),
                [key.as_str()],
                "{text}"
            );
        }
    }

    #[test]
    fn words_and_links_are_not() {
        for text in [
            "risk-based-approach-2026-with-controls",
            "task-1234567890123456",
            "sk-based-management-approach",
            "https://example.invalid:8080/path",
            "https://example.invalid/a:b@c",
            "AKIA",
            "eyJ.x",
            "ghp_short",
            "the Bearer of bad news",
            "-----BEGIN CERTIFICATE-----",
            "2026:AA",
        ] {
            assert_eq!(find(text), Vec::<Range<usize>>::new(), "{text}");
        }
    }
}
