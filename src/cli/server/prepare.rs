//! The server's folder with its authority and certificate, made where they are missing.

use crate::cli::failure::Failure;
use jiff::Timestamp;
use std::{
    fs::{DirBuilder, File},
    io::{self, ErrorKind, Read},
    os::unix::fs::DirBuilderExt,
    path::Path,
};
use trust::listen::{
    Facts,
    authority::{AuthorityError, certify_authority, certify_server, host, new_key},
};
use trust_store::{create_atomic, write_atomic};
use zeroize::Zeroizing;

/// What was made and what was there, by the names of the files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prepared {
    /// New files
    pub(super) made: Vec<&'static str>,
    /// Files that were there and stay as they were
    pub(super) kept: Vec<&'static str>,
}

impl Prepared {
    /// Notes a file.
    pub(super) fn note(&mut self, name: &'static str, made: bool) {
        if made {
            self.made.push(name);
        } else {
            self.kept.push(name);
        }
    }
}

/// The folder holds an authority and a certificate for these hosts; what was there is as it was.
///
/// Without hosts the certificate is for this machine. Two processes may do this at once.
pub(super) fn prepare(dir: &Path, hosts: &[String], now: Timestamp) -> Result<Prepared, Failure> {
    let hosts = checked(hosts)?;
    folder(dir)?;
    let mut prepared = Prepared::default();
    let is_there = |name: &str| dir.join(name).exists();
    if is_there(CERTIFICATE) {
        if !is_there(KEY) {
            return Err(half(dir, CERTIFICATE, KEY));
        }
        // Whoever brought a certificate needs no authority here.
        for name in FILES.into_iter().filter(|name| is_there(name)) {
            prepared.note(name, false);
        }
        return Ok(prepared);
    }
    if is_there(AUTHORITY) && !is_there(AUTHORITY_KEY) {
        return Err(half(dir, AUTHORITY, AUTHORITY_KEY));
    }
    let authority_key = key(dir, AUTHORITY_KEY, &mut prepared)?;
    let authority = kept_or_made(dir, AUTHORITY, 0o644, &mut prepared, || {
        let name = format!(
            "trust server authority of {}",
            machine().unwrap_or_default()
        );
        certify_authority(&authority_key, name.trim_end_matches(" of "), now).map(Zeroizing::new)
    })?;
    let server_key = key(dir, KEY, &mut prepared)?;
    kept_or_made(dir, CERTIFICATE, 0o644, &mut prepared, || {
        let pair = (authority.as_str(), authority_key.as_str());
        certify_server(&server_key, &hosts, pair, now).map(Zeroizing::new)
    })?;
    Ok(prepared)
}

/// The server's folder is there, for its owner only if it is made here.
pub(super) fn folder(dir: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| unfinished("make", dir, &error))
}

/// A new certificate for the same key is in place of the old one: for these hosts, or the same.
pub(super) fn renew(dir: &Path, hosts: &[String], now: Timestamp) -> Result<Facts, Failure> {
    let hosts = match hosts {
        [] => facts(&dir.join(CERTIFICATE))?.hosts,
        some => checked(some)?,
    };
    if hosts.is_empty() {
        return Err(
            Failure::wrong("the old certificate names no hosts").hint("name them with --host")
        );
    }
    let authority = read(&dir.join(AUTHORITY))?;
    let authority_key = read(&dir.join(AUTHORITY_KEY))?;
    let pair = (authority.as_str(), authority_key.as_str());
    let certificate = certify_server(&read(&dir.join(KEY))?, &hosts, pair, now)?;
    let path = dir.join(CERTIFICATE);
    write_atomic(&path, certificate.as_bytes(), 0o644)
        .map_err(|error| unfinished("write", &path, &error))?;
    facts(&path)
}

