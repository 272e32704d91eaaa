//! Servers whose disk is full: said so, nothing damaged, and all goes on once there is room.
//!
//! Mounting needs root, as dockerd does.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::StatusCode;
use tempfile::TempPath;

use super::database::PostgreSql;
use super::world::api::Api;
use super::world::load::{Answer, Story};
use super::world::place::{Place, Running};

#[tokio::test]
async fn a_full_disk_under_sqlite_is_said_and_damages_nothing() {
    let place = Place::new();
    let disk = Disk::at(place.folder(), "16m");
    let server = place.start();
    let mut story = begun(server.api()).await;
    let filler = disk.fill();
    until_full(&server, &mut story).await;
    nothing_is_lost(server.api(), &story).await;
    no_backup(&place);

    // It need not be running when that happens.
    server.kill();
    let server = place.start();
    nothing_is_lost(server.api(), &story).await;
    server.stop();
    let more = disk.fill();
    let server = place.start();
    nothing_is_lost(server.api(), &story).await;
    drop(more);
    all_goes_on(&server, &mut story, filler).await;
}

#[tokio::test]
async fn a_full_disk_under_postgresql_is_said_and_damages_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Disk::at(folder.path(), "24m");
    let database = PostgreSql::new();
    let place = Place::on(&database.on_disk(disk.place()));
    let server = place.start();
    let mut story = begun(server.api()).await;
    let filler = disk.fill();
    until_full(&server, &mut story).await;
    nothing_is_lost(server.api(), &story).await;
    all_goes_on(&server, &mut story, filler).await;
    drop(server);
    drop(database);
}

async fn begun(api: &Api) -> Story {
    let mut story = Story::begin(api, GUN).await.expect("keys");
    for round in 0..3 {
        story.publish(api, &format!("before{round}")).await.taken();
    }
    story
}

/// What room the database had set aside is used first; then each publish is told.
async fn until_full(server: &Running, story: &mut Story) {
    let (api, mut told) = (server.api(), 0);
    for round in 0..2000 {
        let tags = (0..500).map(|tag| format!("{round}-{tag}"));
        match story.publish_tags(api, tags).await {
            Answer::Taken => assert_eq!(told, 0, "there was room after all"),
            Answer::Refused(StatusCode::INSUFFICIENT_STORAGE, body) => {
                assert!(body.contains(r#""code":"UPDATING""#), "{body}");
                assert!(body.contains("the disk of the server is full"), "{body}");
                told += 1;
            }
            other => panic!("{other:?} after {round}:\n{}", server.log()),
        }
        if told == 10 {
            return key_or_full(api).await;
        }
    }
    panic!("the disk was never full");
}

/// A little room may be left: whoever is told otherwise is told why.
async fn key_or_full(api: &Api) {
    let reply = api.file("registry.test:5000/new", "timestamp.key").await;
    let status = reply.expect("an answer").status;
    let right = [StatusCode::OK, StatusCode::INSUFFICIENT_STORAGE];
    assert!(right.contains(&status), "{status}");
}

async fn nothing_is_lost(api: &Api, story: &Story) {
    for path in ["healthz", "readyz", "_notary_server/health"] {
        assert_eq!(
            api.get(path).await.expect("an answer").status,
            StatusCode::OK,
            "{path}"
        );
    }
    assert_eq!(story.check_everything(api).await, story.repo.version);
}

fn no_backup(place: &Place) {
    let file = place.folder().join("backup");
    let output = place
        .command("backup")
        .arg("-o")
        .arg(&file)
        .output()
        .expect("trust");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("full"), "{said}");
    let left = fs::read_dir(place.folder()).expect("a folder").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    let is_copy = |name: &str| name.contains("backup");
    assert!(
        !left.iter().any(|name| is_copy(&name.to_string_lossy())),
        "{left:?}"
    );
}

async fn all_goes_on(server: &Running, story: &mut Story, filler: TempPath) {
    drop(filler);
    for round in 0..3 {
        story
            .publish(server.api(), &format!("after{round}"))
            .await
            .taken();
    }
    nothing_is_lost(server.api(), story).await;
}

/// A small disk, gone when dropped.
struct Disk(PathBuf);

impl Disk {
    fn at(folder: &Path, size: &str) -> Self {
        let options = format!("size={size},mode=700");
        let ran = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder)
            .output()
            .expect("mount");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{said}(mounting needs root)");
        Self(folder.to_owned())
    }

    fn place(&self) -> &Path {
        &self.0
    }

    /// All the room there is is taken, until the file is dropped.
    fn fill(&self) -> TempPath {
        let mut file = tempfile::NamedTempFile::new_in(&self.0).expect("a file");
        while file.write_all(&[b'x'; 512]).is_ok() {}
        file.into_temp_path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, so that nothing half open keeps it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

const GUN: &str = "registry.test:5000/app";
