//! Keys by the words people have for them.

use super::file;
use crate::cli::{failure::Failure, prompt::Prompt, session::Session};
use std::path::Path;
use trust::repository::keyring::Keyring;
use trust_store::keys::{KeyStore, StoredKey};

/// The one key that this id, beginning of an id or name means.
pub(crate) fn only(store: &KeyStore, word: &str) -> Result<StoredKey, Failure> {
    let mut keys = store.matching(word)?;
    match (keys.pop(), keys.as_slice()) {
        (Some(key), []) => Ok(key),
        (Some(last), others) => {
            let ids = others.iter().chain([&last]).map(|key| key.id.as_str());
            let words = format!("{word:?} could be any of {} keys", others.len() + 1);
            Err(Failure::wrong(words).hint(format!(
                "name one by its id: {}",
                ids.collect::<Vec<_>>().join(", ")
            )))
        }
        (None, _) => Err(Failure::wrong(format!(
            "no key here has the name {word:?} or an id that begins so"
        ))
        .hint("`key list` names them all")),
    }
}

/// The keys that these words mean; those in files are here then.
pub(crate) fn all(
    words: &[String],
    role: &str,
    gun: Option<&str>,
    prompt: &mut Prompt<'_>,
    session: &Session,
) -> Result<Vec<StoredKey>, Failure> {
    let keys = words.iter();
    keys.map(|word| or_load(word, role, gun, prompt, session))
        .collect()
}

/// The key that the word means: one that is here, or one in a file, which is kept here then for
/// this role, and this repository where keys of the role have one.
fn or_load(
    word: &str,
    role: &str,
    gun: Option<&str>,
    prompt: &mut Prompt<'_>,
    session: &Session,
) -> Result<StoredKey, Failure> {
    let (path, store) = (Path::new(word), session.keys()?);
    let here = only(&store, word);
    if here.is_ok() || !path.exists() {
        return here;
    }
    file::private(path)?;
    let key = file::read(path, prompt, session)?.key;
    let id = key.id().to_owned();
    if store.find(&id)?.is_none() {
        Keyring::new(store.clone(), prompt).keep(key, role, gun)?;
    }
    only(&store, &id)
}
