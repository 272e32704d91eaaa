//! Trust servers that are not what they should be.

use super::{Answer, Machine, Server};
use snapbox::data::Inline;
use snapbox::str;
use std::time::Duration;

const VERIFY: &str = "verify reg.example/app:1";

#[track_caller]
fn verify_at(server: &Server, expected: Inline) {
    Machine::new()
        .with_trust_server(server)
        .refuses([(VERIFY, expected)]);
}

/// A server that pings well and answers every other request with this.
fn answering(answer: Answer) -> Server {
    Server::https(move |path| match path {
        "/v2/" => Answer::ok(),
        _ => answer.clone(),
    })
}

/// A server that asks everybody who they are, in these words.
fn asking(challenge: &'static str) -> Server {
    Server::https(move |_| Answer::new(401, "{}").with("www-authenticate", challenge))
}

#[test]
fn unreachable() {
    let down = Server::down();
    Machine::new()
        .with_address(&down)
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: [SERVER]: Connection refused [unreachable]
exit 3

"#]]), ("inspect reg.example/app", str![[r#"
| []
trust: no signatures or cannot access reg.example/app: unable to reach trust server at this time: [SERVER]: Connection refused [unreachable]
exit 3

"#]])]);
    Machine::new()
        .with("HTTPS_PROXY", &format!("http://{}", down.host))
        .hiding("[PROXY]", &down.host)
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: reg.example: Connection refused [unreachable]
exit 3

"#]])]);
}

#[test]
fn silent() {
    let silent = Server::silent();
    // Ten seconds are given to the first answer.
    Machine::new()
        .with_address(&silent)
        .waiting(Duration::from_secs(20))
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: [SERVER]: no answer in time [unreachable]
exit 3

"#]])]);
}

