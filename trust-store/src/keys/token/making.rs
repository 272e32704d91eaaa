//! New keys on a token: made there, or put there.

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use pkcs8::der::asn1::{ObjectIdentifier, OctetStringRef};
use pkcs8::der::{Decode, Encode};
use zeroize::Zeroize;

use super::TokenAlgorithm;
use super::objects::{find, id_bytes, public_half};
use super::present::Present;
use crate::keys::encoding::P256_OID;
use crate::keys::error::KeyError;
use crate::keys::private::{PrivateKey, Secret, fill_randomly};
use crate::keys::public::PublicKey;

/// A new pair is on the token, called `name`; its private half was made there and cannot leave.
///
/// The pair is whole from the first moment on: its `CKA_ID` becomes the canonical id afterwards,
/// first that of the private half, where whoever looks for a private half looks also.
pub(super) fn generate(
    token: &Present,
    session: &Session,
    algorithm: TokenAlgorithm,
    name: &str,
) -> Result<(PublicKey, ObjectHandle), KeyError> {
    let mut provisional = vec![0; 16];
    fill_randomly(&mut provisional)?;
    let (mechanism, shape) = match algorithm {
        TokenAlgorithm::EcdsaP256 => (
            Mechanism::EccKeyPairGen,
            vec![Attribute::EcParams(oid_der(P256_OID)?)],
        ),
        TokenAlgorithm::Rsa => {
            let bits = rsa_bits(token).map_err(|error| token.fault(MAKING, &error))?;
            (
                Mechanism::RsaPkcsKeyPairGen,
                vec![
                    Attribute::ModulusBits(bits.into()),
                    Attribute::PublicExponent(vec![1, 0, 1]),
                ],
            )
        }
    };
    let public = [shape, public_traits(name, &provisional)].concat();
    let made = || -> Result<_, Error> {
        let private = private_traits(name, &provisional);
        let (public, private) = session.generate_key_pair(&mechanism, &public, &private)?;
        let Some(key) = public_half(session, public)? else {
            return Err(Error::InvalidValue);
        };
        let id = [Attribute::Id(id_bytes(&key.id()))];
        for half in [private, public] {
            match session.update_attributes(half, &id) {
                Err(Error::Pkcs11(answer, _)) if never_changes(answer) => {}
                other => other?,
            }
        }
        Ok((key, private))
    };
    made().map_err(|error| token.fault(MAKING, &error).into())
}

/// This key is on the token, called `name`; a half that an interrupted try left is completed.
///
/// Errors: [`KeyError::OnTokenAlready`] if both halves are there.
pub(super) fn load(
    token: &Present,
    session: &Session,
    key: &PrivateKey,
    name: &str,
) -> Result<ObjectHandle, KeyError> {
    let id = id_bytes(key.id());
    let (public, private) = templates(key, name, &id)?;
    let half = |class| {
        find(
            session,
            &[Attribute::Class(class), Attribute::Id(id.clone())],
        )
    };
    let put = || -> Result<Option<ObjectHandle>, Error> {
        let there = half(ObjectClass::PRIVATE_KEY)?.into_iter().next();
        let has_public = !half(ObjectClass::PUBLIC_KEY)?.is_empty();
        let made = match there {
            Some(_) if has_public => return Ok(None),
            Some(there) => there,
            None => session.create_object(&private.0)?,
        };
        if !has_public && let Err(error) = session.create_object(&public) {
            // Nobody would see the private half alone; if it cannot go, the next try completes it.
            let _ = session.destroy_object(made);
            return Err(error);
        }
        Ok(Some(made))
    };
    match put() {
        Ok(Some(made)) => Ok(made),
        Ok(None) => Err(KeyError::OnTokenAlready {
            id: key.id().to_owned(),
            token: token.name.clone(),
        }),
        Err(error) => Err(token.fault("take the key", &error).into()),
    }
}

