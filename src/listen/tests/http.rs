//! What comes before a service, and what does not reach it.

use super::*;

#[tokio::test]
async fn requests_are_answered_one_after_the_other() {
    let server = start(None, Limits::default(), echo).await;
    let mut client = server.connect().await;
    for path in ["/one", "/two"] {
        send(
            &mut client,
            &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"),
        )
        .await;
        let answer = response(&mut client).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with(path),
            "{answer}"
        );
    }
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_service_knows_its_peer() {
    let service = async |_, peer: Arc<Peer>| answer(200, peer.address.to_string());
    let server = start(None, Limits::default(), service).await;
    let mut client = server.connect().await;
    send(&mut client, "GET / HTTP/1.0\r\n\r\n").await;
    let address = client.local_addr().unwrap().to_string();
    assert!(rest(&mut client).await.ends_with(&address));
}

#[tokio::test]
async fn heads_over_the_limits_are_answered_with_the_limit() {
    let limits = Limits {
        header_bytes: 1000,
        headers: 10,
        ..Limits::default()
    };
    let server = start(None, limits, echo).await;
    let large = "x".repeat(990);
    let many = "a: b\r\n".repeat(11);
    let huge = "x".repeat(100_000);
    let table = [
        (format!("/ HTTP/1.1\r\nlarge: {large}"), "more than 1000"),
        (format!("/{large}{large} HTTP/1.1\r\na: b"), ""),
        (format!("/{large} HTTP/1.1\r\na: {large}"), ""),
        (
            format!("/ HTTP/1.1\r\n{many}c: d"),
            "13 headers, more than 10",
        ),
        (format!("/ HTTP/1.1\r\na: {huge}"), ""),
        (
            format!("/{} HTTP/1.1\r\na: b", "x".repeat(999)),
            "more than 1000",
        ),
    ];
    for (head, words) in table {
        let mut client = server.connect().await;
        send(
            &mut client,
            &format!("GET {head}\r\nconnection: close\r\n\r\n"),
        )
        .await;
        let answer = rest(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
        assert!(answer.contains(words), "{answer}");
        if !words.is_empty() {
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            let error: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(error["errors"][0]["code"], "HEADERS_TOO_LARGE");
        }
    }
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_a_place() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let server = start(None, limits, echo).await;
    let mut first = server.connect().await;
    send(&mut first, "GET /first HTTP/1.1\r\nhost: x\r\n\r\n").await;
    response(&mut first).await;
    let mut second = server.connect().await;
    send(&mut second, "GET /second HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = response(&mut second);
    tokio::pin!(answer);
    let early = timeout(Duration::from_millis(100), &mut answer).await;
    assert!(early.is_err(), "{early:?}");
    drop(first);
    assert!(answer.await.ends_with("/second"));
}

async fn take(request: Request<Incoming>, _: Arc<Peer>) -> Response<Full<Bytes>> {
    match read_body(request.into_body(), 1000, Duration::from_millis(150)).await {
        Ok(bytes) => answer(200, format!("{} bytes", bytes.len())),
        Err(error @ BodyError::TooLarge { .. }) => answer(413, error.to_string()),
        Err(error @ BodyError::TooSlow { .. }) => answer(408, error.to_string()),
        Err(error @ BodyError::Broken { .. }) => answer(400, error.to_string()),
    }
}

#[tokio::test]
async fn bodies_are_read_up_to_the_limit() {
    let server = start(None, Limits::default(), take).await;
    let chunks = |count| format!("64\r\n{}\r\n", "x".repeat(100)).repeat(count) + "0\r\n\r\n";
    let length = |bytes: usize| format!("content-length: {bytes}\r\n\r\n{}", "x".repeat(bytes));
    let chunked = |count| format!("transfer-encoding: chunked\r\n\r\n{}", chunks(count));
    let table = [
        (length(0), "200", "0 bytes"),
        (length(1000), "200", "1000 bytes"),
        (length(1001), "413", "larger than 1000 bytes"),
        (chunked(10), "200", "1000 bytes"),
        (chunked(11), "413", "larger than 1000 bytes"),
        (
            "transfer-encoding: chunked\r\n\r\nfoo\r\n".into(),
            "400",
            "broke off",
        ),
        (
            "content-length: 10\r\n\r\nshort".into(),
            "408",
            "longer than 0.15 s",
        ),
    ];
    for (body, status, words) in table {
        let mut client = server.connect().await;
        send(
            &mut client,
            &format!("POST / HTTP/1.1\r\nhost: x\r\n{body}"),
        )
        .await;
        let answer = response(&mut client).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(words), "{answer}");
    }
}

#[tokio::test]
async fn whoever_sends_too_much_still_reads_why() {
    let server = start(None, Limits::default(), take).await;
    let mut client = server.connect().await;
    send(
        &mut client,
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n",
    )
    .await;
    let sent = client.write_all(&vec![b'x'; 3_000_000]).await;
    let answer = rest(&mut client).await;
    assert!(
        answer.starts_with("HTTP/1.1 413"),
        "{answer} after {sent:?}"
    );
}

#[tokio::test]
async fn without_an_address_it_is_all_of_them() {
    let listener = bind(":0").await.unwrap();
    let address = listener.local_addr().unwrap();
    assert!(address.ip().is_unspecified());
    let again = bind(&format!(":{}", address.port())).await.unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
    TcpStream::connect(("127.0.0.1", address.port()))
        .await
        .unwrap();
    assert!(bind("127.0.0.1:0").await.is_ok() && bind("nowhere").await.is_err());
}
