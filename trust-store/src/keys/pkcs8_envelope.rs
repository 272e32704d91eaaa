//! PKCS#8 encrypted with a passphrase (PBES2): Docker's own form, and OpenSSL's.

use pkcs8::der::asn1::{ObjectIdentifier, OctetString};
use pkcs8::der::{Decode, Encode, ErrorKind};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params, Pbkdf2Prf, Salt};
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
        let info = EncryptedPrivateKeyInfoOwned::from_der(der).map_err(|e| match e.kind() {
            ErrorKind::OidUnknown { oid } => unsupported(oid),
            _ => KeyError::damaged(e),
        })?;
        let pkcs5::EncryptionScheme::Pbes2(parameters) = info.encryption_algorithm else {
            return Err(unsupported(info.encryption_algorithm.oid()));
        };
        check_cost(&parameters.kdf)?;
        let ciphertext = info.encrypted_data.into_bytes().into_vec();
        if ciphertext.is_empty() || !whole_blocks(&parameters, &ciphertext) {
            return Err(KeyError::damaged("the encrypted part is cut off"));
        }
        Ok(Self {
            parameters,
            ciphertext,
        })
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
            let memory = cost
                .saturating_mul(128)
                .saturating_mul(scrypt.block_size.into());
            at_most("scrypt memory", memory, MAX_SCRYPT_MEMORY)?;
            at_most(
                "scrypt parallelization",
                scrypt.parallelization.into(),
                MAX_SCRYPT_LANES,
            )
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
/// 256 MiB; OpenSSL refuses above 32 MiB by default.
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
const MAX_SCRYPT_LANES: u64 = 16;
