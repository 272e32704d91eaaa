//! The program as people run it: words in, exit code and both streams out.

#[allow(
    clippy::needless_raw_string_hashes,
    reason = "the snapshot tool writes them"
)]
mod help;
mod key_custody;
mod keys;
mod no_terminal;
mod old_repositories;
mod server_users;
mod staged;
mod streams;

use std::{
    fmt::Write as _,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A home folder that nothing outside of the test shows into.
struct Home {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

/// What one run left behind, with the home folder as `[HOME]`.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Home {
    /// A home where no passphrase is known and no server is named.
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    /// The same home with a variable set.
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// A home where one passphrase opens everything.
    fn with_passphrases() -> Self {
        Self::new()
            .with("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", PASSPHRASE)
            .with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file only its owner may read.
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        trust_store::write_atomic(&path, bytes.as_ref(), 0o600).unwrap();
        path
    }

    /// The program with these words; a word in single quotes may hold spaces.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
        command
            .args(words(line))
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program with closed stdin.
    fn trust(&self, line: &str) -> Ran {
        let mut command = self.command(line);
        self.run(command.stdin(Stdio::null()))
    }

    fn run(&self, command: &mut Command) -> Ran {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        self.wait(child, Duration::from_secs(30))
    }

    /// Waits until the child has ended, at most this long.
    fn wait(&self, mut child: Child, patience: Duration) -> Ran {
        let stdout = drain(child.stdout.take().unwrap());
        let stderr = drain(child.stderr.take().unwrap());
        let deadline = Instant::now() + patience;
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code().unwrap_or(-1);
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("still running after {patience:?}");
            }
            thread::sleep(Duration::from_millis(5));
        };
        Ran {
            code,
            stdout: self.nameless(&stdout.join().unwrap()),
            stderr: self.nameless(&stderr.join().unwrap()),
        }
    }

    fn nameless(&self, text: &str) -> String {
        text.replace(self.path().to_str().unwrap(), "[HOME]")
    }
}

impl Ran {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.report(""));
        self
    }

    /// Both streams and the exit code, as one text.
    fn report(&self, line: &str) -> String {
        let mut text = format!("$ trust {line}\n{}{}", self.stdout, self.stderr);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        writeln!(text, "? {}", self.code).unwrap();
        text
    }
}

fn drain(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    })
}

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

/// One private key of each kind, made by OpenSSL.
fn openssl(arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .output()
        .expect("openssl");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "openssl {arguments}: {errors}");
    output.stdout
}

/// The bytes of a file in the home.
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

const PASSPHRASE: &str = "a long passphrase";
