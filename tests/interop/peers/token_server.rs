//! A token server as registries have: it knows people, looks at what they ask
//! for, and signs what they may do (distribution token protocol).

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use axum_server::tls_rustls::RustlsConfig;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::form_urlencoded;

use super::http::Http;

/// A running token server with a certificate of the lab's authority.
pub(crate) struct TokenServer {
    realm: String,
    bundle: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

/// One who has a name, a password and perhaps an identity token.
struct Person {
    name: &'static str,
    password: &'static str,
    identity: &'static str,
    may: &'static [&'static str],
}

#[derive(Clone)]
struct Office {
    asked: Arc<Mutex<Vec<String>>>,
    signer: Arc<Signer>,
}

struct Signer {
    key: EcdsaKeyPair,
    certificate: String,
}

type Reply = (StatusCode, Json<Value>);

impl TokenServer {
    /// Starts with the pair `tokens.crt` and `tokens.key` in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let asked = Arc::new(Mutex::default());
        let office = Office {
            asked: Arc::clone(&asked),
            signer: Arc::new(Signer::read(folder)),
        };
        let router = Router::new()
            .route("/token", get(with_password).post(with_identity))
            .with_state(office);
        let runtime = Runtime::new().expect("a runtime");
        let address = runtime.block_on(serve(router, folder));
        Self {
            realm: format!("https://{address}/token"),
            bundle: folder.join("ca.crt"),
            asked,
            _runtime: runtime,
        }
    }

    /// The `auth` part of a notary-server configuration.
    pub(crate) fn as_notary_option(&self) -> Value {
        json!({
            "type": "token",
            "options": {
                "realm": self.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": self.bundle,
            },
        })
    }

    /// The `[access]` part of a `trust server` configuration.
    pub(crate) fn as_trust_option(&self) -> String {
        let (realm, bundle) = (&self.realm, self.bundle.display().to_string());
        format!(
            "[access]\nanonymous = \"none\"\n[access.token]\nrealm = {realm:?}\n\
             service = {SERVICE:?}\nissuer = {ISSUER:?}\ncertificates = [{bundle:?}]\n"
        )
    }

    /// A token for a person, or for anybody else who shows nothing; `ca` vouches for this server.
    pub(crate) fn token_for(&self, name: &str, scope: &str, ca: &Path) -> String {
        let shown = PEOPLE.iter().find(|it| it.name == name).map(Person::basic);
        let headers: Vec<(&str, &str)> = shown
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("account", name), ("service", SERVICE), ("scope", scope)])
            .finish();
        let url = format!("{}?{query}", self.realm);
        let answer = Http::new(Some(ca)).get(&url, &headers).expect("an answer");
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// Each different question since the last call, sorted, as `METHOD who scope`.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked.dedup();
        asked
    }
}

/// Serves on loopback from now until the runtime ends; the address.
async fn serve(router: Router, folder: &Path) -> SocketAddr {
    trust::tls::install_provider();
    let (certificate, key) = (folder.join("tokens.crt"), folder.join("tokens.key"));
    let config = RustlsConfig::from_pem_file(certificate, key).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a listener");
    let server = axum_server::from_tcp_rustls(listener, config.expect("a certificate"));
    let server = server.expect("a server");
    tokio::spawn(async move { server.serve(router.into_make_service()).await });
    address
}

/// `GET`: whoever shows nothing is anonymous and gets a token, mostly for nothing.
async fn with_password(
    State(office): State<Office>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Reply {
    let query = query.unwrap_or_default();
    let shown = headers.get("authorization").map(|it| it.to_str().unwrap());
    let account = field(&query, "account");
    office.note("GET", &account, &query);
    let Some(shown) = shown else {
        return office.grant("", anybody_may(&query), &query);
    };
    match PEOPLE.iter().find(|it| shown == it.basic()) {
        Some(person) if person.name == account => office.grant(person.name, person.may, &query),
        _ => refusal(),
    }
}

/// `POST`: an identity token instead of a password.
async fn with_identity(State(office): State<Office>, form: String) -> Reply {
    let shown = field(&form, "refresh_token");
    office.note("POST", &field(&form, "client_id"), &form);
    let known = PEOPLE.iter().find(|it| it.identity == shown);
    match known {
        Some(person) if field(&form, "grant_type") == "refresh_token" => {
            office.grant(person.name, person.may, &form)
        }
        _ => refusal(),
    }
}

/// What is below `public` may be read by all.
fn anybody_may(form: &str) -> &'static [&'static str] {
    let public = field(form, "scope").contains("/public/");
    if public { &["pull"] } else { &[] }
}

fn refusal() -> Reply {
    let body = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "who are you?" }] });
    (StatusCode::UNAUTHORIZED, Json(body))
}

impl Office {
    fn note(&self, method: &str, who: &str, form: &str) {
        let line = format!("{method} {who} {}", field(form, "scope"));
        self.asked.lock().unwrap().push(line);
    }

    /// A token for what was asked for and is allowed; that may be nothing.
    fn grant(&self, name: &str, may: &[&str], form: &str) -> Reply {
        let scope = field(form, "scope");
        let (resource, actions) = scope.rsplit_once(':').unwrap_or_default();
        let (kind, repository) = resource.split_once(':').unwrap_or_default();
        let actions: Vec<&str> = actions.split(',').filter(|it| may.contains(it)).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let claims = json!({
            "iss": ISSUER,
            "sub": name,
            "aud": field(form, "service"),
            "nbf": now.as_secs() - 1,
            "iat": now.as_secs(),
            "exp": now.as_secs() + 300,
            "jti": "1",
            "access": [{ "type": kind, "name": repository, "actions": actions }],
        });
        let token = self.signer.sign(&claims);
        let body = json!({ "access_token": token, "token": token, "expires_in": 300 });
        (StatusCode::OK, Json(body))
    }
}

impl Signer {
    fn read(folder: &Path) -> Self {
        let file = |name| fs::read(folder.join(name)).expect("a file of the lab");
        let pem = |bytes: Vec<u8>| pem::parse(bytes).expect("a PEM file").into_contents();
        let key = pem(file("tokens.key"));
        let random = SystemRandom::new();
        Self {
            key: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random)
                .expect("a P-256 key"),
            certificate: BASE64_STANDARD.encode(pem(file("tokens.crt"))),
        }
    }

    /// A JSON web token whose header carries the certificate of its key.
    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [self.certificate] });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.expect("a signature"));
        format!("{signed}.{signature}")
    }
}

impl Person {
    fn basic(&self) -> String {
        let pair = format!("{}:{}", self.name, self.password);
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }
}

fn field(form: &str, wanted: &str) -> String {
    form_urlencoded::parse(form.as_bytes())
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

const SERVICE: &str = "lab trust server";
const ISSUER: &str = "lab tokens";
const PEOPLE: [Person; 2] = [
    Person {
        name: "nigel",
        password: "horse: battery",
        identity: "nigel/identity+token=",
        may: &["pull", "push", "*"],
    },
    Person {
        name: "guest",
        password: "welcome",
        identity: "guest/identity+token=",
        may: &["pull"],
    },
];
