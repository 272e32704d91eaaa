//! The keys of the base roles.

use super::Draft;
use crate::tuf::key::PublicKey;
use crate::tuf::role::RoleName;
use crate::tuf::root::KeyList;
use std::collections::BTreeSet;

impl Draft {
    /// Gives a base role these keys and no others; `threshold` of them have to sign from now on.
    ///
    /// `targets` is signed again with them. Certificates of former root keys stay in the file, as
    /// Notary v1 leaves them; other keys that no role lists any more go.
    pub fn give_keys(&mut self, role: &RoleName, keys: &[PublicKey], threshold: u64) {
        let list = KeyList {
            key_ids: keys.iter().map(|key| key.id().clone()).collect(),
            threshold,
        };
        for key in keys {
            self.root.keys.insert(key.id().clone(), key.clone());
        }
        self.root.roles.insert(role.to_string(), list);
        let lists = self.root.roles.values();
        let used: BTreeSet<_> = lists.flat_map(|list| list.key_ids.clone()).collect();
        self.root
            .keys
            .retain(|id, key| used.contains(id) || key.is_certificate());
        self.changed.insert(RoleName::root());
        if *role == RoleName::targets() {
            self.changed.insert(role.clone());
        }
    }
}
