//! Bad input ends soon, with the right exit code and one clear line: what was being done, what is wrong,
//! and where there is one, what to do.
//!
//! Every case is a command line and a snapshot of all it prints, results behind `| `, then its exit
//! code. `SNAPSHOTS=overwrite cargo test bad_input` writes the snapshots anew, to be read by a person.

#![allow(clippy::too_many_lines, reason = "a table is as long as it is")]

mod arguments;
mod configuration;
mod folders;
mod key_files;
mod machine;
mod names;
mod public_keys;
mod published;
mod registries;
mod server;
mod servers;
mod tls;

pub use machine::{Case, Machine};
pub use server::{Answer, Certificate, Server};

/// Keys and certificates made by OpenSSL, good and refused; every passphrase is `passphrase`.
fn openssl(name: &str) -> Vec<u8> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/trust-store/tests/fixtures/openssl"
    );
    std::fs::read(format!("{folder}/{name}.pem")).unwrap()
}
