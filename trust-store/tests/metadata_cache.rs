//! The metadata cache: whole changes, one writer, nothing outside its folder.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use trust_store::metadata::{Cache, CacheError, RepositoryCache};

const GUN: &str = "localhost:5000/team/app";

fn repository(home: &Path) -> RepositoryCache {
    Cache::at(home).repository(GUN).unwrap()
}

#[test]
fn an_unknown_repository_is_empty_and_leaves_no_trace() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(repository(home.path()).read("root", 100).unwrap(), None);
    assert_eq!(repository(home.path()).floor().unwrap(), None);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn files_lie_where_docker_looks_and_are_private() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    let lock = cache.lock().unwrap();
    cache
        .replace(
            &lock,
            &[("root", b"r"), ("targets/releases", b"t")],
            &[],
            None,
        )
        .unwrap();
    for name in ["root.json", "targets/releases.json"] {
        let path = home
            .path()
            .join("tuf/localhost:5000/team/app/metadata")
            .join(name);
        let modes = [path.as_path(), path.parent().unwrap()]
            .map(|path| fs::metadata(path).unwrap().permissions().mode() & 0o777);
        assert_eq!(modes, [0o600, 0o700]);
    }
    assert_eq!(cache.read("targets/releases", 1).unwrap().unwrap(), b"t");
}

#[test]
fn a_change_writes_removes_and_sets_the_floor() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    let lock = cache.lock().unwrap();
    cache
        .replace(
            &lock,
            &[("root", b"1"), ("targets/a", b"1")],
            &[],
            Some(b"f1"),
        )
        .unwrap();
    cache
        .replace(&lock, &[("root", b"2")], &["targets/a", "targets/b"], None)
        .unwrap();
    assert_eq!(cache.read("root", 9).unwrap().unwrap(), b"2");
    assert_eq!(cache.read("targets/a", 9).unwrap(), None);
    assert_eq!(cache.floor().unwrap().unwrap(), b"f1");
}

#[test]
fn a_refused_change_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    let lock = cache.lock().unwrap();
    let error = cache
        .replace(&lock, &[("root", b"1"), ("../x", b"1")], &[], None)
        .unwrap_err();
    assert!(matches!(error, CacheError::BadRole { .. }), "{error:?}");
    assert_eq!(cache.read("root", 9).unwrap(), None);
    let other = Cache::at(home.path()).repository("other").unwrap();
    let error = other
        .replace(&lock, &[("root", b"1")], &[], None)
        .unwrap_err();
    assert!(matches!(error, CacheError::ForeignLock { .. }), "{error:?}");
    assert_eq!(other.read("root", 9).unwrap(), None);
}

#[test]
fn a_file_above_its_limit_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    cache
        .replace(&cache.lock().unwrap(), &[("root", b"12345")], &[], None)
        .unwrap();
    assert_eq!(cache.read("root", 5).unwrap().unwrap(), b"12345");
    let error = cache.read("root", 4).unwrap_err();
    assert!(
        matches!(error, CacheError::TooLarge { limit: 4, .. }),
        "{error:?}"
    );
    let everything = cache.read("root", u64::MAX).unwrap().unwrap();
    assert_eq!(everything, b"12345");
}

#[test]
fn docker_may_replace_or_remove_files_meanwhile() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    let lock = cache.lock().unwrap();
    cache
        .replace(&lock, &[("root", b"1"), ("targets", b"1")], &[], None)
        .unwrap();
    let metadata = home.path().join("tuf").join(GUN).join("metadata");
    trust_store::write_atomic(&metadata.join("root.json"), b"docker's", 0o600).unwrap();
    assert_eq!(cache.read("root", 99).unwrap().unwrap(), b"docker's");
    fs::remove_dir_all(metadata).unwrap();
    assert_eq!(cache.read("root", 99).unwrap(), None);
    cache
        .replace(&lock, &[("targets/a", b"2")], &["targets"], None)
        .unwrap();
    assert_eq!(cache.read("targets/a", 99).unwrap().unwrap(), b"2");
}

