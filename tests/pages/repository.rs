//! One repository: tags, signers, roles, problems.

use super::scene::{large, several, team};
use super::world::{GUN, Key, days, now};
use super::{Repository, Scene};
use trust::tuf::envelope::Expires;
use trust_store::server::NewFile;

fn page_of(gun: &str) -> String {
    format!("/r/{gun}")
}

#[tokio::test]
async fn tags_stand_with_digest_signers_and_beginning() {
    let scene = Scene::new().await;
    team(&scene).await;
    let page = scene.page(&page_of(GUN), now()).await;
    let digest = |tag: &str| {
        let manifest = format!("{tag:>1337}");
        let hash = ring::digest::digest(&ring::digest::SHA256, manifest.as_bytes());
        format!("sha256:{}", hex::encode(hash))
    };
    for (tag, manifest, signers, since) in [
        ("2.1", "2.1", "alice bob", "23 May 2026 9 days ago"),
        ("2.0", "2.0", "alice", "12 May 2026 20 days ago"),
        ("1.1", "1.1", "alice bob", "2 Feb 2026 3 months ago"),
        ("latest", "2.1", "alice", "23 May 2026 9 days ago"),
        // Its signer's role has expired.
        (
            "nightly-2026-03-24",
            "nightly",
            "(Repo Admin)",
            "24 Mar 2026 2 months ago",
        ),
    ] {
        page.says(&format!(
            "{tag} {} 1.3 kB {signers} {since}",
            digest(manifest)
        ));
    }
    page.does_not_say(&digest("1.0"));
    page.says("signer expired 7 signed tags 4 signers changed 31 May 2026 , 24 hours ago");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let scene = Scene::new().await;
    team(&scene).await;
    let page = scene.page(&page_of(GUN), now()).await;
    for words in [
        "Expired. targets/carol expired on 30 May 2026, 12:00 UTC , 2 days ago. Clients ignore what it signed.",
        "Expires soon. targets/bob expires on 22 Jun 2026, 12:00 UTC , in 21 days. Signing any tag in it renews it.",
        "Never signed. targets/dave may sign, and has not signed anything yet.",
        "May sign nothing. targets/dave has no paths",
    ] {
        page.says(words);
    }
    page.does_not_say("timestamp expires");
}

#[tokio::test]
async fn roles_stand_with_keys_thresholds_and_paths() {
    let scene = Scene::new().await;
    team(&scene).await;
    let page = scene.page(&page_of(GUN), now()).await;
    let id = |seed| Key::seed(seed).public.canonical_id().to_string();
    page.says(&format!(
        "targets/bob signer bob tags that begin with 1. tags that begin with 2. 1 of 1 key {} ed25519",
        id(11)
    ));
    page.says(&format!(
        "targets (Repo Admin) every tag, and who else may 1 of 1 key {} ed25519",
        id(1)
    ));
    page.says(&format!(
        "targets/releases what clients pull every tag 1 of 4 keys {} ed25519, alice {} ed25519, bob",
        id(10),
        id(11)
    ));
    page.says("targets/dave signer dave nothing: no path");
    page.says("targets/carol: version 1, from 24 March 2026 until 30 May 2026");
    page.says("targets/dave: never signed");
}

#[tokio::test]
async fn ten_thousand_tags_come_in_pages() {
    let scene = Scene::new().await;
    large(&scene, "a/large", 10_000).await;
    let page = scene.page("/r/a/large", now()).await;
    assert_eq!(page.html.matches("scope=\"row\"").count(), 200 + 6);
    assert!(page.html.len() < 200_000, "{} bytes", page.html.len());
    page.says("10,000 signed tags");
    page.says("1–200 of 10,000 Next");
    page.says("v9.19.49 sha256:");
    page.says("builder 29 May 2026 3 days ago");
    let last = scene.page("/r/a/large?page=50", now()).await;
    last.says("9,801–10,000 of 10,000 Previous");
    last.says("v0.0.0 sha256:");
    last.does_not_say("rel=\"next\"");
    let beyond = scene
        .page("/r/a/large?page=99999999999999999999", now())
        .await;
    beyond.says("1–200 of 10,000");
    let found = scene.page("/r/a/large?tag=V9.1.&page=1", now()).await;
    found.says("1–50 of 50 found among 10,000");
    found.does_not_say("v9.2.0");
    let none = scene.page("/r/a/large?tag=x", now()).await;
    none.says("No tag has “x” in its name.");
}

