//! Pages in a real browser: nothing is blocked, nothing runs over the edge, everything can be read.

#[path = "../pages/scene.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the other test binary"
)]
mod scene;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{Router, extract::Request};
use serde_json::json;

use crate::peers::chromium::{Chromium, View};
use crate::world::{GUN, now};
use scene::Scene;

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

const WIDTHS: [u32; 3] = [360, 768, 1280];

/// Every page there is, in every state, served by two servers.
async fn pages() -> Vec<(&'static str, String)> {
    let full = Scene::new().await;
    scene::team(&full).await;
    scene::several(&full).await;
    scene::large(&full, "docker.io/team/large", 10_000).await;
    let (full, empty) = (serve(full).await, serve(Scene::new().await).await);
    vec![
        ("empty", format!("http://{empty}/")),
        ("list", format!("http://{full}/")),
        ("found", format!("http://{full}/?q=team")),
        ("repository", format!("http://{full}/r/{GUN}")),
        ("history", format!("http://{full}/h/{GUN}")),
        (
            "large",
            format!("http://{full}/r/docker.io/team/large?page=2"),
        ),
        (
            "refused",
            format!("http://{full}/r/docker.io/team/nonsense"),
        ),
        (
            "expired",
            format!("http://{full}/r/docker.io/team/forgotten"),
        ),
        ("missing", format!("http://{full}/-/nothing")),
    ]
}

