//! Blobs of registries that speak TLS, as all but those of this machine do.

use super::image::Image;
use super::registry::{Answer, Registry};
use super::streams::comes_from;
use super::{APP, Scene};
use crate::world::{TAG, now};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use std::io::Write as _;
use std::path::Path;
use trust::policy::Policy;

/// A signed image in a registry over TLS, which asks for a password that the gate knows.
async fn scene() -> (Scene, Image) {
    let (registry, pem) = Registry::start_over_tls().await;
    let pair = BASE64_STANDARD.encode("gate:secret");
    registry.lock(&format!("Basic {pair}"));
    let mut scene = Scene::around(registry, Policy::signed(), now, |_| ()).await;
    let host = &scene.registry.host;
    believe(&scene, host, &pem);
    let config = serde_json::json!({"auths": {host: {"auth": pair}}}).to_string();
    write(&scene.folder.path().join("config.json"), config.as_bytes());
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    scene.registry.asked();
    (scene, image)
}

/// Puts the certificate where the gate looks for authorities of this host.
fn believe(scene: &Scene, host: &str, pem: &str) {
    let folder = scene.folder.path().join("tls").join(host);
    std::fs::create_dir_all(&folder).unwrap();
    write(&folder.join("ca.crt"), pem.as_bytes());
}

fn write(path: &Path, bytes: &[u8]) {
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[tokio::test]
async fn a_blob_comes_whole_and_in_parts_with_the_credentials_of_the_gate() {
    let (scene, image) = scene().await;
    let layer = "layer of the app, ".repeat(200_000);
    let blob = format!("{APP}/blobs/{}", image.layer);
    let octets = "application/octet-stream";
    scene.registry.put(&blob, Answer::of(octets, layer.clone()));
    let got = scene.blob(&image.layer).await;
    got.is(200);
    assert_eq!(got.header("content-length"), layer.len().to_string());
    assert!(got.body == layer);
    let path = scene.path(APP, format!("blobs/{}", image.layer));
    let got = scene.ask("GET", &path, &[("range", "bytes=6-8")]).await;
    assert_eq!(got.is(206).body, "of ");
    let got = scene.head(&path).await;
    assert_eq!(
        got.is(200).header("content-length"),
        layer.len().to_string()
    );
    for asked in scene.registry.asked() {
        let shown = |name| asked.headers.get(name).map(|value| value.to_str().unwrap());
        assert!(shown("user-agent").unwrap().starts_with("trust/"));
        assert_eq!(shown("accept-encoding"), Some("identity"));
        assert_eq!(asked.path, blob);
    }
}

#[tokio::test]
async fn where_it_is_kept_sees_no_credentials_and_has_to_be_believed_too() {
    let (scene, image) = scene().await;
    let (store, pem) = Registry::start_over_tls().await;
    store.put("store/layer", Answer::of("x/y", "layer of the app"));
    let location = format!("https://{}/v2/store/layer?signature=1", store.host);
    let answer = Answer::status(307).with("location", &location);
    let blob = format!("{APP}/blobs/{}", image.layer);
    scene.registry.put(&blob, answer.clone());
    let got = scene.blob(&image.layer).await;
    let message = &got.is(502).json()["errors"][0]["message"];
    let told = "cannot trust registry localhost: certificate signed by unknown authority";
    assert_eq!(message, told);
    assert!(store.asked().is_empty());

    let (scene, image) = self::scene().await;
    scene
        .registry
        .put(&format!("{APP}/blobs/{}", image.layer), answer);
    believe(&scene, &store.host, &pem);
    comes_from(&store, &scene, &image).await;
}

#[tokio::test]
async fn what_is_gone_or_refused_is_said_in_the_same_words() {
    let (scene, image) = scene().await;
    scene
        .registry
        .remove(&format!("{APP}/blobs/{}", image.layer));
    let got = scene.blob(&image.layer).await;
    assert_eq!(got.is(404).json()["errors"][0]["code"], "BLOB_UNKNOWN");
    scene.registry.lock("Basic another");
    let got = scene.blob(&image.config).await;
    let error = &got.is(403).json()["errors"][0];
    assert_eq!(error["code"], "DENIED");
    assert!(error["message"].as_str().unwrap().contains("docker login"));
}
