//! Containers of images the engine has, by what the engine says of them.

use super::{
    POLICY,
    engine::{Engine, image},
    plugin::{Place, Plugin, Verdict},
    with_local,
};
use serde_json::{Value, json};
use std::time::Duration;

/// A plugin with this policy at an engine with these answers, for a test that blocks.
async fn with_engine(
    policy: &str,
    answers: &[(&str, Value)],
    test: impl FnOnce(&Plugin) + Send + 'static,
) -> Vec<String> {
    let place = Place::new(policy);
    let engine = Engine::start(&place.engine(), answers, Duration::ZERO);
    let plugin = place.start();
    tokio::task::spawn_blocking(move || test(&plugin))
        .await
        .unwrap();
    engine.asked()
}

fn create(plugin: &Plugin, image: &str) -> Verdict {
    let body = json!({ "Image": image }).to_string();
    plugin.asked("POST", "/v1.41/containers/create", Some(&body))
}

fn digest(letter: &str) -> String {
    format!("sha256:{}", letter.repeat(64))
}

fn at(name: &str, letter: &str) -> String {
    format!("{name}@{}", digest(letter))
}

fn images() -> Vec<(&'static str, Value)> {
    let free = image(
        &"1".repeat(64),
        &["free.test/app:1"],
        &[at("free.test/app", "a")],
    );
    let evil = image(
        &"2".repeat(64),
        &["evil.test/app:1", "free.test/shadow:1"],
        &[at("evil.test/app", "b")],
    );
    let local = image(&"3".repeat(64), &["mine:latest", "free.test/mine:1"], &[]);
    let both = image(
        &"4".repeat(64),
        &["evil.test/both:1"],
        &[at("evil.test/both", "c"), at("free.test/both", "c")],
    );
    vec![
        ("/images/free.test/app:1/json", free.clone()),
        ("/images/11111111/json", free),
        ("/images/evil.test/app:1/json", evil.clone()),
        ("/images/free.test/shadow:1/json", evil.clone()),
        ("/images/2222/json", evil),
        ("/images/mine/json", local.clone()),
        ("/images/free.test/mine:1/json", local.clone()),
        ("/images/333/json", local),
        ("/images/444/json", both.clone()),
        ("/images/evil.test/both:1/json", both),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_vouches_only_for_what_was_pulled_by_it() {
    let asked = with_engine(POLICY, &images(), |plugin| {
        create(plugin, "free.test/app:1").allows();
        create(plugin, "11111111").allows();
        create(plugin, "evil.test/app:1").refuses("evil.test/app:1 is refused");
        // Somebody tagged it; it came from elsewhere all the same.
        create(plugin, "free.test/shadow:1").refuses("evil.test/app@sha256:bbbb");
        create(plugin, "2222").refuses("evil.test/app@sha256:bbbb");
        create(plugin, "mine").refuses("is refused");
        create(plugin, "free.test/mine:1").refuses("no registry vouches for it");
        create(plugin, "333").refuses("no registry vouches for it");
        // One registry that is trusted is enough, by id; not under the other's name.
        create(plugin, "444").allows();
        create(plugin, "evil.test/both:1").refuses("evil.test/both:1 is refused");
        // What is not there the engine says, and then docker pulls it.
        create(plugin, "evil.test/absent:1").allows();
    })
    .await;
    let reads = |line: &String| line.starts_with("GET /") || line.ends_with("/_ping");
    assert!(asked.iter().all(reads), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn local_images_run_where_the_policy_lets_them() {
    with_engine(&with_local(), &images(), |plugin| {
        create(plugin, "333").allows();
        create(plugin, "free.test/mine:1").allows();
        create(plugin, "free.test/shadow:1").refuses("evil.test/app");
        create(plugin, "mine").refuses("is refused");
        plugin.asked("POST", "/images/load", None).allows();
        plugin.asked("POST", "/build?t=free.test/x", None).allows();
        plugin.asked("POST", "/session", None).allows();
        plugin.asked("POST", "/swarm/join", Some("{}")).allows();
        let body = Some("{\"Cmd\":[\"sh\"]}");
        plugin.asked("POST", "/containers/create", body).allows();
    })
    .await;
}

/// Bypass 15: an image mounted into a container.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mounted_images_are_images() {
    let mounted_in = |image: &str, source: &str| {
        let mounts = json!([{"Type": "image", "Source": source, "Target": "/x"}]);
        json!({"Image": image, "HostConfig": {"Mounts": mounts}}).to_string()
    };
    let mounted = move |source: &str| mounted_in("free.test/app:1", source);
    with_engine(&with_local(), &images(), move |plugin| {
        // A container of no image is local; what is mounted into it is not.
        for (source, allowed) in [("free.test/app:1", true), ("evil.test/app:1", false)] {
            let body = mounted_in("", source);
            let verdict = plugin.asked("POST", "/containers/create", Some(&body));
            assert_eq!(verdict.allowed, allowed, "{source}: {verdict:?}");
        }
    })
    .await;
    with_engine(POLICY, &images(), move |plugin| {
        let create = |source| {
            let body = mounted(source);
            plugin.asked("POST", "/containers/create", Some(&body))
        };
        create("free.test/app:1").allows();
        create("evil.test/app:1").refuses("evil.test/app:1 is refused");
        create("free.test/mine:1").refuses("no registry vouches for it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_starts_if_its_image_may_run_now() {
    let container = |id: &str, name: &str, mounts: Value| {
        json!({
            "Id": "c",
            "Image": id,
            "Config": {"Image": name},
            "HostConfig": {"Mounts": mounts},
        })
    };
    let mount = |name: &str| json!([{"Type": "image", "Source": name, "Target": "/x"}]);
    let id = |letter: &str| format!("sha256:{}", letter.repeat(64));
    let path = |letter: &str| format!("/images/{}/json", id(letter));
    let known = images();
    let by_id = ["1", "2", "3"].map(|letter| {
        let wanted = id(letter);
        let found = known
            .iter()
            .find(|(_, image)| image["Id"] == wanted.as_str());
        (path(letter), found.unwrap().1.clone())
    });
    let mut answers = known.clone();
    answers.extend(
        by_id
            .iter()
            .map(|(path, image)| (path.as_str(), image.clone())),
    );
    answers.extend([
        (
            "/containers/good/json",
            container(&id("1"), "free.test/app:1", json!(null)),
        ),
        (
            "/containers/old/json",
            container(&id("1"), "evil.test/app:1", json!([])),
        ),
        (
            "/containers/bad/json",
            container(&id("2"), "free.test/app:1", json!([])),
        ),
        (
            "/containers/mine/json",
            container(&id("3"), "free.test/app:1", json!([])),
        ),
        (
            "/containers/gone/json",
            container(&id("9"), "free.test/app:1", json!([])),
        ),
        ("/containers/empty/json", container("", "", json!([]))),
        (
            "/containers/mount/json",
            container(&id("1"), "x", mount("evil.test/app:1")),
        ),
        // Between the question and the answer somebody gives the name to another.
        (
            "/containers/renamed/json",
            container(&id("1"), "free.test/app:1", json!([])),
        ),
        (
            "/containers/renamed/json",
            container(&id("2"), "free.test/app:1", json!([])),
        ),
    ]);
    with_engine(POLICY, &answers, |plugin| {
        let start = |name: &str| plugin.asked("POST", &format!("/containers/{name}/start"), None);
        start("good").allows();
        // What it is counts, not what it was asked for as.
        start("old").allows();
        start("bad").refuses("evil.test/app@sha256:bbbb");
        start("mine").refuses("no registry vouches for it");
        start("gone").refuses("does not have any more");
        start("empty").refuses("no registry vouches for it");
        start("mount").refuses("evil.test/app:1 is refused");
        start("renamed").refuses("it is another container by now");
        start("absent").allows();
        plugin
            .asked("POST", "/containers/good/restart", None)
            .allows();
        plugin
            .asked("POST", "/containers/bad/restart", None)
            .refuses("evil.test");
        plugin
            .asked("POST", "/containers/good/start?checkpoint=x", None)
            .refuses("the memory of a checkpoint");
    })
    .await;
}

/// Engines that keep images in containerd's store take every tag for where an image came from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_passes_is_given_only_to_what_passes() {
    let tag = |plugin: &Plugin, source: &str| {
        let uri = format!("/images/{source}/tag?repo=free.test/new&tag=1");
        plugin.asked("POST", &uri, None)
    };
    with_engine(POLICY, &images(), move |plugin| {
        tag(plugin, "free.test/app:1").allows();
        tag(plugin, "11111111").allows();
        tag(plugin, "444").allows();
        tag(plugin, "evil.test/app:1").refuses("evil.test/app@sha256:bbbb");
        tag(plugin, "free.test/shadow:1").refuses("evil.test/app@sha256:bbbb");
        tag(plugin, "mine").refuses("no registry vouches for it");
        tag(plugin, "evil.test/absent:1").allows();
    })
    .await;
    with_engine(&with_local(), &images(), move |plugin| {
        tag(plugin, "mine").allows();
        tag(plugin, "evil.test/app:1").allows();
    })
    .await;
}
