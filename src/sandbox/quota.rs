//! Quotas of a minute, as the real service has them: reads and writes apart, for a user and for a project, full
//! again with each new minute (<https://developers.google.com/workspace/sheets/api/limits>). Pure.

use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};

use super::sheets::Kind;

/// How many requests a minute are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Of each kind, for one user.
    pub per_user: u32,
    /// Of each kind, for the project.
    pub per_project: u32,
}

impl Default for Quota {
    /// What the real service allows unless somebody asks for more.
    fn default() -> Self {
        Self { per_user: 60, per_project: 300 }
    }
}

impl FromStr for Quota {
    type Err = &'static str;

    /// Reads `google`, or `60/300`: for one user, and for the project.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "google" {
            return Ok(Self::default());
        }
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let numbers = text.split_once('/').and_then(|(user, project)| number(user).zip(number(project)));
        let (per_user, per_project) = numbers.ok_or(
            "write requests a minute as USER/PROJECT, such as 60/300, or google for what Google gives by default",
        )?;
        Ok(Self { per_user, per_project })
    }
}

/// What was used of the present minute.
#[derive(Debug, Default)]
pub(super) struct Usage {
    minute: u64,
    reads: u32,
    writes: u32,
}

impl Usage {
    /// Counts a request; an error body if there was one too many.
    pub(super) fn count(&mut self, kind: Kind, quota: Quota, now: Duration) -> Result<(), Value> {
        let minute = now.as_secs() / 60;
        if minute != self.minute {
            *self = Self { minute, ..Self::default() };
        }
        let used = match kind {
            Kind::Read => &mut self.reads,
            Kind::Write => &mut self.writes,
        };
        // The sandbox has one user, so both limits count the same requests.
        let (limit, scope) = match quota.per_user <= quota.per_project {
            true => (quota.per_user, Scope::User),
            false => (quota.per_project, Scope::Project),
        };
        if *used >= limit {
            return Err(exceeded(kind, scope, limit));
        }
        *used += 1;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Scope {
    User,
    Project,
}

/// The error body, as it was recorded.
fn exceeded(kind: Kind, scope: Scope, limit: u32) -> Value {
    let (title, metric, word) = match kind {
        Kind::Read => ("Read requests", "read_requests", "Read"),
        Kind::Write => ("Write requests", "write_requests", "Write"),
    };
    let (whose, unit, suffix) = match scope {
        Scope::User => (" per user", "1/min/{project}/{user}", "PerUser"),
        Scope::Project => ("", "1/min/{project}", "PerProject"),
    };
    let message = format!(
        "Quota exceeded for quota metric '{title}' and limit '{title} per minute{whose}' of service \
         'sheets.googleapis.com' for consumer 'project_number:100000000000'."
    );
    json!({"error": {
        "code": 429,
        "message": message,
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": {
                    "quota_limit_value": limit.to_string(),
                    "service": "sheets.googleapis.com",
                    "consumer": "projects/100000000000",
                    "quota_unit": unit,
                    "quota_location": "global",
                    "quota_metric": format!("sheets.googleapis.com/{metric}"),
                    "quota_limit": format!("{word}RequestsPerMinute{suffix}"),
                },
            },
            {
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [{
                    "description": "Request a higher quota limit.",
                    "url": "https://cloud.google.com/docs/quotas/help/request_increase",
                }],
            },
        ],
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read() {
        assert_eq!("google".parse(), Ok(Quota::default()));
        assert_eq!("2/ 30".parse(), Ok(Quota { per_user: 2, per_project: 30 }));
        for wrong in ["", "60", "60/", "a/b", "-1/2", "Google"] {
            assert!(wrong.parse::<Quota>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_minute_has_its_quota_and_the_next_one_too() {
        let (mut usage, quota) = (Usage::default(), Quota { per_user: 2, per_project: 300 });
        let at = Duration::from_secs;
        assert!(usage.count(Kind::Read, quota, at(10)).is_ok());
        assert!(usage.count(Kind::Read, quota, at(50)).is_ok());
        let refused = usage.count(Kind::Read, quota, at(59)).unwrap_err();
        let told = refused["error"]["message"].as_str().unwrap();
        assert!(told.contains("'Read requests per minute per user'"), "{told}");
        assert_eq!(refused["error"]["details"][0]["metadata"]["quota_limit"], "ReadRequestsPerMinutePerUser");
        assert!(usage.count(Kind::Write, quota, at(59)).is_ok(), "counted apart");
        assert!(usage.count(Kind::Read, quota, at(60)).is_ok());
        let quota = Quota { per_user: 9, per_project: 1 };
        let refused = usage.count(Kind::Read, quota, at(61)).unwrap_err();
        assert!(refused["error"]["message"].as_str().unwrap().contains("'Read requests per minute' of"));
    }
}
