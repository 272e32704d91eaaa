//! Each attack on readers that can be put into files, tried as a publish.

use super::host::Host;
use super::{ROOT, SNAPSHOT, TARGETS};
use crate::attacks::of_publishers;
use crate::world::Server;

#[tokio::test]
async fn each_attack_on_readers_is_refused_or_ignored() {
    let host = Host::start().await;
    let mut expected = EXPECTED.iter();
    let mut wrong = Vec::new();
    for (kind, attacks) in of_publishers() {
        for attack in attacks {
            let mut publisher = host.honest().await;
            let (old_root, before) = (publisher.root.clone(), host.state().await);
            publisher.advance();
            (attack.before)(&mut publisher);
            let served = Server::start().await;
            publisher.publish(&served);
            (attack.after)(&publisher, &served);
            let mut files = publisher.files();
            for (role, file) in &mut files {
                *file = served.file(&format!("{role}.json"));
            }
            let changed = publisher.root != old_root;
            files.retain(|(role, _)| role != "root" || changed);

            let answer = host.publish(&files).await;
            let row = expected.next().unwrap_or(&("", "", "no row"));
            let found = (kind, attack.name, answer.as_str());
            if *row != found {
                wrong.push(format!("{found:?},"));
            }
            let after = host.state().await;
            if answer != "200" {
                assert!(after == before, "{kind}: {} changed something", attack.name);
            }
            // Timestamps are the server's own.
            let sent = files.iter().find(|(role, _)| role == "timestamp");
            assert_ne!(sent.unwrap().1, after.file("timestamp"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(expected.count(), 0);
}

/// The attack, and what comes of it. `200`: only the timestamp is bad, and the server makes its
/// own; or the tag is where readers do not look for it, which is no harm and happens to honest
/// people who narrow somebody's paths.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("altered bytes", "timestamp", "200"),
    ("altered bytes", "snapshot", SNAPSHOT),
    ("altered bytes", "targets", TARGETS),
    ("altered bytes", "releases", TARGETS),
    ("altered bytes", "alice", TARGETS),
    ("altered bytes", "root", ROOT),
    ("circles and depths", "to itself", TARGETS),
    ("circles and depths", "back to targets", TARGETS),
    ("circles and depths", "to a neighbour", TARGETS),
    ("circles and depths", "to a base role", TARGETS),
    ("circles and depths", "twice", TARGETS),
    ("circles and depths", "over a level", TARGETS),
    ("circles and depths", "too deep", TARGETS),
    ("circles and depths", "too many", TARGETS),
    ("outside its paths", "releases may sign only v*", "200"),
    ("outside its paths", "releases may sign nothing", "200"),
    ("outside its paths", "only a signer signs it", "200"),
    ("strangers", "signed only by new keys", ROOT),
    ("strangers", "another repository in its place", ROOT),
    ("strangers", "the same version with other keys", "VERSION"),
    ("strangers", "a certificate for another repository", ROOT),
    ("strangers", "signed by the old keys only", ROOT),
    ("one key twice", "timestamp", ROOT),
    ("one key twice", "snapshot", SNAPSHOT),
    ("one key twice", "targets", TARGETS),
    ("one key twice", "releases", TARGETS),
    ("other keys", "timestamp", "200"),
    ("other keys", "snapshot", SNAPSHOT),
    ("other keys", "targets", TARGETS),
    ("other keys", "releases", TARGETS),
    ("other keys", "the key of another role", "200"),
    ("other keys", "nobody", "200"),
    ("revoked keys", "timestamp", ROOT),
    ("revoked keys", "snapshot", SNAPSHOT),
    ("revoked keys", "targets", TARGETS),
    ("revoked keys", "a signer", TARGETS),
    ("expired", "timestamp", "200"),
    ("expired", "snapshot", SNAPSHOT),
    ("expired", "targets", TARGETS),
    ("expired", "releases", TARGETS),
    ("expired", "root", ROOT),
    ("expired", "the moment itself", "200"),
    ("older", "timestamp", "200"),
    ("older", "snapshot", "VERSION"),
    ("older", "targets", "VERSION"),
    ("older", "releases", "VERSION"),
    ("older", "root", ROOT),
];
