//! Debian's docker-registry on plain loopback HTTP, and pushing to it by hand.

use std::{fs, path::Path};

use reqwest::Method;

use super::{
    http::{Answer, Http},
    image::{self, Image, Manifest},
    service::{NotReady, Service, on_a_free_port},
};

/// A running, empty registry.
pub(crate) struct Registry {
    /// `localhost:PORT`.
    pub(crate) host: String,
    http: Http,
    _service: Service,
}

impl Registry {
    /// Starts with its storage in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        on_a_free_port(|port| start_on(port, folder))
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
        let answer = self.http.send(method, url, head, body);
        answer.unwrap_or_else(|| panic!("{url}: no answer"))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.host)
    }
}

fn start_on(port: u16, folder: &Path) -> Result<Registry, NotReady> {
    let storage = folder.join("registry");
    let mark = storage.display().to_string();
    let configuration = format!(
        "version: 0.1\n\
         storage: {{cache: {{blobdescriptor: inmemory}}, filesystem: {{rootdirectory: {mark}}}}}\n\
         http: {{addr: '127.0.0.1:{port}', headers: {{X-Lab: ['{mark}']}}}}\n"
    );
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
        _service: service,
    })
}
