//! The seal of the online keys: who opens them, and what becomes of changed rows.

use std::path::PathBuf;

use trust_store::keys::Algorithm;
use trust_store::server::{NewKey, SealError, SealSource, SealedKey, Sealer, Store, StoreError};

use crate::world::{World, at, on_every_database, publish_next};

on_every_database!(
    a_backup_brings_its_seal,
    a_changed_row_does_not_open,
    all_keys_are_resealed_or_none,
    eight_first_processes_agree_on_a_seal,
    keys_without_their_seal_are_not_sealed_over,
    the_pending_key_is_given_and_opens,
    the_seal_knows_its_secret,
    who_missed_a_rekey_refuses,
);

const GUN: &str = "docker.io/library/app";

fn passphrase(words: &str) -> SealSource {
    SealSource::Passphrase(words.into())
}

fn key_file(world: &World, name: &str) -> SealSource {
    let path = path(world, name);
    SealSource::create_key_file(&path).unwrap();
    SealSource::KeyFile(path)
}

fn path(world: &World, name: &str) -> PathBuf {
    world.folder().join(name)
}

async fn create(sealer: &Sealer, store: &Store, role: &str) -> SealedKey {
    sealer
        .create(store, GUN, role, Algorithm::EcdsaP256, at(1))
        .await
        .unwrap()
}

async fn the_pending_key_is_given_and_opens(world: &World) {
    let store = world.store().await;
    let sealer = Sealer::open(&store, key_file(world, "seal.key"))
        .await
        .unwrap();
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
        let made = sealer
            .create(&store, GUN, "timestamp", algorithm, at(1))
            .await
            .unwrap();
        let again = sealer
            .create(&store, GUN, "timestamp", algorithm, at(2))
            .await
            .unwrap();
        assert_eq!(again, made);
        let private = sealer.unseal(&made).unwrap();
        assert_eq!(private.id(), made.id);
        assert_eq!(*private.public(), made.public_key());
        assert!(private.sign(b"message").is_ok());
        store.mark_used(&made.id, at(3)).await.unwrap();
        let next = sealer
            .create(&store, GUN, "timestamp", algorithm, at(4))
            .await
            .unwrap();
        assert_ne!(next.id, made.id);
    }
    let one = create(&sealer, &store, "snapshot").await;
    let shown = format!("{sealer:?}{:?}", sealer.unseal(&one).unwrap());
    let secret = std::fs::read(path(world, "seal.key")).unwrap();
    assert!(!shown.contains(&hex::encode(&secret)) && !shown.contains(&format!("{secret:?}")));
    assert!(
        shown.starts_with("Sealer { key: SealKey(..), number: "),
        "{shown}"
    );
}

async fn the_seal_knows_its_secret(world: &World) {
    let store = world.store().await;
    let one = key_file(world, "one.key");
    let first = Sealer::open(&store, one).await.unwrap();
    // There is no key yet that could tell.
    assert!(store.all_sealed_keys().await.unwrap().is_empty());
    let error = Sealer::open(&store, key_file(world, "two.key"))
        .await
        .unwrap_err();
    assert!(matches!(error, SealError::WrongKeyFile { .. }), "{error}");
    let error = Sealer::open(&store, passphrase("words")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the online keys of this store are sealed with a key file, not with a passphrase"
    );
    let again = Sealer::open(&store, key_file(world, "one.key"))
        .await
        .unwrap();
    assert_eq!(again.secret("tokens"), first.secret("tokens"));
    assert_ne!(again.secret("tokens"), first.secret("other"));

    let other = world.another();
    let store = other.store().await;
    Sealer::open(&store, passphrase("words")).await.unwrap();
    Sealer::open(&store, passphrase("words")).await.unwrap();
    let error = Sealer::open(&store, passphrase("Words")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the passphrase does not open the online keys of this store"
    );
    let error = Sealer::open(&store, passphrase("")).await.unwrap_err();
    assert!(matches!(error, SealError::EmptyPassphrase), "{error}");
    assert_eq!(format!("{:?}", passphrase("words")), "Passphrase(..)");
}

