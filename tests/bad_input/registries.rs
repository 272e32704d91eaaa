//! Registries that do not serve what is to be signed.

use super::{Answer, Machine, Server};
use snapbox::data::Inline;
use snapbox::str;

#[track_caller]
fn sign(registry: &Server, rest: &str, expected: Inline) {
    let trust_server = Server::down();
    Machine::new()
        .with_passphrases()
        .with_address(&trust_server)
        .hiding("[REGISTRY]", &registry.host)
        .refuses([(&format!("sign {}/app{rest}", registry.host), expected)]);
}

/// A registry that pings well and answers every other request with this.
fn serving(status: u16, body: impl Into<Vec<u8>>) -> Server {
    let body = body.into();
    Server::http(move |path| match path {
        "/v2/" => Answer::ok(),
        _ => Answer::new(status, body.clone()),
    })
}

#[test]
fn that_have_nothing() {
    sign(
        &Server::down(),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: unable to reach the registry: [REGISTRY]: Connection refused [unreachable]
exit 3

"#]],
    );
    sign(
        &serving(404, ""),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: manifest for [REGISTRY]/app:1 not found
hint: push the image first; no Docker engine that runs here has it either
exit 2

"#]],
    );
    sign(
        &serving(403, ""),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: registry [REGISTRY]: server returned 403 [unreachable]
hint: log in to [REGISTRY] first, as with `docker login`
exit 3

"#]],
    );
    sign(
        &serving(500, ""),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: unable to reach the registry: [REGISTRY] returned 500 [unreachable]
exit 3

"#]],
    );
    let denied =
        r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
    sign(
        &serving(401, denied),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: registry [REGISTRY]: server returned 401: requested access to the resource is denied [unreachable]
hint: log in to [REGISTRY] first, as with `docker login`
exit 3

"#]],
    );
    let moved = Server::http(|path| match path {
        "/v2/" => Answer::ok(),
        _ => Answer::new(307, "").with("location", "http://elsewhere.example/"),
    });
    sign(
        &moved,
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: registry [REGISTRY] returned a bad response: 307, redirects are not followed [unreachable]
exit 3

"#]],
    );
    let digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    sign(
        &serving(404, ""),
        &format!(":1{digest}"),
        str![[r#"
trust: sign [REGISTRY]/app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000: manifest for [REGISTRY]/app@sha256:0000000000000000000000000000000000000000000000000000000000000000 not found
exit 2

"#]],
    );
}

#[test]
fn that_serve_something_else() {
    let image = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let digest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    sign(
        &serving(200, "<html>welcome</html>"),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: the registry served no usable manifest: it is not a JSON object [malformed]
exit 1

"#]],
    );
    sign(
        &serving(200, ""),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: the registry served no usable manifest: it is not a JSON object [malformed]
exit 1

"#]],
    );
    sign(
        &serving(200, r#"{"schemaVersion":1,"name":"app"}"#),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: the registry served no usable manifest: only schema version 2 is supported [malformed]
exit 1

"#]],
    );
    sign(
        &serving(200, r#"{"schemaVersion":2}"#),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: the registry served no usable manifest: it is neither an image nor an index [malformed]
exit 1

"#]],
    );
    sign(
        &serving(200, vec![b' '; (4 << 20) + 1]),
        ":1",
        str![[r#"
trust: sign [REGISTRY]/app:1: the manifest of [REGISTRY]/app:1 is larger than 4194304 bytes [malformed]
exit 1

"#]],
    );
    sign(
        &serving(200, image),
        &format!(":1{digest}"),
        str![[r#"
trust: sign [REGISTRY]/app:1@sha256:0000000000000000000000000000000000000000000000000000000000000000: the registry served sha256:4108250765b19c4d5000be73d2bdd612bbb17a989972bcfd1adbf5085a9af46b when asked for sha256:0000000000000000000000000000000000000000000000000000000000000000 [digest-not-signed]
exit 1

"#]],
    );
}

#[test]
fn engines() {
    let lacking = serving(404, "");
    let name = format!("sign --local {}/app:1", lacking.host);
    let pull = format!("pull --disable-content-trust {}/app:1", lacking.host);
    let machine = Machine::new().hiding("[REGISTRY]", &lacking.host);
    machine.refuses([(&name, str![[r#"
trust: sign [REGISTRY]/app:1: Cannot connect to the Docker daemon at unix://[HOME]/nobody.sock. Is the docker daemon running?
exit 3

"#]]), (&pull, str![[r#"
trust: pull [REGISTRY]/app:1: manifest for [REGISTRY]/app:1 not found
exit 2

"#]])]);
    let machine = machine.with("DOCKER_HOST", "ssh://me@engine.example");
    machine.refuses([(&name, str![[r#"
trust: sign [REGISTRY]/app:1: cannot use Docker host ssh://me@engine.example: only unix://, tcp:// and npipe:// are supported
exit 2

"#]])]);
    let machine = machine.with("DOCKER_HOST", "nonsense");
    machine.refuses([(&name, str![[r#"
trust: sign [REGISTRY]/app:1: cannot use Docker host nonsense: only unix://, tcp:// and npipe:// are supported
exit 2

"#]])]);
    let html = Server::http(|_| Answer::new(200, "<html>"));
    let machine = machine
        .with("DOCKER_HOST", &format!("tcp://{}", html.host))
        .hiding("[ENGINE]", &html.host);
    machine.refuses([(&name, str![[r#"
Signing and pushing trust data for local image [REGISTRY]/app:1, may overwrite remote trust data
trust: sign [REGISTRY]/app:1: talking to the Docker daemon at tcp://[ENGINE]: expected value at line 1 column 1
exit 3

"#]])]);
}
