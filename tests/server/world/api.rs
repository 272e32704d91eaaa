//! Notary's HTTP interface from outside, with nothing between a test and the answer.

use base64::Engine as _;
use bytes::Bytes;
use jiff::Timestamp;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use trust::config::Credentials;
use trust::remote::{Actions, Notary};
use trust::repository::show::RoleReport;
use trust::repository::{Error, Repository};
use trust::tls::{TlsFiles, http_client};
use trust_store::metadata::Cache;

/// The way to one server.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    url: Url,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Files to publish, by role.
pub type Upload = Vec<(&'static str, Bytes)>;

/// The newest files, each found by the hash that the one before names, as clients find them.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub timestamp: Bytes,
    pub snapshot: Bytes,
    pub targets: Bytes,
    pub releases: Bytes,
}

impl Api {
    pub fn at(url: &str) -> Self {
        Self {
            http: http_client(&TlsFiles::default(), "127.0.0.1").unwrap(),
            url: url.parse().unwrap(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        let address = self.url.socket_addrs(|| None).unwrap();
        address[0]
    }

    /// Any path.
    pub async fn get(&self, path: &str) -> Result<Reply, reqwest::Error> {
        sent(self.request(Method::GET, path)).await
    }

    /// A file of a repository by its name on the server.
    pub async fn file(&self, gun: &str, name: &str) -> Result<Reply, reqwest::Error> {
        self.get(&format!("v2/{gun}/_trust/tuf/{name}")).await
    }

    /// A file that has to be there.
    pub async fn there(&self, gun: &str, name: &str) -> Bytes {
        let reply = self.file(gun, name).await.unwrap();
        assert_eq!(reply.status, StatusCode::OK, "{gun} {name}: {reply:?}");
        reply.body
    }

    /// A new state of a repository.
    pub async fn publish(&self, gun: &str, files: &Upload) -> Result<Reply, reqwest::Error> {
        let part = |file: &Bytes| Part::stream_with_length(file.clone(), file.len() as u64);
        let form = files.iter().fold(Form::new(), |form, (role, file)| {
            form.part("files", part(file).file_name(*role))
        });
        let path = format!("v2/{gun}/_trust/tuf/");
        sent(self.request(Method::POST, &path).multipart(form)).await
    }

    /// No repository any more; true if that was answered 200.
    pub async fn delete(&self, gun: &str) -> bool {
        let path = format!("v2/{gun}/_trust/tuf/");
        let reply = sent(self.request(Method::DELETE, &path)).await.unwrap();
        reply.status == StatusCode::OK
    }

    /// The newest state; none before the first publish.
    pub async fn state(&self, gun: &str) -> Result<Option<State>, Reply> {
        let get = async |name: String| {
            let reply = self.file(gun, &name).await.map_err(|error| Reply {
                status: StatusCode::BAD_GATEWAY,
                body: error.to_string().into(),
            })?;
            match reply.status {
                StatusCode::OK => Ok(reply.body),
                _ => Err(reply),
            }
        };
        let timestamp = match get("timestamp.json".to_owned()).await {
            Err(reply) if reply.status == StatusCode::NOT_FOUND => return Ok(None),
            other => other?,
        };
        let named = |by: &Bytes, role: &str| format!("{role}.{}.json", named_hash(by, role));
        let snapshot = get(named(&timestamp, "snapshot")).await?;
        let targets = get(named(&snapshot, "targets")).await?;
        let releases = get(named(&snapshot, "targets/releases")).await?;
        Ok(Some(State {
            timestamp,
            snapshot,
            targets,
            releases,
        }))
    }

    /// Every role as somebody believes it who never heard of the repository before.
    pub async fn believed(&self, gun: &str) -> Vec<RoleReport> {
        let roles = self.believed_at(gun, Timestamp::now()).await;
        roles.unwrap_or_else(|error| panic!("{gun}: {error}"))
    }

    /// The same at another time, or why it is not believed.
    pub async fn believed_at(&self, gun: &str, now: Timestamp) -> Result<Vec<RoleReport>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).repository(gun).unwrap();
        let http = self.http.clone();
        let remote = Notary::new(http, &self.url, gun, Actions::Pull, Credentials::Anonymous);
        let repository = Repository::new(gun, cache, Some(remote));
        let roles = repository.roles(now, &mut |_| {}).await?;
        for role in &roles {
            assert_eq!(role.problem, None, "{gun}: {role:?}");
        }
        Ok(roles)
    }

    /// The versions of the change feed of a repository, oldest first.
    pub async fn feed(&self, gun: &str) -> Vec<u64> {
        let path = format!("v2/{gun}/_trust/changefeed?records=10000");
        let reply = self.get(&path).await.unwrap();
        let feed: Value = serde_json::from_slice(&reply.body).unwrap();
        let records = feed["records"].as_array().unwrap().iter();
        records.map(|r| r["Version"].as_u64().unwrap()).collect()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.url.join(path).unwrap());
        request.timeout(PATIENCE)
    }
}

async fn sent(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status();
    let body = response.bytes().await?;
    Ok(Reply { status, body })
}

/// The version that a file states.
pub fn version(file: &[u8]) -> u64 {
    signed(file)["version"].as_u64().unwrap()
}

/// What was signed in a file.
pub fn signed(file: &[u8]) -> Value {
    serde_json::from_slice::<Value>(file).unwrap()["signed"].take()
}

fn named_hash(by: &[u8], role: &str) -> String {
    let signed = signed(by);
    let hash = signed["meta"][role]["hashes"]["sha256"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(hash);
    hex::encode(bytes.unwrap())
}

/// Nothing that is tested here may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
