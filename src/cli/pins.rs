//! PINs that were given beforehand: which token each is for, and that none is tried twice.

use super::session::Session;
use std::{collections::BTreeSet, path::Path};
use trust::{config::passphrase_from_file, repository::keyring::PassphraseError};
use trust_store::keys::TokenName;
use zeroize::Zeroizing;

/// The tokens whose PINs have been tried, and those that said no.
#[derive(Default)]
pub(super) struct Pins {
    /// Serial numbers of tokens that got a PIN given beforehand
    given: BTreeSet<String>,
    /// Serial numbers of those that refused it
    refused: BTreeSet<String>,
}

impl Pins {
    /// The PIN given for this token; none if somebody is to be asked.
    ///
    /// A token locks itself after a few wrong PINs, so that one which was wrong is not given again.
    pub(super) fn given(
        &mut self,
        token: &TokenName,
        session: &Session,
    ) -> Result<Option<Zeroizing<String>>, PassphraseError> {
        if self.refused.contains(&token.serial) {
            return Err(PassphraseError::Unusable(format!(
                "the PIN given for token {token} was wrong and is not tried again"
            )));
        }
        let pin = find(token, session)?;
        if pin.is_some() {
            self.given.insert(token.serial.clone());
        }
        Ok(pin)
    }

    /// Whether the PIN that was wrong had been given beforehand.
    pub(super) fn refused(&mut self, token: &TokenName) -> bool {
        let given = self.given.contains(&token.serial);
        if given {
            self.refused.insert(token.serial.clone());
        }
        given
    }
}

/// The option before the environment, a file for this token before one for all.
fn find(
    token: &TokenName,
    session: &Session,
) -> Result<Option<Zeroizing<String>>, PassphraseError> {
    let (globals, environment) = (&session.globals, &session.environment);
    if let Some(file) = chosen(&globals.pin_file, token) {
        return read(file).map(Some);
    }
    let files = &environment.pkcs11_pin_files;
    let own = files.iter().find_map(|entry| for_token(entry, token));
    match (own, &environment.pkcs11_pin, chosen(files, token)) {
        (Some(file), _, _) | (None, None, Some(file)) => read(file).map(Some),
        (None, Some(pin), _) => Ok(Some(pin.clone())),
        (None, None, None) => Ok(None),
    }
}

/// The file for this token, else the one for all.
fn chosen<'e>(entries: &'e [String], token: &TokenName) -> Option<&'e str> {
    let own = entries.iter().find_map(|entry| for_token(entry, token));
    let all = entries.iter().find(|entry| split(entry).is_none());
    own.or(all.map(String::as_str))
}

fn for_token<'e>(entry: &'e str, token: &TokenName) -> Option<&'e str> {
    let (word, file) = split(entry)?;
    token.is_called(word).then_some(file)
}

/// `LABEL=FILE`; what begins with `/` or `.` is a file whatever follows.
fn split(entry: &str) -> Option<(&str, &str)> {
    let is_file = entry.starts_with(['/', '.']);
    entry.split_once('=').filter(|_| !is_file)
}

fn read(file: &str) -> Result<Zeroizing<String>, PassphraseError> {
    let read = passphrase_from_file(Path::new(file));
    read.map_err(|error| PassphraseError::Unusable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::chosen;
    use trust_store::keys::TokenName;

    fn file_for(label: &str, entries: &[&str]) -> Option<String> {
        let token = TokenName {
            label: label.to_owned(),
            serial: "0123".to_owned(),
        };
        let entries: Vec<_> = entries.iter().map(|it| (*it).to_owned()).collect();
        chosen(&entries, &token).map(str::to_owned)
    }

    #[test]
    fn a_file_for_one_token_goes_before_one_for_all() {
        let entries = ["all", "root=/r", "my token=t=1", "0123=/s"];
        assert_eq!(file_for("root", &entries).as_deref(), Some("/r"));
        assert_eq!(file_for("my token", &entries).as_deref(), Some("t=1"));
        assert_eq!(file_for("other", &entries).as_deref(), Some("/s"));
        assert_eq!(file_for("other", &["all", "a=b"]).as_deref(), Some("all"));
        assert_eq!(file_for("other", &["a=b"]), None);
        assert_eq!(file_for("x", &["./a=b"]).as_deref(), Some("./a=b"));
    }
}
