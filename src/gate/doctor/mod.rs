//! `trust doctor`: what on a host is not enforced, in the manner of Docker Bench.
//!
//! [`look`] gathers facts; every check is a pure function of them, so that tests make up hosts.

mod checks;
mod expiries;
mod host;
mod look;
mod report;

pub use checks::examine;
pub use expiries::{Expiry, expiries};
pub use host::{GateFact, Host, KeyFact, Version};
pub use look::{Where, look};
pub use report::{Check, Level, Outcome, Report, Section};
