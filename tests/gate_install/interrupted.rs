//! The power fails between any two writes: removal still brings everything back.

use super::Disk;
use std::{fs, path::Path};
use trust::gate::install::{
    Files, GateAddress, Record, Root, Transition, Wanted, docker, transition, undo,
};

const STATE: &str = "/var/lib/trust";

fn options(proxy: Option<&str>) -> docker::Options {
    docker::Options {
        authz: true,
        proxy: proxy.map(|url| GateAddress::parse(url).unwrap()),
        socket: "/run/other.sock".into(),
        policy: "/etc/trust/policy.toml".into(),
        program: "/usr/bin/trust".into(),
        units: true,
        tls: None,
        client_ca: None,
        secret_file: None,
        config: "/etc/docker/daemon.json".into(),
        certs: "/etc/docker/certs.d".into(),
    }
}

fn host() -> Disk {
    let disk = Disk::with_policy();
    disk.put("/etc/docker/daemon.json", "{\"debug\": true}");
    disk.put("/etc/docker/certs.d/quay.io/hosts.toml", "# mine\n");
    disk
}

fn planned(root: &Root, options: &docker::Options, installed: Option<&Record>) -> Transition {
    let files = root.files(&wanted(options, installed));
    let plan = |files: &Files| docker::plan(files, options);
    transition("docker", &files, installed, plan).unwrap()
}

fn wanted(options: &docker::Options, record: Option<&Record>) -> Vec<Wanted> {
    let mut wanted = docker::wanted(options);
    let paths = record.into_iter().flat_map(Record::paths);
    wanted.extend(paths.map(|path| Wanted::Content(path.to_owned())));
    wanted
}

/// Carries out the first changes only, as if the power had failed then.
fn interrupted(disk: &Disk, root: &Root, to: &Transition, done: usize) {
    let changes = &to.plan.changes[..done];
    root.install(Path::new(STATE), changes, &to.record).unwrap();
    let kept = disk.real("/var/lib/trust/hooks/docker.json");
    let written = Record::parse(&fs::read(&kept).unwrap()).unwrap();
    let full = Record {
        folders: written.folders,
        ..to.record.clone()
    };
    fs::write(kept, full.bytes()).unwrap();
}

fn removed(root: &Root, options: &docker::Options) {
    let record = root.record(Path::new(STATE), "docker").unwrap().unwrap();
    let files = root.files(&wanted(options, Some(&record)));
    let back = undo(&record, &files).unwrap();
    root.remove(Path::new(STATE), &back.changes, &record)
        .unwrap();
}

#[test]
fn a_first_installation() {
    let options = options(Some("http://127.0.0.1:8443"));
    let all = planned(&Root::at(host().top()), &options, None)
        .plan
        .changes
        .len();
    assert!(all > 6, "{all} changes");
    for done in 0..=all {
        let disk = host();
        let (before, root) = (disk.tree(), Root::at(disk.top()));
        interrupted(&disk, &root, &planned(&root, &options, None), done);
        removed(&root, &options);
        assert_eq!(disk.tree(), before, "after {done} changes");
    }
}

#[test]
fn an_installation_over_another() {
    let first = options(Some("http://127.0.0.1:8443"));
    for second in [options(Some("https://127.0.0.1:9443")), options(None)] {
        for done in 0..=6 {
            let disk = host();
            let (before, root) = (disk.tree(), Root::at(disk.top()));
            let to = planned(&root, &first, None);
            root.install(Path::new(STATE), &to.plan.changes, &to.record)
                .unwrap();
            let installed = root.record(Path::new(STATE), "docker").unwrap();
            let to = planned(&root, &second, installed.as_ref());
            let done = done.min(to.plan.changes.len());
            interrupted(&disk, &root, &to, done);
            removed(&root, &second);
            assert_eq!(disk.tree(), before, "after {done} changes");
        }
    }
}
