//! Debian's notary-server: TLS, and timestamp and snapshot keys of its own.

use std::{fs, path::Path};

use serde_json::json;

use super::{
    http::Http,
    server::Options,
    service::{NotReady, Service, on_a_free_port},
};

/// Its `127.0.0.1:PORT`, and the process.
pub(crate) fn start(folder: &Path, options: Options<'_>) -> (String, Service) {
    on_a_free_port(|port| start_on(port, folder, options))
}

fn start_on(port: u16, folder: &Path, options: Options<'_>) -> Result<(String, Service), NotReady> {
    let host = format!("127.0.0.1:{port}");
    let mut configuration = json!({
        "server": {
            "http_addr": host,
            "tls_cert_file": folder.join("server.crt"),
            "tls_key_file": folder.join("server.key"),
        },
        "trust_service": { "type": "local" },
        "storage": { "backend": "memory" },
        "repositories": { "gun_prefixes": options.prefixes },
        "logging": { "level": "error" },
    });
    if let Some(signer) = options.signer {
        configuration["trust_service"] = signer.as_trust_service();
        configuration["storage"] = signer.new_storage();
    }
    if let Some(tokens) = options.tokens {
        configuration["auth"] = tokens.as_notary_option();
    }
    if options.client_certificates {
        configuration["server"]["client_ca_file"] = json!(folder.join("ca.crt"));
    }
    let file = folder.join(format!("notary-server-{port}.json"));
    fs::write(&file, configuration.to_string()).expect("a configuration file");
    let file = file.to_str().expect("a UTF-8 path");
    let log = folder.join(format!("notary-server-{port}.log"));
    let mut service = Service::start("notary-server", &["-config", file], &log);
    // Only our own server has a certificate of this lab's authority.
    let http = Http::with_certificate(folder);
    let health = format!("https://{host}/_notary_server/health");
    service.wait_until(|| {
        http.get(&health, &[])
            .is_some_and(|answer| answer.status == 200)
    })?;
    Ok((host, service))
}
