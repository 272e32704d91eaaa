//! Tokens of a token server.

use super::*;
use crate::server::access::token::tests::Signer;
use crate::server::settings::access::TokenSettings;
use serde_json::{Value, json};

#[tokio::test]
async fn tokens_are_asked_for_as_docker_does() {
    let world = World::with_users().await;
    let signer = Signer::new("ES256");
    let file = world.folder.path().join("key.pem");
    trust_store::write_atomic(&file, signer.pem().as_bytes(), 0o600).unwrap();
    let settings = AccessSettings {
        anonymous: Some(Everybody::None),
        token: Some(TokenSettings {
            realm: "https://auth.example/token".into(),
            service: "trust.example".into(),
            issuer: "auth.example".into(),
            keys: vec![file],
            certificates: vec![],
        }),
        ..AccessSettings::default()
    };
    let access = world.access(&settings);
    let token = |access: Value, lasts: i64| -> HeaderValue {
        let claims = json!({
            "iss": "auth.example", "aud": "trust.example", "sub": "ci",
            "exp": at(lasts).as_second(), "access": access,
        });
        let header = json!({"kid": signer.kid()});
        format!("Bearer {}", signer.token(header, &claims))
            .parse()
            .unwrap()
    };
    let scope = json!([{"type": "repository", "name": "docker.io/a", "actions": ["pull", "push"]}]);
    let good = token(scope.clone(), 60);
    let start = r#"401 Bearer realm="https://auth.example/token",service="trust.example""#;
    let pull = r#",scope="repository:docker.io/b:pull""#;
    let expired = token(scope, -61);
    let catalog = token(
        json!([{"type": "registry", "name": "catalog", "actions": ["*"]}]),
        60,
    );
    for (header, wanted, expected) in [
        (
            Some(&good),
            to("docker.io/a", PUBLISH),
            Ok("token ci".to_owned()),
        ),
        (
            Some(&good),
            to("docker.io/a", ALL),
            Err(format!(
                r#"{start},scope="repository:docker.io/a:*",error="insufficient_scope""#
            )),
        ),
        (
            Some(&good),
            to("docker.io/b", PULL),
            Err(format!("{start}{pull},error=\"insufficient_scope\"")),
        ),
        (
            Some(&expired),
            to("docker.io/b", PULL),
            Err(format!("{start}{pull},error=\"invalid_token\"")),
        ),
        (None, to("docker.io/b", PULL), Err(format!("{start}{pull}"))),
        (
            None,
            Wanted::Catalog,
            Err(format!(r#"{start},scope="registry:catalog:*""#)),
        ),
        (
            Some(&good),
            Wanted::Catalog,
            Err(format!(
                r#"{start},scope="registry:catalog:*",error="insufficient_scope""#
            )),
        ),
        (Some(&catalog), Wanted::Catalog, Ok("token ci".to_owned())),
        (Some(&good), Wanted::Pages, Ok("token ci".to_owned())),
        (
            Some(&basic("nigel", &password_of("nigel"))),
            Wanted::Catalog,
            Ok("user nigel".to_owned()),
        ),
        (
            Some(&basic("nigel", "x")),
            Wanted::Catalog,
            Err(format!(r#"{start},scope="registry:catalog:*""#)),
        ),
    ] {
        assert_eq!(ask(&access, header, wanted).await, expected, "{wanted:?}");
    }
}
