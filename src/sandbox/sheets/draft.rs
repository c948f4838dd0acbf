//! A spreadsheet that is being changed. Only when all of a call has gone well does it take the old one's place.

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
