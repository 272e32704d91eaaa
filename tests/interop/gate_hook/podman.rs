//! Podman with the drop-in that the hook writes for one person.

use super::{REFUSAL, Scene, files};
use crate::peers::{
    gate_proxy::GateProxy,
    home::Home,
    program,
    run::{Ran, run},
};
use std::fs;

fn podman(home: &Home<'_>, line: &str) -> Ran {
    let file = |name: &str| home.folder().join(name).display().to_string();
    let line = format!(
        "--root {} --runroot {} --storage-driver vfs {line}",
        file("podman"),
        file("podman-run")
    );
    run(home
        .without("DOCKER_CONFIG")
        .command(&program::find("podman"), &line))
}

#[test]
fn podman_goes_by_what_is_written() {
    let scene = Scene::new();
    let gate = GateProxy::start(&scene.lab.home("gate"));
    let reader = scene.reader();
    let containers = reader.folder().join(".config/containers");
    fs::create_dir_all(&containers).expect("a folder");
    fs::write(
        containers.join("policy.json"),
        r#"{"default":[{"type":"insecureAcceptAnything"}]}"#,
    )
    .expect("a policy");
    let registry = &scene.lab.registry.host;
    let direct = format!("[[registry]]\nlocation = \"{registry}\"\ninsecure = true\n");
    fs::write(containers.join("registries.conf"), direct).expect("registries.conf");
    let before = files(&containers);
    podman(&reader, &format!("pull {}", scene.name("unsigned"))).ok();
    podman(&reader, &format!("rmi {}", scene.name("unsigned"))).ok();

    let place = format!("--state-dir {}", reader.folder().join("state").display());
    let line = format!(
        "hook install podman --user -y {place} --proxy https://{} --gate-ca {} --upstream {registry} --block blocked.test",
        gate.host,
        scene.lab.ca().display()
    );
    reader.trust(&line).ok();
    podman(&reader, &format!("pull {}", scene.name("signed"))).ok();
    let ran = podman(&reader, &format!("pull {}", scene.name("unsigned")));
    assert_ne!(ran.code, 0, "{ran}");
    ran.says(REFUSAL);
    let ran = podman(&reader, "pull blocked.test/x");
    assert_ne!(ran.code, 0, "{ran}");
    ran.says("blocked");

    reader.trust(&format!("hook remove podman -y {place}")).ok();
    assert_eq!(files(&containers), before);
    podman(&reader, &format!("pull {}", scene.name("unsigned"))).ok();
}
