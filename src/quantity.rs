//! Times and sizes as people write them: `10s`, `14d`, `64MiB`; numbers within bounds.

use serde::{Deserialize, Deserializer, de::Error};
use std::{
    fmt::{self, Display},
    time::Duration,
};

/// A time: a whole number and `ms`, `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(Duration);

impl Period {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many days.
    pub const fn days(days: u64) -> Self {
        Self::seconds(days * DAY)
    }

    /// The time in text, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        let unit = match unit {
            "ms" => return Some(Self(Duration::from_millis(number))),
            "s" => 1,
            "m" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            _ => return None,
        };
        number.checked_mul(unit).map(Self::seconds)
    }
}

impl Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.subsec_millis() > 0 {
            return write!(formatter, "{}ms", self.0.as_millis());
        }
        let whole = [("d", DAY), ("h", HOUR), ("m", MINUTE)]
            .into_iter()
            .find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit));
        match whole {
            Some((name, unit)) => write!(formatter, "{}{name}", seconds / unit),
            None => write!(formatter, "{seconds}s"),
        }
    }
}

impl From<Period> for Duration {
    fn from(period: Period) -> Self {
        period.0
    }
}

impl From<Duration> for Period {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

/// Bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(usize);

impl Size {
    /// So many bytes.
    pub const fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// The size in text, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits)?;
        let number: usize = number.parse().ok()?;
        let unit = match unit {
            "B" => 1,
            "KiB" => KIB,
            "MiB" => MIB,
            "GiB" => GIB,
            _ => return None,
        };
        number.checked_mul(unit).map(Self)
    }
}

impl Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = [("GiB", GIB), ("MiB", MIB), ("KiB", KIB)]
            .into_iter()
            .find(|(_, unit)| self.0 > 0 && self.0.is_multiple_of(*unit));
        match whole {
            Some((name, unit)) => write!(formatter, "{}{name}", self.0 / unit),
            None => write!(formatter, "{}B", self.0),
        }
    }
}

/// Reads a time between two numbers of seconds.
pub(crate) fn period<'de, const MIN: u64, const MAX: u64, D: Deserializer<'de>>(
    given: D,
) -> Result<Period, D::Error> {
    let text = String::deserialize(given)?;
    let period = Period::parse(&text).ok_or_else(|| {
        D::Error::custom(format!(
            "{text:?} is no time such as 500ms, 10s, 5m, 24h or 14d"
        ))
    })?;
    within(period, Period::seconds(MIN), Period::seconds(MAX))
}

/// Reads a size between two numbers of bytes.
pub(crate) fn size<'de, const MIN: usize, const MAX: usize, D: Deserializer<'de>>(
    given: D,
) -> Result<Size, D::Error> {
    let text = String::deserialize(given)?;
    let size = Size::parse(&text).ok_or_else(|| {
        D::Error::custom(format!("{text:?} is no size such as 100B, 32KiB or 64MiB"))
    })?;
    within(size, Size(MIN), Size(MAX))
}

/// Reads a number between two others.
pub(crate) fn count<'de, const MIN: usize, const MAX: usize, T, D>(given: D) -> Result<T, D::Error>
where
    T: TryFrom<usize, Error: Display>,
    D: Deserializer<'de>,
{
    let number = i64::deserialize(given)?;
    let wrong = || {
        let words = format!("{number} is not between {MIN} and {MAX}");
        D::Error::custom(words)
    };
    let number = usize::try_from(number).map_err(|_| wrong())?;
    if !(MIN..=MAX).contains(&number) {
        return Err(wrong());
    }
    T::try_from(number).map_err(D::Error::custom)
}

fn within<T: Copy + Display + PartialOrd, E: Error>(value: T, min: T, max: T) -> Result<T, E> {
    if value < min || value > max {
        return Err(E::custom(format!("{value} is not between {min} and {max}")));
    }
    Ok(value)
}

pub(crate) const MINUTE: u64 = 60;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const KIB: usize = 1024;
pub(crate) const MIB: usize = 1024 * KIB;
pub(crate) const GIB: usize = 1024 * MIB;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_and_sizes_are_written_with_a_unit() {
        let seconds = |text| Period::parse(text).map(|period| period.0.as_secs_f64());
        for (text, expected) in [
            ("250ms", Some(0.25)),
            ("0s", Some(0.0)),
            ("10s", Some(10.0)),
            ("5m", Some(300.0)),
            ("24h", Some(86_400.0)),
            ("14d", Some(1_209_600.0)),
            ("", None),
            ("s", None),
            ("10", None),
            ("10 s", None),
            ("-1s", None),
            ("1.5h", None),
            ("1w", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
        for (text, expected) in [
            ("0B", Some(0)),
            ("64MiB", Some(64 << 20)),
            ("1KiB", Some(1024)),
            ("2GiB", Some(2 << 30)),
            ("64MB", None),
            ("64", None),
            ("MiB", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(Size::parse(text).map(Size::bytes), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(milliseconds in 0..u64::MAX / 1000, bytes: usize) {
            let period = Period(Duration::from_millis(milliseconds));
            prop_assert_eq!(Period::parse(&period.to_string()), Some(period));
            prop_assert_eq!(Size::parse(&Size(bytes).to_string()), Some(Size(bytes)));
        }

        #[test]
        fn nothing_panics(text: String) {
            let _ = (Period::parse(&text), Size::parse(&text));
        }
    }
}