async fn eight_first_processes_agree_on_a_seal(world: &World) {
    world.store().await.close().await;
    let file = path(world, "seal.key");
    SealSource::create_key_file(&file).unwrap();
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let (url, file) = (world.url().to_owned(), file.clone());
            tokio::spawn(async move {
                let store = Store::open(&url).await.unwrap();
                let sealer = Sealer::open(&store, SealSource::KeyFile(file))
                    .await
                    .unwrap();
                create(&sealer, &store, "timestamp").await;
                (store, sealer)
            })
        })
        .collect();
    let mut all = Vec::new();
    for opened in opening {
        all.push(opened.await.unwrap());
    }
    let (store, _) = &all[0];
    let key = &store.all_sealed_keys().await.unwrap()[0];
    for (_, sealer) in &all {
        assert_eq!(sealer.unseal(key).unwrap().id(), key.id);
    }
}

/// Does something to the first key, maybe with what it takes of the second.
type Damage = fn(&mut SealedKey, SealedKey);

async fn a_changed_row_does_not_open(world: &World) {
    let store = world.store().await;
    let sealer = Sealer::open(&store, key_file(world, "seal.key"))
        .await
        .unwrap();
    let key = create(&sealer, &store, "timestamp").await;
    let other = create(&sealer, &store, "snapshot").await;
    for place in 0..key.sealed.len() {
        let mut changed = key.clone();
        changed.sealed[place] ^= 0x10;
        sealer.unseal(&changed).unwrap_err();
        changed.sealed = key.sealed[..place].to_vec();
        sealer.unseal(&changed).unwrap_err();
    }
    let damages: [Damage; 7] = [
        |key, other| key.sealed = other.sealed,
        |key, other| key.id = other.id,
        |key, other| key.public = other.public,
        |key, other| (key.id, key.public) = (other.id, other.public),
        |key, _| key.gun = "docker.io/library/apples".into(),
        |key, other| key.role = other.role,
        |key, _| key.algorithm = "ed25519".into(),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let mut changed = key.clone();
        damage(&mut changed, other.clone());
        let error = sealer.unseal(&changed).unwrap_err();
        assert!(matches!(error, SealError::Damaged { .. }), "{number}");
    }
    sealer.unseal(&key).unwrap();
}

async fn all_keys_are_resealed_or_none(world: &World) {
    let store = world.store().await;
    let sealer = Sealer::open(&store, passphrase("words")).await.unwrap();
    let number = store.seal().await.unwrap();
    for role in ["one", "two", "three"] {
        create(&sealer, &store, role).await;
    }
    let foreign = NewKey {
        id: "aa".into(),
        gun: GUN.into(),
        role: "four".into(),
        algorithm: "ecdsa".into(),
        public: vec![1],
        sealed: b"not sealed".into(),
    };
    store.put_key(&foreign, number, at(1)).await.unwrap();
    let before = store.all_sealed_keys().await.unwrap();
    let error = sealer
        .rekey(&store, key_file(world, "next.key"))
        .await
        .unwrap_err();
    assert!(matches!(error, SealError::Damaged { .. }), "{error}");
    assert_eq!(store.all_sealed_keys().await.unwrap(), before);
    assert_eq!(store.seal().await.unwrap(), number);
    Sealer::open(&store, passphrase("words")).await.unwrap();
}

