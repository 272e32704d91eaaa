//! What a role says of tags.

use super::{Draft, EditError};
use crate::tuf::digest::FileMeta;
use crate::tuf::role::RoleName;
use std::sync::Arc;

impl Draft {
    /// Signs `name` as `meta` in `role`; the same meta again changes nothing.
    ///
    /// # Errors
    /// A role nobody delegates to or whose paths do not admit the name, or one Go cannot write.
    pub fn sign(&mut self, role: &RoleName, name: &str, meta: &FileMeta) -> Result<(), EditError> {
        if name.chars().any(char::is_control) {
            return Err(EditError::ControlCharacters(name.to_owned()));
        }
        let admitted = self.admits(role, name);
        let file = self.file(role)?;
        if !admitted {
            let (role, name) = (role.clone(), name.to_owned());
            return Err(EditError::NotAdmitted { role, name });
        }
        if file.targets.get(name) != Some(meta) {
            let file = Arc::make_mut(file);
            file.targets.insert(name.to_owned(), meta.clone());
            self.changed.insert(role.clone());
        }
        Ok(())
    }

    /// Takes `name` out of `role`; false if it was not there.
    pub fn revoke(&mut self, role: &RoleName, name: &str) -> bool {
        let removed = self
            .targets
            .get_mut(role)
            .filter(|file| file.targets.contains_key(name))
            .is_some_and(|file| Arc::make_mut(file).targets.remove(name).is_some());
        if removed {
            self.changed.insert(role.clone());
        }
        removed
    }
}
