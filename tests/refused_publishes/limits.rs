//! More than a server takes from anybody.

use super::host::Host;
use super::without_root;
use crate::world::{BOUNDARY, form};

#[tokio::test]
async fn bodies_that_are_too_large_or_in_too_many_parts() {
    let host = Host::start().await;
    let mut publisher = host.honest().await;
    let before = host.state().await;
    publisher.advance();
    let file = without_root(&mut publisher).remove(0).1;
    let many: Vec<String> = (0..5000).map(|n| format!("targets/n{n}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|it| (it.as_str(), &file[..])).collect();
    let huge = vec![b' '; 200 << 20];
    let endless_head = [
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"").into_bytes(),
        vec![b'a'; 1 << 20],
    ]
    .concat();
    let kind = form(&[]).0;
    for (name, body, expected) in [
        ("many parts", form(&many), "MALFORMED_UPLOAD"),
        ("huge", form(&[("targets", &huge)]), "MALFORMED_UPLOAD"),
        (
            "an endless head",
            (kind.clone(), endless_head),
            "MALFORMED_UPLOAD",
        ),
        ("nothing", (kind, Vec::new()), "MALFORMED_UPLOAD"),
    ] {
        assert_eq!(host.post(body).await, expected, "{name}");
        assert!(host.state().await == before, "{name} changed something");
    }
}
