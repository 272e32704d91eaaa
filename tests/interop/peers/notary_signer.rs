//! Debian's notary-signer on a `PostgreSQL` of its own, which notary-servers share: how Notary is
//! run in earnest. Kept in memory it behaves differently here and there.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use super::{
    postgres::{Cluster, shared},
    program,
    service::{NotReady, Service, on_a_free_port},
};

/// A running signer.
pub(crate) struct NotarySigner {
    port: u16,
    authority: PathBuf,
    _service: Service,
    cluster: &'static Cluster,
}

impl NotarySigner {
    /// Starts in `folder`, where `ca.crt`, `server.crt` and `server.key` already are.
    pub(crate) fn start(folder: &Path) -> Self {
        let cluster = shared();
        let storage = storage(cluster, SIGNER_TABLES);
        let (port, service) = on_a_free_port(|port| start_on(port, folder, &storage));
        Self {
            port,
            authority: folder.join("ca.crt"),
            _service: service,
            cluster,
        }
    }

    /// The `trust_service` part of a notary-server configuration.
    pub(crate) fn as_trust_service(&self) -> Value {
        json!({
            "type": "remote",
            "hostname": "localhost",
            "port": self.port.to_string(),
            "tls_ca_file": self.authority,
            "key_algorithm": "ecdsa",
        })
    }

    /// The `storage` part of a notary-server configuration, empty.
    pub(crate) fn new_storage(&self) -> Value {
        storage(self.cluster, SERVER_TABLES)
    }
}

fn start_on(port: u16, folder: &Path, storage: &Value) -> Result<(u16, Service), NotReady> {
    let mut storage = storage.clone();
    storage["default_alias"] = json!("lab");
    let address = format!("127.0.0.1:{port}");
    let configuration = json!({
        "server": {
            "grpc_addr": address,
            "tls_cert_file": folder.join("server.crt"),
            "tls_key_file": folder.join("server.key"),
        },
        "storage": storage,
        "logging": { "level": "error" },
    });
    let file = folder.join("notary-signer.json");
    fs::write(&file, configuration.to_string()).expect("a configuration file");
    let mut command = Command::new(program::find("notary-signer"));
    command
        .env("NOTARY_SIGNER_LAB", "a passphrase of the lab")
        .arg("-config")
        .arg(file);
    let log = folder.join("notary-signer.log");
    let mut service = Service::start_command("notary-signer", &command, &log);
    service.wait_until(|| TcpStream::connect(&address).is_ok())?;
    Ok((port, service))
}

/// A new database with these tables.
fn storage(cluster: &Cluster, tables: &str) -> Value {
    let address = cluster.new_database();
    let (name, host) = address
        .strip_prefix("postgres:///")
        .and_then(|rest| rest.split_once("?host="))
        .expect("an address");
    cluster.sql(name, tables);
    let (folder, _) = host.split_once('&').expect("a socket's folder");
    let source = format!("host={folder} user=postgres dbname={name} sslmode=disable");
    json!({ "backend": "postgres", "db_url": source })
}

const SERVER_TABLES: &str = "
    CREATE TABLE tuf_files (id serial PRIMARY KEY, created_at timestamp, updated_at timestamp,
        deleted_at timestamp, gun varchar(255) NOT NULL, role varchar(255) NOT NULL,
        version integer NOT NULL, data bytea NOT NULL, sha256 char(64),
        UNIQUE (gun, role, version));
    CREATE TABLE changefeed (id serial PRIMARY KEY, created_at timestamp DEFAULT CURRENT_TIMESTAMP,
        gun varchar(255) NOT NULL, version integer NOT NULL, sha256 char(64),
        category varchar(20) NOT NULL DEFAULT 'update')";

const SIGNER_TABLES: &str = "
    CREATE TABLE private_keys (id serial PRIMARY KEY, created_at timestamp, updated_at timestamp,
        deleted_at timestamp, key_id varchar(255) NOT NULL UNIQUE,
        encryption_alg varchar(255) NOT NULL, keywrap_alg varchar(255) NOT NULL,
        algorithm varchar(50) NOT NULL, passphrase_alias varchar(50) NOT NULL,
        public bytea NOT NULL, private bytea NOT NULL, gun varchar(255) NOT NULL,
        role varchar(255) NOT NULL, last_used timestamp)";
