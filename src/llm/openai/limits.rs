//! What a server says of its limits: in headers of any answer, or in the words of a refusal. Pure.
//!
//! Headers: <https://platform.openai.com/docs/guides/rate-limits>, and Anthropic's of the same meaning. A limit without
//! its period is of no use, so the period is worked out from the time until the bucket is full again.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use super::envelope::Envelope;
use super::wait::span;
use crate::llm::limits::{Allowance, RateLimits};

/// What an answer says of the limits; nothing where it does not, or not in a way that makes sense.
pub(super) fn told(headers: &HeaderMap, said: Option<&Envelope>, now: SystemTime) -> RateLimits {
    let text = |name: String| headers.get(name.as_str()).and_then(|value| value.to_str().ok()).map(str::trim);
    let allowance = |what: &str| {
        ["x-ratelimit-", "anthropic-ratelimit-"].iter().find_map(|family| {
            let part = |part: &str| match *family {
                "x-ratelimit-" => text(format!("{family}{part}-{what}")),
                _ => text(format!("{family}{what}-{part}")),
            };
            let (limit, remaining) = (number(part("limit")?)?, number(part("remaining")?)?);
            let reset = part("reset").and_then(|reset| until_full(reset, now));
            Some(Allowance { limit, period: period(limit, remaining, reset), remaining }).filter(is_sound)
        })
    };
    let message = said.map(|said| said.message.as_str()).unwrap_or_default();
    RateLimits {
        requests: allowance("requests").or_else(|| in_words(message, "(rpm)")),
        tokens: allowance("tokens").or_else(|| in_words(message, "(tpm)")),
    }
}

fn is_sound(allowance: &Allowance) -> bool {
    allowance.limit > 0 && allowance.remaining <= allowance.limit
}

/// A count, perhaps with commas. Azure says -1 where it does not know.
fn number(text: &str) -> Option<u64> {
    text.replace(',', "").parse().ok()
}

/// The time until the bucket is full: `6m0s`, `120ms`, seconds, or a moment.
fn until_full(text: &str, now: SystemTime) -> Option<Duration> {
    if let Some(span) = span(text) {
        return Some(span);
    }
    let moment = match text.parse::<f64>() {
        Ok(seconds) if seconds < 1e9 => return Duration::try_from_secs_f64(seconds.max(0.0)).ok(),
        Ok(seconds) if seconds < 1e10 => Duration::try_from_secs_f64(seconds).ok(),
        Ok(milliseconds) => Duration::try_from_secs_f64(milliseconds / 1e3).ok(),
        Err(_) => {
            let moment: jiff::Timestamp = text.parse().ok()?;
            Duration::try_from(moment.duration_since(jiff::Timestamp::UNIX_EPOCH)).ok()
        }
    }?;
    let moment = SystemTime::UNIX_EPOCH.checked_add(moment)?;
    Some(moment.duration_since(now).unwrap_or_default())
}

/// The usual periods of limits, in seconds.
const PERIODS: [f64; 5] = [1.0, 10.0, 60.0, 3600.0, 86400.0];
const MINUTE: Duration = Duration::from_secs(60);

/// The period in which the whole limit comes back: what is missing comes back by the reset. A minute where that cannot
/// be told.
fn period(limit: u64, remaining: u64, reset: Option<Duration>) -> Duration {
    let missing = limit.saturating_sub(remaining);
    let Some(reset) = reset.filter(|reset| missing > 0 && !reset.is_zero()) else { return MINUTE };
    let whole = reset.as_secs_f64() * limit as f64 / missing as f64;
    let far = |period: f64| (whole / period).ln().abs();
    let nearest = PERIODS.into_iter().min_by(|one, other| far(*one).total_cmp(&far(*other)));
    // Fixed windows reset all at once, within the period: then the figures tell less, and a minute is usual.
    match nearest {
        Some(period) if far(period) < 0.7 => Duration::from_secs_f64(period),
        _ if whole > 2.0 * 3600.0 => Duration::from_secs(86400),
        _ => MINUTE,
    }
}

