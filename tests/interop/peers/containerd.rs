//! Debian's containerd on a socket of its own, and `ctr`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    home::Home,
    program,
    run::{Ran, run},
    service::{NotReady, Service},
};

/// A running containerd with no images.
pub(crate) struct Containerd {
    socket: PathBuf,
    hosts: PathBuf,
    _service: Service,
}

impl Containerd {
    /// Starts with its data below `folder`, whose path must be short.
    pub(crate) fn start(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name).display().to_string();
        let socket = folder.join("c.sock");
        fs::write(
            file("containerd.toml"),
            "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n",
        )
        .expect("a configuration file");
        let arguments = [
            "--config",
            &file("containerd.toml"),
            "--root",
            &file("containerd"),
            "--state",
            &file("containerd-run"),
            "--address",
            &socket.display().to_string(),
        ];
        let log = folder.join("containerd.log");
        let mut service = Service::start("containerd", &arguments, &log);
        match service.wait_until(|| socket.exists()) {
            Ok(()) => Self {
                socket,
                hosts: folder.join("hosts"),
                _service: service,
            },
            Err(NotReady::AddressInUse) => panic!("{} is in use", socket.display()),
            Err(NotReady::Failed(why)) => panic!("{why}\n(containerd needs root)"),
        }
    }

    /// From now on `server` is the registry `host`: no other is asked.
    pub(crate) fn send_to(&self, host: &str, server: &str, ca: &Path) {
        self.send_with(host, server, ca, "");
    }

    /// The same with more to show.
    pub(crate) fn send_with(&self, host: &str, server: &str, ca: &Path, more: &str) {
        let folder = self.hosts.join(host);
        fs::create_dir_all(&folder).expect("a folder");
        // Without the empty table containerd 1.6 calls the file invalid, and goes by none.
        let ca = ca.display();
        let text = format!("server = \"https://{server}\"\nca = \"{ca}\"\n{more}\n[host]\n");
        fs::write(folder.join("hosts.toml"), text).expect("hosts.toml");
    }

    /// Pulls an image.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn pull(&self, home: &Home<'_>, image: &str) -> Ran {
        let hosts = self.hosts.display();
        let line = format!("images pull --hosts-dir {hosts} --snapshotter native {image}");
        self.ctr(home, &line)
    }

    /// Runs `ctr` with the words of `line`.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(crate) fn ctr(&self, home: &Home<'_>, line: &str) -> Ran {
        let line = format!("--address {} {line}", self.socket.display());
        run(home.command(&program::find("ctr"), &line))
    }
}
