//! Files with the keys and certificates that the settings name.

use super::TokenSettingsError;
use super::key::Key;
use rustls::pki_types::CertificateDer;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// The PEM blocks of one file.
pub(super) struct KeyFile {
    path: PathBuf,
    blocks: Vec<pem::Pem>,
}

/// A certificate with its key.
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    pub(super) key: Key,
}

impl KeyFile {
    pub(super) fn read(path: &Path) -> Result<Self, TokenSettingsError> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
        read.map_err(|source| TokenSettingsError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let mut file = Self {
            path: path.to_owned(),
            blocks: Vec::new(),
        };
        file.blocks = pem::parse_many(&text).map_err(|error| file.bad(&error.to_string()))?;
        if file.blocks.is_empty() {
            return Err(file.bad("it holds nothing in PEM form"));
        }
        Ok(file)
    }

    /// All certificates; an error if there is anything else.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, TokenSettingsError> {
        self.blocks
            .iter()
            .map(|block| self.certificate(block))
            .collect()
    }

    /// All keys, also those in certificates.
    pub(super) fn keys(&self) -> Result<Vec<Key>, TokenSettingsError> {
        let keys = self.blocks.iter().map(|block| match block.tag() {
            "PUBLIC KEY" => Key::from_spki(block.contents()).ok_or_else(|| self.bad(UNUSABLE)),
            _ => Ok(self.certificate(block)?.key),
        });
        keys.collect()
    }

    fn certificate(&self, block: &pem::Pem) -> Result<Certificate, TokenSettingsError> {
        if block.tag() != "CERTIFICATE" {
            let tag = block.tag();
            return Err(self.bad(&format!("it holds a {tag}, not only what is public")));
        }
        let parsed = X509Certificate::from_der(block.contents());
        let (_, parsed) = parsed.map_err(|error| self.bad(&error.to_string()))?;
        let key = Key::from_spki(parsed.public_key().raw).ok_or_else(|| self.bad(UNUSABLE))?;
        Ok(Certificate {
            der: block.contents().to_vec().into(),
            key,
        })
    }

    fn bad(&self, reason: &str) -> TokenSettingsError {
        TokenSettingsError::BadFile {
            path: self.path.clone(),
            reason: reason.to_owned(),
        }
    }
}

const UNUSABLE: &str =
    "it holds a key that is none of RSA of 2048 to 8192 bits, P-256, P-384 and Ed25519";
/// Bytes.
const LARGEST: u64 = 1024 * 1024;
