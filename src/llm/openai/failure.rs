//! Which [`LlmError`] an error answer is: by its status, and by what the server says. Pure.
//!
//! The order matters: what a server says beats its status, since 400, 403 and 429 each mean several things.

use std::time::Duration;

use super::envelope::Envelope;
use super::wait;
use crate::llm::LlmError;

/// Classifies an error. `detail` is what people get to read; `asked` the wait that the server asks for,
/// unbounded. A status of 2xx means an error under a success.
pub(super) fn classify(status: u16, said: &Envelope, asked: Option<Duration>, detail: String) -> LlmError {
    let status = meant_status(status, said);
    let retry_after = asked.map(|wait| wait.min(wait::LONGEST));
    if status < 500 {
        if said.has_code(&["json_validate_failed"]) {
            return LlmError::BadReply(detail);
        }
        if is_unknown_model(said) {
            return LlmError::UnknownModel(detail);
        }
        if is_too_long(said) {
            return LlmError::TooLong(detail);
        }
        if is_declined(said) {
            return LlmError::Refused(detail);
        }
        if is_no_access(said) {
            return LlmError::Auth(detail);
        }
    } else if is_too_long(said) {
        return LlmError::TooLong(detail);
    }
    match status {
        429 if is_day_over(said, asked) || is_out_of_money(said, asked) => LlmError::Quota(detail),
        429 if is_about_slots(said) => LlmError::Busy { retry_after },
        429 => LlmError::RateLimited { retry_after },
        402 if is_in_flight_budget(said, asked) => LlmError::Busy { retry_after },
        402 => LlmError::Quota(detail),
        400..500 if is_out_of_money(said, asked) => LlmError::Quota(detail),
        401 | 403 | 407 => LlmError::Auth(detail),
        404 | 405 | 410 => LlmError::UnknownModel(detail),
        413 => LlmError::TooLong(detail),
        // 498 is Groq's way to say that there is no capacity.
        408 | 409 | 425 | 498 => LlmError::Unavailable { detail, retry_after },
        400..500 => LlmError::BadRequest(detail),
        300..400 => LlmError::UnknownModel(detail),
        _ => LlmError::Unavailable { detail, retry_after },
    }
}

/// The status that the answer should have had: under a success, the body's word counts.
pub(super) fn meant_status(status: u16, said: &Envelope) -> u16 {
    if !(200..300).contains(&status) {
        return status;
    }
    said.status.unwrap_or_else(|| {
        if said.has_code(&["rate_limit_exceeded", "rate_limit_error", "slow_down", "resource_exhausted"])
            || said.has_code(OUT_OF_MONEY)
        {
            429
        } else if said.has_code(&["invalid_request_error", "invalid_argument"]) {
            400
        } else {
            503
        }
    })
}

fn is_unknown_model(said: &Envelope) -> bool {
    said.has_code(&["model_not_found", "deploymentnotfound", "model_not_available", "model_decommissioned"])
        || said.says(&[
            "does not exist or you do not have access",
            "is not a valid model",
            "invalid model name",
        ])
}

fn is_too_long(said: &Envelope) -> bool {
    said.has_code(&["context_length_exceeded", "exceed_context_size_error", "request_too_large"])
        || said.says(&[
            "maximum context length",
            "exceeds the available context size",
            "prompt is too long",
            "input tokens exceed the configured limit",
            "exceeds the maximum number of tokens allowed",
            // One request over the whole allowance of a minute: waiting does not help.
            "request too large",
        ])
}

fn is_declined(said: &Envelope) -> bool {
    said.has_code(&["content_filter", "content_policy_violation", "responsibleaipolicyviolation"])
        || said.says(&["requires moderation", "content management policy", "was flagged"])
}

fn is_no_access(said: &Envelope) -> bool {
    said.has_code(&["invalid_api_key", "api_key_invalid", "authentication_error", "permission_error"])
        || said.says(&["api key not valid", "user location is not supported"])
}

/// A 429 with one of these codes is about money: no waiting helps.
const OUT_OF_MONEY: &[&str] = &[
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
    "access_terminated",
    "quota_exceeded",
    "enforced_spend_limit_reached",
    "insufficient_quota",
];

