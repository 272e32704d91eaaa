//! A peer that keeps running until the test drops it.

use std::{
    fs,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::program;

/// A running program and its process group, stopped on drop.
pub(crate) struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// Why a service did not come up.
pub(crate) enum NotReady {
    /// Somebody took the port between our choosing it and the service binding it.
    AddressInUse,
    /// The end of its log.
    Failed(String),
}

impl Service {
    /// Starts the program in its own process group, its output in `log`.
    ///
    /// The kernel passes on a SIGTERM when the test's thread dies, so that a
    /// test runner killed half way leaves nothing running.
    pub(crate) fn start(name: &'static str, arguments: &[&str], log: &Path) -> Self {
        Self::start_command(name, Command::new(program::find(name)).args(arguments), log)
    }

    /// The same of a command with an environment of its own.
    pub(crate) fn start_command(name: &'static str, command: &Command, log: &Path) -> Self {
        use std::os::unix::process::CommandExt;
        let output = File::create(log).expect("a log file");
        let variables = command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?)));
        let child = Command::new(program::find("setpriv"))
            .args(["--pdeathsig", "TERM", "--"])
            .arg(command.get_program())
            .args(command.get_args())
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Self {
            name,
            child,
            log: log.to_owned(),
        }
    }

    /// Waits until `ready` says yes, the program ends, or half a minute is over.
    pub(crate) fn wait_until(&mut self, ready: impl Fn() -> bool) -> Result<(), NotReady> {
        let deadline = Instant::now() + START;
        while Instant::now() < deadline {
            if ready() {
                return Ok(());
            }
            if self
                .child
                .try_wait()
                .expect("a child to wait for")
                .is_some()
            {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let log = self.log();
        if log.contains("address already in use") {
            return Err(NotReady::AddressInUse);
        }
        let tail = log.len().saturating_sub(2000);
        let tail = log.get(tail..).unwrap_or(&log);
        Err(NotReady::Failed(format!(
            "{} did not become ready:\n{tail}",
            self.name
        )))
    }

    /// All it has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + STOP;
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Starts a service on ports chosen by the system, again when one was snatched away.
pub(crate) fn on_a_free_port<T>(start: impl Fn(u16) -> Result<T, NotReady>) -> T {
    for _ in 0..5 {
        match start(free_port()) {
            Ok(service) => return service,
            Err(NotReady::AddressInUse) => {}
            Err(NotReady::Failed(why)) => panic!("{why}"),
        }
    }
    panic!("no free port in five tries");
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    listener.local_addr().expect("an address").port()
}

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(15);
