//! Certificates and keys on disk: Docker's folders for a host, or one file of authorities.

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Extra authorities to believe, and certificates to show.
#[derive(Debug, Default)]
pub struct TlsFiles {
    /// Authorities added to the system's.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Client certificates with their keys, by file name; the first is the one shown.
    pub identities: Vec<Identity>,
}

/// A client certificate chain and the key that goes with it.
#[derive(Debug)]
pub struct Identity {
    /// The certificate, then those that vouch for it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate.
    pub key: PrivateKeyDer<'static>,
}

impl TlsFiles {
    /// The authorities in one PEM file.
    pub fn from_ca_file(path: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            authorities: certificates(path)?,
            identities: Vec::new(),
        })
    }

    /// Everything in Docker's folder for a host: `*.crt`, and pairs `X.cert` with `X.key`.
    ///
    /// A folder that does not exist holds nothing (docker/cli, internal/registry).
    pub fn from_folder(folder: &Path) -> Result<Self, TlsError> {
        let mut files = Self::default();
        for path in entries(folder)? {
            match path.extension().and_then(OsStr::to_str) {
                Some("crt") => files.authorities.extend(certificates(&path)?),
                Some("cert") => files.identities.push(identity(&path)?),
                Some("key") => require_certificate(&path)?,
                _ => {}
            }
        }
        Ok(files)
    }

    /// Both sets together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.authorities.extend(other.authorities);
        self.identities.extend(other.identities);
        self
    }
}

/// Why certificates could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The HTTP client could not be built.
    #[error("cannot set up HTTP: {source}")]
    Client {
        /// What the HTTP library said.
        source: reqwest::Error,
    },
    /// A key without its certificate, in Docker's words.
    #[error("missing client certificate {certificate} for key {key}")]
    MissingCertificate {
        /// The file that should be there.
        certificate: String,
        /// The file that is there.
        key: String,
    },
    /// A client certificate without its key, in Docker's words.
    #[error(
        "missing key {key} for client certificate {certificate}. CA certificates must use the extension .crt"
    )]
    MissingKey {
        /// The file that is there.
        certificate: String,
        /// The file that should be there.
        key: String,
    },
    /// A file that holds nothing of what its name promises.
    #[error("{path} holds no {expected} in PEM form")]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
    /// Certificates or keys that TLS cannot work with.
    #[error("cannot use these certificates: {source}")]
    Rejected {
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// A file or folder that cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TlsError> {
    let listing = match std::fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(TlsError::Unreadable {
                path: folder.to_owned(),
                source,
            });
        }
    };
    let mut paths = listing
        .take(MAX_FILES)
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| TlsError::Unreadable {
            path: folder.to_owned(),
            source,
        })?;
    paths.sort();
    Ok(paths)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .flatten()
        .collect();
    if found.is_empty() {
        return Err(TlsError::NotPem {
            path: path.to_owned(),
            expected: "certificate",
        });
    }
    Ok(found)
}

fn identity(certificate: &Path) -> Result<Identity, TlsError> {
    let key = certificate.with_extension("key");
    if !key.exists() {
        return Err(TlsError::MissingKey {
            certificate: name(certificate),
            key: name(&key),
        });
    }
    let pem = zeroize::Zeroizing::new(read(&key)?);
    Ok(Identity {
        chain: certificates(certificate)?,
        key: PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NotPem {
            path: key,
            expected: "private key",
        })?,
    })
}

fn require_certificate(key: &Path) -> Result<(), TlsError> {
    let certificate = key.with_extension("cert");
    if certificate.exists() {
        return Ok(());
    }
    Err(TlsError::MissingCertificate {
        certificate: name(&certificate),
        key: name(key),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    Ok(bytes)
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// A system bundle of every public authority is a quarter of this.
const MAX_FILE: u64 = 1024 * 1024;
/// More files than this in one folder are not certificates of one host.
const MAX_FILES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn certificate() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            write(&folder.path().join(name), content);
        }
        folder
    }

    fn write(path: &Path, content: &str) {
        File::create(path)
            .unwrap()
            .write_all(content.as_bytes())
            .unwrap();
    }

    #[test]
    fn a_folder_gives_authorities_and_pairs() {
        let (certificate, key) = certificate();
        let folder = folder(&[
            ("ca.crt", &certificate),
            ("me.cert", &certificate),
            ("me.key", &key),
            ("notes.txt", "x"),
        ]);
        let files = TlsFiles::from_folder(folder.path()).unwrap();
        assert_eq!((files.authorities.len(), files.identities.len()), (1, 1));
        assert!(super::super::client_config(&files).is_ok());
    }

    #[test]
    fn no_folder_is_no_fault() {
        let files = TlsFiles::from_folder(Path::new("/nonexistent/tls")).unwrap();
        assert!(files.authorities.is_empty() && files.identities.is_empty());
    }

    #[test]
    fn half_a_pair_is_refused_in_dockers_words() {
        let (certificate, key) = certificate();
        let lonely_certificate = folder(&[("me.cert", &certificate)]);
        let error = TlsFiles::from_folder(lonely_certificate.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "missing key me.key for client certificate me.cert. CA certificates must use the extension .crt"
        );
        let lonely_key = folder(&[("me.key", &key)]);
        let error = TlsFiles::from_folder(lonely_key.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "missing client certificate me.cert for key me.key"
        );
    }

    #[test]
    fn files_without_pem_are_named() {
        let folder = folder(&[("ca.crt", "not a certificate")]);
        let error = TlsFiles::from_folder(folder.path()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("ca.crt holds no certificate in PEM form")
        );
        assert!(TlsFiles::from_ca_file(&folder.path().join("absent.pem")).is_err());
    }
}
