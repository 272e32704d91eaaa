//! The engine's client against daemons that are absent or made up.

use super::*;

fn endpoint(host: &str) -> EngineEndpoint {
    EngineEndpoint {
        host: host.to_owned(),
        tls: None,
    }
}

#[tokio::test]
async fn credentials_arrive_readable_and_errors_in_the_stream_are_errors() {
    use axum::{Router, http::HeaderMap, routing::any};
    use base64::{Engine as _, prelude::BASE64_URL_SAFE};
    let answer = |headers: HeaderMap| async move {
        let sent = headers["x-registry-auth"].to_str().unwrap().to_owned();
        let json = BASE64_URL_SAFE
            .decode(sent)
            .map_or("unreadable".to_owned(), |json| {
                String::from_utf8(json).unwrap()
            });
        assert!(!headers.contains_key("content-type"), "there is no body");
        let secret = json.contains("\"??>>~~\"");
        format!(
            "{{\"status\":\"a\",\"id\":\"l\"}}\n{{\"errorDetail\":{{\"message\":\"saw secret: {secret}\"}}}}\n"
        )
    };
    let router = Router::new()
        .route("/_ping", any(|| async { "OK" }))
        .fallback(any(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let engine = Engine::connect(&endpoint(&host)).await.unwrap();
    let image = ImageReference::parse("host:5000/app:1").unwrap();
    for username in ["a", "aa", "aaa"] {
        let credentials = Credentials::Basic {
            username: username.to_owned(),
            password: zeroize::Zeroizing::new("??>>~~".to_owned()),
        };
        let mut lines = Vec::new();
        let pulled = engine
            .pull(&image, &Digest::of(b"x"), None, &credentials, &mut |line| {
                lines.push(line);
            })
            .await;
        assert_eq!(
            pulled.unwrap_err().to_string(),
            "Error response from daemon: saw secret: true"
        );
        assert_eq!(lines[0].layer.as_deref(), Some("l"));
    }
}

#[test]
fn the_daemons_last_line_names_what_was_pushed() {
    let digest = Digest::of(b"x");
    let pushed = read_pushed(&format!("1.0: digest: {digest} size: 528")).unwrap();
    assert_eq!((pushed.digest, pushed.size), (digest, 528));
    for other in [
        "",
        "Pushed",
        "1: digest: sha256:abc size: 5",
        "1: digest: x",
    ] {
        assert_eq!(read_pushed(other), None, "{other}");
    }
}

#[tokio::test]
async fn absent_daemons_get_dockers_words() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("tcp://{}", listener.local_addr().unwrap());
    drop(listener);
    for host in ["unix:///nonexistent/docker.sock", &closed] {
        let error = Engine::connect(&endpoint(host))
            .await
            .err()
            .unwrap()
            .to_string();
        let words =
            format!("Cannot connect to the Docker daemon at {host}. Is the docker daemon running?");
        assert_eq!(error, words);
    }
    let error = Engine::connect(&endpoint("ssh://host"))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, EngineError::UnsupportedHost { .. }));
}