/// What the certificate in a file says.
pub(super) fn facts(path: &Path) -> Result<Facts, Failure> {
    Facts::of_pem(read(path)?.as_bytes()).map_err(|reason| {
        Failure::wrong(format!("{} holds no certificate: {reason}", path.display()))
    })
}

/// The certificate of the authority that is made here.
pub(super) const AUTHORITY: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
/// The certificate of the server, unless the configuration names another.
pub(super) const CERTIFICATE: &str = "server.crt";
/// Its private key.
pub(super) const KEY: &str = "server.key";
const FILES: [&str; 4] = [AUTHORITY, AUTHORITY_KEY, CERTIFICATE, KEY];

fn checked(hosts: &[String]) -> Result<Vec<String>, Failure> {
    if hosts.is_empty() {
        return Ok(this_machine());
    }
    let mut checked = Vec::new();
    for given in hosts {
        let host = host(given)?;
        if !checked.contains(&host) {
            checked.push(host);
        }
    }
    Ok(checked)
}

/// By what a client on this machine, or one that knows its name, calls it.
fn this_machine() -> Vec<String> {
    let mut hosts = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    hosts.extend(machine().filter(|name| name != "localhost"));
    hosts
}

/// The name of this machine, if it is one that a certificate can hold.
fn machine() -> Option<String> {
    let places = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let text = places
        .iter()
        .find_map(|place| read_bounded(Path::new(place)).ok())?;
    host(text.trim()).ok()
}

fn key(
    dir: &Path,
    name: &'static str,
    prepared: &mut Prepared,
) -> Result<Zeroizing<String>, Failure> {
    kept_or_made(dir, name, 0o600, prepared, new_key)
}

/// What the file holds, which is made unless it is there.
fn kept_or_made(
    dir: &Path,
    name: &'static str,
    mode: u32,
    prepared: &mut Prepared,
    make: impl FnOnce() -> Result<Zeroizing<String>, AuthorityError>,
) -> Result<Zeroizing<String>, Failure> {
    let path = dir.join(name);
    let is_new = if path.exists() {
        false
    } else {
        let text = make()?;
        match create_atomic(&path, text.as_bytes(), mode) {
            Ok(()) => true,
            // Another process was faster: what it made counts.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
            Err(error) => return Err(unfinished("write", &path, &error)),
        }
    };
    prepared.note(name, is_new);
    read(&path)
}

fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    read_bounded(path).map_err(|error| {
        let failure = unfinished("read", path, &error);
        match error.kind() {
            ErrorKind::NotFound => failure.hint("`trust server init` makes what is missing"),
            _ => failure,
        }
    })
}

