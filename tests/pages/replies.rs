//! What browsers are told, and that nothing from outside becomes a part of a page.

use super::scene::team;
use super::world::{GUN, now};
use super::{Repository, Scene};

const ADDRESSES: [&str; 8] = [
    "/",
    "/?q=nothing",
    "/r/registry.test:5000/team/app",
    "/r/registry.test:5000/team/app?tag=none",
    "/h/registry.test:5000/team/app",
    "/r/not/there",
    "/-/nothing",
    "/-/style.css",
];

#[tokio::test]
async fn every_answer_is_protected() {
    let scene = Scene::new().await;
    team(&scene).await;
    for address in ADDRESSES {
        let page = scene.page(address, now()).await;
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                 frame-ancestors 'none'; base-uri 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.headers[name], value, "{address}");
        }
        if address != "/-/style.css" {
            assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
            assert_eq!(page.headers["cache-control"], "private, no-cache");
        }
        for banned in [
            "<script",
            " style=",
            " onclick",
            " onload",
            "javascript:",
            "http://",
        ] {
            assert!(!page.html.contains(banned), "{banned} in {address}");
        }
    }
}

#[tokio::test]
async fn the_style_sheet_is_kept_under_the_address_in_the_page() {
    let scene = Scene::new().await;
    let page = scene.page("/", now()).await;
    let (_, link) = page.html.split_once("href=\"/-/style.css").unwrap();
    let (version, _) = link.split_once('"').unwrap();
    let sheet = scene.page(&format!("/-/style.css{version}"), now()).await;
    assert_eq!(sheet.headers["content-type"], "text/css; charset=utf-8");
    assert_eq!(
        sheet.headers["cache-control"],
        "public, max-age=31536000, immutable"
    );
    let other = scene.page("/-/style.css?v=other", now()).await;
    assert_eq!(other.headers["cache-control"], "public, max-age=300");
    assert_eq!(other.html, sheet.html);
    let icon = scene.page("/-/icon.svg", now()).await;
    assert_eq!(icon.headers["content-type"], "image/svg+xml");
}

#[tokio::test]
async fn names_are_words_and_nothing_else() {
    let scene = Scene::new().await;
    let hostile = r#"a/"><script>alert('x')</script>&amp;"#;
    let mut repository = Repository::of(hostile);
    repository.signer("alice", 10, &[r#"<img src=x onerror="y">"#, "<"]);
    repository.sign("alice", r#"<b>"'&"#, b"one");
    repository.publish(&scene, now()).await;
    let address = "/r/a/%22%3E%3Cscript%3Ealert('x')%3C/script%3E&amp;";
    for address in [
        "/",
        "/?q=%3Cscript%3E",
        "/?q=%22%3E%3Cimg%3E",
        address,
        &address.replace("/r/", "/h/"),
        &format!("{address}?tag=%22%3E%3Cb%3E"),
        "/r/%3Cscript%3E",
    ] {
        let page = scene.page(address, now()).await;
        for banned in ["<script", "<img", "<b>\"", "alert('x')</script>"] {
            assert!(!page.html.contains(banned), "{banned} in {address}");
        }
    }
    let page = scene.page(address, now()).await;
    assert_eq!(page.status, 200);
    page.says(r#"tags that begin with <img src=x onerror="y">"#);
    page.says(r#"<b>"'&"#);
}

#[tokio::test]
async fn links_lead_to_pages() {
    let scene = Scene::new().await;
    team(&scene).await;
    let mut odd = Repository::of("host:5000/a b/c?d#e%f");
    odd.publish(&scene, now()).await;
    let mut links = vec!["/".to_owned()];
    let mut seen = 0;
    while let Some(address) = links.get(seen).cloned() {
        seen += 1;
        let page = scene.page(&address, now()).await;
        assert_eq!(page.status, 200, "{address}");
        for found in page.html.split("href=\"").skip(1) {
            let (link, _) = found.split_once('"').unwrap();
            let link = link.replace("&amp;", "&");
            let link = link.split('#').next().unwrap().to_owned();
            if link.starts_with('/') && !links.contains(&link) {
                links.push(link);
            }
        }
    }
    assert!(links.contains(&format!("/h/{GUN}")), "{links:?}");
    assert!(
        links.contains(&"/r/host:5000/a%20b/c%3Fd%23e%25f".to_owned()),
        "{links:?}"
    );
}

#[tokio::test]
async fn a_reader_who_is_turned_away_gets_a_page() {
    for (status, words) in [
        (401, "Please log in"),
        (403, "You may not see this"),
        (429, "Too many attempts"),
        (503, "Not available"),
    ] {
        let status = hyper::StatusCode::from_u16(status).unwrap();
        let page = super::Page::of(trust::server::pages::refused(status, now())).await;
        assert_eq!(page.status, status.as_u16());
        page.says(words);
    }
}
