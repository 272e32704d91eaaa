//! The state machine against rustls's own server, which sends what it is told to.

use super::*;
use crate::tls::{TlsFiles, client_config, provider, tls_cause};
use rustls::{
    AlertDescription, ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::{TLS12, TLS13},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

type Peer = TlsStream<TcpStream>;

/// A server that waits for one connection.
struct Server {
    listener: TcpListener,
    config: Arc<ServerConfig>,
    trusting: Arc<ClientConfig>,
}

impl Server {
    async fn new(version: &'static SupportedProtocolVersion) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let chain = vec![made.cert.der().clone()];
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key)
            .unwrap();
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            config: Arc::new(config),
            trusting: trusting(chain),
        }
    }

    /// Both ends of a connection.
    async fn connected(self) -> (Line, Peer) {
        let accepting = tokio::spawn(connect(self.listener.local_addr().unwrap(), self.trusting));
        let (tcp, _) = self.listener.accept().await.unwrap();
        let peer = TlsAcceptor::from(self.config).accept(tcp).await.unwrap();
        (accepting.await.unwrap().unwrap(), peer)
    }

    /// Somebody on the way to it, who changes what it sends.
    async fn behind(&self, change: impl FnMut(&mut [u8]) + Send + 'static) -> SocketAddr {
        let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, far) = (near.local_addr(), self.listener.local_addr().unwrap());
        tokio::spawn(relay(near, far, change));
        address.unwrap()
    }

    /// Waits for somebody, to whom it sends this much when a byte has come.
    async fn send(self, length: usize) -> io::Result<()> {
        let (tcp, _) = self.listener.accept().await?;
        let mut peer = TlsAcceptor::from(self.config).accept(tcp).await?;
        peer.read_u8().await?;
        peer.write_all(&bytes(length)).await?;
        peer.shutdown().await
    }
}

async fn relay(near: TcpListener, far: SocketAddr, mut change: impl FnMut(&mut [u8])) {
    let (client, _) = near.accept().await.unwrap();
    let server = TcpStream::connect(far).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut some = vec![0; 4096];
    while let Ok(read @ 1..) = from_server.read(&mut some).await {
        change(&mut some[..read]);
        if to_client.write_all(&some[..read]).await.is_err() {
            return;
        }
    }
}

async fn connect(address: SocketAddr, trusting: Arc<ClientConfig>) -> io::Result<Line> {
    let tcp = TcpStream::connect(address).await?;
    Line::shake(tcp, trusting, "localhost".try_into().unwrap()).await
}

/// Who believes these alone.
fn trusting(authorities: Vec<CertificateDer<'static>>) -> Arc<ClientConfig> {
    let identities = Vec::new();
    let files = TlsFiles {
        authorities,
        identities,
    };
    Arc::new(client_config(&files).unwrap())
}

fn bytes(length: usize) -> Vec<u8> {
    // As many as a prime, so that no block is like another.
    (0..=250).cycle().take(length).collect()
}

/// Both directions at once, in pieces of all sizes, with new keys in between.
#[tokio::test]
async fn what_is_written_at_one_end_is_read_at_the_other() {
    for version in [&TLS12, &TLS13] {
        let (line, peer) = Server::new(version).await.connected().await;
        let (mut from_line, mut to_line) = tokio::io::split(line);
        let (mut from_peer, mut to_peer) = tokio::io::split(peer);
        let there = tokio::spawn(async move {
            for piece in bytes(700_000).chunks(9_973) {
                to_line.write_all(piece).await.unwrap();
            }
            to_line.shutdown().await.unwrap();
        });
        let back = tokio::spawn(async move {
            for piece in bytes(3_000_001).chunks(99_991) {
                to_peer.write_all(piece).await.unwrap();
            }
            to_peer.shutdown().await.unwrap();
        });
        let read_there = tokio::spawn(async move {
            let mut all = Vec::new();
            from_peer.read_to_end(&mut all).await.unwrap();
            all
        });
        let mut read_back = Vec::new();
        for size in (0..).map(|round| 1 + round * 7_919 % 300_000) {
            let mut some = vec![0; size];
            match from_line.read(&mut some).await.unwrap() {
                0 => break,
                read => read_back.extend_from_slice(&some[..read]),
            }
        }
        assert!(read_back == bytes(3_000_001), "{version:?}");
        assert!(read_there.await.unwrap() == bytes(700_000), "{version:?}");
        there.await.unwrap();
        back.await.unwrap();
    }
}

