//! The hook of containerd.

use super::Disk;

#[test]
fn the_old_form_of_mirrors_is_refused() {
    let disk = Disk::new();
    let cri = "[plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"docker.io\"]\n";
    let text = format!("version = 2\n{cri}endpoint = [\"https://m\"]\n");
    disk.put("/etc/containerd/config.toml", &text);
    let before = disk.tree();
    disk.hook("install containerd -y")
        .ends(2)
        .says("does not take them together");
    assert_eq!(disk.tree(), before);
}

#[test]
fn the_first_form_has_to_be_brought_up_to_date() {
    let disk = Disk::new();
    disk.put("/etc/containerd/config.toml", "root = \"/x\"\n");
    disk.hook("install containerd -y")
        .ends(2)
        .says("containerd config migrate");
}

#[test]
fn the_link_is_a_verifier() {
    let disk = Disk::new();
    let program = env!("CARGO_BIN_EXE_trust");
    disk.hook(&format!(
        "install containerd -y --no-proxy --verifier true --program {program}"
    ))
    .ends(0);
    let link = disk.real("/opt/containerd/image-verifier/bin/trust-containerd-verifier");
    let digest = format!("sha256:{}", "0".repeat(64));
    let mut verifier = std::process::Command::new(link);
    verifier
        .args(["-name", "docker.io/library/alpine:3", "-digest", &digest])
        .args([
            "-stdin-media-type",
            "application/vnd.oci.descriptor.v1+json",
        ])
        .env_clear()
        .env("HOME", disk.top());
    // Without a descriptor on standard input it says no, and why.
    let ran = super::run(&mut verifier);
    assert_ne!(ran.code, 0);
    assert_ne!(ran.stdout, "");
}

#[test]
fn the_verifier_is_for_version_two() {
    let link = "/opt/containerd/image-verifier/bin/trust-containerd-verifier";
    for (config, flags, there) in [
        ("version = 2\n", "", false),
        ("version = 2\n", "--verifier true", true),
        ("version = 3\n", "", true),
        ("version = 3\n", "--verifier false", false),
    ] {
        let disk = Disk::new();
        disk.put("/etc/containerd/config.toml", config);
        let before = disk.tree();
        disk.hook(&format!(
            "install containerd -y --program /usr/bin/trust {flags}"
        ))
        .ends(0);
        assert_eq!(disk.has(link), there, "{config} {flags}");
        disk.hook("status containerd").ends(0);
        disk.hook("remove containerd -y").ends(0);
        assert_eq!(disk.tree(), before);
    }
}
