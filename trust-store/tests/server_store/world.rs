//! Databases to test on, and files to put there.

use bytes::Bytes;
use jiff::Timestamp;
use tempfile::TempDir;
use trust_store::server::{NewFile, Store, StoredFile};

#[cfg(feature = "interop")]
pub(crate) mod postgres;

/// Each of these tests runs on every database there is, each time on a new one.
macro_rules! on_every_database {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&crate::world::World::sqlite()).await;
            })*
        }
        #[cfg(feature = "interop")]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&crate::world::World::postgres()).await;
            })*
        }
    };
}
pub(crate) use on_every_database;

/// A database that is empty at first.
pub(crate) struct World {
    url: String,
    folder: TempDir,
    new: fn() -> World,
}

impl World {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Letters that mean something in an address.
        let path = folder.path().join("a store? 100%25 #1.db");
        Self {
            url: format!("sqlite:{}", path.display()),
            folder,
            new: Self::sqlite,
        }
    }

    #[cfg(feature = "interop")]
    pub(crate) fn postgres() -> Self {
        Self {
            url: postgres::shared().new_database(),
            folder: tempfile::tempdir().unwrap(),
            new: Self::postgres,
        }
    }

    /// Another one of the same kind.
    pub(crate) fn another(&self) -> Self {
        (self.new)()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// A folder for the test's own files.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.url).await.unwrap()
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn file(role: &str, version: u64, bytes: impl Into<Vec<u8>>) -> NewFile {
    NewFile {
        role: role.into(),
        version,
        bytes: Bytes::from(bytes.into()),
    }
}

/// What a server publishes when a tag was added: three files of the same version.
pub(crate) fn set(version: u64) -> Vec<NewFile> {
    ["targets", "snapshot", "timestamp"]
        .map(|role| file(role, version, format!("{role} {version}")))
        .into()
}

/// The next version of all three roles is published on top of what is there.
pub(crate) async fn publish_next(store: &Store, gun: &str, second: i64) -> u64 {
    let newest = store.newest(gun).await.unwrap();
    let next = newest.files.get("timestamp").map_or(1, |f| f.version + 1);
    store
        .publish(gun, newest.revision, set(next), at(second))
        .await
        .unwrap();
    next
}

/// These bytes are the role's next version; gives its number.
pub(crate) async fn publish_file(
    store: &Store,
    gun: &str,
    role: &str,
    bytes: impl Into<Vec<u8>>,
    second: i64,
) -> u64 {
    let newest = store.newest(gun).await.unwrap();
    let next = newest.files.get(role).map_or(1, |f| f.version + 1);
    let files = vec![file(role, next, bytes)];
    store
        .publish(gun, newest.revision, files, at(second))
        .await
        .unwrap();
    next
}

pub(crate) fn text(file: Option<StoredFile>) -> Option<String> {
    file.map(|file| String::from_utf8(file.bytes.to_vec()).unwrap())
}

/// A targets file of this many tags, in Notary's form and size.
pub(crate) fn targets(tags: usize) -> Vec<u8> {
    use base64::Engine;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let hash = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut entries: Vec<_> = (0..tags)
        .map(|tag| {
            let name = format!("v{}.{}.{}", tag % 7, tag % 101, tag);
            let digest = encode(hash(&name).as_ref());
            format!(r#""{name}":{{"hashes":{{"sha256":"{digest}"}},"length":1234}}"#)
        })
        .collect();
    entries.sort();
    let signature = encode(
        &[hash(&tags.to_string()), hash("x")]
            .map(|h| h.as_ref().to_vec())
            .concat(),
    );
    format!(
        r#"{{"signed":{{"_type":"Targets","delegations":{{"keys":{{}},"roles":[]}},"expires":"2029-01-01T00:00:00Z","targets":{{{}}},"version":{tags}}},"signatures":[{{"keyid":"{}","method":"ecdsa","sig":"{signature}"}}]}}"#,
        entries.join(","),
        hex::encode(hash("key")),
    )
    .into_bytes()
}
