//! The registry proxy against a registry and a trust server in memory: what it lets through, what
//! it refuses, and what it asks of whom.

mod clients;
mod hostile;
mod image;
mod names;
mod outages;
mod over_tls;
mod parts;
mod pinned;
mod registry;
mod remarks;
mod rules;
mod running;
mod starting;
mod streams;
mod tags;

use crate::world::{GUN, Publisher, Server, TAG, now};
use axum::body::Bytes;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::ext::ReasonPhrase;
use hyper::{HeaderMap, Request};
use image::Image;
use registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use trust::config::{Credentials, DockerConfig};
use trust::gate::proxy::{Clients, Proxy, Settings};
use trust::gate::{Gate, Log};
use trust::listen::Peer;
use trust::policy::Policy;
use trust::reference::ImageReference;
use trust::remote::{Actions, Notary};
use trust::repository::{Decider, Repository};
use trust::tls::{TlsFiles, http_client};
use trust_store::metadata::Cache;

/// A registry, a trust server, a publisher, and the gate between them and the world.
pub struct Scene {
    pub registry: Registry,
    pub trust: Server,
    /// A trust server that knows no repository
    pub nobody: Server,
    pub publisher: Publisher,
    pub gate: Gate,
    pub proxy: Proxy,
    pub folder: Arc<tempfile::TempDir>,
}

/// An answer of the gate.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub reason: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The repository that has a publisher.
pub const APP: &str = "team/app";

impl Scene {
    /// Every image has to be signed.
    pub async fn new() -> Self {
        Self::under(Policy::signed()).await
    }

    pub async fn under(policy: Policy) -> Self {
        Self::set(policy, now, |_| ()).await
    }

    /// A scene at some time, with other settings.
    pub async fn set(
        policy: Policy,
        clock: fn() -> jiff::Timestamp,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        Self::around(Registry::start().await, policy, clock, change).await
    }

    /// A scene around this registry.
    pub async fn around(
        registry: Registry,
        policy: Policy,
        clock: fn() -> jiff::Timestamp,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let (trust, nobody) = (Server::start().await, Server::start().await);
        let gate = gate(policy, clock, [&trust, &nobody], &folder);
        let mut settings = settings(&folder);
        change(&mut settings);
        Self {
            proxy: Proxy::new(gate.clone(), settings).unwrap(),
            registry,
            trust,
            nobody,
            publisher: Publisher::new(),
            gate,
            folder,
        }
    }

    /// The gate after a restart: what it kept on disk, and nothing else.
    pub fn restart(&mut self, policy: Policy, clock: fn() -> jiff::Timestamp) {
        let servers = [&self.trust, &self.nobody];
        self.gate = gate(policy, clock, servers, &self.folder);
        self.proxy = Proxy::new(self.gate.clone(), settings(&self.folder)).unwrap();
    }

    /// Pushes an image and signs it as [`TAG`].
    pub fn signed_image(&mut self) -> Image {
        let image = image::image(&self.registry, APP, &[TAG], "the app");
        self.sign(TAG, &image.bytes);
        image
    }

    /// Publishes that the tag means these bytes.
    pub fn sign(&mut self, tag: &str, manifest: &[u8]) {
        for role in ["targets/releases", "targets/alice"] {
            self.publisher.sign_image(role, tag, manifest);
        }
        self.publisher.advance();
        self.publisher.publish(&self.trust);
    }

    /// The path of something of a repository.
    pub fn path(&self, repository: &str, rest: impl std::fmt::Display) -> String {
        format!("/v2/{}/{repository}/{rest}", self.registry.host)
    }

    /// Asks for a manifest of [`APP`].
    pub async fn manifest(&self, version: impl std::fmt::Display) -> Got {
        self.get(&self.path(APP, format!("manifests/{version}")))
            .await
    }

    /// Asks for a blob of [`APP`].
    pub async fn blob(&self, digest: impl std::fmt::Display) -> Got {
        self.get(&self.path(APP, format!("blobs/{digest}"))).await
    }

    pub async fn get(&self, path: &str) -> Got {
        self.ask("GET", path, &[]).await
    }

    pub async fn head(&self, path: &str) -> Got {
        self.ask("HEAD", path, &[]).await
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Got {
        self.ask_from("127.0.0.1:1", method, path, headers).await
    }

    pub async fn ask_from(
        &self,
        address: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Got {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = Peer {
            address: address.parse().unwrap(),
            certificate: None,
        };
        let reply = self.proxy.answer(&request.body(()).unwrap(), &peer).await;
        let (head, body) = reply.into_parts();
        let reason = head.extensions.get::<ReasonPhrase>();
        Got {
            status: head.status.as_u16(),
            reason: reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned()),
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }
}

/// A policy as people write it.
fn policy(text: &str) -> Policy {
    Policy::parse(text, &mut |file| Err(format!("no {file}"))).unwrap()
}

fn gate(
    policy: Policy,
    clock: fn() -> jiff::Timestamp,
    servers: [&Server; 2],
    folder: &Arc<tempfile::TempDir>,
) -> Gate {
    let urls = servers.map(|server| server.url.clone());
    let folder = Arc::clone(folder);
    let decider = Decider::opening(move |image: ImageReference, _| {
        let (urls, folder) = (urls.clone(), Arc::clone(&folder));
        async move {
            // Whatever the port, one repository has a publisher; nobody publishes the others.
            let known = image.path() == APP;
            let [ours, nobodys] = &urls;
            let (gun, url) = if known {
                (GUN, ours)
            } else {
                (image.gun(), nobodys)
            };
            let http = http_client(&TlsFiles::default(), "127.0.0.1").unwrap();
            let remote = Notary::new(http, url, gun, Actions::Pull, Credentials::Anonymous);
            let kept = Cache::at(folder.path()).repository(gun).unwrap();
            Ok(Repository::new(gun, kept, Some(remote)))
        }
        .boxed()
    });
    Gate::new(policy, decider, Log::none(), Duration::from_secs(10), clock)
}

fn settings(folder: &Arc<tempfile::TempDir>) -> Settings {
    let folder = Arc::clone(folder);
    Settings {
        clients: Clients::Here { in_the_clear: true },
        default: "docker.io".to_owned(),
        redirect: false,
        docker: Box::new(move || DockerConfig::load(folder.path(), None)),
        tls_ca: None,
        memory: 1 << 20,
    }
}

impl Got {
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
            .to_str()
            .unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Refused in the form that registries' clients understand, with these words for people.
    #[track_caller]
    pub fn is_refused(&self, words: &str) -> &Self {
        self.is(403);
        let json = self.json();
        let error = &json["errors"][0];
        assert_eq!(error["code"], "DENIED", "{self:?}");
        assert!(error["detail"].is_string(), "{self:?}");
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{self:?}"
        );
        let reason = self.reason.as_ref().unwrap();
        assert!(reason.is_ascii() && !reason.is_empty(), "{self:?}");
        self
    }
}
