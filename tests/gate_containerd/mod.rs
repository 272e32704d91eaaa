//! The image verifier as containerd runs it: arguments, standard input, exit code, output.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::symlink,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What containerd reads of standard output, in bytes.
const READ: usize = 32 * 1024;
/// When containerd kills the verifier.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder with the program by containerd's name for it, and a policy.
struct Place {
    folder: tempfile::TempDir,
}

/// How one run ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    said: String,
    took: Duration,
}

impl Place {
    /// Everything below `free.test` passes, `tried.test` is audited, nothing else passes.
    fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        symlink(env!("CARGO_BIN_EXE_trust"), place.verifier()).unwrap();
        place.enforce(
            "[default]\nrequire = \"reject\"\n\
             [[rule]]\nmatch = \"free.test/**\"\nrequire = \"accept\"\n\
             [[rule]]\nmatch = \"tried.test/**\"\nrequire = \"reject\"\nmode = \"audit\"\n",
        );
        place
    }

    fn verifier(&self) -> PathBuf {
        self.folder.path().join("trust-containerd-verifier")
    }

    fn policy(&self) -> PathBuf {
        self.folder.path().join("docker/trust/policy.toml")
    }

    fn enforce(&self, policy: &str) {
        fs::create_dir_all(self.policy().parent().unwrap()).unwrap();
        fs::write(self.policy(), policy).unwrap();
    }

    /// The verifier with these words.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.verifier());
        command
            .args(words)
            .env_clear()
            .env("DOCKER_CONFIG", self.folder.path().join("docker"));
        command
    }

    /// The command as containerd writes it.
    fn about(&self, name: &str) -> Command {
        self.command(&words(name, &digest()))
    }

    fn verify(&self, name: &str) -> Ran {
        run(self.about(name), Some(descriptor(&digest()).as_bytes()))
    }
}

/// Runs it with this input; without one, nobody writes and nobody closes.
fn run(mut command: Command, input: Option<&[u8]>) -> Ran {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take();
    if let Some(input) = input {
        // It may have heard enough before the end.
        stdin.take().unwrap().write_all(input).ok();
    }
    let mut said = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut said).unwrap();
    let code = child.wait().unwrap().code();
    drop(stdin);
    let took = began.elapsed();
    Ran { code, said, took }
}

impl Ran {
    /// What it says is short, on one line, and says why.
    #[track_caller]
    fn is(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.said.contains(words), "`{words}` is not in {self:?}");
        assert!(self.said.len() <= READ && self.took < PATIENCE, "{self:?}");
        assert_eq!(self.said.matches('\n').count(), 1, "{self:?}");
        assert!(self.said.ends_with('\n') && self.said.len() > 1, "{self:?}");
    }
}

fn digest() -> String {
    format!("sha256:{}", "d".repeat(64))
}

fn words<'w>(name: &'w str, digest: &'w str) -> [&'w str; 6] {
    let kind = "-stdin-media-type";
    ["-name", name, "-digest", digest, kind, DESCRIPTOR]
}

fn descriptor(digest: &str) -> String {
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}","size":7}}"#
    )
}

const DESCRIPTOR: &str = "application/vnd.oci.descriptor.v1+json";

#[test]
fn the_exit_code_is_the_verdict_and_the_output_the_reason() {
    let place = Place::new();
    let pinned = format!("free.test/app:1@{}", digest());
    for name in ["free.test/app:1", "free.test/app", &pinned] {
        place.verify(name).is(0, name);
    }
    place.verify("tried.test/app:1").is(0, "only audited");
    let refused = place.verify("docker.io/library/app:1");
    refused.is(1, "is refused by rule default");
    refused.is(1, "[no-rule]");
}

