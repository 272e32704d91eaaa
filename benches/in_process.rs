//! What verifying a cached repository costs beside the work that cannot be left out.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, and its result is what it prints"
)]

mod signed;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use ring::digest::{SHA256, SHA512, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use signed::{GUN, Signed, now};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use trust::tuf::floor::Floor;
use trust::tuf::trusted::{Current, Rooted};

const TAGS: usize = 10_000;

fn main() {
    let repository = Signed::with_tags(TAGS);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
    let mut criterion = Criterion::default()
        .output_directory(&folder)
        .configure_from_args();
    let name = format!("repository of {TAGS} tags");
    let mut group = criterion.benchmark_group(&name);
    measure(&mut group, &repository);
    group.finish();
    print_ratio(&folder.join(name));
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, repository: &Signed) {
    group.bench_function("signatures", |b| b.iter(|| check_signatures(repository)));
    group.bench_function("hashes", |b| b.iter(|| hash(repository)));
    group.bench_function("json", |b| b.iter(|| parse(repository)));
    group.bench_function(BARE, |b| {
        b.iter(|| {
            check_signatures(repository);
            (hash(repository), parse(repository))
        });
    });
    group.bench_function(VERIFY, |b| {
        b.iter(|| {
            let current = verify(repository);
            assert!(digest_of(&current, "v1.5000").is_some());
            current
        });
    });
}

/// Every signature over the canonical message it covers.
fn check_signatures(repository: &Signed) {
    for signature in &repository.signatures {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &signature.point)
            .verify(&signature.message, &signature.bytes)
            .expect("a valid signature");
    }
}

/// Both hashes of every file that another one names.
fn hash(repository: &Signed) -> usize {
    let hashed = |file: &Vec<u8>| {
        black_box(digest(&SHA256, file));
        black_box(digest(&SHA512, file));
    };
    repository.named().into_iter().map(hashed).count()
}

/// Every file as a JSON value.
fn parse(repository: &Signed) -> Vec<serde_json::Value> {
    let value = |file: &Vec<u8>| serde_json::from_slice(file).expect("JSON");
    repository.files().into_iter().map(value).collect()
}

/// The same files through every check, to the state that a decision rests on.
fn verify(repository: &Signed) -> Current {
    let floor = Floor::default();
    let set = Rooted::kept(GUN, &repository.root)
        .and_then(|rooted| rooted.timestamp(&repository.timestamp, &floor, now()))
        .and_then(|timestamped| timestamped.snapshot(&repository.snapshot, &floor, now()));
    let mut walk = set
        .and_then(|set| set.walk(floor, now()))
        .expect("a consistent set");
    for file in [&repository.targets, &repository.releases] {
        walk.accept(file).expect("a believable file");
    }
    walk.finish().expect("every file")
}

fn digest_of(current: &Current, tag: &str) -> Option<String> {
    current
        .walk()
        .iter()
        .find_map(|role| role.meta(tag)?.sha256_hex())
}

/// The medians that were just measured, against each other.
fn print_ratio(measured: &Path) {
    let median = |name: &str| {
        let file = fs::read(measured.join(name).join("new/estimates.json")).ok()?;
        let estimates: serde_json::Value = serde_json::from_slice(&file).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    };
    if let (Some(bare), Some(verify)) = (median(BARE), median(VERIFY)) {
        let (ratio, bare, verify) = (verify / bare, bare / 1e6, verify / 1e6);
        println!("{VERIFY}: {verify:.2} ms, {BARE}: {bare:.2} ms, ratio {ratio:.2} (at most 2)");
    }
}

const BARE: &str = "bare signatures, hashes and json";
const VERIFY: &str = "verify and look up a tag";
