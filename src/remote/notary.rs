//! The HTTP API of Notary v1: metadata by name, by hash and by version; one POST to publish.

use super::{RemoteError, Session, read_body};
use crate::config::Credentials;
use bytes::Bytes;
use reqwest::{
    Client, Url,
    multipart::{Form, Part},
};

/// One repository on a trust server.
pub struct Notary {
    session: Session,
    gun: String,
}

/// What a token must allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Actions {
    /// Everything, such as asking for new server keys.
    All,
    /// Reading.
    Pull,
    /// Reading and publishing.
    PullPush,
}

/// One file of signed metadata on the server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MetadataFile<'a> {
    /// The newest of a role.
    Current(&'a str),
    /// The one of a role with this SHA-256, in hex.
    Hash(&'a str, &'a str),
    /// The one with this version of a role.
    Version(u64, &'a str),
}

impl Notary {
    /// A repository on the server at `base`; nothing is sent yet.
    pub fn new(
        http: Client,
        base: &Url,
        gun: &str,
        actions: Actions,
        credentials: Credentials,
    ) -> Self {
        let allowed = match actions {
            Actions::All => "*",
            Actions::Pull => "pull",
            Actions::PullPush => "pull,push",
        };
        let scope = format!("repository:{gun}:{allowed}");
        Self {
            session: Session::new(http, base, scope, credentials),
            gun: gun.to_owned(),
        }
    }

    /// The bytes of one metadata file, exactly as served, at most `limit` of them.
    pub async fn metadata(
        &self,
        file: MetadataFile<'_>,
        limit: u64,
    ) -> Result<Vec<u8>, RemoteError> {
        let name = match file {
            MetadataFile::Current(role) => format!("{role}.json"),
            MetadataFile::Hash(role, sha256) => format!("{role}.{sha256}.json"),
            MetadataFile::Version(version, role) => format!("{version}.{role}.json"),
        };
        let url = self.address(&name)?;
        read_body(self.session.get(&url, None).await?, limit).await
    }

    /// The public key the server signs this role with, as JSON; it makes one if it has none.
    pub async fn key(&self, role: &str) -> Result<Vec<u8>, RemoteError> {
        let url = self.address(&format!("{role}.key"))?;
        read_body(self.session.get(&url, None).await?, MAX_KEY).await
    }

    /// The public key of a new key that the server will sign this role with, as JSON, once the
    /// root names it.
    pub async fn new_key(&self, role: &str) -> Result<Vec<u8>, RemoteError> {
        let url = self.address(&format!("{role}.key"))?;
        let response = self.session.post(&url, &|request| request).await?;
        read_body(response, MAX_KEY).await
    }

    /// The server has nothing of the repository any more; also where it had nothing.
    pub async fn delete(&self) -> Result<(), RemoteError> {
        let url = self.address("")?;
        let response = self.session.delete(&url).await?;
        read_body(response, MAX_RECEIPT).await.map(drop)
    }

    /// Publishes all these roles in one step, or none of them.
    ///
    /// Sent once. After [`RemoteError::Unreachable`] it is unknown whether the server took it.
    pub async fn publish(&self, files: Vec<(String, Bytes)>) -> Result<(), RemoteError> {
        let url = self.address("")?;
        let response = self
            .session
            .post(&url, &|request| request.multipart(form(&files)))
            .await?;
        read_body(response, MAX_RECEIPT).await.map(drop)
    }

    fn address(&self, file: &str) -> Result<Url, RemoteError> {
        self.session
            .address(&format!("{}/_trust/tuf/{file}", self.gun))
    }
}

/// Each role as a file named by the role alone, slashes included.
fn form(files: &[(String, Bytes)]) -> Form {
    files
        .iter()
        .fold(Form::new().percent_encode_noop(), |form, (role, bytes)| {
            let part = Part::stream_with_length(bytes.clone(), bytes.len() as u64);
            form.part("files", part.file_name(role.clone()))
        })
}

/// Bytes of a key reply (Notary v1 client, httpstore.go).
const MAX_KEY: u64 = 256 * 1024;
/// Bytes of the answer to a publish, which says nothing.
const MAX_RECEIPT: u64 = 64 * 1024;
