//! The server's certificate: read from files, and again when they change.
//!
//! A new certificate counts for new connections; a broken one is named in the log and the old one
//! stays.

use crate::tls::provider;
use ring::digest::{Context, SHA256, digest};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring::Ticketer,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use std::{
    fmt::Display,
    fs::File,
    future::pending,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};
use tokio::{task::spawn_blocking, time::sleep};
use zeroize::Zeroizing;

/// The files TLS is made of, in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that vouch for it.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
    /// Authorities of clients: whoever shows no certificate of theirs is turned away.
    pub client_ca: Option<PathBuf>,
    /// How often the files are looked at.
    pub check_every: Duration,
}

/// TLS 1.2 and 1.3 with a certificate that may change. Clones are the same.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    files: CertificateFiles,
    protocols: Protocols,
    current: RwLock<Current>,
    looked: Mutex<Looked>,
}

#[derive(Clone, Debug)]
struct Current {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

/// What looks at the files have given.
#[derive(Debug)]
struct Looked {
    used: Fingerprint,
    /// What could not be used, and whether that was said.
    refused: Option<(Fingerprint, bool)>,
}

/// What TLS offers to speak, in order of preference.
type Protocols = &'static [&'static [u8]];

/// SHA-256 of the files' contents.
type Fingerprint = [u8; 32];

/// Why certificates could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// A certificate and a key of different pairs.
    #[error(
        "the certificate in {} and the private key in {} do not belong together",
        certificate.display(),
        key.display()
    )]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// A file that holds nothing of what its name promises.
    #[error("{} holds no {expected} in PEM form", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
    /// What TLS cannot work with.
    #[error("cannot use {}: {reason}", path.display())]
    Rejected {
        /// The file.
        path: PathBuf,
        /// What the TLS library said.
        reason: String,
    },
    /// A file larger than any honest one.
    #[error("{} is larger than {MAX_FILE} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Tls {
    /// TLS with what the files hold now.
    pub fn open(files: CertificateFiles) -> Result<Self, CertificateProblem> {
        Self::offering(&[b"h2", b"http/1.1"], files)
    }

    /// The same for HTTP/1.1 only, whose answers have words in their status line.
    pub fn open_for_http1(files: CertificateFiles) -> Result<Self, CertificateProblem> {
        Self::offering(&[b"http/1.1"], files)
    }

    fn offering(protocols: Protocols, files: CertificateFiles) -> Result<Self, CertificateProblem> {
        let contents = Contents::read(&files)?;
        Ok(Self(Arc::new(Shared {
            current: RwLock::new(contents.parse(&files, protocols)?),
            protocols,
            looked: Mutex::new(Looked {
                used: contents.fingerprint(),
                refused: None,
            }),
            files,
        })))
    }

    /// New connections get what the files hold now; what is open stays open.
    ///
    /// Files that cannot be used change nothing. `true` if they held something new.
    pub fn reload(&self) -> Result<bool, CertificateProblem> {
        let contents = Contents::read(&self.0.files)?;
        let fingerprint = contents.fingerprint();
        let mut looked = locked(&self.0.looked);
        if looked.used == fingerprint {
            looked.refused = None;
            return Ok(false);
        }
        let next = contents.parse(&self.0.files, self.0.protocols)?;
        *self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner) = next;
        *looked = Looked {
            used: fingerprint,
            refused: None,
        };
        Ok(true)
    }

    /// The server's own certificate, as new connections see it.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.current(|current| current.certificate.clone())
    }

    /// The settings of a new connection.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.current(|current| Arc::clone(&current.config))
    }

    fn current<T>(&self, what: impl Fn(&Current) -> T) -> T {
        what(
            &self
                .0
                .current
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Reloads if the files changed, and says in the log what came of it.
    fn look(&self) {
        match self.reload() {
            Ok(false) => {}
            Ok(true) => {
                let file = self.0.files.certificate.display();
                tracing::info!(%file, "the certificate was replaced");
            }
            Err(problem) => self.refuse(&problem),
        }
    }

    /// Says once why new files are not used, if they are still the same at the second look.
    ///
    /// Between a new key and the certificate that goes with it, nothing is wrong.
    fn refuse(&self, problem: &CertificateProblem) {
        let seen = Contents::read(&self.0.files).map_or([0; 32], |contents| contents.fingerprint());
        let mut looked = locked(&self.0.looked);
        let told = match looked.refused {
            Some((refused, told)) if refused == seen => {
                if !told {
                    tracing::error!(%problem, "the certificate is not replaced; the old one stays");
                }
                true
            }
            _ => false,
        };
        looked.refused = Some((seen, told));
    }
}

/// Looks at the files again and again; never ends.
pub(super) async fn watch(tls: Option<&Tls>) {
    let Some(tls) = tls else {
        return pending().await;
    };
    loop {
        sleep(tls.0.files.check_every).await;
        let tls = tls.clone();
        // Certificates may lie on a slow disk. An error would say that the look panicked.
        let _ = spawn_blocking(move || tls.look()).await;
    }
}

/// What the files hold.
struct Contents {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

impl Contents {
    fn read(files: &CertificateFiles) -> Result<Self, CertificateProblem> {
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: Zeroizing::new(read(&files.key)?),
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    fn fingerprint(&self) -> Fingerprint {
        let mut whole = Context::new(&SHA256);
        let client_ca = self.client_ca.as_deref().unwrap_or_default();
        let parts = [self.certificate.as_slice(), &self.key, client_ca];
        for part in parts {
            whole.update(digest(&SHA256, part).as_ref());
        }
        let mut fingerprint = Fingerprint::default();
        fingerprint.copy_from_slice(whole.finish().as_ref());
        fingerprint
    }

    fn parse(
        &self,
        files: &CertificateFiles,
        protocols: Protocols,
    ) -> Result<Current, CertificateProblem> {
        let chain = certificates(&self.certificate, &files.certificate)?;
        let certificate = chain
            .first()
            .cloned()
            .ok_or_else(|| CertificateProblem::NotPem {
                path: files.certificate.clone(),
                expected: "certificate",
            })?;
        let key =
            PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| CertificateProblem::NotPem {
                path: files.key.clone(),
                expected: "private key",
            })?;
        let clients = match (&self.client_ca, &files.client_ca) {
            (Some(bytes), Some(path)) => Some(clients_of(&certificates(bytes, path)?, path)?),
            _ => None,
        };
        let config = configured(chain, key, clients, protocols).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CertificateProblem::Mismatch {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            },
            other => rejected(&files.certificate, &other),
        })?;
        Ok(Current {
            config: Arc::new(config),
            certificate,
        })
    }
}

fn configured(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    protocols: Protocols,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    // A resumed session would go by what its client showed long ago.
    let resumes = clients.is_none();
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if resumes {
        config.ticketer = Ticketer::new()?;
    } else {
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

fn clients_of(
    authorities: &[CertificateDer<'static>],
    path: &Path,
) -> Result<Arc<dyn ClientCertVerifier>, CertificateProblem> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots
            .add(authority.clone())
            .map_err(|error| rejected(path, &error))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| rejected(path, &error))
}

fn certificates(
    pem: &[u8],
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, CertificateProblem> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(CertificateProblem::NotPem {
            path: path.to_owned(),
            expected: "certificate",
        }),
    }
}

fn rejected(path: &Path, error: &impl Display) -> CertificateProblem {
    CertificateProblem::Rejected {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateProblem> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(|source| CertificateProblem::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE) {
        return Err(CertificateProblem::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A system bundle of every public authority is a quarter of this.
const MAX_FILE: u64 = 1024 * 1024;
