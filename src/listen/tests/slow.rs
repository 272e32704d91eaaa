//! Peers that are slow on purpose.

use super::*;

#[tokio::test]
async fn a_head_that_does_not_end_is_cut() {
    let server = start(None, short(), echo).await;
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    let mut half = server.connect().await;
    send(&mut half, "GET / HTTP/1.1\r\nhost:").await;
    assert_eq!(rest(&mut half).await, "");
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_help() {
    let limits = Limits {
        idle_timeout: Duration::from_hours(1),
        ..short()
    };
    let server = start(None, limits, echo).await;
    let mut client = server.connect().await;
    send(&mut client, "GET /first HTTP/1.1\r\nhost: x\r\n\r\n").await;
    response(&mut client).await;
    let (mut reading, mut writing) = client.split();
    let drip = async {
        while writing.write_all(b"G").await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let mut byte = [0];
    tokio::select! {
        read = reading.read(&mut byte) => assert!(matches!(read, Ok(0) | Err(_)), "{read:?}"),
        () = drip => {}
    }
}

#[tokio::test]
async fn a_silent_connection_is_cut_after_its_answer() {
    let limits = Limits {
        header_timeout: Duration::from_hours(1),
        ..short()
    };
    let server = start(None, limits, echo).await;
    let mut client = server.connect().await;
    send(&mut client, "GET /first HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(rest(&mut client).await.ends_with("/first"));
}

#[tokio::test]
async fn a_request_at_work_is_not_cut() {
    let service = async |_, _| {
        sleep(Duration::from_millis(500)).await;
        answer(200, "late")
    };
    let server = start(None, short(), service).await;
    let mut client = server.connect().await;
    send(&mut client, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(response(&mut client).await.ends_with("late"));
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_cut() {
    let service = async |_, _| answer(200, vec![0; 32 * 1024 * 1024]);
    let limits = Limits {
        connections: 1,
        ..short()
    };
    let server = start(None, limits, service).await;
    let mut lazy = server.connect().await;
    send(&mut lazy, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // There is one place: this is answered when the first one has lost it.
    let mut other = server.connect().await;
    send(&mut other, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(other.read(&mut [0]).await.unwrap(), 1);
    drop(lazy);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut() {
    let folder = folder();
    let (files, _) = certificate(folder.path(), "server");
    let server = start(Some(Tls::open(files).unwrap()), short(), echo).await;
    let mut silent = server.connect().await;
    assert_eq!(rest(&mut silent).await, "");
    let mut half = server.connect().await;
    half.write_all(&[22, 3, 1, 0, 200, 1]).await.unwrap();
    assert_eq!(rest(&mut half).await, "");
}
