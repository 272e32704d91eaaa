//! The words that open a key file.

use std::fmt;

use zeroize::Zeroizing;

/// A passphrase that is wiped from memory when dropped and never printed.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the passphrase as it is: trimming what a person typed is the caller's work.
    pub fn new(words: impl Into<Zeroizing<String>>) -> Self {
        Self(words.into())
    }

    /// True for the passphrase that protects nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(..)")
    }
}

impl From<String> for Passphrase {
    fn from(words: String) -> Self {
        Self::new(words)
    }
}

impl From<&str> for Passphrase {
    fn from(words: &str) -> Self {
        Self::new(words.to_owned())
    }
}
