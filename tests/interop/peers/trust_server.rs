//! Our own trust server, as `trust server run` starts it.

use std::{fs, path::Path, process::Command};

use super::{program, server::Options, service::Service, token_server::TokenServer};

/// Its `127.0.0.1:PORT`, and the process.
pub(crate) fn start(folder: &Path, options: Options<'_>) -> (String, Service) {
    let own = tempfile::Builder::new()
        .prefix("trust-server")
        .tempdir_in(folder)
        .expect("a folder")
        .keep();
    let settings = settings(options, folder);
    if !settings.is_empty() {
        fs::write(own.join("server.toml"), settings).expect("a configuration file");
    }
    let mut command = Command::new(program::trust());
    command
        .args(["server", "run", "--listen", "127.0.0.1:0", "--dir"])
        .arg(&own)
        .arg("--tls-cert")
        .arg(folder.join("server.crt"))
        .arg("--tls-key")
        .arg(folder.join("server.key"));
    let log = own.join("log");
    let mut service = Service::start_command("trust server", &command, &log);
    let ready = service.wait_until(|| address(&said(&log)).is_some());
    assert!(ready.is_ok(), "no address in\n{}", said(&log));
    (address(&said(&log)).expect("an address"), service)
}

fn said(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

/// `HOST:PORT` from the line `listening on https://HOST:PORT`.
fn address(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("listening on https://")?;
    let (address, _) = rest.split_once('\n')?;
    Some(address.trim().to_owned())
}

/// Without options, there is no configuration to be written.
fn settings(options: Options<'_>, folder: &Path) -> String {
    let tokens = options.tokens.map(TokenServer::as_trust_option);
    let prefixes = match options.prefixes {
        [] => String::new(),
        some => format!("[repositories]\nprefixes = {some:?}\n"),
    };
    let clients = if options.client_certificates {
        format!(
            "[tls]\nclient_ca = \"{}\"\n",
            folder.join("ca.crt").display()
        )
    } else {
        String::new()
    };
    tokens.unwrap_or_default() + &prefixes + &clients
}
