//! Options that say where the gate's proxy is.

use crate::cli::failure::Failure;
use std::path::{Path, PathBuf};
use trust::gate::install::GateAddress;

/// How engines reach the proxy.
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Gate")]
pub(super) struct GateArgs {
    /// Authority of the proxy's certificate
    #[arg(long, value_name = "FILE")]
    gate_ca: Option<PathBuf>,
    /// Certificate that the engine shows the proxy
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Key of that certificate
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

impl GateArgs {
    /// The gate at this address.
    pub(super) fn address(&self, url: &str) -> Result<GateAddress, Failure> {
        let mut gate = GateAddress::parse(url)?;
        gate.ca.clone_from(&self.gate_ca);
        gate.client = self.client_cert.clone().zip(self.client_key.clone());
        Ok(gate)
    }
}

/// The header in a file, as `NAME: VALUE`.
pub(super) fn header(file: &Path) -> Result<(String, String), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::wrong(format!("cannot read {}: {error}", file.display())))?;
    let (name, value) = text.trim().split_once(':').unwrap_or_default();
    let (name, value) = (name.trim(), value.trim());
    let token = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let good = !name.is_empty() && name.chars().all(token) && !value.is_empty();
    if !good || value.chars().any(|letter| !(' '..='~').contains(&letter)) {
        let words = format!("{} holds no line NAME: VALUE", file.display());
        return Err(Failure::wrong(words));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Where a proxy on the same machine listens if nothing else is said.
pub(super) const HERE: &str = "https://127.0.0.1:8443";
