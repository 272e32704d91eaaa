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
    /// The gate at this address, else at the usual one of this machine.
    pub(super) fn address(&self, url: Option<&str>) -> Result<GateAddress, Failure> {
        let usual = match self.gate_ca {
            Some(_) => HERE_WITH_TLS,
            None => HERE,
        };
        let mut gate = GateAddress::parse(url.unwrap_or(usual))?;
        gate.ca.clone_from(&self.gate_ca);
        gate.client = self.client_cert.clone().zip(self.client_key.clone());
        Ok(gate)
    }
}

/// The header that holds the first line of a file.
pub(super) fn secret(file: &Path) -> Result<(String, String), Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::wrong(format!("cannot read {}: {error}", file.display())))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || line.chars().any(|letter| !(' '..='~').contains(&letter)) {
        let words = format!("{} begins with no line of plain text", file.display());
        return Err(Failure::wrong(words));
    }
    Ok((SECRET.to_owned(), line.to_owned()))
}

/// The header by which the proxy knows its clients.
const SECRET: &str = "X-Trust-Gate-Secret";
/// Where a proxy on the same machine listens if nothing else is said.
const HERE: &str = "http://127.0.0.1:8443";
const HERE_WITH_TLS: &str = "https://127.0.0.1:8443";
