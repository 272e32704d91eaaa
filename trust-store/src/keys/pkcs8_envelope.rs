//! PKCS#8 encrypted with a passphrase (PBES2): Docker's own form, and OpenSSL's.

use pkcs8::der::asn1::{ObjectIdentifier, OctetString, OctetStringRef};
use pkcs8::der::{self, Decode, Encode, ErrorKind, Reader, SliceReader};
use pkcs8::pkcs5::pbes2::{
    EncryptionScheme, Kdf, PBES2_OID, Parameters, Pbkdf2Params, Pbkdf2Prf, Salt,
};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfoOwned, pkcs5};
use zeroize::Zeroizing;

use super::encoding::{from_pkcs8, to_pkcs8};
use super::error::KeyError;
use super::passphrase::Passphrase;
use super::private::{PrivateKey, fill_randomly};

/// An encrypted key whose parameters are known and affordable.
pub(super) struct Envelope {
    parameters: Parameters,
    ciphertext: Vec<u8>,
}

impl Envelope {
    /// Reads DER `EncryptedPrivateKeyInfo` and refuses what would cost too much to open.
    pub(super) fn parse(der: &[u8]) -> Result<Self, KeyError> {
        let (scheme, ciphertext) = split(der).map_err(KeyError::damaged)?;
        if scheme.oid != PBES2_OID {
            return Err(unsupported(scheme.oid));
        }
        let parameters = read_parameters(&scheme)?;
        check_cost(&parameters.kdf)?;
        if ciphertext.is_empty() || !whole_blocks(&parameters, ciphertext) {
            return Err(KeyError::damaged("the encrypted part is cut off"));
        }
        Ok(Self {
            parameters,
            ciphertext: ciphertext.to_vec(),
        })
    }

    /// Whether Docker and Notary read it.
    pub(super) fn is_notarys(&self) -> bool {
        let kdf = match &self.parameters.kdf {
            Kdf::Pbkdf2(pbkdf2) => pbkdf2.prf == Pbkdf2Prf::HmacWithSha1,
            _ => false,
        };
        kdf && matches!(
            self.parameters.encryption,
            EncryptionScheme::Aes256Cbc { .. }
        )
    }

    /// Opens the envelope; only a wrong passphrase or a flipped bit makes the content unreadable.
    pub(super) fn open(&self, passphrase: &Passphrase) -> Result<PrivateKey, KeyError> {
        let mut buffer = Zeroizing::new(self.ciphertext.clone());
        let plain = self
            .parameters
            .decrypt_in_place(passphrase.as_bytes(), &mut buffer)
            .map_err(|error| match error {
                pkcs5::Error::DecryptFailed => KeyError::WrongPassphrase,
                other => KeyError::damaged(other),
            })?;
        from_pkcs8(plain).map_err(KeyError::garbage_means_wrong_passphrase)
    }
}

/// The key as DER `EncryptedPrivateKeyInfo` in the one scheme that Notary v1 reads.
pub(super) fn seal(key: &PrivateKey, passphrase: &Passphrase) -> Result<Vec<u8>, KeyError> {
    let parameters = notary_parameters()?;
    let plain = to_pkcs8(key)?;
    let ciphertext = parameters
        .encrypt(passphrase.as_bytes(), &plain)
        .map_err(KeyError::damaged)?;
    let encrypted_data = OctetString::new(ciphertext).map_err(KeyError::damaged)?;
    let info = EncryptedPrivateKeyInfoOwned {
        encryption_algorithm: parameters.into(),
        encrypted_data,
    };
    info.to_der().map_err(KeyError::damaged)
}

/// PBKDF2 without naming its hash, which means SHA-1, an 8-byte salt, and AES-256-CBC: Notary v1
/// reads nothing else (`tuf/utils/pkcs8.go`; it ignores a hash that is named).
fn notary_parameters() -> Result<Parameters, KeyError> {
    let mut salt = [0; 8];
    let mut iv = [0; 16];
    fill_randomly(&mut salt)?;
    fill_randomly(&mut iv)?;
    let kdf = Kdf::Pbkdf2(Pbkdf2Params {
        salt: Salt::new(salt).map_err(KeyError::damaged)?,
        iteration_count: ITERATIONS,
        key_length: None,
        prf: Pbkdf2Prf::HmacWithSha1,
    });
    Ok(Parameters {
        kdf,
        encryption: EncryptionScheme::Aes256Cbc { iv },
    })
}

fn split(der: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|info| -> der::Result<_> {
        let scheme = AlgorithmIdentifierRef::decode(info)?;
        Ok((scheme, <&OctetStringRef>::decode(info)?.as_bytes()))
    })?;
    reader.finish()?;
    Ok(parts)
}

fn read_parameters(scheme: &AlgorithmIdentifierRef<'_>) -> Result<Parameters, KeyError> {
    let parameters = scheme.parameters_any().map_err(KeyError::damaged)?;
    let parts = parameters.sequence(|parts| -> der::Result<_> {
        Ok((
            AlgorithmIdentifierRef::decode(parts)?,
            AlgorithmIdentifierRef::decode(parts)?,
        ))
    });
    let (kdf, cipher) = parts.map_err(KeyError::damaged)?;
    let kdf = Kdf::try_from(kdf).map_err(|error| match error.kind() {
        ErrorKind::OidUnknown { oid } => unsupported(oid),
        _ => KeyError::damaged(error),
    })?;
    let encryption = EncryptionScheme::try_from(cipher).map_err(|_| unsupported(cipher.oid))?;
    Ok(Parameters { kdf, encryption })
}

