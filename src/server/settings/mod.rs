//! The configuration of a trust server.
use std::time::Duration;
pub struct Settings {
    pub cache: Cache,
    pub repositories: Repositories,
    pub limits: Limits,
    pub pages: Pages,
    pub renew: Renew,
    pub listen: String,
}
pub struct Cache {
    pub current_max_age: Duration,
    pub consistent_max_age: Duration,
    pub memory: Size,
}
pub struct Repositories {
    pub prefixes: Vec<String>,
}
pub struct Size(pub u64);
impl Size {
    pub fn bytes(&self) -> usize {
        self.0 as usize
    }
}
pub struct Limits {
    pub body: Size,
    pub body_timeout: Duration,
    pub parts: usize,
}
pub struct Pages {
    pub enabled: bool,
}
pub struct Renew {
    pub timestamp: Duration,
    pub snapshot: Duration,
    pub every: Duration,
}
