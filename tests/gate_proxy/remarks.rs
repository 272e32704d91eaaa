//! Signatures and attestations of others: for what is allowed, and never something that runs.

use super::image::{about, image};
use super::registry::Answer;
use super::{APP, Scene};
use trust::reference::Digest;

const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn list(remarks: &[&Digest]) -> Vec<u8> {
    let entries = remarks.iter().map(|remark| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"{remark}"}}"#)
    });
    let entries = entries.collect::<Vec<_>>().join(",");
    format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#).into_bytes()
}

fn tag_of(subject: &Digest) -> String {
    subject.as_str().replace(':', "-")
}

fn is_empty(got: &super::Got) {
    assert_eq!(got.is(200).json()["manifests"], serde_json::json!([]));
    assert_eq!(
        got.header("content-type"),
        "application/vnd.oci.image.index.v1+json"
    );
}

#[tokio::test]
async fn remarks_about_signed_images_are_served() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let (remark, layer) = about(&scene.registry, APP, &signed.digest, EMPTY, BUNDLE);
    scene
        .manifest(&remark)
        .await
        .is_refused("digest-not-signed");
    let listed = list(&[&remark]);
    let index = Answer::of("application/vnd.oci.image.index.v1+json", listed.clone())
        .with("oci-filters-applied", "artifactType");
    scene
        .registry
        .put(&format!("{APP}/referrers/{}", signed.digest), index);
    let path = scene.path(APP, format!("referrers/{}", signed.digest));
    let got = scene.get(&format!("{path}?artifactType=a%2Fb")).await;
    assert_eq!(got.is(200).body, listed);
    assert_eq!(got.header("oci-filters-applied"), "artifactType");
    let asked = scene.registry.paths();
    assert!(
        asked
            .iter()
            .any(|path| path.ends_with("?artifactType=a%2Fb")),
        "{asked:?}"
    );
    scene.manifest(&remark).await.is(200);
    assert_eq!(
        scene.blob(&layer).await.is(200).body,
        format!("remark about {}", signed.digest)
    );
    scene.blob(&remark).await.is_refused("refused");
}

#[tokio::test]
async fn a_registry_without_that_address_has_a_tag_for_it() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let (remark, _) = about(&scene.registry, APP, &signed.digest, EMPTY, BUNDLE);
    let path = scene.path(APP, format!("referrers/{}", signed.digest));
    is_empty(&scene.get(&path).await);
    let listed = list(&[&remark]);
    scene
        .registry
        .manifest(APP, &[&tag_of(&signed.digest)], &listed);
    assert_eq!(scene.get(&path).await.is(200).body, listed);
    assert_eq!(
        scene.manifest(tag_of(&signed.digest)).await.is(200).body,
        listed
    );
    scene.manifest(&remark).await.is(200);
}

#[tokio::test]
async fn there_is_nothing_to_say_about_what_is_not_allowed() {
    let mut scene = Scene::new().await;
    scene.signed_image();
    let other = image(&scene.registry, APP, &[], "another app");
    let (remark, layer) = about(&scene.registry, APP, &other.digest, EMPTY, BUNDLE);
    let listed = list(&[&remark]);
    scene
        .registry
        .manifest(APP, &[&tag_of(&other.digest)], &listed);
    scene.registry.put(
        &format!("{APP}/referrers/{}", other.digest),
        Answer::of("application/vnd.oci.image.index.v1+json", listed),
    );
    is_empty(
        &scene
            .get(&scene.path(APP, format!("referrers/{}", other.digest)))
            .await,
    );
    is_empty(&scene.manifest(tag_of(&other.digest)).await);
    is_empty(&scene.manifest(tag_of(&Digest::of(b"nothing"))).await);
    scene
        .manifest(&remark)
        .await
        .is_refused("digest-not-signed");
    scene.blob(&layer).await.is_refused("digest-not-signed");
    assert!(scene.registry.asked().is_empty());
}

/// Bypass: an unsigned image that says to be about a signed one.
#[tokio::test]
async fn an_image_is_no_remark() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    let image_config = "application/vnd.oci.image.config.v1+json";
    let image_layer = "application/vnd.oci.image.layer.v1.tar+gzip";
    let plain = image(&scene.registry, APP, &[], "evil");
    let disguised = [
        about(
            &scene.registry,
            APP,
            &signed.digest,
            image_config,
            image_layer,
        )
        .0,
        about(&scene.registry, APP, &signed.digest, image_config, BUNDLE).0,
        about(&scene.registry, APP, &signed.digest, EMPTY, image_layer).0,
        about(
            &scene.registry,
            APP,
            &Digest::of(b"something else"),
            EMPTY,
            BUNDLE,
        )
        .0,
        plain.digest.clone(),
    ];
    let listed = list(&disguised.iter().collect::<Vec<_>>());
    scene
        .registry
        .manifest(APP, &[&tag_of(&signed.digest)], &listed);
    scene.manifest(tag_of(&signed.digest)).await.is(200);
    for digest in &disguised {
        scene.manifest(digest).await.is_refused("nobody signed it");
    }
    scene
        .blob(&plain.layer)
        .await
        .is_refused("digest-not-signed");
    scene
        .blob(&plain.config)
        .await
        .is_refused("digest-not-signed");
}
