//! Small servers on loopback ports chosen by the system, gone when dropped.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::TcpListener;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// What a server says.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// A running server.
pub struct Server {
    /// `127.0.0.1:PORT`
    pub host: String,
    /// The certificate of who vouches for it; empty without TLS
    pub authority: String,
    _runtime: Runtime,
}

/// A certificate with its key, and the authority that signed it.
pub struct Certificate {
    authority: String,
    chain: String,
    key: String,
}

impl Answer {
    /// A status with a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = Vec::new();
        Self {
            status,
            headers,
            body,
        }
    }

    /// The same with one header more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Yes and no more.
    pub fn ok() -> Self {
        Self::new(200, "{}")
    }
}

impl Server {
    /// HTTPS with a certificate for 127.0.0.1, answering each path.
    pub fn https(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::certified(Certificate::for_name("127.0.0.1"), answer)
    }

    /// HTTPS with this certificate.
    pub fn certified(
        certificate: Certificate,
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        trust::tls::install_provider();
        let (runtime, listener, host) = ready();
        let Certificate {
            authority,
            chain,
            key,
        } = certificate;
        let app = app(answer);
        runtime.spawn(async move {
            let config = RustlsConfig::from_pem(chain.into(), key.into());
            let config = config.await.unwrap();
            let server = axum_server::from_tcp_rustls(listener, config).unwrap();
            server.serve(app.into_make_service()).await.unwrap();
        });
        Self {
            host,
            authority,
            _runtime: runtime,
        }
    }

    /// Plain HTTP.
    pub fn http(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let (runtime, listener, host) = ready();
        let app = app(answer);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
        Self {
            host,
            authority: String::new(),
            _runtime: runtime,
        }
    }

    /// Takes connections and never says a word.
    pub fn silent() -> Self {
        let (runtime, listener, host) = ready();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.push(stream);
            }
        });
        Self {
            host,
            authority: String::new(),
            _runtime: runtime,
        }
    }

    /// A port on which nobody listens.
    pub fn down() -> Self {
        let (runtime, listener, _) = ready();
        drop(listener);
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let host = socket.local_addr().unwrap().to_string();
        // Bound and never listening: refused, and nobody else gets the port.
        runtime.spawn(async move {
            let _kept = socket;
            std::future::pending::<()>().await;
        });
        Self {
            host,
            authority: String::new(),
            _runtime: runtime,
        }
    }
}

impl Certificate {
    /// A good certificate for this name.
    pub fn for_name(name: &str) -> Self {
        Self::with(name, |_| {})
    }

    /// One whose days are over.
    pub fn expired() -> Self {
        Self::with("127.0.0.1", |parameters| {
            parameters.not_before = rcgen::date_time_ymd(2019, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
        })
    }

    fn with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let issuer = authority();
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut parameters);
        Self {
            authority: issuer.pem(),
            chain: parameters.signed_by(&key, &issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
        .distinguished_name
        .push(DnType::CommonName, "bad input");
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

fn ready() -> (Runtime, TcpListener, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    (runtime, listener, host)
}

fn app(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Router {
    let answer = Arc::new(answer);
    Router::new().fallback(move |request: Request| {
        let Answer {
            status,
            headers,
            body,
        } = answer(request.uri().path());
        async move {
            let response = headers.into_iter().fold(
                Response::builder().status(status),
                |response, (name, value)| response.header(name, value),
            );
            response.body(Body::from(body)).unwrap()
        }
    })
}
