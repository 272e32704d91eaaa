//! A tag brings the manifest that was signed for it, whatever the registry says by now.

use super::image::{IMAGE, image, index};
use super::{APP, Scene};
use crate::world::TAG;
use hyper::Method;

#[tokio::test]
async fn a_tag_is_answered_with_the_signed_manifest_fetched_by_digest() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    let got = scene.manifest(TAG).await;
    got.is(200);
    assert_eq!(got.body, image.bytes);
    assert_eq!(got.header("docker-content-digest"), image.digest.as_str());
    assert_eq!(got.header("content-length"), image.bytes.len().to_string());
    // The registry said something else.
    assert_eq!(got.header("content-type"), IMAGE);
    assert_eq!(
        scene.registry.paths(),
        [format!("{APP}/manifests/{}", image.digest)]
    );
}

#[tokio::test]
async fn a_head_says_all_that_a_get_says() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    let path = scene.path(APP, format!("manifests/{TAG}"));
    let head = scene.head(&path).await;
    head.is(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("docker-content-digest"), image.digest.as_str());
    assert_eq!(head.header("content-length"), image.bytes.len().to_string());
    assert_eq!(head.header("content-type"), IMAGE);
    let get = scene.get(&path).await;
    assert_eq!(head.headers, get.headers);
    // The second came from memory.
    assert_eq!(scene.registry.asked().len(), 1);
}

/// Bypass: the tag moved in the registry after it was signed.
#[tokio::test]
async fn a_tag_that_was_moved_still_brings_what_was_signed() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    image(&scene.registry, APP, &[TAG], "another app");
    let got = scene.manifest(TAG).await;
    assert_eq!(got.is(200).body, signed.bytes);
    // And where the registry lost it, nothing else is served.
    scene
        .registry
        .remove(&format!("{APP}/manifests/{}", signed.digest));
    let image = image(&scene.registry, APP, &["2"], "the next");
    scene.sign("2", &image.bytes);
    scene
        .registry
        .remove(&format!("{APP}/manifests/{}", image.digest));
    scene.restart(trust::policy::Policy::signed(), crate::world::now);
    scene.manifest("2").await.is(404);
}

/// Bypass 5: by an unsigned digest of a signed repository.
#[tokio::test]
async fn a_digest_nobody_signed_is_refused() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let other = image(&scene.registry, APP, &["other"], "another app");
    scene.manifest(&signed.digest).await.is(200);
    scene.registry.asked();
    let refused = scene.manifest(&other.digest).await;
    refused.is_refused("digest-not-signed");
    scene
        .manifest("other")
        .await
        .is_refused("No valid trust data for other");
    scene.blob(&other.layer).await.is_refused("refused");
    scene.blob(&other.config).await.is_refused("refused");
    // Nothing of it was even asked for.
    assert_eq!(scene.registry.paths(), Vec::<String>::new());
}

#[tokio::test]
async fn a_repository_nobody_signs_is_refused_with_the_reason() {
    let scene = Scene::new().await;
    image(&scene.registry, "nobody/app", &["1"], "an app");
    let path = scene.path("nobody/app", "manifests/1");
    let refused = scene.get(&path).await;
    refused.is_refused("unsigned");
    assert!(
        refused.reason.as_ref().unwrap().contains("nobody/app:1"),
        "{refused:?}"
    );
    let head = scene.head(&path).await;
    head.is_refused("unsigned");
    assert_eq!(scene.registry.paths(), Vec::<String>::new());
}

/// Bypass 9: an Accept header that asks for schema 1, or for another kind of manifest.
#[tokio::test]
async fn what_a_client_accepts_changes_nothing() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    let path = scene.path(APP, format!("manifests/{TAG}"));
    for accept in [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.oci.image.index.v1+json",
        "text/html",
        "*/*",
        "",
    ] {
        let got = scene.ask("GET", &path, &[("accept", accept)]).await;
        assert_eq!(got.is(200).body, image.bytes, "{accept}");
        assert_eq!(got.header("content-type"), IMAGE, "{accept}");
    }
    let asked = scene.registry.asked();
    assert_eq!(asked.len(), 1);
    let accepted = asked[0].headers["accept"].to_str().unwrap();
    assert!(!accepted.contains("v1+prettyjws"), "{accepted}");
}

#[tokio::test]
async fn nothing_of_the_client_goes_to_the_registry() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    let headers = [
        ("authorization", "Bearer secret"),
        ("cookie", "secret"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-trust-gate-secret", "0123456789abcdef"),
        ("if-none-match", "\"secret\""),
    ];
    let path = scene.path(APP, format!("manifests/{TAG}"));
    scene.ask("GET", &path, &headers).await.is(200);
    let path = scene.path(APP, format!("blobs/{}", image.layer));
    scene.ask("GET", &path, &headers).await.is(200);
    let asked = scene.registry.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert_eq!(asked.method, Method::GET);
        for (name, _) in headers {
            assert!(!asked.headers.contains_key(name), "{asked:?}");
        }
    }
}

#[tokio::test]
async fn an_index_is_pinned_like_an_image() {
    let mut scene = Scene::new().await;
    let images = ["amd64", "arm64"].map(|name| image(&scene.registry, APP, &[], name));
    let bytes = index(&scene.registry, APP, &[TAG], &[&images[0], &images[1]]);
    scene.sign(TAG, &bytes);
    let got = scene.manifest(TAG).await;
    assert_eq!(got.is(200).body, bytes);
    assert_eq!(got.header("content-type"), super::image::INDEX);
}

/// Bypass 25: many clients come for one tag that nobody asked for yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_first_pulls_cost_one_refresh_and_one_fetch() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.registry.pause(std::time::Duration::from_millis(200));
    scene.trust.asked();
    let all = (0..500).map(|_| scene.manifest(TAG));
    for got in futures_util::future::join_all(all).await {
        assert_eq!(got.is(200).body, image.bytes);
    }
    assert_eq!(scene.registry.asked().len(), 1);
    let asked = scene.trust.asked();
    let timestamps = asked.iter().filter(|name| *name == "timestamp.json");
    assert_eq!(timestamps.count(), 1, "{asked:?}");
}
