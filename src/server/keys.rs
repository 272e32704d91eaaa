//! `…/_trust/tuf/{timestamp,snapshot}.key`: the public keys of what the server signs itself.

use super::reply::{Fault, Reply, text};
use super::{Server, reading};
use crate::tuf::role::RoleName;

impl Server {
    pub(super) async fn key(&self, gun: &str, role: &RoleName) -> Result<Reply, Fault> {
        let key = self.hosting.key(gun, role, self.now()).await;
        Ok(text(key.map_err(|error| reading(&error))?.to_json()))
    }

    pub(super) async fn new_key(&self, gun: &str, role: &RoleName) -> Result<Reply, Fault> {
        let key = self.hosting.new_key(gun, role, self.now()).await;
        Ok(text(key.map_err(|error| reading(&error))?.to_json()))
    }
}
