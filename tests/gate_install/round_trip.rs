//! Whatever was there: installing twice is installing once, and removing brings it back.

use super::{Disk, POLICY, Tree};
use proptest::prelude::*;
use std::path::Path;
use trust::gate::install::{
    GateAddress, Plan, Refusal, Root, Wanted, containerd, docker, podman, transition, undo,
};

const STATE: &str = "/var/lib/trust";

/// A file on the disk before.
#[derive(Clone, Debug)]
struct Before {
    path: String,
    text: String,
    mode: u32,
    /// Whether it is a link to a file elsewhere
    linked: bool,
}

fn before(
    path: impl Strategy<Value = String>,
    text: impl Strategy<Value = String>,
) -> impl Strategy<Value = Before> {
    let mode = prop::sample::select(vec![0o600, 0o640, 0o644, 0o664]);
    (path, text, mode, prop::bool::weighted(0.1)).prop_map(|(path, text, mode, linked)| Before {
        path,
        text,
        mode,
        linked,
    })
}

fn daemon_json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just(serde_json::json!(true)),
        Just(serde_json::json!({"max-size": "10m", "x": {}})),
        Just(serde_json::json!([])),
        Just(serde_json::json!(["a", "b"])),
        "[ -~é\"\\\\]{0,12}".prop_map(serde_json::Value::from),
    ];
    let key = prop_oneof!["[a-z-]{1,10}", Just("authorization-plugins".to_owned())];
    let map = prop::collection::btree_map(key, value, 0..5);
    let whole = (map, 0..4_u8).prop_map(|(map, form)| match form {
        0 => serde_json::to_string(&map).unwrap(),
        1 => serde_json::to_string_pretty(&map).unwrap(),
        2 => serde_json::to_string_pretty(&map).unwrap() + "\n",
        _ => serde_json::to_string_pretty(&map)
            .unwrap()
            .replace("  ", "\t")
            .replace('\n', "\r\n"),
    });
    prop_oneof![8 => whole, 1 => Just(String::new()), 1 => "[{}\\[\\]\", a]{0,8}"]
}

fn hosts_toml() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("# mine\nserver = \"https://registry.test\"\n[host.\"https://m.test\"]\n".to_owned()),
        Just("server = not toml".to_owned()),
        Just("server = \"https://127.0.0.1:8443\"".to_owned()),
        "[ -~\\n]{0,40}",
    ]
}

fn registry() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "_default",
        "docker.io",
        "localhost:5000",
        "quay.io",
        "r_5000_",
    ])
    .prop_map(str::to_owned)
}

fn disk(files: &[Before]) -> Disk {
    let disk = Disk::with_policy();
    for (at, file) in files.iter().enumerate() {
        if disk.has(&file.path) {
            continue;
        }
        if file.linked {
            let to = format!("/srv/{at}");
            disk.put_with_mode(&to, &file.text, file.mode);
            disk.link(&file.path, &to);
        } else {
            disk.put_with_mode(&file.path, &file.text, file.mode);
        }
    }
    disk
}

fn gate() -> GateAddress {
    let mut gate = GateAddress::parse("https://127.0.0.1:8443").unwrap();
    gate.header = Some(("X-Trust-Gate-Secret".into(), "open sesame".into()));
    gate
}

fn docker_options(units: bool) -> docker::Options {
    docker::Options {
        authz: true,
        proxy: Some(gate()),
        socket: docker::DEFAULT_SOCKET.into(),
        policy: "/etc/trust/policy.toml".into(),
        program: "/usr/bin/trust".into(),
        units,
        tls: None,
        client_ca: None,
        secret_file: None,
        config: "/etc/docker/daemon.json".into(),
        certs: "/etc/docker/certs.d".into(),
    }
}

