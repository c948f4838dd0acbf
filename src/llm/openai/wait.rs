//! How long a provider asks to wait, in any of the ways in which providers say it.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::envelope::Envelope;

/// The longest wait that is believed.
pub(super) const LONGEST: Duration = Duration::from_secs(3600);

/// The wait that was asked for, unbounded: the caller judges whether it is a pause or the end of the day.
///
/// Looked for in `retry-after-ms`, `retry-after` (seconds or a date), the same header as a proxy passes it
/// on, then in the body: Google's `RetryInfo`, OpenRouter's reset time, and the words "try again in 84ms".
pub(super) fn asked(headers: &HeaderMap, said: &Envelope, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    // A date is meant by the server's clock, which may differ from ours.
    let now = text(DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    text("retry-after-ms")
        .and_then(|ms| seconds(ms, 1e-3))
        .or_else(|| text(RETRY_AFTER.as_str()).and_then(|value| seconds_or_date(value, now)))
        .or_else(|| text("llm_provider-retry-after").and_then(|value| seconds_or_date(value, now)))
        .or_else(|| said.retry_delay.as_deref().and_then(span))
        .or_else(|| said.reset_at_ms.map(|at| until(SystemTime::UNIX_EPOCH + Duration::from_millis(at), now)))
        .or_else(|| in_words(&said.message))
}

fn seconds_or_date(value: &str, now: SystemTime) -> Option<Duration> {
    seconds(value, 1.0)
        .or_else(|| span(value))
        .or_else(|| httpdate::parse_http_date(value).ok().map(|date| until(date, now)))
}

/// A number of units of so many seconds. What lies in the past is no wait at all.
fn seconds(value: &str, unit: f64) -> Option<Duration> {
    let number: f64 = value.parse().ok()?;
    if number.is_nan() {
        return None;
    }
    Some(Duration::try_from_secs_f64((number * unit).max(0.0)).unwrap_or(Duration::MAX))
}

fn until(date: SystemTime, now: SystemTime) -> Duration {
    date.duration_since(now).unwrap_or_default()
}

/// The wait in a sentence such as "Please try again in 1m2.5s." or "Please retry in 34s".
fn in_words(message: &str) -> Option<Duration> {
    ["try again in ", "retry in ", "retry after "].iter().find_map(|lead| {
        // ASCII lower case keeps every byte where it was.
        let at = message.to_ascii_lowercase().find(lead)? + lead.len();
        let rest = message.get(at..)?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        let told = rest.get(..end)?.trim_end_matches('.');
        span(told).or_else(|| {
            let unit = rest.get(end..)?.trim_start();
            seconds(
                told,
                if unit.starts_with("min") {
                    60.0
                } else if unit.starts_with("sec") {
                    1.0
                } else {
                    return None;
                },
            )
        })
    })
}

/// A time span such as `84ms`, `34.07s`, `6m0s`, `1h2m3.5s`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|&at| at > 0)?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let unit = match unit {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return None,
        };
        sum = sum.saturating_add(seconds(number, unit)?);
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    const NOW: &str = "Fri, 06 Mar 2026 10:00:00 GMT";

    fn from_headers(headers: &[(&str, &str)]) -> Option<Duration> {
        let map = headers.iter().map(|(name, value)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        });
        asked(&map.collect(), &Envelope::default(), httpdate::parse_http_date(NOW).unwrap())
    }

    fn from_message(message: &str) -> Option<Duration> {
        let said = Envelope { message: message.to_owned(), ..Envelope::default() };
        asked(&HeaderMap::new(), &said, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn headers_say_seconds_milliseconds_or_a_date() {
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(from_headers(&[("retry-after", "2")]), ms(2000));
        assert_eq!(from_headers(&[("retry-after", "0.25")]), ms(250));
        assert_eq!(from_headers(&[("retry-after", "2"), ("retry-after-ms", "84")]), ms(84));
        assert_eq!(from_headers(&[("llm_provider-retry-after", "60")]), ms(60_000));
        assert_eq!(from_headers(&[("retry-after", "Fri, 06 Mar 2026 10:00:30 GMT")]), ms(30_000));
        assert_eq!(from_headers(&[("retry-after", "Fri, 06 Mar 2026 09:00:00 GMT")]), ms(0));
        assert_eq!(from_headers(&[("retry-after", "-5")]), ms(0));
        assert_eq!(from_headers(&[("retry-after", "1e300")]), Some(Duration::MAX));
    }

    #[test]
    fn a_date_counts_by_the_servers_clock() {
        for hour in ["09", "11"] {
            let (sent, back) =
                (format!("Fri, 06 Mar 2026 {hour}:00:00 GMT"), format!("Fri, 06 Mar 2026 {hour}:00:05 GMT"));
            let wait = from_headers(&[("date", &sent), ("retry-after", &back)]);
            assert_eq!(wait, Some(Duration::from_secs(5)));
        }
    }

    #[test]
    fn the_message_says_it_in_words() {
        let cases = [
            ("Limit 200000, Used 195869, Requested 4412. Please try again in 84ms. Visit", 84),
            ("Please try again in 1m2s.", 62_000),
            ("Please try again in 6m0s", 360_000),
            ("please TRY AGAIN in 1h2m3.5s.", 3_723_500),
            ("Please retry in 34.074824224s.", 34_074),
            ("Please retry after 20 seconds.", 20_000),
        ];
        for (message, ms) in cases {
            assert_eq!(from_message(message).map(|wait| wait.as_millis()), Some(ms), "{message}");
        }
        for message in [
            "",
            "try again in",
            "try again in a minute",
            "try again in 5",
            "retry in юs",
            "İ try again in 2q",
        ] {
            assert_eq!(from_message(message), None, "{message}");
        }
    }

    #[test]
    fn the_body_says_it_in_fields() {
        let google = Envelope { retry_delay: Some("34s".into()), ..Envelope::default() };
        assert_eq!(asked(&HeaderMap::new(), &google, SystemTime::UNIX_EPOCH), Some(Duration::from_secs(34)));
        let open_router = Envelope { reset_at_ms: Some(5_000), ..Envelope::default() };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(2);
        assert_eq!(asked(&HeaderMap::new(), &open_router, now), Some(Duration::from_secs(3)));
    }

    #[test]
    fn rubbish_asks_for_nothing() {
        for value in ["", "soon", "NaN", "1 2", "5x", ".", "..s"] {
            assert_eq!(from_headers(&[("retry-after", value)]), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(value in "[0-9a-z. -]{0,20}", message in ".{0,20}(try again in )?.{0,20}") {
            from_headers(&[("retry-after", &value), ("retry-after-ms", &value)]);
            from_message(&message);
            span(&value);
        }
    }
}
