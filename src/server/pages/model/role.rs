//! Who may sign what, and until when what they signed holds.

use super::{Files, Judged};
use crate::tuf::delegation::Delegation;
use crate::tuf::envelope::{Document, RoleKeys, Unverified, Verified};
use crate::tuf::key::PublicKey;
use crate::tuf::role::RoleName;
use crate::tuf::root::Root;
use crate::tuf::snapshot::Snapshot;
use crate::tuf::targets::Targets;
use crate::tuf::timestamp::Timestamp as TimestampFile;
use crate::tuf::trusted::{Current, Rooted};
use jiff::Timestamp;

/// A role as its page shows it.
#[derive(Clone, Debug)]
pub(crate) struct RoleFacts {
    /// Its name
    pub(crate) name: RoleName,
    /// Canonical ids and types of the keys that may sign it
    pub(crate) keys: Vec<(String, String)>,
    /// How many of them must
    pub(crate) threshold: u64,
    /// Prefixes of the names it may sign; none for a base role
    pub(crate) paths: Option<Vec<String>>,
    /// Its file
    pub(crate) file: FileState,
}

/// What there is of a role.
#[derive(Clone, Debug)]
pub(crate) enum FileState {
    /// Signed by enough keys; its date is another matter
    Signed(SignedFile),
    /// Not signed by enough keys, or not readable
    Refused(String),
    /// Nobody ever signed it
    Never,
}

/// A file that enough keys signed.
#[derive(Clone, Debug)]
pub(crate) struct SignedFile {
    /// Its version
    pub(crate) version: u64,
    /// When it was published here
    pub(crate) issued: Timestamp,
    /// When it stops being valid
    pub(crate) expires: Timestamp,
}

impl RoleFacts {
    /// The file, if enough keys signed it.
    pub(crate) fn signed(&self) -> Option<&SignedFile> {
        match &self.file {
            FileState::Signed(file) => Some(file),
            _ => None,
        }
    }
}

/// Every role: the base roles, `targets` last of them, then what it delegates to.
pub(crate) fn roles(gun: &str, files: &Files, judged: &Judged) -> Vec<RoleFacts> {
    let Some(Ok(rooted)) = files
        .get(&RoleName::root())
        .map(|file| Rooted::kept(gun, &file.bytes))
    else {
        return Vec::new();
    };
    let root = rooted.root().facts();
    let targets = |role: &RoleName, keys: &RoleKeys| match &judged.current {
        Ok(current) => Ok(dates(current.targets())),
        Err(_) => alone::<Targets>(role, files, keys),
    };
    let mut roles = vec![
        base(root, files, RoleName::root(), |_, keys| {
            Ok((root.version, root_expires(root, keys)))
        }),
        base(
            root,
            files,
            RoleName::timestamp(),
            alone_in::<TimestampFile>(files),
        ),
        base(
            root,
            files,
            RoleName::snapshot(),
            alone_in::<Snapshot>(files),
        ),
        base(root, files, RoleName::targets(), targets),
    ];
    if let Ok(current) = &judged.current {
        below(&RoleName::targets(), current, files, &mut roles);
    }
    roles
}

type Dates = (u64, Timestamp);

fn base(
    root: &Root,
    files: &Files,
    name: RoleName,
    dates: impl FnOnce(&RoleName, &RoleKeys) -> Result<Dates, String>,
) -> RoleFacts {
    let keys = root.keys_of(&name);
    let file = match files.get(&name) {
        None => FileState::Never,
        Some(file) => match dates(&name, &keys) {
            Ok(dates) => signed(dates, file.created),
            Err(why) => FileState::Refused(why),
        },
    };
    RoleFacts {
        keys: listed(&keys),
        threshold: keys.threshold,
        paths: None,
        name,
        file,
    }
}

/// The delegations of a believed role, each followed by its own.
fn below(parent: &RoleName, current: &Current, files: &Files, roles: &mut Vec<RoleFacts>) {
    let Some(file) = current.role(parent) else {
        return;
    };
    let delegations = &file.facts().delegations;
    for child in &delegations.roles {
        roles.push(delegation(
            child,
            &child.signers.keys_from(&delegations.keys),
            current,
            files,
        ));
        below(&child.name, current, files, roles);
    }
}

fn delegation(child: &Delegation, keys: &RoleKeys, current: &Current, files: &Files) -> RoleFacts {
    let name = &child.name;
    let issued = files.get(name).map(|file| file.created);
    let expired = |pruned: &crate::tuf::trusted::Pruned| pruned.expired.clone();
    let file = match (current.role(name), current.pruned(name), issued) {
        (Some(file), _, Some(issued)) => signed(dates(file), issued),
        (_, Some(pruned), Some(issued)) => match expired(pruned) {
            Some(file) => signed(dates(&file), issued),
            None => FileState::Refused(pruned.fault.to_string()),
        },
        _ => FileState::Never,
    };
    RoleFacts {
        keys: listed(keys),
        threshold: keys.threshold,
        paths: Some(child.paths.clone()),
        name: name.clone(),
        file,
    }
}

fn signed((version, expires): Dates, issued: Timestamp) -> FileState {
    FileState::Signed(SignedFile {
        version,
        issued,
        expires,
    })
}

fn dates<T: Document>(file: &Verified<T>) -> Dates {
    (file.facts().version(), file.facts().expires().moment())
}

fn alone_in<T: Document>(
    files: &Files,
) -> impl FnOnce(&RoleName, &RoleKeys) -> Result<Dates, String> {
    move |role, keys| alone::<T>(role, files, keys)
}

/// What a file says whose signatures are right, whatever the others say of it.
fn alone<T: Document>(role: &RoleName, files: &Files, keys: &RoleKeys) -> Result<Dates, String> {
    let bytes = files
        .get(role)
        .map(|file| file.bytes.clone())
        .unwrap_or_default();
    let file = Unverified::parse(&bytes).map_err(|fault| fault.to_string())?;
    let file = file
        .verify::<T>(role, keys)
        .map_err(|fault| fault.to_string())?;
    Ok(dates(&file))
}

/// A root lasts no longer than the last of its certificates.
fn root_expires(root: &Root, keys: &RoleKeys) -> Timestamp {
    let certificates = keys.keys.iter().filter_map(PublicKey::leaf);
    let last = certificates.map(|leaf| leaf.not_after).max();
    let expires = root.expires.moment();
    last.map_or(expires, |last| last.min(expires))
}

fn listed(keys: &RoleKeys) -> Vec<(String, String)> {
    let one = |key: &PublicKey| (key.canonical_id().to_string(), key.key_type().to_owned());
    keys.keys.iter().map(one).collect()
}
