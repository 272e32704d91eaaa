//! Connections that are attended to by threads of their own.

use super::*;
use std::{collections::BTreeSet, num::NonZeroUsize, thread};

#[tokio::test]
async fn each_connection_stays_with_one_of_the_threads_and_the_stop_waits_for_it() {
    let service = async |_, _| answer(200, thread::current().name().unwrap().to_owned());
    let workers = Workers::start().unwrap();
    let server = start_by(Some(workers), None, Limits::default(), service).await;
    let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut seen = BTreeSet::new();
    let mut open = Vec::new();
    for _ in 0..2 * count {
        let mut stream = server.connect().await;
        let mut names = BTreeSet::new();
        for _ in 0..3 {
            send(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
            let said = response(&mut stream).await;
            names.insert(said.rsplit("\r\n").next().unwrap().to_owned());
        }
        assert_eq!(names.len(), 1, "{names:?}");
        seen.append(&mut names);
        open.push(stream);
    }
    let expected: BTreeSet<_> = (0..count)
        .map(|number| format!("connections-{number}"))
        .collect();
    assert_eq!(seen, expected);
    server.stop().await;
    for mut stream in open {
        assert_eq!(rest(&mut stream).await, "");
    }
}
