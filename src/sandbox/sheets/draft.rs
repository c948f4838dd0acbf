//! A spreadsheet that is being changed. It takes the old one's place when all of a call has gone well.

use jiff::Timestamp;

use super::ids::Ids;
use super::office::Switches;
use super::spreadsheet::Spreadsheet;

/// A copy of a spreadsheet with what its changes may need.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) book: Spreadsheet,
    pub(crate) ids: Ids,
    pub(crate) now: Timestamp,
    pub(crate) switches: Switches,
    /// Who changes it.
    pub(crate) user: String,
}