/// Installs twice and removes; checks that the tree is the same as before.
fn there_and_back(
    disk: &Disk,
    engine: &str,
    wanted: &[Wanted],
    plan: impl Fn(&trust::gate::install::Files) -> Result<Plan, Refusal>,
) -> Result<bool, TestCaseError> {
    let before: Tree = disk.tree();
    let root = Root::at(disk.top());
    let state = Path::new(STATE);
    let first = transition(engine, &root.files(wanted), None, &plan);
    let Ok(first) = first else {
        prop_assert_eq!(disk.tree(), before);
        return Ok(false);
    };
    root.install(state, &first.plan.changes, &first.record)
        .unwrap();
    let installed = disk.tree();
    let record = root.record(state, engine).unwrap().unwrap();
    let mut all = wanted.to_vec();
    all.extend(
        record
            .changes
            .iter()
            .map(|it| Wanted::Content(it.path.clone())),
    );
    let again = transition(engine, &root.files(&all), Some(&record), &plan).unwrap();
    prop_assert!(again.plan.changes.is_empty(), "{}", again.plan.diff());
    root.install(state, &again.plan.changes, &again.record)
        .unwrap();
    prop_assert_eq!(disk.tree(), installed);
    let back = undo(&record, &root.files(&all)).unwrap();
    root.remove(state, &back.changes, &record).unwrap();
    prop_assert_eq!(disk.tree(), before);
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn docker(
        config in prop::option::of(before(Just("/etc/docker/daemon.json".to_owned()), daemon_json())),
        hosts in prop::collection::vec(
            before(registry().prop_map(|it| format!("/etc/docker/certs.d/{it}/hosts.toml")), hosts_toml()),
            0..4,
        ),
        certificate in any::<bool>(),
        units in any::<bool>(),
    ) {
        let files: Vec<Before> = config.into_iter().chain(hosts).collect();
        let disk = disk(&files);
        if certificate {
            disk.put("/etc/docker/certs.d/own.test/ca.crt", "x");
        }
        let options = docker_options(units);
        let plan = |files: &trust::gate::install::Files| docker::plan(files, &options);
        if there_and_back(&disk, "docker", &docker::wanted(&options), plan)? {
            prop_assert_eq!(disk.text("/etc/trust/policy.toml"), POLICY);
        }
    }

    #[test]
    fn containerd(
        version in prop::option::of(1..4_u8),
        path in prop::option::of(Just("/etc/containerd/certs.d:/etc/docker/certs.d")),
        comment in "(# [a-z ]{0,10}\n)?",
        hosts in prop::collection::vec(
            before(registry().prop_map(|it| format!("/etc/containerd/certs.d/{it}/hosts.toml")), hosts_toml()),
            0..3,
        ),
        linked in any::<bool>(),
    ) {
        let cri = match version {
            Some(3) => "io.containerd.cri.v1.images",
            Some(2) => "io.containerd.grpc.v1.cri",
            _ => "cri",
        };
        let version = version.map(|it| format!("version = {it}\n"));
        let path = path.map(|it| format!("[plugins.\"{cri}\".registry]\n  config_path = \"{it}\" # here\n"));
        let text = [comment, version.unwrap_or_default(), path.unwrap_or_default()].concat();
        let disk = disk(&hosts);
        if !text.is_empty() {
            let config = Before { path: "/etc/containerd/config.toml".into(), text: text.clone(), mode: 0o640, linked };
            if linked {
                disk.put_with_mode("/srv/config.toml", &config.text, config.mode);
                disk.link(&config.path, "../../srv/config.toml");
            } else {
                disk.put_with_mode(&config.path, &config.text, config.mode);
            }
        }
        let options = containerd::Options {
            proxy: Some(gate()),
            verifier: true,
            program: "/usr/bin/trust".into(),
            config: "/etc/containerd/config.toml".into(),
        };
        let settings = containerd::Settings::parse(&text).unwrap();
        let wanted = containerd::wanted(&options, &settings);
        there_and_back(&disk, "containerd", &wanted, |files| containerd::plan(files, &options))?;
    }

    #[test]
    fn podman(
        conf in prop::option::of("(unqualified-search-registries = \\['docker[.]io', 'quay[.]io'\\]\n)?(\\[\\[registry\\]\\]\nlocation = 'a[.]test/b'\n)?"),
        drop_in in prop::option::of(before(Just("/etc/containers/registries.conf.d/zzz-trust.conf".to_owned()), "(# mine\n)?")),
    ) {
        let disk = disk(&drop_in.into_iter().collect::<Vec<_>>());
        if let Some(conf) = conf {
            disk.put("/etc/containers/registries.conf", &conf);
        }
        let options = podman::Options {
            proxy: GateAddress::parse("http://127.0.0.1:8443").unwrap(),
            registries: vec!["docker.io".into()],
            upstream: "docker.io".into(),
            blocked: vec!["*.evil.test".into()],
            folder: "/etc/containers".into(),
        };
        let wanted = podman::wanted(&options.folder, Some(&options.proxy));
        let done = there_and_back(&disk, "podman", &wanted, |files| podman::plan(files, &options))?;
        prop_assert!(done);
    }
}
