//! Which roots are trusted: pinned ones, those an authority vouches for, or the first that comes.

use crate::tuf::authority::vouch_for;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Which roots are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootTrust {
    /// One of these keys signed the root and is one of its keys: ids as root.json lists them, or canonical ones
    pub key_ids: BTreeSet<String>,
    /// One of these issued the certificate of a root key that signed it, in DER
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
    /// Whether its signature on the root counts; whoever makes a root can name any key in it
    pub signed: bool,
    /// Certificate and those that vouch for it, in PEM
    pub certificates: Option<Vec<u8>>,
}

impl RootTrust {
    /// Whether roots are pinned at all.
    pub fn is_pinned(&self) -> bool {
        !self.key_ids.is_empty() || !self.authorities.is_empty()
    }

    /// Whether a root that this machine has not seen before may be trusted, and why.
    ///
    /// # Errors
    /// Why not.
    pub fn admits_first(
        &self,
        gun: &str,
        keys: &[RootKey],
        now: Timestamp,
    ) -> Result<String, String> {
        if self.is_pinned() {
            return self.holds_for(gun, keys, now);
        }
        if self.first_use {
            return Ok("trusted on first use".to_owned());
        }
        Err(format!(
            "no root of {gun} is pinned, and none is trusted on first use; the server's has the key {}",
            ids(keys)
        ))
    }

    /// Whether the pins, if there are any, hold for the root that is trusted now, and why.
    ///
    /// # Errors
    /// Why not.
    pub fn holds_for(&self, gun: &str, keys: &[RootKey], now: Timestamp) -> Result<String, String> {
        if !self.is_pinned() {
            return Ok("the one this machine keeps; the rule pins none".to_owned());
        }
        let mut signed = keys.iter().filter(|key| key.signed);
        let pinned = signed.clone().find_map(|key| {
            let mut ids = [&key.id, &key.canonical_id].into_iter();
            ids.find(|id| self.key_ids.contains(*id))
        });
        if let Some(id) = pinned {
            return Ok(format!("the pinned key {id} signed it"));
        }
        let issued = |key: &&RootKey| {
            let certificates = key.certificates.as_ref();
            certificates.is_some_and(|it| vouch_for(&self.authorities, it, gun, now))
        };
        match signed.find(issued) {
            Some(key) => Ok(format!(
                "it is signed by the key {}, whose certificate a pinned authority issued",
                key.id
            )),
            None => Err(format!(
                "no pinned key signed the root of {gun}; its keys are {}",
                ids(keys)
            )),
        }
    }
}

fn ids(keys: &[RootKey]) -> String {
    let ids: Vec<_> = keys.iter().map(|key| key.id.as_str()).collect();
    ids.join(", ")
}
