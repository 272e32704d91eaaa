//! The floors of the house: who may use whom, and what the ground never touches.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms by floor; a room may use those below it, and itself.
const FLOORS: [&[&str]; 5] = [
    &["place", "policy", "quantity", "reference", "tuf"],
    &["config", "engine", "listen", "registry", "remote", "tls"],
    &["hosting", "repository"],
    &["gate", "server"],
    &["cli"],
];

/// Neighbours that may use each other all the same: (who, whom).
const DOORS_BETWEEN_NEIGHBOURS: [(&str, &str); 12] = [
    ("config", "tls"),
    ("engine", "config"),
    ("engine", "remote"),
    ("listen", "tls"),
    ("policy", "place"),
    ("policy", "quantity"),
    ("policy", "reference"),
    ("policy", "tuf"),
    ("registry", "config"),
    ("registry", "remote"),
    ("remote", "config"),
    ("remote", "tls"),
];

/// What the ground floor never touches: the world comes in as arguments.
const NOT_ON_THE_GROUND: [&str; 9] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "tokio",
    "reqwest",
    "trust_store",
    "Timestamp::now",
    "SystemTime",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with the room it is in and its text without tests and comments.
fn rooms() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    let mut rooms = Vec::new();
    for path in found {
        let inside = path.strip_prefix(source()).unwrap();
        let first = inside
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy();
        let room = first.trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let code: Vec<&str> = code
            .lines()
            .filter(|l| !l.trim_start().starts_with("//"))
            .collect();
        rooms.push((room, path, code.join("\n")));
    }
    rooms
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

#[test]
fn a_room_uses_only_rooms_below_it() {
    let mut checked = 0;
    for (room, path, code) in rooms() {
        let Some(here) = floor(&room) else { continue };
        for (other, there) in FLOORS
            .iter()
            .enumerate()
            .flat_map(|(n, f)| f.iter().map(move |r| (*r, n)))
        {
            let used = code.contains(&format!("crate::{other}::"))
                || code.contains(&format!("crate::{other};"));
            let allowed = other == room
                || there < here
                || DOORS_BETWEEN_NEIGHBOURS.contains(&(room.as_str(), other));
            assert!(!used || allowed, "{} uses {other}", path.display());
            checked += usize::from(used);
        }
    }
    assert!(checked > 20, "only {checked} uses were seen");
}

#[test]
fn the_ground_floor_does_not_touch_the_world() {
    for (room, path, code) in rooms()
        .into_iter()
        .filter(|(room, ..)| floor(room) == Some(0))
    {
        for banned in NOT_ON_THE_GROUND {
            assert!(
                !code.contains(banned),
                "{room}: {} uses {banned}",
                path.display()
            );
        }
    }
}

#[test]
fn every_room_is_on_a_floor() {
    for (room, path, _) in rooms() {
        let roof = ["main", "lib"].contains(&room.as_str());
        assert!(
            roof || floor(&room).is_some(),
            "{} is in no room of the house",
            path.display()
        );
    }
}

#[test]
fn only_the_door_prints_and_reads_the_clock() {
    for (room, path, code) in rooms()
        .into_iter()
        .filter(|(room, ..)| !["cli", "main"].contains(&room.as_str()))
    {
        for banned in ["println!", "eprintln!", "Timestamp::now", "rpassword"] {
            assert!(
                !code.contains(banned),
                "{room}: {} uses {banned}",
                path.display()
            );
        }
    }
}

#[test]
fn no_file_is_a_giant() {
    for (_, path, code) in rooms() {
        let lines = code.lines().count();
        assert!(
            lines <= 400,
            "{} has {lines} lines before its tests",
            path.display()
        );
    }
}
