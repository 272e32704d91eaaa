//! Messages that no engine sends.

use super::{POLICY, plugin::Place};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

#[test]
fn what_is_no_message_is_refused_and_nothing_breaks() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    let deep = format!(
        "{{\"RequestMethod\":{}{}}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    for message in [
        "",
        "null",
        "[]",
        "{",
        "{}",
        "{\"RequestMethod\":5}",
        "{\"RequestMethod\":\"GET\",\"RequestMethod\":\"POST\"}",
        "{\"RequestMethod\":\"GET\",\"RequestUri\":\"/x\"} x",
        "{\"RequestMethod\":\"POST\",\"RequestUri\":\"/x\",\"RequestBody\":\"!\"}",
        "{\"RequestMethod\":\"POST\",\"RequestUri\":\"\\ud800\"}",
        &deep,
    ] {
        plugin.told(message.as_bytes()).refuses("[malformed]");
    }
    plugin
        .told(b"{\"RequestMethod\":\"\xff\"}")
        .refuses("[malformed]");
    let large = vec![b' '; 9 << 20];
    plugin.told(&large).refuses("larger than");
    plugin.asked("GET", "/info", None).allows();
}

#[test]
fn bodies_are_bounded_in_every_direction() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    let create = |body: &str| plugin.asked("POST", "/containers/create", Some(body));
    let deep = format!(
        "{{\"Image\":\"a\",\"x\":{}{}}}",
        "[".repeat(1000),
        "]".repeat(1000)
    );
    create(&deep).refuses("nested too deeply");
    let many = format!("{{\"Image\":\"a\",\"x\":[{}0]}}", "0,".repeat(1 << 20));
    create(&many).refuses("too many values");
    let wide = format!("{{\"Image\":\"{}\"}}", "a/".repeat(1 << 20));
    let verdict = create(&wide);
    verdict.refuses("[malformed]");
    assert!(verdict.words.len() < 4096, "{}", verdict.words.len());
    for name in [
        "a?x=/json",
        "a#b",
        "a%2fb",
        "../containers/x",
        "a//b",
        "a b",
        "a\nb",
        "ü",
        "..",
    ] {
        create(&json!({"Image": name}).to_string()).refuses("[malformed]");
    }
}

#[test]
fn words_are_one_printable_line() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    for uri in ["/a\nb", "/\u{1b}[31m", &format!("/{}", "x".repeat(100_000))] {
        let verdict = plugin.asked("POST", uri, None);
        verdict.refuses("[malformed]");
        assert!(!verdict.words.chars().any(char::is_control), "{verdict:?}");
        assert!(verdict.words.len() < 4096, "{}", verdict.words.len());
    }
    let uri = format!("/images/create?fromImage={}&tag=1", "%0a".repeat(1000));
    let verdict = plugin.asked("POST", &uri, None);
    verdict.refuses("[malformed]");
    assert!(verdict.words.len() < 4096, "{}", verdict.words.len());
}

/// The engine tells of headers by whatever case they came in.
#[test]
fn headers_count_in_any_case() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    let told = |headers: serde_json::Value| {
        let message = json!({
            "RequestMethod": "POST",
            "RequestUri": "/images/create?fromImage=free.test/app&tag=1",
            "RequestHeaders": headers,
        });
        plugin.told(message.to_string().as_bytes())
    };
    told(json!({})).allows();
    told(json!({"content-length": "0", "content-type": "text/plain"})).allows();
    told(json!({"content-type": "text/plain"})).refuses("cannot be seen");
    told(json!({"CONTENT-TYPE": "Multipart/Form-Data"})).refuses("a form in the body");
    told(json!({"Content-Type": "text/plain", "Content-Length": "00"})).refuses("cannot be seen");
}

#[test]
fn a_body_that_is_passed_on_is_read_to_its_end() {
    let place = Place::new(POLICY);
    let plugin = place.start();
    let body = format!(
        "{{\"Labels\":{{\"a\":\"{}\"}},\"Image\":\"app\"}}",
        "x".repeat(4 << 20)
    );
    let message = json!({
        "RequestMethod": "POST",
        "RequestUri": "/containers/create",
        "RequestHeaders": {"Content-Type": "application/json"},
        "RequestBody": BASE64_STANDARD.encode(body),
    });
    // There is no engine to ask about the image.
    plugin
        .told(message.to_string().as_bytes())
        .refuses("[unreachable]");
}
