//! A folder of a server, and the program at work in it.

use super::api::Api;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Where a server keeps its files, and which store it uses.
pub struct Place {
    folder: tempfile::TempDir,
    /// Elsewhere, for that disk may be full
    log: tempfile::NamedTempFile,
    store: Option<String>,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    /// An empty folder; the store will be in it.
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            log: tempfile::NamedTempFile::new().unwrap(),
            store: None,
            variables: Vec::new(),
        }
    }

    /// An empty folder of a server whose store is elsewhere.
    pub fn on(store: &str) -> Self {
        Self {
            store: Some(store.to_owned()),
            ..Self::new()
        }
    }

    /// Another server of the same store, with the same secret.
    pub fn another(&self) -> Self {
        let other = Self::on(&self.store_url());
        self.share_secret_with(&other);
        other
    }

    /// The other one opens what this one sealed.
    pub fn share_secret_with(&self, other: &Self) {
        std::fs::copy(self.folder().join(SECRET), other.folder().join(SECRET)).unwrap();
    }

    /// From now on the program runs with this variable.
    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.retain(|(there, _)| *there != name);
        self.variables.push((name, value.into()));
    }

    /// Its configuration, but for the store.
    pub fn configure(&self, text: &str) {
        let file = self.folder().join("server.toml");
        std::fs::write(file, text).unwrap();
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn store_url(&self) -> String {
        let usual = || format!("sqlite:{}", self.folder().join("store.db").display());
        self.store.clone().unwrap_or_else(usual)
    }

    /// What the store takes on the disk, if it is here.
    pub fn store_bytes(&self) -> u64 {
        let names = ["store.db", "store.db-wal"];
        let sizes = names.map(|name| self.folder().join(name).metadata().map_or(0, |m| m.len()));
        sizes.iter().sum()
    }

    /// `trust server VERB` about this place.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
        command
            .args(["server", verb, "--dir"])
            .arg(self.folder())
            .env_remove("TRUST_SERVER_PASSPHRASE")
            .env_remove("TRUST_SERVER_PASSPHRASE_FILE")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(store) = &self.store {
            command.args(["--store", store]);
        }
        command
    }

    /// Runs a command that has to succeed.
    pub fn run(&self, verb: &str, words: &[&OsStr]) -> String {
        let output = self.command(verb).args(words).output().unwrap();
        text_of_success(&output, verb)
    }

    /// The server, ready for clients.
    pub fn start(&self) -> Running {
        self.try_start().unwrap_or_else(|why| panic!("{why}"))
    }

    /// The server, or what it said before it ended.
    pub fn try_start(&self) -> Result<Running, String> {
        let log = self.log.path().to_owned();
        let file = OpenOptions::new().append(true).open(&log);
        let mut child = self
            .command("run")
            .args(["--listen", "127.0.0.1:0", "--no-tls"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file.unwrap())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            child.kill().ok();
            child.wait().unwrap();
            let log = std::fs::read_to_string(&log).unwrap();
            return Err(format!("no server: {line:?}\n{log}"));
        };
        Ok(Running {
            api: Api::at(url),
            child,
            log,
            _said: said,
        })
    }
}

/// A server at work; killed when dropped.
pub struct Running {
    api: Api,
    child: Child,
    log: PathBuf,
    /// It must not find its output closed
    _said: BufReader<ChildStdout>,
}

impl Running {
    /// The way to it.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// What it, and those before it in the same folder, wrote on standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Gone this moment, whatever it was at.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
    }

    /// Asks it to end and waits until it did, well.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.ended(Duration::from_secs(30));
        assert!(
            status.is_some_and(|s| s.success()),
            "{status:?}\n{}",
            self.log()
        );
    }

    /// How it ended, if it does in this time.
    pub fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < deadline => sleep(Duration::from_millis(5)),
                ended => return ended,
            }
        }
    }

    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn text_of_success(output: &Output, what: &str) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The file that opens the online keys.
const SECRET: &str = "seal.key";
