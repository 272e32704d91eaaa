//! Raw HTTP requests, valid and not: ours answers as notary-server does, but for the rows of the
//! table that say why not.
//!
//! The peer is Debian's notary-server with notary-signer on `PostgreSQL`. `RAW_REQUESTS=record`
//! writes down anew what it answers.

mod answer;
mod gone;
mod repository;
mod request;
mod table;

use std::{env, fs, path::PathBuf};

use tempfile::TempDir;

use self::{
    repository::{Repository, odd_body},
    request::{Request, Wire},
    table::{Line, Row},
};
use crate::peers::{
    certificate,
    notary_signer::NotarySigner,
    server::{Kind, Options, Server},
    token_server::TokenServer,
};

#[test]
fn notary_answers_as_the_table_says() {
    let mut table = table::read(TABLE);
    let answers = Servers::start(Kind::Notary).answers(&table);
    if env::var("RAW_REQUESTS").is_ok_and(|it| it == "record") {
        for (row, answer) in rows(&mut table).zip(answers) {
            row.notary = answer;
        }
        fs::write(file(), table::write(&table)).expect("a table");
        return;
    }
    let expected = rows(&mut table).map(|row| (row.request.clone(), row.notary.clone()));
    same(expected, answers);
}

#[test]
fn ours_answers_the_same_but_where_the_table_says_why() {
    let mut table = table::read(TABLE);
    let answers = Servers::start(Kind::Trust).answers(&table);
    let expected = rows(&mut table).map(|row| {
        let ours = row.ours.as_ref().map(|(ours, _)| ours);
        (
            row.request.clone(),
            without_prose(ours.unwrap_or(&row.notary)),
        )
    });
    let answers = answers.iter().map(|it| without_prose(it)).collect();
    same(expected, answers);
}

#[test]
fn the_table_is_long_and_a_difference_is_one() {
    let mut table = table::read(TABLE);
    assert!(rows(&mut table).count() >= 120);
    for row in rows(&mut table) {
        if let Some((ours, why)) = &row.ours {
            let differs = without_prose(ours) != without_prose(&row.notary);
            assert!(differs && !why.is_empty(), "{}", row.request);
        }
    }
    assert_eq!(table::write(&table), TABLE, "not as it would be recorded");
}

/// Without the sentence behind the class of an invalid update: it is for people, and each server
/// has its own.
fn without_prose(answer: &str) -> String {
    let sentence = answer
        .find("INVALID_UPDATE Err")
        .and_then(|at| Some(at + answer[at..].find(": ")?));
    sentence.map_or(answer, |at| &answer[..at]).to_owned()
}

#[track_caller]
fn same(expected: impl Iterator<Item = (String, String)>, answers: Vec<String>) {
    let wrong: Vec<String> = expected
        .zip(answers)
        .filter(|((_, expected), answer)| expected != answer)
        .map(|((request, expected), answer)| {
            format!("{request}\n  expected {expected}\n  answered {answer}\n")
        })
        .collect();
    assert!(wrong.is_empty(), "{} rows\n{}", wrong.len(), wrong.concat());
}

fn rows(table: &mut [Line]) -> impl Iterator<Item = &mut Row> {
    table.iter_mut().filter_map(|line| match line {
        Line::Row(row) => Some(row),
        _ => None,
    })
}

/// Three servers of one kind: `open`, `guarded` by tokens, and `prefixed`.
struct Servers {
    open: (Server, Wire),
    guarded: (Server, Wire),
    prefixed: (Server, Wire),
    tokens: TokenServer,
    _signer: Option<NotarySigner>,
    folder: TempDir,
}

