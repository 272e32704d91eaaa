//! A person's machine: an empty home folder, and the whole program run in it.

use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::data::Inline;
use snapbox::{Assert, IntoData, Redactions};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Server;

/// A command line, and all it prints with its exit code.
pub type Case<'a> = (&'a str, Inline);

/// A home folder; the program sees nothing of the real one.
pub struct Machine {
    home: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    hidden: Redactions,
    patience: Duration,
}

impl Machine {
    /// A machine nobody has used yet; its Docker engine is off.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut hidden = Redactions::new();
        let place = home.path().to_str().unwrap().to_owned();
        hidden.insert("[HOME]", place.clone()).unwrap();
        let set = |(name, value): (&str, String)| (name.to_owned(), value);
        let environment = [
            ("PATH", format!("{place}/bin:/usr/bin:/bin")),
            ("HOME", place.clone()),
            ("DOCKER_CONFIG", format!("{place}/.docker")),
            ("DOCKER_HOST", format!("unix://{place}/nobody.sock")),
            // Whatever is fit for programmers shows up where nobody should see it.
            ("RUST_BACKTRACE", "1".to_owned()),
        ];
        fs::create_dir_all(home.path().join(".docker")).unwrap();
        Self {
            environment: environment.map(set).into(),
            home,
            hidden,
            patience: PATIENCE,
        }
    }

    /// The same machine with one environment variable set.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment
            .insert(variable.to_owned(), value.to_owned());
        self
    }

    /// The same machine with a passphrase for keys of every role.
    pub fn with_passphrases(self) -> Self {
        self.with("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "passphrase")
            .with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "passphrase")
    }

    /// The same machine with this trust server, whose authority it believes.
    pub fn with_trust_server(self, server: &Server) -> Self {
        let machine = self.with_address(server);
        let ca = format!(".docker/tls/{}/ca.crt", server.host);
        machine.file(&ca, server.authority.as_bytes());
        machine
    }

    /// The same machine with this trust server and no reason to believe it.
    pub fn with_address(mut self, server: &Server) -> Self {
        self.hidden.insert("[SERVER]", server.host.clone()).unwrap();
        let url = format!("https://{}", server.host);
        self.with("DOCKER_CONTENT_TRUST_SERVER", &url)
    }

    /// The same machine, whose snapshots show `placeholder` for a text that changes.
    pub fn hiding(mut self, placeholder: &'static str, text: &str) -> Self {
        self.hidden.insert(placeholder, text.to_owned()).unwrap();
        self
    }

    /// The same machine, whose person waits longer.
    pub fn waiting(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Writes a file below the home folder.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Makes a folder below the home folder.
    pub fn folder(&self, name: &str) -> &Self {
        fs::create_dir_all(self.path(name)).unwrap();
        self
    }

    /// A place below the home folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Every file below a folder with its bytes.
    pub fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(folder), &mut files);
        files
    }

    /// Runs each command line and compares; fails with all that differ.
    #[track_caller]
    pub fn refuses<const N: usize>(&self, cases: [Case<'_>; N]) {
        let wrong: Vec<String> = cases
            .into_iter()
            .filter_map(|(line, expected)| self.compare(line, expected).err())
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    fn compare(&self, line: &str, expected: Inline) -> Result<(), String> {
        let said = self.run(line);
        let wrong = |why: &str| format!("trust {line}\n{why}\n{said}");
        improper(&said).map_or(Ok(()), |why| Err(wrong(&why)))?;
        Assert::new()
            .action_env(DEFAULT_ACTION_ENV)
            .normalize_paths(false)
            .redact_with(self.hidden.clone())
            .try_eq(Some(&line), said.clone().into_data(), expected.into_data())
            .map_err(|error| error.to_string())
    }

    /// All that a command line prints, results behind `| `, and its exit code.
    pub fn run(&self, line: &str) -> String {
        let mut child = self.command(line).spawn().unwrap();
        let (results, rest) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let code = ended(&mut child, line, self.patience);
        let (results, rest) = (results.join().unwrap(), rest.join().unwrap());
        let mut said: Vec<String> = results.lines().map(|line| format!("| {line}")).collect();
        said.extend(rest.lines().map(str::to_owned));
        said.push(format!("exit {code}\n"));
        said.join("\n")
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
        command
            .args(words(line))
            .current_dir(&self.home)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// The words of a line; what stands between single quotes is one word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// What no person should ever be shown, whatever they typed.
fn improper(said: &str) -> Option<String> {
    let code = said.lines().last().unwrap_or_default();
    if !["exit 1", "exit 2", "exit 3"].contains(&code) {
        return Some(format!("ended with {code}"));
    }
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if said.contains(steers) {
        return Some("steers the terminal".to_owned());
    }
    let found = FOR_PROGRAMMERS.iter().find(|words| said.contains(*words));
    if let Some(words) = found {
        return Some(format!("says {words:?}"));
    }
    let told = said.contains("trust: ") || said.contains("Usage: trust");
    (!told).then(|| "does not begin with who speaks".to_owned())
}

fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The exit code of a program that ends in time; one that does not is killed.
fn ended(child: &mut Child, line: &str, patience: Duration) -> String {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().map_or(status.to_string(), |c| c.to_string());
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("still running after {patience:?}: trust {line}");
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

/// No message is made of these.
const FOR_PROGRAMMERS: [&str; 12] = [
    "panicked",
    "BACKTRACE",
    "backtrace",
    "Some(",
    "Err(",
    "(os error",
    " at path ",
    "Error {",
    "Error(",
    "kind:",
    "src/",
    ".rs:",
];
const PATIENCE: Duration = Duration::from_secs(10);
