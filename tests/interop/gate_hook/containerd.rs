//! Debian's containerd 1.6, pulled with the `hosts.toml` that the hook writes.

use super::{REFUSAL, Scene, files};
use crate::peers::{containerd::Containerd, gate_proxy::GateProxy};
use std::fs;

#[test]
fn containerd_goes_by_what_is_written() {
    let scene = Scene::new();
    let gate = GateProxy::start(&scene.lab.home("gate"));
    let reader = scene.reader();
    let top = scene.lab.folder().join("node");
    let certs = top.join("certs.d");
    let own = certs.join(&scene.lab.registry.host);
    fs::create_dir_all(&own).expect("a folder");
    // What was there before leads to the registry itself.
    let direct = format!("server = \"http://{}\"\n[host]\n", scene.lab.registry.host);
    fs::write(own.join("hosts.toml"), direct).expect("hosts.toml");
    let config = top.join("config.toml");
    let text = format!(
        "version = 2 # mine\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"{}\"\n",
        certs.display()
    );
    fs::write(&config, text).expect("a configuration");
    let before = files(&top);
    let containerd = Containerd::start(scene.lab.folder());
    let pull = |tag: &str| {
        let (hosts, name) = (certs.display(), scene.name(tag));
        let line = format!("images pull --hosts-dir {hosts} --snapshotter native {name}");
        containerd.ctr(&reader, &line)
    };
    pull("unsigned").ok();
    containerd
        .ctr(&reader, &format!("images rm {}", scene.name("unsigned")))
        .ok();

    let place = format!("--state-dir {}", top.join("state").display());
    let line = format!(
        "hook install containerd -y {place} --config {} --proxy https://{} --gate-ca {}",
        config.display(),
        gate.host,
        scene.lab.ca().display()
    );
    reader.trust(&line).ok();
    pull("signed").ok();
    let ran = pull("unsigned");
    assert_ne!(ran.code, 0, "{ran}");
    ran.says(REFUSAL);

    // Bypass 1: no gate, no image.
    drop(gate.stopped());
    let requests = scene.lab.registry.requests_for("team/app");
    assert_ne!(pull("signed").code, 0);
    assert_eq!(scene.lab.registry.requests_for("team/app"), requests);

    reader
        .trust(&format!("hook remove containerd -y {place}"))
        .ok();
    assert_eq!(files(&top), before);
    pull("unsigned").ok();
}
