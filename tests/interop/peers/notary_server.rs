//! Debian's notary-server: TLS, metadata in memory, timestamp and snapshot keys of its own.

use std::{fs, path::Path};

use super::{
    http::Http,
    service::{NotReady, Service, on_a_free_port},
    token_server::TokenServer,
};

/// A running trust server.
pub(crate) struct NotaryServer {
    /// `127.0.0.1:PORT`.
    pub(crate) host: String,
    _service: Service,
}

impl NotaryServer {
    /// Starts in `folder`, where `ca.crt`, `server.crt` and `server.key` already are.
    ///
    /// With a token server it lets in only whom that one vouches for.
    pub(crate) fn start(folder: &Path, tokens: Option<&TokenServer>) -> Self {
        on_a_free_port(|port| start_on(port, folder, tokens))
    }

    /// The address clients are given.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.host)
    }
}

fn start_on(
    port: u16,
    folder: &Path,
    tokens: Option<&TokenServer>,
) -> Result<NotaryServer, NotReady> {
    let host = format!("127.0.0.1:{port}");
    let mut configuration = serde_json::json!({
        "server": {
            "http_addr": host,
            "tls_cert_file": folder.join("server.crt"),
            "tls_key_file": folder.join("server.key"),
        },
        "trust_service": { "type": "local" },
        "storage": { "backend": "memory" },
        "logging": { "level": "error" },
    });
    if let Some(tokens) = tokens {
        configuration["auth"] = tokens.as_notary_option();
    }
    let file = folder.join("notary-server.json");
    fs::write(&file, configuration.to_string()).expect("a configuration file");
    let file = file.to_str().expect("a UTF-8 path");
    let mut service = Service::start(
        "notary-server",
        &["-config", file],
        &folder.join("notary-server.log"),
    );
    // Only our own server has a certificate of this lab's authority.
    let http = Http::new(Some(&folder.join("ca.crt")));
    let health = format!("https://{host}/_notary_server/health");
    service.wait_until(|| {
        http.get(&health, &[])
            .is_some_and(|answer| answer.status == 200)
    })?;
    Ok(NotaryServer {
        host,
        _service: service,
    })
}
