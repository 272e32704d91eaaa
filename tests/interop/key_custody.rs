//! Keys that were exported, restored, migrated or got another passphrase here are those of notary and docker,
//! and those that notary exported are ours.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::peers::{
    home::{Home, REPOSITORY, ROOT, files_below},
    image::hex_of,
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    notary_imports_what_we_export_and_signs_with_it,
    restored_keys_sign,
    docker_and_notary_sign_with_keys_under_another_passphrase,
    docker_and_notary_sign_with_migrated_keys
);

/// Nigel's repository with all its keys on his machine.
fn begun<'lab>(lab: &'lab Lab, server: &str) -> (Home<'lab>, String) {
    let nigel = lab.home(server);
    let app = lab.name("team/app");
    nigel.trust("key generate nigel").ok();
    nigel.trust(&format!("repo init {app}")).ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    (nigel, app)
}

fn notary_imports_what_we_export_and_signs_with_it(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = begun(&lab, "nigel");
    let other = lab.home("other");
    // What notary has looked at once it has folders for.
    let _ = other.notary("key list");
    for (id, role) in keys(&nigel) {
        let file = nigel.folder().join(format!("{id}.pem"));
        nigel.trust(&format!("key export {id} -o {id}.pem")).ok();
        other
            .notary(&format!("key import {}", file.display()))
            .ok()
            .does_not_say("failed");
        other.notary("key list").ok().says(&id).says(&role);
    }
    assert_eq!(keys(&other), keys(&nigel));
    let image = lab.push("team/app", "first");
    let (digest, size) = (image.digest(), image.manifest.bytes.len());
    let hex = hex_of(&digest);
    for role in ["targets", "targets/releases"] {
        other
            .notary(&format!(
                "addhash -p {app} first {size} --sha256 {hex} -r {role}"
            ))
            .ok();
    }
    let verified = nigel.trust(&format!("verify -q {app}:first")).ok();
    assert_eq!(verified.stdout, format!("{app}:first@{digest}\n"));

    // And back: the dump of all keys, as notary makes it.
    let third = lab.home("third");
    other.notary("key export -o all.pem").ok();
    let dump = other.folder().join("all.pem");
    private(&dump);
    let few = third
        .with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", REPOSITORY)
        .trust(&format!("key load {}", dump.display()));
    few.ok().says("Successfully imported 4 keys");
    assert_eq!(keys(&third), keys(&nigel));
    lab.push("team/app", "second");
    third.trust(&format!("sign {app}:second")).ok();
}

fn restored_keys_sign(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let (nigel, app) = begun(&lab, "nigel");
    let nigel = nigel.with("TRUST_BACKUP_PASSPHRASE", "backup words");
    nigel.trust("key backup -o all.keys").ok();
    let other = lab
        .home("other")
        .with("TRUST_BACKUP_PASSPHRASE", "backup words");
    let backup = nigel.folder().join("all.keys");
    other
        .trust(&format!("key restore {}", backup.display()))
        .ok();
    assert_eq!(contents(&other), contents(&nigel));
    let first = lab.push("team/app", "first").digest();
    other.trust(&format!("sign {app}:first")).ok();
    nigel
        .notary(&format!("lookup {app} first"))
        .ok()
        .says(hex_of(&first));
    lab.push("team/app", "second");
    sign_with_docker(&other, &app, "second");
}

fn docker_and_notary_sign_with_keys_under_another_passphrase(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let (nigel, app) = begun(&lab, "nigel");
    fs::write(nigel.folder().join("new"), "other words\n").unwrap();
    for (id, role) in keys(&nigel) {
        let line = format!("key passwd {id} --new-passphrase-file new");
        nigel
            .trust(&line)
            .ok()
            .says(&format!("Successfully updated passphrase for key ID: {id}"));
        nigel.notary("key list").ok().says(&id).says(&role);
    }
    lab.push("team/app", "first");
    nigel.docker(&format!("pull {app}:first")).ok();
    nigel
        .docker(&format!("trust sign --local {app}:first"))
        .exit(1);
    let other = "other words";
    let nigel = [
        "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE",
        "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE",
        "NOTARY_ROOT_PASSPHRASE",
        "NOTARY_TARGETS_PASSPHRASE",
        "NOTARY_SNAPSHOT_PASSPHRASE",
        "NOTARY_DELEGATION_PASSPHRASE",
    ]
    .into_iter()
    .fold(nigel, |home, variable| home.with(variable, other));
    sign_with_docker(&nigel, &app, "first");
    nigel
        .notary(&format!("witness -p {app} targets targets/releases"))
        .ok();
}