async fn who_missed_a_rekey_refuses(world: &World) {
    let store = world.store().await;
    let old = Sealer::open(&store, passphrase("words")).await.unwrap();
    let number = store.seal().await.unwrap();
    let key = create(&old, &store, "timestamp").await;
    let opened_before = old.unseal(&key).unwrap();

    let (new, count) = old
        .rekey(&store, key_file(world, "next.key"))
        .await
        .unwrap();
    assert_eq!((count, store.seal().await.unwrap()), (1, number + 1));
    let resealed = store.key(&key.id).await.unwrap().unwrap();
    assert_ne!(resealed.sealed, key.sealed);
    assert_eq!(new.unseal(&resealed).unwrap().id(), opened_before.id());
    // Neither the keys of before for the new, nor the other way round.
    for error in [
        new.unseal(&key).unwrap_err(),
        old.unseal(&resealed).unwrap_err(),
        old.create(&store, GUN, "timestamp", Algorithm::EcdsaP256, at(2))
            .await
            .unwrap_err(),
        old.create(&store, GUN, "snapshot", Algorithm::EcdsaP256, at(2))
            .await
            .unwrap_err(),
        old.rekey(&store, passphrase("third")).await.unwrap_err(),
    ] {
        assert!(matches!(error, SealError::Resealed), "{error}");
    }
    assert_eq!(store.all_sealed_keys().await.unwrap().len(), 1);
    create(&new, &store, "snapshot").await;
    let error = Sealer::open(&store, passphrase("words")).await.unwrap_err();
    assert!(matches!(error, SealError::OtherKind { .. }), "{error}");
    Sealer::open(&store, key_file(world, "next.key"))
        .await
        .unwrap();
}

async fn a_backup_brings_its_seal(world: &World) {
    let store = world.store().await;
    let sealer = Sealer::open(&store, key_file(world, "seal.key"))
        .await
        .unwrap();
    let key = create(&sealer, &store, "timestamp").await;
    publish_next(&store, GUN, 1).await;
    let file = path(world, "backup.db");
    store.backup(&file).await.unwrap();

    // A server that was started before the restore is not in its way, and does no harm after it.
    let other = world.another();
    let restored = other.store().await;
    let early = Sealer::open(&restored, key_file(&other, "seal.key"))
        .await
        .unwrap();
    restored.restore(&file).await.unwrap();
    let error = early
        .create(&restored, GUN, "snapshot", Algorithm::EcdsaP256, at(2))
        .await
        .unwrap_err();
    assert!(matches!(error, SealError::Resealed), "{error}");
    let error = Sealer::open(&restored, key_file(&other, "seal.key"))
        .await
        .unwrap_err();
    assert!(matches!(error, SealError::WrongKeyFile { .. }), "{error}");
    let sealer = Sealer::open(&restored, key_file(world, "seal.key"))
        .await
        .unwrap();
    let key = restored.key(&key.id).await.unwrap().unwrap();
    sealer.unseal(&key).unwrap();
}

async fn keys_without_their_seal_are_not_sealed_over(world: &World) {
    let store = world.store().await;
    let key = NewKey {
        id: "aa".into(),
        gun: GUN.into(),
        role: "timestamp".into(),
        algorithm: "ecdsa".into(),
        public: vec![1],
        sealed: vec![1],
    };
    store.put_key(&key, 0, at(1)).await.unwrap();
    let error = Sealer::open(&store, passphrase("words")).await.unwrap_err();
    let damaged = matches!(error, SealError::Store(StoreError::Damaged { .. }));
    assert!(damaged, "{error}");
}

#[tokio::test]
async fn a_key_file_is_made_once_and_private() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::sqlite();
    let file = path(&world, "seal.key");
    assert!(SealSource::create_key_file(&file).unwrap());
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(bytes.len(), 32);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!SealSource::create_key_file(&file).unwrap());
    assert_eq!(std::fs::read(&file).unwrap(), bytes);

    let store = world.store().await;
    for (size, accepted) in [(0, false), (31, false), (4097, false), (4096, true)] {
        let odd = path(&world, "odd.key");
        std::fs::File::create(&odd).unwrap().set_len(size).unwrap();
        let opened = Sealer::open(&store, SealSource::KeyFile(odd)).await;
        assert_eq!(opened.is_ok(), accepted, "{size}");
    }
    let absent = SealSource::KeyFile(path(&world, "absent"));
    let error = Sealer::open(&store, absent).await.unwrap_err();
    assert!(matches!(error, SealError::KeyFile { .. }), "{error}");
}
