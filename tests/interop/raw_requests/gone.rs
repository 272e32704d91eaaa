//! A publisher that goes away before it is answered has published all or nothing.

use std::{thread::sleep, time::Duration};

use super::{
    repository::Repository,
    request::{Request, Wire},
};
use crate::peers::{
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(all_or_nothing_is_published);

fn all_or_nothing_is_published(server: Kind) {
    let lab = Lab::start(server);
    let wire = Wire::to(&lab.server.host, &lab.ca());
    let mut seen = [0, 0];
    for round in 0..40 {
        let mut repository = Repository::new(&format!("gone/r{round}"), false, Some(&wire));
        let path = format!("/v2/{}/_trust/tuf/", repository.name);
        let (kind, body) = repository.upload(&["root", "targets", "targets/releases"]);
        let publish = Request {
            method: "POST",
            path: &path,
            headers: vec![("Content-Type".to_owned(), kind)],
            body,
        };
        wire.send_and_leave(&publish, Duration::from_millis(round));
        // It may go on with what it has begun.
        sleep(Duration::from_millis(300));
        let root = wire.get(&format!("{path}root.json"));
        let there = root.starts_with(b"{\"signed\"");
        let again = wire.send(&publish).expect("an answer");
        assert_eq!(
            again.status,
            if there { 400 } else { 200 },
            "round {round}: {again:?}"
        );
        for file in ["timestamp", "snapshot", "targets", "targets/releases"] {
            let file = wire.get(&format!("{path}{file}.json"));
            assert!(file.starts_with(b"{\"signed\""), "round {round}");
        }
        seen[usize::from(there)] += 1;
    }
    assert!(seen[1] > 0, "nobody was quick enough: {seen:?}");
}
