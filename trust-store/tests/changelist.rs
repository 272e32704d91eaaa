//! Staged changes: in order, private, and taken away one by one.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use trust_store::metadata::{Cache, CacheError, RepositoryCache};

const GUN: &str = "localhost:5000/team/app";

fn repository(home: &Path) -> RepositoryCache {
    Cache::at(home).repository(GUN).unwrap()
}

fn folder(home: &Path) -> PathBuf {
    home.join("tuf").join(GUN).join("changelist")
}

fn stage(cache: &RepositoryCache, now: u64, changes: &[&str]) -> Result<(), CacheError> {
    let changes: Vec<_> = changes.iter().map(|it| it.as_bytes().to_vec()).collect();
    cache.stage(&cache.lock().unwrap(), now, &changes)
}

fn listed(cache: &RepositoryCache) -> Vec<String> {
    let staged = cache.staged().unwrap().into_iter();
    staged
        .map(|it| String::from_utf8(it.bytes).unwrap())
        .collect()
}

#[test]
fn changes_come_out_as_they_went_in_whatever_the_clock() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    assert!(cache.staged().unwrap().is_empty());
    cache.unstage(&["gone.change".to_owned()]).unwrap();
    stage(&cache, 1_700_000_000_000_000_000, &["a", "b"]).unwrap();
    stage(&cache, 5, &["c"]).unwrap();
    stage(&cache, 1_800_000_000_000_000_000, &["d"]).unwrap();
    assert_eq!(listed(&cache), ["a", "b", "c", "d"]);
    for file in cache.staged().unwrap() {
        let (time, uuid) = file.name.split_once('_').unwrap();
        assert!(time.len() == 20 && time.bytes().all(|it| it.is_ascii_digit()));
        assert_eq!(
            uuid.len(),
            "01234567-89ab-4def-8123-456789abcdef.change".len()
        );
        assert_eq!(&uuid[14..15], "4");
        let mode = fs::metadata(folder(home.path()).join(&file.name)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }
    let mode = fs::metadata(folder(home.path())).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
    let names: Vec<_> = cache
        .staged()
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect();
    cache
        .unstage(&[names[1].clone(), names[3].clone()])
        .unwrap();
    assert_eq!(listed(&cache), ["a", "c"]);
}

#[test]
fn nothing_outside_the_list_is_read_or_removed() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    stage(&cache, 1, &["a"]).unwrap();
    let kept = home.path().join("kept");
    fs::File::create(&kept).unwrap();
    for name in ["../../../../../kept", "/etc/passwd", "..", "", ".hidden"] {
        let error = cache.unstage(&[name.to_owned()]).unwrap_err();
        assert!(matches!(error, CacheError::StrangeChange { .. }), "{name}");
    }
    assert!(kept.exists());
    // Folders and what is in the making are passed over, as Notary passes over folders.
    fs::create_dir(folder(home.path()).join("folder")).unwrap();
    fs::File::create(folder(home.path()).join(".new.tmp")).unwrap();
    assert_eq!(listed(&cache), ["a"]);
    symlink(&kept, folder(home.path()).join("0_link.change")).unwrap();
    assert!(matches!(
        cache.staged(),
        Err(CacheError::StrangeChange { .. })
    ));
}

#[test]
fn a_list_has_its_budgets() {
    let home = tempfile::tempdir().unwrap();
    let cache = repository(home.path());
    let large = "x".repeat((4 << 20) + 1);
    stage(&cache, 1, &[&large]).unwrap();
    assert!(matches!(cache.staged(), Err(CacheError::TooLarge { .. })));
    let name = fs::read_dir(folder(home.path())).unwrap().next().unwrap();
    let name = name.unwrap().file_name().into_string().unwrap();
    cache.unstage(&[name]).unwrap();
    for number in 0..10_000 {
        fs::File::create(folder(home.path()).join(number.to_string())).unwrap();
    }
    assert!(matches!(
        stage(&cache, 1, &["one more"]),
        Err(CacheError::TooManyChanges { .. })
    ));
    assert_eq!(cache.staged().unwrap().len(), 10_000);
}
