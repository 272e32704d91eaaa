//! The snapshot file: one consistent set of files.

use super::canonical::Node;
use super::digest::FileMeta;
use super::envelope::{Document, Expires, read_version, version_node};
use super::error::Malformed;
use super::role::RoleName;
use std::collections::BTreeMap;

/// The facts of a snapshot file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When the file stops being valid
    pub expires: Expires,
    /// Each file by the bare name of its role; `root` and `targets` always
    pub meta: BTreeMap<String, FileMeta>,
    /// The version
    pub version: u64,
}

impl Snapshot {
    /// The file meant for `role`.
    pub fn of(&self, role: &RoleName) -> Option<&FileMeta> {
        self.meta.get(role.as_str())
    }
}

impl Document for Snapshot {
    const TYPE: &'static str = "Snapshot";

    fn read(signed: &Node<'_>, _: &RoleName) -> Result<Self, Malformed> {
        let meta = read_meta(signed)?;
        for (role, missing) in [
            ("root", "root sha256 checksum information"),
            ("targets", "targets sha256 checksum information"),
        ] {
            named(&meta, role, missing)?;
        }
        Ok(Self {
            expires: Expires::read(signed)?,
            meta,
            version: read_version(signed)?,
        })
    }

    fn node(&self) -> Node<'_> {
        Node::object([
            ("_type", Node::text(Self::TYPE)),
            ("expires", self.expires.node()),
            ("meta", meta_node(&self.meta)),
            ("version", version_node(self.version)),
        ])
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn expires(&self) -> &Expires {
        &self.expires
    }
}

pub(super) fn read_meta(signed: &Node<'_>) -> Result<BTreeMap<String, FileMeta>, Malformed> {
    let Some(Node::Object(members)) = signed.member("meta") else {
        return Err(Malformed::Missing("meta"));
    };
    members
        .iter()
        .map(|(role, node)| Ok((role.to_string(), FileMeta::read(node)?)))
        .collect()
}

pub(super) fn meta_node(meta: &BTreeMap<String, FileMeta>) -> Node<'_> {
    Node::object(meta.iter().map(|(role, file)| (role.as_str(), file.node())))
}

pub(super) fn named<'m>(
    meta: &'m BTreeMap<String, FileMeta>,
    role: &str,
    missing: &'static str,
) -> Result<&'m FileMeta, Malformed> {
    meta.get(role)
        .filter(|file| file.sha256_hex().is_some())
        .ok_or(Malformed::Missing(missing))
}
