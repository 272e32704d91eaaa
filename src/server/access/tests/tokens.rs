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

const HERE: &str = r#"Bearer realm="https://trust.example:4443/v2/_trust/token",service="trust""#;

fn at_our_host(authorization: Option<&HeaderValue>) -> Request<()> {
    let mut request = request(authorization);
    let host = HeaderValue::from_static("trust.example:4443");
    request.headers_mut().insert(HOST, host);
    request
}

/// The token that this server gives to whoever shows this, or the status and the challenge.
async fn token(
    access: &Access,
    authorization: Option<&HeaderValue>,
) -> Result<HeaderValue, (u16, String)> {
    let request = at_our_host(authorization);
    let asked = Asked::of(&request);
    let given = access.token(&asked, &peer("192.0.2.1:1"), at(0)).await;
    let given = given.map_err(|denied| {
        let challenge = denied.challenge.map(|c| c.to_str().unwrap().to_owned());
        (denied.status.as_u16(), challenge.unwrap_or_default())
    })?;
    assert_eq!(given["token"], given["access_token"]);
    Ok(format!("Bearer {}", given["token"].as_str().unwrap())
        .parse()
        .unwrap())
}

/// Who it is, or the challenge, for a client that says where it reached us.
async fn ask_here(
    access: &Access,
    authorization: Option<&HeaderValue>,
    wanted: Wanted<'_>,
    second: i64,
) -> Result<String, String> {
    let request = at_our_host(authorization);
    let asked = Asked::of(&request);
    let admitted = access
        .admit(&asked, &peer("192.0.2.1:1"), &wanted, at(second))
        .await;
    let challenge = |denied: Denied| denied.challenge.unwrap().to_str().unwrap().to_owned();
    admitted.map(|who| who.to_string()).map_err(challenge)
}

#[tokio::test]
async fn where_everybody_may_read_a_token_needs_no_password() {
    let world = World::with_users().await;
    let access = world.access(&AccessSettings::default()).sharing(b"secret");
    let catalog = format!(r#"{HERE},scope="registry:catalog:*""#);
    assert_eq!(
        ask_here(&access, None, Wanted::Catalog, 0)
            .await
            .unwrap_err(),
        catalog
    );
    let (team, app) = (
        to("docker.io/team/app", PUBLISH),
        to("docker.io/team/app", PULL),
    );

    let nobody = token(&access, None).await.unwrap();
    assert_eq!(
        ask_here(&access, Some(&nobody), app, 0).await.unwrap(),
        "anonymous"
    );
    let refused = ask_here(&access, Some(&nobody), team, 0).await.unwrap_err();
    assert_eq!(
        refused,
        format!(r#"{HERE},scope="repository:docker.io/team/app:pull,push""#)
    );

    let password = basic("nigel", &password_of("nigel"));
    let nigel = token(&access, Some(&password)).await.unwrap();
    assert_eq!(
        ask_here(&access, Some(&nigel), team, 0).await.unwrap(),
        "user nigel"
    );
    assert!(
        ask_here(&access, Some(&nigel), to("docker.io/b", PUBLISH), 0)
            .await
            .is_err()
    );
    // Another server of the same store believes it, one of another does not.
    let second = world.access(&AccessSettings::default()).sharing(b"secret");
    assert_eq!(
        ask_here(&second, Some(&nigel), team, 300).await.unwrap(),
        "user nigel"
    );
    let stranger = world.access(&AccessSettings::default());
    let invalid = r#",error="invalid_token""#;
    let refused = ask_here(&stranger, Some(&nigel), app, 0).await.unwrap_err();
    assert!(refused.ends_with(invalid), "{refused}");
    // It ends in time, and with the password.
    assert!(
        ask_here(&access, Some(&nigel), team, 301)
            .await
            .unwrap_err()
            .ends_with(invalid)
    );
    let hash = hash_password("another").unwrap();
    world
        .store
        .put_user("nigel", &hash, &[], at(0))
        .await
        .unwrap();
    assert!(
        ask_here(&access, Some(&nigel), app, 0)
            .await
            .unwrap_err()
            .ends_with(invalid)
    );
    world.store.remove_user("nigel").await.unwrap();
    assert!(
        ask_here(&access, Some(&nigel), app, 0)
            .await
            .unwrap_err()
            .ends_with(invalid)
    );
}

#[tokio::test]
async fn a_token_is_not_given_for_a_wrong_password() {
    let world = World::with_users().await;
    let access = world.access(&AccessSettings::default());
    let refused = (401, r#"Basic realm="trust""#.to_owned());
    for wrong in [basic("nigel", "x"), "Bearer x".parse().unwrap()] {
        assert_eq!(token(&access, Some(&wrong)).await.unwrap_err(), refused);
    }
    // Nor where a password is asked for at once, or others give tokens.
    for everybody in [Everybody::None, Everybody::All] {
        let access = world.access(&AccessSettings {
            anonymous: Some(everybody),
            ..AccessSettings::default()
        });
        assert_eq!(token(&access, None).await.unwrap_err(), refused);
        let wrong = basic("nigel", "x");
        let answer = ask_here(&access, Some(&wrong), Wanted::Catalog, 0).await;
        assert_eq!(answer.unwrap_err(), refused.1);
    }
}
