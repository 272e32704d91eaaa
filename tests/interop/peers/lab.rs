//! A whole world on loopback: trust server, registry, and an engine when asked for.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use tempfile::TempDir;

use super::{
    certificate,
    engine::Engine,
    home::Home,
    image::{Image, image},
    notary_signer::NotarySigner,
    registry::{Lock, Registry},
    server::{Kind, Options, Server},
    token_server::TokenServer,
};

/// Services of one test; all of it is gone when the test ends.
pub(crate) struct Lab {
    engine: OnceLock<Engine>,
    pub(crate) registry: Registry,
    pub(crate) server: Server,
    tokens: Option<TokenServer>,
    _signer: Option<NotarySigner>,
    // Last, so that its files outlive the services above.
    root: TempDir,
}

impl Lab {
    /// Starts the trust server and the registry, both open to everybody.
    pub(crate) fn start(server: Kind) -> Self {
        Self::guarded(server, |_| None, Lock::Open)
    }

    /// Starts a trust server that lets in whom a token server vouches for.
    pub(crate) fn with_tokens(server: Kind) -> Self {
        Self::guarded(
            server,
            |folder| Some(TokenServer::start(folder)),
            Lock::Open,
        )
    }

    /// Starts a trust server that speaks only to those who show a certificate.
    pub(crate) fn with_client_certificates(server: Kind) -> Self {
        let root = folder();
        let options = Options {
            client_certificates: true,
            ..Options::default()
        };
        let server = Server::start(server, root.path(), options);
        let registry = Registry::start(root.path(), Lock::Open);
        Self {
            engine: OnceLock::new(),
            registry,
            server,
            tokens: None,
            _signer: None,
            root,
        }
    }

    /// Starts a registry that wants a name and a password.
    pub(crate) fn with_passwords(server: Kind) -> Self {
        Self::guarded(server, |_| None, Lock::Htpasswd)
    }

    /// Starts the trust server as it is run for an organisation: notary-server with notary-signer
    /// and `PostgreSQL`.
    pub(crate) fn in_earnest(server: Kind) -> Self {
        let root = folder();
        let signer = (server == Kind::Notary).then(|| NotarySigner::start(root.path()));
        Self::assembled(server, root, signer, None, Lock::Open)
    }

    fn guarded(server: Kind, tokens: impl Fn(&Path) -> Option<TokenServer>, lock: Lock) -> Self {
        let root = folder();
        let tokens = tokens(root.path());
        Self::assembled(server, root, None, tokens, lock)
    }

    fn assembled(
        server: Kind,
        root: TempDir,
        signer: Option<NotarySigner>,
        tokens: Option<TokenServer>,
        lock: Lock,
    ) -> Self {
        let options = Options {
            tokens: tokens.as_ref(),
            signer: signer.as_ref(),
            ..Options::default()
        };
        let server = Server::start(server, root.path(), options);
        let registry = Registry::start(root.path(), lock);
        Self {
            engine: OnceLock::new(),
            registry,
            server,
            tokens,
            _signer: signer,
            root,
        }
    }

    /// A person's machine with an empty home folder that trusts this lab's authority.
    pub(crate) fn home(&self, person: &str) -> Home<'_> {
        Home::make(self, self.root.path().join(format!("home-{person}")))
    }

    /// The full name of `path` in this lab's registry.
    pub(crate) fn name(&self, path: &str) -> String {
        format!("{}/{path}", self.registry.host)
    }

    /// Pushes an image of its own under `path:tag` and gives it back.
    pub(crate) fn push(&self, path: &str, tag: &str) -> Image {
        let image = image(&format!("{path}:{tag}"));
        self.registry.push(path, tag, &image);
        image
    }

    /// Brings up the Docker engine; commands started from now on use it.
    pub(crate) fn with_engine(self) -> Self {
        self.engine.get_or_init(|| Engine::start(self.root.path()));
        self
    }

    /// Brings up a Docker engine that asks this plugin before it does anything.
    pub(crate) fn start_engine_asking(&self, plugin: &str) {
        let option = format!("--authorization-plugin={plugin}");
        let start = || Engine::start_with(self.root.path(), &[&option]);
        self.engine.get_or_init(start);
    }

    /// Ends the engine; its images and containers stay for the next one.
    pub(crate) fn stop_engine(&mut self) {
        self.engine.take();
    }

    /// `DOCKER_HOST` for commands in this lab: a dead address without an engine,
    /// so that the developer's own engine is never touched.
    pub(crate) fn docker_host(&self) -> String {
        let nobody = || format!("unix://{}", self.root.path().join("nobody.sock").display());
        self.engine.get().map_or_else(nobody, Engine::address)
    }

    /// The token server of a lab that has one.
    pub(crate) fn tokens(&self) -> &TokenServer {
        self.tokens.as_ref().expect("a lab with tokens")
    }

    /// The authority that vouches for the trust server.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder().join("ca.crt")
    }

    /// Where the lab keeps its files.
    pub(crate) fn folder(&self) -> &Path {
        self.root.path()
    }
}

/// A folder with the lab's certificates, not in TMPDIR: the path of a unix socket must stay below
/// 108 bytes.
fn folder() -> TempDir {
    let root = tempfile::Builder::new()
        .prefix("lab")
        .tempdir_in("/tmp")
        .expect("a folder");
    certificate::write_into(root.path());
    root
}
