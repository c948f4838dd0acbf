//! Google tables: one signed-in account for all tables that name the same key.

use std::cell::RefCell;
use std::sync::Arc;

use super::AssembleError;
use crate::net::Network;
use crate::settings::{GoogleAccess, GoogleSource as SourceSheet, GoogleTarget, RowSettings, Settings};
use crate::table::google::{
    API, Account, GoogleSink, GoogleSinkParams, GoogleSource, GoogleSourceParams, KeyFile, RulesTab, Wire,
};

/// The accounts of one engine: whoever has the same key shares connections, token and quota.
pub(super) struct Accounts {
    network: Network,
    known: RefCell<Vec<(GoogleAccess, Arc<Account>)>>,
}

impl Accounts {
    pub(super) fn new(settings: &Settings) -> Result<Self, AssembleError> {
        Ok(Self { network: super::network(settings)?, known: RefCell::default() })
    }

    pub(super) fn source(
        &self,
        sheet: &SourceSheet,
        rows: RowSettings,
    ) -> Result<GoogleSource, AssembleError> {
        Ok(GoogleSource::new(GoogleSourceParams {
            account: self.account(&sheet.access)?,
            spreadsheet_id: sheet.spreadsheet_id.clone(),
            tab: sheet.sheet_name.clone(),
            gid: sheet.sheet_gid.and_then(|gid| i32::try_from(gid).ok()),
            header_row: rows.header_row,
            data_start_row: rows.data_start_row,
        }))
    }

    pub(super) fn sink(&self, sheet: &GoogleTarget) -> Result<GoogleSink, AssembleError> {
        let account = self.account(&sheet.access)?;
        let (spreadsheet_id, tab) = (sheet.spreadsheet_id.clone(), sheet.sheet_name.clone());
        Ok(GoogleSink::new(GoogleSinkParams { account, spreadsheet_id, tab }))
    }

    fn account(&self, access: &GoogleAccess) -> Result<Arc<Account>, AssembleError> {
        if let Some((_, account)) = self.known.borrow().iter().find(|(known, _)| known == access) {
            return Ok(Arc::clone(account));
        }
        let key = KeyFile::read(&access.credentials_file)?;
        let account =
            Account::new(key, Wire::network(&self.network)?, access.api_base_url.as_deref().unwrap_or(API));
        self.known.borrow_mut().push((access.clone(), Arc::clone(&account)));
        Ok(account)
    }
}

/// The results tab that the settings name, where they name one, not opened yet.
///
/// # Errors
/// If the account's key cannot be used.
pub fn google_sink(settings: &Settings, sheet: &GoogleTarget) -> Result<GoogleSink, AssembleError> {
    Accounts::new(settings)?.sink(sheet)
}

/// The tab for the rules that the settings name, if they name one.
///
/// # Errors
/// If the account's key cannot be used.
pub fn rules_tab(settings: &Settings, sheet: &GoogleTarget) -> Result<Option<RulesTab>, AssembleError> {
    let Some(tab) = sheet.rules_sheet_name.clone() else { return Ok(None) };
    let account = Accounts::new(settings)?.account(&sheet.access)?;
    Ok(Some(RulesTab::new(account, sheet.spreadsheet_id.clone(), tab)))
}

/// The address of the account that the key file names: what spreadsheets are shared with.
///
/// # Errors
/// If the key cannot be used.
pub fn email(access: &GoogleAccess) -> Result<String, AssembleError> {
    Ok(KeyFile::read(&access.credentials_file)?.email().to_owned())
}
