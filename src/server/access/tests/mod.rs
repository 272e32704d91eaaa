//! Access control as a whole, over a real store.

mod tokens;
mod users;
mod waiting;

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Request;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use tempfile::TempDir;
use trust_store::server::Right;

/// A store with some users.
struct World {
    folder: TempDir,
    store: Store,
}

impl World {
    async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/store.db", folder.path().display());
        let store = Store::open(&url).await.unwrap();
        Self { folder, store }
    }

    /// `nigel` may publish below `docker.io/team`, everybody's password is `NAME's password`.
    async fn with_users() -> Self {
        let world = Self::empty().await;
        world
            .put("nigel", "docker.io/team", &[Action::Pull, Action::Push])
            .await;
        world.put("root", "", &[Action::All]).await;
        world
    }

    async fn put(&self, name: &str, prefix: &str, actions: &[Action]) {
        let right = Right {
            prefix: prefix.into(),
            actions: actions.into(),
        };
        let hash = hash_password(&password_of(name)).unwrap();
        self.store
            .put_user(name, &hash, &[right], at(0))
            .await
            .unwrap();
    }

    fn access(&self, settings: &AccessSettings) -> Access {
        Access::new(settings, self.store.clone()).unwrap()
    }
}

fn password_of(name: &str) -> String {
    format!("{name}'s password")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn basic(name: &str, password: &str) -> HeaderValue {
    let encoded = STANDARD.encode(format!("{name}:{password}"));
    format!("Basic {encoded}").parse().unwrap()
}

fn peer(address: &str) -> Peer {
    Peer {
        address: address.parse().unwrap(),
        certificate: None,
    }
}

const PULL: &[Action] = &[Action::Pull];
const PUBLISH: &[Action] = &[Action::Pull, Action::Push];
const ALL: &[Action] = &[Action::All];

fn to<'a>(gun: &'a str, actions: &'a [Action]) -> Wanted<'a> {
    Wanted::Repository { gun, actions }
}

/// A request that does not say where it went.
fn request(authorization: Option<&HeaderValue>) -> Request<()> {
    let mut request = Request::new(());
    if let Some(value) = authorization {
        request.headers_mut().insert(AUTHORIZATION, value.clone());
    }
    request
}

/// Who it is, or the status and the challenge.
async fn ask(
    access: &Access,
    authorization: Option<&HeaderValue>,
    wanted: Wanted<'_>,
) -> Result<String, String> {
    let peer = peer("192.0.2.1:1000");
    let request = request(authorization);
    let admitted = access
        .admit(&Asked::of(&request), &peer, &wanted, at(0))
        .await;
    admitted.map(|who| who.to_string()).map_err(|denied| {
        let challenge = denied.challenge.map(|c| c.to_str().unwrap().to_owned());
        format!(
            "{} {}",
            denied.status.as_u16(),
            challenge.unwrap_or_default()
        )
    })
}

const BASIC: &str = r#"401 Basic realm="trust""#;
