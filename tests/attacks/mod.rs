//! Attacks are refused with the right reason, and what was trusted stays as it was.

mod bytes;
mod delegations;
mod mutations;
mod roots;
mod signatures;
mod time;

use crate::world::{Client, Publisher, Server};
use trust::policy::Reason;

/// What an attacker does: to the repository before it is published, to the served files after.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) before: fn(&mut Publisher),
    pub(crate) after: fn(&Publisher, &Server),
    pub(crate) expected: Reason,
}

/// The attacks that somebody who publishes can try as well, by kind.
pub(crate) fn of_publishers() -> Vec<(&'static str, Vec<Attack>)> {
    vec![
        ("altered bytes", bytes::altered_bytes()),
        ("circles and depths", delegations::circles()),
        ("outside its paths", delegations::outside_paths()),
        ("strangers", roots::strangers()),
        ("one key twice", signatures::one_key_twice()),
        ("other keys", signatures::other_keys()),
        ("revoked keys", signatures::revoked_keys()),
        ("expired", time::expired()),
        ("older", time::older()),
    ]
}

/// Those that have nothing to do with time, and are not about what a role may say of tags.
pub(crate) fn all_but_dates() -> Vec<Attack> {
    let mut all = of_publishers();
    all.retain(|(kind, _)| !["expired", "outside its paths"].contains(kind));
    all.into_iter().flat_map(|(_, attacks)| attacks).collect()
}

fn nothing(_: &mut Publisher) {}

fn nothing_after(_: &Publisher, _: &Server) {}

/// An honest state is trusted; then the attack is served as its successor.
async fn refused(attacks: &[Attack]) {
    for attack in attacks {
        let (server, mut publisher, mut client) =
            (Server::start().await, Publisher::new(), Client::new());
        publisher.publish(&server);
        assert_eq!(
            client.reason(&server).await,
            None,
            "{}: honest",
            attack.name
        );
        let kept = client.kept();
        publisher.advance();
        (attack.before)(&mut publisher);
        publisher.publish(&server);
        (attack.after)(&publisher, &server);
        let decision = client.decide(&server).await;
        let message = decision.judgement.message;
        assert_eq!(
            decision.judgement.reason,
            Some(attack.expected),
            "{}: {message}",
            attack.name
        );
        if decision.state.is_none() {
            assert!(
                client.kept() == kept,
                "{}: what was kept has changed",
                attack.name
            );
        }
        // A machine that sees the attack first does not believe it either.
        let first = Client::new().reason(&server).await;
        assert!(
            first.is_some() || TRUST_ON_FIRST_USE.contains(&attack.expected),
            "{}",
            attack.name
        );
    }
}

/// What only somebody who was there before can notice.
const TRUST_ON_FIRST_USE: [Reason; 2] = [Reason::Rollback, Reason::RootMismatch];

#[tokio::test]
async fn without_an_attack_the_successor_is_trusted() {
    let (server, mut publisher, mut client) =
        (Server::start().await, Publisher::new(), Client::new());
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    publisher.advance();
    publisher.publish(&server);
    assert_eq!(client.reason(&server).await, None);
    server.asked();
    assert_eq!(client.reason(&server).await, None);
    assert_eq!(server.asked(), ["timestamp.json"], "nothing else changed");
}
