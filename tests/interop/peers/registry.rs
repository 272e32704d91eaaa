//! Debian's docker-registry on plain loopback HTTP, and pushing to it by hand.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;

use super::{
    http::{Answer, Http},
    image::{self, Image, Manifest},
    service::{NotReady, Service, on_a_free_port},
};

/// Whom a registry lets in.
#[derive(Clone, Copy)]
pub(crate) enum Lock {
    /// Everybody.
    Open,
    /// Only [`HTPASSWD_USER`].
    Htpasswd,
}

/// A running, empty registry.
pub(crate) struct Registry {
    /// `localhost:PORT`.
    pub(crate) host: String,
    http: Http,
    lock: Lock,
    service: Service,
}

impl Registry {
    /// Starts with its storage in `folder`.
    pub(crate) fn start(folder: &Path, lock: Lock) -> Self {
        on_a_free_port(|port| start_on(port, folder, lock))
    }

    /// Pushes an image and its parts under `repository:tag`.
    pub(crate) fn push(&self, repository: &str, tag: &str, image: &Image) {
        self.put_blob(repository, &image.config);
        self.put_blob(repository, &image.layer);
        self.put_manifest(repository, tag, &image.manifest);
    }

    /// Puts the manifest's bytes as they are under a tag or digest.
    pub(crate) fn put_manifest(&self, repository: &str, name: &str, manifest: &Manifest) {
        let url = self.url(&format!("{repository}/manifests/{name}"));
        let kind = [("content-type", manifest.media_type)];
        let answer = self.request(Method::PUT, &url, &kind, manifest.bytes.clone());
        assert_eq!(
            answer.status,
            201,
            "{url}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }

    /// How often anything of a repository was asked for.
    pub(crate) fn requests_for(&self, repository: &str) -> usize {
        let path = format!("/v2/{repository}/");
        let log = self.service.log();
        log.lines().filter(|line| line.contains(&path)).count()
    }

    fn put_blob(&self, repository: &str, bytes: &[u8]) {
        let start = self.url(&format!("{repository}/blobs/uploads/"));
        let answer = self.request(Method::POST, &start, &[], Vec::new());
        let upload = answer.headers.get("location").expect("an upload location");
        let upload = upload.to_str().expect("an ASCII location");
        let joined = if upload.contains('?') { '&' } else { '?' };
        let url = format!("{upload}{joined}digest={}", image::digest(bytes));
        let kind = [("content-type", "application/octet-stream")];
        let answer = self.request(Method::PUT, &url, &kind, bytes.to_vec());
        assert_eq!(
            answer.status,
            201,
            "{url}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }

    fn request(&self, method: Method, url: &str, head: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut head = head.to_vec();
        let pair = basic(HTPASSWD_USER);
        if matches!(self.lock, Lock::Htpasswd) {
            head.push(("authorization", &pair));
        }
        let answer = self.http.send(method, url, &head, body);
        answer.unwrap_or_else(|| panic!("{url}: no answer"))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.host)
    }
}

/// The value of an `Authorization` header with this name and password.
fn basic((name, password): (&str, &str)) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{name}:{password}"))
    )
}

fn start_on(port: u16, folder: &Path, lock: Lock) -> Result<Registry, NotReady> {
    let storage = folder.join("registry");
    let mark = storage.display().to_string();
    let mut configuration = format!(
        "version: 0.1\n\
         storage: {{cache: {{blobdescriptor: inmemory}}, filesystem: {{rootdirectory: {mark}}}}}\n\
         http: {{addr: '127.0.0.1:{port}', headers: {{X-Lab: ['{mark}']}}}}\n"
    );
    if matches!(lock, Lock::Htpasswd) {
        let users = folder.join("htpasswd");
        fs::write(&users, HTPASSWD).expect("a password file");
        let users = users.display();
        configuration =
            format!("{configuration}auth: {{htpasswd: {{realm: lab, path: {users}}}}}\n");
    }
    let file = folder.join("registry.yml");
    fs::write(&file, configuration).expect("a configuration file");
    let file = file.to_str().expect("a UTF-8 path");
    let log = folder.join("registry.log");
    let mut service = Service::start("docker-registry", &["serve", file], &log);
    let http = Http::new(None);
    let ping = format!("http://127.0.0.1:{port}/v2/");
    // The header tells our registry from any other that might have taken the port.
    let ours = |answer: Answer| answer.headers.get("x-lab").is_some_and(|it| *it == *mark);
    service.wait_until(|| http.get(&ping, &[]).is_some_and(ours))?;
    Ok(Registry {
        host: format!("localhost:{port}"),
        http,
        lock,
        service,
    })
}

/// Name and password that a registry with [`Lock::Htpasswd`] knows.
pub(crate) const HTPASSWD_USER: (&str, &str) = ("nigel", "horse battery");
/// The same as `htpasswd -B` writes it: the registry reads bcrypt only.
const HTPASSWD: &str = "nigel:$2b$04$UGw1Iasx8mZ9m215g44EwOzVbtU1scDUG1tZsUYNGdAHsFNANCDxq\n";
