//! What the real notary and docker wrote is read, verified and reproduced to the byte.

use std::fs;
use std::path::{Path, PathBuf};
use trust::tuf::envelope::{Document, Unverified, file_bytes};
use trust::tuf::error::TufError;
use trust::tuf::floor::Floor;
use trust::tuf::role::RoleName;
use trust::tuf::root::Root;
use trust::tuf::snapshot::Snapshot;
use trust::tuf::targets::Targets;
use trust::tuf::timestamp::Timestamp as TimestampFile;
use trust::tuf::trusted::{Current, Rooted};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/notary-v1")
}

/// Every repository of the vectors: its name and its metadata folder.
fn repositories() -> Vec<(&'static str, PathBuf)> {
    [
        (
            "localhost:5000/foo",
            "docker-trust-dir/tuf/localhost:5000/foo/metadata",
        ),
        (
            "localhost:5000/brandnew",
            "docker-trust-dir/tuf/localhost:5000/brandnew/metadata",
        ),
        (
            "localhost:5000/fresh",
            "docker-trust-dir/tuf/localhost:5000/fresh/metadata",
        ),
        (
            "localhost:5000/fresh2",
            "docker-trust-dir/tuf/localhost:5000/fresh2/metadata",
        ),
        (
            "docker.io/deleg2",
            "notary-dir/tuf/docker.io/deleg2/metadata",
        ),
    ]
    .map(|(gun, folder)| (gun, vectors().join(folder)))
    .to_vec()
}

fn current(gun: &str, folder: &Path) -> Result<Current, TufError> {
    let read = |role: &str| fs::read(folder.join(format!("{role}.json"))).unwrap();
    let (floor, now) = (Floor::default(), made());
    let rooted = Rooted::first_use(gun, &read("root"), now)?;
    let set = rooted
        .timestamp(&read("timestamp"), &floor, now)?
        .snapshot(&read("snapshot"), &floor, now)?;
    let mut walk = set.walk(floor, now)?;
    while let Some((role, _)) = walk.wanted() {
        walk.accept(&read(role.as_str()))?;
    }
    walk.finish()
}

