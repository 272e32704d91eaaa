//! A decent end.

use super::*;
use tokio::sync::Notify;

#[tokio::test]
async fn stopping_finishes_what_is_in_flight() {
    let begun = Arc::new(Notify::new());
    let go_on = Arc::new(Notify::new());
    let service = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        move |_, _| {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            async move {
                begun.notify_one();
                go_on.notified().await;
                answer(200, "finished")
            }
        }
    };
    let server = start(None, Limits::default(), service).await;
    let address = server.address;
    let mut busy = server.connect().await;
    send(&mut busy, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    begun.notified().await;
    let mut idle = server.connect().await;

    let stopped = tokio::spawn(server.stop());
    // Idle connections end at once, and nobody listens any more.
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
    assert!(!stopped.is_finished());
    go_on.notify_one();
    let answer = rest(&mut busy).await;
    assert!(answer.ends_with("finished"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    stopped.await.unwrap();
}

#[tokio::test]
async fn what_does_not_end_is_cut_after_the_grace() {
    let begun = Arc::new(Notify::new());
    let service = {
        let begun = Arc::clone(&begun);
        move |_, _| {
            begun.notify_one();
            std::future::pending()
        }
    };
    let server = start(None, short(), service).await;
    let mut busy = server.connect().await;
    send(&mut busy, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    begun.notified().await;
    server.stop().await;
    assert_eq!(rest(&mut busy).await, "");
}

#[tokio::test]
async fn a_peer_that_is_neither_here_nor_gone_does_not_hold_up_the_stop() {
    let server = start(None, short(), echo).await;
    let mut half = server.connect().await;
    send(&mut half, "GET / HTTP/1.1\r\nhost:").await;
    server.stop().await;
}
