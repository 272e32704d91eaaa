//! What the engine hears, and when; the socket.

use super::{POLICY, engine::Engine, plugin::Place, with_local};
use rustix::process::Signal;
use std::{fs, os::unix::fs::PermissionsExt as _, os::unix::net::UnixListener, time::Duration};

#[test]
fn it_says_what_it_is_and_answers_in_dockers_form() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    let (status, body) = plugin.post("/Plugin.Activate", b"");
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"Implements":["authz"]}"#)
    );
    let read = br#"{"RequestMethod":"GET","RequestUri":"/v1.41/images/json"}"#;
    let (status, body) = plugin.post("/AuthZPlugin.AuthZReq", read);
    assert_eq!((status, body.as_str()), (200, r#"{"Allow":true}"#));
    let (status, body) = plugin.post("/AuthZPlugin.AuthZRes", read);
    assert_eq!((status, body.as_str()), (200, r#"{"Allow":true}"#));
    // The engine adds its own words: "authorization denied by plugin NAME: ".
    plugin
        .asked("POST", "/images/create?fromImage=app&tag=1", None)
        .refuses("docker.io/library/app:1 is refused by rule default");
    plugin
        .asked("POST", "/images/create?fromImage=free.test/app&tag=1", None)
        .allows();
    assert_eq!(plugin.post("/VolumeDriver.Create", b"{}").0, 404);
    assert_eq!(plugin.get("/healthz"), (200, "ok\n".to_owned()));
    let (_, numbers) = plugin.get("/metrics");
    let counted =
        r#"trust_gate_decisions_total{door="authz",verdict="refused",reason="no-rule"} 1"#;
    assert!(numbers.contains(counted), "{numbers}");
}

#[test]
fn refusals_of_any_kind_are_written_down() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    plugin
        .asked("POST", "/images/load", None)
        .refuses("[engine]");
    plugin.asked("POST", "/new", None).refuses("[malformed]");
    plugin
        .asked("POST", "/images/create?fromImage=app&tag=1", None)
        .refuses("[no-rule]");
    let decisions = place.decisions();
    let said: Vec<_> = decisions
        .iter()
        .map(|line| {
            let word = |name: &str| line[name].as_str().unwrap().to_owned();
            (word("asked"), word("verdict"), word("reason"))
        })
        .collect();
    let expected = [
        ("POST /images/load", "refused", "denied-by-rule"),
        ("POST /new", "refused", "malformed"),
        ("app:1", "refused", "no-rule"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned()))
        .collect();
    assert_eq!(said, expected);
    assert!(decisions.iter().all(|line| line["door"] == "authz"));
}

#[test]
fn the_socket_is_for_one_user_and_one_process() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    let mode = fs::metadata(place.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Somebody answers there.
    let second = place.start_in_vain();
    assert_eq!(second.status.code(), Some(3), "{second:?}");
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(words.contains("another process listens there"), "{words}");
    plugin.asked("GET", "/info", None).allows();
    // Killed: its socket is in the way, and nobody is there.
    drop(plugin);
    assert!(place.socket().exists());
    let plugin = place.start();
    plugin.asked("GET", "/info", None).allows();
    plugin.signal(Signal::TERM);
    assert_eq!(plugin.ended(), Some(0));
    assert!(!place.socket().exists());
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let place = Place::new(POLICY);
    fs::create_dir(place.file("plugins")).unwrap();
    fs::write(place.socket(), "mine").unwrap();
    let output = place.start_in_vain();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(fs::read_to_string(place.socket()).unwrap(), "mine");
}

#[test]
fn without_a_policy_there_is_no_plugin() {
    let place = Place::new(POLICY);
    fs::remove_file(place.file("policy.toml")).unwrap();
    assert_eq!(place.start_in_vain().status.code(), Some(2));
    place.enforce("[default]\nrequire = \"maybe\"\n");
    let output = place.start_in_vain();
    assert_eq!(output.status.code(), Some(2));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("line 2"), "{words}");
    assert!(!place.socket().exists());
}

#[test]
fn a_new_policy_holds_after_sighup_and_a_wrong_one_does_not() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    let load = || plugin.asked("POST", "/images/load", None);
    load().refuses("[engine]");
    let until = |allowed: bool| {
        for _ in 0..200 {
            if load().allowed == allowed {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no change");
    };
    place.enforce(&with_local());
    plugin.signal(Signal::HUP);
    until(true);
    place.enforce("nonsense");
    plugin.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(100));
    load().allows();
    place.enforce(POLICY);
    plugin.signal(Signal::HUP);
    until(false);
}

/// The engine waits for its plugins without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_within_a_second() {
    let place = Place::new(POLICY);
    let forever = Duration::from_hours(1);
    let _engine = Engine::start(&place.engine(), &[], forever);
    let plugin = place.start();
    tokio::task::spawn_blocking(move || {
        let body = Some(r#"{"Image":"free.test/app"}"#);
        let verdict = plugin.asked("POST", "/containers/create", body);
        verdict.refuses("POST /containers/create is refused: no answer within 950 ms");
        assert!(verdict.took < Duration::from_secs(1), "{verdict:?}");
        // Nor does an engine that does not finish its question keep the others waiting.
        let began = std::time::Instant::now();
        let half = "POST /AuthZPlugin.AuthZReq HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\
                    Content-Length: 100\r\n\r\n{";
        let (status, body) = plugin.raw(half.as_bytes());
        assert_eq!(status, 200);
        assert!(body.contains(r#""Allow":false"#), "{body}");
        assert!(began.elapsed() < Duration::from_secs(4));
        plugin.asked("GET", "/info", None).allows();
    })
    .await
    .unwrap();
}

/// An engine that is not there cannot say what an image is.
#[test]
fn without_an_engine_nothing_starts() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    plugin
        .asked("POST", "/containers/c/start", None)
        .refuses("Cannot connect to the Docker daemon");
    // Something listens there that is no engine.
    let listener = UnixListener::bind(place.engine()).unwrap();
    let _closing = std::thread::spawn(move || listener.incoming().take(20).for_each(drop));
    plugin
        .asked("POST", "/containers/c/start", None)
        .refuses("[unreachable]");
}