fn is_out_of_money(said: &Envelope, asked: Option<Duration>) -> bool {
    // Azure says `insufficient_quota` for a limit of a minute too, but then says when to come back.
    let comes_back = asked.is_some_and(|wait| wait <= wait::LONGEST);
    if said.has_code(&["insufficient_quota"]) && comes_back {
        return false;
    }
    said.has_code(OUT_OF_MONEY) || said.says(&["credit balance is too low", "insufficient balance"])
}

/// The longest wait for which a daily limit is waited out.
const WORTH_WAITING: Duration = Duration::from_secs(15 * 60);

fn is_day_over(said: &Envelope, asked: Option<Duration>) -> bool {
    // Gemini names the quota, and sends a wait of seconds even when the day is over.
    if said.codes.iter().any(|code| code.contains("perday")) {
        return true;
    }
    let daily = said.says(&["per day", "per-day", "(rpd)", "(tpd)"]);
    match asked {
        Some(wait) => wait > wait::LONGEST || (daily && wait > WORTH_WAITING),
        None => daily,
    }
}

/// GigaChat, Yandex and Z.ai say so where too many requests are under way at the same time.
fn is_about_slots(said: &Envelope) -> bool {
    said.says(&[
        "concurren",
        "in parallel",
        "parallel request",
        "in-flight",
        "in flight",
        "потоков",
        "одновременн",
    ])
}

