//! Keys by the words people have for them.

use crate::cli::failure::Failure;
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