/// A moment at which every file of the vectors was in force.
fn made() -> jiff::Timestamp {
    let folder = vectors().join("docker-trust-dir/tuf/localhost:5000/foo/metadata");
    let file = fs::read(folder.join("timestamp.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let expires: jiff::Timestamp = json["signed"]["expires"].as_str().unwrap().parse().unwrap();
    expires - jiff::SignedDuration::from_hours(24 * 7)
}

fn rewritten<T: Document>(
    role: &RoleName,
    file: &[u8],
    keys: &trust::tuf::envelope::RoleKeys,
) -> Vec<u8> {
    let verified = Unverified::parse(file)
        .unwrap()
        .verify::<T>(role, keys)
        .unwrap();
    file_bytes(&verified.facts().node(), verified.signatures())
}

#[test]
fn every_repository_verifies_from_root_to_delegations() {
    for (gun, folder) in repositories() {
        let current = current(gun, &folder).unwrap_or_else(|e| panic!("{gun}: {e}"));
        assert_eq!(current.gun(), gun);
    }
}

#[test]
fn every_file_is_reproduced_to_the_byte() {
    let mut files = 0;
    for (gun, folder) in repositories() {
        let current = current(gun, &folder).unwrap();
        let keys = |role: &RoleName| current.keys_of(role).unwrap();
        let base = [
            RoleName::root(),
            RoleName::timestamp(),
            RoleName::snapshot(),
            RoleName::targets(),
        ];
        let delegations = current.delegations().filter(|(_, file)| file.is_ok());
        for role in base
            .into_iter()
            .chain(delegations.map(|(role, _)| role.clone()))
        {
            let file = fs::read(folder.join(format!("{role}.json"))).unwrap();
            let again = match role.as_str() {
                "root" => rewritten::<Root>(&role, &file, &keys(&role)),
                "timestamp" => rewritten::<TimestampFile>(&role, &file, &keys(&role)),
                "snapshot" => rewritten::<Snapshot>(&role, &file, &keys(&role)),
                _ => rewritten::<Targets>(&role, &file, &keys(&role)),
            };
            assert!(again == file, "{gun} {role}");
            files += 1;
        }
    }
    assert!(files >= 24, "only {files} files");
}

#[test]
fn the_chain_of_eight_roots_is_followed() {
    let root = |n: u64| fs::read(vectors().join(format!("roots/{n}.root.json"))).unwrap();
    let mut rooted = Rooted::kept("localhost:5000/foo", &root(1)).unwrap();
    for n in 2..=7 {
        rooted = rooted.step(&root(n)).unwrap_or_else(|e| panic!("{n}: {e}"));
    }
    assert_eq!(rooted.newest(&root(8), made()).unwrap().version(), 8);
}

#[test]
fn a_gap_in_the_chain_is_refused_unless_trusted_keys_signed_the_newest() {
    let root = |n: u64| fs::read(vectors().join(format!("roots/{n}.root.json"))).unwrap();
    let at = |n: u64| Rooted::kept("localhost:5000/foo", &root(n)).unwrap();
    assert!(matches!(
        at(5).newest(&root(7), made()),
        Err(TufError::RootMismatch(_))
    ));
    assert!(matches!(
        at(5).step(&root(7)),
        Err(TufError::RootMismatch(_))
    ));
    assert!(
        at(5).newest(&root(8), made()).is_ok(),
        "8 is also signed by the older keys"
    );
    assert!(matches!(
        at(7).newest(&root(6), made()),
        Err(TufError::RootMismatch(_) | TufError::Rollback { .. })
    ));
    assert!(matches!(
        at(3).newest(&root(1), made()),
        Err(TufError::Rollback {
            seen: 3,
            got: 1,
            ..
        })
    ));
}

#[test]
fn a_root_speaks_only_for_its_repository() {
    let file = fs::read(vectors().join("roots/1.root.json")).unwrap();
    assert!(matches!(
        Rooted::first_use("localhost:5000/other", &file, made()),
        Err(TufError::RootMismatch(_))
    ));
}

#[test]
fn kept_metadata_name_the_keys_that_docker_made() {
    use trust::repository::known::known_keys;
    use trust_store::{keys::KeyStore, metadata::Cache};
    let trust_dir = vectors().join("docker-trust-dir");
    let known = known_keys(&Cache::at(&trust_dir)).unwrap();
    let keys = KeyStore::at(&trust_dir).list().unwrap();
    assert!(!keys.is_empty());
    let mut found = 0;
    for key in &keys {
        // Docker forgets no key, though the metadata may.
        let Some(it) = known.get(&key.id) else {
            continue;
        };
        assert_eq!(it.key.id(), key.id, "the plain key, not its certificate");
        assert_eq!(it.key.key_type, "ecdsa");
        let role = key.role.as_deref().unwrap();
        let suits = |used: &str| used == role || used == format!("targets/{role}");
        assert!(
            it.uses.iter().any(|(_, used)| suits(used)),
            "{role}: {it:?}"
        );
        found += 1;
    }
    assert!(found > 4, "only {found} of {}", keys.len());
}

/// A server that lost a repository takes back what its client kept, up to what only its own keys
/// can sign: nothing in those files is in a form it would refuse.
#[test]
fn what_docker_and_notary_kept_can_be_published_again() {
    use trust::tuf::accept::{Bounds, Files, Refusal, Upload, accept};
    for (gun, folder) in repositories() {
        let current = current(gun, &folder).unwrap();
        let mut upload = Upload::new();
        for role in ["root", "targets"] {
            let bytes = fs::read(folder.join(format!("{role}.json"))).unwrap();
            upload.insert(RoleName::parse(role).unwrap(), bytes.into());
        }
        for delegated in &current.targets().facts().delegations.roles {
            let role = &delegated.name;
            // A role whose keys were taken away cannot be published as it is.
            if current.role(role).is_none() {
                continue;
            }
            if let Ok(bytes) = fs::read(folder.join(format!("{role}.json"))) {
                upload.insert(role.clone(), bytes.into());
            }
        }
        let mut asked = Vec::new();
        let mut no_keys = |role: &RoleName, _: &_, _: &[u8]| {
            asked.push(role.to_string());
            Vec::new()
        };
        let stored = Files::new();
        let bounds = Bounds::default();
        let refused = accept(gun, &stored, &upload, bounds, made(), &mut no_keys).unwrap_err();
        let root_is_first = current.root().facts().version <= 2;
        match refused {
            Refusal::Hierarchy { missing, .. } if root_is_first => {
                assert_eq!(
                    (missing, asked),
                    ("snapshot", vec!["snapshot".to_owned()]),
                    "{gun}"
                );
            }
            Refusal::Root(words) if !root_is_first => {
                assert!(
                    words.starts_with("Root modifications must increment"),
                    "{gun}: {words}"
                );
            }
            other => panic!("{gun}: {other:?}"),
        }
    }
}
