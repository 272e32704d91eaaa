//! Public keys that tokens are signed with, their names, and the one place that checks a token's
//! signature.

use super::jwt::{ec_thumbprint, okp_thumbprint, rsa_thumbprint};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::{self as algorithm, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

/// A public key of a kind whose signatures are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    spki: Vec<u8>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ed25519(Vec<u8>),
    /// The point, uncompressed
    P256(Vec<u8>),
    P384(Vec<u8>),
    /// PKCS#1 `RSAPublicKey`
    Rsa(Vec<u8>),
}

impl Key {
    /// Reads a `SubjectPublicKeyInfo`; none if the key is of another kind, or weak.
    pub(super) fn from_spki(der: &[u8]) -> Option<Self> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der).ok()?;
        let bits = info.subject_public_key.data.to_vec();
        let curve = || {
            let parameters = info.algorithm.parameters.as_ref()?;
            Some(parameters.as_oid().ok()?.to_id_string())
        };
        let material = match info.parsed() {
            Ok(PublicKey::RSA(key)) if RSA_BITS.contains(&key.key_size()) => Material::Rsa(bits),
            Ok(PublicKey::EC(_)) => match (curve()?.as_str(), bits.len()) {
                ("1.2.840.10045.3.1.7", 65) => Material::P256(bits),
                ("1.3.132.0.34", 97) => Material::P384(bits),
                _ => return None,
            },
            _ if info.algorithm.algorithm.to_id_string() == "1.3.101.112" && bits.len() == 32 => {
                Material::Ed25519(bits)
            }
            _ => return None,
        };
        rest.is_empty().then(|| Self {
            spki: der.to_vec(),
            material,
        })
    }

    /// The names by which tokens choose this key: libtrust's and that of RFC 7638.
    pub(super) fn ids(&self) -> [String; 2] {
        [self.libtrust_id(), self.thumbprint()]
    }

    /// Whether this key made the signature, by an algorithm of this key (RFC 7518, RFC 8037).
    pub(super) fn verifies(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, key): (&dyn VerificationAlgorithm, _) = match (&self.material, alg) {
            (Material::Ed25519(key), "EdDSA") => (&algorithm::ED25519, key),
            (Material::P256(key), "ES256") => (&algorithm::ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), "ES384") => (&algorithm::ECDSA_P384_SHA384_FIXED, key),
            (Material::Rsa(key), "RS256") => (&algorithm::RSA_PKCS1_2048_8192_SHA256, key),
            (Material::Rsa(key), "RS384") => (&algorithm::RSA_PKCS1_2048_8192_SHA384, key),
            (Material::Rsa(key), "RS512") => (&algorithm::RSA_PKCS1_2048_8192_SHA512, key),
            _ => return false,
        };
        let key = UnparsedPublicKey::new(algorithm, key);
        key.verify(message, signature).is_ok()
    }

    /// The first 30 bytes of the key's SHA-256, in base32, in twelve groups (libtrust, `util.go`).
    fn libtrust_id(&self) -> String {
        let hash = digest(&SHA256, &self.spki);
        let hash = hash.as_ref().get(..30).unwrap_or_default();
        let groups = hash.chunks(5).map(|five| {
            let bits = five
                .iter()
                .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            let letter = |place: u32| base32((bits >> (35 - 5 * place)) & 31);
            let letters: String = (0..8).map(letter).collect();
            let (left, right) = letters.split_at(4);
            format!("{left}:{right}")
        });
        groups.collect::<Vec<_>>().join(":")
    }

    fn thumbprint(&self) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let of_point = |curve, point: &[u8]| {
            let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
            ec_thumbprint(curve, &encode(x), &encode(y))
        };
        match &self.material {
            Material::Ed25519(key) => okp_thumbprint(&encode(key)),
            Material::P256(point) => of_point("P-256", point),
            Material::P384(point) => of_point("P-384", point),
            Material::Rsa(der) => {
                let Ok((_, key)) = RSAPublicKey::from_der(der) else {
                    return String::new();
                };
                rsa_thumbprint(
                    &encode(unsigned(key.exponent)),
                    &encode(unsigned(key.modulus)),
                )
            }
        }
    }
}

