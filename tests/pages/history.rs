//! What happened to a repository.

use super::scene::team;
use super::world::{GUN, Key, days, now};
use super::{Repository, Scene};
use std::collections::BTreeSet;

fn history() -> String {
    format!("/h/{GUN}")
}

#[tokio::test]
async fn each_publish_says_what_changed_and_who_signed() {
    let scene = Scene::new().await;
    team(&scene).await;
    let page = scene.page(&history(), now()).await;
    let id = |seed| Key::seed(seed).public.canonical_id().to_string();
    let digest = |tag: &str| {
        let manifest = format!("{tag:>1337}");
        hex::encode(ring::digest::digest(
            &ring::digest::SHA256,
            manifest.as_bytes(),
        ))
    };
    let (old, new) = (digest("2.0"), digest("2.1"));
    for words in [
        "Repository initialised 3 Dec 2025, 12:00 UTC , 6 months ago".to_owned(),
        format!(
            "Signed 1.0 4 Dec 2025, 12:00 UTC , 5 months ago Added 1.0 sha256:{} by alice",
            digest("1.0")
        ),
        format!("Added 2.1 sha256:{new} by alice"),
        format!("Moved latest from sha256:{old} to sha256:{new} by alice"),
        format!("Removed 1.0 sha256:{} by alice", digest("1.0")),
        "Added targets/bob may sign from now on Changed targets/releases has other keys".to_owned(),
        format!("targets/releases version 10 signed by alice {}", id(10)),
        format!("targets/bob version 3 signed by bob {}", id(11)),
        format!("targets version 4 signed by Repo Admin {}", id(1)),
        format!("timestamp version 14 signed by timestamp key {}", id(3)),
        "root version 1 signed by root key".to_owned(),
        "Renewed 31 May 2026".to_owned(),
    ] {
        page.says(&words);
    }
    page.does_not_say("not checked");
    page.does_not_say("Earlier");
}

#[tokio::test]
async fn pages_have_every_publish_once() {
    let scene = Scene::new().await;
    let mut busy = Repository::signed_by(&["alice"]);
    for day in 0..70 {
        busy.sign("alice", &format!("tag-{day}-"), b"one");
        busy.publish(&scene, days(day - 70)).await;
    }
    let mut seen = BTreeSet::new();
    let mut address = history();
    for _ in 0..3 {
        let page = scene.page(&address, now()).await;
        for day in 0..70 {
            if page.words().contains(&format!("Added tag-{day}- ")) {
                assert!(seen.insert(day), "{day} twice");
            }
        }
        let Some((before, _)) = page.html.split_once("\">Earlier") else {
            break;
        };
        before
            .rsplit_once("href=\"")
            .unwrap()
            .1
            .clone_into(&mut address);
    }
    assert_eq!(seen, (0..70).collect());
    let end = scene.page(&format!("{}?after=0", history()), now()).await;
    end.says("Nothing happened before that.");
    for odd in ["x", "-9223372036854775808", "99999999999999999999"] {
        let page = scene
            .page(&format!("{}?after={odd}", history()), now())
            .await;
        assert_eq!(page.status, 200, "{odd}");
    }
}

#[tokio::test]
async fn past_files_are_judged_by_the_keys_of_their_time() {
    let scene = Scene::new().await;
    let mut repository = Repository::signed_by(&["alice"]);
    repository.sign("alice", "1.0", b"one");
    repository.publish(&scene, days(-30)).await;
    // Alice gets another key, the targets role too.
    let (alice, targets) = (vec![Key::seed(50)], vec![Key::seed(51)]);
    for role in ["targets/alice", "targets/releases"] {
        repository.publisher.delegate(role, &alice, &[""]);
        repository
            .publisher
            .signers
            .insert(role.to_owned(), alice.clone());
    }
    repository
        .publisher
        .signers
        .insert("targets".to_owned(), targets.clone());
    repository.publisher.entrust("targets", &targets, 1);
    repository.publisher.root.version = 2;
    repository.advance("targets");
    repository.sign("alice", "1.1", b"two");
    repository.publish(&scene, days(-10)).await;
    let page = scene.page(&history(), now()).await;
    let id = |seed| Key::seed(seed).public.canonical_id().to_string();
    page.says(&format!(
        "targets/releases version 1 signed by alice {}",
        id(10)
    ));
    page.says(&format!(
        "targets/releases version 2 signed by alice {}",
        id(50)
    ));
    page.says(
        &format!("targets version 2 signed by Repo Admin {}", id(1))
            .replace("version 2", "version 1"),
    );
    page.says(&format!(
        "targets version 2 signed by Repo Admin {}",
        id(51)
    ));
    page.says("Root keys published");
    page.does_not_say("not checked");
}

#[tokio::test]
async fn delegations_below_delegations_are_judged_by_those_above_them() {
    let scene = Scene::new().await;
    let mut repository = Repository::signed_by(&["alice"]);
    repository.advance("targets/alice");
    let nested = vec![Key::seed(60)];
    repository
        .publisher
        .delegate("targets/alice/nightly", &nested, &["n-"]);
    repository
        .publisher
        .signers
        .insert("targets/alice/nightly".into(), nested);
    repository.publish(&scene, days(-30)).await;
    // The root and the role at the top go on; what is below stays as it was signed.
    repository.publisher.root.version = 2;
    repository.advance("targets");
    repository.publish(&scene, days(-20)).await;
    repository.advance("targets/alice/nightly");
    repository
        .publisher
        .sign_image("targets/alice/nightly", "n-1", b"one");
    repository.publish(&scene, days(-10)).await;
    let page = scene.page(&history(), now()).await;
    let id = Key::seed(60).public.canonical_id().to_string();
    page.says(&format!(
        "targets/alice/nightly version 1 signed by alice/nightly {id}"
    ));
    page.says("Signed n-1 22 May 2026");
    page.does_not_say("not checked");
    let page = scene.page(&format!("/r/{GUN}"), now()).await;
    page.says("targets/alice/nightly signer alice/nightly tags that begin with n- 1 of 1 key");
}

#[tokio::test]
async fn what_was_pruned_is_not_made_up() {
    let scene = Scene::new().await;
    let mut repository = Repository::signed_by(&["alice"]);
    for day in [-50, -40, -30, -20] {
        repository.sign("alice", &format!("tag{day}"), b"one");
        repository.publish(&scene, days(day)).await;
    }
    let pruned = scene.store.prune(days(-25), |_| Vec::new()).await.unwrap();
    assert!(pruned.files > 0);
    let page = scene.page(&history(), now()).await;
    page.says("tag-20");
    page.says(
        "Published 2 May 2026, 12:00 UTC , 30 days ago The versions before are not here any more",
    );
    page.does_not_say("tag-40");
    let repository = scene.page(&format!("/r/{GUN}"), now()).await;
    repository.says("tag-20");
    repository.says("or earlier");
}