#[tokio::test]
async fn new_keys_in_the_middle_change_nothing() {
    let (mut line, mut peer) = Server::new(&TLS13).await.connected().await;
    let serving = tokio::spawn(async move {
        let mut said = [0; 4];
        for round in 0..20_u8 {
            peer.write_all(&vec![round; 20_000]).await.unwrap();
            // This asks for new keys of the other end as well.
            peer.get_mut().1.refresh_traffic_keys().unwrap();
            peer.flush().await.unwrap();
            peer.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"more");
        }
    });
    let mut some = vec![0; 20_000];
    for round in 0..20_u8 {
        line.read_exact(&mut some).await.unwrap();
        assert!(some.iter().all(|byte| *byte == round), "{round}");
        line.write_all(b"more").await.unwrap();
        line.flush().await.unwrap();
    }
    serving.await.unwrap();
}

#[tokio::test]
async fn an_end_that_tls_does_not_know_of_is_an_error() {
    let (mut line, mut peer) = Server::new(&TLS13).await.connected().await;
    peer.write_all(b"part").await.unwrap();
    peer.flush().await.unwrap();
    peer.get_mut().0.shutdown().await.unwrap();
    let mut all = Vec::new();
    let error = line.read_to_end(&mut all).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(all, b"part");
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_not_read() {
    for version in [&TLS12, &TLS13] {
        let server = Server::new(version).await;
        let trusting = Arc::clone(&server.trusting);
        let spoil = |bytes: &mut [u8]| {
            // The handshake is made of smaller pieces than this one.
            if bytes.len() > 3000 {
                bytes[2000] ^= 1;
            }
        };
        let address = server.behind(spoil).await;
        tokio::spawn(server.send(4000));
        let mut line = connect(address, trusting).await.unwrap();
        line.write_all(b"?").await.unwrap();
        let mut some = vec![0; 4000];
        let error = line.read(&mut some).await.unwrap_err();
        assert_eq!(tls_cause(&error), Some(&rustls::Error::DecryptError));
        assert!(some.iter().all(|byte| *byte == 0));
        // Nor later, and the end is an end.
        assert!(line.read(&mut some).await.is_err());
        assert!(line.write(b"more").await.is_err());
        line.shutdown().await.unwrap();
    }
}

/// Whatever a server sends: no panic, and nothing is read that was not sent.
#[tokio::test]
async fn no_changed_byte_of_a_handshake_brings_down_more_than_its_connection() {
    for version in [&TLS12, &TLS13] {
        for changed in (0..1200).step_by(4) {
            let server = Server::new(version).await;
            let trusting = Arc::clone(&server.trusting);
            let mut passed = 0;
            let spoil = move |bytes: &mut [u8]| {
                if let Some(byte) = bytes.get_mut(usize::wrapping_sub(changed, passed)) {
                    *byte ^= 1 << (changed / 4 % 8);
                }
                passed += bytes.len();
            };
            let address = server.behind(spoil).await;
            let sending = tokio::spawn(server.send(100));
            let reading = async {
                let mut all = Vec::new();
                let mut line = connect(address, trusting).await?;
                line.write_all(b"?").await?;
                line.read_to_end(&mut all).await.map(|_| all)
            };
            // Both may be waiting for the rest of what was never so long.
            if let Ok(Ok(all)) = timeout(Duration::from_millis(500), reading).await {
                assert!(all == bytes(100), "{version:?} {changed}");
            }
            sending.abort();
        }
    }
}

#[tokio::test]
async fn a_server_is_told_why_it_is_not_believed() {
    let server = Server::new(&TLS13).await;
    let address = server.listener.local_addr().unwrap();
    let connecting = tokio::spawn(connect(address, trusting(Vec::new())));
    let (tcp, _) = server.listener.accept().await.unwrap();
    let heard = TlsAcceptor::from(server.config).accept(tcp).await;
    let said = connecting.await.unwrap().err().unwrap();
    let unknown = rustls::CertificateError::UnknownIssuer.into();
    assert_eq!(tls_cause(&said), Some(&unknown));
    let heard = heard.unwrap_err();
    let alert = rustls::Error::AlertReceived(AlertDescription::UnknownCA);
    assert_eq!(tls_cause(&heard), Some(&alert));
}

#[tokio::test]
async fn what_is_no_tls_is_said_to_be_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connecting = tokio::spawn(connect(address, trusting(Vec::new())));
    let (mut tcp, _) = listener.accept().await.unwrap();
    tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    let error = connecting.await.unwrap().err().unwrap();
    assert!(tls_cause(&error).is_some(), "{error:?}");
}
