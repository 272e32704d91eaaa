//! Certificates, versions, and who is let in.

use super::*;
use crate::tls::{Identity, TlsFiles, client_config};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A connection of a client that trusts this certificate and may show one.
async fn dial(
    server: &Running,
    trusted: &CertificateDer<'static>,
    identity: Option<Identity>,
) -> io::Result<TlsStream<TcpStream>> {
    let files = TlsFiles {
        authorities: vec![trusted.clone()],
        identities: identity.into_iter().collect(),
    };
    let mut config = client_config(&files).unwrap();
    config.alpn_protocols.clear();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = server.connect().await;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> io::Result<String> {
    stream
        .write_all(b"GET /here HTTP/1.1\r\nhost: x\r\n\r\n")
        .await?;
    let mut some = [0; 1024];
    let read = stream.read(&mut some).await?;
    Ok(String::from_utf8_lossy(&some[..read]).into_owned())
}

fn shown(stream: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    chain[0].clone().into_owned()
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() {
    let folder = folder();
    let (files, made) = certificate(folder.path(), "server");
    let server = start(
        Some(Tls::open(files).unwrap()),
        Limits::default(),
        async |request, _| {
            let request: Request<Incoming> = request;
            answer(200, format!("{:?}", request.version()))
        },
    )
    .await;
    let mut stream = dial(&server, made.cert.der(), None).await.unwrap();
    assert!(ask(&mut stream).await.unwrap().ends_with("HTTP/1.1"));
    let files = TlsFiles {
        authorities: vec![made.cert.der().clone()],
        identities: Vec::new(),
    };
    let http = crate::tls::http_client(&files, "localhost").unwrap();
    let url = format!("https://localhost:{}/", server.address.port());
    let answer = http.get(&url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "HTTP/2.0");
    let large = http.get(&url).header("large", "x".repeat(40_000));
    assert_eq!(large.send().await.unwrap().status(), 431);
}

#[tokio::test]
async fn a_silent_connection_of_http_2_is_cut() {
    let folder = folder();
    let (files, made) = certificate(folder.path(), "server");
    let server = start(Some(Tls::open(files).unwrap()), short(), echo).await;
    let files = TlsFiles {
        authorities: vec![made.cert.der().clone()],
        identities: Vec::new(),
    };
    let config = client_config(&files).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector
        .connect(name, server.connect().await)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut some = [0; 1024];
    while let Ok(1..) = stream.read(&mut some).await {}
    server.stop().await;
}

#[tokio::test]
async fn old_versions_of_tls_are_refused() {
    let folder = folder();
    let (files, _) = certificate(folder.path(), "server");
    let server = start(Some(Tls::open(files).unwrap()), Limits::default(), echo).await;
    for minor in [0, 1, 2] {
        let mut client = server.connect().await;
        client.write_all(&client_hello(minor)).await.unwrap();
        let mut alert = [0; 7];
        client.read_exact(&mut alert).await.unwrap();
        let (kind, fatal, protocol_version) = (21, 2, 70);
        assert_eq!(
            (alert[0], alert[5], alert[6]),
            (kind, fatal, protocol_version)
        );
    }
}

/// What a client says first that knows nothing newer than SSL 3.0, TLS 1.0 or TLS 1.1.
fn client_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    hello.push(0);
    hello.extend([0, 4, 0xc0, 0x13, 0x00, 0x2f]);
    hello.extend([1, 0]);
    let signature_algorithms = [0, 13, 0, 4, 0, 2, 4, 3];
    hello.extend([0, 8]);
    hello.extend(signature_algorithms);
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, minor, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[tokio::test]
async fn whoever_speaks_plainly_is_told_so() {
    let folder = folder();
    let (files, _) = certificate(folder.path(), "server");
    let server = start(Some(Tls::open(files).unwrap()), Limits::default(), echo).await;
    let mut client = server.connect().await;
    send(&mut client, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = rest(&mut client).await;
    assert!(answer.starts_with("HTTP/1.0 400"), "{answer}");
    assert!(
        answer.contains("HTTP request to an HTTPS server"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_new_certificate_is_used_and_open_connections_stay() {
    let folder = folder();
    let (files, old) = certificate(folder.path(), "server");
    let tls = Tls::open(files.clone()).unwrap();
    let server = start(Some(tls.clone()), Limits::default(), echo).await;
    let mut before = dial(&server, old.cert.der(), None).await.unwrap();
    assert_eq!(tls.certificate(), *old.cert.der());

    let (_, new) = certificate(folder.path(), "server");
    while tls.certificate() != *new.cert.der() {
        sleep(Duration::from_millis(5)).await;
    }
    let mut after = dial(&server, new.cert.der(), None).await.unwrap();
    assert_eq!(shown(&after), *new.cert.der());
    assert!(ask(&mut before).await.unwrap().ends_with("/here"));
    assert!(ask(&mut after).await.unwrap().ends_with("/here"));
}

#[tokio::test]
async fn a_broken_certificate_changes_nothing() {
    let folder = folder();
    let (files, made) = certificate(folder.path(), "server");
    let tls = Tls::open(files.clone()).unwrap();
    let server = start(Some(tls.clone()), Limits::default(), echo).await;
    write(&files.certificate, "nothing");
    let problem = tls.reload().unwrap_err().to_string();
    assert!(
        problem.ends_with("server.crt holds no certificate in PEM form"),
        "{problem}"
    );
    let (other, _) = certificate(folder.path(), "other");
    std::fs::copy(&other.certificate, &files.certificate).unwrap();
    let problem = tls.reload().unwrap_err().to_string();
    assert!(
        problem.ends_with("server.key do not belong together"),
        "{problem}"
    );
    let mut stream = dial(&server, made.cert.der(), None).await.unwrap();
    assert!(ask(&mut stream).await.unwrap().ends_with("/here"));
    write(&files.certificate, &made.cert.pem());
    assert!(!tls.reload().unwrap());
}

#[test]
fn problems_are_named_with_their_file() {
    let folder = folder();
    let (files, _) = certificate(folder.path(), "server");
    let other = certificate(folder.path(), "other").0;
    let absent = folder.path().join("absent");
    let large = folder.path().join("large");
    write(&large, &"x".repeat(2_000_000));
    let with = |change: fn(&mut CertificateFiles, &Path), path: &Path| {
        let mut files = files.clone();
        change(&mut files, path);
        Tls::open(files).unwrap_err().to_string()
    };
    let table = [
        (
            with(|files, path| files.certificate = path.into(), &absent),
            "cannot read",
        ),
        (
            with(|files, path| files.certificate = path.into(), &large),
            "is larger than",
        ),
        (
            with(|files, path| files.certificate = path.into(), &files.key),
            "holds no certificate",
        ),
        (
            with(|files, path| files.key = path.into(), &files.certificate),
            "holds no private key",
        ),
        (
            with(|files, path| files.key = path.into(), &other.key),
            "do not belong together",
        ),
        (
            with(
                |files, path| files.client_ca = Some(path.into()),
                &files.key,
            ),
            "holds no certificate",
        ),
    ];
    for (problem, words) in table {
        assert!(problem.contains(words), "{problem}");
    }
}

#[tokio::test]
async fn with_an_authority_of_clients_nobody_else_is_let_in() {
    let folder = folder();
    let (mut files, made) = certificate(folder.path(), "server");
    let (client_files, client) = certificate(folder.path(), "client");
    files.client_ca = Some(client_files.certificate);
    let service = async |_, peer: Arc<Peer>| {
        let certificate = peer.certificate.as_ref().map_or(&[][..], AsRef::as_ref);
        answer(200, hex::encode(certificate))
    };
    let server = start(Some(Tls::open(files).unwrap()), Limits::default(), service).await;
    let identity = |made: &rcgen::CertifiedKey<rcgen::KeyPair>| Identity {
        chain: vec![made.cert.der().clone()],
        key: PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap(),
    };
    for stranger in [None, Some(identity(&made))] {
        // With TLS 1.3 a client learns only afterwards that it is not let in.
        let refused = match dial(&server, made.cert.der(), stranger).await {
            Ok(mut stream) => ask(&mut stream).await,
            Err(error) => Err(error),
        };
        assert!(refused.is_err(), "{refused:?}");
    }
    let mut stream = dial(&server, made.cert.der(), Some(identity(&client)))
        .await
        .unwrap();
    let answer = ask(&mut stream).await.unwrap();
    assert!(
        answer.ends_with(&hex::encode(client.cert.der())),
        "{answer}"
    );
}