#[tokio::test]
async fn the_beginning_of_a_tag_in_a_long_large_history_is_found_about() {
    let scene = Scene::new().await;
    let mut long = Repository::of(GUN);
    long.advance("targets");
    for number in 0..7_000 {
        long.publisher
            .sign_image("targets", &format!("old-{number}"), b"one");
    }
    for day in 0..40 {
        long.advance("targets");
        long.publisher
            .sign_image("targets", &format!("day-{day}"), b"one");
        long.publish(&scene, days(day - 40)).await;
    }
    let page = scene
        .page(&format!("{}?tag=day", page_of(GUN)), now())
        .await;
    // Exactly where every version was looked at, 1 Jun being day 40; about elsewhere.
    page.says("day-39 sha256:");
    page.says("(Repo Admin) 31 May 2026 24 hours ago");
    page.says("(Repo Admin) 27 May 2026 5 days ago");
    page.says("(Repo Admin) signed 22 May 2026 – 26 May 2026");
    page.does_not_say("or earlier");
    page.does_not_say("not known");
}

#[tokio::test]
async fn a_repository_past_its_date_shows_what_was_believed() {
    let scene = Scene::new().await;
    several(&scene).await;
    let page = scene.page("/r/docker.io/team/forgotten", now()).await;
    page.says("Expired. timestamp expired on 27 Mar 2026, 12:00 UTC , 2 months ago. Clients refuse every image of this repository.");
    page.says("Clients refuse all of them now. This is what they believed until 27 Mar 2026 .");
    page.says("alice");
}

#[tokio::test]
async fn several_dates_may_have_passed() {
    let scene = Scene::new().await;
    let mut old = Repository::signed_by(&["alice"]);
    old.sign("alice", "1.0", b"one");
    old.expires("snapshot", days(-50));
    old.expires("targets", days(-60));
    old.expires("root", days(-40));
    old.publish(&scene, days(-90)).await;
    let page = scene.page(&page_of(GUN), now()).await;
    for role in ["root", "timestamp", "snapshot", "targets"] {
        page.says(&format!("Expired. {role} expired on"));
    }
    page.says("This is what they believed until 17 Mar 2026");
    page.says("1.0 sha256:");
}

#[tokio::test]
async fn a_date_in_the_past_that_explains_nothing_hides_the_tags() {
    let scene = Scene::new().await;
    let mut odd = Repository::signed_by(&["alice"]);
    odd.sign("alice", "1.0", b"one");
    // Before the root's certificate was made.
    odd.expires("targets", days(-200));
    odd.publish(&scene, days(-1)).await;
    let page = scene.page(&page_of(GUN), now()).await;
    page.says("Expired. targets expired on");
    page.says("None can be shown");
    page.does_not_say("1.0 sha256");
}

#[tokio::test]
async fn a_signer_without_enough_signatures_is_left_out() {
    let scene = Scene::new().await;
    let mut torn = Repository::signed_by(&["alice", "bob"]);
    torn.sign("alice", "1.0", b"one");
    torn.sign("bob", "1.0", b"one");
    torn.publisher
        .signers
        .insert("targets/bob".into(), vec![Key::seed(99)]);
    torn.publish(&scene, days(-1)).await;
    let page = scene.page(&page_of(GUN), now()).await;
    page.says("signatures missing");
    page.says("Not enough valid signatures. targets/bob is not believed: no valid signature by a key of targets/bob");
    page.says("1.3 kB".replace("1.3 kB", "3 B alice").as_str());
    page.says("not believed");
}

#[tokio::test]
async fn a_role_with_too_few_keys_is_named() {
    let scene = Scene::new().await;
    let mut torn = Repository::signed_by(&["alice"]);
    let targets = torn.publisher.targets.get_mut("targets").unwrap();
    targets
        .delegations
        .roles
        .iter_mut()
        .for_each(|role| role.signers.threshold = 2);
    torn.publish(&scene, days(-1)).await;
    let page = scene.page(&page_of(GUN), now()).await;
    page.says("Too few keys. targets/alice needs signatures of 2 keys and has 1.");
    page.says("No tag is signed.");
}

