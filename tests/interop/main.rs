//! Promises kept against the real programs: docker, notary, notary-server,
//! notary-signer, docker-registry, dockerd, skopeo and Chromium, each started on loopback for one test.
//! A missing program is a failure that says how to install it.
#![forbid(unsafe_code)]
// Helpers outside `#[test]` bodies are test code too: a broken lab must stop the test loudly.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![allow(clippy::disallowed_methods, clippy::print_stderr)]

mod peers;
#[path = "../world/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the other tests use the rest"
)]
mod world;

mod authentication;
mod both_directions;
mod disk;
mod from_notary;
mod gate_authz;
mod gate_containerd;
mod gate_hook;
mod gate_proxy;
mod in_turn;
mod interrupted;
mod key_custody;
mod lab_itself;
mod multi_arch;
mod no_terminal;
mod nothing_lost;
mod pages;
mod people;
mod pinning;
mod plugin;
mod pull;
mod raw_requests;
mod recovery;
mod renewal;
mod root_certificate;
mod root_rotation;
mod rotation;
mod same_output;
mod same_script;
mod server_store;
mod tokens;
mod transcript;
