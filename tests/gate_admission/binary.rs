//! The program itself, as a cluster runs it.

use super::pod;
use super::webhook::{Answer, answer, certificates, client, digest, signed};
use crate::bad_input;
use crate::world::{GUN, Publisher};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use trust::tuf::digest::FileMeta;
use trust::tuf::envelope::Expires;

/// A repository that is valid now, by the names its files are asked by.
fn files() -> BTreeMap<String, Vec<u8>> {
    let soon = || Expires::at(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48));
    let mut publisher = Publisher::new();
    publisher.root.expires = soon();
    publisher.snapshot.expires = soon();
    publisher.timestamp.expires = soon();
    publisher
        .targets
        .values_mut()
        .for_each(|targets| targets.expires = soon());
    let mut files = BTreeMap::new();
    for (role, file) in publisher.files() {
        let hash = FileMeta::of(&file).sha256_hex().unwrap();
        files.insert(format!("{role}.{hash}.json"), file.clone());
        files.insert(format!("{role}.json"), file);
    }
    files
}

/// A trust server over TLS, and a folder for the gate.
fn world() -> (bad_input::Server, tempfile::TempDir) {
    let files = files();
    let server = bad_input::Server::https(move |path| {
        let name = path.rsplit_once("/_trust/tuf/").map(|(_, name)| name);
        match name.and_then(|name| files.get(name)) {
            Some(file) => bad_input::Answer::new(200, file.clone()),
            None if path == "/v2/" => bad_input::Answer::ok(),
            None => bad_input::Answer::new(404, "no"),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("server.crt"), &server.authority).unwrap();
    (server, folder)
}

/// `trust gate admission` in this folder, with these words more.
fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
    command
        .args(["gate", "admission"])
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("DOCKER_CONTENT_TRUST", "1")
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The program at work; killed when dropped.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let said = child.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ");
        let url = url.unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url }
    }

    async fn post(&self, client: &reqwest::Client, path: &str, body: String) -> Answer {
        answer(client.post(format!("{}{path}", self.url)).body(body)).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

const TLS: [&str; 6] = [
    "--tls-cert",
    "tls.crt",
    "--tls-key",
    "tls.key",
    "--listen",
    "127.0.0.1:0",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_answers_and_ends_decently() {
    let (server, folder) = tokio::task::spawn_blocking(world).await.unwrap();
    let (_, authority) = certificates(folder.path(), "127.0.0.1");
    let url = format!("https://{}", server.host);
    let mut words = TLS.to_vec();
    words.extend([
        "--server",
        &url,
        "--tls-ca",
        "server.crt",
        "--trust-dir",
        "state",
    ]);
    words.extend([
        "--decision-log",
        "decisions.log",
        "--extra-path",
        "example.com/Thing:/spec/image",
    ]);
    let mut gate = Running::start(command(folder.path(), &words));
    let client = client(&authority);

    let health = answer(client.get(format!("{}/readyz", gate.url))).await;
    assert_eq!(health.status, 200);
    let response = gate
        .post(
            &client,
            "/mutate?timeout=10s",
            pod(&[&signed()]).to_string(),
        )
        .await;
    let response = response.response();
    assert_eq!(response["allowed"], true, "{response}");
    assert!(response["patch"].is_string());
    let pinned = format!("{}@{}", signed(), digest());
    let response = gate
        .post(
            &client,
            "/validate?timeout=10s",
            pod(&[&pinned]).to_string(),
        )
        .await;
    assert_eq!(response.response()["allowed"], true);
    let unsigned = pod(&[&format!("{GUN}:2.0")]).to_string();
    let response = gate
        .post(&client, "/mutate?timeout=10s", unsigned)
        .await
        .response();
    assert_eq!(response["allowed"], false);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(
        message.contains("No valid trust data for 2.0 [unsigned]"),
        "{message}"
    );
    let log = std::fs::read_to_string(folder.path().join("decisions.log")).unwrap();
    assert_eq!(log.lines().count(), 3);

    let id = Pid::from_child(&gate.child);
    kill_process(id, Signal::TERM).unwrap();
    let ended = tokio::task::spawn_blocking(move || gate.child.wait().unwrap().code());
    assert_eq!(ended.await.unwrap(), Some(0));
    tokio::task::spawn_blocking(move || drop(server))
        .await
        .unwrap();
}

/// Rules of a policy file decide, and a new file counts from SIGHUP on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_can_change_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (_, authority) = certificates(folder.path(), "127.0.0.1");
    let write = |rules: &str| {
        let text = format!("[default]\nrequire = \"reject\"\n{rules}");
        std::fs::write(folder.path().join("policy.toml"), text).unwrap();
    };
    let rule = |name: &str, demand: &str| format!("[[rule]]\nmatch = \"{name}\"\n{demand}\n");
    write(&rule("registry.test/free/*", "require = \"accept\""));
    let mut words = TLS.to_vec();
    words.extend(["--policy", "policy.toml", "--trust-dir", "state"]);
    let gate = Running::start(command(folder.path(), &words));
    let client = client(&authority);
    let ask = async |image: &str| {
        let answer = gate.post(&client, "/mutate", pod(&[image]).to_string());
        answer.await.response()
    };
    assert_eq!(ask("registry.test/free/app:1").await["allowed"], true);
    let refused = ask("registry.test/other/app:1").await;
    assert_eq!(refused["allowed"], false);
    let message = refused["status"]["message"].as_str().unwrap();
    assert!(
        message.contains("[denied-by-rule]") || message.contains("[no-rule]"),
        "{message}"
    );

    write("[[rule]]\nmatch = 5\n");
    kill_process(Pid::from_child(&gate.child), Signal::HUP).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(
        ask("registry.test/free/app:1").await["allowed"],
        true,
        "a wrong file"
    );
    write(&rule("registry.test/free/*", "require = \"reject\""));
    for _ in 0..100 {
        kill_process(Pid::from_child(&gate.child), Signal::HUP).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if ask("registry.test/free/app:1").await["allowed"] == false {
            return;
        }
    }
    panic!("the new policy does not hold");
}

/// With an authority of clients, whoever shows no certificate of it gets no answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let (_, authority) = certificates(folder.path(), "127.0.0.1");
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let clients =
        rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.path().join("clients.crt"), clients.pem()).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.signed_by(&key, &clients).unwrap();
    let identity = format!("{}{}", certificate.pem(), key.serialize_pem());

    let mut words = TLS.to_vec();
    words.extend(["--client-ca", "clients.crt", "--trust-dir", "state"]);
    let gate = Running::start(command(folder.path(), &words));
    let health = format!("{}/healthz", gate.url);
    assert!(client(&authority).get(&health).send().await.is_err());
    let trusted = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    let known = reqwest::Client::builder()
        .tls_certs_only([trusted])
        .identity(reqwest::Identity::from_pem(identity.as_bytes()).unwrap())
        .no_proxy()
        .build()
        .unwrap();
    assert_eq!(answer(known.get(&health)).await.status, 200);
}

