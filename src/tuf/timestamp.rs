//! The timestamp file: which snapshot is the present one.

use super::canonical::Node;
use super::digest::FileMeta;
use super::envelope::{Document, Expires, read_version, version_node};
use super::error::Malformed;
use super::role::RoleName;
use super::snapshot::{named, read_meta};

/// The facts of a timestamp file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// When the file stops being valid
    pub expires: Expires,
    /// The present snapshot
    pub snapshot: FileMeta,
    /// The version
    pub version: u64,
}

impl Document for Timestamp {
    const TYPE: &'static str = "Timestamp";

    fn read(signed: &Node<'_>, _: &RoleName) -> Result<Self, Malformed> {
        let meta = read_meta(signed)?;
        Ok(Self {
            expires: Expires::read(signed)?,
            snapshot: named(&meta, "snapshot", "snapshot sha256 checksum information")?.clone(),
            version: read_version(signed)?,
        })
    }

    fn node(&self) -> Node<'_> {
        Node::object([
            ("_type", Node::text(Self::TYPE)),
            ("expires", self.expires.node()),
            ("meta", Node::object([("snapshot", self.snapshot.node())])),
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
