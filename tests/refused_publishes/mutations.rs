//! Any byte changed in any file: refused, and nothing has changed.

use super::host::{Files, Host};
use super::without_root;
use crate::world::Publisher;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;
use trust::tuf::digest::FileMeta;

#[test]
fn a_changed_file_is_refused() {
    let runtime = Runtime::new().unwrap();
    let host = runtime.block_on(Host::start());
    let mut publisher = runtime.block_on(host.honest());
    let before = runtime.block_on(host.state());
    publisher.advance();
    let honest = without_root(&mut publisher);
    let mut runner = TestRunner::new(Config {
        cases: cases(),
        failure_persistence: None,
        ..Config::default()
    });
    let inputs = (0..honest.len(), any::<usize>(), 1_u8..=255, any::<bool>());
    runner
        .run(&inputs, |(file, at, bits, snapshot_fits)| {
            let files = changed(&publisher, &honest, (file, at, bits), snapshot_fits);
            let Some(files) = files else { return Ok(()) };
            let answer = runtime.block_on(host.publish(&files));
            prop_assert_ne!(answer, "200");
            prop_assert!(runtime.block_on(host.state()) == before);
            Ok(())
        })
        .unwrap();
}

/// The files with one byte changed; perhaps the snapshot is of the changed file.
fn changed(
    publisher: &Publisher,
    honest: &Files,
    (file, at, bits): (usize, usize, u8),
    snapshot_fits: bool,
) -> Option<Files> {
    let mut files = honest.clone();
    let (role, bytes) = &mut files[file];
    // Nobody looks at a timestamp.
    if role == "timestamp" {
        return None;
    }
    let at = at % bytes.len();
    bytes[at] ^= bits;
    if snapshot_fits && role != "snapshot" {
        let mut snapshot = publisher.snapshot.clone();
        snapshot.meta.insert(role.clone(), FileMeta::of(bytes));
        let file = publisher.file("snapshot", &snapshot);
        let of_snapshot = files.iter_mut().find(|(role, _)| role == "snapshot");
        of_snapshot.unwrap().1 = file;
    }
    Some(files)
}

/// `TRUST_SOAK_CASES`, or a number that suits every day.
fn cases() -> u32 {
    let asked = std::env::var("TRUST_SOAK_CASES").ok();
    asked.map_or(120, |number| number.parse().unwrap())
}