#[test]
fn deleting_leaves_other_repositories_and_the_floor() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    let nested = Cache::at(home.path())
        .repository("localhost:5000/team/app/changelist")
        .unwrap();
    let changelist = home.path().join("tuf").join(GUN).join("changelist");
    nested
        .replace(&nested.lock().unwrap(), &[("root", b"n")], &[], None)
        .unwrap();
    let staged = changelist.join("00000000000000000001_a.change");
    trust_store::write_atomic(&staged, b"{}", 0o600).unwrap();
    let lock = cache.lock().unwrap();
    cache
        .replace(&lock, &[("root", b"1")], &[], Some(b"f"))
        .unwrap();
    for _again in 0..2 {
        cache.delete(&lock).unwrap();
        assert_eq!(cache.read("root", 9).unwrap(), None);
        assert_eq!(cache.floor().unwrap().unwrap(), b"f");
        assert_eq!(nested.read("root", 9).unwrap().unwrap(), b"n");
        assert!(!staged.exists());
    }
}

/// Adds one to the number in the file, slowly enough to be overtaken without a lock.
fn count(cache: &RepositoryCache) {
    let lock = cache.lock().unwrap();
    let before = cache
        .read("targets", 99)
        .unwrap()
        .unwrap_or_else(|| b"0".to_vec());
    thread::yield_now();
    let after: u32 = String::from_utf8(before).unwrap().parse::<u32>().unwrap() + 1;
    cache
        .replace(
            &lock,
            &[("targets", after.to_string().as_bytes())],
            &[],
            None,
        )
        .unwrap();
}

const ROUNDS: usize = 20;

#[test]
fn threads_lose_none_of_each_others_work() {
    let home = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for _worker in 0..3 {
            scope.spawn(|| (0..ROUNDS).for_each(|_| count(&repository(home.path()))));
        }
    });
    assert_eq!(
        repository(home.path())
            .read("targets", 99)
            .unwrap()
            .unwrap(),
        b"60"
    );
}

#[test]
fn processes_lose_none_of_each_others_work() {
    let home = tempfile::tempdir().unwrap();
    let workers = ["worker", "worker"].map(|name| spawn(name, home.path()));
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert_eq!(
        repository(home.path())
            .read("targets", 99)
            .unwrap()
            .unwrap(),
        b"40"
    );
}

/// Runs one test of this file in another process: one that does nothing unless it is told where.
fn spawn(test: &str, home: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(WORKER_HOME, home)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

const WORKER_HOME: &str = "TRUST_STORE_TEST_WORKER_HOME";

#[test]
fn worker() {
    let Some(home) = std::env::var_os(WORKER_HOME) else {
        return;
    };
    (0..ROUNDS).for_each(|_| count(&repository(Path::new(&home))));
}

#[test]
fn a_killed_process_leaves_the_old_state_or_the_new() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    for round in 0..15_u64 {
        let mut worker = spawn("endless_writer", home.path());
        thread::sleep(std::time::Duration::from_micros(15_000 + 1_700 * round));
        worker.kill().unwrap();
        worker.wait().unwrap();
        let _lock = cache.lock().unwrap();
        let [root, targets, floor] = [
            cache.read("root", 99),
            cache.read("targets/a", 99),
            cache.floor(),
        ]
        .map(Result::unwrap);
        assert_eq!((&root, &root), (&targets, &floor), "round {round}");
    }
    assert!(
        cache.read("root", 99).unwrap().is_some(),
        "the writer never came to write"
    );
}

#[test]
fn endless_writer() {
    let Some(home) = std::env::var_os(WORKER_HOME) else {
        return;
    };
    let cache = repository(Path::new(&home));
    for number in 0_u32.. {
        let lock = cache.lock().unwrap();
        let text = number.to_string();
        let bytes = text.as_bytes();
        cache
            .replace(
                &lock,
                &[("root", bytes), ("targets/a", bytes)],
                &[],
                Some(bytes),
            )
            .unwrap();
    }
}

#[test]
fn repositories_are_listed_by_name() {
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::at(home.path());
    assert_eq!(cache.repositories().unwrap(), Vec::<String>::new());
    for gun in ["z", "a/metadata", "a/b/c", GUN] {
        let repository = cache.repository(gun).unwrap();
        let lock = repository.lock().unwrap();
        let files: [(&str, &[u8]); 2] = [("root", b"r"), ("targets/root", b"t")];
        repository.replace(&lock, &files, &[], None).unwrap();
    }
    // Docker makes folders for whatever is only looked at.
    fs::create_dir_all(home.path().join("tuf/empty/metadata")).unwrap();
    assert_eq!(
        cache.repositories().unwrap(),
        ["a/b/c", "a/metadata", GUN, "z"]
    );
}