/// OpenRouter's 402 for too many requests at once: it passes, and says when.
fn is_in_flight_budget(said: &Envelope, asked: Option<Duration>) -> bool {
    asked.is_some() && said.has_code(&["openrouter_in_flight_budget"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn kind(status: u16, body: &Value, asked: Option<u64>) -> &'static str {
        let said = Envelope::of_error(body.to_string().as_bytes());
        name(&classify(status, &said, asked.map(Duration::from_secs), "detail".into()))
    }

    fn name(error: &LlmError) -> &'static str {
        match error {
            LlmError::RateLimited { .. } => "rate",
            LlmError::Busy { .. } => "busy",
            LlmError::Unavailable { .. } => "unavailable",
            LlmError::Timeout(_) => "timeout",
            LlmError::Auth(_) => "auth",
            LlmError::Quota(_) => "quota",
            LlmError::UnknownModel(_) => "model",
            LlmError::TooLong(_) => "long",
            LlmError::Refused(_) => "refused",
            LlmError::Truncated(_) => "truncated",
            LlmError::BadRequest(_) => "request",
            LlmError::BadReply(_) => "reply",
        }
    }

    fn coded(code: &str) -> Value {
        json!({"error": {"message": "m", "code": code}})
    }

    fn told(message: &str) -> Value {
        json!({"error": {"message": message}})
    }

    #[test]
    fn a_status_alone_says_enough() {
        let cases = [
            (301, "model"),
            (308, "model"),
            (400, "request"),
            (401, "auth"),
            (402, "quota"),
            (403, "auth"),
            (404, "model"),
            (405, "model"),
            (408, "unavailable"),
            (409, "unavailable"),
            (413, "long"),
            (418, "request"),
            (422, "request"),
            (425, "unavailable"),
            (429, "rate"),
            (498, "unavailable"),
            (500, "unavailable"),
            (502, "unavailable"),
            (503, "unavailable"),
            (504, "unavailable"),
            (520, "unavailable"),
            (529, "unavailable"),
            (599, "unavailable"),
            (999, "unavailable"),
        ];
        for (status, expected) in cases {
            assert_eq!(kind(status, &json!({}), None), expected, "{status}");
        }
    }

    #[test]
    fn a_429_about_money_is_not_one_about_rate() {
        assert_eq!(kind(429, &coded("rate_limit_exceeded"), None), "rate");
        assert_eq!(kind(429, &coded("slow_down"), Some(2)), "rate");
        for code in OUT_OF_MONEY {
            assert_eq!(kind(429, &coded(code), None), "quota", "{code}");
        }
        let by_type =
            json!({"error": {"message": "You exceeded your current quota", "type": "insufficient_quota"}});
        assert_eq!(kind(429, &by_type, None), "quota");
        assert_eq!(kind(429, &coded("insufficient_quota"), Some(20)), "rate");
        assert_eq!(kind(400, &told("Your credit balance is too low to access the API."), None), "quota");
    }

    #[test]
    fn a_limit_of_a_day_ends_the_provider_unless_it_is_nearly_over() {
        let daily = told("Rate limit reached on requests per day (RPD): Limit 200, Used 200, Requested 1.");
        assert_eq!(kind(429, &daily, None), "quota");
        assert_eq!(kind(429, &daily, Some(1800)), "quota");
        assert_eq!(kind(429, &daily, Some(300)), "rate");
        assert_eq!(kind(429, &coded("rate_limit_exceeded"), Some(7200)), "quota");
        let gemini = json!([{"error": {"code": 429, "details": [{"violations": [{"quotaId": "RequestsPerDayPerModel"}]}]}}]);
        assert_eq!(kind(429, &gemini, Some(34)), "quota");
    }

    #[test]
    fn a_429_about_requests_under_way_is_told_apart() {
        assert_eq!(kind(429, &told("Too many concurrent requests"), None), "busy");
        assert_eq!(kind(429, &told("Превышено число потоков"), Some(1)), "busy");
    }

    #[test]
    fn a_402_that_says_when_to_come_back_is_a_pause() {
        let body =
            json!({"error": {"code": 402, "metadata": {"limit_source": "openrouter_in_flight_budget"}}});
        assert_eq!(kind(402, &body, Some(3)), "busy");
        assert_eq!(kind(402, &body, None), "quota");
    }

    #[test]
    fn what_is_said_beats_the_status() {
        let cases = [
            (400, coded("context_length_exceeded"), "long"),
            (422, told("This model's maximum context length is 8192 tokens."), "long"),
            (500, told("the request exceeds the available context size"), "long"),
            (429, told("Request too large for gpt-x: Limit 30000, Requested 40000."), "long"),
            (
                400,
                json!({"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
                "refused",
            ),
            (403, told("openai/gpt-x requires moderation. Your input was flagged"), "refused"),
            (400, coded("json_validate_failed"), "reply"),
            (400, coded("model_not_found"), "model"),
            (403, told("The model `x` does not exist or you do not have access to it."), "model"),
            (404, coded("DeploymentNotFound"), "model"),
            (400, told("API key not valid. Please pass a valid API key."), "auth"),
            (400, json!({"error": {"message": "m", "status": "FAILED_PRECONDITION"}}), "request"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(kind(status, &body, None), expected, "{status} {body}");
        }
    }

    #[test]
    fn an_error_under_a_success_has_the_status_of_its_body() {
        assert_eq!(kind(200, &json!({"error": {"code": 429, "message": "m"}}), None), "rate");
        assert_eq!(kind(200, &json!({"error": {"code": "402", "message": "m"}}), None), "quota");
        assert_eq!(kind(200, &coded("insufficient_quota"), None), "quota");
        assert_eq!(
            kind(200, &json!({"error": {"message": "m", "type": "invalid_request_error"}}), None),
            "request"
        );
        assert_eq!(kind(200, &told("upstream went away"), None), "unavailable");
    }

    #[test]
    fn a_wait_is_handed_on_within_an_hour() {
        let said = Envelope::default();
        let limited = classify(429, &said, Some(Duration::from_secs(5)), String::new());
        assert_eq!(limited, LlmError::RateLimited { retry_after: Some(Duration::from_secs(5)) });
        let down = classify(503, &said, Some(Duration::MAX), "d".into());
        assert_eq!(down, LlmError::Unavailable { detail: "d".into(), retry_after: Some(wait::LONGEST) });
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_an_hour(status in 100u16..1000, secs: u64, message in "\\PC{0,60}") {
            let said = Envelope { message, ..Envelope::default() };
            match classify(status, &said, Some(Duration::from_secs(secs)), String::new()) {
                LlmError::RateLimited { retry_after }
                | LlmError::Busy { retry_after }
                | LlmError::Unavailable { retry_after, .. } => {
                    prop_assert!(retry_after <= Some(wait::LONGEST));
                }
                _ => {}
            }
        }
    }
}
