//! Hashes and lengths of files, as one file states them of another.

use super::canonical::Node;
use super::error::Malformed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, SHA512, digest};

/// What a file says of another file or of an image manifest: its length and its hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMeta {
    /// Length in bytes.
    pub length: u64,
    /// The one hash that every file has: beside the others it would cost two allocations a tag
    sha256: Option<[u8; 32]>,
    /// The other hashes by name; `sha512` is understood, the rest is kept
    others: Box<[(String, Vec<u8>)]>,
    /// The publisher's own data on a target, never interpreted here.
    pub custom: Option<Node<'static>>,
}

impl FileMeta {
    /// The meta of these bytes, with both hashes as Notary v1 writes them.
    pub fn of(bytes: &[u8]) -> Self {
        let sha512 = digest(&SHA512, bytes).as_ref().to_vec();
        Self {
            length: bytes.len() as u64,
            sha256: digest(&SHA256, bytes).as_ref().try_into().ok(),
            others: [("sha512".to_owned(), sha512)].into(),
            custom: None,
        }
    }

    /// The meta of an image manifest: its digest and its size in bytes.
    pub fn of_image(sha256: [u8; 32], length: u64) -> Self {
        Self {
            length,
            sha256: Some(sha256),
            others: Box::default(),
            custom: None,
        }
    }

    /// The hash called `name`, in bytes.
    pub fn hash(&self, name: &str) -> Option<&[u8]> {
        match &self.sha256 {
            Some(sha256) if name == "sha256" => Some(sha256),
            _ => self
                .others
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, bytes)| bytes.as_slice()),
        }
    }

    /// The SHA-256 in lower-case hex, if it is there and 32 bytes long.
    pub fn sha256_hex(&self) -> Option<String> {
        self.sha256.map(hex::encode)
    }

    /// Whether `bytes` are the file meant: length, SHA-256, and SHA-512 where stated.
    ///
    /// # Errors
    /// The expected and the found value of what differs.
    pub fn check(&self, bytes: &[u8]) -> Result<(), Difference> {
        if bytes.len() as u64 != self.length {
            return Err(Difference::new(
                "length",
                self.length.to_string(),
                bytes.len().to_string(),
            ));
        }
        let Some(expected) = self.hash("sha256") else {
            return Err(Difference::new(
                "sha256",
                "none".to_owned(),
                "a file".to_owned(),
            ));
        };
        compare("sha256", expected, digest(&SHA256, bytes).as_ref())?;
        match self.hash("sha512") {
            Some(expected) => compare("sha512", expected, digest(&SHA512, bytes).as_ref()),
            None => Ok(()),
        }
    }

    /// Reads `{"hashes":{…},"length":n}` with an optional `custom`.
    pub(super) fn read(node: &Node<'_>) -> Result<Self, Malformed> {
        let length = node.member("length").ok_or(Malformed::Missing("length"))?;
        let Node::Int(length) = length else {
            return Err(Malformed::Wrong("length"));
        };
        let length = u64::try_from(*length).map_err(|_| Malformed::Wrong("length"))?;
        let (mut sha256, mut others) = (None, Vec::new());
        if let Some(Node::Object(members)) = node.member("hashes") {
            for (name, value) in members {
                match sha256_bytes(value) {
                    Some(hash) if name == "sha256" => sha256 = Some(hash),
                    _ => others.push((name.to_string(), bytes(value, "hashes")?)),
                }
            }
        }
        let custom = node.member("custom").filter(|c| **c != Node::Null);
        Ok(Self {
            length,
            sha256,
            others: others.into(),
            custom: custom.map(|c| c.clone().into_owned()),
        })
    }

    /// Writes what [`Self::read`] reads.
    pub(super) fn node(&self) -> Node<'_> {
        let sha256 = self.sha256.iter().map(|hash| ("sha256", base64_text(hash)));
        let others = self.others.iter();
        let others = others.map(|(name, hash)| (name.as_str(), base64_text(hash)));
        let hashes = Node::object(sha256.chain(others));
        let length = Node::Int(i64::try_from(self.length).unwrap_or(i64::MAX));
        match &self.custom {
            Some(custom) => Node::object([
                ("custom", custom.clone()),
                ("hashes", hashes),
                ("length", length),
            ]),
            None => Node::object([("hashes", hashes), ("length", length)]),
        }
    }
}

/// One way in which bytes are not the file that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `length`, `sha256` or `sha512`
    pub what: &'static str,
    /// What was stated
    pub expected: String,
    /// What arrived
    pub found: String,
}

impl Difference {
    fn new(what: &'static str, expected: String, found: String) -> Self {
        Self {
            what,
            expected,
            found,
        }
    }
}

fn compare(what: &'static str, expected: &[u8], found: &[u8]) -> Result<(), Difference> {
    if expected == found {
        return Ok(());
    }
    Err(Difference::new(
        what,
        hex::encode(expected),
        hex::encode(found),
    ))
}

pub(super) fn base64_text(bytes: &[u8]) -> Node<'static> {
    Node::text(STANDARD.encode(bytes))
}

pub(super) fn bytes(node: &Node<'_>, what: &'static str) -> Result<Vec<u8>, Malformed> {
    match node {
        Node::Text(text) => STANDARD
            .decode(text.as_bytes())
            .map_err(|_| Malformed::Wrong(what)),
        _ => Err(Malformed::Wrong(what)),
    }
}

/// The 32 bytes that this text stands for, if it does.
fn sha256_bytes(node: &Node<'_>) -> Option<[u8; 32]> {
    let Node::Text(text) = node else {
        return None;
    };
    let mut decoded = [0; 48];
    let length = match text.len() {
        44 => STANDARD.decode_slice(text.as_bytes(), &mut decoded).ok()?,
        _ => return None,
    };
    decoded.first_chunk().copied().filter(|_| length == 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_length_and_both_hashes() {
        let meta = FileMeta::of(b"abc");
        assert_eq!(meta.check(b"abc"), Ok(()));
        assert_eq!(meta.check(b"abcd").unwrap_err().what, "length");
        assert_eq!(meta.check(b"abd").unwrap_err().what, "sha256");
        let mut wrong512 = meta.clone();
        wrong512.others[0].1[0] ^= 1;
        assert_eq!(wrong512.check(b"abc").unwrap_err().what, "sha512");
        let no256 = FileMeta {
            sha256: None,
            ..meta
        };
        assert_eq!(no256.check(b"abc").unwrap_err().what, "sha256");
    }

    #[test]
    fn reads_back_what_it_writes() {
        let meta = FileMeta {
            custom: Some(Node::Bool(true)),
            ..FileMeta::of(b"x")
        };
        assert_eq!(FileMeta::read(&meta.node()), Ok(meta));
    }
}
