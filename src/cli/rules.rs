//! `--rules`: the rulebook in a tab of the results' spreadsheet, before anything is spent.

use super::exit::{CliError, Exit};
use super::session::Session;
use crate::assemble;
use crate::domain::rules::sheet;
use crate::settings::{Settings, TargetSettings};
use crate::table::google::Published;

/// Publishes the rules. A dry run only sees whether it could be done.
pub(crate) fn publish(session: &Session, settings: &Settings, is_dry: bool) -> Result<(), CliError> {
    let TargetSettings::Google(target) = &settings.target else {
        return Err(CliError::usage(
            "--rules publishes the rules to a tab of a Google spreadsheet, and the target here is a file; leave \
             --rules out, or set sheets.target_spreadsheet_id and sheets.rules_sheet_name. Nothing was asked and \
             nothing was written",
        ));
    };
    let Some(mut tab) = assemble::rules_tab(settings, target)? else {
        return Err(CliError::usage(
            "--rules needs the name of a tab: set sheets.rules_sheet_name; the tab is made if it does not exist. \
             Nothing was asked and nothing was written",
        ));
    };
    let rows = sheet::table(&assemble::rulebook(settings)?, settings.language);
    if is_dry {
        session.screen.say("The rules are not published: this is a dry run");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(Exit::Unavailable, error))?;
    let published = runtime.block_on(tab.publish(&rows))?;
    if !session.global.quiet {
        let what = match published {
            Published::Written => "published to",
            Published::Unchanged => "are up to date in",
        };
        session.screen.say(&super::terminal::block(&format!("The rules {what} {}", tab.name())));
    }
    Ok(())
}