/// SHA-256 in base64url.
pub(super) fn hash_base64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A positive number without the zeros in front that DER needs.
fn unsigned(integer: &[u8]) -> &[u8] {
    let first = integer.iter().position(|byte| *byte != 0);
    first.and_then(|first| integer.get(first..)).unwrap_or(&[])
}

fn base32(value: u64) -> char {
    let value = u8::try_from(value & 31).unwrap_or_default();
    char::from(if value < 26 {
        b'A' + value
    } else {
        b'2' + value - 26
    })
}

/// Bits of the RSA keys that are believed.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, A.2.1.
    const RSA: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    /// RFC 7638, 3.1.
    const OTHER_RSA: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    fn base64(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head = match length {
            0..0x80 => vec![tag, u8::try_from(length).unwrap()],
            _ => [
                &[tag, 0x82],
                &u16::try_from(length).unwrap().to_be_bytes()[..],
            ]
            .concat(),
        };
        [head, content.to_vec()].concat()
    }

    fn spki(algorithm: &str, key: &[u8]) -> Vec<u8> {
        let bits = der(3, &[&[0], key].concat());
        der(0x30, &[hex::decode(algorithm).unwrap(), bits].concat())
    }

    fn rsa(modulus: &str) -> Key {
        let modulus = der(2, &[&[0], base64(modulus).as_slice()].concat());
        let key = der(0x30, &[modulus, der(2, &base64("AQAB"))].concat());
        Key::from_spki(&spki("300d06092a864886f70d0101010500", &key)).unwrap()
    }

    fn p256(x: &str, y: &str) -> Key {
        let point = [vec![4], base64(x), base64(y)].concat();
        let spki = spki("301306072a8648ce3d020106082a8648ce3d030107", &point);
        Key::from_spki(&spki).unwrap()
    }

    fn ed25519(x: &str) -> Key {
        Key::from_spki(&spki("300506032b6570", &base64(x))).unwrap()
    }

    #[test]
    fn signatures_of_the_standards_verify_by_their_algorithm_only() {
        let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        // RFC 7515, A.2 and A.3; RFC 8037, A.4.
        let vectors = [
            (
                "RS256",
                rsa(RSA),
                format!("eyJhbGciOiJSUzI1NiJ9.{claims}"),
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
            ),
            (
                "ES256",
                p256(
                    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                ),
                format!("eyJhbGciOiJFUzI1NiJ9.{claims}"),
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
            (
                "EdDSA",
                ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
        ];
        for (alg, key, signed, signature) in vectors {
            let signature = base64(signature);
            let verifies = |alg: &str| key.verifies(alg, signed.as_bytes(), &signature);
            assert!(verifies(alg), "{alg}");
            for other in [
                "none", "", "HS256", "RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA", "eddsa",
            ] {
                assert!(other == alg || !verifies(other), "{alg} by {other}");
            }
            for place in 0..signature.len() {
                let mut flipped = signature.clone();
                flipped[place] ^= 1;
                assert!(!key.verifies(alg, signed.as_bytes(), &flipped));
            }
            assert!(!key.verifies(alg, signed.as_bytes(), &[]));
        }
    }

    #[test]
    fn keys_have_the_names_of_the_standards() {
        for (key, thumbprint) in [
            (
                rsa(OTHER_RSA),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
        ] {
            assert_eq!(key.thumbprint(), thumbprint);
        }
        // By the definition, with other tools.
        let libtrust = "A3R7:3D62:FG5W:BK2Z:KV66:MHW3:BLWN:WIYR:GS7D:BZ23:IVPY:4G3Z";
        let key = ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(key.libtrust_id(), libtrust);
    }

    #[test]
    fn other_keys_are_not_believed() {
        let short = der(0x30, &[der(2, &[0x7f; 128]), der(2, &[1, 0, 1])].concat());
        for bad in [
            vec![],
            spki("300d06092a864886f70d0101010500", &short),
            spki("300506032b6570", &[1; 31]),
            spki("300506032b656e", &[1; 32]),
            // The curve secp256k1
            spki("301006072a8648ce3d020106052b8104000a", &[4; 65]),
            [spki("300506032b6570", &[1; 32]), vec![0]].concat(),
        ] {
            assert_eq!(Key::from_spki(&bad), None, "{}", hex::encode(&bad));
        }
    }
}
