//! `trust gate proxy` before a lab's registry, and the engines that are pointed at it.

use std::{fs, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;

use super::{
    home::Home,
    program,
    run::{Ran, run},
    service::Service,
};

/// A running gate whose clients are on this machine.
pub(crate) struct GateProxy {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    service: Service,
}

impl GateProxy {
    /// Starts as the person of `home` would: with their trust directory and their credentials.
    pub(crate) fn start(home: &Home<'_>) -> Self {
        Self::start_with(home, "")
    }

    /// The same with more options.
    pub(crate) fn start_with(home: &Home<'_>, options: &str) -> Self {
        let folder = home.lab.folder();
        let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
        let (certificate, key) = (certificate.display(), key.display());
        Self::speaking(
            home,
            &format!("--tls-cert {certificate} --tls-key {key} {options}"),
        )
    }

    /// Without TLS, as on the machine of its clients.
    pub(crate) fn in_the_clear(home: &Home<'_>) -> Self {
        Self::speaking(home, "--no-tls")
    }

    fn speaking(home: &Home<'_>, options: &str) -> Self {
        let upstream = &home.lab.registry.host;
        let command = home
            .with("DOCKER_CONTENT_TRUST", "1")
            .trust_command(&format!(
                "gate proxy --listen 127.0.0.1:0 --upstream {upstream} {options}"
            ));
        let log = home.folder().join("gate.log");
        let mut service = Service::start_command("trust gate proxy", &command, &log);
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let ready = service.wait_until(|| address(&said()).is_some());
        assert!(ready.is_ok(), "no address in\n{}", said());
        Self {
            host: address(&said()).expect("an address"),
            service,
        }
    }

    /// Stops it; where it was.
    pub(crate) fn stopped(self) -> String {
        let Self { host, service } = self;
        drop(service);
        host
    }

    /// All it has written so far.
    pub(crate) fn log(&self) -> String {
        self.service.log()
    }
}

/// `HOST:PORT` from the line `listening on SCHEME://HOST:PORT`.
fn address(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("listening on ")?;
    let (address, _) = rest.split_once("://")?.1.split_once('\n')?;
    Some(address.trim().to_owned())
}

impl Home<'_> {
    /// Where podman and skopeo are told that `gate` is the lab's registry.
    fn registries(&self, gate: &str) -> PathBuf {
        let registry = &self.lab.registry.host;
        let file = self.folder().join("registries.conf");
        let text = format!("[[registry]]\nprefix = \"{registry}\"\nlocation = \"{gate}\"\n");
        fs::write(&file, text).expect("registries.conf");
        file
    }

    /// A folder with the authority of the gate, as these programs look for it.
    fn certificates(&self) -> PathBuf {
        let folder = self.folder().join("certs");
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy(self.lab.ca(), folder.join("ca.crt")).expect("the authority");
        folder
    }

    /// What `docker login` at the lab's registry leaves.
    pub(crate) fn logs_in(&self, (name, password): (&str, &str)) {
        let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
        let auths = json!({ "auths": { &self.lab.registry.host: { "auth": pair } } });
        let file = self.docker_config().join("config.json");
        fs::write(file, auths.to_string()).expect("config.json");
    }

    /// `podman` with the words of `line` and a store of its own, behind the gate.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn podman(&self, gate: &str, line: &str) -> Ran {
        let file = |name: &str| self.folder().join(name).display().to_string();
        let policy = file("policy.json");
        fs::write(
            &policy,
            r#"{"default":[{"type":"insecureAcceptAnything"}]}"#,
        )
        .expect("a policy");
        let (verb, rest) = line.split_once(' ').expect("a verb and its words");
        let fetching = if verb == "pull" {
            let certificates = self.certificates();
            format!(
                " --cert-dir {} --signature-policy {policy}",
                certificates.display()
            )
        } else {
            String::new()
        };
        let line = format!(
            "--root {} --runroot {} --storage-driver vfs {verb}{fetching} {rest}",
            file("podman"),
            file("podman-run")
        );
        let registries = self.registries(gate).display().to_string();
        // Podman insists on the file in a folder that is named so.
        let home = self
            .with("CONTAINERS_REGISTRIES_CONF", &registries)
            .without("DOCKER_CONFIG");
        run(home.command(&program::find("podman"), &line))
    }

    /// Copies an image by skopeo, behind the gate, into a folder of this name.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn fetch(&self, gate: &str, image: &str, name: &str) -> Ran {
        let line = format!(
            "--insecure-policy --registries-conf {} copy --src-cert-dir {} docker://{image} dir:{}",
            self.registries(gate).display(),
            self.certificates().display(),
            self.folder().join(name).display()
        );
        run(self.command(&program::find("skopeo"), &line))
    }
}
