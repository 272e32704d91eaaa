//! A publisher for a server that reads the real clock and signs with keys of its own.

use super::{Key, Publisher};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use trust::tuf::envelope::Expires;
use trust::tuf::key::PublicKey;
use trust::tuf::root::KeyList;

impl Publisher {
    /// An honest repository called `gun`, everything at version 1.
    pub fn hosted(gun: &str) -> Self {
        let mut publisher = Self::new();
        let root = Key::root(gun);
        publisher.root.keys.clear();
        for role in ["targets", "snapshot", "timestamp"] {
            publisher.entrust(role, &publisher.signers[role].clone(), 1);
        }
        publisher.entrust("root", std::slice::from_ref(&root), 1);
        publisher.signers.insert("root".to_owned(), vec![root]);
        publisher.root.version = 1;
        publisher.root.expires = in_days(300);
        publisher.snapshot.version = 1;
        publisher.snapshot.expires = in_days(300);
        for file in publisher.targets.values_mut() {
            file.version = 1;
            file.expires = in_days(300);
        }
        publisher
    }

    /// Has the root name a server's key, given as the server gives it, for a role.
    pub fn entrust_server(&mut self, role: &str, key: &[u8]) {
        let key: serde_json::Value = serde_json::from_slice(key).unwrap();
        let kind = key["keytype"].as_str().unwrap();
        let public = STANDARD.decode(key["keyval"]["public"].as_str().unwrap());
        let key = PublicKey::new(kind, public.unwrap()).unwrap();
        let key_ids = vec![key.id().clone()];
        self.root.keys.insert(key.id().clone(), key);
        let threshold = 1;
        self.root
            .roles
            .insert(role.to_owned(), KeyList { key_ids, threshold });
    }
}

/// So many days from the real now, or before it.
pub fn in_days(days: i64) -> Expires {
    Expires::at(Timestamp::now() + SignedDuration::from_hours(24 * days))
}

/// `multipart/form-data` of these files, as Notary's client writes it: its type and its bytes.
pub fn form(parts: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (role, file) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{role}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

/// Between the parts of [`form`].
pub const BOUNDARY: &str = "cd87f9eb6e2b2a33e1df6f5c0c4a1f7d0e1c2b3a4d5e6f708192a3b4c5d6";
