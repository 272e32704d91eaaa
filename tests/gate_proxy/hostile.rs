//! A registry that lies: nothing of it gets through, and the log has an alarm.

use super::image::image;
use super::registry::Answer;
use super::{APP, Scene};
use crate::world::TAG;
use trust::reference::Digest;

/// Bypass 8: other bytes for the signed digest.
#[tokio::test]
async fn other_bytes_for_the_signed_digest_are_refused() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let other = image(&scene.registry, APP, &[], "forged");
    let path = format!("{APP}/manifests/{}", signed.digest);
    for forged in [other.bytes.clone(), Vec::new(), b"<html>".to_vec(), {
        let mut longer = signed.bytes.clone();
        longer.push(b'\n');
        longer
    }] {
        scene
            .registry
            .put(&path, Answer::of("application/json", forged));
        for version in [TAG.to_owned(), signed.digest.to_string()] {
            let refused = scene.manifest(version).await;
            refused.is_refused("changed the image");
        }
    }
    // What it serves rightly again is served again.
    scene.registry.manifest(APP, &[], &signed.bytes);
    scene.manifest(TAG).await.is(200);
}

/// Bypass 8: the right bytes, but another length was signed.
#[tokio::test]
async fn another_length_than_the_signed_one_is_refused() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    for role in ["targets/releases", "targets/alice"] {
        let targets = scene.publisher.targets.get_mut(role).unwrap();
        targets.targets.get_mut(TAG).unwrap().length += 1;
    }
    scene.publisher.advance();
    scene.publisher.publish(&scene.trust);
    let refused = scene.manifest(TAG).await;
    refused.is_refused("changed the image");
    scene
        .manifest(&signed.digest)
        .await
        .is_refused("changed the image");
    scene.blob(&signed.layer).await.is_refused("refused");
}

/// What one client reads as an image and another as an index is served as neither.
#[tokio::test]
async fn an_image_that_is_an_index_as_well_is_refused() {
    let mut scene = Scene::new().await;
    let child = image(&scene.registry, APP, &[], "hidden");
    let both = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{0}"}},"layers":[],"manifests":[{{"digest":"{1}"}}]}}"#,
        child.config, child.digest
    );
    scene.registry.manifest(APP, &[TAG], both.as_bytes());
    scene.sign(TAG, both.as_bytes());
    scene
        .manifest(TAG)
        .await
        .is_refused("neither an image nor an index");
    scene
        .manifest(&child.digest)
        .await
        .is_refused("digest-not-signed");
}

#[tokio::test]
async fn a_manifest_without_an_end_is_cut() {
    let mut scene = Scene::new().await;
    let bytes = vec![b' '; 5 << 20];
    scene.registry.manifest(APP, &[TAG], &bytes);
    scene.sign(TAG, &bytes);
    scene.manifest(TAG).await.is(502);
}

#[tokio::test]
async fn a_registry_that_lets_nobody_in_is_no_login_for_clients() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let path = format!("{APP}/manifests/{}", signed.digest);
    scene.registry.put(&path, Answer::status(500));
    scene.manifest(TAG).await.is(502);
    for status in [401, 403] {
        let challenge = "Basic realm=\"x\"";
        let answer = Answer::status(status).with("www-authenticate", challenge);
        scene.registry.put(&path, answer);
        let refused = scene.manifest(TAG).await;
        refused.is_refused("docker login");
        assert!(!refused.headers.contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn headers_of_the_registry_are_not_believed() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let other = Digest::of(b"other");
    let path = format!("{APP}/manifests/{}", signed.digest);
    let answer = Answer::of(
        "application/vnd.oci.image.index.v1+json",
        signed.bytes.clone(),
    )
    .with("docker-content-digest", other.as_str())
    .with("set-cookie", "x=y")
    .with("warning", "299 - \"hello\"");
    scene.registry.put(&path, answer);
    let got = scene.manifest(TAG).await;
    got.is(200);
    assert_eq!(got.header("docker-content-digest"), signed.digest.as_str());
    assert_eq!(got.header("content-type"), super::image::IMAGE);
    assert!(!got.headers.contains_key("set-cookie") && !got.headers.contains_key("warning"));
}
