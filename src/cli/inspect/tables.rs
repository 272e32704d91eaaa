//! The tables of `docker trust inspect --pretty`.

use super::ADMIN;
use crate::cli::table::table;
use trust::repository::inspect::{Inspection, natural};

/// Docker's three tables, blank lines and all.
pub(super) fn tables(name: &str, inspection: &Inspection) -> String {
    let mut parts = vec![match inspection.signed_tags.as_slice() {
        [] => format!("\nNo signatures for {name}\n\n"),
        _ => format!("\nSignatures for {name}\n\n{}", tag_table(inspection)),
    }];
    if !inspection.signers.is_empty() {
        let table = signer_table(inspection);
        parts.push(format!(
            "\nList of signers and their keys for {name}\n\n{table}"
        ));
    }
    parts.push(format!("\nAdministrative keys for {name}\n\n"));
    let keys = [
        ("Repository", &inspection.repository_key_ids),
        ("Root", &inspection.root_key_ids),
    ];
    parts.extend(keys.map(|(role, ids)| format!("  {role} Key:\t{}\n", sorted(ids).join(", "))));
    parts.concat()
}

fn tag_table(inspection: &Inspection) -> String {
    let rows = inspection.signed_tags.iter().map(|row| {
        let signers = match row.signers.as_slice() {
            [] => format!("({ADMIN})"),
            some => sorted(some).join(", "),
        };
        [row.tag.clone(), row.digest.clone(), signers]
    });
    table(
        ["SIGNED TAG", "DIGEST", "SIGNERS"],
        &rows.collect::<Vec<_>>(),
    )
}

fn signer_table(inspection: &Inspection) -> String {
    let mut signers: Vec<_> = inspection.signers.iter().collect();
    signers.sort_by(|a, b| natural(&a.name, &b.name));
    let rows = signers.into_iter().map(|signer| {
        let ids = sorted(&signer.key_ids);
        let short = ids.iter().map(|id| id.get(..SHORT_ID).unwrap_or(id));
        [signer.name.clone(), short.collect::<Vec<_>>().join(", ")]
    });
    table(["SIGNER", "KEYS"], &rows.collect::<Vec<_>>())
}

fn sorted(words: &[String]) -> Vec<&str> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.sort_unstable();
    words
}

/// Digits of a signer's key id in the table.
const SHORT_ID: usize = 12;

#[cfg(test)]
#[allow(
    clippy::needless_raw_string_hashes,
    reason = "the snapshot tool writes them"
)]
mod tests {
    use super::*;
    use snapbox::{IntoData as _, assert_data_eq, str};
    use trust::repository::inspect::{SignedTag, Signer};

    fn inspection(tags: &[(&str, &[&str])], signers: &[(&str, &[&str])]) -> Inspection {
        let owned = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
        let tags = tags.iter().map(|(tag, signers)| SignedTag {
            tag: (*tag).to_owned(),
            digest: "d1".repeat(32),
            size: 1,
            signers: owned(signers),
        });
        let signers = signers.iter().map(|(name, ids)| Signer {
            name: (*name).to_owned(),
            key_ids: owned(ids),
        });
        Inspection {
            signed_tags: tags.collect(),
            signers: signers.collect(),
            root_key_ids: owned(&["r2", "r1"]),
            repository_key_ids: owned(&["t1"]),
        }
    }

    #[test]
    fn a_repository_with_signers() {
        let inspection = inspection(
            &[("v1", &["zoe", "al"]), ("v10", &[])],
            &[
                ("bob10", &["0123456789abcdef"]),
                ("bob9", &["fedcba9876543210", "0011223344556677"]),
            ],
        );
        assert_data_eq!(
            tables("app:v1", &inspection),
            str![[r#"

Signatures for app:v1

SIGNED TAG   DIGEST                                                             SIGNERS
v1           d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1   al, zoe
v10          d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1   (Repo Admin)

List of signers and their keys for app:v1

SIGNER    KEYS
bob9      001122334455, fedcba987654
bob10     0123456789ab

Administrative keys for app:v1

  Repository Key:	t1
  Root Key:	r1, r2

"#]]
            .raw()
        );
    }

    #[test]
    fn a_repository_without_anything() {
        assert_data_eq!(
            tables("app", &inspection(&[], &[])),
            str![[r#"

No signatures for app


Administrative keys for app

  Repository Key:	t1
  Root Key:	r1, r2

"#]]
            .raw()
        );
    }
}