impl Servers {
    fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        certificate::write_into(folder.path());
        let tokens = TokenServer::start(folder.path());
        let signer = (kind == Kind::Notary).then(|| NotarySigner::start(folder.path()));
        let plain = Options {
            signer: signer.as_ref(),
            ..Options::default()
        };
        let ca = folder.path().join("ca.crt");
        let start = |options| {
            let server = Server::start(kind, folder.path(), options);
            let wire = Wire::to(&server.host, &ca);
            (server, wire)
        };
        Self {
            open: start(plain),
            guarded: start(Options {
                tokens: Some(&tokens),
                ..plain
            }),
            prefixed: start(Options {
                prefixes: &["lab.test/here/", "lab.test/there/"],
                ..plain
            }),
            tokens,
            _signer: signer,
            folder,
        }
    }

    /// What is answered to each row, from top to bottom.
    fn answers(&self, table: &[Line]) -> Vec<String> {
        let mut wire = &self.open.1;
        let mut repository = Repository::new("nobody", false, None);
        let mut answers = Vec::new();
        for line in table {
            match line {
                Line::Remark(_) => {}
                Line::Section(words) => {
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    match words.as_slice() {
                        ["on", "open"] => wire = &self.open.1,
                        ["on", "guarded"] => wire = &self.guarded.1,
                        ["on", "prefixed"] => wire = &self.prefixed.1,
                        [name, "keyless"] => repository = Repository::new(name, false, None),
                        [name, how @ ..] => {
                            let own = how == ["own", "snapshot", "key"];
                            repository = Repository::new(name, own, Some(wire));
                        }
                        [] => panic!("a section without a name"),
                    }
                }
                Line::Row(row) => answers.push(self.answer(wire, &mut repository, &row.request)),
            }
        }
        answers
    }

    fn answer(&self, wire: &Wire, repository: &mut Repository, request: &str) -> String {
        let (head, upload) = match request.split_once(" < ") {
            Some((head, upload)) => (head, Some(upload)),
            None => (request, None),
        };
        let mut words = head.split_whitespace();
        let method = words.next().expect("a method");
        let path = path(words.next().expect("a path"), wire, repository);
        let (mut headers, mut body) = (Vec::new(), Vec::new());
        let mut typed = |(kind, bytes): (String, Vec<u8>)| {
            body = bytes;
            vec![("Content-Type".to_owned(), kind)]
        };
        if let Some(upload) = upload {
            let words: Vec<&str> = upload.split_whitespace().collect();
            headers.extend(typed(repository.upload(&words)));
        }
        for word in words {
            if let Some(name) = word.strip_prefix("body:") {
                headers.extend(typed(odd_body(name)));
            } else if let Some(person) = word.strip_prefix("as:") {
                let value = self.credential(person, &repository.name);
                headers.push(("Authorization".to_owned(), value));
            } else if let Some((name, value)) = word.split_once(':') {
                headers.push((name.to_owned(), value.to_owned()));
            } else {
                panic!("`{word}` in {request}");
            }
        }
        headers.retain(|(_, value)| !value.is_empty());
        let reply = wire.send(&Request {
            method,
            path: &path,
            headers,
            body,
        });
        if upload.is_some() && reply.as_ref().is_some_and(|it| it.status == 200) {
            repository.accept();
        }
        answer::line(reply.as_ref(), repository)
    }

    /// `nigel` may do all, `guest` may read, `nobody` nothing, each in this repository only.
    fn credential(&self, person: &str, repository: &str) -> String {
        let (person, place) = person.split_once('@').unwrap_or((person, "here"));
        let scope = match place {
            "here" => format!("repository:{repository}:pull,push,*"),
            "catalog" => "registry:catalog:*".to_owned(),
            elsewhere => format!("repository:{elsewhere}:pull,push,*"),
        };
        let token = match person {
            "garbage" => "e30.e30.AAAA".to_owned(),
            "basic" => return "Basic bmlnZWw6aG9yc2U6IGJhdHRlcnk=".to_owned(),
            person => {
                let ca = self.folder.path().join("ca.crt");
                self.tokens.token_for(person, &scope, &ca)
            }
        };
        format!("Bearer {token}")
    }
}

/// A path with its placeholders filled in.
fn path(written: &str, wire: &Wire, repository: &Repository) -> String {
    let name = &repository.name;
    let mut path = match written.strip_prefix('~') {
        Some(rest) => format!("/v2/{name}/_trust/tuf{rest}"),
        None => match written.strip_prefix('@') {
            Some(rest) => format!("/v2/{name}{rest}"),
            None => written.to_owned(),
        },
    };
    let file = |role: &str| wire.get(&format!("/v2/{name}/_trust/tuf/{role}.json"));
    for role in [
        "root",
        "targets",
        "snapshot",
        "timestamp",
        "targets/releases",
    ] {
        let spelled = format!("{{{role}}}");
        if path.contains(&spelled) {
            path = path.replace(&spelled, &sha(&ring::digest::SHA256, &file(role)));
        }
    }
    if path.contains("{ROOT}") {
        let hash = sha(&ring::digest::SHA256, &file("root"));
        path = path.replace("{ROOT}", &hash.to_uppercase());
    }
    if path.contains("{root512}") {
        path = path.replace("{root512}", &sha(&ring::digest::SHA512, &file("root")));
    }
    for (place, spelled) in ["{id1}", "{id2}", "{id3}"].into_iter().enumerate() {
        if path.contains(spelled) {
            let feed = wire.get(&format!("/v2/{name}/_trust/changefeed?records=1000"));
            let feed: serde_json::Value = serde_json::from_slice(&feed).expect("JSON");
            let id = feed["records"][place]["ID"]
                .as_str()
                .expect("an id")
                .to_owned();
            path = path.replace(spelled, &id);
        }
    }
    path.replace("{long}", &"a".repeat(300))
}

fn sha(algorithm: &'static ring::digest::Algorithm, bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(algorithm, bytes))
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/raw_requests/table.txt")
}

const TABLE: &str = include_str!("table.txt");
