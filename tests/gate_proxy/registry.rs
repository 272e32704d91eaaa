//! A registry in memory that counts what it is asked and lies when told to.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use trust::reference::Digest;

/// A registry on a loopback port chosen by the system; gone when dropped.
pub struct Registry {
    /// `127.0.0.1:PORT`
    pub host: String,
    shelf: Arc<Mutex<Shelf>>,
    task: tokio::task::JoinHandle<()>,
}

/// What the registry says, by the path below `/v2/`.
#[derive(Default)]
struct Shelf {
    answers: BTreeMap<String, Answer>,
    asked: Vec<Asked>,
    pause: std::time::Duration,
    /// What an `Authorization` has to be, if anything is asked for
    secret: Option<String>,
}

/// One answer.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// The path below `/v2/`, with its query
    pub path: String,
    pub headers: HeaderMap,
}

impl Answer {
    pub fn of(content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            content_type,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::of("text/plain", "")
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Registry {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let shelf = Arc::<Mutex<Shelf>>::default();
        let app = Router::new().fallback(answer).with_state(shelf.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { host, shelf, task }
    }

    /// The same over TLS, with its certificate in PEM.
    pub async fn start_over_tls() -> (Self, String) {
        trust::tls::install_provider();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let config =
            axum_server::tls_rustls::RustlsConfig::from_pem(pem.clone().into(), key.into())
                .await
                .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let shelf = Arc::<Mutex<Shelf>>::default();
        let app = Router::new().fallback(answer).with_state(shelf.clone());
        let server = axum_server::from_tcp_rustls(listener, config).unwrap();
        let task =
            tokio::spawn(async move { server.serve(app.into_make_service()).await.unwrap() });
        (Self { host, shelf, task }, pem)
    }

    /// Asks everybody for a password, and answers only where `Authorization` is this.
    pub fn lock(&self, secret: &str) {
        self.shelf().secret = Some(secret.to_owned());
    }

    /// Answers so from now on.
    pub fn put(&self, path: &str, answer: Answer) {
        self.shelf().answers.insert(path.to_owned(), answer);
    }

    pub fn remove(&self, path: &str) {
        self.shelf().answers.remove(path);
    }

    /// Takes this long for each answer.
    pub fn pause(&self, pause: std::time::Duration) {
        self.shelf().pause = pause;
    }

    /// A blob of a repository; its digest.
    pub fn blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let path = format!("{repository}/blobs/{digest}");
        self.put(&path, Answer::of("application/octet-stream", bytes));
        digest
    }

    /// A manifest of a repository under its digest and these tags; its digest.
    pub fn manifest(&self, repository: &str, tags: &[&str], bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        // What the header says is never what the bytes are.
        let answer = Answer::of("application/vnd.oci.image.manifest.v1+json", bytes);
        for name in tags.iter().copied().chain([digest.as_str()]) {
            self.put(&format!("{repository}/manifests/{name}"), answer.clone());
        }
        digest
    }

    /// What was asked since the last call, pings apart.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shelf().asked)
    }

    /// The paths that were asked for since the last call, pings apart.
    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shelf): State<Arc<Mutex<Shelf>>>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().as_str();
    let path = path.strip_prefix("/v2/").unwrap().to_owned();
    let shown = request.headers().get("authorization");
    let secret = shelf.lock().unwrap().secret.clone();
    if secret.is_some_and(|secret| shown.is_none_or(|shown| *shown != *secret)) {
        let response = Response::builder().status(StatusCode::UNAUTHORIZED);
        let response = response.header("www-authenticate", "Basic realm=\"registry\"");
        return response.body(Body::empty()).unwrap();
    }
    if path.is_empty() {
        return Response::new(Body::from("{}"));
    }
    let (answer, pause) = {
        let mut shelf = shelf.lock().unwrap();
        let bare = path.split('?').next().unwrap();
        let answer = shelf
            .answers
            .get(&path)
            .or(shelf.answers.get(bare))
            .cloned();
        shelf.asked.push(Asked {
            method: request.method().clone(),
            path,
            headers: request.headers().clone(),
        });
        (answer, shelf.pause)
    };
    tokio::time::sleep(pause).await;
    let answer = answer.unwrap_or(Answer::status(404));
    let range = request.headers().get("range");
    let mut response = Response::builder().header("content-type", answer.content_type);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    match range.and_then(|range| part(range.to_str().unwrap(), answer.body.len())) {
        Some((from, to)) if answer.status == 200 => response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(
                "content-range",
                format!("bytes {from}-{to}/{}", answer.body.len()),
            )
            .body(Body::from(answer.body[from..=to].to_vec())),
        _ => response.status(answer.status).body(Body::from(answer.body)),
    }
    .unwrap()
}

fn part(range: &str, length: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let to = to.parse().unwrap_or(length.saturating_sub(1));
    Some((from.parse().ok()?, to))
}
