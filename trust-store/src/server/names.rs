//! Names, numbers and times as both databases can hold them.

use jiff::Timestamp;

use super::StoreError;

/// Longest name of a repository, role, key or user, in bytes (Notary's columns).
const LONGEST: usize = 255;

/// The name, if both databases can hold it and tell it from all others.
pub(super) fn checked(name: &str) -> Result<&str, StoreError> {
    let why = match name {
        "" => "is empty",
        _ if name.len() > LONGEST => "is longer than 255 bytes",
        _ if name.contains('\0') => "contains a zero byte",
        _ => return Ok(name),
    };
    Err(StoreError::BadName {
        name: name.chars().take(LONGEST).collect(),
        why,
    })
}

/// A time as it is stored: microseconds since 1970.
pub(super) fn stored_time(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// A stored time.
pub(super) fn read_time(stored: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(stored)
        .map_err(|_| StoreError::damaged(&format!("{stored} is no time")))
}

/// A version as it is stored; no database holds the upper half of `u64`.
pub(super) fn stored_version(version: u64) -> Option<i64> {
    i64::try_from(version).ok()
}

/// A stored version, size or count.
pub(super) fn read_number<T: TryFrom<i64>>(stored: i64) -> Result<T, StoreError> {
    T::try_from(stored).map_err(|_| StoreError::damaged(&format!("{stored} is out of bounds")))
}
