//! The objects on a token, and the keys they are.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use pkcs8::der::asn1::{AnyRef, OctetStringRef, UintRef};
use pkcs8::der::{Decode, Encode};

use super::present::Present;
use super::{TokenError, TokenKey};
use crate::keys::encoding::{EC_OID, P256_OID, RSA_OID};
use crate::keys::public::PublicKey;
use crate::keys::public_file::{encode_spki, read_certificate};
use crate::keys::store::{Place, StoredKey};

/// Every key on the token that could sign, as far as can be seen without its PIN.
///
/// A key is a public key object, or a certificate where there is no such object of its `CKA_ID`.
pub(super) fn keys(token: &Present) -> Result<Vec<StoredKey>, TokenError> {
    let session = token.session()?;
    let read = || -> Result<Vec<StoredKey>, Error> {
        let certificates = certificates(&session)?;
        let mut keys = Vec::new();
        let mut seen = Vec::new();
        for object in find(&session, &[Attribute::Class(ObjectClass::PUBLIC_KEY)])? {
            let found = Attributes::of(&session, object, &PUBLIC_KEY)?;
            let Some(public) = found.public_key() else {
                continue;
            };
            let named = certificates.iter().find(|it| it.object == found.object);
            let role = role(found.label.as_deref(), named);
            seen.push(found.object.clone());
            keys.push(stored(token, public, found.object, role));
        }
        for it in certificates.iter().filter(|it| !seen.contains(&it.object)) {
            let role = role(it.label.as_deref(), Some(it));
            keys.push(stored(token, it.public.clone(), it.object.clone(), role));
        }
        Ok(keys)
    };
    read().map_err(|error| token.fault("list its keys", &error))
}

