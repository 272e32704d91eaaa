//! A repository that the rows of a table publish into: its keys, and what was accepted so far.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use trust::tuf::{
    delegation::Delegations,
    digest::FileMeta,
    envelope::{Document, Expires, file_bytes},
    root::Root,
    snapshot::Snapshot,
    targets::Targets,
    timestamp::Timestamp,
};

use super::request::Wire;
use crate::world::{BOUNDARY, Key, Publisher, form};

/// One repository on one server.
pub(crate) struct Repository {
    pub(crate) name: String,
    publisher: Publisher,
    /// The newest accepted file of each role, and those just sent.
    accepted: BTreeMap<String, Vec<u8>>,
    sent: BTreeMap<String, Vec<u8>>,
    /// Key answers so far, in the order in which they appeared.
    keys: Vec<Vec<u8>>,
}

/// What is done to a file before it is sent, as a row says it: `root=2,expired`.
struct Changes<'a>(Vec<&'a str>);

impl Changes<'_> {
    fn has(&self, change: &str) -> bool {
        self.0.contains(&change)
    }

    fn version(&self) -> u64 {
        let number = self.0.iter().find_map(|it| it.parse().ok());
        number.unwrap_or(1)
    }
}

impl Repository {
    /// A repository whose root names the server's timestamp key, and unless the client keeps its
    /// own, the server's snapshot key.
    pub(crate) fn new(name: &str, own_snapshot: bool, wire: Option<&Wire>) -> Self {
        let mut publisher = hosted(name);
        // Notary remembers files by hash alone, whatever repository they belong to.
        publisher.sign_image("targets", name, b"manifest");
        let server = if own_snapshot {
            &["timestamp"][..]
        } else {
            &["timestamp", "snapshot"]
        };
        for (role, wire) in server.iter().zip(wire.into_iter().cycle()) {
            let key = wire.get(&format!("/v2/{name}/_trust/tuf/{role}.key"));
            publisher.entrust_server(role, &key);
        }
        Self {
            name: name.to_owned(),
            publisher,
            accepted: BTreeMap::new(),
            sent: BTreeMap::new(),
            keys: Vec::new(),
        }
    }

    /// The type and bytes of an upload: parts such as `root targets=2,expired`.
    pub(crate) fn upload(&mut self, words: &[&str]) -> (String, Vec<u8>) {
        self.sent.clear();
        let mut parts = Vec::new();
        for word in words {
            let (role, changes) = word.split_once('=').unwrap_or((word, ""));
            let changes = Changes(changes.split(',').filter(|it| !it.is_empty()).collect());
            let file = altered(self.file(role, &changes), &changes);
            self.sent.insert(role.to_owned(), file.clone());
            let name = if changes.has("named.json") {
                format!("{role}.json")
            } else {
                role.to_owned()
            };
            parts.push((name, file));
        }
        let parts: Vec<(&str, &[u8])> = parts
            .iter()
            .map(|(name, file)| (name.as_str(), file.as_slice()))
            .collect();
        form(&parts)
    }

    /// Takes what was just sent for accepted.
    pub(crate) fn accept(&mut self) {
        self.accepted.append(&mut self.sent);
    }

    /// Whether this is the file that was accepted last.
    pub(crate) fn is_accepted(&self, role: &str, file: &[u8]) -> bool {
        self.accepted.get(role).is_some_and(|it| it == file)
    }

    /// `A` for the first key this repository was given, `B` for the next.
    pub(crate) fn letter(&mut self, key: &[u8]) -> char {
        let at = self.keys.iter().position(|it| it == key);
        let at = at.unwrap_or_else(|| {
            self.keys.push(key.to_vec());
            self.keys.len() - 1
        });
        char::from(b'A' + u8::try_from(at).expect("few keys"))
    }