#[test]
fn statuses() {
    verify_at(
        &answering(Answer::new(403, "")),
        str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: server returned 403 [unreachable]
exit 3

"#]],
    );
    verify_at(
        &answering(Answer::new(404, "")),
        str![[r#"
trust: verify reg.example/app:1: [SERVER] does not have trust data for reg.example/app [unsigned]
exit 1

"#]],
    );
    verify_at(
        &answering(Answer::new(500, "oops")),
        str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: [SERVER] returned 500 [unreachable]
exit 3

"#]],
    );
    verify_at(
        &answering(Answer::new(502, "<html>bad gateway</html>")),
        str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: [SERVER] returned 502 [unreachable]
exit 3

"#]],
    );
    verify_at(
        &answering(Answer::new(429, "")),
        str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: [SERVER] returned 429 [unreachable]
exit 3

"#]],
    );
    let elsewhere = Answer::new(302, "").with("location", "https://elsewhere.example/");
    verify_at(
        &answering(elsewhere),
        str![[r#"
trust: verify reg.example/app:1: trust server returned a bad response: 302, redirects are not followed (https://[SERVER]/v2/reg.example/app/_trust/tuf/root.json) [unreachable]
exit 3

"#]],
    );
    verify_at(
        &answering(Answer::new(204, "")),
        str![[r#"
trust: verify reg.example/app:1: trust server returned a bad response: unexpected status 204 (https://[SERVER]/v2/reg.example/app/_trust/tuf/root.json) [unreachable]
exit 3

"#]],
    );
    let told = r#"{"errors":[{"code":"DENIED","message":"not today\u001b[2J"}]}"#;
    verify_at(
        &answering(Answer::new(403, told)),
        str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: server returned 403: not today [2J [unreachable]
exit 3

"#]],
    );
}

#[test]
fn bodies() {
    verify_at(
        &answering(Answer::new(200, "<html>welcome</html>")),
        str![[r#"
trust: verify reg.example/app:1: root metadata are invalid: not acceptable JSON: expected value at line 1 column 1 [malformed]
hint: check that the server named is the trust server of this image
exit 1

"#]],
    );
    verify_at(
        &answering(Answer::new(200, "")),
        str![[r#"
trust: verify reg.example/app:1: root metadata are invalid: not acceptable JSON: EOF while parsing a value at line 1 column 0 [malformed]
hint: check that the server named is the trust server of this image
exit 1

"#]],
    );
    verify_at(
        &answering(Answer::new(200, "{}")),
        str![[r#"
trust: verify reg.example/app:1: root metadata are invalid: signed is missing [malformed]
hint: check that the server named is the trust server of this image
exit 1

"#]],
    );
    verify_at(
        &answering(Answer::new(200, vec![b' '; 5 << 20])),
        str![[r#"
trust: verify reg.example/app:1: trust server returned a bad response: https://[SERVER]/v2/reg.example/app/_trust/tuf/root.json is larger than 4194304 bytes [malformed]
exit 1

"#]],
    );
    verify_at(
        &answering(Answer::new(200, [0xff, 0x00, 0xfe])),
        str![[r#"
trust: verify reg.example/app:1: root metadata are invalid: not acceptable JSON: expected value at line 1 column 1 [malformed]
hint: check that the server named is the trust server of this image
exit 1

"#]],
    );
    verify_at(
        &answering(Answer::new(200, "[".repeat(100_000))),
        str![[r#"
trust: verify reg.example/app:1: root metadata are invalid: not acceptable JSON: nested too deeply at line 1 column 65 [malformed]
hint: check that the server named is the trust server of this image
exit 1

"#]],
    );
}

#[test]
fn who_is_asking() {
    let silent = Server::https(|_| Answer::new(401, "{}"));
    verify_at(
        &silent,
        str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: server returned 401 [unreachable]
hint: log in to the registry of this image with an account that may do this, as with `docker login`
exit 3

"#]],
    );
    verify_at(
        &asking(r#"Basic realm="x""#),
        str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: no basic auth credentials [unreachable]
hint: log in to the registry of this image with an account that may do this, as with `docker login`
exit 3

"#]],
    );
    verify_at(
        &asking("Negotiate"),
        str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: server returned 401 [unreachable]
hint: log in to the registry of this image with an account that may do this, as with `docker login`
exit 3

"#]],
    );
    verify_at(
        &asking("Bearer"),
        str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: server returned 401 [unreachable]
hint: log in to the registry of this image with an account that may do this, as with `docker login`
exit 3

"#]],
    );
    verify_at(
        &asking(r#"Bearer realm="not a url",service="x""#),
        str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: server returned 401 [unreachable]
hint: log in to the registry of this image with an account that may do this, as with `docker login`
exit 3

"#]],
    );
    let down = Server::down();
    let challenge = format!(r#"Bearer realm="https://{}/t",service="x""#, down.host);
    let server =
        Server::https(move |_| Answer::new(401, "{}").with("www-authenticate", &challenge));
    Machine::new()
        .with_trust_server(&server)
        .hiding("[TOKENS]", &down.host)
        .refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: [TOKENS]: Connection refused [unreachable]
exit 3

"#]])]);
}

#[test]
fn passwords_in_the_clear() {
    let server = asking(r#"Bearer realm="http://token.example/t",service="x""#);
    let machine = Machine::new().with_trust_server(&server);
    let config = r#"{"auths": {"reg.example": {"auth": "bWU6cHc="}}}"#;
    machine.file(".docker/config.json", config);
    machine.refuses([(VERIFY, str![[r#"
trust: verify reg.example/app:1: refusing to send credentials to http://token.example/t over plain http: anyone on the way could read them [unreachable]
exit 3

"#]])]);
}

#[test]
fn token_servers() {
    for (answer, expected) in [
        (
            Answer::new(200, "<html>log in</html>"),
            str![[r#"
trust: verify reg.example/app:1: trust server returned a bad response: the authorization server did not answer in JSON (http://[TOKENS]/t) [unreachable]
exit 3

"#]],
        ),
        (
            Answer::new(200, "{}"),
            str![[r#"
trust: verify reg.example/app:1: trust server returned a bad response: authorization server did not include a token in the response (http://[TOKENS]/t) [unreachable]
exit 3

"#]],
        ),
        (
            Answer::new(200, r#"{"token":"a\nb"}"#),
            str![[r#"
trust: verify reg.example/app:1: trust server returned a bad response: the token has characters no header can carry (http://[TOKENS]/t) [unreachable]
exit 3

"#]],
        ),
        (
            Answer::new(403, ""),
            str![[r#"
trust: verify reg.example/app:1: you are not authorized to perform this operation: [TOKENS] refused to give a token [unreachable]
hint: log in to the registry of this image with an account that may do this, as with `docker login`
exit 3

"#]],
        ),
        (
            Answer::new(500, ""),
            str![[r#"
trust: verify reg.example/app:1: unable to reach trust server at this time: [TOKENS] returned 500 [unreachable]
exit 3

"#]],
        ),
    ] {
        let tokens = Server::http(move |_| answer.clone());
        let challenge = format!(r#"Bearer realm="http://{}/t",service="x""#, tokens.host);
        let server =
            Server::https(move |_| Answer::new(401, "{}").with("www-authenticate", &challenge));
        Machine::new()
            .with_trust_server(&server)
            .hiding("[TOKENS]", &tokens.host)
            .refuses([(VERIFY, expected)]);
    }
}