fn check_cost(kdf: &Kdf) -> Result<(), KeyError> {
    match kdf {
        Kdf::Pbkdf2(pbkdf2) => {
            let iterations = u64::from(pbkdf2.iteration_count);
            if iterations == 0 {
                return Err(KeyError::damaged("PBKDF2 with no iterations"));
            }
            at_most("PBKDF2 iteration count", iterations, MAX_ITERATIONS)
        }
        Kdf::Scrypt(scrypt) => {
            let cost = scrypt.cost_parameter;
            if cost < 2 || !cost.is_power_of_two() {
                return Err(KeyError::damaged("scrypt cost is not a power of two"));
            }
            let block = u64::from(scrypt.block_size).saturating_mul(scrypt.parallelization.into());
            let work = cost.saturating_mul(128).saturating_mul(block);
            at_most("scrypt work", work, MAX_SCRYPT_WORK)
        }
        other => Err(unsupported(other.oid())),
    }
}

fn at_most(parameter: &'static str, got: u64, limit: u64) -> Result<(), KeyError> {
    if got > limit {
        return Err(KeyError::KdfTooCostly {
            parameter,
            got,
            limit,
        });
    }
    Ok(())
}

fn whole_blocks(parameters: &Parameters, ciphertext: &[u8]) -> bool {
    match parameters.encryption {
        EncryptionScheme::Aes128Gcm { .. } | EncryptionScheme::Aes256Gcm { .. } => true,
        _ => ciphertext.len().is_multiple_of(16),
    }
}

fn unsupported(scheme: ObjectIdentifier) -> KeyError {
    KeyError::UnsupportedEncryption {
        scheme: scheme.to_string(),
    }
}

/// Rounds for keys we write. Notary writes 2048 but takes the count from the file. Every signature
/// that opens a key pays for these: 10 000 cost some milliseconds, and five times the attacker's work.
const ITERATIONS: u32 = 10_000;
/// Some seconds: OpenSSL and password managers stay far below.
const MAX_ITERATIONS: u64 = 10_000_000;
/// Bytes filled, 128·N·r·p, which bounds memory and time; OpenSSL's default is 16 MiB, its limit 32.
const MAX_SCRYPT_WORK: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use pkcs8::pkcs5::pbes2::ScryptParams;

    fn envelope(kdf: Kdf, ciphertext: &[u8]) -> Vec<u8> {
        let encryption = EncryptionScheme::Aes256Cbc { iv: [0; 16] };
        let encryption_algorithm = Parameters { kdf, encryption }.into();
        let encrypted_data = OctetString::new(ciphertext).unwrap();
        EncryptedPrivateKeyInfoOwned {
            encryption_algorithm,
            encrypted_data,
        }
        .to_der()
        .unwrap()
    }

    fn pbkdf2(iteration_count: u32) -> Kdf {
        let (salt, prf) = (Salt::new([0; 8]).unwrap(), Pbkdf2Prf::HmacWithSha1);
        Kdf::Pbkdf2(Pbkdf2Params {
            salt,
            iteration_count,
            key_length: None,
            prf,
        })
    }

    fn scrypt(cost_parameter: u64, block_size: u16, parallelization: u16) -> Kdf {
        let salt = Salt::new([0; 8]).unwrap();
        let key_length = None;
        Kdf::Scrypt(ScryptParams {
            salt,
            cost_parameter,
            block_size,
            parallelization,
            key_length,
        })
    }

    fn refusal(kdf: Kdf) -> Option<KeyError> {
        Envelope::parse(&envelope(kdf, &[0; 16])).err()
    }

    #[test]
    fn costly_parameters_are_refused_before_any_work() {
        for kdf in [
            pbkdf2(10_000_001),
            pbkdf2(u32::MAX),
            scrypt(1 << 19, 8, 1),
            scrypt(1 << 63, u16::MAX, u16::MAX),
            scrypt(2, u16::MAX, 17),
        ] {
            let error = refusal(kdf).unwrap();
            assert!(matches!(error, KeyError::KdfTooCostly { .. }), "{error:?}");
        }
        for kdf in [
            pbkdf2(10_000_000),
            scrypt(1 << 18, 8, 1),
            scrypt(1 << 14, 8, 16),
        ] {
            assert!(refusal(kdf).is_none());
        }
    }

    #[test]
    fn senseless_parameters_are_damage() {
        for kdf in [pbkdf2(0), scrypt(0, 8, 1), scrypt(1, 8, 1), scrypt(3, 8, 1)] {
            let error = refusal(kdf).unwrap();
            assert!(matches!(error, KeyError::Damaged { .. }), "{error:?}");
        }
        for kdf in [scrypt(2, 0, 1), scrypt(2, 8, 0)] {
            let envelope = Envelope::parse(&envelope(kdf, &[0; 16])).unwrap();
            let error = envelope.open(&"passphrase".into()).unwrap_err();
            assert!(matches!(error, KeyError::Damaged { .. }), "{error:?}");
        }
    }

    #[test]
    fn a_cut_ciphertext_is_damage_and_not_a_wrong_passphrase() {
        for length in [0, 1, 15, 17] {
            let error = Envelope::parse(&envelope(pbkdf2(1), &vec![0; length]))
                .err()
                .unwrap();
            assert!(matches!(error, KeyError::Damaged { .. }), "{error:?}");
        }
    }
}
