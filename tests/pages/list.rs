//! The list of repositories.

use super::Scene;
use super::scene::several;
use super::world::now;

#[tokio::test]
async fn each_repository_has_its_state_in_a_word() {
    let scene = Scene::new().await;
    several(&scene).await;
    let page = scene.page("/", now()).await;
    for words in [
        "docker.io/library/alpine State fine 1 30 May 2026 2 days ago",
        "docker.io/team/forgotten expired 1 13 Mar 2026 2 months ago",
        "docker.io/team/nonsense not readable – 31 May 2026 24 hours ago",
        "docker.io/team/soon expires soon 1 29 May 2026 3 days ago",
    ] {
        page.says(&words.replace("State ", ""));
    }
    page.does_not_say("Next repositories");
}

#[tokio::test]
async fn repositories_are_found_by_a_part_of_the_name() {
    let scene = Scene::new().await;
    several(&scene).await;
    let page = scene.page("/?q=+TEAM%2F+", now()).await;
    page.says("forgotten");
    page.does_not_say("alpine");
    assert!(page.html.contains(r#"value="TEAM/""#));
    page.says("Show all");
    let none = scene.page("/?q=whale", now()).await;
    none.says("No repository has “whale” in its name.");
    let odd = scene
        .page(&format!("/?q=%00{}", "%C3%A9".repeat(300)), now())
        .await;
    assert_eq!(odd.status, 200);
}

#[tokio::test]
async fn an_empty_server_says_what_to_do() {
    let scene = Scene::new().await;
    let page = scene.page("/", now()).await;
    page.says("Nothing has been signed yet.");
    page.says("trust sign");
    assert!(!page.html.contains("<form"));
}

#[tokio::test]
async fn a_store_that_is_gone_is_said_without_details() {
    let scene = Scene::new().await;
    scene.store.close().await;
    for address in ["/", "/r/a", "/h/a"] {
        let page = scene.page(address, now()).await;
        assert_eq!(page.status, 503, "{address}");
        page.says("The server cannot answer at the moment.");
    }
}