fn read_bounded(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    File::open(path)?.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

fn half(dir: &Path, there: &str, missing: &str) -> Failure {
    let dir = dir.display();
    Failure::wrong(format!("{dir} holds {there}, but not {missing}"))
        .hint(format!("bring {missing} back, or move {there} away"))
}

impl From<AuthorityError> for Failure {
    fn from(error: AuthorityError) -> Self {
        let failure = Self::wrong(error.to_string());
        match error {
            AuthorityError::Expired { .. } => failure.hint(
                "move ca.crt, ca.key and server.crt away; `trust server init` makes new ones, \
                 which clients need",
            ),
            _ => failure,
        }
    }
}

fn unfinished(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::unfinished(format!("cannot {doing} {}: {error}", path.display()))
}

/// Bytes; a chain of certificates has a tenth of this.
const MAX_FILE: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn contents(dir: &Path) -> Vec<String> {
        FILES
            .iter()
            .map(|name| fs::read_to_string(dir.join(name)).unwrap_or_default())
            .collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn everything_is_made_once() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/server");
        let prepared = prepare(&dir, &[], now()).unwrap();
        let order = ["ca.key", "ca.crt", "server.key", "server.crt"];
        assert_eq!(
            (prepared.made.as_slice(), prepared.kept.len()),
            (&order[..], 0)
        );
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&dir.join("ca.key")), 0o600);
        assert_eq!(mode(&dir.join("server.key")), 0o600);
        let facts = facts(&dir.join("server.crt")).unwrap();
        assert_eq!(facts.hosts[..3], ["localhost", "127.0.0.1", "::1"]);

        let before = contents(&dir);
        let again = prepare(&dir, &names(&["other"]), now()).unwrap();
        assert_eq!((again.made.len(), again.kept.len()), (0, 4));
        assert_eq!(contents(&dir), before);
    }

    #[test]
    fn what_is_missing_is_made_around_what_is_there() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        prepare(dir, &names(&["A.example", "a.example", "10.0.0.1"]), now()).unwrap();
        let before = contents(dir);
        // As after a crash in the middle: keys come first.
        fs::remove_file(dir.join("ca.crt")).unwrap();
        fs::remove_file(dir.join("server.crt")).unwrap();
        let prepared = prepare(dir, &names(&["b.example"]), now()).unwrap();
        assert_eq!(prepared.made, ["ca.crt", "server.crt"]);
        let after = contents(dir);
        assert_eq!((&before[1], &before[3]), (&after[1], &after[3]));
        assert_eq!(facts(&dir.join("server.crt")).unwrap().hosts, ["b.example"]);

        fs::remove_file(dir.join("server.crt")).unwrap();
        fs::remove_file(dir.join("ca.key")).unwrap();
        let words = prepare(dir, &[], now()).unwrap_err();
        assert!(
            words.words().ends_with("holds ca.crt, but not ca.key"),
            "{words:?}"
        );
    }

    #[test]
    fn a_certificate_brought_along_needs_no_authority() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        write_atomic(&dir.join("server.crt"), b"theirs", 0o644).unwrap();
        let words = prepare(dir, &[], now()).unwrap_err();
        assert!(
            words
                .words()
                .ends_with("holds server.crt, but not server.key"),
            "{words:?}"
        );
        write_atomic(&dir.join("server.key"), b"theirs", 0o600).unwrap();
        let prepared = prepare(dir, &[], now()).unwrap();
        assert_eq!(prepared.kept, ["server.crt", "server.key"]);
        assert!(!dir.join("ca.crt").exists());
    }

    #[test]
    fn many_at_once_agree() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| prepare(dir, &[], now()).unwrap());
            }
        });
        let (authority, key) = (contents(dir), new_key().unwrap());
        let pair = (authority[0].as_str(), authority[1].as_str());
        certify_server(&key, &names(&["x"]), pair, now()).unwrap();
        let tls = trust::listen::Tls::open(trust::listen::CertificateFiles {
            certificate: dir.join("server.crt"),
            key: dir.join("server.key"),
            client_ca: None,
            check_every: std::time::Duration::from_secs(5),
        });
        assert!(tls.is_ok());
    }

    #[test]
    fn renewing_keeps_key_and_hosts_unless_told() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path();
        assert!(renew(dir, &[], now()).is_err());
        prepare(dir, &names(&["a.example"]), now()).unwrap();
        let before = contents(dir);
        let later: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let renewed = renew(dir, &[], later).unwrap();
        assert_eq!(renewed.hosts, ["a.example"]);
        assert_eq!(renewed.until, "2027-12-01T00:00:00Z".parse().unwrap());
        assert_eq!(
            renew(dir, &names(&["b.example"]), later).unwrap().hosts,
            ["b.example"]
        );
        let after = contents(dir);
        assert_eq!(
            (&before[0], &before[1], &before[3]),
            (&after[0], &after[1], &after[3])
        );
        let wrong = renew(dir, &names(&["https://b"]), later).unwrap_err();
        assert!(wrong.words().contains("is no host"), "{wrong:?}");
        let end: Timestamp = "2036-12-01T00:00:00Z".parse().unwrap();
        assert!(
            renew(dir, &[], end)
                .unwrap_err()
                .words()
                .contains("expired")
        );
    }
}
