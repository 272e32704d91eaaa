//! Being asked to end: what was begun is finished, and what waits does not hold anybody up.

use super::world::load::Story;
use super::world::place::{Place, Running};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_publish_in_flight_is_finished() {
    let place = Place::new();
    let mut server = place.start();
    let story = Story::begin(server.api(), GUN).await.unwrap();
    let mut upload = Slow::begin(&server, &story);
    server.terminate();
    assert_eq!(server.ended(Duration::from_millis(500)), None);
    assert!(TcpStream::connect(server.api().address()).is_err());

    assert!(upload.finish().starts_with("HTTP/1.1 200 "));
    let status = server.ended(Duration::from_secs(5)).expect("no end");
    assert!(status.success(), "{status}");
    let left = ["store.db-wal", "store.db-shm"].map(|name| place.folder().join(name).exists());
    assert_eq!(left, [false, false], "one file is left");
    let server = place.start();
    let roles = server.api().believed(GUN).await;
    assert!(
        roles.iter().all(|role| role.version == Some(1)),
        "{roles:?}"
    );
}

#[tokio::test]
async fn a_publish_that_never_ends_is_cut_off_after_the_grace() {
    let place = Place::new();
    place.configure("[limits]\ngrace = \"1s\"\n");
    let mut server = place.start();
    let story = Story::begin(server.api(), GUN).await.unwrap();
    let _upload = Slow::begin(&server, &story);
    let begun = Instant::now();
    server.terminate();
    let status = server.ended(Duration::from_secs(10)).expect("no end");
    assert!(status.success() && begun.elapsed() >= Duration::from_secs(1));
    let server = place.start();
    assert_eq!(server.api().state(GUN).await.unwrap(), None);
}

/// A publish that arrives piece by piece.
struct Slow {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Slow {
    /// All but the last bytes are sent.
    fn begin(server: &Running, story: &Story) -> Self {
        let mut body: Vec<u8> = Vec::new();
        for (role, file) in story.repo.next(["v1".to_owned()].into_iter()).upload(true) {
            let head = format!(
                "--cut\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{role}\"\r\n\r\n"
            );
            body.extend(head.as_bytes());
            body.extend(&file[..]);
            body.extend(b"\r\n");
        }
        body.extend(b"--cut--\r\n");
        let mut all = format!(
            "POST /v2/{GUN}/_trust/tuf/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        all.extend(body);
        let rest = all.split_off(all.len() - 20);
        let mut stream = TcpStream::connect(server.api().address()).unwrap();
        stream.write_all(&all).unwrap();
        // The server has seen it.
        std::thread::sleep(Duration::from_millis(300));
        Self { stream, rest }
    }

    /// Sends the rest; gives the answer.
    fn finish(&mut self) -> String {
        self.stream.write_all(&self.rest).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

const GUN: &str = "registry.test:5000/app";
