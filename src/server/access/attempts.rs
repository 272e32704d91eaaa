//! How often somebody may fail: so many times at once, then one more each time a while has passed.
//!
//! What is kept is one moment a key: when the last of its failures will be forgotten. Memory is
//! bounded; when there is no room, those forgotten soonest make it.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Failures by key.
#[derive(Debug)]
pub(super) struct Attempts<K> {
    /// How long one failure is remembered
    every: SignedDuration,
    /// How long the most failures are remembered
    longest: SignedDuration,
    forgotten: Mutex<HashMap<K, Timestamp>>,
}

/// So long until another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(pub(super) SignedDuration);

impl<K: Hash + Eq + Clone> Attempts<K> {
    pub(super) fn new(burst: u32, every: Duration) -> Self {
        let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
        let burst = i32::try_from(burst.max(1)).unwrap_or(i32::MAX);
        Self {
            every,
            longest: every.checked_mul(burst).unwrap_or(SignedDuration::MAX),
            forgotten: Mutex::default(),
        }
    }

    /// Whether there is an attempt left; none is used up.
    pub(super) fn check(&self, key: &K, now: Timestamp) -> Result<(), Wait> {
        let forgotten = self.locked();
        match forgotten.get(key) {
            Some(until) => self.next(*until, now).map(|_| ()),
            None => Ok(()),
        }
    }

    /// One attempt is used up before it is made, so that many at once do not get away with it.
    pub(super) fn begin(&self, key: &K, now: Timestamp) -> Result<(), Wait> {
        let mut forgotten = self.locked();
        if !forgotten.contains_key(key) && forgotten.len() >= MOST_KEYS {
            make_room(&mut forgotten, now);
        }
        match forgotten.entry(key.clone()) {
            Entry::Occupied(mut entry) => {
                let next = self.next(*entry.get(), now)?;
                entry.insert(next);
            }
            Entry::Vacant(entry) => {
                entry.insert(self.next(now, now)?);
            }
        }
        Ok(())
    }

    /// The attempt did not fail after all.
    pub(super) fn succeeded(&self, key: &K, now: Timestamp) {
        if let Entry::Occupied(mut entry) = self.locked().entry(key.clone()) {
            match entry.get().checked_sub(self.every) {
                Ok(until) if until > now => *entry.get_mut() = until,
                _ => drop(entry.remove()),
            }
        }
    }

    /// When everything will be forgotten if there is another failure now.
    fn next(&self, until: Timestamp, now: Timestamp) -> Result<Timestamp, Wait> {
        let latest = now.saturating_add(self.longest).unwrap_or(Timestamp::MAX);
        // A clock that was set back must not make anybody wait longer.
        let until = until.clamp(now, latest);
        let next = until.saturating_add(self.every).unwrap_or(Timestamp::MAX);
        if next <= latest {
            return Ok(next);
        }
        Err(Wait(latest.duration_until(next)))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<K, Timestamp>> {
        // Nothing here leaves it half changed.
        self.forgotten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wait {
    /// The same in whole seconds, at least one.
    pub(super) fn seconds(self) -> u64 {
        let whole = u64::try_from(self.0.as_secs()).unwrap_or_default();
        let more = u64::from(self.0.subsec_nanos() > 0);
        whole.saturating_add(more).max(1)
    }
}

fn make_room<K: Hash + Eq + Clone>(forgotten: &mut HashMap<K, Timestamp>, now: Timestamp) {
    forgotten.retain(|_, until| *until > now);
    if forgotten.len() < MOST_KEYS {
        return;
    }
    let soonest = forgotten.iter().min_by_key(|(_, until)| **until);
    if let Some(key) = soonest.map(|(key, _)| key.clone()) {
        forgotten.remove(&key);
    }
}

/// Addresses that one person has: a whole /64 of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Network {
    V4([u8; 4]),
    V6([u16; 4]),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// Addresses, or names, whose failures are remembered at the same time.
const MOST_KEYS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn attempts() -> Attempts<u32> {
        Attempts::new(3, Duration::from_secs(30))
    }

    fn wait(result: Result<(), Wait>) -> u64 {
        result.map_or_else(Wait::seconds, |()| 0)
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let attempts = attempts();
        for (second, expected) in [
            (0, 0),
            (0, 0),
            (0, 0),
            (0, 30),
            (29, 1),
            (30, 0),
            (30, 30),
            (59, 1),
            (60, 0),
            (61, 29),
            (1000, 0),
        ] {
            assert_eq!(wait(attempts.check(&1, at(second))), expected, "{second}");
            assert_eq!(wait(attempts.begin(&1, at(second))), expected, "{second}");
        }
        assert_eq!(wait(attempts.begin(&2, at(0))), 0);
    }

    #[test]
    fn what_succeeds_does_not_count() {
        let attempts = attempts();
        for second in 0..50 {
            attempts.begin(&1, at(second)).unwrap();
            attempts.succeeded(&1, at(second));
        }
        assert!(attempts.locked().is_empty());
        // Many at once are not more than many one after the other.
        for _ in 0..3 {
            attempts.begin(&1, at(50)).unwrap();
        }
        attempts.begin(&1, at(50)).unwrap_err();
        attempts.succeeded(&1, at(50));
        attempts.begin(&1, at(50)).unwrap();
        attempts.begin(&1, at(50)).unwrap_err();
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_longer() {
        let attempts = attempts();
        for _ in 0..3 {
            attempts.begin(&1, at(100_000)).unwrap();
        }
        assert_eq!(wait(attempts.begin(&1, at(0))), 30);
    }

    #[test]
    fn memory_is_bounded_and_the_worst_are_remembered() {
        let attempts = attempts();
        for _ in 0..3 {
            attempts.begin(&0, at(0)).unwrap();
        }
        for key in 1..10_500 {
            attempts.begin(&key, at(1)).unwrap();
        }
        assert_eq!(attempts.locked().len(), MOST_KEYS);
        attempts.begin(&0, at(1)).unwrap_err();
        // Everything is forgotten in time.
        attempts.begin(&40_000, at(1000)).unwrap();
        assert_eq!(attempts.locked().len(), 1);
    }

    #[test]
    fn odd_settings_do_not_panic() {
        for (burst, every) in [
            (0, Duration::ZERO),
            (0, Duration::from_secs(5)),
            (u32::MAX, Duration::MAX),
            (1, Duration::MAX),
        ] {
            let attempts = Attempts::new(burst, every);
            attempts.begin(&1, at(0)).unwrap();
            let _ = attempts.begin(&1, at(0));
            attempts.succeeded(&1, at(0));
        }
    }

    #[test]
    fn people_do_not_get_more_by_more_addresses() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1:2:3"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
        assert_ne!(network("10.0.0.2"), network("10.0.0.1"));
    }
}
