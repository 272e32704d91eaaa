//! A trust server that accepts what is published, and signs snapshots and timestamps itself.

use super::{GUN, Key, days};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use trust::config::Credentials;
use trust::remote::{Actions, Notary};
use trust::tuf::digest::FileMeta;
use trust::tuf::envelope::{Document, Expires, file_bytes};
use trust::tuf::snapshot::Snapshot;
use trust::tuf::timestamp::Timestamp;

/// A server on a loopback port chosen by the system; gone when dropped.
pub struct NotaryServer {
    url: reqwest::Url,
    store: Arc<Mutex<Store>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Store {
    /// Files by the name under which they are fetched
    files: BTreeMap<String, Vec<u8>>,
    /// The newest file of each role
    newest: BTreeMap<String, Vec<u8>>,
    /// Roles of each publish that was accepted
    published: Vec<Vec<String>>,
    /// How many publishes to turn away as if somebody had been faster
    conflicts: u32,
    /// How many requests are answered before the line is cut
    answers: Option<u32>,
    /// Whether the first request that is not answered is carried out all the same
    heard: bool,
    version: u64,
}

type Shared = Arc<Mutex<Store>>;

impl NotaryServer {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let store = Shared::default();
        let tuf = format!("/v2/{GUN}/_trust/tuf");
        let app = Router::new()
            .route("/v2/", get(|| async { "{}" }))
            .route(&format!("{tuf}/"), post(publish))
            .route(&format!("{tuf}/{{*name}}"), get(file))
            .layer(DefaultBodyLimit::max(64 << 20))
            .layer(from_fn_with_state(store.clone(), cut))
            .with_state(store.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, store, task }
    }

    /// The way to the repository of every test.
    pub fn remote(&self) -> Notary {
        let http = trust::tls::http_client(&trust::tls::TlsFiles::default(), "127.0.0.1").unwrap();
        Notary::new(
            http,
            &self.url,
            GUN,
            Actions::PullPush,
            Credentials::Anonymous,
        )
    }

    /// Turns the next publishes away with `VERSION`.
    pub fn conflicts(&self, times: u32) {
        self.store.lock().unwrap().conflicts = times;
    }

    /// Cuts the line after so many answers; the next request is carried out before, if `heard`.
    pub fn cut_after(&self, answers: Option<u32>, heard: bool) {
        let mut store = self.store.lock().unwrap();
        (store.answers, store.heard) = (answers, heard);
    }

    /// The roles of every publish so far, each sorted.
    pub fn published(&self) -> Vec<Vec<String>> {
        self.store.lock().unwrap().published.clone()
    }

    /// What the newest file of a role says.
    pub fn signed(&self, role: &str) -> serde_json::Value {
        let file = self.store.lock().unwrap().newest[role].clone();
        serde_json::from_slice::<serde_json::Value>(&file).unwrap()["signed"].clone()
    }
}

impl Drop for NotaryServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn cut(State(store): State<Shared>, request: Request, next: Next) -> Response {
    let gone = || StatusCode::FORBIDDEN.into_response();
    let heard = {
        let mut store = store.lock().unwrap();
        match store.answers {
            None => None,
            Some(0) => Some(std::mem::take(&mut store.heard)),
            Some(left) => {
                store.answers = Some(left - 1);
                None
            }
        }
    };
    match heard {
        None => next.run(request).await,
        Some(false) => gone(),
        Some(true) => {
            next.run(request).await;
            gone()
        }
    }
}

async fn file(State(store): State<Shared>, Path(name): Path<String>) -> Response {
    let key = |seed| String::from_utf8(json_key(seed)).unwrap().into_response();
    match name.as_str() {
        "snapshot.key" => key(SNAPSHOT_KEY),
        "timestamp.key" => key(TIMESTAMP_KEY),
        name => match store.lock().unwrap().files.get(name) {
            Some(file) => file.clone().into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

async fn publish(State(store): State<Shared>, mut form: Multipart) -> Response {
    let mut files = BTreeMap::new();
    while let Some(part) = form.next_field().await.unwrap() {
        let role = part.file_name().unwrap().to_owned();
        files.insert(role, part.bytes().await.unwrap().to_vec());
    }
    let mut store = store.lock().unwrap();
    let older = files.iter().any(|(role, file)| {
        store
            .newest
            .get(role)
            .is_some_and(|newest| version(newest) >= version(file))
    });
    if store.conflicts > 0 || older {
        store.conflicts = store.conflicts.saturating_sub(1);
        let body = r#"{"errors":[{"code":"VERSION","message":"A newer version of metadata is already available.","detail":{}}]}"#;
        return (StatusCode::BAD_REQUEST, body).into_response();
    }
    store.accept(files);
    StatusCode::OK.into_response()
}

impl Store {
    fn accept(&mut self, files: BTreeMap<String, Vec<u8>>) {
        self.published.push(files.keys().cloned().collect());
        for (role, file) in files {
            self.keep(&role, file);
        }
        self.version += 1;
        let meta = self
            .newest
            .iter()
            .filter(|(role, _)| !["snapshot", "timestamp"].contains(&role.as_str()));
        let meta = meta
            .map(|(role, file)| (role.clone(), FileMeta::of(file)))
            .collect();
        let snapshot = Snapshot {
            expires: Expires::at(days(300)),
            meta,
            version: self.version,
        };
        let snapshot = sealed(&snapshot, SNAPSHOT_KEY);
        let timestamp = Timestamp {
            expires: Expires::at(days(14)),
            snapshot: FileMeta::of(&snapshot),
            version: self.version,
        };
        self.keep("snapshot", snapshot);
        self.keep("timestamp", sealed(&timestamp, TIMESTAMP_KEY));
    }

    fn keep(&mut self, role: &str, file: Vec<u8>) {
        let hash = FileMeta::of(&file).sha256_hex().unwrap();
        for name in [
            format!("{role}.json"),
            format!("{role}.{hash}.json"),
            format!("{}.{role}.json", version(&file)),
        ] {
            self.files.insert(name, file.clone());
        }
        self.newest.insert(role.to_owned(), file);
    }
}

fn version(file: &[u8]) -> u64 {
    let json: serde_json::Value = serde_json::from_slice(file).unwrap();
    json["signed"]["version"].as_u64().unwrap()
}

fn sealed<T: Document>(facts: &T, seed: u8) -> Vec<u8> {
    let signed = facts.node();
    let signature = Key::seed(seed).sign(&signed.canonical());
    file_bytes(&signed, &[signature])
}

fn json_key(seed: u8) -> Vec<u8> {
    use base64::Engine as _;
    let public = base64::engine::general_purpose::STANDARD.encode(Key::seed(seed).public.public());
    format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{public}","private":null}}}}"#)
        .into_bytes()
}

const SNAPSHOT_KEY: u8 = 201;
const TIMESTAMP_KEY: u8 = 202;
