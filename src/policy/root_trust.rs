//! Which roots are trusted: pinned ones, those an authority vouches for, or the first that comes.

use std::collections::BTreeSet;

/// Which roots are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootTrust {
    /// One of these keys is a key of the root: ids as root.json lists them, or canonical ones
    pub key_ids: BTreeSet<String>,
    /// One of these issued the certificate of a root key, in DER
    pub authorities: Vec<Vec<u8>>,
    /// Whether the first root that is seen is trusted from then on
    pub first_use: bool,
}

/// A key of a repository's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey {
    /// The id as root.json lists it
    pub id: String,
    /// The id of the plain key
    pub canonical_id: String,
    /// Certificate and those that vouch for it, in PEM
    pub certificates: Option<Vec<u8>>,
}

impl RootTrust {
    /// Whether roots are pinned at all.
    pub fn is_pinned(&self) -> bool {
        !self.key_ids.is_empty() || !self.authorities.is_empty()
    }

    /// Whether a root that this machine has not seen before may be trusted.
    ///
    /// # Errors
    /// Why not.
    pub fn admits_first(&self, gun: &str, keys: &[RootKey]) -> Result<(), String> {
        if self.is_pinned() {
            return self.holds_for(gun, keys);
        }
        if self.first_use {
            return Ok(());
        }
        Err(format!(
            "no root of {gun} is pinned, and the rule trusts none on first use; the server's has the key {}",
            ids(keys)
        ))
    }

    /// Whether the pins, if there are any, hold for the root that is trusted now.
    ///
    /// # Errors
    /// Why not.
    pub fn holds_for(&self, gun: &str, keys: &[RootKey]) -> Result<(), String> {
        let pinned = |key: &RootKey| {
            [&key.id, &key.canonical_id]
                .iter()
                .any(|id| self.key_ids.contains(*id))
        };
        if !self.is_pinned() || keys.iter().any(pinned) {
            return Ok(());
        }
        Err(format!(
            "the root of {gun} has no pinned key, only {}",
            ids(keys)
        ))
    }
}

fn ids(keys: &[RootKey]) -> String {
    let ids: Vec<_> = keys.iter().map(|key| key.id.as_str()).collect();
    ids.join(", ")
}
