//! A real dockerd whose `/etc/docker` the hook writes.

use super::{REFUSAL, Scene, files};
use crate::peers::{
    home::Home,
    program,
    run::{Ran, run},
    service::{NotReady, Service},
};
use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

const SETTINGS: &str = "{\n    \"debug\": false\n}\n";

/// A host below a folder: its `/etc`, its gate, its engine.
struct Host {
    top: PathBuf,
}

impl Host {
    fn new(scene: &Scene) -> Self {
        let top = scene.lab.folder().join("host");
        for folder in ["etc/docker", "etc/trust", "run/docker/plugins"] {
            fs::create_dir_all(top.join(folder)).expect("a folder");
        }
        fs::write(top.join("etc/docker/daemon.json"), SETTINGS).expect("settings");
        let policy = format!(
            "[default]\nrequire = \"reject\"\n\
             [[rule]]\nmatch = \"{}\"\nrequire = \"signed\"\nfirst_use = true\n",
            scene.lab.name("team/**")
        );
        fs::write(top.join("etc/trust/policy.toml"), policy).expect("a policy");
        Self { top }
    }

    fn hook(&self, home: &Home<'_>, line: &str) -> Ran {
        home.trust(&format!("hook {line} --root {}", self.top.display()))
    }

    /// The plugin where the hook says that the engine looks for it.
    fn gate(&self, home: &Home<'_>) -> Service {
        let socket = self.top.join("run/docker/plugins/trust.sock");
        let policy = self.top.join("etc/trust/policy.toml");
        let line = format!(
            "gate authz --socket {} --policy {}",
            socket.display(),
            policy.display()
        );
        let engine = format!("unix://{}", self.socket().display());
        let command = home.with("DOCKER_HOST", &engine).trust_command(&line);
        let log = self.top.with_extension("gate.log");
        let mut service = Service::start_command("trust gate authz", &command, &log);
        let ready = service.wait_until(|| UnixStream::connect(&socket).is_ok());
        assert!(ready.is_ok(), "no gate:\n{}", service.log());
        service
    }

    fn socket(&self) -> PathBuf {
        self.top.with_extension("sock")
    }

    /// dockerd to which this host's `/etc/docker` is the only one there is.
    fn engine(&self) -> Service {
        let top = self.top.display();
        let file = |name: &str| self.top.with_extension(name).display().to_string();
        let script = format!(
            "set -e\n\
             mkdir -p /etc/docker /run/docker/plugins\n\
             mount --bind {top}/etc/docker /etc/docker\n\
             mount --bind {top}/run/docker/plugins /run/docker/plugins\n\
             exec {} --data-root {} --exec-root {} --pidfile {} --host unix://{} \
             --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs",
            program::find("dockerd").display(),
            file("data"),
            file("exec"),
            file("pid"),
            self.socket().display(),
        );
        let arguments = ["--mount", "sh", "-c", &script];
        let log = self.top.with_extension("log");
        let mut service = Service::start("unshare", &arguments, &log);
        match service.wait_until(|| answers(&self.socket())) {
            Ok(()) => service,
            Err(NotReady::AddressInUse) => panic!("the address is in use"),
            Err(NotReady::Failed(why)) => panic!("{why}\n(dockerd needs root)"),
        }
    }

    fn docker(&self, home: &Home<'_>, line: &str) -> Ran {
        self.asked_by(&program::find("docker"), home, line)
    }

    fn engines_docker(&self, home: &Home<'_>, line: &str) -> Ran {
        self.asked_by(program::engines_docker(), home, line)
    }

    fn asked_by(&self, docker: &Path, home: &Home<'_>, line: &str) -> Ran {
        let engine = format!("unix://{}", self.socket().display());
        run(home.with("DOCKER_HOST", &engine).command(docker, line))
    }

    /// Has the engine read its configuration again.
    fn reload(&self) {
        let pid = fs::read_to_string(self.top.with_extension("pid")).expect("a pid");
        let status = Command::new("kill").args(["-HUP", pid.trim()]).status();
        assert!(status.expect("kill").success());
    }

    fn etc(&self) -> std::collections::BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = files(&self.top.join("etc"));
        // The engine's own.
        files.remove(Path::new(&self.top.join("etc/docker/key.json")));
        files
    }
}

fn answers(socket: &Path) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = UnixStream::connect(socket) else {
        return false;
    };
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n");
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.ends_with("OK")
}

#[test]
fn the_engine_asks_from_installation_to_removal() {
    let scene = Scene::new();
    let host = Host::new(&scene);
    let (gate_home, reader) = (scene.lab.home("gate"), scene.reader());
    let before = host.etc();
    host.hook(&reader, "install docker --authz -y").ok();
    host.hook(&reader, "status docker").ok();
    let _gate = host.gate(&gate_home);
    let _engine = host.engine();
    let (signed, unsigned) = (scene.name("signed"), scene.name("unsigned"));

    host.docker(&reader, &format!("pull {signed}"))
        .ok()
        .says(&scene.signed);
    host.docker(&reader, &format!("run --rm --network none {signed}"))
        .ok()
        .says("team/app:signed");
    for verb in ["pull", "create", "run --rm --network none"] {
        let ran = host.docker(&reader, &format!("{verb} {unsigned}"));
        assert_ne!(ran.code, 0, "{ran}");
        ran.says("authorization denied by plugin trust")
            .says(REFUSAL);
    }
    fs::write(
        reader.folder().join("Dockerfile"),
        format!("FROM {unsigned}\n"),
    )
    .expect("a file");
    // Bypass 11: builders inside the engine.
    for (kit, words) in [
        ("0", "authorization denied by plugin trust"),
        // Docker's own words: it shows no reason for a connection that is not upgraded.
        ("1", "received 403"),
    ] {
        host.engines_docker(&reader.with("DOCKER_BUILDKIT", kit), "build .")
            .exit(1)
            .says(words);
    }

    let engine = format!("unix://{}", host.socket().display());
    let prover = reader.with("DOCKER_HOST", &engine);
    prover
        .trust(&format!("hook prove docker {signed} {unsigned}"))
        .ok()
        .says(&format!("{signed}: pulled"))
        .says(&format!("{unsigned}: refused: "));

    host.hook(&reader, "remove docker -y").ok();
    assert_eq!(host.etc(), before);
    assert!(!host.top.join("var").exists());
    host.reload();
    let deadline = Instant::now() + Duration::from_secs(20);
    while host.docker(&reader, &format!("pull {unsigned}")).code != 0 {
        assert!(Instant::now() < deadline, "the engine still asks");
        thread::sleep(Duration::from_millis(100));
    }
    prover
        .trust(&format!("hook prove docker {signed} {unsigned}"))
        .exit(1)
        .says(&format!("{unsigned} came through"));
}
