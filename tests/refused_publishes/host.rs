//! Our trust server, whole but for its program, with the clock of the test world.

use crate::world::{GUN, Publisher, form, now};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::net::TcpListener;
use trust::hosting::{Hosting, Options};
use trust::listen::{Limits, Listener, serve};
use trust::server::Server;
use trust::server::access::Access;
use trust::server::settings::Settings;
use trust::tls::{TlsFiles, http_client};
use trust::tuf::accept::{Bounds, Margins};
use trust_store::server::{SealSource, Sealer, Store};

/// A server on a loopback port chosen by the system; gone when dropped.
pub struct Host {
    url: String,
    http: Client,
    task: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// Everything that can be read of the repository of every test.
#[derive(Debug, PartialEq)]
pub struct State(BTreeMap<String, (u16, Vec<u8>)>);

/// Files to publish, by role.
pub type Files = Vec<(String, Vec<u8>)>;

impl Host {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::in_folder(folder.path());
        let store = Store::open(&settings.store.url).await.unwrap();
        let seal = folder.path().join("seal.key");
        SealSource::create_key_file(&seal).unwrap();
        let sealer = Sealer::open(&store, SealSource::KeyFile(seal))
            .await
            .unwrap();
        let access = Access::new(&settings.access, store.clone()).unwrap();
        let hour = jiff::SignedDuration::from_hours(1);
        let options = Options {
            bounds: Bounds::default(),
            margins: Margins {
                snapshot: hour,
                timestamp: hour,
            },
            memory: 1 << 20,
        };
        let hosting = Hosting::new(store, sealer, options);
        let server = Arc::new(Server::new(hosting, access, &settings, now, 0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = move |request, peer| {
            let server = Arc::clone(&server);
            async move { server.answer(request, peer).await }
        };
        let forever = std::future::pending();
        let task = tokio::spawn(serve(
            None,
            Listener::Tcp(listener),
            None,
            Limits::default(),
            service,
            forever,
        ));
        Self {
            url,
            http: http_client(&TlsFiles::default(), "127.0.0.1").unwrap(),
            task,
            _folder: folder,
        }
    }

    /// Forgets what there was, and publishes an honest repository of which everything has version
    /// 5. The publisher keeps the snapshot key.
    pub async fn honest(&self) -> Publisher {
        let (status, _) = self.send(Method::DELETE, "tuf/", None).await;
        assert_eq!(status, 200);
        let mut publisher = Publisher::new();
        let (_, key) = self.send(Method::GET, "tuf/timestamp.key", None).await;
        publisher.entrust_server("timestamp", &key);
        for version in 1..=5 {
            publisher.root.version = version;
            publisher.snapshot.version = version;
            let mut files = publisher.files();
            files.retain(|(role, _)| version == 1 || role == "root" || role == "snapshot");
            let answer = self.publish(&files).await;
            assert_eq!(answer, "200", "an honest version {version}");
        }
        publisher
    }

    /// Publishes; the status, and code and class of an error.
    pub async fn publish(&self, files: &Files) -> String {
        let parts: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(role, file)| (role.as_str(), file.as_slice()))
            .collect();
        self.post(form(&parts)).await
    }

    /// Sends a body of this type to where publishes go.
    pub async fn post(&self, body: (String, Vec<u8>)) -> String {
        let (status, body) = self.send(Method::POST, "tuf/", Some(body)).await;
        if status == 200 {
            return "200".to_owned();
        }
        let error: Value = serde_json::from_slice(&body).unwrap();
        let error = &error["errors"][0];
        let code = error["code"].as_str().unwrap();
        let class = error["detail"]["Name"].as_str();
        class.map_or(code.to_owned(), |class| format!("{code} {class}"))
    }

    pub async fn state(&self) -> State {
        let mut state = BTreeMap::new();
        for name in [
            "changefeed?records=1000",
            "tuf/root.json",
            "tuf/snapshot.json",
            "tuf/targets.json",
            "tuf/targets/alice.json",
            "tuf/targets/releases.json",
            "tuf/timestamp.json",
        ] {
            state.insert(name.to_owned(), self.send(Method::GET, name, None).await);
        }
        State(state)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(String, Vec<u8>)>,
    ) -> (u16, Vec<u8>) {
        let url = format!("{}/v2/{GUN}/_trust/{path}", self.url);
        let mut request = self.http.request(method, url);
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        let reply = request.send().await.unwrap();
        (
            reply.status().as_u16(),
            reply.bytes().await.unwrap().to_vec(),
        )
    }
}

impl State {
    /// The file of a role.
    pub fn file(&self, role: &str) -> &[u8] {
        &self.0[&format!("tuf/{role}.json")].1
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}
