//! The client against small real servers on loopback, honest and otherwise.

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
    let http = http_client(&TlsFiles::default()).unwrap();
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

/// A trust server and its token server; tokens are `t1`, `t2`, … and `t1` may be stale.
async fn guarded(stale_first: bool) -> (Url, Log) {
    let log = Log::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let challenge = format!(r#"Bearer realm="http://{address}/token",service="notary",scope="x""#);
    let check = move |headers: &HeaderMap| {
        let shown = headers
            .get("authorization")
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        let good = shown.starts_with("Bearer t") && !(stale_first && shown == "Bearer t1");
        good.then(|| answer(200, &[], "{}"))
            .unwrap_or_else(|| answer(401, &[("www-authenticate", challenge.clone())], "{}"))
    };
    let token = |log: Log, asked: String| {
        let mut log = log.lock().unwrap();
        log.push(asked);
        format!(
            r#"{{"token":"old","access_token":"t{}","expires_in":1}}"#,
            log.len()
        )
    };
    let by_get = move |State(log): State<Log>, RawQuery(query): RawQuery, headers: HeaderMap| async move {
        let shown = headers
            .get("authorization")
            .map_or("", |v| v.to_str().unwrap());
        token(log, format!("GET {} {shown}", query.unwrap_or_default()))
    };
    let by_post = move |State(log): State<Log>, RawForm(form): RawForm| async move {
        token(log, format!("POST {}", String::from_utf8_lossy(&form)))
    };
    let router = Router::new()
        .route("/token", get(by_get).post(by_post))
        .fallback(any(
            move |headers: HeaderMap| async move { check(&headers) },
        ))
        .with_state(Arc::clone(&log));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}").parse().unwrap(), log)
}

#[tokio::test]
async fn tokens_are_asked_for_with_our_own_scope_and_kept() {
    let scope = "scope=repository%3Ahost%3A5000%2Fteam%2Fapp%3Apull%2Cpush&service=notary";
    let token = Credentials::IdentityToken(Zeroizing::new("id".to_owned()));
    let table = [
        (Credentials::Anonymous, format!("GET {scope} ")),
        (basic(), format!("GET account=me&{scope} Basic bWU6cHc=")),
        (
            token,
            format!("POST client_id=docker&grant_type=refresh_token&refresh_token=id&{scope}"),
        ),
    ];
    for (credentials, expected) in table {
        let (url, log) = guarded(false).await;
        let notary = notary(&url, credentials);
        for _ in 0..2 {
            assert_eq!(notary.metadata(TIMESTAMP, LIMIT).await.unwrap(), b"{}");
        }
        assert_eq!(*log.lock().unwrap(), [expected]);
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (url, log) = guarded(true).await;
    notary(&url, basic())
        .publish(vec![("root".to_owned(), b"{}".to_vec())])
        .await
        .unwrap();
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn passwords_go_only_where_the_server_asks() {
    let check = |headers: HeaderMap| async move {
        match headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned())
        {
            Some(shown) if shown == "Basic bWU6cHc=" => answer(200, &[], "yes"),
            _ => answer(
                401,
                &[("www-authenticate", "Basic realm=\"x\"".to_owned())],
                "",
            ),
        }
    };
    let url = serve(Router::new().fallback(any(check))).await;
    assert_eq!(
        notary(&url, basic())
            .metadata(TIMESTAMP, LIMIT)
            .await
            .unwrap(),
        b"yes"
    );
    let error = notary(&url, Credentials::Anonymous)
        .metadata(TIMESTAMP, LIMIT)
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("no basic auth credentials"),
        "{error}"
    );
}

#[tokio::test]
async fn a_challenge_that_comes_late_is_answered() {
    let check = |headers: HeaderMap| async move {
        if headers.contains_key("authorization") {
            return answer(200, &[], "yes");
        }
        answer(
            401,
            &[("www-authenticate", "Basic realm=\"x\"".to_owned())],
            "",
        )
    };
    let router = Router::new()
        .route("/v2/", get(|| async { "{}" }))
        .fallback(any(check));
    let url = serve(router).await;
    assert_eq!(
        notary(&url, basic())
            .metadata(TIMESTAMP, LIMIT)
            .await
            .unwrap(),
        b"yes"
    );
}

#[tokio::test]
async fn passwords_never_leave_in_the_clear() {
    let challenge = || async {
        answer(
            401,
            &[(
                "www-authenticate",
                "Bearer realm=\"http://elsewhere.example/t\"".to_owned(),
            )],
            "",
        )
    };
    let url = serve(Router::new().fallback(any(challenge))).await;
    let error = notary(&url, basic())
        .metadata(TIMESTAMP, LIMIT)
        .await
        .unwrap_err();
    assert!(
        matches!(error, RemoteError::InsecureRealm { .. }),
        "{error}"
    );
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
        ("root".to_owned(), b"r".to_vec()),
        ("targets/releases".to_owned(), b"t".to_vec()),
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
    let table: [(u16, &str, fn(&RemoteError) -> bool); 7] = [
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
    let http = http_client_with(&TlsFiles::default(), Duration::from_millis(200)).unwrap();
    let notary = Notary::new(http, &url, GUN, Actions::Pull, Credentials::Anonymous);
    let error = notary.metadata(TIMESTAMP, LIMIT).await.unwrap_err();
    assert!(
        error.to_string().ends_with("no answer in time"),
        "{error:?}"
    );
}

struct Certified {
    address: SocketAddr,
    pem: String,
}

async fn serve_tls(name: &str) -> Certified {
    crate::tls::install_provider();
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let config = axum_server::tls_rustls::RustlsConfig::from_pem(pem.clone().into(), key.into())
        .await
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let server = axum_server::from_tcp_rustls(listener, config).unwrap();
    tokio::spawn(
        server.serve(
            Router::new()
                .fallback(any(|| async { (StatusCode::OK, "yes") }))
                .into_make_service(),
        ),
    );
    Certified { address, pem }
}

async fn over_tls(url: String, pem: Option<&str>) -> Result<Vec<u8>, RemoteError> {
    let mut files = TlsFiles::default();
    let folder = tempfile::tempdir().unwrap();
    if let Some(pem) = pem {
        let path = folder.path().join("ca.crt");
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), pem.as_bytes())
            .unwrap();
        files = TlsFiles::from_ca_file(&path).unwrap();
    }
    let http = http_client(&files).unwrap();
    Notary::new(
        http,
        &url.parse().unwrap(),
        GUN,
        Actions::Pull,
        Credentials::Anonymous,
    )
    .metadata(TIMESTAMP, LIMIT)
    .await
}

#[tokio::test]
async fn servers_are_believed_only_for_their_name_and_authority() {
    let good = serve_tls("localhost").await;
    let url = format!("https://localhost:{}", good.address.port());
    assert_eq!(
        over_tls(url.clone(), Some(&good.pem)).await.unwrap(),
        b"yes"
    );
    let fault = |result: Result<Vec<u8>, RemoteError>| match result.unwrap_err() {
        RemoteError::Tls { fault, .. } => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(over_tls(url, None).await), TlsFault::UnknownAuthority);
    let other = serve_tls("other.example").await;
    let wrong_name = format!("https://localhost:{}", other.address.port());
    assert_eq!(
        fault(over_tls(wrong_name, Some(&other.pem)).await),
        TlsFault::Name
    );
    let (plain, _) = same(200, "").await;
    let not_tls = plain.as_str().replace("http://", "https://");
    assert_eq!(fault(over_tls(not_tls, None).await), TlsFault::PlainHttp);
}
