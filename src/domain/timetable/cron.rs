//! A cron expression, and its next moment in a time zone.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use croner::Cron as Pattern;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ZonedDateTime, civil};

/// When something happens: minute, hour, day, month and weekday; seconds may stand before them.
///
/// In a night when the clock is set forward, a moment that does not exist comes when the clock jumps; in one when it is set
/// back, a moment that comes twice counts once where a time of day is named, as Vixie cron does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron(Pattern);

/// What is no cron expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; write minute, hour, day, month, weekday, such as \"0 7 * * MON\"; seconds may stand before them"
)]
pub struct NoCron(String);

impl FromStr for Cron {
    type Err = NoCron;

    fn from_str(text: &str) -> Result<Self, NoCron> {
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        parser.parse(text.trim()).map(Self).map_err(|error| NoCron(error.to_string()))
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl Cron {
    /// The first moment after this one; none for a date that never comes, such as 30 February.
    pub fn next_after(&self, moment: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let wall = Wall(moment.to_zoned_datetime(zone.clone()));
        self.0.find_next_occurrence(&wall, false).ok().map(|next| next.0.timestamp())
    }

    /// The last moment at or before this one.
    pub fn last_until(&self, moment: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let wall = Wall(moment.to_zoned_datetime(zone.clone()));
        self.0.find_previous_occurrence(&wall, true).ok().map(|last| last.0.timestamp())
    }
}

/// A moment as the pattern is looked for in it.
#[derive(Clone)]
struct Wall(ZonedDateTime);

impl CronDateTime for Wall {
    fn to_civil(&self) -> CivilDateTime {
        let part = |number: i8| u32::from(number.unsigned_abs());
        // What jiff holds is a date and a time.
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(self.0.year().into(), part(self.0.month()), part(self.0.day())),
            CivilTime::from_parts_unchecked(
                part(self.0.hour()),
                part(self.0.minute()),
                part(self.0.second()),
            ),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::from(self.0.weekday().to_sunday_zero_offset().unsigned_abs()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |number: u32| i8::try_from(number).map_err(|_| CronError::InvalidDate);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let datetime = civil::DateTime::new(
            year,
            part(civil.month())?,
            part(civil.day())?,
            part(civil.hour())?,
            part(civil.minute())?,
            part(civil.second())?,
            0,
        )
        .map_err(|_| CronError::InvalidDate)?;
        let ambiguous = self.0.time_zone().to_ambiguous_zoned_datetime(datetime);
        let found =
            |zoned: Result<ZonedDateTime, jiff::Error>| zoned.map(Wall).map_err(|_| CronError::InvalidTime);
        Ok(match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(found(ambiguous.unambiguous())?),
            AmbiguousOffset::Fold { .. } => {
                Resolution::Ambiguous(found(ambiguous.clone().earlier())?, found(ambiguous.later())?)
            }
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Wall)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}