#[test]
fn what_is_not_clear_is_refused() {
    let place = Place::new();
    let (digest, good) = (digest(), descriptor(&digest()));
    let given = |input: &[u8]| {
        let words = words("free.test/app:1", &digest);
        run(place.command(&words), Some(input))
    };
    given(good.as_bytes()).is(0, "passes");
    let other = descriptor(&format!("sha256:{}", "e".repeat(64)));
    given(other.as_bytes()).is(1, "the descriptor says sha256:eee");
    given(b"").is(1, "no descriptor");
    given(b"\xff\xfe").is(1, "no descriptor");
    given((good.clone() + &" ".repeat(10 << 20)).as_bytes()).is(1, "longer than");
    given("[".repeat(60_000).as_bytes()).is(1, "no descriptor");

    let with = |at: usize, word: &str| {
        let mut words = words("free.test/app:1", &digest);
        words[at] = word;
        run(place.command(&words), Some(good.as_bytes()))
    };
    with(1, "app:1").is(1, "does not say its registry in full");
    with(1, "free/app:1").is(1, "docker.io/free/app:1");
    with(1, "").is(1, "invalid reference format");
    with(1, "free.test/a\nb").is(1, "invalid reference format");
    let long = format!("free.test/{}", "x".repeat(100_000));
    with(1, &long).is(1, "repository name must not be more than 255");
    with(3, "sha256:12").is(1, "invalid checksum digest length");
    with(5, "application/json").is(1, "application/json");
    run(place.command(&[]), Some(good.as_bytes())).is(1, "standard input is");
}

#[test]
fn it_is_a_command_too() {
    let place = Place::new();
    let digest = digest();
    let as_words = |dash: &str, equals: bool| -> Vec<String> {
        let pairs = [
            ("name", "free.test/app:1"),
            ("digest", &digest),
            ("stdin-media-type", DESCRIPTOR),
        ];
        let words = pairs.map(|(name, value)| {
            if equals {
                vec![format!("{dash}{name}={value}")]
            } else {
                vec![format!("{dash}{name}"), value.to_owned()]
            }
        });
        words.concat()
    };
    for (dash, equals) in [("-", false), ("--", false), ("-", true), ("--", true)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trust"));
        command
            .args(["gate", "containerd-verifier"])
            .args(as_words(dash, equals))
            .env_clear()
            .env("DOCKER_CONFIG", place.folder.path().join("docker"));
        run(command, Some(descriptor(&digest).as_bytes())).is(0, "free.test/app:1");
    }
}

/// A verifier that cannot be set up lets nothing pass, and says so to whoever pulls.
#[test]
fn without_a_policy_nothing_passes() {
    let place = Place::new();
    place.enforce("[default]\nrequire = \"maybe\"\n");
    place.verify("free.test/app:1").is(1, "line 2");
    fs::remove_file(place.policy()).unwrap();
    if !PathBuf::from("/etc/trust/policy.toml").exists() {
        place.verify("free.test/app:1").is(1, "there is no policy");
    }
}

/// containerd is a service: it need not have a home.
#[test]
fn without_a_home_there_are_fixed_places() {
    let place = Place::new();
    let mut command = place.about("free.test/app:1");
    command
        .env_remove("DOCKER_CONFIG")
        .arg("--policy")
        .arg(place.policy());
    run(command, Some(descriptor(&digest()).as_bytes())).is(0, "passes");
}

#[test]
fn decisions_are_logged_where_told() {
    let place = Place::new();
    let log = place.folder.path().join("decisions.json");
    let mut command = place.about("other.test/app:1");
    command.arg("--decision-log").arg(&log);
    run(command, Some(descriptor(&digest()).as_bytes())).is(1, "refused");
    let mut command = place.about("other.test/app:1");
    command.arg("--decision-log").arg(&log);
    run(command, Some(b"{}")).is(1, "descriptor");
    let text = fs::read_to_string(log).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let said = |line: &serde_json::Value| {
        ["door", "verdict", "reason"].map(|field| line[field].as_str().unwrap().to_owned())
    };
    let [by_policy, by_itself] = &lines[..] else {
        panic!("{text}");
    };
    assert_eq!(said(by_policy)[..2], ["containerd", "refused"]);
    assert_eq!(said(by_itself), ["containerd", "refused", "malformed"]);
}

/// containerd kills after ten seconds, and the reason with it.
#[test]
fn a_trust_server_that_hangs_is_no_yes() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    place.enforce(&format!(
        "[default]\nrequire = \"signed\"\nfirst_use = true\nserver = \"https://{server}\"\n"
    ));
    let refused = place.verify("other.test/app:1");
    refused.is(1, "no decision within");
    refused.is(1, "[unreachable]");
}

#[test]
fn an_input_that_does_not_end_is_no_yes() {
    let place = Place::new();
    run(place.about("free.test/app:1"), None).is(1, "no decision within 8 s");
}
