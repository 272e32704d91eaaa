//! The configuration of a trust server.
#![allow(missing_docs)]
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub struct Settings {
    pub cache: Cache,
    pub repositories: Repositories,
    pub limits: Limits,
    pub pages: Pages,
    pub renew: Renew,
    pub listen: String,
    pub store: StoreS,
    pub seal: Seal,
    pub access: (),
    pub tls: Tls,
}
pub struct StoreS {
    pub url: String,
}
#[derive(Default)]
pub struct Seal {
    pub key_file: Option<PathBuf>,
    pub passphrase_file: Option<PathBuf>,
}
#[derive(Default)]
pub struct Tls {
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub client_ca: Option<PathBuf>,
}
pub struct Cache {
    pub current_max_age: Dur,
    pub consistent_max_age: Dur,
    pub memory: Size,
}
pub struct Repositories {
    pub prefixes: Vec<String>,
}
#[derive(Clone, Copy)]
pub struct Size(pub usize);
#[derive(Clone, Copy)]
pub struct Dur(pub Duration);
impl From<Dur> for Duration {
    fn from(d: Dur) -> Self {
        d.0
    }
}
impl Size {
    pub fn bytes(&self) -> usize {
        self.0
    }
}
pub struct Limits {
    pub body: Size,
    pub body_timeout: Dur,
    pub parts: usize,
    pub delegations: usize,
    pub delegation_depth: usize,
    pub json_depth: usize,
}
impl Limits {
    pub fn of_connections(&self) -> crate::listen::Limits {
        crate::listen::Limits::default()
    }
}
pub struct Pages {
    pub enabled: bool,
}
pub struct Renew {
    pub timestamp: Dur,
    pub snapshot: Dur,
    pub every: Dur,
}
impl Settings {
    pub fn in_folder(dir: &Path) -> Self {
        Self {
            cache: Cache {
                current_max_age: Dur(Duration::from_secs(300)),
                consistent_max_age: Dur(Duration::from_secs(2_592_000)),
                memory: Size(64 << 20),
            },
            repositories: Repositories { prefixes: vec![] },
            limits: Limits {
                body: Size(64 << 20),
                body_timeout: Dur(Duration::from_secs(60)),
                parts: 256,
                delegations: 1024,
                delegation_depth: 16,
                json_depth: 64,
            },
            pages: Pages { enabled: true },
            renew: Renew {
                timestamp: Dur(Duration::from_secs(7 * 86400)),
                snapshot: Dur(Duration::from_secs(90 * 86400)),
                every: Dur(Duration::from_secs(3600)),
            },
            listen: "127.0.0.1:4443".into(),
            store: StoreS {
                url: format!("sqlite:{}", dir.join("store.db").display()),
            },
            seal: Seal::default(),
            access: (),
            tls: Tls::default(),
        }
    }
    pub fn read(
        _: &Path,
        _: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<String>), std::io::Error> {
        Err(std::io::Error::other("not yet"))
    }
}
