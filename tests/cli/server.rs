//! A trust server that answers everything with one status and one body.

use axum::{Router, http::StatusCode, routing::any};
use axum_server::tls_rustls::RustlsConfig;
use std::{net::TcpListener, path::PathBuf, thread};

/// A server on a loopback port; it runs as long as the test process.
pub(super) struct Server {
    /// Where it listens
    pub(super) url: String,
    /// The certificate of its authority
    pub(super) ca: PathBuf,
    _folder: tempfile::TempDir,
}

/// How a server speaks.
#[derive(Clone, Copy)]
pub(super) enum Speaks {
    /// TLS
    Tls,
    /// What nobody expects behind an https address
    PlainHttp,
}

impl Server {
    /// Answers every request with this status and body.
    pub(super) fn start(speaks: Speaks, status: u16, body: &'static str) -> Self {
        trust::tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let ca = folder.path().join("ca.crt");
        trust_store::write_atomic(&ca, key.cert.pem().as_bytes(), 0o600).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        let app = Router::new()
            .fallback(any(move || async move { (status, body) }))
            .into_make_service();
        let (certificate, secret) = (key.cert.pem(), key.signing_key.serialize_pem());
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                match speaks {
                    Speaks::Tls => {
                        let config = RustlsConfig::from_pem(certificate.into(), secret.into());
                        let config = config.await.unwrap();
                        let server = axum_server::from_tcp_rustls(listener, config).unwrap();
                        server.serve(app).await
                    }
                    Speaks::PlainHttp => axum_server::from_tcp(listener).unwrap().serve(app).await,
                }
            })
        });
        Self {
            url,
            ca,
            _folder: folder,
        }
    }
}
