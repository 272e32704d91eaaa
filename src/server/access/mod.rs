//! Who may do what with which repository.
#![allow(missing_docs)]
use crate::listen::Peer;
use hyper::{StatusCode, header::HeaderValue};
use jiff::Timestamp;
use trust_store::server::Action;
#[derive(Debug)]
pub struct Access;
pub enum Wanted<'a> {
    Repository { gun: &'a str, actions: &'a [Action] },
    Catalog,
}
pub struct Who;
impl Who {
    pub fn may_read(&self, _: &str) -> bool {
        true
    }
}
impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anonymous")
    }
}
pub struct Denied {
    pub status: StatusCode,
    pub challenge: Option<HeaderValue>,
    pub retry_after: Option<u64>,
    pub detail: serde_json::Value,
}
impl Access {
    pub fn new(
        _: &(),
        _: trust_store::server::Store,
    ) -> Result<Self, crate::hosting::HostingError> {
        Ok(Self)
    }
    pub async fn admit(
        &self,
        _: Option<&HeaderValue>,
        _: &Peer,
        _: &Wanted<'_>,
        _: Timestamp,
    ) -> Result<Who, Denied> {
        Ok(Who)
    }
}
