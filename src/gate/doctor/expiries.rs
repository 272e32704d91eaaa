//! When the roles of kept repositories expire.

use crate::tuf::limits;
use jiff::Timestamp;
use serde_json::Value;
use trust_store::metadata::{Cache, RepositoryCache};

/// A role of a repository and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The repository
    pub gun: String,
    /// The role
    pub role: String,
    /// From then on nothing of it is trusted
    pub expires: Timestamp,
}

/// The ends of every role this machine keeps, as its files say; nothing is verified.
///
/// A timestamp is left out: servers renew it all the time, and here it is as old as the last look.
pub fn expiries(cache: &Cache) -> Vec<Expiry> {
    let mut found = Vec::new();
    for gun in cache.repositories().unwrap_or_default() {
        let Ok(kept) = cache.repository(&gun) else {
            continue;
        };
        let mut open: Vec<String> = ["root", "snapshot", "targets"].map(str::to_owned).into();
        let mut seen = 0;
        while let Some(role) = open.pop() {
            seen += 1;
            let Some(signed) = claims(&kept, &role).filter(|_| seen <= limits::DELEGATIONS) else {
                continue;
            };
            let below = signed
                .pointer("/delegations/roles")
                .and_then(Value::as_array);
            for child in below.into_iter().flatten() {
                let name = child
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                // A role delegates to what is below it only, so this comes to an end.
                if name
                    .strip_prefix(&role)
                    .is_some_and(|rest| rest.starts_with('/'))
                {
                    open.push(name.to_owned());
                }
            }
            let expires = signed.get("expires").and_then(Value::as_str);
            if let Some(expires) = expires.and_then(|text| text.parse().ok()) {
                let gun = gun.clone();
                found.push(Expiry { gun, role, expires });
            }
        }
    }
    found.sort_by(|a, b| (&a.gun, &a.role).cmp(&(&b.gun, &b.role)));
    found
}

fn claims(kept: &RepositoryCache, role: &str) -> Option<Value> {
    let bytes = kept.read(role, limits::NAMED_BYTES).ok()??;
    let mut document: Value = serde_json::from_slice(&bytes).ok()?;
    document.get_mut("signed").map(Value::take)
}