fn docker_and_notary_sign_with_migrated_keys(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let (nigel, app) = begun(&lab, "nigel");
    // As Notary 0.1 would have kept them: traditional PEM, everything else in the name.
    let folder = nigel.trust_dir().join("private");
    let mut old = Vec::new();
    for (id, role) in keys(&nigel) {
        let place = match role.as_str() {
            "root" => format!("root_keys/{id}_root.key"),
            "targets" | "snapshot" => format!("tuf_keys/{app}/{id}_{role}.key"),
            _ => format!("tuf_keys/{id}_{role}.key"),
        };
        let place = folder.join(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let key = folder.join(format!("{id}.key"));
        in_old_encryption(&nigel, &key, &place, &role);
        fs::remove_file(key).unwrap();
        old.push((place.clone(), fs::read(&place).unwrap()));
    }
    // Read in place,
    lab.push("team/app", "first");
    nigel.trust(&format!("sign {app}:first")).ok();
    // exported in the old encryption, which notary still takes,
    let other = lab.home("other");
    let _ = other.notary("key list");
    for (id, _) in keys(&nigel) {
        nigel.trust(&format!("key export {id} -o {id}.pem")).ok();
        let file = nigel.folder().join(format!("{id}.pem"));
        other.notary(&format!("key import {}", file.display())).ok();
    }
    assert_eq!(keys(&other), keys(&nigel));
    other.notary(&format!("witness -p {app} targets")).ok();
    // and then brought to where docker and notary look, before notary would delete the old ones.
    nigel.trust("key migrate").ok().says("Migrated");
    for (place, bytes) in old {
        assert_eq!(fs::read(place).unwrap(), bytes);
    }
    sign_with_docker(&nigel, &app, "second");
    nigel
        .notary(&format!("witness -p {app} targets targets/releases"))
        .ok();
    nigel
        .trust(&format!("verify {app}:first {app}:second"))
        .ok();
}

/// Writes the key anew with `OpenSSL`: SEC1 behind AES-256-CBC and a key made by MD5.
fn in_old_encryption(home: &Home<'_>, from: &Path, to: &Path, role: &str) {
    let passphrase = if role == "root" { ROOT } else { REPOSITORY };
    // OpenSSL reads no headers but its own.
    let text = fs::read_to_string(from).unwrap();
    let (head, rest) = text.split_once("\n\n").unwrap();
    let begin = head.lines().next().unwrap();
    fs::write(home.folder().join("bare.pem"), format!("{begin}\n{rest}")).unwrap();
    let line = format!(
        "pkey -in bare.pem -passin pass:{passphrase} -traditional -aes256 -passout pass:{passphrase}"
    );
    let made = home.command(Path::new("openssl"), &line).output().unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "openssl {line}: {said}");
    assert!(
        made.stdout
            .starts_with(b"-----BEGIN EC PRIVATE KEY-----\nProc-Type")
    );
    fs::write(to, made.stdout).unwrap();
    private(to);
}

fn sign_with_docker(home: &Home<'_>, app: &str, tag: &str) {
    let image = format!("{app}:{tag}");
    home.lab.push("team/app", tag);
    home.docker(&format!("pull {image}")).ok();
    home.docker(&format!("trust sign --local {image}"))
        .ok()
        .says("Successfully signed");
    home.trust(&format!("verify {image}")).ok();
}

/// Ids and roles of the keys of a home.
fn keys(home: &Home<'_>) -> Vec<(String, String)> {
    let listed = home.trust("key list --format json").ok().stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let keys = listed.as_array().unwrap().iter();
    keys.map(|key| (text(&key["id"]), text(&key["role"])))
        .collect()
}

/// Names and bytes of the key files.
fn contents(home: &Home<'_>) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = home.trust_dir().join("private");
    let files = files_below(&folder).into_iter();
    files
        .map(|(path, bytes)| (path.strip_prefix(&folder).unwrap().to_owned(), bytes))
        .collect()
}

fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}
