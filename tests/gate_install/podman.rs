//! The hook of Podman and what shares its configuration.

use super::Disk;

#[test]
fn certificates_go_where_podman_looks() {
    let disk = Disk::new();
    disk.put("/etc/trust/ca.crt", "CA\n");
    disk.put("/etc/trust/node.crt", "NODE\n");
    disk.put_with_mode("/etc/trust/node.key", "KEY OF THE NODE\n", 0o600);
    let before = disk.tree();
    let files = "--gate-ca /etc/trust/ca.crt --client-cert /etc/trust/node.crt --client-key /etc/trust/node.key";
    let ran = disk
        .hook(&format!(
            "install podman -y --proxy https://gate.test:8443 {files}"
        ))
        .ends(0);
    assert!(!ran.stdout.contains("KEY OF"), "{}", ran.stdout);
    let folder = "/etc/containers/certs.d/gate.test:8443";
    assert_eq!(disk.text(&format!("{folder}/ca.crt")), "CA\n");
    assert_eq!(
        disk.text(&format!("{folder}/client.key")),
        "KEY OF THE NODE\n"
    );
    disk.hook("remove podman -y").ends(0);
    assert_eq!(disk.tree(), before);
}

#[test]
fn a_person_has_a_hook_of_their_own() {
    let disk = Disk::new();
    disk.hook("install podman -y --user --registry registry.test/team")
        .ends(0);
    let text = disk.text("/home/a/.config/containers/registries.conf.d/zzz-trust.conf");
    assert!(
        text.contains("location = \"127.0.0.1:8443/registry.test/team\"\n"),
        "{text}"
    );
}