#[tokio::test]
async fn tags_of_the_owner_are_the_repository_administrators() {
    let scene = Scene::new().await;
    let mut own = Repository::of(GUN);
    own.advance("targets");
    own.publisher.sign_image("targets", "1.0", b"one");
    own.publish(&scene, days(-1)).await;
    let page = scene.page(&page_of(GUN), now()).await;
    page.says("3 B (Repo Admin) 31 May 2026 24 hours ago");
    page.says("fine 1 signed tag 0 signers");
}

#[tokio::test]
async fn certificates_that_end_before_the_root_are_what_counts() {
    let scene = Scene::new().await;
    let mut short = Repository::of(GUN);
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let key = vec![Key::certified(&pair, GUN, days(-90), days(20))];
    short.publisher.root.keys.clear();
    short.publisher.signers.insert("root".into(), key);
    for role in ["root", "targets", "snapshot", "timestamp"] {
        let keys = short.publisher.signers[role].clone();
        short.publisher.entrust(role, &keys, 1);
    }
    short.publisher.root.expires = Expires::at(days(3000));
    short.publish(&scene, days(-80)).await;
    short.publish(&scene, days(-1)).await;
    let page = scene.page(&page_of(GUN), now()).await;
    page.says("Expires soon. root expires on 21 Jun 2026, 12:00 UTC");
    let later = scene.page(&page_of(GUN), days(21)).await;
    later.says("Expired. root expired on 21 Jun 2026, 12:00 UTC");
}

#[tokio::test]
async fn damage_is_shown_and_nothing_of_it_believed() {
    let mut fine = Repository::signed_by(&["alice"]);
    fine.sign("alice", "1.0", b"one");
    fine.publisher.timestamp.expires = Expires::at(days(13));
    let files = fine.files();
    for damaged in 0..files.len() {
        for part in 1..12 {
            let scene = Scene::new().await;
            let mut bytes = files[damaged].bytes.to_vec();
            let place = bytes.len() * part / 12;
            bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
            let mut files = files.clone();
            files[damaged].bytes = bytes.into();
            scene.put(GUN, files, days(-1)).await;
            let page = scene.page(&page_of(GUN), now()).await;
            assert_eq!(page.status, 200);
            page.says(
                "not readable Last change"
                    .replace(" Last change", "")
                    .as_str(),
            );
            page.says("None can be shown");
            assert_eq!(scene.page(&format!("/h/{GUN}"), now()).await.status, 200);
        }
    }
}

#[tokio::test]
async fn what_is_beyond_all_measure_is_cut() {
    let scene = Scene::new().await;
    let mut huge = Repository::signed_by(&["alice"]);
    for number in 0..300 {
        let role = format!("targets/s{number}");
        let keys: Vec<_> = (0..40).map(Key::seed).collect();
        let paths: Vec<_> = (0..40).map(|path| format!("{path}-")).collect();
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        huge.publisher.delegate(&role, &keys, &paths);
    }
    let tag = "x".repeat(5000);
    huge.sign("alice", &tag, b"one");
    huge.publish(&scene, days(-1)).await;
    for address in [page_of(GUN), format!("/h/{GUN}")] {
        let page = scene.page(&address, now()).await;
        assert!(page.html.len() < 1_500_000, "{} bytes", page.html.len());
        page.does_not_say(&tag);
        page.says(&format!("{}…", &tag[..160]));
        page.says("and 2");
    }
}

#[tokio::test]
async fn missing_files_are_named() {
    for missing in ["root", "timestamp", "snapshot", "targets"] {
        let scene = Scene::new().await;
        let mut fine = Repository::signed_by(&["alice"]);
        let files: Vec<NewFile> = fine.files();
        let files = files
            .into_iter()
            .filter(|file| file.role != missing)
            .collect();
        scene.put(GUN, files, days(-1)).await;
        let page = scene.page(&page_of(GUN), now()).await;
        page.says(&format!("the server has no file of {missing}"));
    }
}
