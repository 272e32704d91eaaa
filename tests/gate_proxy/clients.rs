//! Whom the gate answers.

use super::Scene;
use crate::world::{TAG, now};
use trust::gate::proxy::{Clients, SECRET_HEADER, Secret};
use trust::policy::Policy;
use zeroize::Zeroizing;

#[tokio::test]
async fn strangers_are_refused_before_anything_is_asked() {
    let mut scene = Scene::new().await;
    scene.signed_image();
    let path = scene.path(super::APP, format!("manifests/{TAG}"));
    for path in [path.as_str(), "/v2/", "/v2/../x"] {
        let refused = scene.ask_from("192.0.2.1:5", "GET", path, &[]).await;
        refused.is_refused("this gate is for its own machine only");
    }
    assert!(scene.registry.asked().is_empty() && scene.trust.asked().is_empty());
}

#[tokio::test]
async fn whoever_knows_the_secret_comes_in_from_anywhere() {
    let text = Zeroizing::new(b"0123456789abcdef\n".to_vec());
    let secret = Secret::parse(&text).unwrap();
    let mut scene = Scene::set(Policy::signed(), now, |settings| {
        settings.clients = Clients::Knowing(secret);
    })
    .await;
    scene.signed_image();
    let path = scene.path(super::APP, format!("manifests/{TAG}"));
    let right = [(SECRET_HEADER, "0123456789abcdef")];
    scene
        .ask_from("192.0.2.1:5", "GET", &path, &right)
        .await
        .is(200);
    for wrong in [&[][..], &[(SECRET_HEADER, "0123456789abcdeF")]] {
        let refused = scene.ask("GET", &path, wrong).await;
        refused.is_refused("X-Trust-Gate-Secret");
        assert!(!refused.headers.contains_key("www-authenticate"));
    }
}
