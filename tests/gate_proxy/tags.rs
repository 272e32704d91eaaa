//! The list of tags holds what would be let through.

use super::registry::Answer;
use super::{APP, Scene, policy};

#[tokio::test]
async fn only_signed_tags_are_listed() {
    let mut scene = Scene::new().await;
    for tag in ["1.0", "2.0", "3.0"] {
        scene.sign(tag, b"manifest");
    }
    let path = scene.path(APP, "tags/list");
    scene.registry.put(
        &format!("{APP}/tags/list"),
        Answer::of("application/json", r#"{"tags":["evil"]}"#),
    );
    let got = scene.get(&path).await;
    assert_eq!(
        got.is(200).json()["tags"],
        serde_json::json!(["1.0", "2.0", "3.0"])
    );
    assert_eq!(got.json()["name"], format!("{}/{APP}", scene.registry.host));
    let got = scene.get(&format!("{path}?n=2")).await;
    assert_eq!(got.json()["tags"], serde_json::json!(["1.0", "2.0"]));
    let link = got.header("link");
    assert_eq!(link, format!("<{path}?n=2&last=2%2E0>; rel=\"next\""));
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let got = scene.get(next).await;
    assert_eq!(got.json()["tags"], serde_json::json!(["3.0"]));
    assert!(!got.headers.contains_key("link"));
    assert!(scene.registry.asked().is_empty());
    scene
        .get(&scene.path("nobody/app", "tags/list"))
        .await
        .is_refused("unsigned");
}

#[tokio::test]
async fn where_nothing_has_to_be_signed_the_registry_lists() {
    let scene = Scene::under(policy("[default]\nrequire = \"accept\"\n")).await;
    let list = Answer::of(
        "application/json",
        r#"{"name":"x","tags":["a","b","no tag"]}"#,
    )
    .with("link", "</v2/team/app/tags/list?last=b&n=2>; rel=\"next\"");
    scene.registry.put(&format!("{APP}/tags/list"), list);
    let path = scene.path(APP, "tags/list");
    let got = scene.get(&format!("{path}?n=2&last=9")).await;
    assert_eq!(got.is(200).json()["tags"], serde_json::json!(["a", "b"]));
    assert_eq!(
        got.header("link"),
        format!("<{path}?n=2&last=b>; rel=\"next\"")
    );
    assert_eq!(
        scene.registry.paths(),
        [format!("{APP}/tags/list?n=2&last=9")]
    );
    scene.get(&scene.path("no/such", "tags/list")).await.is(404);
}
