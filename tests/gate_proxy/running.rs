//! The program itself: sockets, TLS, signals, and what stands in its status lines.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use trust::listen::authority;
use trust::tls::{TlsFiles, http_client};

/// A running gate; killed when dropped.
struct Program {
    child: Child,
    /// `HOST:PORT`
    address: String,
}

impl Program {
    fn start(folder: &Path, words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_trust"))
            .args(["gate", "proxy", "--listen", "127.0.0.1:0"])
            .args(words)
            .env_clear()
            .env("HOME", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended");
            if let Some((_, address)) = line.split_once("://") {
                break address.trim().to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self { child, address }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The first bytes of the answer to what is sent as it is.
    fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Files of a gate's folder.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::File::create(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        path
    }

    fn policy(&self, require: &str) -> PathBuf {
        self.write(
            "policy.toml",
            &format!("[default]\nrequire = \"{require}\"\n"),
        )
    }

    /// An authority and what it vouches for: `ca.crt`, `gate.crt`, `gate.key`, `node.pem`.
    fn certificates(&self) {
        let now = jiff::Timestamp::now();
        let key = authority::new_key().unwrap();
        let ca = authority::certify_authority(&key, "test", now).unwrap();
        self.write("ca.crt", &ca);
        let gate = authority::new_key().unwrap();
        let hosts = ["127.0.0.1".to_owned()];
        let certificate = authority::certify_server(&gate, &hosts, (&ca, &key), now).unwrap();
        self.write("gate.crt", &certificate);
        self.write("gate.key", &gate);
        let issuer = rcgen::KeyPair::from_pem(&key).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&ca, issuer).unwrap();
        let node = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["node".to_owned()]).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&node, &issuer).unwrap();
        self.write("node.cert", &certificate.pem());
        self.write("node.key", &node.serialize_pem());
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

#[test]
fn the_reason_stands_in_the_status_line() {
    let files = Files::new();
    let policy = files.policy("reject").display().to_string();
    let gate = Program::start(files.folder.path(), &["--no-tls", "--policy", &policy]);
    for method in ["GET", "HEAD"] {
        let answer = gate.raw(&format!(
            "{method} /v2/quay.test/app/manifests/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ));
        let line = answer.lines().next().unwrap();
        assert!(
            line.starts_with("HTTP/1.1 403 quay.test/app:1 is refused"),
            "{answer}"
        );
        assert!(line.contains("[no-rule]"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.is_empty(), method == "HEAD", "{answer}");
    }
    let answer = gate.raw("GET /v2/ HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.1 403 without TLS, this gate"),
        "{answer}"
    );
    let answer = gate.raw("GET /v2/ HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer}");
}

#[tokio::test]
async fn mutual_tls_lets_in_whom_the_authority_knows() {
    let files = Files::new();
    files.certificates();
    let policy = files.policy("reject").display().to_string();
    let (certificate, key, ca) = (
        files.path("gate.crt"),
        files.path("gate.key"),
        files.path("ca.crt"),
    );
    let words = [
        "--policy",
        &policy,
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
        "--client-ca",
        &ca,
    ];
    let gate = Program::start(files.folder.path(), &words);
    let url = format!("https://{}/v2/", gate.address);
    let stranger = TlsFiles::from_ca_file(Path::new(&ca)).unwrap();
    let stranger = http_client(&stranger, "127.0.0.1").unwrap();
    assert!(stranger.get(&url).send().await.is_err());
    // Whoever has a folder as Docker keeps it shows the pair in it.
    let known = TlsFiles::from_folder(files.folder.path());
    assert!(known.is_err(), "gate.key has no gate.cert");
    std::fs::remove_file(&key).unwrap();
    let known = TlsFiles::from_folder(files.folder.path()).unwrap();
    let known = http_client(&known, "127.0.0.1").unwrap();
    let answer = known.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // HTTP/2 has no status line for words, so it is not offered.
    assert_eq!(answer.version(), reqwest::Version::HTTP_11);
}

#[tokio::test]
async fn a_policy_is_read_again_and_the_end_is_decent() {
    let files = Files::new();
    let policy = files.policy("reject").display().to_string();
    let mut gate = Program::start(files.folder.path(), &["--no-tls", "--policy", &policy]);
    let http = http_client(&TlsFiles::default(), "127.0.0.1").unwrap();
    let manifest = format!("http://{}/v2/127.0.0.1:9/app/manifests/1", gate.address);
    let status = async || http.get(&manifest).send().await.unwrap().status().as_u16();
    assert_eq!(status().await, 403);
    files.policy("accept");
    gate.signal(rustix::process::Signal::HUP);
    // Nobody listens there, and the gate says so.
    assert!(until(async || status().await == 502).await);
    // One that is wrong changes nothing.
    files.write("policy.toml", "[default]\nrequire = \"whatever\"\n");
    gate.signal(rustix::process::Signal::HUP);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(status().await, 502);
    gate.signal(rustix::process::Signal::TERM);
    drop(http);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        if let Some(ended) = gate.child.try_wait().unwrap() {
            assert!(ended.success());
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it goes on");
}

async fn until(is_so: impl AsyncFn() -> bool) -> bool {
    for _ in 0..100 {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
