//! What can go wrong with one request to Google, and what it means: was it carried out, and is it worth
//! trying again?

use std::time::Duration;

use google_sheets4::Error;
use serde_json::Value;
use yup_oauth2::error::{AuthError, AuthErrorCode};

use crate::net::mask;

/// Why a request had no useful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It never left: there was no connection.
    NotSent(String),
    /// It left, and may have been carried out: the connection broke, time ran out, the server failed.
    Unknown(String),
    /// Refused for now: too many requests in a minute.
    RateLimited {
        /// The server's own wish.
        retry_after: Option<Duration>,
        /// Its message.
        message: String,
    },
    /// No token could be had just now.
    SignInLater(String),
    /// No token will be had until somebody does something.
    SignInRefused(String),
    /// The token was refused.
    Unauthenticated(String),
    /// This account may not do that.
    Forbidden(Refusal),
    /// There is no such spreadsheet.
    NotFound,
    /// The request itself was refused, as a whole.
    Refused(String),
}

/// Why access was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The Sheets API is not switched on for the account's project. The address switches it on.
    ApiDisabled(Option<String>),
    /// Anything else, as a rule a spreadsheet that is not shared with the account.
    Other(String),
}

impl Fault {
    /// What an error of the client means. `retry_after` is the server's wish from the answer's headers.
    pub(super) fn of(error: Error, retry_after: Option<Duration>) -> Self {
        match error {
            Error::HttpError(error) if error.is_connect() => Self::NotSent(root_cause(&error)),
            Error::HttpError(error) => Self::Unknown(format!("the connection broke: {}", root_cause(&error))),
            Error::BadRequest(body) => Self::of_answer(&body, retry_after),
            Error::Failure(response) => {
                let status = response.status().as_u16();
                Self::of_status(status, format!("HTTP {status} without a reason"), retry_after)
            }
            Error::JsonDecodeError(body, _) if body.is_empty() => {
                Self::Unknown("the connection broke within the answer".to_owned())
            }
            Error::JsonDecodeError(..) => Self::Unknown("the answer was no JSON, or was cut off".to_owned()),
            Error::Io(error) => Self::Unknown(format!("the connection broke: {error}")),
            Error::MissingToken(error) => match error.downcast::<Self>() {
                Ok(fault) => *fault,
                Err(other) => Self::SignInLater(other.to_string()),
            },
            Error::MissingAPIKey
            | Error::Cancelled
            | Error::FieldClash(_)
            | Error::UploadSizeLimitExceeded(..) => Self::Refused(error.to_string()),
        }
    }

    /// What an error answer means (<https://cloud.google.com/apis/design/errors>).
    fn of_answer(body: &Value, retry_after: Option<Duration>) -> Self {
        let error = &body["error"];
        let message = mask::tokens(error["message"].as_str().unwrap_or("no reason was given")).into_owned();
        let status = error["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        if status == 403 && reason(error) == Some("SERVICE_DISABLED") {
            return Self::Forbidden(Refusal::ApiDisabled(activation_url(error)));
        }
        Self::of_status(status, message, retry_after)
    }

    fn of_status(status: u16, message: String, retry_after: Option<Duration>) -> Self {
        match status {
            401 => Self::Unauthenticated(message),
            // Google answers a used-up daily or project quota with 403 now and then.
            403 if message.contains("Quota exceeded") || message.contains("Rate Limit") => {
                Self::RateLimited { retry_after, message }
            }
            403 => Self::Forbidden(Refusal::Other(message)),
            404 => Self::NotFound,
            429 => Self::RateLimited { retry_after, message },
            // 408 and the gateway's own answers say nothing of what became of the request behind them.
            408 | 500..=599 => Self::Unknown(format!("HTTP {status}: {message}")),
            300..=399 => Self::Refused(format!("HTTP {status}: the server redirects, which is not followed")),
            _ => Self::Refused(message),
        }
    }

    /// What an error of signing in means (RFC 6749, 5.2).
    pub(super) fn of_sign_in(error: yup_oauth2::Error) -> Self {
        use yup_oauth2::Error as E;
        match error {
            E::AuthError(refused) => Self::SignInRefused(mask::tokens(&explained(&refused)).into_owned()),
            E::HttpError(error) => Self::SignInLater(error.to_string()),
            E::HttpClientError(error) => Self::SignInLater(match &error {
                yup_oauth2::error::SendError::Timeout => "no answer in time".to_owned(),
                yup_oauth2::error::SendError::Hyper(error) => root_cause(error),
            }),
            // An answer of a gateway in front of the token service.
            E::JSONError(_) | E::MissingAccessToken => Self::SignInLater(NO_TOKEN.to_owned()),
            E::LowLevelError(error) => Self::SignInRefused(format!("the key cannot be used: {error}")),
            E::UserError(text) => Self::SignInRefused(text),
            E::StorageError(error) => Self::SignInLater(error.to_string()),
            E::CredentialSourceError(error) => Self::SignInRefused(format!("{error:?}")),
        }
    }
}

