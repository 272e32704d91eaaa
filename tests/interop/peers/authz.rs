//! Our authorization plugin, where an engine looks for it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{home::Home, service::Service};

/// A running `trust gate authz`.
pub(crate) struct Authz {
    /// What the engine calls it.
    pub(crate) name: String,
    decisions: PathBuf,
    service: Service,
    _socket: Socket,
}

/// The file is gone with the test, even if the plugin was killed.
struct Socket(PathBuf);

impl Authz {
    /// Starts with this policy, in the home of somebody who trusts the lab's authority.
    pub(crate) fn start(home: &Home<'_>, policy: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trust-test-{}-{count}", std::process::id());
        let socket = Socket(Path::new("/run/docker/plugins").join(format!("{name}.sock")));
        let file = |suffix: &str| home.folder().join(format!("authz{count}.{suffix}"));
        let (policy_file, log, decisions) = (file("toml"), file("log"), file("json"));
        fs::write(&policy_file, policy).expect("a policy");
        let line = format!(
            "gate authz --socket {} --policy {} --decision-log {}",
            socket.0.display(),
            policy_file.display(),
            decisions.display()
        );
        let engine = format!("unix://{}", home.lab.folder().join("d.sock").display());
        let command = home.with("DOCKER_HOST", &engine).trust_command(&line);
        let mut service = Service::start_command("trust gate authz", &command, &log);
        let ready = service.wait_until(|| said(&log).contains("listening on unix://"));
        assert!(ready.is_ok(), "no address in\n{}", said(&log));
        Self {
            name,
            decisions,
            service,
            _socket: socket,
        }
    }

    /// The decisions it wrote down.
    pub(crate) fn decisions(&self) -> String {
        said(&self.decisions)
    }

    /// Ends it; the engine finds nobody from now on.
    pub(crate) fn stop(self) {
        drop(self.service);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn said(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}
