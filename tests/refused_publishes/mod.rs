//! What a reader would refuse, our trust server refuses to publish: with the right code, and
//! nothing has changed afterwards.

mod attacks;
mod bytes;
mod host;
mod limits;
mod mutations;
mod snapshots;
mod versions;

use crate::world::Publisher;
use host::{Files, Host};

/// Something to publish on top of an honest repository, and what the server has to say of it.
struct Refused {
    name: &'static str,
    files: fn(&mut Publisher) -> Files,
    expected: &'static str,
}

const ROOT: &str = "INVALID_UPDATE ErrBadRoot";
const TARGETS: &str = "INVALID_UPDATE ErrBadTargets";
const SNAPSHOT: &str = "INVALID_UPDATE ErrBadSnapshot";
const WHOLE: &str = "INVALID_UPDATE ErrValidation";
const HIERARCHY: &str = "INVALID_UPDATE ErrBadHierarchy";

async fn refused(cases: &[Refused]) {
    let host = Host::start().await;
    let mut wrong = Vec::new();
    for case in cases {
        let mut publisher = host.honest().await;
        let before = host.state().await;
        publisher.advance();
        let answer = host.publish(&(case.files)(&mut publisher)).await;
        if answer != case.expected {
            wrong.push(format!("{}: {answer}, not {}", case.name, case.expected));
        }
        assert!(
            host.state().await == before,
            "{} changed something",
            case.name
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All files but the root, of which this publisher has no new one.
fn without_root(publisher: &mut Publisher) -> Files {
    let mut files = publisher.files();
    files.retain(|(role, _)| role != "root");
    files
}

/// The files with that of `role` replaced.
fn with(mut files: Files, role: &str, file: Vec<u8>) -> Files {
    files.retain(|(name, _)| name != role);
    files.push((role.to_owned(), file));
    files
}

#[tokio::test]
async fn an_honest_publish_is_accepted() {
    let host = Host::start().await;
    let mut publisher = host.honest().await;
    let before = host.state().await;
    publisher.advance();
    assert_eq!(host.publish(&without_root(&mut publisher)).await, "200");
    publisher.advance();
    publisher.root.version += 1;
    assert_eq!(host.publish(&publisher.files()).await, "200");
    let after = host.state().await;
    for role in [
        "root",
        "targets",
        "targets/releases",
        "snapshot",
        "timestamp",
    ] {
        assert_ne!(before.file(role), after.file(role), "{role}");
    }
}
