//! Keys through their life from the command line: exported, under another passphrase, backed up, migrated, removed.

use super::{Home, PASSPHRASE, Ran, openssl, read};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

#[test]
fn exported_keys_are_loaded_elsewhere_under_the_same_passphrase() {
    let home = Home::with_passphrases();
    home.trust("key generate nigel").ends(0);
    let id = only(&home)["id"].as_str().unwrap().to_owned();
    let ran = home.trust("key export nigel -o out.pem").ends(0);
    let words = format!("Successfully exported key {id} to out.pem\n");
    assert_eq!((ran.stdout, ran.stderr), (words, String::new()));
    let file = home.path().join("out.pem");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = String::from_utf8(read(&file)).unwrap();
    let head = format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\npath: {id}\nrole: nigel\n\n");
    assert!(text.starts_with(&head), "{text}");
    let other = Home::with_passphrases();
    other.write("out.pem", &text);
    other.trust("key load out.pem").ends(0);
    assert_eq!(
        (only(&other)["id"].as_str(), only(&other)["role"].as_str()),
        (Some(&*id), Some("nigel"))
    );

    // Nothing is overwritten, a link to nowhere included.
    std::os::unix::fs::symlink("nowhere", home.path().join("link")).unwrap();
    for line in [
        "key export nigel -o out.pem",
        "key export nigel --public -o out.pem",
        "key export nigel -o link",
        "key backup -o out.pem",
        "key backup -o link",
    ] {
        let ran = home.trust(line).ends(2);
        assert!(
            ran.stderr
                .contains("is there already, and is not overwritten"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(String::from_utf8(read(&file)).unwrap(), text);

    home.trust("key export nigel --public -o public.pem")
        .ends(0);
    assert_eq!(
        read(&home.path().join("public.pem")),
        read(&home.path().join("nigel.pub"))
    );
    home.trust("key export nigel -o absent/out.pem").ends(3);
}

#[test]
fn a_key_without_a_passphrase_is_exported_with_one() {
    let home = Home::with_passphrases();
    let id = keep_plain(&home, "role: nigel\n\n");
    home.trust("key export nigel -o out.pem").ends(0);
    let text = String::from_utf8(read(&home.path().join("out.pem"))).unwrap();
    let head = format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\npath: {id}\nrole: nigel\n\n");
    assert!(text.starts_with(&head), "{text}");
}

#[test]
fn every_key_of_a_dump_is_loaded_and_those_that_are_there_stay() {
    let home = Home::with_passphrases();
    for name in ["nigel", "alice"] {
        home.trust(&format!("key generate {name}")).ends(0);
        home.trust(&format!("key export {name} -o {name}.pem"))
            .ends(0);
    }
    let dump = ["nigel.pem", "alice.pem"]
        .map(|name| read(&home.path().join(name)))
        .concat();
    let other = Home::with_passphrases();
    other.write(
        "dump.pem",
        [
            dump.clone(),
            openssl("ecparam -name prime256v1 -genkey"),
            dump,
        ]
        .concat(),
    );
    let ran = other.trust("key load --name bob dump.pem").ends(0);
    assert!(
        ran.stdout
            .ends_with("Successfully imported 3 keys from dump.pem\n"),
        "{}",
        ran.stdout
    );
    let mut roles: Vec<_> = list(&other)
        .iter()
        .map(|key| key["role"].to_string())
        .collect();
    roles.sort();
    assert_eq!(roles, [r#""alice""#, r#""bob""#, r#""nigel""#]);
    let before = files(&other.path().join(".docker"));
    let ran = other.trust("key load --format json dump.pem").ends(0);
    assert_eq!(
        (
            ran.stdout.as_str(),
            ran.stderr.matches("is already in").count()
        ),
        ("[]\n", 5)
    );
    assert!(files(&other.path().join(".docker")) == before);
}

#[test]
fn a_passphrase_is_changed_once_the_old_one_is_right() {
    let home = Home::with_passphrases();
    home.trust("key generate nigel").ends(0);
    home.write("new", "other words\n");
    home.write("old", PASSPHRASE);
    let before = files(&home.path().join(".docker"));
    // No new one, and nobody to ask; a wrong old one.
    let ran = home.trust("key passwd nigel").ends(2);
    assert!(
        ran.stderr
            .contains("hint: name a file with --new-passphrase-file"),
        "{}",
        ran.stderr
    );
    home.trust("key passwd nigel --passphrase-file new --new-passphrase-file old")
        .ends(2);
    assert!(files(&home.path().join(".docker")) == before);
    let id = only(&home)["id"].as_str().unwrap().to_owned();
    let ran = home
        .trust("key passwd nigel --passphrase-file old --new-passphrase-file new")
        .ends(0);
    assert_eq!(
        ran.stdout,
        format!("Successfully updated passphrase for key ID: {id}\n")
    );
    home.trust("key show nigel --passphrase-file new").ends(0);
    home.trust("key show nigel").ends(2);
    assert_eq!(only(&home)["role"], "nigel");
}

#[test]
fn backups_are_noted_opened_by_their_passphrase_only_and_overwrite_nothing() {
    let home = Home::with_passphrases().with("TRUST_BACKUP_PASSPHRASE", "backup words");
    home.trust("key generate nigel").ends(0);
    home.trust("key generate alice").ends(0);
    assert_eq!(list(&home)[0]["backup"], Value::Null);
    let ran = home.trust("key backup -o all.keys").ends(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("Backed up 2 keys to all.keys\n", "")
    );
    let file = home.path().join("all.keys");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for key in list(&home) {
        assert_eq!(key["backup"]["file"], "[HOME]/all.keys");
        assert_eq!(key["backup"]["current"], true);
    }
    let table = home.trust("key list").ends(0).stdout;
    assert_aligned(&table);
    let shown = home.trust("key show nigel").ends(0).stdout;
    assert!(
        shown.contains("\nBackup:      [HOME]/all.keys at 20"),
        "{shown}"
    );

    let other = Home::with_passphrases().with("TRUST_BACKUP_PASSPHRASE", "backup words");
    other.write("all.keys", read(&file));
    other.write("wrong", "other words");
    let ran = other
        .trust("key restore --passphrase-file wrong all.keys")
        .ends(2);
    let words =
        "trust: key restore: the passphrase does not open this backup, or the file was changed\n";
    assert_eq!(ran.stderr, words);
    let whole = read(&file);
    for (bytes, words) in [
        (
            &whole[..whole.len() - 1],
            "the passphrase does not open this backup",
        ),
        (&whole[..20], "this is no backup of keys"),
        (b"", "this is no backup of keys"),
    ] {
        other.write("cut.keys", bytes);
        let ran = other.trust("key restore cut.keys").ends(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert!(!other.path().join(".docker/trust/private").exists());
    let ran = other.trust("key restore all.keys").ends(0);
    assert_eq!(ran.stdout.matches("Restored ").count(), 2, "{}", ran.stdout);
    assert_eq!(private(&other), private(&home));
    other.trust("key show nigel").ends(0);
    let ran = other.trust("key restore all.keys").ends(0);
    assert_eq!(
        ran.stdout.matches("it is already in").count(),
        2,
        "{}",
        ran.stdout
    );
    assert_eq!(private(&other), private(&home));

    // Under another passphrase, the backup is not the key's any more.
    home.write("new", "other words");
    home.trust("key passwd nigel --new-passphrase-file new")
        .ends(0);
    let changed = home.trust("key list").ends(0).stdout;
    assert_eq!(changed.matches(", changed since").count(), 1, "{changed}");
    assert_aligned(&changed);
}

#[test]
fn without_keys_or_a_passphrase_there_is_no_backup() {
    let home = Home::with_passphrases();
    let ran = home.trust("key backup -o all.keys").ends(2);
    assert_eq!(ran.stderr, "trust: key backup: there are no keys here\n");
    home.trust("key generate nigel").ends(0);
    for line in ["key backup -o all.keys", "key restore nigel.pub"] {
        let ran = home.trust(line).ends(2);
        let words = "there is no passphrase for the backup, and nobody to ask\nhint: set TRUST_BACKUP_PASSPHRASE,";
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert!(!home.path().join("all.keys").exists());
}

#[test]
fn a_key_is_removed_when_somebody_says_so() {
    let home = docker_home();
    let keys = list(&home);
    let key = |role: &str, gun: Option<&str>| {
        let is = |key: &&Value| key["role"] == role && key["repository"].as_str() == gun;
        keys.iter().find(is).unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let gun = "localhost:5000/fresh";
    let id = key("targets", Some(gun));
    let before = private(&home);
    let ran = home.trust(&format!("key remove {id}")).ends(2);
    for words in [
        &format!(
            "warning: {gun} needs this key for targets; it is the last key of that role here\n"
        ),
        "warning: no backup of this key is known here\n",
        &format!("Are you sure you want to remove {id} (role targets) from [HOME]"),
        "hint: say it beforehand with -f\n",
    ] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    assert_eq!(private(&home), before);
    let no = answered(&home, &format!("key remove {id}"), "n\n").ends(0);
    assert!(
        no.stdout.is_empty() && no.stderr.ends_with("Aborting action.\n"),
        "{}",
        no.report("")
    );
    assert_eq!(private(&home), before);
    let yes = answered(&home, &format!("key remove {}", &id[..12]), "y\n").ends(0);
    assert!(
        yes.stdout
            .starts_with(&format!("Deleted {id} (role targets) from ")),
        "{}",
        yes.stdout
    );
    assert_eq!(private(&home).len(), before.len() - 1);

    let id = key("root", None);
    let ran = home
        .trust(&format!("key remove -f --format json {id}"))
        .ends(0);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["removed"], &told["id"]), (&true.into(), &id.into()));
    assert_eq!(private(&home).len(), before.len() - 2);
}

#[test]
fn keys_are_listed_with_what_they_are_for_in_aligned_columns() {
    let home = docker_home();
    let table = home.trust("key list").ends(0).stdout;
    assert_aligned(&table);
    let used = list(&home);
    let root = used
        .iter()
        .find(|key| key["role"] == "root" && key["uses"][0].is_object());
    let root = root.unwrap();
    let id = root["id"].as_str().unwrap();
    let row = table
        .lines()
        .find(|line| line.starts_with(&id[..12]))
        .unwrap();
    assert!(
        row.contains(root["uses"][0]["repository"].as_str().unwrap()),
        "{row}"
    );
}

#[test]
fn old_keys_are_migrated_and_the_old_files_stay() {
    let home = Home::new().with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "passphrase");
    let pem = fixture("ec-sec1-aes256.pem");
    let id = "b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f";
    let folder = home
        .path()
        .join(".docker/trust/private/tuf_keys/docker.io/app");
    fs::create_dir_all(&folder).unwrap();
    let old = folder.join(format!("{id}_targets.key"));
    trust_store::write_atomic(&old, &pem, 0o600).unwrap();
    home.write("new", "other words");
    let ran = home
        .trust("key passwd targets --new-passphrase-file new")
        .ends(2);
    assert!(
        ran.stderr
            .contains("\nhint: `trust key migrate` puts a copy"),
        "{}",
        ran.stderr
    );

    let plain = keep_plain(&home, "role: nigel\n\n");
    let ran = home.trust("key migrate").ends(0);
    let today = format!("[HOME]/.docker/trust/private/{id}.key");
    let place = home.nameless(old.to_str().unwrap());
    let words = format!("Migrated {id} (role targets) to {today}; the old file is {place}\n");
    assert!(ran.stdout.contains(&words), "{}", ran.stdout);
    let words = format!(
        "private/{plain}.key.old opens without a passphrase: remove it once you have a backup\n"
    );
    assert!(ran.stderr.ends_with(&words), "{}", ran.stderr);
    assert_eq!(read(&old), pem);
    let keys = list(&home);
    assert!(keys.iter().all(|key| key["encrypted"] == true), "{keys:?}");
    let before = files(&home.path().join(".docker"));
    let ran = home.trust("key migrate").ends(0);
    assert_eq!(
        ran.stdout,
        format!("Left alone {id} (role targets): {place} is in {today} already\n")
    );
    assert!(files(&home.path().join(".docker")) == before);

    // The copies go with the key.
    home.trust(&format!("key remove -f {plain}")).ends(0);
    home.trust(&format!("key remove -f {id}")).ends(0);
    let left = files(&home.path().join(".docker"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_cannot_be_migrated_is_said_and_the_rest_is_done() {
    let home = Home::new().with("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "passphrase");
    let folder = home.path().join(".docker/trust/private/root_keys");
    fs::create_dir_all(&folder).unwrap();
    let pem = fixture("ec-sec1-aes256.pem");
    let id = "b86e65ec389689dc89e4712826c7db881e578cf43624bc3d1a7dbd5bc84d004f";
    for name in [
        format!("{}_nigel.key", "a".repeat(64)),
        format!("{id}_nigel.key"),
    ] {
        trust_store::write_atomic(&folder.join(name), &pem, 0o600).unwrap();
    }
    trust_store::write_atomic(
        &folder.join(format!("{}_x.key", "c".repeat(64))),
        b"none",
        0o600,
    )
    .unwrap();
    let ran = home.trust("key migrate").ends(2);
    assert_eq!(ran.stderr.matches("trust: ").count(), 2, "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with(&format!("Migrated {id} ")),
        "{}",
        ran.stdout
    );
}

fn list(home: &Home) -> Vec<Value> {
    let ran = home.trust("key list --format json").ends(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn only(home: &Home) -> Value {
    let mut keys = list(home);
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

/// Every column begins at the same place in every line.
#[track_caller]
fn assert_aligned(table: &str) {
    let header = table.lines().next().unwrap();
    for title in [
        "ROLE",
        "REPOSITORY/SIGNER",
        "TYPE",
        "USED IN",
        "BACKUP",
        "CREATED",
        "LOCATION",
    ] {
        let start = header
            .find(title)
            .unwrap_or_else(|| panic!("{title}: {header}"));
        for line in table.lines() {
            let (before, cell) = line.split_at(start);
            assert!(
                before.ends_with("   ") && !cell.starts_with(' '),
                "{title}\n{table}"
            );
        }
    }
}

/// Puts a key without a passphrase under its id; the id.
fn keep_plain(home: &Home, headers: &str) -> String {
    let text = String::from_utf8(openssl("ecparam -name prime256v1 -genkey -noout")).unwrap();
    home.write("plain.pem", &text);
    let other = Home::with_passphrases();
    other.write("plain.pem", &text);
    other.trust("key load plain.pem").ends(0);
    let id = only(&other)["id"].as_str().unwrap().to_owned();
    let (begin, rest) = text.split_once('\n').unwrap();
    let folder = home.path().join(".docker/trust/private");
    fs::create_dir_all(&folder).unwrap();
    home.write(
        &format!(".docker/trust/private/{id}.key"),
        format!("{begin}\n{headers}{rest}"),
    );
    id
}

/// A home with the trust directory that docker and notary wrote.
fn docker_home() -> Home {
    let home = Home::new();
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/notary-v1/docker-trust-dir");
    for (path, bytes) in files(&source) {
        let place = path.strip_prefix(&source).unwrap();
        let to = home.path().join(".docker/trust").join(place);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        trust_store::write_atomic(&to, &bytes, 0o600).unwrap();
    }
    home
}

fn answered(home: &Home, line: &str, answer: &str) -> Ran {
    let file = home.write("answer", answer);
    let mut command = home.command(line);
    home.run(command.stdin(fs::File::open(file).unwrap()))
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/trust-store/tests/fixtures/openssl"
    );
    read(&Path::new(folder).join(name))
}

/// Names and bytes of the key files.
fn private(home: &Home) -> Vec<(String, Vec<u8>)> {
    let files = files(&home.path().join(".docker/trust/private")).into_iter();
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|(path, bytes)| (name(path), bytes)).collect()
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), read(&path));
        }
    }
    found
}
