//! The one place that checks and counts signatures: `Unverified` in, `Verified` out.

use super::canonical::{Node, html_safe};
use super::digest::{base64_text, bytes};
use super::error::{Malformed, TufError, of_role};
use super::key::{KeyId, PublicKey};
use super::limits;
use super::role::RoleName;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One signature as a file carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key that is said to have signed
    pub key_id: KeyId,
    /// `ecdsa`, `eddsa`, `rsapss` or `rsapkcs1v15`
    pub method: String,
    /// The signature itself
    pub bytes: Vec<u8>,
}

/// The keys that may sign a role, and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// The keys, each once
    pub keys: Vec<PublicKey>,
    /// Distinct keys needed, at least 1
    pub threshold: u64,
}

impl RoleKeys {
    /// The id of the bare key behind each key.
    pub fn canonical_ids(&self) -> Vec<KeyId> {
        self.keys.iter().map(PublicKey::canonical_id).collect()
    }

    /// How many bare keys there are.
    pub fn distinct(&self) -> u64 {
        let ids: BTreeSet<_> = self.canonical_ids().into_iter().collect();
        ids.len() as u64
    }
}

/// When a file stops being valid: the text that arrived, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expires {
    text: String,
    at: Timestamp,
}

impl Expires {
    /// A whole second in UTC, as we write it.
    pub fn at(at: Timestamp) -> Self {
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self {
            text: at.to_string(),
            at,
        }
    }

    /// The last moment of validity.
    pub fn moment(&self) -> Timestamp {
        self.at
    }

    pub(super) fn read(signed: &Node<'_>) -> Result<Self, Malformed> {
        let Some(Node::Text(text)) = signed.member("expires") else {
            return Err(Malformed::Missing("expires"));
        };
        let at = text.parse().map_err(|_| Malformed::Wrong("expires"))?;
        Ok(Self {
            text: text.to_string(),
            at,
        })
    }

    pub(super) fn node(&self) -> Node<'_> {
        Node::text(self.text.as_str())
    }
}

/// The `signed` part of one role's file.
pub trait Document: Sized {
    /// What `_type` says.
    const TYPE: &'static str;

    /// Reads the facts from the value that was verified.
    ///
    /// # Errors
    /// What is missing or wrong.
    fn read(signed: &Node<'_>, role: &RoleName) -> Result<Self, Malformed>;

    /// The value to sign: [`Self::read`] turns it into the same facts.
    fn node(&self) -> Node<'_>;

    /// The version, 1 to 2147483647.
    fn version(&self) -> u64;

    /// When the file stops being valid.
    fn expires(&self) -> &Expires;
}

/// A file that arrived: parsed, believed by nobody.
pub struct Unverified<'a> {
    /// Of the file, in bytes; about
    length: usize,
    signed: Node<'a>,
    signatures: Vec<Signature>,
}

/// A file signed by enough keys of its role. Only [`Unverified::verify`] makes one.
///
/// A clone shares the facts and the message.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    facts: Arc<T>,
    message: Arc<Vec<u8>>,
    signatures: Vec<Signature>,
    signers: BTreeSet<KeyId>,
}

impl<'a> Unverified<'a> {
    /// Parses `{"signed":…,"signatures":[…]}`.
    ///
    /// # Errors
    /// The bytes are not such a file.
    pub fn parse(file: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_within(file, limits::JSON_DEPTH)
    }

    /// The same with JSON nested at most so deep.
    ///
    /// # Errors
    /// The bytes are not such a file.
    pub fn parse_within(file: &'a [u8], deepest: usize) -> Result<Self, Malformed> {
        let node = Node::parse_within(file, deepest).map_err(|e| Malformed::Json(e.to_string()))?;
        Self::of(node, file.len())
    }

    /// The same from a value that was parsed as part of another document.
    ///
    /// # Errors
    /// The value is not such a file.
    pub(super) fn of(file: Node<'a>, length: usize) -> Result<Self, Malformed> {
        let Node::Object(members) = file else {
            return Err(Malformed::Wrong("file"));
        };
        let (mut signed, mut signatures) = (None, Vec::new());
        for (name, value) in members {
            match name.as_ref() {
                "signed" => signed = Some(value),
                "signatures" => signatures = read_signatures(&value)?,
                _ => {}
            }
        }
        let signed = signed.ok_or(Malformed::Missing("signed"))?;
        Ok(Self {
            length,
            signed,
            signatures,
        })
    }

    /// What the file says of itself, before anybody vouched for it: only to find the keys or the
    /// versions to ask for next.
    ///
    /// # Errors
    /// The file is not of type `T`.
    pub(crate) fn claims<T: Document>(&self, role: &RoleName) -> Result<T, Malformed> {
        read_facts(&self.signed, role)
    }

    /// Believes the file if enough distinct keys of the role signed it.
    ///
    /// Distinct means distinct key material: two certificates of one key count once.
    ///
    /// # Errors
    /// No valid signature, too few, or a file of another shape.
    pub fn verify<T: Document>(
        self,
        role: &RoleName,
        by: &RoleKeys,
    ) -> Result<Verified<T>, TufError> {
        let message = self.message();
        let signers = count(&self.signatures, &message, role, by)?;
        let facts = read_facts(&self.signed, role).map_err(of_role(role))?;
        Ok(Verified {
            facts: Arc::new(facts),
            message: Arc::new(message),
            signatures: self.signatures,
            signers,
        })
    }

    /// The distinct keys that signed, if they meet the threshold of `by`.
    pub(super) fn count(
        &self,
        role: &RoleName,
        by: &RoleKeys,
    ) -> Result<BTreeSet<KeyId>, TufError> {
        count(&self.signatures, &self.message(), role, by)
    }

