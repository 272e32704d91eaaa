//! What a reader may not know of leaves no trace.

use super::world::{days, now};
use super::{Repository, Scene};

async fn repository(scene: &Scene, gun: &str) {
    let mut repository = Repository::of(gun);
    repository.signer("alice", 10, &[""]);
    repository.publish(scene, days(-1)).await;
}

#[tokio::test]
async fn a_hidden_repository_looks_like_none() {
    let scene = Scene::new().await;
    repository(&scene, "secret/app").await;
    let outsider = |gun: &str| !gun.starts_with("secret/");
    for (there, nowhere) in [
        ("/r/secret/app", "/r/secret/none"),
        ("/h/secret/app", "/h/secret/none"),
        ("/r/secret/app?tag=x&page=2", "/r/secret/none?tag=x&page=2"),
    ] {
        let there = scene.page_for(there, &outsider, now()).await;
        let nowhere = scene.page_for(nowhere, &outsider, now()).await;
        assert_eq!((there.status, &there.html), (403, &nowhere.html));
        assert_eq!(there.headers, nowhere.headers);
        there.does_not_say("secret");
    }
    let open = scene.page_for("/r/open/none", &outsider, now()).await;
    assert_eq!(open.status, 404);
}

#[tokio::test]
async fn a_list_is_only_of_what_may_be_read() {
    let scene = Scene::new().await;
    for number in 0..70 {
        repository(&scene, &format!("open/{number:03}")).await;
        repository(&scene, &format!("secret/{number:03}")).await;
    }
    repository(&scene, "zoo/last").await;
    let outsider = |gun: &str| !gun.starts_with("secret/");
    let first = scene.page_for("/", &outsider, now()).await;
    first.says("open/049");
    first.does_not_say("open/050");
    first.does_not_say("secret");
    assert!(first.html.contains("/?after=open%2F049"));
    let second = scene.page_for("/?after=open%2F049", &outsider, now()).await;
    second.says("open/069");
    second.says("zoo/last");
    second.does_not_say("secret");
    second.does_not_say("Next repositories");
    let search = scene.page_for("/?q=secret", &outsider, now()).await;
    search.says("No repository has “secret” in its name.");
    let nobody = scene.page_for("/", &|_| false, now()).await;
    nobody.says("Nothing has been signed yet.");
}
