//! Online keys: one pending key per role.

use trust_store::server::{NewKey, SealedKey, StoreError};

use crate::world::{World, at, on_every_database, publish_next};

on_every_database!(
    a_pending_key_is_given_until_it_signs,
    eight_who_ask_at_once_get_the_same_key,
    keys_survive_their_repository,
);

const GUN: &str = "docker.io/library/app";

fn key(id: &str, role: &str, algorithm: &str) -> NewKey {
    NewKey {
        id: id.into(),
        gun: GUN.into(),
        role: role.into(),
        algorithm: algorithm.into(),
        public: vec![1, 0, 255],
        sealed: format!("sealed {id}").into(),
    }
}

async fn a_pending_key_is_given_until_it_signs(world: &World) {
    let store = world.store().await;
    assert_eq!(
        store.pending_key(GUN, "timestamp", "ecdsa").await.unwrap(),
        None
    );
    let first = store
        .put_key(&key("k1", "timestamp", "ecdsa"), 0, at(1))
        .await
        .unwrap();
    assert_eq!(
        first,
        SealedKey {
            id: "k1".into(),
            gun: GUN.into(),
            role: "timestamp".into(),
            algorithm: "ecdsa".into(),
            public: vec![1, 0, 255],
            sealed: b"sealed k1".into(),
            created: at(1),
            used: None,
        }
    );
    let again = store
        .put_key(&key("k2", "timestamp", "ecdsa"), 0, at(2))
        .await
        .unwrap();
    assert_eq!(again, first);
    assert_eq!(store.key("k2").await.unwrap(), None);
    for (id, role, algorithm) in [("k3", "timestamp", "ed25519"), ("k4", "snapshot", "ecdsa")] {
        let other = store
            .put_key(&key(id, role, algorithm), 0, at(3))
            .await
            .unwrap();
        assert_eq!(other.id, id);
    }

    store.mark_used("k1", at(4)).await.unwrap();
    store.mark_used("k1", at(5)).await.unwrap();
    assert_eq!(store.key("k1").await.unwrap().unwrap().used, Some(at(4)));
    let next = store
        .put_key(&key("k5", "timestamp", "ecdsa"), 0, at(6))
        .await
        .unwrap();
    assert_eq!(next.id, "k5");
    let pending = store.pending_key(GUN, "timestamp", "ecdsa").await.unwrap();
    assert_eq!(pending, Some(next));
    // An id that signed already cannot come back as a new key.
    store.mark_used("k5", at(7)).await.unwrap();
    let error = store
        .put_key(&key("k1", "timestamp", "ecdsa"), 0, at(8))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");

    let all = store.keys_of(GUN, "timestamp").await.unwrap();
    let ids: Vec<_> = all.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(ids, ["k5", "k3", "k1"]);
}

async fn eight_who_ask_at_once_get_the_same_key(world: &World) {
    let (one, other) = (world.store().await, world.store().await);
    let asking: Vec<_> = (0..8)
        .map(|who| {
            let store = if who % 2 == 0 {
                one.clone()
            } else {
                other.clone()
            };
            let key = key(&format!("k{who}"), "snapshot", "ecdsa");
            tokio::spawn(async move { store.put_key(&key, 0, at(1)).await.unwrap().id })
        })
        .collect();
    let mut ids = Vec::new();
    for answer in asking {
        ids.push(answer.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(one.all_sealed_keys().await.unwrap().len(), 1);
}

async fn keys_survive_their_repository(world: &World) {
    let store = world.store().await;
    publish_next(&store, GUN, 1).await;
    store
        .put_key(&key("k1", "timestamp", "ecdsa"), 0, at(1))
        .await
        .unwrap();
    store.delete(GUN, at(2)).await.unwrap();
    assert_eq!(store.keys_of(GUN, "timestamp").await.unwrap().len(), 1);
}
