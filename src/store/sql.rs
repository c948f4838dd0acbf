//! Our values as SQLite stores them, and the checksums that tell damage from data.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::key::RowKey;
use crate::domain::money::MicroUsd;

/// A moment, as microseconds since 1970.
pub(super) struct At(pub Timestamp);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        Timestamp::from_microsecond(micros).map(Self).map_err(|_| FromSqlError::OutOfRange(micros))
    }
}

/// An amount of money. What does not fit a signed integer is absurd and becomes the largest that does.
pub(super) struct Money(pub MicroUsd);

impl ToSql for Money {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Money {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        u64::try_from(micros)
            .map(|micros| Self(MicroUsd(micros)))
            .map_err(|_| FromSqlError::OutOfRange(micros))
    }
}

/// How many of something there are.
pub(super) struct Count(pub u64);

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let count = value.as_i64()?;
        u64::try_from(count).map(Self).map_err(|_| FromSqlError::OutOfRange(count))
    }
}

/// A fingerprint, as its bytes.
pub(super) struct Print(pub Fingerprint);

impl ToSql for Print {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0.0)))
    }
}

impl FromSql for Print {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(|bytes| Self(Fingerprint(bytes)))
    }
}

/// A UUID, as its bytes.
pub(super) struct Id(pub Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(|bytes| Self(Uuid::from_bytes(bytes)))
    }
}

/// A row key, as its text.
pub(super) struct Key<'a>(pub &'a RowKey);

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_str().into())
    }
}

/// Writes a value as JSON that carries the version of its form: `{"v":1,…}`.
pub(super) fn to_versioned_json<T: Serialize>(body: &T) -> rusqlite::Result<String> {
    serde_json::to_string(&Versioned { v: VERSION, body })
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Reads it back; none for what is not in a form known here.
pub(super) fn from_versioned_json<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str::<Versioned<T>>(json).ok().filter(|read| read.v == VERSION).map(|read| read.body)
}

/// The checksum over the fields of a record. Fields are told apart by their lengths.
pub(super) fn checksum(kind: &str, fields: &[&[u8]]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for field in std::iter::once(&kind.as_bytes()).chain(fields) {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    body: T,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Usage;

    #[test]
    fn json_carries_its_version_and_other_versions_are_not_read() {
        let usage = Usage { prompt_tokens: u64::MAX, stated_cost: Some(MicroUsd(7)), ..Usage::default() };
        let json = to_versioned_json(&usage).unwrap();
        assert!(json.starts_with(r#"{"v":1,"#), "{json}");
        assert_eq!(from_versioned_json::<Usage>(&json), Some(usage));
        for rubbish in ["", "null", "{}", r#"{"v":2}"#, r#"{"v":"1"}"#, "[1]"] {
            assert_eq!(from_versioned_json::<Usage>(rubbish), None, "{rubbish}");
        }
    }

    #[test]
    fn values_outside_their_range_are_errors_not_other_values() {
        assert!(At::column_result(ValueRef::Integer(i64::MAX)).is_err());
        assert!(Money::column_result(ValueRef::Integer(-1)).is_err());
        assert!(Print::column_result(ValueRef::Blob(&[1; 31])).is_err());
        assert!(Id::column_result(ValueRef::Text(b"0123456789abcdef")).is_err());
        let absurd = Money(MicroUsd(u64::MAX)).to_sql().unwrap();
        assert_eq!(absurd, ToSqlOutput::from(i64::MAX));
    }

    #[test]
    fn the_checksum_sees_where_a_field_ends_and_of_which_kind_the_record_is() {
        let sum = checksum("answer", &[b"ab", b"c"]);
        assert_eq!(sum, checksum("answer", &[b"ab", b"c"]));
        assert_ne!(sum, checksum("answer", &[b"a", b"bc"]));
        assert_ne!(sum, checksum("answer", &[b"ab", b"c", b""]));
        assert_ne!(sum, checksum("outbox", &[b"ab", b"c"]));
    }
}
