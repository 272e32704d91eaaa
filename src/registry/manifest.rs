//! Manifest bytes, what they are, and the images an index offers.

use super::RegistryError;
use crate::reference::Digest;
use oci_distribution::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, ImageIndexEntry,
    OCI_IMAGE_INDEX_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE, OciImageIndex,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::{fmt, str::FromStr};

/// The bytes a registry served for an image, and what we found them to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    /// SHA-256 of `bytes`, computed here.
    pub digest: Digest,
    /// Length of `bytes`.
    pub size: u64,
    /// What the bytes say they are, never what a header says.
    pub media_type: String,
    /// The manifest exactly as served.
    pub bytes: Vec<u8>,
}

/// One image of an index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Child {
    /// Digest of the image's manifest.
    pub digest: Digest,
    /// Length of the image's manifest in bytes.
    pub size: u64,
    /// What it runs on, if the index says so.
    pub platform: Option<Platform>,
}

/// Operating system, architecture and optional variant, such as `linux/arm64/v8`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Platform {
    /// As Go names it: `linux`, `windows`.
    pub os: String,
    /// As Go names it: `amd64`, `arm64`.
    pub architecture: String,
    /// Such as `v7`; any variant will do if none is asked for.
    pub variant: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
}

impl Manifest {
    /// Finds out what these bytes are; their digest is computed, not believed.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Result<Self, RegistryError> {
        Ok(Self {
            digest: Digest::of(&bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            media_type: Self::media_type_of(&bytes)?.to_owned(),
            bytes,
        })
    }

    /// What these bytes are: an image or an index, for Docker or for OCI.
    ///
    /// # Errors
    /// [`RegistryError::BadManifest`]: they are something else, or could be read as both.
    pub fn media_type_of(bytes: &[u8]) -> Result<&'static str, RegistryError> {
        let shape: Shape =
            serde_json::from_slice(bytes).map_err(|_| bad("it is not a JSON object"))?;
        if shape.schema_version != Some(2) {
            return Err(bad("only schema version 2 is supported"));
        }
        shape.media_type()
    }

    /// Whether this lists images for several platforms.
    pub fn is_index(&self) -> bool {
        matches!(
            self.media_type.as_str(),
            IMAGE_MANIFEST_LIST_MEDIA_TYPE | OCI_IMAGE_INDEX_MEDIA_TYPE
        )
    }

    /// The images this index lists, in its order; a plain image lists none.
    pub fn children(&self) -> Result<Vec<Child>, RegistryError> {
        if !self.is_index() {
            return Ok(Vec::new());
        }
        let index: OciImageIndex =
            serde_json::from_slice(&self.bytes).map_err(|error| bad(&error.to_string()))?;
        index.manifests.iter().map(Child::from_entry).collect()
    }

    /// The first image of this index for the platform.
    pub fn child(&self, platform: &Platform) -> Result<Child, RegistryError> {
        let children = self.children()?;
        let suits = |child: &&Child| child.platform.as_ref().is_some_and(|p| platform.accepts(p));
        if let Some(child) = children.iter().find(suits) {
            return Ok(child.clone());
        }
        let available: Vec<String> = children
            .iter()
            .filter_map(|child| child.platform.as_ref())
            // Attestations are listed under this name; nobody asks for them.
            .filter(|platform| platform.os != "unknown")
            .map(ToString::to_string)
            .collect();
        Err(RegistryError::NoPlatform {
            platform: platform.to_string(),
            available: available.join(", "),
        })
    }
}

impl Shape {
    /// A document that is an index and an image at once could be read as either: refused.
    fn media_type(&self) -> Result<&'static str, RegistryError> {
        let is_index = self.manifests.is_some();
        if is_index == (self.layers.is_some() || self.config.is_some()) {
            return Err(bad("it is neither an image nor an index"));
        }
        match (self.media_type.as_deref(), is_index) {
            (Some(IMAGE_MANIFEST_LIST_MEDIA_TYPE), true) => Ok(IMAGE_MANIFEST_LIST_MEDIA_TYPE),
            (Some(OCI_IMAGE_INDEX_MEDIA_TYPE) | None, true) => Ok(OCI_IMAGE_INDEX_MEDIA_TYPE),
            (Some(IMAGE_MANIFEST_MEDIA_TYPE), false) => Ok(IMAGE_MANIFEST_MEDIA_TYPE),
            (Some(OCI_IMAGE_MEDIA_TYPE) | None, false) => Ok(OCI_IMAGE_MEDIA_TYPE),
            (Some(other), _) => Err(bad(&format!(
                "media type {other:?} does not fit its content"
            ))),
        }
    }
}

impl Child {
    fn from_entry(entry: &ImageIndexEntry) -> Result<Self, RegistryError> {
        Ok(Self {
            digest: Digest::parse(&entry.digest).map_err(|error| bad(&error.to_string()))?,
            size: u64::try_from(entry.size).map_err(|_| bad("a negative size"))?,
            platform: entry.platform.as_ref().map(|platform| Platform {
                os: platform.os.to_string(),
                architecture: platform.architecture.to_string(),
                variant: platform
                    .variant
                    .clone()
                    .filter(|variant| !variant.is_empty()),
            }),
        })
    }
}

impl Platform {
    fn accepts(&self, offered: &Self) -> bool {
        let implied = (offered.architecture == "arm64").then_some("v8");
        self.os == offered.os
            && self.architecture == offered.architecture
            && self.variant.as_ref().is_none_or(|wanted| {
                offered.variant.as_deref().or(implied) == Some(wanted.as_str())
            })
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match *parts.as_slice() {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(format!("{text:?} is not OS/ARCH or OS/ARCH/VARIANT")),
        };
        if parts
            .iter()
            .any(|part| part.is_empty() || !part.bytes().all(is_platform_byte))
        {
            return Err(format!("{text:?} is not OS/ARCH or OS/ARCH/VARIANT"));
        }
        Ok(Self {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant
            .as_ref()
            .map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

fn is_platform_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn bad(reason: &str) -> RegistryError {
    RegistryError::BadManifest {
        reason: reason.to_owned(),
    }
}

/// Everything [`Manifest::from_bytes`] understands, for the `Accept` header.
pub(super) const ACCEPTED: &str = "application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";