/// Looks at pages in a browser, beside the servers.
async fn look(at: impl FnOnce(&mut Chromium, Vec<(&'static str, String)>) + Send + 'static) {
    let pages = pages().await;
    tokio::task::spawn_blocking(move || at(&mut Chromium::start(), pages))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_read_on_every_screen_light_and_dark() {
    look(|browser, pages| {
        for (name, address) in &pages {
            for (width, dark) in WIDTHS.into_iter().flat_map(|w| [(w, false), (w, true)]) {
                let view = View { width, dark };
                browser.visit(address, view);
                let place = place(name, view);
                browser.picture(&place);
                let complaints = browser.complaints();
                // The browser tells that a page was not found.
                let expected = usize::from(*name == "missing");
                assert_eq!(complaints.len(), expected, "{place:?}: {complaints:#?}");
                let seen = browser.evaluate("document.documentElement.scrollWidth");
                assert_eq!(seen, width, "{place:?} runs over the edge");
                let faint = browser.evaluate(FAINT);
                assert_eq!(faint, json!([]), "{place:?} is hard to read");
            }
        }
        // These eyes do see what is wrong.
        browser.evaluate("document.documentElement.style.setProperty('--text', '#444')");
        assert_ne!(browser.evaluate(FAINT), json!([]));
        browser.evaluate("document.querySelector('h1').style.width = '2000px'");
        let seen = browser.evaluate("document.documentElement.scrollWidth");
        assert!(seen.as_u64().unwrap() > 1280);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_heard() {
    look(|browser, pages| {
        for (name, address) in &pages {
            for width in [360, 1280] {
                browser.visit(address, View { width, dark: false });
                let faults = browser.evaluate(FAULTS);
                assert_eq!(faults, json!([]), "{name}");
                let heard = browser.heard();
                let count = |role: &str| heard.iter().filter(|(r, _)| r == role).count();
                for landmark in ["banner", "main", "contentinfo"] {
                    assert_eq!(count(landmark), 1, "{landmark} in {name}");
                }
                if ["list", "repository", "large"].contains(name) {
                    // As cards on a phone they still are tables.
                    for part in ["table", "columnheader", "rowheader", "cell"] {
                        assert!(count(part) > 0, "{part} in {name} at {width}: {heard:?}");
                    }
                }
            }
        }
        let (_, repository) = &pages[3];
        browser.visit(
            repository,
            View {
                width: 360,
                dark: false,
            },
        );
        let heard = browser.heard();
        let picture = "targets/carol: version 1, from 24 March 2026 until 30 May 2026";
        let spoken = |role: &str, name: &str| heard.contains(&(role.to_owned(), name.to_owned()));
        assert!(spoken("image", picture), "{heard:?}");
        assert!(spoken("heading", "What is wrong"), "{heard:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyboard_and_a_mouse_are_enough() {
    look(|browser, pages| {
        let (_, repository) = &pages[3];
        browser.visit(
            repository,
            View {
                width: 1280,
                dark: false,
            },
        );
        browser.tab();
        assert_eq!(browser.evaluate("document.activeElement.className"), "skip");
        let left = browser.evaluate("document.activeElement.getBoundingClientRect().left");
        assert!(left.as_f64().unwrap() >= 0.0, "the skip link is in sight");
        browser.tab();
        assert_eq!(
            browser.evaluate("document.activeElement.className"),
            "brand"
        );
        let outline = "getComputedStyle(document.activeElement).outlineStyle";
        assert_eq!(browser.evaluate(outline), "solid", "the focus can be seen");
        // One click takes the whole digest although a part of it is shown.
        browser.click(".tags .digest");
        let taken = browser.evaluate("getSelection().toString()");
        let whole = browser.evaluate("document.querySelector('.tags .digest').textContent");
        assert_eq!(taken, whole);
        assert_eq!(taken.as_str().unwrap().len(), 71);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_policy_forbids_does_not_run() {
    look(|browser, pages| {
        let (_, list) = &pages[1];
        for (what, injected) in [
            ("script", "e.textContent = 'window.broken = true'"),
            ("style", "e.textContent = 'main { display: none }'"),
            ("img", "e.src = 'http://127.0.0.1:9/x.png'"),
        ] {
            browser.visit(list, View { width: 768, dark: false });
            browser.evaluate(&format!(
                "{{ const e = document.createElement('{what}'); {injected}; document.body.append(e); }}"
            ));
            let complaints = browser.complaints();
            let blocked = |told: &String| told.contains("Content Security Policy");
            assert!(complaints.iter().any(blocked), "{what}: {complaints:?}");
            assert_eq!(browser.evaluate("typeof broken"), "undefined");
            let shown = "getComputedStyle(document.querySelector('main')).display";
            assert_ne!(browser.evaluate(shown), "none");
        }
    })
    .await;
}

/// Texts whose contrast with what is behind them is below 4.5 (WCAG 1.4.3).
const FAINT: &str = r#"(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = css => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const back = rgb(getComputedStyle(e).backgroundColor);
      if (back[3] === 255) return back;
    }
    return rgb('white');
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    if (!node.textContent.trim()) continue;
    const e = node.parentElement, style = getComputedStyle(e);
    if (['title', 'STYLE'].includes(e.tagName) || !e.getClientRects().length) continue;
    const fore = light(rgb(e.closest('svg') ? style.fill : style.color)), back = light(behind(e));
    const contrast = (Math.max(fore, back) + 0.05) / (Math.min(fore, back) + 0.05);
    if (contrast < 4.5) faint.add(`${e.tagName}.${e.className.baseVal ?? e.className} ${contrast.toFixed(2)}`);
  }
  return [...faint];
})()"#;

/// What people who do not see the page would miss.
const FAULTS: &str = r#"(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const faults = [];
  const fault = (bad, words) => { if (bad) faults.push(words); };
  fault(document.documentElement.lang !== 'en', 'no language');
  fault(!document.title.endsWith(' · trust'), 'no title');
  fault(all('h1').length !== 1, 'not one h1');
  let level = 0;
  for (const heading of all('h1, h2, h3, h4')) {
    const next = Number(heading.tagName[1]);
    fault(next > level + 1, `${heading.textContent} skips a level`);
    level = next;
  }
  for (const table of all('table')) fault(!table.caption, 'a table without caption');
  for (const th of all('th')) fault(!['col', 'row'].includes(th.scope), 'a header without scope');
  for (const input of all('input')) fault(!input.labels.length, 'an input without label');
  for (const svg of all('svg'))
    fault(!svg.getAttribute('aria-hidden') && !svg.querySelector('title'), 'a picture without title');
  for (const nav of all('nav')) fault(!nav.getAttribute('aria-label'), 'a nav without name');
  for (const section of all('section'))
    fault(!document.getElementById(section.getAttribute('aria-labelledby')), 'a section without name');
  for (const state of all('.state')) fault(!state.textContent.trim(), 'a state without a word');
  for (const a of all('a')) fault(!a.textContent.trim(), 'a link without words');
  const ids = all('[id]').map(e => e.id);
  fault(new Set(ids).size !== ids.length, 'an id twice');
  fault(all('[style], script').length, 'a style or script of its own');
  return faults;
})()"#;