    fn file(&self, role: &str, changes: &Changes<'_>) -> Vec<u8> {
        let expires = in_days(if changes.has("expired") { -1 } else { 300 });
        let version = changes.version();
        match role {
            "root" => self.root(changes),
            "snapshot" => {
                let meta = self.meta(changes);
                let facts = Snapshot {
                    expires,
                    meta,
                    version,
                };
                seal(&facts, &self.signers("snapshot", changes))
            }
            "timestamp" => {
                let facts = Timestamp {
                    expires,
                    version,
                    ..self.publisher.timestamp.clone()
                };
                seal(&facts, &self.signers("timestamp", changes))
            }
            role => {
                let known = self.publisher.targets.get(role);
                let empty = Targets::empty(expires.clone());
                let mut facts = Targets {
                    expires,
                    version,
                    ..known.cloned().unwrap_or(empty)
                };
                if changes.has("undelegated") {
                    facts.delegations = Delegations::default();
                }
                seal(&facts, &self.signers(role, changes))
            }
        }
    }

    fn root(&self, changes: &Changes<'_>) -> Vec<u8> {
        let mut publisher = hosted(&self.name);
        publisher.root = Root {
            version: changes.version(),
            ..self.publisher.root.clone()
        };
        if changes.has("expired") {
            publisher.root.expires = in_days(-1);
        }
        let old = self.publisher.signers["root"][0].clone();
        let new = match changes {
            it if it.has("other-name") => Key::root("lab.test/somebody-else"),
            it if it.has("rotated") || it.has("usurped") || it.has("unowned") => {
                Key::root(&self.name)
            }
            _ => old.clone(),
        };
        publisher.entrust("root", std::slice::from_ref(&new), 1);
        if changes.has("two-of-one") {
            publisher.entrust("root", std::slice::from_ref(&new), 2);
        }
        if changes.has("foreign-timestamp") {
            publisher.entrust("timestamp", &[Key::seed(90)], 1);
        }
        if changes.has("foreign-targets") {
            publisher.entrust("targets", &[Key::seed(90)], 1);
        }
        if changes.has("no-targets-role") {
            publisher.root.roles.remove("targets");
        }
        let signers = match changes {
            it if it.has("rotated") => vec![new, old],
            it if it.has("unowned") => vec![old],
            it if it.has("unsigned") => vec![],
            it if it.has("stranger") => vec![Key::seed(99)],
            _ => vec![new],
        };
        seal(&publisher.root, &signers)
    }

    fn meta(&self, changes: &Changes<'_>) -> BTreeMap<String, FileMeta> {
        let mut files = self.accepted.clone();
        files.extend(self.sent.clone());
        files.retain(|role, _| role == "root" || role.starts_with("targets"));
        let mut meta: BTreeMap<String, FileMeta> = files
            .iter()
            .map(|(role, file)| (role.clone(), FileMeta::of(file)))
            .collect();
        for role in ["root", "targets"] {
            if changes.has(&format!("without-{role}")) {
                meta.remove(role);
            }
            if changes.has(&format!("wrong-{role}")) {
                meta.insert(role.to_owned(), FileMeta::of(b"another file"));
            }
        }
        meta
    }

    fn signers(&self, role: &str, changes: &Changes<'_>) -> Vec<Arc<Key>> {
        match changes {
            it if it.has("stranger") => vec![Key::seed(99)],
            it if it.has("unsigned") => vec![],
            _ => {
                let known = self.publisher.signers.get(role);
                known.cloned().unwrap_or_else(|| vec![Key::seed(99)])
            }
        }
    }
}

