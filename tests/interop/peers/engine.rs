//! Debian's dockerd on a unix socket of its own.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use super::service::{NotReady, Service};

/// A running Docker engine with no images.
pub(crate) struct Engine {
    socket: PathBuf,
    _service: Service,
}

impl Engine {
    /// Starts with its data below `folder`, whose path must be short.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// The same with options besides; data of an engine that ran there before are kept.
    pub(crate) fn start_with(folder: &Path, options: &[&str]) -> Self {
        let file = |name: &str| folder.join(name).display().to_string();
        let socket = folder.join("d.sock");
        let address = format!("unix://{}", socket.display());
        let arguments = [
            "--data-root",
            &file("data"),
            "--exec-root",
            &file("exec"),
            "--pidfile",
            &file("pid"),
            "--host",
            &address,
            "--config-file",
            &empty_configuration(folder),
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
            "--storage-driver=vfs",
        ];
        let arguments = [&arguments, options].concat();
        let mut service = Service::start("dockerd", &arguments, &folder.join("dockerd.log"));
        match service.wait_until(|| answers(&socket)) {
            Ok(()) => Self {
                socket,
                _service: service,
            },
            Err(NotReady::AddressInUse) => panic!("{address} is in use"),
            Err(NotReady::Failed(why)) => panic!("{why}\n(dockerd needs root)"),
        }
    }

    /// What `DOCKER_HOST` is set to.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.socket.display())
    }
}

/// Keeps the host's own /etc/docker/daemon.json out of the test.
fn empty_configuration(folder: &Path) -> String {
    let file = folder.join("daemon.json");
    fs::write(&file, "{}").expect("a configuration file");
    file.display().to_string()
}

fn answers(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else {
        return false;
    };
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n");
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.ends_with("OK")
}
