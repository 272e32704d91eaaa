//! A whole trust server in memory, with its keys and its clock: honest until a test says otherwise.

mod client;
mod hosted;
mod notary;
mod person;
mod publisher;
mod server;

pub use client::Client;
pub use hosted::{BOUNDARY, form};
pub use notary::NotaryServer;
pub use person::{Person, request};
pub use publisher::{Key, Publisher};
pub use server::{Answer, Server};

/// The moment at which every test happens.
pub fn now() -> jiff::Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// So many days from [`now`], or before it.
pub fn days(days: i64) -> jiff::Timestamp {
    now() + jiff::SignedDuration::from_hours(24 * days)
}

/// The repository of every test.
pub const GUN: &str = "registry.test:5000/team/app";

/// The tag that is signed in it.
pub const TAG: &str = "1.0";

/// The image of every test.
pub fn image() -> trust::reference::ImageReference {
    format!("{GUN}:{TAG}").parse().unwrap()
}

/// Decides by this repository, once.
pub fn deciding(repository: trust::repository::Repository) -> trust::repository::Decider {
    let once = std::sync::Mutex::new(Some(repository));
    trust::repository::Decider::opening(move |_, _| {
        let repository = once.lock().unwrap().take().unwrap();
        Box::pin(async { Ok(repository) })
    })
}
