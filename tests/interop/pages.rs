//! Pages in a real browser: nothing is blocked, nothing runs over the edge, everything can be read.

#[path = "../pages/scene.rs"]
mod scene;
#[path = "../world/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "only the publisher is needed here"
)]
mod world;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{Router, extract::Request};

use crate::peers::chromium::{Chromium, View};
use scene::Scene;
use world::{GUN, now};

/// Serves the pages of a scene on loopback.
async fn serve(scene: Scene) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let scene = Arc::new(scene);
    let app = Router::new().fallback(move |request: Request| {
        let scene = scene.clone();
        async move {
            let uri = request.uri().clone();
            let everything = |_: &str| true;
            let (path, query) = (uri.path(), uri.query());
            trust::server::pages::answer(path, query, &scene.store, &everything, now())
                .await
                .map(axum::body::Body::new)
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

fn place(name: &str, view: View) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    let scheme = if view.dark { "dark" } else { "light" };
    folder.join(format!("{name}-{}-{scheme}.png", view.width))
}

const VIEWS: [View; 6] = [
    View {
        width: 360,
        dark: false,
    },
    View {
        width: 360,
        dark: true,
    },
    View {
        width: 768,
        dark: false,
    },
    View {
        width: 768,
        dark: true,
    },
    View {
        width: 1280,
        dark: false,
    },
    View {
        width: 1280,
        dark: true,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_can_be_read_everywhere() {
    let full = Scene::new().await;
    scene::team(&full).await;
    scene::several(&full).await;
    scene::large(&full, "docker.io/team/large", 10_000).await;
    let (full, empty) = (serve(full).await, serve(Scene::new().await).await);
    let pages = [
        ("empty", format!("http://{empty}/")),
        ("list", format!("http://{full}/")),
        ("repository", format!("http://{full}/r/{GUN}")),
        ("history", format!("http://{full}/h/{GUN}")),
        ("large", format!("http://{full}/r/docker.io/team/large")),
        (
            "refused",
            format!("http://{full}/r/docker.io/team/nonsense"),
        ),
        (
            "expired",
            format!("http://{full}/r/docker.io/team/forgotten"),
        ),
        ("missing", format!("http://{full}/-/nothing")),
    ];
    tokio::task::spawn_blocking(move || {
        let mut browser = Chromium::start();
        for (name, address) in &pages {
            for view in VIEWS {
                browser.visit(address, view);
                look(&mut browser, name, view);
            }
        }
    })
    .await
    .unwrap();
}

fn look(browser: &mut Chromium, name: &str, view: View) {
    let place = place(name, view);
    browser.picture(&place);
    let place = place.display();
    let allowed = name == "missing";
    let complaints = browser.complaints();
    assert!(allowed || complaints.is_empty(), "{place}: {complaints:#?}");
    let width = browser.evaluate("document.documentElement.scrollWidth");
    assert_eq!(width, view.width, "{place} runs over the edge");
}