/// The private half of a key, in a session that may see it.
///
/// The other `CKA_ID` looked for is that of our own keys: whoever pulls the token out while a key is
/// being named leaves a pair whose halves differ in this.
pub(super) fn private_half(
    session: &Session,
    key: &PublicKey,
    object: &[u8],
) -> Result<Option<ObjectHandle>, Error> {
    for id in [object, &id_bytes(&key.id())] {
        let wanted = [
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::KeyType(key_type(key)),
            Attribute::Id(id.to_owned()),
        ];
        if let Some(found) = find(session, &wanted)?.into_iter().next() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The public half that has this `CKA_ID`.
pub(super) fn public_half(
    session: &Session,
    object: ObjectHandle,
) -> Result<Option<PublicKey>, Error> {
    Ok(Attributes::of(session, object, &PUBLIC_KEY)?.public_key())
}

/// Objects that have all these attributes.
pub(super) fn find(session: &Session, wanted: &[Attribute]) -> Result<Vec<ObjectHandle>, Error> {
    session.iter_objects(wanted)?.take(MAX_OBJECTS).collect()
}

/// `CKA_ID` of the keys that we put on tokens: the 32 bytes of the canonical id.
pub(super) fn id_bytes(id: &str) -> Vec<u8> {
    hex::decode(id).unwrap_or_default()
}

fn key_type(key: &PublicKey) -> KeyType {
    match key.key_type.as_str() {
        "rsa" => KeyType::RSA,
        _ => KeyType::EC,
    }
}

struct Certificate {
    object: Vec<u8>,
    label: Option<String>,
    common_name: Option<String>,
    public: PublicKey,
}

/// The certificates whose keys could sign; others are passed over.
fn certificates(session: &Session) -> Result<Vec<Certificate>, Error> {
    let mut found = Vec::new();
    for object in find(session, &[Attribute::Class(ObjectClass::CERTIFICATE)])? {
        let attributes = Attributes::of(session, object, &CERTIFICATE)?;
        let Ok((common_name, public)) = read_certificate(&attributes.value) else {
            continue;
        };
        if can_sign(&public) {
            found.push(Certificate {
                object: attributes.object,
                label: attributes.label,
                common_name,
                public,
            });
        }
    }
    Ok(found)
}

/// What a key is for: its label where that can be a name, else what Notary wrote into the
/// certificate beside its root keys (`addECDSAKey`).
fn role(label: Option<&str>, certificate: Option<&Certificate>) -> Option<String> {
    let common_name = certificate.and_then(|it| it.common_name.as_deref());
    let named = label.filter(|label| is_name(label));
    named
        .or(common_name.filter(|name| *name == "root"))
        .map(str::to_owned)
}

fn is_name(label: &str) -> bool {
    let letter = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    label.as_bytes().first().is_some_and(letter)
        && label
            .bytes()
            .all(|b| letter(&b) || matches!(b, b'-' | b'_'))
}

fn stored(token: &Present, public: PublicKey, object: Vec<u8>, role: Option<String>) -> StoredKey {
    StoredKey {
        id: public.id(),
        role,
        gun: None,
        place: Place::Token(TokenKey {
            token: token.name.clone(),
            public,
            object,
        }),
    }
}

/// Whether we can sign with such a key, by the public half.
fn can_sign(key: &PublicKey) -> bool {
    let Ok(info) = pkcs8::spki::SubjectPublicKeyInfoRef::from_der(&key.bytes) else {
        return false;
    };
    match key.key_type.as_str() {
        "ecdsa" => info
            .algorithm
            .parameters_oid()
            .is_ok_and(|oid| oid == P256_OID),
        "rsa" => (256..=512 + 16).contains(&info.subject_public_key.raw_bytes().len()),
        _ => false,
    }
}

#[derive(Default)]
struct Attributes {
    object: Vec<u8>,
    label: Option<String>,
    key_type: Option<KeyType>,
    parameters: Vec<u8>,
    point: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    value: Vec<u8>,
}

impl Attributes {
    fn of(
        session: &Session,
        object: ObjectHandle,
        wanted: &[AttributeType],
    ) -> Result<Self, Error> {
        let mut found = Self::default();
        for attribute in session.get_attributes(object, wanted)? {
            match attribute {
                Attribute::Id(id) => found.object = id,
                Attribute::Label(label) => found.label = String::from_utf8(label).ok(),
                Attribute::KeyType(kind) => found.key_type = Some(kind),
                Attribute::EcParams(parameters) => found.parameters = parameters,
                Attribute::EcPoint(point) => found.point = point,
                Attribute::Modulus(modulus) => found.modulus = modulus,
                Attribute::PublicExponent(exponent) => found.exponent = exponent,
                Attribute::Value(value) => found.value = value,
                _ => {}
            }
        }
        Ok(found)
    }

    /// The key in the words of the metadata, if we can sign with its like.
    fn public_key(&self) -> Option<PublicKey> {
        let (key_type, bytes) = match self.key_type? {
            KeyType::EC => ("ecdsa", self.p256()?),
            KeyType::RSA => ("rsa", self.rsa()?),
            _ => return None,
        };
        let key = PublicKey {
            key_type: key_type.to_owned(),
            bytes,
        };
        can_sign(&key).then_some(key)
    }

    fn p256(&self) -> Option<Vec<u8>> {
        if self.parameters != P256_OID.to_der().ok()? {
            return None;
        }
        // An octet string by the standard; some modules leave its head away.
        let inner = <&OctetStringRef>::from_der(&self.point).map(OctetStringRef::as_bytes);
        let point = inner.unwrap_or(&self.point);
        let key = p256::PublicKey::from_sec1_bytes(point).ok()?;
        let point = key.to_sec1_bytes();
        encode_spki(EC_OID, Some(AnyRef::from(&P256_OID)), &point).ok()
    }

    fn rsa(&self) -> Option<Vec<u8>> {
        let key = pkcs1::RsaPublicKeyRef {
            modulus: UintRef::new(&self.modulus).ok()?,
            public_exponent: UintRef::new(&self.exponent).ok()?,
        };
        encode_spki(RSA_OID, Some(AnyRef::NULL), &key.to_der().ok()?).ok()
    }
}

const PUBLIC_KEY: [AttributeType; 7] = [
    AttributeType::Id,
    AttributeType::Label,
    AttributeType::KeyType,
    AttributeType::EcParams,
    AttributeType::EcPoint,
    AttributeType::Modulus,
    AttributeType::PublicExponent,
];
const CERTIFICATE: [AttributeType; 3] = [
    AttributeType::Id,
    AttributeType::Label,
    AttributeType::Value,
];
/// More than any token of ours has use for.
const MAX_OBJECTS: usize = 1024;