/// "… on requests per min (RPM): Limit 500, Used 500, Requested 1."
fn in_words(message: &str, unit: &str) -> Option<Allowance> {
    let message = message.to_ascii_lowercase();
    let (_, rest) = message.split_once(unit)?;
    let count = |word: &str| {
        let (_, rest) = rest.split_once(word)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse::<u64>().ok()
    };
    let (limit, used) = (count("limit ")?, count("used ")?);
    Some(Allowance { limit, period: MINUTE, remaining: limit.saturating_sub(used) }).filter(is_sound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn of(headers: &[(&str, &str)]) -> RateLimits {
        let map = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        told(&map.collect(), None, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
    }

    fn requests(limit: &str, remaining: &str, reset: &str) -> Option<(u64, u64, u64)> {
        let told = of(&[
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", remaining),
            ("x-ratelimit-reset-requests", reset),
        ]);
        told.requests.map(|told| (told.limit, told.period.as_secs(), told.remaining))
    }

    #[test]
    fn the_period_is_the_time_in_which_the_whole_limit_comes_back() {
        assert_eq!(requests("30,000", "29999", "2ms"), Some((30_000, 60, 29_999)));
        assert_eq!(requests("500", "499", "120ms"), Some((500, 60, 499)));
        assert_eq!(requests("500", "0", "1m0s"), Some((500, 60, 0)));
        assert_eq!(
            requests("14400", "14370", "2m59.56s"),
            Some((14_400, 86_400, 14_370)),
            "a limit of a day"
        );
        assert_eq!(requests("100", "90", "1"), Some((100, 10, 90)));
        assert_eq!(requests("500", "500", "0s"), Some((500, 60, 500)));
    }

    #[test]
    fn a_reset_may_be_a_moment() {
        assert_eq!(requests("60", "59", "1800000001"), Some((60, 60, 59)));
        assert_eq!(requests("60", "59", "1800000001000"), Some((60, 60, 59)));
        let anthropic = of(&[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "40"),
            ("anthropic-ratelimit-requests-reset", "2027-01-15T08:00:12Z"),
        ]);
        assert_eq!(anthropic.requests.map(|told| (told.limit, told.period.as_secs())), Some((50, 60)));
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        for (limit, remaining) in [("-1", "-1"), ("0", "0"), ("", ""), ("many", "1"), ("5", "6")] {
            assert_eq!(requests(limit, remaining, "1s"), None, "{limit} {remaining}");
        }
        assert_eq!(of(&[("x-ratelimit-limit-requests", "500")]), RateLimits::default());
    }

    #[test]
    fn a_refusal_says_it_in_words() {
        let message = "Rate limit reached for gpt-x in organization org on tokens per min (TPM): Limit 200000, Used 195869, Requested 4412.";
        let said = Envelope { message: message.to_owned(), ..Envelope::default() };
        let told = told(&HeaderMap::new(), Some(&said), SystemTime::UNIX_EPOCH);
        let tokens = Allowance { limit: 200_000, period: MINUTE, remaining: 4131 };
        assert_eq!(told, RateLimits { requests: None, tokens: Some(tokens) });
    }

    proptest! {
        #[test]
        fn no_header_panics(limit in "\\PC{0,12}", remaining in "[0-9,.-]{0,12}", reset in "[0-9a-z.:-]{0,24}") {
            if let Ok(limit) = HeaderValue::from_str(&limit) {
                let mut map = HeaderMap::new();
                map.insert("x-ratelimit-limit-requests", limit);
                map.insert("x-ratelimit-remaining-requests", HeaderValue::from_str(&remaining).unwrap());
                map.insert("x-ratelimit-reset-requests", HeaderValue::from_str(&reset).unwrap());
                if let Some(told) = told(&map, None, SystemTime::now()).requests {
                    prop_assert!(told.limit > 0 && told.per_second() > 0.0);
                }
            }
        }
    }
}
