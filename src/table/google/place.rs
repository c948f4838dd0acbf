//! The spreadsheet and the tab that a table is, as the settings name them: what errors are told about.

use std::sync::Arc;

use super::account::Account;
use super::fault::{Fault, Refusal};
use crate::domain::fold::fold;
use crate::table::TableError;

/// A tab of a spreadsheet.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) account: Arc<Account>,
    pub(super) spreadsheet_id: String,
    pub(super) tab: String,
    pub(super) role: Role,
}

/// What the account has to be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Viewer,
    Editor,
}

/// What is not lost when a request fails for good.
const KEPT: &str = "nothing that was judged is lost, the next run goes on from there";

impl Place {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        format!("docs.google.com/spreadsheets/d/{} «{}»", self.spreadsheet_id, self.tab)
    }

    /// The address of the spreadsheet.
    pub(super) fn url(&self) -> String {
        format!("https://docs.google.com/spreadsheets/d/{}/edit", self.spreadsheet_id)
    }

    /// What a fault means for whoever reads the error.
    pub(super) fn error(&self, fault: &Fault) -> TableError {
        let table = self.name();
        let email = self.account.email();
        match fault {
            Fault::NotSent(why) | Fault::Unknown(why) => {
                self.unavailable(format!("{}; {KEPT}", why.trim_end_matches('.')))
            }
            Fault::RateLimited { message, .. } => self.unavailable(format!(
                "Google's quota has been used up for minutes ({message}); {KEPT}. See whether another program uses \
                 {email}, or ask for a higher quota: https://cloud.google.com/docs/quotas/help/request_increase"
            )),
            Fault::SignInLater(why) => self.unavailable(format!("signing in as {email}: {why}; {KEPT}")),
            Fault::SignInRefused(why) => {
                TableError::Forbidden { table, detail: format!("signing in as {email}: {why}") }
            }
            Fault::Unauthenticated(why) => TableError::Forbidden {
                table,
                detail: format!(
                    "Google took the key of {email}, but twice refused the token that it gave for it ({why}); \
                     see whether the account was locked"
                ),
            },
            Fault::Forbidden(Refusal::ApiDisabled(address)) => TableError::Forbidden {
                table,
                detail: format!(
                    "the Google Sheets API is switched off in the project of {email}; switch it on at {} and wait \
                     a minute",
                    address.as_deref().unwrap_or("https://console.cloud.google.com/apis/library/sheets.googleapis.com")
                ),
            },
            Fault::Forbidden(Refusal::Other(why)) => TableError::Forbidden { table, detail: self.share(why) },
            Fault::NotFound => TableError::Mismatch {
                table,
                detail: format!(
                    "there is no spreadsheet of this id, or {email} may not know of it; copy the id from the address \
                     of the spreadsheet, between /d/ and /edit, and share the spreadsheet with this address as {}",
                    self.role()
                ),
            },
            Fault::Refused(why) => self.refused(why),
        }
    }

    /// An error that may pass by itself.
    pub(super) fn unavailable(&self, detail: String) -> TableError {
        TableError::Unavailable { table: self.name(), detail, retry_after: None }
    }

    /// An error about what is in the tab.
    pub(super) fn malformed(&self, detail: impl Into<String>) -> TableError {
        TableError::Mismatch { table: self.name(), detail: detail.into() }
    }

    /// Names the tab as it is called now, and as the settings call it where that is another name.
    pub(super) fn call(&mut self, now: &str, configured: &str) {
        self.tab = match fold(now) == fold(configured) {
            true => configured.to_owned(),
            false => format!("{now}», in the settings «{configured}"),
        };
    }

    fn share(&self, why: &str) -> String {
        format!(
            "{} may not use it (Google says: {}); open {} and share it with this address as {}",
            self.account.email(),
            why.trim_end_matches('.'),
            self.url(),
            self.role()
        )
    }

    fn role(&self) -> &'static str {
        match self.role {
            Role::Viewer => "Viewer",
            Role::Editor => "Editor",
        }
    }

    /// What Google means by refusing a request, as far as it only says so in words.
    fn refused(&self, why: &str) -> TableError {
        let table = self.name();
        if why.contains("protected cell or object") {
            let detail = format!(
                "a protected range is in the way; whoever owns the spreadsheet lets {} edit it, under Data, \
                 Protected sheets and ranges; {KEPT}",
                self.account.email()
            );
            return TableError::Forbidden { table, detail };
        }
        if why.contains("above the limit of") && why.contains("cells") {
            let detail = format!(
                "Google allows no more than 10 million cells in a spreadsheet; remove tabs, or rows and columns \
                 that are not used, or name another spreadsheet; {KEPT}"
            );
            return TableError::Full { table, detail };
        }
        if why.contains("not supported for this document") || why.contains("must not be an Office file") {
            return self.malformed(
                "it is an Office file that Google only shows; open it and choose File, Save as Google Sheets, and use \
                 the id of that one",
            );
        }
        TableError::Malformed { table, detail: format!("Google refused the request: {why}; {KEPT}") }
    }
}
