//! Keys made of passphrases: argon2id, at a price that is written down beside what they seal.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::SealKey;
use crate::keys::Passphrase;

/// What guessing a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// KiB
    pub(crate) memory: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

/// Why no key was made of a passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CostError {
    /// The passphrase protects nothing
    EmptyPassphrase,
    /// The system gave no memory
    NoRoom(String),
    /// Nobody makes a key at this cost
    Unreasonable,
}

impl Cost {
    /// The memory and passes that RFC 9106 recommends where memory is short; one lane, because
    /// one thread does the work.
    pub(crate) const TODAY: Self = Self {
        memory: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// The key of this passphrase and salt.
    pub(crate) fn derive(self, passphrase: &Passphrase, salt: &[u8]) -> Result<SealKey, CostError> {
        if passphrase.is_empty() {
            return Err(CostError::EmptyPassphrase);
        }
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params()?)
            .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
            .map_err(|error| CostError::NoRoom(error.to_string()))?;
        Ok(SealKey::new(key))
    }

    /// Whoever changed the numbers must not be able to keep this program busy.
    fn params(self) -> Result<Params, CostError> {
        let work = u64::from(self.memory) * u64::from(self.passes);
        let bounded = self.memory <= MAX_MEMORY && self.lanes <= 64 && work <= MAX_WORK;
        let params = Params::new(self.memory, self.passes, self.lanes, Some(32));
        let params = params.ok().filter(|_| bounded);
        params.ok_or(CostError::Unreasonable)
    }
}

/// KiB: a gibibyte.
const MAX_MEMORY: u32 = 1024 * 1024;
/// KiB filled in all passes together: some seconds, forty times the work of today.
const MAX_WORK: u64 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreasonable_costs_are_refused_before_any_work() {
        let cost = |memory, passes, lanes| Cost {
            memory,
            passes,
            lanes,
        };
        for refused in [
            cost(MAX_MEMORY + 1, 1, 1),
            cost(MAX_MEMORY, 9, 1),
            cost(64 * 1024, 129, 1),
            cost(8, u32::MAX, 1),
            cost(64 * 1024, 1, 65),
            cost(0, 1, 1),
            cost(8, 0, 1),
            cost(8, 1, 0),
            cost(8, 1, 2),
        ] {
            let refusal = refused.derive(&"passphrase".into(), &[7; 16]).err();
            assert_eq!(refusal, Some(CostError::Unreasonable), "{refused:?}");
        }
        assert!(cost(8, 1, 1).derive(&"passphrase".into(), &[7; 16]).is_ok());
        let nothing = Cost::TODAY.derive(&"".into(), &[7; 16]).err();
        assert_eq!(nothing, Some(CostError::EmptyPassphrase));
    }
}
