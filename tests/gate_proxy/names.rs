//! One name, one repository: what could be read in two ways is refused before anybody is asked.

use super::image::image;
use super::{APP, Scene, policy};
use crate::world::{TAG, now};
use trust::policy::Policy;

#[tokio::test]
async fn the_registry_is_named_by_path_by_query_or_by_default() {
    let mut scene = Scene::new().await;
    let host = scene.registry.host.clone();
    scene.signed_image();
    for path in [
        format!("/v2/{host}/{APP}/manifests/{TAG}"),
        format!("/v2/{APP}/manifests/{TAG}?ns={host}"),
        format!("/v2/{APP}/manifests/{TAG}?ns={}", host.replace(':', "%3A")),
        format!("/v2/{host}/{APP}/manifests/{TAG}?ns={host}"),
    ] {
        scene.get(&path).await.is(200);
    }
    let refused = scene
        .get(&format!("/v2/{host}/{APP}/manifests/{TAG}?ns=docker.io"))
        .await;
    assert_eq!(refused.is(400).json()["errors"][0]["code"], "NAME_INVALID");
    let mut scene = Scene::set(Policy::signed(), now, |settings| settings.default = host).await;
    scene.sign(TAG, b"x");
    // Signed or not, there it is not.
    scene
        .get(&format!("/v2/{APP}/manifests/{TAG}"))
        .await
        .is(404);
}

/// Bypass 21: the same under a rule for names that it resembles.
#[tokio::test]
async fn a_rule_is_not_met_by_a_path_that_looks_like_its_host() {
    let scene = Scene::under(policy(
        "[default]\nrequire = \"reject\"\n\
         [[rule]]\nmatch = \"*.trusted.example.com/**\"\nrequire = \"accept\"\n",
    ))
    .await;
    for path in [
        "x.trusted.example.com/y",
        "a/x.trusted.example.com/y",
        "trusted.example.com/y",
    ] {
        image(&scene.registry, path, &[TAG], "evil");
        let got = scene
            .get(&scene.path(path, format!("manifests/{TAG}")))
            .await;
        got.is_refused("no-rule");
        let elsewhere = format!("/v2/{path}/manifests/{TAG}?ns={}", scene.registry.host);
        let got = scene.get(&elsewhere).await;
        assert!([400, 403].contains(&got.status), "{got:?}");
    }
    for host in [
        "x.trusted.example.com.evil.test",
        "trusted.example.com",
        "xtrusted.example.com",
        "evil.test:5000",
    ] {
        let got = scene.get(&format!("/v2/y/manifests/{TAG}?ns={host}")).await;
        got.is_refused("no-rule");
    }
    assert!(scene.registry.asked().is_empty());
}

/// Bypass 21: a hostile registry whose paths look like names that are trusted.
#[tokio::test]
async fn a_path_is_never_taken_for_a_host() {
    let mut scene = Scene::new().await;
    scene.signed_image();
    let evil = format!("x.trusted.example.com/{APP}");
    image(&scene.registry, &evil, &[TAG], "evil");
    scene
        .get(&scene.path(&evil, format!("manifests/{TAG}")))
        .await
        .is_refused("unsigned");
    assert!(scene.registry.asked().is_empty());
}

#[tokio::test]
async fn whatever_is_not_reading_is_refused() {
    let mut scene = Scene::new().await;
    let signed = scene.signed_image();
    scene.manifest(TAG).await.is(200);
    scene.registry.asked();
    let manifest = scene.path(APP, format!("manifests/{TAG}"));
    let blob = scene.path(APP, format!("blobs/{}", signed.layer));
    let uploads = scene.path(APP, "blobs/uploads/");
    for (method, path) in [
        ("PUT", manifest.as_str()),
        ("DELETE", &manifest),
        ("POST", &uploads),
        ("PATCH", &uploads),
        ("DELETE", &blob),
        ("OPTIONS", "/v2/"),
        ("POST", "/v2/"),
    ] {
        let got = scene.ask(method, path, &[]).await;
        assert_eq!(
            got.is(405).json()["errors"][0]["code"],
            "UNSUPPORTED",
            "{method} {path}"
        );
    }
    for path in [&uploads, "/v2/_catalog", "/", "/v1/search", "/v2/x"] {
        let got = scene.get(path).await;
        assert_eq!(
            got.is(403).json()["errors"][0]["code"],
            "UNSUPPORTED",
            "{path}"
        );
    }
    let ping = scene.get("/v2/").await;
    assert_eq!(
        ping.is(200).header("docker-distribution-api-version"),
        "registry/2.0"
    );
    assert!(scene.registry.asked().is_empty());
}

#[tokio::test]
async fn the_gate_says_how_it_is() {
    let scene = Scene::new().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        scene.get(path).await.is(200);
        scene
            .ask_from("192.0.2.1:5", "GET", path, &[])
            .await
            .is(200);
    }
}
