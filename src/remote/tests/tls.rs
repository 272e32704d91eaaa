//! Whom we believe.

use super::*;

struct Certified {
    address: SocketAddr,
    pem: String,
}

async fn serve_tls(name: &str) -> Certified {
    serve_certified(rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap()).await
}

async fn serve_certified(parameters: rcgen::CertificateParams) -> Certified {
    crate::tls::install_provider();
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = parameters.self_signed(&key).unwrap().pem();
    let key = key.serialize_pem();
    let config = axum_server::tls_rustls::RustlsConfig::from_pem(pem.clone().into(), key.into())
        .await
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum_server::from_tcp_rustls(listener, config).unwrap();
    tokio::spawn(
        server.serve(
            Router::new()
                .fallback(any(|| async { (StatusCode::OK, "yes") }))
                .into_make_service(),
        ),
    );
    Certified { address, pem }
}

async fn over_tls(url: String, pem: Option<&str>) -> Result<Vec<u8>, RemoteError> {
    let mut files = TlsFiles::default();
    let folder = tempfile::tempdir().unwrap();
    if let Some(pem) = pem {
        let path = folder.path().join("ca.crt");
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), pem.as_bytes())
            .unwrap();
        files = TlsFiles::from_ca_file(&path).unwrap();
    }
    let http = http_client(&files, "localhost").unwrap();
    Notary::new(
        http,
        &url.parse().unwrap(),
        GUN,
        Actions::Pull,
        Credentials::Anonymous,
    )
    .metadata(TIMESTAMP, LIMIT)
    .await
}

#[tokio::test]
async fn servers_are_believed_only_for_their_name_and_authority() {
    let good = serve_tls("localhost").await;
    let url = format!("https://localhost:{}", good.address.port());
    assert_eq!(
        over_tls(url.clone(), Some(&good.pem)).await.unwrap(),
        b"yes"
    );
    let fault = |result: Result<Vec<u8>, RemoteError>| match result.unwrap_err() {
        RemoteError::Tls { fault, .. } => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(over_tls(url, None).await), TlsFault::UnknownAuthority);
    let other = serve_tls("other.example").await;
    let wrong_name = format!("https://localhost:{}", other.address.port());
    assert_eq!(
        fault(over_tls(wrong_name, Some(&other.pem)).await),
        TlsFault::Name
    );
    let (plain, _) = same(200, "").await;
    let not_tls = plain.as_str().replace("http://", "https://");
    assert_eq!(fault(over_tls(not_tls, None).await), TlsFault::PlainHttp);
}

#[tokio::test]
async fn a_self_signed_authority_may_be_its_own_server_if_named() {
    let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let server = serve_certified(parameters.clone()).await;
    let url = format!("https://localhost:{}", server.address.port());
    assert_eq!(
        over_tls(url.clone(), Some(&server.pem)).await.unwrap(),
        b"yes"
    );
    let stranger = serve_certified(parameters.clone()).await;
    for pem in [None, Some(stranger.pem.as_str())] {
        let error = over_tls(url.clone(), pem).await.unwrap_err();
        assert!(
            matches!(
                error,
                RemoteError::Tls {
                    fault: TlsFault::UnknownAuthority,
                    ..
                }
            ),
            "{error:?}"
        );
    }
    parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let expired = serve_certified(parameters).await;
    let url = format!("https://localhost:{}", expired.address.port());
    let error = over_tls(url, Some(&expired.pem)).await.unwrap_err();
    assert!(
        matches!(
            error,
            RemoteError::Tls {
                fault: TlsFault::Dates,
                ..
            }
        ),
        "{error:?}"
    );
}
