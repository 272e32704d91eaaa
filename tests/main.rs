//! Promises that need no peer: one file each.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    unreachable_pub,
    reason = "a test fails by panicking, and its binary exports nothing"
)]

mod attacks;
mod bad_input;
mod cli;
mod custody;
mod deciding;
mod decisions;
mod doctor;
mod editing;
mod gate_admission;
mod gate_authz;
mod gate_containerd;
mod gate_decisions;
mod gate_install;
mod gate_proxy;
mod layout;
mod notary_files;
mod pages;
mod policy;
mod refused_publishes;
mod sealed_files;
mod server;
mod spec;
mod world;
