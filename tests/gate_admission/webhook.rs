//! A webhook in this process, and the API server's side of it.

use crate::world::{GUN, Server, now};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use trust::config::Credentials;
use trust::gate::admission::{Admission, ExtraPath};
use trust::gate::{Gate, Log};
use trust::listen::{self, CertificateFiles, Limits, Listener, Tls};
use trust::policy::Policy;
use trust::remote::{Actions, Notary};
use trust::repository::{Decider, Repository};
use trust_store::metadata::Cache;

/// A webhook at work; gone when dropped.
pub struct Webhook {
    pub url: String,
    pub client: reqwest::Client,
    folder: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

/// An answer: its status, and its body as text.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    /// The response in it, which has to be of version 1.
    #[track_caller]
    pub fn response(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        let answer: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(answer["kind"], "AdmissionReview");
        assert_eq!(
            answer["response"]["uid"],
            "705ab4f5-6393-11e8-b7cc-42010a800002"
        );
        answer["response"].clone()
    }
}

impl Webhook {
    /// Decides by this policy and what this server has of [`GUN`].
    pub async fn start(policy: Policy, server: &Server, extra: Vec<ExtraPath>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (trust_dir, url) = (folder.path().join("trust"), server.url.clone());
        let decider = Decider::opening(move |image, _| {
            let (trust_dir, url) = (trust_dir.clone(), url.clone());
            Box::pin(async move {
                let tls = trust::tls::TlsFiles::default();
                let http = trust::tls::http_client(&tls, "127.0.0.1").unwrap();
                let who = Credentials::Anonymous;
                let remote = Notary::new(http, &url, image.gun(), Actions::Pull, who);
                let cache = Cache::at(&trust_dir).repository(image.gun()).unwrap();
                Ok(Repository::new(image.gun(), cache, Some(remote)))
            })
        });
        let log = Log::to(&folder.path().join("decisions"), 1 << 20, 1).unwrap();
        let gate = Gate::new(policy, decider, log, Duration::from_secs(30), now);
        let (files, authority) = certificates(folder.path(), "127.0.0.1");
        let tls = Tls::open(files).unwrap();
        let listener = listen::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let admission = Arc::new(Admission::new(gate, extra));
        let service = move |request, _| {
            let admission = Arc::clone(&admission);
            async move { admission.answer(request).await }
        };
        let (listener, limits) = (Listener::Tcp(listener), Limits::default());
        let forever = std::future::pending();
        let task = tokio::spawn(listen::serve(
            None,
            listener,
            Some(tls),
            limits,
            service,
            forever,
        ));
        Self {
            url,
            client: client(&authority),
            folder,
            task,
        }
    }

    /// What it answers to a body at a path.
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.post(format!("{}{path}", self.url)).body(body);
        answer(request).await
    }

    /// What it answers to a review that may change the object.
    pub async fn mutate(&self, review: &Value) -> Value {
        let answer = self.post("/mutate?timeout=10s", review.to_string());
        answer.await.response()
    }

    /// The same for one that may not.
    pub async fn validate(&self, review: &Value) -> Value {
        let answer = self.post("/validate?timeout=10s", review.to_string());
        answer.await.response()
    }

    /// The decisions written down so far.
    pub fn decisions(&self) -> Vec<Value> {
        let log = fs::read_to_string(self.folder.path().join("decisions")).unwrap();
        log.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends a request.
pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    Answer { status, text }
}

/// A client that believes this authority and nobody else.
pub fn client(authority: &str) -> reqwest::Client {
    trust::tls::install_provider();
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([authority]);
    client.no_proxy().build().unwrap()
}

/// A certificate of this name with its key, as files; and the authority that vouches for it.
pub fn certificates(folder: &Path, name: &str) -> (CertificateFiles, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let files = CertificateFiles {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
        client_ca: None,
        check_every: Duration::from_mins(1),
    };
    fs::write(&files.certificate, certificate.pem()).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    (files, authority.pem())
}

/// The signed image by its tag.
pub fn signed() -> String {
    format!("{GUN}:{}", crate::world::TAG)
}

/// The digest that is signed.
pub fn digest() -> String {
    trust::reference::Digest::of(b"manifest").to_string()
}
