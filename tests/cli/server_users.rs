//! `trust server user` and `trust server rekey`, on a store that no server has open.

use super::Home;
use std::fs;
use trust_store::keys::Algorithm;
use trust_store::server::{SealError, SealSource, Sealer, Store};

/// A server's folder with a store.
fn server() -> Home {
    let home = Home::new();
    fs::create_dir(home.path().join("srv")).unwrap();
    work(async { store(&home).await.close().await });
    home
}

async fn store(home: &Home) -> Store {
    let path = home.path().join("srv/store.db");
    Store::open(&format!("sqlite:{}", path.display()))
        .await
        .unwrap()
}

fn work<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(future)
}

#[test]
fn users_are_added_listed_replaced_and_removed() {
    let home = server();
    home.write("password", "open sesame\n");
    let add = "server user add --dir srv --password-file password";
    let added = home
        .trust(&format!(
            "{add} nigel --repo docker.io/team:pull --repo :pull"
        ))
        .ends(0);
    assert_eq!(added.stdout, "Added user nigel\n");
    assert!(added.stderr.contains("only users may publish"));
    let added = home
        .trust(&format!("{add} ci --repo host:5000/x/:pull,push,*"))
        .ends(0);
    assert_eq!(added.stderr, "");

    let listed = home.trust("server user list --dir srv").ends(0).stdout;
    let lines: Vec<Vec<&str>> = listed
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["NAME", "CREATED", "RIGHTS"]);
    assert_eq!(
        (lines[1][0], lines[1][2]),
        ("ci", "host:5000/x/:*,pull,push")
    );
    assert_eq!(lines[2][2..], [":pull", "docker.io/team:pull"]);
    let json = home
        .trust("server user list --dir srv --format json")
        .ends(0)
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[1]["name"], "nigel");
    let rights = serde_json::json!([
        {"prefix": "", "actions": ["pull"]},
        {"prefix": "docker.io/team", "actions": ["pull"]},
    ]);
    assert_eq!(json[1]["rights"], rights);
    assert!(!listed.contains("argon2") && !json.to_string().contains("argon2"));

    let replaced = home.trust(&format!("{add} nigel")).ends(0);
    assert_eq!(replaced.stdout, "Replaced user nigel\n");
    home.trust("server user remove --dir srv nigel").ends(0);
    let last = home.trust("server user remove --dir srv ci").ends(0);
    assert!(last.stderr.contains("everybody may do everything"));
    let gone = home.trust("server user remove --dir srv ci").ends(2);
    assert!(gone.stderr.contains("there is no user ci"));
}

#[test]
fn what_makes_no_user_is_named() {
    let home = server();
    home.write("password", "open sesame\n");
    home.write("empty", "\n");
    for (line, words) in [
        (
            "add nigel",
            "there is no password for nigel, and nobody to ask",
        ),
        ("add nigel", "hint: name a file with --password-file"),
        (
            "add a:b --password-file password",
            "the name \"a:b\" of a user",
        ),
        (
            "add nigel --password-file empty",
            "there is no passphrase in it",
        ),
        ("add nigel --password-file absent", "absent"),
        ("add nigel --repo a", "it has no `:ACTIONS`"),
        (
            "add nigel --repo a:fly",
            "\"fly\" is none of pull, push and *",
        ),
        ("add nigel --repo a/*:pull", "a prefix needs no `*`"),
    ] {
        let line = format!("server user {line} --dir srv");
        let ran = home.trust(&line).ends(2);
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
    let nowhere = home.trust("server user list --dir nowhere").ends(2);
    assert!(nowhere.stderr.contains("there is no store at"));
}

/// Makes a key, or says that this secret does not open the store.
fn opens(home: &Home, source: SealSource) -> Result<(), SealError> {
    work(async {
        let store = store(home).await;
        let sealer = Sealer::open(&store, source).await?;
        let now = jiff::Timestamp::UNIX_EPOCH;
        let key = sealer
            .create(&store, "a", "timestamp", Algorithm::EcdsaP256, now)
            .await?;
        sealer.unseal(&key)?;
        store.close().await;
        Ok(())
    })
}

fn key_file(home: &Home, name: &str) -> SealSource {
    SealSource::KeyFile(home.path().join(name))
}

#[test]
fn keys_are_sealed_anew_with_whatever_is_named() {
    let home = server();
    let first = home.path().join("srv/seal.key");
    SealSource::create_key_file(&first).unwrap();
    let before = fs::read(&first).unwrap();
    opens(&home, key_file(&home, "srv/seal.key")).unwrap();

    // A new file of the same name; the old one is kept for old backups.
    let ran = home.trust("server rekey --dir srv").ends(0);
    assert_eq!(ran.stdout, "Sealed 1 online keys anew\n");
    assert!(ran.stderr.contains("have to be started again"));
    opens(&home, key_file(&home, "srv/seal.key")).unwrap();
    let kept: Vec<_> = fs::read_dir(home.path().join("srv"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| fs::read(path).unwrap() == before)
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_ne!(kept[0], first);

    // A passphrase.
    home.write("words", "some words\n");
    let rekey = "server rekey --dir srv";
    home.trust(&format!("{rekey} --new-passphrase-file words"))
        .ends(0);
    opens(&home, SealSource::Passphrase("some words".into())).unwrap();
    let refused = home.trust(rekey).ends(2);
    assert!(refused.stderr.contains("sealed with a passphrase"));

    // Another file, by the passphrase in the environment.
    let home = home.with("TRUST_SERVER_PASSPHRASE", "some words");
    let nobody = home.trust(rekey).ends(2);
    assert!(
        nobody
            .stderr
            .contains("--new-passphrase-file or --new-key-file")
    );
    let ran = home
        .trust(&format!("{rekey} --new-key-file other.key --format json"))
        .ends(0);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["keys"], 1);
    opens(&home, key_file(&home, "other.key")).unwrap();
    let wrong = home.trust(rekey).ends(2);
    assert!(wrong.stderr.contains("sealed with a key file"));
}

#[test]
fn an_interrupted_rekey_says_which_file_it_left() {
    let home = server();
    SealSource::create_key_file(&home.path().join("right")).unwrap();
    opens(&home, key_file(&home, "right")).unwrap();
    fs::rename(
        home.path().join("right"),
        home.path().join("srv/seal.key.new"),
    )
    .unwrap();
    SealSource::create_key_file(&home.path().join("srv/seal.key")).unwrap();
    let ran = home
        .trust("server rekey --dir srv --new-key-file x")
        .ends(2);
    let words = "does not open the online keys of this store";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("hint: [HOME]/srv/seal.key.new")
            || ran.stderr.contains("hint: srv/seal.key.new"),
        "{}",
        ran.stderr
    );
}
