//! Blobs: whole, in parts, and from where the registry keeps them.

use super::image::Image;
use super::registry::{Answer, Registry};
use super::{APP, Scene};
use crate::world::{TAG, now};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trust::policy::Policy;

#[tokio::test]
async fn a_part_of_a_blob_is_asked_for_as_a_part() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    scene.registry.asked();
    let path = scene.path(APP, format!("blobs/{}", image.layer));
    let got = scene.ask("GET", &path, &[("range", "bytes=6-")]).await;
    got.is(206);
    assert_eq!(
        (got.body.as_ref(), got.header("content-range")),
        (&b"of the app"[..], "bytes 6-15/16")
    );
    // Several parts at a time would come in another form: the whole is an answer as well.
    for odd in ["bytes=0-1,3-4", "lines=1-2", "bytes=-"] {
        let got = scene.ask("GET", &path, &[("range", odd)]).await;
        assert_eq!(got.status, 200, "{odd}");
    }
    let asked = scene.registry.asked();
    let ranges: Vec<_> = asked
        .iter()
        .map(|asked| asked.headers.get("range").is_some())
        .collect();
    assert_eq!(ranges, [true, false, false, false]);
}

#[tokio::test]
async fn a_part_that_is_not_there_is_said() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    let answer = Answer::status(416).with("content-range", "bytes */16");
    scene
        .registry
        .put(&format!("{APP}/blobs/{}", image.layer), answer);
    let path = scene.path(APP, format!("blobs/{}", image.layer));
    let got = scene.ask("GET", &path, &[("range", "bytes=99-")]).await;
    assert_eq!(got.is(416).header("content-range"), "bytes */16");
}

/// A blob that ends too early is no blob: clients have to see that.
#[tokio::test]
async fn a_blob_that_breaks_off_breaks_off_for_clients() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        assert_ne!(stream.read(&mut head).await.unwrap(), 0);
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\nlayer of";
        stream.write_all(half).await.unwrap();
    });
    let answer = Answer::status(307).with("location", &format!("http://{store}/x"));
    scene
        .registry
        .put(&format!("{APP}/blobs/{}", image.layer), answer);
    let request = hyper::Request::get(scene.path(APP, format!("blobs/{}", image.layer)));
    let peer = trust::listen::Peer {
        address: "127.0.0.1:1".parse().unwrap(),
        certificate: None,
    };
    let reply = scene.proxy.answer(&request.body(()).unwrap(), &peer).await;
    assert_eq!(reply.headers()["content-length"], "16");
    assert!(reply.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_blob_that_is_gone_is_not_found() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    scene
        .registry
        .remove(&format!("{APP}/blobs/{}", image.layer));
    let got = scene.blob(&image.layer).await;
    assert_eq!(got.is(404).json()["errors"][0]["code"], "BLOB_UNKNOWN");
}

/// A redirecting registry; the store it names; credentials go to the first only.
async fn redirecting(redirect: bool) -> (Scene, Registry, Image) {
    let mut scene = Scene::set(Policy::signed(), now, |settings| {
        settings.redirect = redirect;
    })
    .await;
    let store = Registry::start().await;
    let image = scene.signed_image();
    store.put("store/layer", Answer::of("x/y", "layer of the app"));
    let location = format!("http://{}/v2/store/layer?signature=1", store.host);
    let answer = Answer::status(307).with("location", &location);
    scene
        .registry
        .put(&format!("{APP}/blobs/{}", image.layer), answer);
    scene.manifest(TAG).await.is(200);
    (scene, store, image)
}

#[tokio::test]
async fn where_a_blob_is_kept_is_followed_for_clients() {
    let (scene, store, image) = redirecting(false).await;
    comes_from(&store, &scene, &image).await;
}

/// A part of the layer comes from where it is kept, which sees no credentials.
pub(super) async fn comes_from(store: &Registry, scene: &Scene, image: &Image) {
    let path = scene.path(APP, format!("blobs/{}", image.layer));
    let got = scene.ask("GET", &path, &[("range", "bytes=6-7")]).await;
    assert_eq!(got.is(206).body, "of");
    let asked = store.asked();
    assert_eq!(asked[0].path, "store/layer?signature=1");
    assert!(asked[0].headers.contains_key("range"));
    assert!(!asked[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn clients_are_sent_there_if_the_gate_is_told_to() {
    let (scene, store, image) = redirecting(true).await;
    let got = scene.blob(&image.layer).await;
    got.is(307);
    assert!(
        got.header("location")
            .ends_with("/v2/store/layer?signature=1")
    );
    assert!(store.asked().is_empty());
}

#[tokio::test]
async fn addresses_that_lead_nowhere_or_in_the_clear_are_refused() {
    let mut scene = Scene::new().await;
    let image = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    let blob = format!("{APP}/blobs/{}", image.layer);
    let itself = format!("http://{}/v2/{blob}", scene.registry.host);
    for location in [
        itself.as_str(),
        "http://192.0.2.1/x",
        "ftp://localhost/x",
        "file:///etc/passwd",
    ] {
        scene
            .registry
            .put(&blob, Answer::status(307).with("location", location));
        let got = scene.blob(&image.layer).await;
        assert_eq!(got.status, 502, "{location}: {got:?}");
    }
    let asked = scene.registry.asked().len();
    assert!(asked < 20, "{asked}");
}
