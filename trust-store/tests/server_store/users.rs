//! Users and their rights.

use trust_store::server::{Action, Right};

use crate::world::{World, at, on_every_database};

on_every_database!(a_user_has_what_was_put_last);

fn right(prefix: &str, actions: &[Action]) -> Right {
    Right {
        prefix: prefix.into(),
        actions: actions.into(),
    }
}

async fn a_user_has_what_was_put_last(world: &World) {
    let store = world.store().await;
    assert!(!store.has_users().await.unwrap());
    let (hash, other) = (
        "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA",
        "$argon2id$other",
    );
    let rights = [
        right("", &[Action::Pull]),
        right("docker.io/team/", &[Action::Pull, Action::Push]),
        right("docker.io/team/own", &[Action::All]),
    ];
    store.put_user("nigel", hash, &rights, at(1)).await.unwrap();
    store.put_user("bob", other, &[], at(2)).await.unwrap();
    assert!(store.has_users().await.unwrap());
    let nigel = store.user("nigel").await.unwrap().unwrap();
    assert_eq!((nigel.hash.as_str(), nigel.created), (hash, at(1)));
    assert_eq!(nigel.rights, rights);
    assert_eq!(store.user("Nigel").await.unwrap(), None);

    store
        .put_user("nigel", other, &rights[..1], at(3))
        .await
        .unwrap();
    let nigel = store.user("nigel").await.unwrap().unwrap();
    assert_eq!((nigel.hash.as_str(), nigel.created), (other, at(1)));
    assert_eq!(nigel.rights, rights[..1]);

    let all = store.list_users().await.unwrap();
    let names: Vec<_> = all.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["bob", "nigel"]);
    assert!(store.remove_user("nigel").await.unwrap());
    assert!(!store.remove_user("nigel").await.unwrap());
    // A new one of that name has nothing of the old one's rights.
    store.put_user("nigel", hash, &[], at(4)).await.unwrap();
    assert_eq!(store.user("nigel").await.unwrap().unwrap().rights, []);
}
