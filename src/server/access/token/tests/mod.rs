//! Tokens that our own keys sign, good and not.

mod chains;

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use rcgen::{KeyPair, PublicKeyData as _};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use tempfile::TempDir;
use trust_store::server::Action;

/// A key that signs tokens.
pub(in crate::server::access) struct Signer {
    pair: KeyPair,
    alg: &'static str,
}

impl Signer {
    pub(in crate::server::access) fn new(alg: &'static str) -> Self {
        let kind = match alg {
            "ES256" => &rcgen::PKCS_ECDSA_P256_SHA256,
            "ES384" => &rcgen::PKCS_ECDSA_P384_SHA384,
            _ => &rcgen::PKCS_ED25519,
        };
        let pair = KeyPair::generate_for(kind).unwrap();
        Self { pair, alg }
    }

    pub(in crate::server::access) fn pem(&self) -> String {
        self.pair.public_key_pem()
    }

    fn key(&self) -> Key {
        Key::from_spki(&self.pair.subject_public_key_info()).unwrap()
    }

    /// The name that libtrust gives the key.
    pub(in crate::server::access) fn kid(&self) -> String {
        self.key().ids()[0].clone()
    }

    pub(in crate::server::access) fn token(&self, header: Value, claims: &Value) -> String {
        let mut header = header;
        if header.get("alg").is_none() {
            header["alg"] = self.alg.into();
        }
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let (random, pkcs8) = (SystemRandom::new(), self.pair.serialize_der());
        let kind = match self.alg {
            "ES256" => &ECDSA_P256_SHA256_FIXED_SIGNING,
            "ES384" => &ECDSA_P384_SHA384_FIXED_SIGNING,
            _ => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8).unwrap();
                return pair.sign(message).as_ref().to_vec();
            }
        };
        let pair = EcdsaKeyPair::from_pkcs8(kind, &pkcs8, &random).unwrap();
        pair.sign(&random, message).unwrap().as_ref().to_vec()
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "takes what json! makes")]
fn claims(changes: Value) -> Value {
    let now = now().as_second();
    let mut claims = json!({
        "iss": "auth.example", "sub": "nigel", "aud": "trust.example",
        "exp": now + 300, "nbf": now - 10, "iat": now - 10, "jti": "x",
        "access": [
            {"type": "repository", "name": "docker.io/a", "actions": ["pull", "push"]},
            {"type": "repository", "class": "", "name": "docker.io/b", "actions": ["*"]},
        ],
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    path
}

fn tokens(certificates: &[&str], keys: &[&str]) -> Result<Tokens, TokenSettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let write_all = |kind: &str, texts: &[&str]| -> Vec<PathBuf> {
        let files = texts.iter().enumerate();
        files
            .map(|(number, text)| write(&folder, &format!("{kind}{number}"), text))
            .collect()
    };
    Tokens::new(&TokenSettings {
        realm: "https://auth.example/token".into(),
        service: "trust.example".into(),
        issuer: "auth.example".into(),
        certificates: write_all("certificate", certificates),
        keys: write_all("key", keys),
    })
}

#[test]
fn a_token_says_what_may_be_done() {
    for alg in ["ES256", "ES384", "EdDSA"] {
        let signer = Signer::new(alg);
        let tokens = tokens(&[], &[&signer.pem()]).unwrap();
        for kid in signer.key().ids() {
            let token = signer.token(json!({"typ": "JWT", "kid": kid}), &claims(json!({})));
            let token = tokens.read(&token, now()).unwrap();
            assert_eq!(token.subject, "nigel");
            let of = |gun| token.scopes.of_repository(gun);
            assert_eq!(of("docker.io/a"), [Action::Pull, Action::Push]);
            assert_eq!(of("docker.io/b"), [Action::All]);
            assert_eq!(of("docker.io/ab"), []);
            assert!(!token.scopes.of_catalog());
        }
    }
}

#[test]
fn the_list_of_accesses_is_read_as_docker_writes_it() {
    let signer = Signer::new("ES256");
    let tokens = tokens(&[], &[&signer.pem()]).unwrap();
    let kid = signer.key().ids()[0].clone();
    let read = |access: Value| {
        let claims = claims(json!({ "access": access }));
        let token = signer.token(json!({ "kid": kid }), &claims);
        tokens.read(&token, now()).map(|token| token.scopes)
    };
    let catalog = json!([{"type": "registry", "name": "catalog", "actions": ["*"]}]);
    assert!(read(catalog).unwrap().of_catalog());
    for access in [
        json!(null),
        json!([]),
        json!([{"type": "repository", "name": "a", "actions": null}]),
        json!([{"type": "repository", "name": "a", "actions": ["fly"]}]),
        json!([{"type": "registry", "name": "catalog", "actions": ["pull"]}]),
        json!([{"type": "repository", "name": "catalog", "actions": ["pull"]}]),
        json!([{"type": "registry", "name": "a", "actions": ["*"]}]),
        json!([{"type": "repository(plugin)", "name": "a", "actions": ["*"]}]),
    ] {
        let scopes = read(access.clone()).unwrap();
        assert_eq!(scopes.of_repository("a"), [], "{access}");
        assert!(!scopes.of_catalog(), "{access}");
    }
    let twice = json!([
        {"type": "repository", "name": "a", "actions": ["pull"]},
        {"type": "repository", "name": "a", "actions": ["push"]},
    ]);
    let scopes = read(twice).unwrap();
    assert_eq!(scopes.of_repository("a"), [Action::Pull, Action::Push]);
    for broken in [
        json!({}),
        json!("*"),
        json!([{"type": "repository"}]),
        json!([1]),
    ] {
        assert!(read(broken.clone()).is_err(), "{broken}");
    }
}

#[test]
fn claims_have_to_fit() {
    let signer = Signer::new("ES256");
    let tokens = tokens(&[], &[&signer.pem()]).unwrap();
    let kid = signer.key().ids()[1].clone();
    let now = now().as_second();
    for (changes, good) in [
        (json!({"aud": ["other", "trust.example"]}), true),
        (json!({"exp": now - 60}), true),
        (json!({"exp": now - 61}), false),
        (json!({"nbf": now + 60}), true),
        (json!({"nbf": now + 61}), false),
        (json!({"nbf": null}), true),
        (json!({"sub": null}), true),
        (json!({"exp": null}), false),
        (json!({"exp": "9999999999"}), false),
        (json!({"exp": i64::MAX}), true),
        (json!({"exp": i64::MIN}), false),
        (json!({"nbf": i64::MAX}), false),
        (json!({"nbf": i64::MIN}), true),
        (json!({"aud": "other"}), false),
        (json!({"aud": []}), false),
        (json!({"aud": null}), false),
        (json!({"aud": "trust.example2"}), false),
        (json!({"iss": "other"}), false),
        (json!({"iss": null}), false),
    ] {
        let token = signer.token(json!({ "kid": kid }), &claims(changes.clone()));
        let read = tokens.read(&token, self::now());
        assert_eq!(read.is_ok(), good, "{changes} {read:?}");
    }
}

#[test]
fn the_key_is_one_of_ours_and_chooses_the_algorithm() {
    let (ours, other) = (Signer::new("ES256"), Signer::new("ES256"));
    let tokens = tokens(&[], &[&ours.pem()]).unwrap();
    let [libtrust, thumbprint] = ours.key().ids();
    let jwk = |signer: &Signer| {
        let point = signer.pair.public_key_raw().to_vec();
        let (x, y) = point[1..].split_at(32);
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": "y"})
    };
    let by = |signer: &Signer, header: Value| {
        let token = signer.token(header, &claims(json!({})));
        tokens.read(&token, now()).map(|_| ())
    };
    assert_eq!(by(&ours, json!({"jwk": jwk(&ours)})), Ok(()));
    assert_eq!(by(&ours, json!({"kid": libtrust, "x5c": []})), Ok(()));
    let unknown = |result: Result<(), TokenError>| {
        assert!(
            matches!(result, Err(TokenError::UnknownKey(_))),
            "{result:?}"
        );
    };
    unknown(by(&other, json!({"jwk": jwk(&other)})));
    unknown(by(&other, json!({"kid": other.key().ids()[0]})));
    unknown(by(&other, json!({"jwk": jwk(&other), "kid": libtrust})));
    assert_eq!(
        by(&other, json!({"jwk": jwk(&ours)})),
        Err(TokenError::Signature)
    );
    assert_eq!(
        by(&other, json!({"kid": thumbprint})),
        Err(TokenError::Signature)
    );
    assert_eq!(by(&ours, json!({})), Err(TokenError::NoKey));
    for alg in ["none", "None", "HS256", "RS256", "ES384", "EdDSA", ""] {
        let refused = by(&ours, json!({"alg": alg, "kid": libtrust}));
        assert_eq!(refused, Err(TokenError::Signature), "{alg}");
    }
    for header in [
        json!({"jwk": {"kty": "oct", "k": "AAAA"}}),
        json!({"jwk": {"kty": "EC", "crv": "P-256", "x": "\",", "y": "a"}}),
        json!({"jwk": {"kty": "EC", "crv": "P-256"}}),
        json!({"jwk": {"kty": "RSA", "n": "AQAB"}}),
        json!({"kid": libtrust, "crit": ["exp"]}),
        json!({"kid": libtrust, "crit": []}),
        json!({"kid": 5}),
        json!({"alg": null, "kid": libtrust}),
        json!([]),
    ] {
        if header.is_object() {
            let refused = by(&ours, header.clone());
            assert!(matches!(refused, Err(TokenError::Malformed(_))), "{header}");
        }
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let signer = Signer::new("EdDSA");
    let tokens = tokens(&[], &[&signer.pem()]).unwrap();
    let kid = signer.key().ids()[0].clone();
    let good = signer.token(json!({ "kid": kid }), &claims(json!({})));
    tokens.read(&good, now()).unwrap();
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    let long = claims(json!({"sub": "x".repeat(20_000)}));
    for bad in [
        String::new(),
        "a.b".into(),
        "..".into(),
        unsigned.to_owned(),
        format!("{unsigned}."),
        format!("{good}."),
        format!("{good}.a"),
        format!("{good}="),
        format!("{good}AAAA"),
        good.replacen('.', "..", 1),
        format!(" {good}"),
        signer.token(json!({ "kid": kid }), &long),
    ] {
        assert!(tokens.read(&bad, now()).is_err(), "{bad}");
    }
    // No byte can be changed.
    for place in 0..good.len() {
        let mut changed = good.clone().into_bytes();
        changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(tokens.read(&changed, now()).is_err(), "byte {place}");
    }
}

#[test]
fn settings_that_cannot_work_are_named() {
    let signer = Signer::new("ES256");
    let error =
        |certificates: &[&str], keys: &[&str]| tokens(certificates, keys).unwrap_err().to_string();
    assert!(error(&[], &[]).contains("access.token.keys is missing"));
    assert!(error(&[], &[&signer.pair.serialize_pem()]).contains("a PRIVATE KEY"));
    assert!(error(&[&signer.pem()], &[]).contains("a PUBLIC KEY"));
    assert!(error(&[], &["nothing"]).contains("nothing in PEM form"));
    let absent = TokenSettings {
        realm: "r".into(),
        service: "s".into(),
        issuer: "i".into(),
        keys: vec![Path::new("/nonexistent/key.pem").into()],
        ..TokenSettings::default()
    };
    let words = Tokens::new(&absent).unwrap_err().to_string();
    assert!(
        words.starts_with("could not read /nonexistent/key.pem"),
        "{words}"
    );
    let nameless = TokenSettings {
        issuer: String::new(),
        ..absent
    };
    let words = Tokens::new(&nameless).unwrap_err().to_string();
    assert!(words.contains("access.token.issuer is missing"), "{words}");
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "[A-Za-z0-9_.=-]{0,200}", header in "\\PC{0,100}") {
        let signer = Signer::new("EdDSA");
        let tokens = tokens(&[], &[&signer.pem()]).unwrap();
        prop_assert!(tokens.read(&text, now()).is_err());
        let encoded = URL_SAFE_NO_PAD.encode(&header);
        let text = format!("{encoded}.{encoded}.{encoded}");
        prop_assert!(tokens.read(&text, now()).is_err());
    }
}
