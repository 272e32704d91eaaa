//! Users, certificates, and those who say nothing.

use super::*;
use rcgen::{CertificateParams, DnType, KeyPair};

#[tokio::test]
async fn everything_is_open_until_there_is_a_user() {
    let world = World::empty().await;
    let access = world.access(&AccessSettings::default());
    assert!(access.is_open().await.unwrap());
    for wanted in [to("a", PULL), to("a", ALL), Wanted::Catalog, Wanted::Pages] {
        assert_eq!(ask(&access, None, wanted).await.unwrap(), "anonymous");
    }
    world.put("nigel", "docker.io/team", PUBLISH).await;
    assert!(!access.is_open().await.unwrap());
    assert_eq!(
        ask(&access, None, to("a", PULL)).await.unwrap(),
        "anonymous"
    );
    assert_eq!(
        ask(&access, None, Wanted::Pages).await.unwrap(),
        "anonymous"
    );
    for wanted in [to("a", PUBLISH), to("a", ALL), Wanted::Catalog] {
        assert_eq!(ask(&access, None, wanted).await.unwrap_err(), BASIC);
    }
    let closed = AccessSettings {
        certificates: true,
        ..AccessSettings::default()
    };
    let access = World::empty().await.access(&closed);
    assert!(!access.is_open().await.unwrap());
}

#[tokio::test]
async fn users_may_what_their_rights_say() {
    let world = World::with_users().await;
    let settings = AccessSettings {
        anonymous: Some(Everybody::None),
        realm: "the \"server\"".into(),
        ..AccessSettings::default()
    };
    let access = world.access(&settings);
    let nigel = basic("nigel", &password_of("nigel"));
    let root = basic("root", &password_of("root"));
    let refused = r#"401 Basic realm="the \"server\"""#;
    for (header, wanted, expected) in [
        (
            Some(&nigel),
            to("docker.io/team/app", PUBLISH),
            Ok("user nigel"),
        ),
        (Some(&nigel), to("docker.io/team", PULL), Ok("user nigel")),
        (Some(&nigel), to("docker.io/team/app", ALL), Err(refused)),
        (Some(&nigel), to("docker.io/teams/app", PULL), Err(refused)),
        (Some(&nigel), Wanted::Catalog, Ok("user nigel")),
        (Some(&nigel), Wanted::Pages, Ok("user nigel")),
        (Some(&root), to("anything", ALL), Ok("user root")),
        (None, to("docker.io/team/app", PULL), Err(refused)),
        (None, Wanted::Pages, Err(refused)),
        (
            Some(&basic("nigel", "x")),
            to("docker.io/team/app", PULL),
            Err(refused),
        ),
        (
            Some(&basic("Nigel", "x")),
            to("docker.io/team/app", PULL),
            Err(refused),
        ),
        (
            Some(&basic("", "")),
            to("docker.io/team/app", PULL),
            Err(refused),
        ),
        (
            Some(&basic(&"x".repeat(300), "x")),
            Wanted::Catalog,
            Err(refused),
        ),
        (Some(&basic("\0", "x")), Wanted::Catalog, Err(refused)),
        (
            Some(&"Bearer x".parse().unwrap()),
            Wanted::Catalog,
            Err(refused),
        ),
        (
            Some(&"Digest x".parse().unwrap()),
            Wanted::Catalog,
            Err(refused),
        ),
    ] {
        let answer = ask(&access, header, wanted).await;
        let answer = answer.as_deref().map_err(String::as_str);
        assert_eq!(answer, expected, "{wanted:?}");
    }
    let peer = peer("192.0.2.1:1000");
    let who = access
        .admit(
            &Asked::of(&request(Some(&nigel))),
            &peer,
            &Wanted::Catalog,
            at(0),
        )
        .await
        .unwrap();
    assert!(who.may_read("docker.io/team/app") && !who.may_read("docker.io/other"));
}

#[tokio::test]
async fn wrong_credentials_are_refused_where_none_are_needed() {
    let world = World::with_users().await;
    let settings = AccessSettings {
        anonymous: Some(Everybody::All),
        ..AccessSettings::default()
    };
    let access = world.access(&settings);
    for wrong in [
        basic("nigel", "x"),
        "Bearer x".parse().unwrap(),
        "x".parse().unwrap(),
    ] {
        let refused = ask(&access, Some(&wrong), to("a", PULL)).await;
        assert_eq!(refused.unwrap_err(), BASIC);
    }
    let right = basic("nigel", &password_of("nigel"));
    assert!(ask(&access, Some(&right), to("a", ALL)).await.is_ok());
}

#[tokio::test]
async fn a_changed_user_counts_at_once() {
    let world = World::with_users().await;
    let access = world.access(&AccessSettings::default());
    let nigel = basic("nigel", &password_of("nigel"));
    let wanted = to("docker.io/team/app", PUBLISH);
    ask(&access, Some(&nigel), wanted).await.unwrap();
    world.put("nigel", "docker.io/other", PUBLISH).await;
    ask(&access, Some(&nigel), wanted).await.unwrap_err();
    let other = to("docker.io/other/app", PUBLISH);
    ask(&access, Some(&nigel), other).await.unwrap();
    let hash = hash_password("another").unwrap();
    world
        .store
        .put_user("nigel", &hash, &[], at(0))
        .await
        .unwrap();
    ask(&access, Some(&nigel), other).await.unwrap_err();
    ask(&access, Some(&basic("nigel", "another")), Wanted::Catalog)
        .await
        .unwrap();
    world.store.remove_user("nigel").await.unwrap();
    ask(&access, Some(&basic("nigel", "another")), Wanted::Catalog)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_certificate_names_a_user() {
    let world = World::with_users().await;
    let certificate = |name: &str| {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Peer {
            certificate: Some(made.der().to_vec().into()),
            ..peer("192.0.2.1:1")
        }
    };
    let settings = AccessSettings {
        anonymous: Some(Everybody::None),
        certificates: true,
        ..AccessSettings::default()
    };
    let wanted = to("docker.io/team/app", PUBLISH);
    let access = world.access(&settings);
    let ask = async |access: &Access, peer: &Peer, header: Option<&HeaderValue>| {
        let admitted = access
            .admit(&Asked::of(&request(header)), peer, &wanted, at(0))
            .await;
        admitted
            .map(|who| who.to_string())
            .map_err(|denied| denied.status.as_u16())
    };
    assert_eq!(
        ask(&access, &certificate("nigel"), None).await.unwrap(),
        "certificate nigel"
    );
    assert_eq!(ask(&access, &certificate("stranger"), None).await, Err(401));
    assert_eq!(ask(&access, &certificate(""), None).await, Err(401));
    // A password says more than a certificate.
    let root = basic("root", &password_of("root"));
    assert_eq!(
        ask(&access, &certificate("nigel"), Some(&root))
            .await
            .unwrap(),
        "user root"
    );
    let ignoring = AccessSettings {
        certificates: false,
        ..settings
    };
    let access = world.access(&ignoring);
    assert_eq!(ask(&access, &certificate("nigel"), None).await, Err(401));
}

#[tokio::test]
async fn without_a_store_nobody_is_known() {
    let world = World::with_users().await;
    let access = world.access(&AccessSettings::default());
    world.store.close().await;
    let nigel = basic("nigel", &password_of("nigel"));
    assert_eq!(
        ask(&access, Some(&nigel), to("a", PULL)).await.unwrap_err(),
        "503 "
    );
    assert_eq!(
        ask(&access, None, to("a", PUBLISH)).await.unwrap_err(),
        "503 "
    );
    assert!(ask(&access, None, to("a", PULL)).await.is_ok());
}