    /// The signatures as they stand there.
    pub(super) fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// What the signatures are over; hardly longer than the file.
    pub(super) fn message(&self) -> Vec<u8> {
        self.signed.canonical_of_about(self.length)
    }
}

impl<T: Document> Verified<T> {
    /// What the file says.
    pub fn facts(&self) -> &T {
        &self.facts
    }

    /// The facts, to be shared.
    pub(super) fn shared_facts(&self) -> Arc<T> {
        Arc::clone(&self.facts)
    }

    /// The signatures as they arrived.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Canonical ids of the keys whose signatures count.
    pub fn signers(&self) -> impl Iterator<Item = &KeyId> {
        self.signers.iter()
    }

    /// Whether the file would still meet the threshold of other keys.
    pub fn also_signed_by(&self, role: &RoleName, by: &RoleKeys) -> bool {
        count(&self.signatures, &self.message, role, by).is_ok()
    }

    /// Refuses a file past its date.
    ///
    /// # Errors
    /// [`TufError::Expired`]
    pub fn unexpired(&self, role: &RoleName, now: Timestamp) -> Result<(), TufError> {
        let expired = self.facts.expires().moment();
        if now < expired {
            return Ok(());
        }
        Err(TufError::Expired {
            role: role.clone(),
            expired,
            now,
        })
    }

    /// Refuses a file below the lowest version still acceptable.
    ///
    /// # Errors
    /// [`TufError::Rollback`]
    pub fn at_least(&self, role: &RoleName, seen: u64) -> Result<(), TufError> {
        let got = self.facts.version();
        if got >= seen {
            return Ok(());
        }
        Err(TufError::Rollback {
            role: role.clone(),
            seen,
            got,
        })
    }
}

/// The distinct keys of `by` that signed `message`, if they meet the threshold.
fn count(
    signatures: &[Signature],
    message: &[u8],
    role: &RoleName,
    by: &RoleKeys,
) -> Result<BTreeSet<KeyId>, TufError> {
    let signers = signers(signatures, message, by);
    let (valid, needed) = (signers.len() as u64, by.threshold.max(1));
    match valid {
        0 => Err(TufError::Signatures {
            role: role.clone(),
            found: signatures.len(),
            needed,
        }),
        _ if valid < needed => Err(TufError::Threshold {
            role: role.clone(),
            valid,
            needed,
        }),
        _ => Ok(signers),
    }
}

/// The distinct keys of `by` that signed `message`, however few.
pub(super) fn signers(signatures: &[Signature], message: &[u8], by: &RoleKeys) -> BTreeSet<KeyId> {
    let signed = signatures.iter().filter_map(|signature| {
        let key = by.keys.iter().find(|key| *key.id() == signature.key_id)?;
        let valid = key.verifies(&signature.method, message, &signature.bytes);
        valid.then(|| key.canonical_id())
    });
    signed.collect()
}

/// The exact bytes of a file as Notary v1 writes it: signed value, then signatures.
pub fn file_bytes(signed: &Node<'_>, signatures: &[Signature]) -> Vec<u8> {
    sealed(&signed.canonical(), signatures)
}

/// The same from the canonical form that was signed.
pub(super) fn sealed(message: &[u8], signatures: &[Signature]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 256 * (signatures.len() + 1));
    out.extend_from_slice(b"{\"signed\":");
    out.extend_from_slice(&html_safe(message));
    out.extend_from_slice(b",\"signatures\":");
    let list = signatures.iter().map(|s| {
        Node::object([
            ("keyid", Node::text(s.key_id.as_str())),
            ("method", Node::text(s.method.as_str())),
            ("sig", base64_text(&s.bytes)),
        ])
    });
    out.extend_from_slice(&Node::List(list.collect()).canonical());
    out.push(b'}');
    out
}

/// The members that every file has, for [`Document::node`].
pub(super) fn version_node(version: u64) -> Node<'static> {
    Node::Int(i64::try_from(version).unwrap_or(i64::MAX))
}

/// Reads a version, 1 to 2147483647 (Notary v1 stores 32 bits).
pub(super) fn read_version(signed: &Node<'_>) -> Result<u64, Malformed> {
    let Some(Node::Int(version)) = signed.member("version") else {
        return Err(Malformed::Missing("version"));
    };
    u64::try_from(*version)
        .ok()
        .filter(|v| (1..=limits::VERSION).contains(v))
        .ok_or(Malformed::Version(*version))
}

fn read_facts<T: Document>(signed: &Node<'_>, role: &RoleName) -> Result<T, Malformed> {
    match signed.member("_type") {
        Some(Node::Text(found)) if found == T::TYPE => T::read(signed, role),
        Some(Node::Text(found)) => Err(Malformed::Type {
            expected: T::TYPE,
            found: found.chars().take(32).collect(),
        }),
        _ => Err(Malformed::Missing("_type")),
    }
}

fn read_signatures(node: &Node<'_>) -> Result<Vec<Signature>, Malformed> {
    let items: &[_] = match node {
        Node::List(items) => items,
        Node::Null => &[],
        _ => return Err(Malformed::Wrong("signatures")),
    };
    if items.len() > limits::SIGNATURES {
        return Err(Malformed::TooMany("signatures"));
    }
    items.iter().map(read_signature).collect()
}

fn read_signature(node: &Node<'_>) -> Result<Signature, Malformed> {
    let text = |name| match node.member(name) {
        Some(Node::Text(text)) => Ok(text),
        _ => Err(Malformed::Wrong("signature")),
    };
    Ok(Signature {
        key_id: KeyId::parse(text("keyid")?).ok_or(Malformed::Wrong("keyid"))?,
        method: text("method")?.to_lowercase(),
        bytes: bytes(node.member("sig").unwrap_or(&Node::Null), "sig")?,
    })
}
