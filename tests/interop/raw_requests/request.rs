//! One HTTP request as written, byte for byte: no client tidies up the path.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

/// A way to one server.
pub(crate) struct Wire {
    host: String,
    tls: Arc<ClientConfig>,
}

/// What is sent.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    /// To the server at `host`, for which the authority in `ca` vouches.
    pub(crate) fn to(host: &str, ca: &Path) -> Self {
        trust::tls::install_provider();
        let mut roots = RootCertStore::empty();
        let pem = fs::read(ca).expect("a CA file");
        let authority = CertificateDer::from_pem_slice(&pem).expect("a certificate");
        roots.add(authority).expect("an authority");
        let tls = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            host: host.to_owned(),
            tls: Arc::new(tls),
        }
    }

    /// The reply; `None` when the server hangs up without one.
    pub(crate) fn send(&self, request: &Request<'_>) -> Option<Reply> {
        let mut stream = self.written(request);
        let mut reply = Vec::new();
        let _ = stream.read_to_end(&mut reply);
        Reply::parse(&reply)
    }

    /// Sends the whole request, and is gone after this time.
    pub(crate) fn send_and_leave(&self, request: &Request<'_>, after: Duration) {
        let stream = self.written(request);
        thread::sleep(after);
        drop(stream);
    }

    fn written(&self, request: &Request<'_>) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = TcpStream::connect(&self.host).expect("a server");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_nodelay(true).expect("a socket");
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let tls = ClientConnection::new(Arc::clone(&self.tls), name).expect("a connection");
        let mut stream = StreamOwned::new(tls, socket);
        // A server may answer and hang up before it has read everything.
        let _ = stream.write_all(&self.bytes(request));
        let _ = stream.flush();
        stream
    }

    /// The body of a plain GET, whatever its status.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let request = Request {
            method: "GET",
            path,
            headers: Vec::new(),
            body: Vec::new(),
        };
        self.send(&request).expect("an answer").body
    }

    fn bytes(&self, request: &Request<'_>) -> Vec<u8> {
        let Request {
            method,
            path,
            headers,
            body,
        } = request;
        let mut lines = vec![
            format!("{method} {path} HTTP/1.1"),
            format!("Host: {}", self.host),
            "Connection: close".to_owned(),
        ];
        if !body.is_empty() || *method == "POST" {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        lines.extend(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        let head = lines.join("\r\n") + "\r\n\r\n";
        [head.as_bytes(), body].concat()
    }
}

impl Reply {
    /// The value of a header, `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = joined(&reply.body);
        }
        Some(reply)
    }
}

/// The body of which these are the chunks.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|it| it == b"\r\n") {
        let size = String::from_utf8_lossy(&chunks[..end]).into_owned();
        let size = usize::from_str_radix(&size, 16).expect("the size of a chunk");
        let Some(chunk) = chunks.get(end + 2..end + 2 + size) else {
            break;
        };
        body.extend_from_slice(chunk);
        chunks = chunks.get(end + 4 + size..).unwrap_or_default();
    }
    body
}

const PATIENCE: Duration = Duration::from_secs(20);
