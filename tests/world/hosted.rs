//! What a publisher needs for a server that signs with keys of its own.

use super::Publisher;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use trust::tuf::digest::FileMeta;
use trust::tuf::key::PublicKey;
use trust::tuf::root::KeyList;

impl Publisher {
    /// Every file, the timestamp too, and the snapshot of all others.
    pub fn files(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![("root".to_owned(), self.root_file())];
        for (role, facts) in &self.targets {
            files.push((role.clone(), self.file(role, facts)));
        }
        let meta = files
            .iter()
            .map(|(role, file)| (role.clone(), FileMeta::of(file)));
        self.snapshot.meta = meta.collect();
        let snapshot = self.file("snapshot", &self.snapshot);
        self.timestamp.snapshot = FileMeta::of(&snapshot);
        files.push(("snapshot".to_owned(), snapshot));
        files.push((
            "timestamp".to_owned(),
            self.file("timestamp", &self.timestamp),
        ));
        files
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
