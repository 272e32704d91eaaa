//! `trust gate authz` at work, and how an engine talks to it.

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// A folder for a plugin: policy, socket, home.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// With this policy.
    pub fn new(policy: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("authz")
            .tempdir_in("/tmp")
            .unwrap();
        let place = Self { folder };
        place.enforce(policy);
        place
    }

    /// Writes another policy.
    pub fn enforce(&self, policy: &str) {
        fs::write(self.file("policy.toml"), policy).unwrap();
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn socket(&self) -> PathBuf {
        self.file("plugins/p.sock")
    }

    /// Where the engine is taken to be.
    pub fn engine(&self) -> PathBuf {
        self.file("engine.sock")
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
        command
            .args(["gate", "authz", "--socket"])
            .arg(self.socket())
            .arg("--policy")
            .arg(self.file("policy.toml"))
            .arg("--decision-log")
            .arg(self.file("decisions.json"))
            .env_clear()
            .env("HOME", self.folder.path())
            .env("DOCKER_HOST", format!("unix://{}", self.engine().display()))
            .stdin(Stdio::null());
        command
    }

    pub fn start(&self) -> Plugin {
        let log = fs::File::create(self.file("log")).unwrap();
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let ready = format!("listening on unix://{}\n", self.socket().display());
        assert_eq!(
            line,
            ready,
            "{}",
            fs::read_to_string(self.file("log")).unwrap()
        );
        Plugin {
            socket: self.socket(),
            child,
            _said: said,
        }
    }

    /// A plugin that has to end at once.
    pub fn start_in_vain(&self) -> Output {
        self.command().output().unwrap()
    }

    /// The lines of the decision log.
    pub fn decisions(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.file("decisions.json")).unwrap();
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }
}

/// A plugin at work; killed when dropped.
pub struct Plugin {
    socket: PathBuf,
    child: Child,
    _said: BufReader<ChildStdout>,
}

/// What the plugin says to the engine.
#[derive(Debug)]
pub struct Verdict {
    pub allowed: bool,
    pub words: String,
    pub took: Duration,
}

impl Verdict {
    #[track_caller]
    pub fn allows(&self) {
        assert!(self.allowed, "{self:?}");
        assert_eq!(self.words, "");
    }

    #[track_caller]
    pub fn refuses(&self, words: &str) {
        assert!(
            !self.allowed && self.words.contains(words),
            "`{words}` is not in {self:?}"
        );
        assert!(!self.words.contains('\n'), "{self:?}");
    }
}

impl Plugin {
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.child.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Its exit code, once it has ended.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// What it answers the engine that was asked this.
    pub fn asked(&self, method: &str, uri: &str, body: Option<&str>) -> Verdict {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let mut message = json!({
            "RequestMethod": method,
            "RequestUri": uri,
            "RequestHeaders": { "Content-Length": "0" },
        });
        if let Some(body) = body {
            message["RequestBody"] = json!(BASE64_STANDARD.encode(body));
            message["RequestHeaders"] = json!({ "Content-Type": "application/json" });
        }
        self.told(message.to_string().as_bytes())
    }

    /// What it answers to this message.
    pub fn told(&self, message: &[u8]) -> Verdict {
        let began = Instant::now();
        let (status, body) = self.post("/AuthZPlugin.AuthZReq", message);
        let took = began.elapsed();
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        Verdict {
            allowed: answer["Allow"].as_bool().unwrap(),
            words: answer["Msg"].as_str().unwrap_or_default().to_owned(),
            took,
        }
    }

    pub fn post(&self, path: &str, body: &[u8]) -> (u16, String) {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: plugin.moby.localhost\r\nConnection: close\r\n\
             Accept: application/vnd.docker.plugins.v1.2+json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        exchange(&self.socket, &[head.as_bytes(), body].concat())
    }

    pub fn get(&self, path: &str) -> (u16, String) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n");
        exchange(&self.socket, head.as_bytes())
    }

    /// Sends bytes and reads what comes until the connection ends.
    pub fn raw(&self, bytes: &[u8]) -> (u16, String) {
        exchange(&self.socket, bytes)
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn exchange(socket: &Path, request: &[u8]) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // It may be answered before it has been read.
    stream.write_all(request).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    (status.unwrap_or_default(), body.to_owned())
}