#[test]
fn mistakes_are_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path(), "127.0.0.1");
    let run = |words: &[&str], content_trust: &str| -> Output {
        let mut command = command(folder.path(), words);
        command.env("DOCKER_CONTENT_TRUST", content_trust);
        command.output().unwrap()
    };
    let with = |words: &[&'static str]| [&TLS[..], words].concat();
    for (words, content_trust, code, said) in [
        (vec![], "1", 2, "--tls-cert <FILE>"),
        (with(&[]), "0", 2, "there is no policy"),
        (
            with(&["--policy", "missing.toml"]),
            "1",
            2,
            "cannot read missing.toml",
        ),
        (
            with(&["--extra-path", "Thing"]),
            "1",
            2,
            "expected GROUP/KIND:/PATH",
        ),
        (
            vec!["--tls-cert", "tls.key", "--tls-key", "tls.key"],
            "1",
            2,
            "tls.key holds no certificate in PEM form",
        ),
        (
            with(&["--client-ca", "missing.crt"]),
            "1",
            2,
            "cannot read missing.crt",
        ),
    ] {
        let output = run(&words, content_trust);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(said), "{words:?}: {stderr}");
        assert_eq!(output.status.code(), Some(code), "{words:?}: {stderr}");
        assert!(output.stdout.is_empty());
    }
}
