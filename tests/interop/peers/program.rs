//! Finding a peer, or saying how to get it.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Where the program is, or a failure that says how to install it.
pub(crate) fn find(name: &str) -> PathBuf {
    let path = env::var("PATH").unwrap_or_default();
    env::split_paths(&format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("`{name}` is not installed; {INSTALL}"))
}

/// The `trust` that was built together with these tests.
pub(crate) fn trust() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_trust"))
}

/// The `docker` of the engine's own package, which builds with `BuildKit` without a plugin.
pub(crate) fn engines_docker() -> &'static Path {
    let docker = Path::new("/usr/bin/docker");
    assert!(docker.exists(), "no {}: {INSTALL}", docker.display());
    docker
}

const INSTALL: &str = "run scripts/install-peers as root, or: apt-get install notary \
                       docker-registry docker.io docker-compose skopeo podman containerd busybox-static chromium strace";
