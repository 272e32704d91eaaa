//! The real programs on the other side, one file each, and the lab that
//! joins them.

pub(crate) mod authz;
pub(crate) mod certificate;
pub(crate) mod chromium;
pub(crate) mod containerd;
pub(crate) mod docker_cli;
pub(crate) mod engine;
pub(crate) mod gate_proxy;
pub(crate) mod home;
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod lab;
pub(crate) mod notary_cli;
pub(crate) mod notary_server;
pub(crate) mod notary_signer;
pub(crate) mod past;
#[path = "../../../trust-store/tests/server_store/world/postgres.rs"]
#[allow(dead_code, reason = "its other tests stop and share it")]
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod registry;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod skopeo;
#[path = "../../../trust-store/tests/tokens/softhsm.rs"]
#[allow(dead_code, reason = "its other tests look into tokens")]
pub(crate) mod softhsm;
pub(crate) mod terminal;
pub(crate) mod token_server;
pub(crate) mod trust_server;
