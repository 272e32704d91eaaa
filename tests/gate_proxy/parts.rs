//! What is reachable from what was allowed, and nothing else.

use super::image::{image, index};
use super::{APP, Scene, policy};
use crate::world::{TAG, now};
use trust::policy::Policy;
use trust::reference::Digest;

#[tokio::test]
async fn the_parts_of_an_allowed_image_are_served() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene
        .blob(&image.layer)
        .await
        .is_refused("digest-not-signed");
    scene.manifest(TAG).await.is(200);
    let layer = scene.blob(&image.layer).await;
    assert_eq!(layer.is(200).body, "layer of the app");
    assert_eq!(layer.header("docker-content-digest"), image.layer.as_str());
    assert_eq!(
        scene.blob(&image.config).await.is(200).body,
        "config of the app"
    );
    let head = scene
        .head(&scene.path(APP, format!("blobs/{}", image.layer)))
        .await;
    head.is(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("16", 0));
}

#[tokio::test]
async fn a_head_opens_an_image_as_a_get_does() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene
        .head(&scene.path(APP, format!("manifests/{TAG}")))
        .await
        .is(200);
    scene.blob(&image.layer).await.is(200);
}

/// Bypass 6: a platform's image of a signed index, before and after the index was served.
#[tokio::test]
async fn the_images_of_an_index_are_served_after_it() {
    let mut scene = Scene::new().await;
    let images = ["amd64", "arm64"].map(|name| image(&scene.registry, APP, &[], name));
    let signed = index(&scene.registry, APP, &[TAG], &[&images[0], &images[1]]);
    scene.sign(TAG, &signed);
    let never = image(&scene.registry, APP, &[], "never signed");
    index(&scene.registry, APP, &["never"], &[&never]);
    let child = &images[1];
    scene
        .manifest(&child.digest)
        .await
        .is_refused("digest-not-signed");
    scene.manifest(TAG).await.is(200);
    assert_eq!(
        scene.manifest(&child.digest).await.is(200).body,
        child.bytes
    );
    scene.blob(&child.layer).await.is(200);
    scene.manifest("never").await.is_refused("unsigned");
    scene
        .manifest(&never.digest)
        .await
        .is_refused("digest-not-signed");
    scene
        .blob(&never.layer)
        .await
        .is_refused("digest-not-signed");
}

/// A client that has the manifests from an earlier pull asks for layers at once.
#[tokio::test]
async fn layers_of_images_that_were_never_asked_for_are_found() {
    let mut scene = Scene::new().await;
    let images = ["amd64", "arm64"].map(|name| image(&scene.registry, APP, &[], name));
    let signed = index(&scene.registry, APP, &[TAG], &[&images[0], &images[1]]);
    scene.sign(TAG, &signed);
    scene.manifest(TAG).await.is(200);
    scene.blob(&images[0].layer).await.is(200);
    scene.blob(&images[1].config).await.is(200);
    scene.registry.asked();
    // What none of them names makes the gate ask for none of them again.
    for _ in 0..3 {
        scene
            .blob(Digest::of(b"nothing"))
            .await
            .is_refused("digest-not-signed");
    }
    assert_eq!(scene.registry.paths(), Vec::<String>::new());
}

/// Bypass 7: a manifest's bytes by the address of blobs.
#[tokio::test]
async fn manifests_never_go_out_as_blobs() {
    let mut scene = Scene::new().await;
    let child = image(&scene.registry, APP, &[], "amd64");
    let signed = index(&scene.registry, APP, &[TAG], &[&child]);
    scene.sign(TAG, &signed);
    let root = Digest::of(&signed);
    // A registry that would do it.
    scene.registry.blob(APP, &signed);
    scene.registry.blob(APP, &child.bytes);
    scene
        .blob(&root)
        .await
        .is_refused("it is a manifest, not a blob");
    scene.manifest(TAG).await.is(200);
    scene.manifest(&child.digest).await.is(200);
    scene
        .blob(&root)
        .await
        .is_refused("it is a manifest, not a blob");
    scene
        .blob(&child.digest)
        .await
        .is_refused("digest-not-signed");
}

#[tokio::test]
async fn blobs_never_go_out_as_manifests() {
    let mut scene = Scene::new().await;
    let layer = image(&scene.registry, APP, &[], "hidden in a layer");
    let bytes = format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{}"}},"layers":[{{"digest":"{}"}}]}}"#,
        layer.config, layer.digest
    );
    scene.registry.manifest(APP, &[TAG], bytes.as_bytes());
    scene.sign(TAG, bytes.as_bytes());
    scene.manifest(TAG).await.is(200);
    scene
        .manifest(&layer.digest)
        .await
        .is_refused("digest-not-signed");
}

#[tokio::test]
async fn parts_belong_to_their_repository() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let copy = image(&scene.registry, "nobody/app", &["1"], "the app");
    assert_eq!(copy.digest, signed.digest);
    scene.manifest(TAG).await.is(200);
    for rest in [
        format!("manifests/{}", copy.digest),
        format!("blobs/{}", copy.layer),
    ] {
        let path = scene.path("nobody/app", rest);
        scene.get(&path).await.is_refused("unsigned");
    }
}

/// What was withdrawn speaks for its parts no longer once policy changed.
#[tokio::test]
async fn another_policy_asks_again() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    scene.blob(&image.layer).await.is(200);
    scene
        .gate
        .enforce(policy("[default]\nrequire = \"reject\"\n"));
    scene.blob(&image.layer).await.is_refused("no-rule");
    scene.manifest(TAG).await.is_refused("no-rule");
    scene.gate.enforce(Policy::signed());
    scene
        .blob(&image.layer)
        .await
        .is_refused("digest-not-signed");
    scene.manifest(TAG).await.is(200);
    scene.blob(&image.layer).await.is(200);
}

#[tokio::test]
async fn a_restart_forgets_parts_and_the_tag_brings_them_back() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    scene.restart(Policy::signed(), now);
    scene
        .blob(&image.layer)
        .await
        .is_refused("digest-not-signed");
    scene
        .head(&scene.path(APP, format!("manifests/{TAG}")))
        .await
        .is(200);
    scene.blob(&image.layer).await.is(200);
}
