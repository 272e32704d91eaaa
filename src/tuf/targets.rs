//! A targets file: `targets` itself or any delegation below it.

use super::canonical::Node;
use super::delegation::Delegations;
use super::digest::FileMeta;
use super::envelope::{Document, Expires, read_version, version_node};
use super::error::Malformed;
use super::role::RoleName;
use std::collections::BTreeMap;

/// The facts of a targets file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Who else may sign
    pub delegations: Delegations,
    /// When the file stops being valid
    pub expires: Expires,
    /// What is signed, by name: for images the tag
    pub targets: BTreeMap<String, FileMeta>,
    /// The version
    pub version: u64,
}

impl Targets {
    /// A first version that signs nothing.
    pub fn empty(expires: Expires) -> Self {
        Self {
            delegations: Delegations::default(),
            expires,
            targets: BTreeMap::new(),
            version: 1,
        }
    }
}

impl Document for Targets {
    const TYPE: &'static str = "Targets";

    fn read(signed: &Node<'_>, role: &RoleName) -> Result<Self, Malformed> {
        let mut targets = Vec::new();
        match signed.member("targets") {
            Some(Node::Object(members)) => {
                targets.reserve(members.len());
                for (name, node) in members {
                    targets.push((name.to_string(), FileMeta::read(node)?));
                }
            }
            None | Some(Node::Null) => {}
            Some(_) => return Err(Malformed::Wrong("targets")),
        }
        Ok(Self {
            delegations: Delegations::read(signed.member("delegations"), role)?,
            expires: Expires::read(signed)?,
            targets: targets.into_iter().collect(),
            version: read_version(signed)?,
        })
    }

    fn node(&self) -> Node<'_> {
        let targets = self
            .targets
            .iter()
            .map(|(name, meta)| (name.as_str(), meta.node()));
        Node::object([
            ("_type", Node::text(Self::TYPE)),
            ("delegations", self.delegations.node()),
            ("expires", self.expires.node()),
            ("targets", Node::object(targets)),
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
