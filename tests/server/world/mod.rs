//! Real servers, and people who publish to them as fast as they can.

pub mod api;
pub mod ledger;
pub mod load;
pub mod place;
pub mod repo;

use std::env;

/// `name` from the environment, or a number that suits every day.
pub fn asked(name: &str, everyday: u32) -> u32 {
    let asked = env::var(name).ok();
    asked.map_or(everyday, |number| {
        number
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number"))
    })
}
