//! What was found out about a host once and serves the whole run.

use std::{collections::BTreeMap, sync::Mutex};

/// One value a host.
pub(crate) struct Shared<T>(Mutex<BTreeMap<String, T>>);

impl<T: Clone> Shared<T> {
    /// What is known of the host.
    pub(crate) fn of(&self, host: &str) -> Option<T> {
        self.0.lock().ok()?.get(host).cloned()
    }

    /// What is known of the host, or else is found out now.
    pub(crate) fn of_or<E>(
        &self,
        host: &str,
        find_out: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        match self.of(host) {
            Some(known) => Ok(known),
            None => find_out().map(|value| self.keep(host, value)),
        }
    }

    /// Keeps what was found out, and gives it back.
    pub(crate) fn keep(&self, host: &str, value: T) -> T {
        if let Ok(mut known) = self.0.lock() {
            known.insert(host.to_owned(), value.clone());
        }
        value
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
