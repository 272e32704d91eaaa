//! What passwords cost, and who has to wait.

use super::*;
use crate::quantity::Period;
use crate::server::settings::access::FailureSettings;
use std::time::Duration;

#[tokio::test]
async fn passwords_are_checked_once_in_a_while() {
    let world = World::with_users().await;
    let access = world.access(&AccessSettings::default());
    let nigel = basic("nigel", &password_of("nigel"));
    ask(&access, Some(&nigel), Wanted::Catalog).await.unwrap();
    let begun = std::time::Instant::now();
    for _ in 0..200 {
        ask(&access, Some(&nigel), Wanted::Catalog).await.unwrap();
    }
    // 200 argon2 hashes take several seconds.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

fn failures(burst: u32, seconds: u64) -> AccessSettings {
    AccessSettings {
        failures: FailureSettings {
            burst,
            every: Period::seconds(seconds),
        },
        ..AccessSettings::default()
    }
}

async fn status(access: &Access, from: &str, header: &HeaderValue, second: i64) -> (u16, u64) {
    let wanted = Wanted::Catalog;
    match access
        .admit(
            &Asked::of(&request(Some(header))),
            &peer(from),
            &wanted,
            at(second),
        )
        .await
    {
        Ok(_) => (200, 0),
        Err(denied) => (
            denied.status.as_u16(),
            denied.retry_after.unwrap_or_default(),
        ),
    }
}

#[tokio::test]
async fn an_address_that_fails_has_to_wait() {
    let world = World::with_users().await;
    let access = world.access(&failures(3, 30));
    let nigel = basic("nigel", &password_of("nigel"));
    let here = "[2001:db8::1]:1";
    // Succeeding is not failing.
    for _ in 0..10 {
        assert_eq!(status(&access, here, &nigel, 0).await, (200, 0));
    }
    for number in 0..3 {
        let wrong = basic(&format!("name{number}"), "x");
        assert_eq!(status(&access, here, &wrong, 0).await, (401, 0));
    }
    // A right password waits as well, from a neighbour's address too.
    for second in [0, 10] {
        let wait = u64::try_from(30 - second).unwrap();
        let same = "[2001:db8::2:3:4:5]:1";
        assert_eq!(status(&access, same, &nigel, second).await, (429, wait));
    }
    assert_eq!(
        status(&access, "[2001:db8:0:1::1]:1", &nigel, 0).await,
        (200, 0)
    );
    assert_eq!(status(&access, here, &nigel, 30).await, (200, 0));
    // Who shows no password is not asked to wait.
    let anonymous = access
        .admit(
            &Asked::of(&request(None)),
            &peer(here),
            &to("a", PULL),
            at(0),
        )
        .await;
    assert!(anonymous.is_ok());
}

#[tokio::test]
async fn a_name_that_is_guessed_at_has_to_wait_from_anywhere() {
    let world = World::with_users().await;
    let access = world.access(&failures(3, 30));
    let right = basic("nigel", &password_of("nigel"));
    // Known before, and not locked out by others' guesses.
    let root = basic("root", &password_of("root"));
    assert_eq!(status(&access, "192.0.2.9:1", &root, 0).await, (200, 0));
    for name in ["nigel", "root", "nobody"] {
        for number in 0..3 {
            let from = format!("192.0.2.{}:1", 10 + number + name.len() * 10);
            assert_eq!(status(&access, &from, &basic(name, "x"), 0).await, (401, 0));
        }
        let wrong = basic(name, "y");
        assert_eq!(
            status(&access, "198.51.100.1:1", &wrong, 0).await,
            (429, 30),
            "{name}"
        );
    }
    assert_eq!(
        status(&access, "198.51.100.1:1", &right, 0).await,
        (429, 30)
    );
    assert_eq!(status(&access, "192.0.2.9:1", &root, 0).await, (200, 0));
    assert_eq!(
        status(&access, "198.51.100.1:1", &right, 30).await,
        (200, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_one_login_or_as_many_failures() {
    let world = World::with_users().await;
    let access = std::sync::Arc::new(world.access(&failures(3, 30)));
    let together = |name: &'static str, password: String, differ: bool| {
        let asking: Vec<_> = (0..12)
            .map(|number| {
                let tail = if differ {
                    number.to_string()
                } else {
                    String::new()
                };
                let header = basic(name, &format!("{password}{tail}"));
                let access = std::sync::Arc::clone(&access);
                tokio::spawn(async move { status(&access, "192.0.2.7:1", &header, 0).await.0 })
            })
            .collect();
        async move {
            let mut all = Vec::new();
            for answer in asking {
                all.push(answer.await.unwrap());
            }
            all.sort_unstable();
            all
        }
    };
    let right = together("nigel", password_of("nigel"), false).await;
    assert_eq!(right, [200; 12]);
    let wrong = together("nigel", "x".into(), true).await;
    assert_eq!(
        wrong.iter().filter(|status| **status == 401).count(),
        3,
        "{wrong:?}"
    );
    assert_eq!(wrong.last(), Some(&429));
}