/// An honest repository called `gun`, everything at version 1 and valid by the real clock.
fn hosted(gun: &str) -> Publisher {
    let mut publisher = Publisher::new();
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

/// So many days from the real now, or before it.
fn in_days(days: i64) -> Expires {
    Expires::at(jiff::Timestamp::now() + SignedDuration::from_hours(24 * days))
}

fn seal<T: Document>(facts: &T, signers: &[Arc<Key>]) -> Vec<u8> {
    let signed = facts.node();
    let message = signed.canonical();
    let signatures: Vec<_> = signers.iter().map(|key| key.sign(&message)).collect();
    file_bytes(&signed, &signatures)
}

/// What is done to the bytes.
fn altered(file: Vec<u8>, changes: &Changes<'_>) -> Vec<u8> {
    let text = String::from_utf8(file).expect("a text");
    let text = match changes {
        it if it.has("empty") => String::new(),
        it if it.has("cut") => text[..text.len() - 1].to_owned(),
        it if it.has("text") => "hello".to_owned(),
        it if it.has("null") => "null".to_owned(),
        it if it.has("list") => "[]".to_owned(),
        it if it.has("object") => "{}".to_owned(),
        it if it.has("spaced") => format!("{text} "),
        it if it.has("newline") => format!("{text}\n"),
        it if it.has("trailing") => format!("{text}hello"),
        it if it.has("indented") => text.replacen("{\"signed\":", "{ \"signed\": ", 1),
        it if it.has("member") => text.replacen("{\"signed\":", "{\"more\":1,\"signed\":", 1),
        it if it.has("altered") => text.replacen("\"version\":", "\"version\":1", 1),
        it if it.has("type") => text.replacen("\"_type\":\"T", "\"_type\":\"t", 1),
        it if it.has("fraction") => text.replacen("\"version\":1", "\"version\":1.5", 1),
        it if it.has("negative") => text.replacen("\"version\":1", "\"version\":-1", 1),
        it if it.has("zero") => text.replacen("\"version\":1", "\"version\":0", 1),
        it if it.has("huge") => {
            text.replacen("\"version\":1", "\"version\":99999999999999999999", 1)
        }
        it if it.has("no-signatures") => match text.split_once(",\"signatures\"") {
            Some((signed, _)) => format!("{signed}}}"),
            None => text,
        },
        _ => text,
    };
    text.into_bytes()
}

/// Bodies that are no upload, by name: their type and bytes.
pub(crate) fn odd_body(name: &str) -> (String, Vec<u8>) {
    let multipart = format!("multipart/form-data; boundary={BOUNDARY}");
    let part = |disposition: &str, content: &str| {
        format!("--{BOUNDARY}\r\n{disposition}\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n")
    };
    let named = "Content-Disposition: form-data; name=\"files\"; filename";
    let (kind, body) = match name {
        "json" => ("application/json".to_owned(), "{}".to_owned()),
        "untyped" => (String::new(), "{}".to_owned()),
        "form" => (
            "application/x-www-form-urlencoded".to_owned(),
            "root=1".to_owned(),
        ),
        "no-boundary" => ("multipart/form-data".to_owned(), part(named, "{}")),
        "mixed" => (
            format!("multipart/mixed; boundary={BOUNDARY}"),
            part(&format!("{named}=\"root\""), "{}"),
        ),
        "nothing" => (multipart, String::new()),
        "no-parts" => (multipart, format!("--{BOUNDARY}--\r\n")),
        "no-filename" => (
            multipart,
            part("Content-Disposition: form-data; name=\"files\"", "{}"),
        ),
        "no-disposition" => (multipart, part("Content-Type: text/plain", "{}")),
        "empty-filename" => (multipart, part(&format!("{named}=\"\""), "{}")),
        "only-json" => (multipart, part(&format!("{named}=\".json\""), "{}")),
        "truncated" => (
            multipart,
            format!("--{BOUNDARY}\r\n{named}=\"root\"\r\n\r\n{{\"signed\":"),
        ),
        "role:escaped" => (multipart, part(&format!("{named}=\"targets%2fa\""), "{}")),
        role => {
            let role = role.strip_prefix("role:").expect("a known body");
            (multipart, part(&format!("{named}=\"{role}\""), "{}"))
        }
    };
    (kind, body.into_bytes())
}