/// 3072 bits, or what the token can do at most; below 2048 nobody would verify the signatures.
fn rsa_bits(token: &Present) -> Result<u64, Error> {
    let mechanism = MechanismType::RSA_PKCS_KEY_PAIR_GEN;
    let info = token.context.get_mechanism_info(token.slot, mechanism)?;
    Ok(info.max_key_size().clamp(2048, 3072) as u64)
}

/// What tokens answer that change no attributes.
fn never_changes(answer: RvError) -> bool {
    use RvError::{ActionProhibited, AttributeReadOnly, FunctionNotSupported};
    matches!(
        answer,
        ActionProhibited | AttributeReadOnly | FunctionNotSupported
    )
}

fn public_traits(name: &str, id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Label(name.as_bytes().to_vec()),
        Attribute::Id(id.to_vec()),
    ]
}

fn private_traits(name: &str, id: &[u8]) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Sign(true),
        Attribute::Label(name.as_bytes().to_vec()),
        Attribute::Id(id.to_vec()),
    ]
}

/// Attributes among which are those of a private key; wiped when dropped.
struct SecretAttributes(Vec<Attribute>);

impl Drop for SecretAttributes {
    fn drop(&mut self) {
        for attribute in &mut self.0 {
            match attribute {
                Attribute::Value(bytes)
                | Attribute::PrivateExponent(bytes)
                | Attribute::Prime1(bytes)
                | Attribute::Prime2(bytes)
                | Attribute::Exponent1(bytes)
                | Attribute::Exponent2(bytes)
                | Attribute::Coefficient(bytes) => bytes.zeroize(),
                _ => {}
            }
        }
    }
}

/// How the two halves of a key are described to a token.
fn templates(
    key: &PrivateKey,
    name: &str,
    id: &[u8],
) -> Result<(Vec<Attribute>, SecretAttributes), KeyError> {
    let (kind, shown, hidden) = match &key.secret {
        Secret::Ecdsa(secret) => {
            let point = secret.verifying_key().to_sec1_bytes();
            let point = OctetStringRef::new(&point).and_then(|point| point.to_der());
            let curve = Attribute::EcParams(oid_der(P256_OID)?);
            let scalar = zeroize::Zeroizing::new(secret.to_bytes());
            let hidden = vec![curve.clone(), Attribute::Value(scalar.to_vec())];
            let point = Attribute::EcPoint(point.map_err(KeyError::damaged)?);
            (KeyType::EC, vec![curve, point], hidden)
        }
        Secret::Rsa(der) => {
            let key = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(KeyError::damaged)?;
            let bytes = |number: pkcs8::der::asn1::UintRef<'_>| number.as_bytes().to_vec();
            let shown = vec![
                Attribute::Modulus(bytes(key.modulus)),
                Attribute::PublicExponent(bytes(key.public_exponent)),
            ];
            let mut hidden = shown.clone();
            hidden.extend([
                Attribute::PrivateExponent(bytes(key.private_exponent)),
                Attribute::Prime1(bytes(key.prime1)),
                Attribute::Prime2(bytes(key.prime2)),
                Attribute::Exponent1(bytes(key.exponent1)),
                Attribute::Exponent2(bytes(key.exponent2)),
                Attribute::Coefficient(bytes(key.coefficient)),
            ]);
            (KeyType::RSA, shown, hidden)
        }
        Secret::Ed25519(_) => {
            return Err(KeyError::UnsupportedAlgorithm {
                algorithm: "ed25519 on a token".to_owned(),
            });
        }
        Secret::Token(_) => {
            return Err(KeyError::OnToken {
                id: key.id().to_owned(),
            });
        }
    };
    let mut private = SecretAttributes(hidden);
    let class = |class| [Attribute::Class(class), Attribute::KeyType(kind)];
    private.0.extend(class(ObjectClass::PRIVATE_KEY));
    private.0.extend(private_traits(name, id));
    let mut public = shown;
    public.extend(class(ObjectClass::PUBLIC_KEY));
    public.extend(public_traits(name, id));
    Ok((public, private))
}

fn oid_der(oid: ObjectIdentifier) -> Result<Vec<u8>, KeyError> {
    oid.to_der().map_err(KeyError::damaged)
}

const MAKING: &str = "make the key";
