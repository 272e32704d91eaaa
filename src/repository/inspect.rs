//! What is signed, by whom, and with which keys: `docker trust inspect`.

use super::errand::Errand;
use super::{Error, Repository, Watch};
use crate::tuf::digest::FileMeta;
use crate::tuf::edit::EditError;
use crate::tuf::key::KeyId;
use crate::tuf::lookup::Signed;
use crate::tuf::role::RoleName;
use crate::tuf::trusted::Current;
use jiff::Timestamp;

/// A repository as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Released tags in natural order
    pub signed_tags: Vec<SignedTag>,
    /// Signers with their canonical key ids, in the order of the delegations
    pub signers: Vec<Signer>,
    /// Ids of the root keys as root.json lists them
    pub root_key_ids: Vec<String>,
    /// Ids of the targets keys
    pub repository_key_ids: Vec<String>,
}

/// One released tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTag {
    /// The tag
    pub tag: String,
    /// SHA-256 of the manifest in hex
    pub digest: String,
    /// Size of the manifest in bytes
    pub size: u64,
    /// Who signed the same digest, in the order of the delegations; none: the repository's admin
    pub signers: Vec<String>,
}

/// A tag as one role signs it, released or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleTag {
    /// The tag
    pub tag: String,
    /// SHA-256 of the manifest in hex
    pub digest: String,
    /// Size of the manifest in bytes
    pub size: u64,
    /// The role
    pub role: RoleName,
}

/// One signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The name
    pub name: String,
    /// Canonical key ids
    pub key_ids: Vec<String>,
}

impl Repository {
    /// What is signed in the repository, or of one tag.
    ///
    /// # Errors
    /// The repository has no trust data or cannot be believed.
    pub async fn inspect(
        &self,
        tag: Option<&str>,
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Inspection, Error> {
        let current = self.refresh(&Errand::read(now), watch).await?;
        let root = current.root().facts();
        let ids = |role| {
            root.keys_of(&role)
                .keys
                .iter()
                .map(|key| key.id().to_string())
                .collect()
        };
        Ok(Inspection {
            signed_tags: signed_tags(&current, tag),
            signers: signers(&current),
            root_key_ids: ids(RoleName::root()),
            repository_key_ids: ids(RoleName::targets()),
        })
    }

    /// What each of these roles itself signs, role by role in natural order, as far as its paths go.
    ///
    /// # Errors
    /// The repository has no trust data, or it or one of the roles cannot be believed.
    pub async fn tags_of(
        &self,
        roles: &[RoleName],
        now: Timestamp,
        watch: Watch<'_>,
    ) -> Result<Vec<RoleTag>, Error> {
        let current = self.refresh(&Errand::read(now), watch).await?;
        let walked = current.walk();
        let mut rows = Vec::new();
        for role in roles {
            if let Some(pruned) = current.pruned(role) {
                return Err(pruned.fault.clone().into());
            }
            if current.keys_of(role).is_none() {
                return Err(EditError::UnknownRole(role.clone()).into());
            }
            // A role without a file has signed nothing yet.
            let signed = walked.iter().find(|signed| signed.role == *role);
            let mut tags: Vec<_> = signed.into_iter().flat_map(Signed::names).collect();
            tags.sort_by(|(a, _), (b, _)| natural(a, b));
            rows.extend(tags.into_iter().map(|(tag, meta)| RoleTag {
                tag: tag.to_owned(),
                digest: meta.sha256_hex().unwrap_or_default(),
                size: meta.length,
                role: role.clone(),
            }));
        }
        Ok(rows)
    }
}

/// Whether a role's word counts for a pull (Docker client).
pub(super) fn is_released(role: &RoleName) -> bool {
    *role == RoleName::releases() || *role == RoleName::targets()
}

/// Released tags, or one of them, in natural order, as a believed state has them.
pub fn signed_tags(current: &Current, only: Option<&str>) -> Vec<SignedTag> {
    let walked = current.walk();
    let mut rows: Vec<SignedTag> = Vec::new();
    for signed in walked.iter().filter(|signed| is_released(&signed.role)) {
        for (tag, meta) in signed
            .names()
            .filter(|(tag, _)| only.is_none_or(|only| only == *tag))
        {
            let (digest, size) = (meta.sha256_hex().unwrap_or_default(), meta.length);
            rows.push(SignedTag {
                tag: tag.to_owned(),
                digest,
                size,
                signers: Vec::new(),
            });
        }
    }
    rows.sort_by(|a, b| natural(&a.tag, &b.tag).then_with(|| a.digest.cmp(&b.digest)));
    rows.dedup_by(|a, b| a.tag == b.tag && a.digest == b.digest);
    for row in &mut rows {
        for signed in walked.iter().filter(|signed| !is_released(&signed.role)) {
            if signed
                .meta(&row.tag)
                .and_then(FileMeta::sha256_hex)
                .as_ref()
                == Some(&row.digest)
            {
                row.signers.push(signed.role.signer().to_owned());
            }
        }
    }
    rows
}

fn signers(current: &Current) -> Vec<Signer> {
    let mut signers = Vec::new();
    for signed in current.walk() {
        let Some(file) = current.role(&signed.role) else {
            continue;
        };
        let delegations = &file.facts().delegations;
        for role in delegations
            .roles
            .iter()
            .filter(|role| !is_released(&role.name))
        {
            let keys = delegations
                .keys_of(&role.name)
                .map(|k| k.canonical_ids())
                .unwrap_or_default();
            let key_ids = keys.iter().map(KeyId::to_string).collect();
            signers.push(Signer {
                name: role.name.signer().to_owned(),
                key_ids,
            });
        }
    }
    signers
}

/// Natural order: runs of digits compare as numbers (the order Docker sorts tags in).
pub fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut a_rest, mut b_rest) = (a, b);
    loop {
        let (a_run, b_run) = (run(&mut a_rest), run(&mut b_rest));
        let order = match (digits(a_run), digits(b_run)) {
            (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
            _ => a_run.cmp(b_run),
        };
        if order.is_ne() || (a_run.is_empty() && b_run.is_empty()) {
            return order.then_with(|| a.cmp(b));
        }
    }
}

/// Takes the first run of digits, or of anything else, off `rest`.
fn run<'s>(rest: &mut &'s str) -> &'s str {
    let numeric = rest.starts_with(|c: char| c.is_ascii_digit());
    let end = rest
        .find(|c: char| c.is_ascii_digit() != numeric)
        .unwrap_or(rest.len());
    let (first, after) = rest.split_at(end);
    *rest = after;
    first
}

/// A run of digits without leading zeros.
fn digits(run: &str) -> Option<&str> {
    run.starts_with(|c: char| c.is_ascii_digit())
        .then(|| run.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn tags_sort_as_people_count() {
        let mut tags = ["v10", "v2", "1.10", "1.9", "latest", "v2a", "v02", "", "1"];
        tags.sort_by(|a, b| natural(a, b));
        assert_eq!(
            tags,
            ["", "1", "1.9", "1.10", "latest", "v02", "v2", "v2a", "v10"]
        );
    }
}
