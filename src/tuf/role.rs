//! Role names that cannot be wrong (Notary v1 `roles.go`).

use super::limits;
use std::fmt;

/// A base role or a valid delegation below `targets`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleName(String);

/// The delegation whose targets `docker pull` takes first.
pub const RELEASES: &str = "targets/releases";

impl RoleName {
    /// Accepts `root`, `targets`, `snapshot`, `timestamp` and well-formed delegations.
    pub fn parse(name: &str) -> Option<Self> {
        let base = matches!(name, "root" | "targets" | "snapshot" | "timestamp");
        (base || is_delegation(name)).then(|| Self(name.to_owned()))
    }

    /// The role that signs the keys of all others.
    pub fn root() -> Self {
        Self("root".to_owned())
    }

    /// The role that holds targets and delegates to others.
    pub fn targets() -> Self {
        Self("targets".to_owned())
    }

    /// The role that names one consistent set of files.
    pub fn snapshot() -> Self {
        Self("snapshot".to_owned())
    }

    /// The role that names the present snapshot.
    pub fn timestamp() -> Self {
        Self("timestamp".to_owned())
    }

    /// The delegation that holds the released tags.
    pub fn releases() -> Self {
        Self(RELEASES.to_owned())
    }

    /// The personal role of a signer, if `signer` makes a valid role name.
    pub fn of_signer(signer: &str) -> Option<Self> {
        Self::parse(&format!("targets/{signer}")).filter(|role| role.depth() == 1)
    }

    /// The name as metadata write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether another targets role delegates to this one.
    pub fn is_delegation(&self) -> bool {
        self.0.starts_with("targets/")
    }

    /// Number of delegations between `targets` and this role.
    pub fn depth(&self) -> usize {
        self.0.matches('/').count()
    }

    /// The role that delegates to this one.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(Self(parent.to_owned()))
    }

    /// What people call the role: a delegation without `targets/`.
    pub fn signer(&self) -> &str {
        self.0.strip_prefix("targets/").unwrap_or(&self.0)
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_delegation(name: &str) -> bool {
    let Some(below) = name.strip_prefix("targets/") else {
        return false;
    };
    let allowed =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'/');
    name.len() <= limits::ROLE_NAME_BYTES
        && name.bytes().all(allowed)
        && below.split('/').all(|s| !s.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_notary_accepts() {
        for name in [
            "root",
            "targets",
            "snapshot",
            "timestamp",
            "targets/a",
            "targets/a-b_9/c",
        ] {
            assert_eq!(
                RoleName::parse(name).map(|r| r.to_string()).as_deref(),
                Some(name)
            );
        }
        let long = format!("targets/{}", "a".repeat(248));
        for name in [
            "",
            "Root",
            "targets/",
            "targets//a",
            "targets/a/",
            "targets/A",
            "targets/a.b",
            "targets/..",
            "root/a",
            "targetsa",
            "/targets/a",
            "targets/é",
            &long,
        ] {
            assert_eq!(RoleName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn knows_its_place() {
        let role = RoleName::parse("targets/a/b").unwrap();
        assert_eq!((role.depth(), role.signer()), (2, "a/b"));
        assert_eq!(role.parent().unwrap().as_str(), "targets/a");
        assert_eq!(RoleName::root().parent(), None);
        assert_eq!(RoleName::of_signer("a/b"), None);
        assert_eq!(
            RoleName::of_signer("alice").unwrap().as_str(),
            "targets/alice"
        );
    }
}
