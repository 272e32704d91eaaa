//! The JSON of `docker trust inspect`.

use super::ADMIN;
use serde::Serialize;
use trust::repository::inspect::Inspection;

/// One repository or tag, member by member as Docker prints it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    name: String,
    signed_tags: Vec<Row>,
    signers: Vec<Signer>,
    administrative_keys: Vec<Signer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    signed_tag: String,
    digest: String,
    signers: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Signer {
    name: String,
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    #[serde(rename = "ID")]
    id: String,
}

impl Signer {
    fn new(name: &str, key_ids: Vec<String>) -> Self {
        let keys = key_ids.into_iter().map(|id| Key { id }).collect();
        let name = name.to_owned();
        Self { name, keys }
    }
}

impl Described {
    /// The object for an image as typed.
    pub(super) fn new(name: &str, inspection: Inspection) -> Self {
        let rows = inspection.signed_tags.into_iter().map(|row| Row {
            signed_tag: row.tag,
            digest: row.digest,
            signers: match row.signers.as_slice() {
                [] => vec![ADMIN.to_owned()],
                _ => row.signers,
            },
        });
        let signers = inspection.signers.into_iter();
        let mut signers: Vec<_> = signers
            .map(|it| Signer::new(&it.name, it.key_ids))
            .collect();
        signers.sort_by(|a, b| b.name.cmp(&a.name));
        Self {
            name: name.to_owned(),
            signed_tags: rows.collect(),
            signers,
            administrative_keys: vec![
                Signer::new("Root", inspection.root_key_ids),
                Signer::new("Repository", inspection.repository_key_ids),
            ],
        }
    }
}
