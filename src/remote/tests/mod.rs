//! The client against small real servers on loopback, honest and otherwise.

mod auth;
mod tls;

use super::{Actions, MetadataFile, Notary, RemoteError, TlsFault};
use crate::{
    config::Credentials,
    tls::{TlsFiles, http_client, http_client_with},
};
use axum::{
    Router,
    body::Body,
    extract::{Multipart, RawForm, RawQuery, State},
    http::{HeaderMap, Response, StatusCode},
    routing::{any, get, post},
};
use reqwest::Url;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use zeroize::Zeroizing;

type Expected = fn(&RemoteError) -> bool;
type Log = Arc<Mutex<Vec<String>>>;

const GUN: &str = "host:5000/team/app";
const TIMESTAMP: MetadataFile<'static> = MetadataFile::Current("timestamp");
const LIMIT: u64 = 1024;

async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn notary(base: &Url, credentials: Credentials) -> Notary {
    let http = http_client(&TlsFiles::default(), "127.0.0.1").unwrap();
    Notary::new(http, base, GUN, Actions::PullPush, credentials)
}

fn basic() -> Credentials {
    Credentials::Basic {
        username: "me".to_owned(),
        password: Zeroizing::new("pw".to_owned()),
    }
}

fn answer(status: u16, headers: &[(&str, String)], body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(body.into()).unwrap()
}

/// Answers every path with the same thing, and counts.
async fn same(status: u16, body: &'static str) -> (Url, Log) {
    let log = Log::default();
    let handler = move |State(log): State<Log>, request: axum::extract::Request| async move {
        log.lock()
            .unwrap()
            .push(format!("{} {}", request.method(), request.uri()));
        answer(status, &[], body)
    };
    let router = Router::new()
        .route("/v2/", get(|| async { "{}" }))
        .fallback(any(handler))
        .with_state(Arc::clone(&log));
    (serve(router).await, log)
}

#[tokio::test]
async fn files_have_the_names_notary_gives_them() {
    let (url, log) = same(200, "x").await;
    let notary = notary(&url, Credentials::Anonymous);
    for file in [
        TIMESTAMP,
        MetadataFile::Hash("targets/a", "ab12"),
        MetadataFile::Version(3, "root"),
    ] {
        notary.metadata(file, LIMIT).await.unwrap();
    }
    notary.key("snapshot").await.unwrap();
    let base = format!("GET /v2/{GUN}/_trust/tuf");
    let expected = [
        "timestamp.json",
        "targets/a.ab12.json",
        "3.root.json",
        "snapshot.key",
    ];
    assert_eq!(
        *log.lock().unwrap(),
        expected.map(|name| format!("{base}/{name}"))
    );
    let outside = notary
        .metadata(MetadataFile::Current("../../x/.."), LIMIT)
        .await
        .unwrap_err();
    assert!(matches!(outside, RemoteError::NotFound { .. }));
}

#[tokio::test]
async fn a_publish_is_one_form_of_files_named_by_role() {
    let log = Log::default();
    let take = |State(log): State<Log>, mut form: Multipart| async move {
        while let Some(field) = form.next_field().await.unwrap() {
            let head = format!(
                "{} {} {}",
                field.name().unwrap(),
                field.file_name().unwrap(),
                field.content_type().unwrap_or("")
            );
            let line = format!("{head} {}", field.text().await.unwrap());
            log.lock().unwrap().push(line);
        }
    };
    let router = Router::new()
        .route("/v2/", get(|| async { "{}" }))
        .route(&format!("/v2/{GUN}/_trust/tuf/"), post(take))
        .with_state(Arc::clone(&log));
    let url = serve(router).await;
    let files = vec![
        ("root".to_owned(), b"r".to_vec().into()),
        ("targets/releases".to_owned(), b"t".to_vec().into()),
    ];
    notary(&url, Credentials::Anonymous)
        .publish(files)
        .await
        .unwrap();
    let log = log.lock().unwrap();
    assert!(
        log[0].starts_with("files root ") && log[0].ends_with(" r"),
        "{log:?}"
    );
    assert!(
        log[1].starts_with("files targets/releases ") && log[1].ends_with(" t"),
        "{log:?}"
    );
}

#[tokio::test]
async fn answers_are_told_apart() {
    let table: [(u16, &str, Expected); 7] = [
        (404, "", |e| matches!(e, RemoteError::NotFound { .. })),
        (401, "", |e| {
            matches!(e, RemoteError::Unauthorized { status: 401, .. })
        }),
        (403, "", |e| {
            matches!(e, RemoteError::Unauthorized { status: 403, .. })
        }),
        (500, "<html>", |e| {
            matches!(
                e,
                RemoteError::Unreachable {
                    status: Some(500),
                    ..
                }
            )
        }),
        (301, "", |e| matches!(e, RemoteError::BadResponse { .. })),
        (206, "", |e| matches!(e, RemoteError::BadResponse { .. })),
        (
            400,
            r#"{"errors":[{"code":"VERSION","message":"m"}]}"#,
            |e| matches!(e, RemoteError::Conflict { .. }),
        ),
    ];
    for (status, body, expected) in table {
        let (url, _) = same(status, body).await;
        let error = notary(&url, Credentials::Anonymous)
            .metadata(TIMESTAMP, LIMIT)
            .await
            .unwrap_err();
        assert!(expected(&error), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn reads_are_tried_three_times_and_publishes_once() {
    let (url, log) = same(503, "").await;
    let notary = notary(&url, Credentials::Anonymous);
    assert!(notary.metadata(TIMESTAMP, LIMIT).await.is_err());
    assert_eq!(log.lock().unwrap().len(), 3);
    assert!(notary.publish(vec![]).await.is_err());
    assert_eq!(log.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_dead_server_is_given_up_within_a_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let began = Instant::now();
    let error = notary(&url, Credentials::Anonymous)
        .metadata(TIMESTAMP, LIMIT)
        .await
        .unwrap_err();
    assert!(
        matches!(error, RemoteError::Unreachable { status: None, .. }),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// Answers the ping, then sends `head` and the chunk for ever.
async fn raw(head: &'static str, chunk: &'static [u8], pause: Duration) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    tokio::spawn(async move {
        let ping = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        for first in [true, false] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
            stream
                .write_all(if first { ping } else { head }.as_bytes())
                .await
                .unwrap();
            while !first && stream.write_all(chunk).await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        }
    });
    url
}

#[tokio::test]
async fn oversized_bodies_are_refused_before_and_while_reading() {
    let announced = raw(
        "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n",
        b"",
        Duration::from_secs(9),
    );
    let endless = raw("HTTP/1.1 200 OK\r\n\r\n", &[b'a'; 4096], Duration::ZERO);
    for url in [announced.await, endless.await] {
        let error = notary(&url, Credentials::Anonymous)
            .metadata(TIMESTAMP, LIMIT)
            .await
            .unwrap_err();
        assert!(
            matches!(error, RemoteError::TooLarge { limit: LIMIT, .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_silent_body_is_given_up() {
    let url = raw(
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        b"a",
        Duration::from_secs(9),
    )
    .await;
    let http = http_client_with(
        &TlsFiles::default(),
        "127.0.0.1",
        Duration::from_millis(200),
    )
    .unwrap();
    let notary = Notary::new(http, &url, GUN, Actions::Pull, Credentials::Anonymous);
    let error = notary.metadata(TIMESTAMP, LIMIT).await.unwrap_err();
    assert!(
        error.to_string().ends_with("no answer in time"),
        "{error:?}"
    );
}
