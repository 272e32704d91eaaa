//! Bodies over TLS from a server that does as it is told.

use super::*;
use http_body_util::BodyExt;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server};

type Peer = server::TlsStream<TcpStream>;

struct Server {
    url: String,
    files: TlsFiles,
    task: JoinHandle<()>,
}

impl Server {
    /// A server that does this with its first connection, and has no second.
    async fn doing<F>(act: impl FnOnce(Peer) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let chain = vec![made.cert.der().clone()];
        let config = ServerConfig::builder_with_provider(super::super::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            drop(listener);
            let accepted = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
            if let Ok(peer) = accepted {
                act(peer).await;
            }
        });
        let files = TlsFiles {
            authorities: chain,
            identities: Vec::new(),
        };
        Self {
            url: format!("https://localhost:{port}/blob"),
            files,
            task,
        }
    }

    /// A server that says this to whatever it is asked, and no more.
    async fn saying(answer: &'static str) -> Self {
        Self::doing(async move |mut peer| {
            head(&mut peer).await;
            peer.write_all(answer.as_bytes()).await.unwrap();
            peer.flush().await.unwrap();
            // Until the client goes away.
            let _ = peer.read(&mut [0]).await;
        })
        .await
    }

    fn client(&self) -> StreamingClient {
        StreamingClient::new(&self.files, "localhost").unwrap()
    }

    async fn get(&self, client: &StreamingClient) -> Result<Response, StreamError> {
        client.send(client.usual().get(&self.url)).await
    }
}

/// What the peer asks, up to the empty line.
async fn head(peer: &mut Peer) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(peer.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn bytes(length: usize) -> Vec<u8> {
    // As many as a prime, so that no block is like another.
    (0..=250).cycle().take(length).collect()
}

#[tokio::test]
async fn bodies_arrive_whole_one_after_another_on_one_connection() {
    let sizes = [0, 1, 4096, 16_384, READ_AT_ONCE, 3_000_001];
    let server = Server::doing(async move |mut peer| {
        for size in sizes {
            let head = head(&mut peer).await;
            assert!(head.starts_with("GET /blob HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("user-agent: trust/"), "{head}");
            let said = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
            peer.write_all(said.as_bytes()).await.unwrap();
            peer.write_all(&bytes(size)).await.unwrap();
            peer.flush().await.unwrap();
        }
    })
    .await;
    let client = server.client();
    for size in sizes {
        let answer = server.get(&client).await.unwrap();
        assert_eq!(answer.url().as_str(), server.url);
        assert_eq!(answer.content_length(), u64::try_from(size).ok());
        assert!(answer.bytes().await.unwrap() == bytes(size), "{size}");
    }
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_an_error() {
    let server = Server::doing(async |mut peer| {
        head(&mut peer).await;
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\nlayer of";
        peer.write_all(half).await.unwrap();
        // As it should be in TLS, which makes the body no longer.
        peer.shutdown().await.unwrap();
    })
    .await;
    let answer = server.get(&server.client()).await.unwrap();
    assert!(answer.bytes().await.is_err());
}

#[tokio::test]
async fn of_a_body_that_is_too_long_comes_what_was_announced() {
    let long = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nlayers";
    let server = Server::saying(long).await;
    let answer = server.get(&server.client()).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), "layer");
}

#[tokio::test]
async fn silence_ends_the_wait_before_the_head_and_in_the_body() {
    for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nlay"] {
        let server = Server::saying(said).await;
        let patience = Duration::from_millis(200);
        let client = StreamingClient::with_patience(&server.files, "localhost", patience).unwrap();
        match server.get(&client).await {
            Err(error) => assert!(said.is_empty() && error.is_late(), "{error:?}"),
            Ok(answer) => {
                let error = answer.bytes().await.unwrap_err();
                let said = super::super::causes(&error).last().unwrap().to_string();
                assert_eq!(said, "no answer in time");
            }
        }
    }
}

/// What nobody takes stays with the server, and who goes away frees it.
#[tokio::test]
async fn a_slow_reader_holds_up_the_server_and_one_that_leaves_ends_it() {
    const BODY: usize = 256 << 20;
    let mut server = Server::doing(async |mut peer| {
        head(&mut peer).await;
        let said = format!("HTTP/1.1 200 OK\r\ncontent-length: {BODY}\r\n\r\n");
        peer.write_all(said.as_bytes()).await.unwrap();
        let some = bytes(1 << 20);
        let mut sent = 0;
        while sent < BODY && peer.write_all(&some).await.is_ok() {
            sent += some.len();
        }
        assert!(sent < BODY, "all of it was taken");
    })
    .await;
    let answer = server.get(&server.client()).await.unwrap();
    let mut body = reqwest::Body::from(answer);
    let frame = body.frame().await.unwrap().unwrap();
    assert!(frame.into_data().unwrap().len() <= READ_AT_ONCE);
    let waited = timeout(Duration::from_millis(300), &mut server.task).await;
    assert!(waited.is_err(), "the server was not held up");
    drop(body);
    server.task.await.unwrap();
}

#[tokio::test]
async fn servers_that_cannot_be_believed_are_told_apart() {
    let mut server = Server::saying("").await;
    let client = StreamingClient::new(&TlsFiles::default(), "localhost").unwrap();
    let error = server.get(&client).await.unwrap_err();
    let fault = super::super::tls_cause(&error).unwrap();
    let unknown = rustls::CertificateError::UnknownIssuer.into();
    assert_eq!(fault, &unknown, "{error:?}");
    // Nobody listens there any more.
    (&mut server.task).await.unwrap();
    let error = server.get(&client).await.unwrap_err();
    assert!(error.is_unreached() && !error.is_late(), "{error:?}");
}