/// What the token service says when it has trouble. Its client keeps the status to itself.
pub(super) const NO_TOKEN: &str = "the token service answered with something that is no token, as it or a proxy before it \
                                   does when it is out of order";

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "no connection: {why}"),
            Self::Unknown(why) | Self::Refused(why) => f.write_str(why),
            Self::RateLimited { message, .. } => f.write_str(message),
            Self::SignInLater(why) | Self::SignInRefused(why) => write!(f, "signing in failed: {why}"),
            Self::Unauthenticated(why) | Self::Forbidden(Refusal::Other(why)) => f.write_str(why),
            Self::Forbidden(Refusal::ApiDisabled(_)) => f.write_str("the Sheets API is switched off"),
            Self::NotFound => f.write_str("there is no such spreadsheet"),
        }
    }
}

impl std::error::Error for Fault {}

/// What Google means by refusing a key, and what to do.
fn explained(refused: &AuthError) -> String {
    let told = refused.to_string();
    let what_to_do = match (&refused.error, refused.error_description.as_deref().unwrap_or_default()) {
        (AuthErrorCode::InvalidGrant, why) if why.contains("Signature") => {
            "the key was deleted or belongs to another account: make a new one for the service account"
        }
        (AuthErrorCode::InvalidGrant, why) if why.contains("account not found") => {
            "the service account was deleted: make another one and share the spreadsheets with it"
        }
        (AuthErrorCode::InvalidGrant, why) if why.contains("iat") || why.contains("short-lived") => {
            "the clock of this machine is wrong: set it, best by NTP"
        }
        (AuthErrorCode::InvalidScope, _) => {
            "the account may not use spreadsheets at all: ask its administrator"
        }
        (AuthErrorCode::UnauthorizedClient | AuthErrorCode::AccessDenied, _) => {
            "the account is locked or restricted: ask the administrator of its project"
        }
        _ => "check the key file and its account",
    };
    format!("{told}; {what_to_do}")
}

/// The innermost reason: the outer ones only repeat that there was an error.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn reason(error: &Value) -> Option<&str> {
    details(error).find_map(|detail| detail["reason"].as_str())
}

fn activation_url(error: &Value) -> Option<String> {
    let url = details(error).find_map(|detail| detail["metadata"]["activationUrl"].as_str())?;
    url.starts_with("https://console.").then(|| url.to_owned())
}

fn details(error: &Value) -> impl Iterator<Item = &Value> {
    error["details"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(code: u16, message: &str) -> Fault {
        Fault::of(Error::BadRequest(json!({"error": {"code": code, "message": message}})), None)
    }

    #[test]
    fn answers_are_told_apart_by_what_they_mean() {
        assert_eq!(answer(401, "bad token"), Fault::Unauthenticated("bad token".into()));
        assert_eq!(answer(403, "no"), Fault::Forbidden(Refusal::Other("no".into())));
        assert_eq!(answer(404, "x"), Fault::NotFound);
        assert_eq!(answer(400, "bad range"), Fault::Refused("bad range".into()));
        assert!(matches!(answer(429, "slow"), Fault::RateLimited { .. }));
        assert!(matches!(answer(403, "Quota exceeded for x"), Fault::RateLimited { .. }));
        for code in [408, 500, 502, 503, 504, 529] {
            assert!(matches!(answer(code, "x"), Fault::Unknown(_)), "{code}");
        }
        assert!(matches!(answer(302, "x"), Fault::Refused(_)));
        assert!(matches!(Fault::of(Error::BadRequest(json!("rubbish")), None), Fault::Unknown(_)));
    }

    #[test]
    fn an_api_that_is_switched_off_says_where_to_switch_it_on() {
        let address =
            "https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=7";
        let body = |address: &str| {
            json!({"error": {"code": 403, "message": "off", "details": [
                {"@type": "x"},
                {"reason": "SERVICE_DISABLED", "metadata": {"activationUrl": address}},
            ]}})
        };
        let fault = Fault::of(Error::BadRequest(body(address)), None);
        assert_eq!(fault, Fault::Forbidden(Refusal::ApiDisabled(Some(address.into()))));
        let fault = Fault::of(Error::BadRequest(body("https://evil.example")), None);
        assert_eq!(fault, Fault::Forbidden(Refusal::ApiDisabled(None)));
    }

    #[test]
    fn refused_keys_come_with_what_to_do() {
        for (code, description, expected) in [
            ("invalid_grant", "Invalid JWT Signature.", "key was deleted"),
            ("invalid_grant", "Invalid grant: account not found", "account was deleted"),
            ("invalid_grant", "Token must be a short-lived token. Check your iat and exp values", "clock"),
            ("invalid_scope", "x", "may not use spreadsheets"),
            ("unauthorized_client", "x", "locked"),
            ("something_new", "x", "check the key file"),
        ] {
            let refused = AuthError {
                error: code.to_owned().into(),
                error_description: Some(description.to_owned()),
                error_uri: None,
            };
            let fault = Fault::of_sign_in(refused.into());
            assert!(matches!(fault, Fault::SignInRefused(_)));
            let told = fault.to_string();
            assert!(told.contains(expected) && told.contains(description), "{told}");
        }
        assert!(matches!(Fault::of_sign_in(yup_oauth2::Error::MissingAccessToken), Fault::SignInLater(_)));
    }
}
