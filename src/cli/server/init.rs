//! `trust server init`

use super::prepare::{self, AUTHORITY, CERTIFICATE, Prepared, prepare};
use super::site::{Place, Site};
use crate::cli::{failure::Failure, session::Session};
use std::{
    fmt::Write,
    net::IpAddr,
    path::{Path, PathBuf},
};
use trust::listen::Facts;
use trust_store::server::SealSource;

/// Make what a server needs, and show what makes clients use it
///
/// An authority and a certificate, the secret under which online keys are kept, and the store.
/// What is there already stays as it is. `trust server run` makes what is missing as well.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
    /// Name or address by which clients call the server [default: localhost and this machine]
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
}

pub(crate) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.place, session)?;
    let tls = &site.settings.tls;
    let own = tls.certificate.is_some() || !tls.enabled;
    if own && !args.hosts.is_empty() {
        return Err(Failure::wrong(
            "--host is for a certificate made here, and the configuration names another or none",
        ));
    }
    let mut prepared = if own {
        Prepared::default()
    } else {
        prepare(&site.dir, &args.hosts, session.now())?
    };
    prepare::folder(&site.dir)?;
    if let SealSource::KeyFile(file) = site.seal(session)? {
        prepared.note("seal.key", SealSource::create_key_file(&file)?);
    }
    let path = site.settings.store.url.strip_prefix("sqlite:");
    let there = path.map(|path| Path::new(path).exists());
    site.store().await?.close().await;
    if let Some(there) = there {
        prepared.note("store.db", !there);
    }
    let certificate = match (&tls.certificate, tls.enabled) {
        (_, false) => None,
        (Some(file), true) => Some(prepare::facts(file)?),
        (None, true) => Some(prepare::facts(&site.dir.join(CERTIFICATE))?),
    };
    let told = Told {
        dir: std::path::absolute(&site.dir).unwrap_or_else(|_| site.dir.clone()),
        has_authority: !own && site.dir.join(AUTHORITY).exists(),
        url: certificate
            .as_ref()
            .map(|facts| url(facts, &site.settings.listen)),
        certificate,
        prepared,
    };
    if session.out.is_json() {
        session.out.json(&told.json());
    } else {
        session
            .out
            .text(&told.text(&start(args), session.out.program()));
    }
    Ok(())
}

/// What is said in the end.
struct Told {
    dir: PathBuf,
    prepared: Prepared,
    certificate: Option<Facts>,
    /// Whether clients have to be given an authority
    has_authority: bool,
    /// By what clients call the server, if it speaks TLS
    url: Option<String>,
}

impl Told {
    fn json(&self) -> serde_json::Value {
        let certificate = self.certificate.as_ref();
        serde_json::json!({
            "dir": self.dir,
            "made": self.prepared.made,
            "kept": self.prepared.kept,
            "hosts": certificate.map(|facts| &facts.hosts),
            "expires": certificate.map(|facts| facts.until),
            "ca": self.has_authority.then(|| self.dir.join(AUTHORITY)),
            "url": self.url,
        })
    }

    fn text(&self, start: &str, program: &str) -> String {
        let mut text = String::new();
        let dir = self.dir.display();
        for (done, names) in [("Made", &self.prepared.made), ("Kept", &self.prepared.kept)] {
            if !names.is_empty() {
                // Writing to a text does not fail.
                let _ = writeln!(text, "{done} in {dir}: {}", names.join(", "));
            }
        }
        if let Some(facts) = &self.certificate {
            let (hosts, until) = (facts.hosts.join(", "), facts.until);
            let _ = writeln!(text, "The certificate is for {hosts} until {until}.");
        }
        let _ = write!(
            text,
            "\nStart the server:\n\n    {program} server run{start}\n"
        );
        if let Some(url) = &self.url {
            text.push_str(&self.clients(url));
        }
        text
    }

    /// Lines that can be pasted into a shell.
    fn clients(&self, url: &str) -> String {
        let mut text = String::from("\nClients that use docker or trust:\n\n");
        let host = quoted(url.trim_start_matches("https://"));
        let url = quoted(url);
        let mut notary = format!("notary -s {url}");
        if self.has_authority {
            let file = quoted(&self.dir.join(AUTHORITY).display().to_string());
            let folder = format!("~/.docker/tls/{host}");
            let _ = writeln!(text, "    mkdir -p {folder}\n    cp {file} {folder}/ca.crt");
            let _ = write!(notary, " --tlscacert {file}");
        }
        let _ = writeln!(text, "    export DOCKER_CONTENT_TRUST=1");
        let _ = writeln!(text, "    export DOCKER_CONTENT_TRUST_SERVER={url}");
        let notary = quoted(&format!("{notary} -d ~/.docker/trust"));
        let _ = writeln!(
            text,
            "\nClients that use notary:\n\n    alias notary={notary}"
        );
        text
    }
}

/// How the server is started that was made by these arguments.
fn start(args: &Args) -> String {
    let place = &args.place;
    let path = |path: &PathBuf| quoted(&path.display().to_string());
    let dir = place
        .dir
        .as_ref()
        .map(|dir| format!(" --dir {}", path(dir)));
    let config = place
        .config
        .as_ref()
        .map(|file| format!(" --config {}", path(file)));
    let store = place
        .store
        .as_ref()
        .map(|url| format!(" --store {}", quoted(url)));
    [dir, config, store].into_iter().flatten().collect()
}

/// The first host of the certificate, at the port that is listened on.
fn url(certificate: &Facts, listen: &str) -> String {
    let named = certificate.hosts.iter().find(|host| !host.contains('*'));
    let host = named.map_or("localhost", String::as_str);
    let port = listen.rsplit_once(':').map_or("4443", |(_, port)| port);
    match host.parse() {
        Ok(IpAddr::V6(address)) => format!("https://[{address}]:{port}"),
        _ => format!("https://{host}:{port}"),
    }
}

/// A word of a shell.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-:@%+=,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, str};

    fn facts(hosts: &[&str]) -> Facts {
        Facts {
            subject: String::new(),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            from: "2026-03-01T12:00:00Z".parse().unwrap(),
            until: "2027-03-01T12:00:00Z".parse().unwrap(),
            public_key: Vec::new(),
        }
    }

    fn told(dir: &str, hosts: &[&str]) -> Told {
        let certificate = facts(hosts);
        Told {
            dir: dir.into(),
            prepared: Prepared {
                made: vec!["server.crt", "store.db"],
                kept: vec!["ca.key", "ca.crt"],
            },
            has_authority: true,
            url: Some(url(&certificate, "127.0.0.1:4443")),
            certificate: Some(certificate),
        }
    }

    #[test]
    fn the_lines_can_be_pasted() {
        assert_data_eq!(
            told("/srv/trust", &["trust.example", "10.0.0.1"]).text(" --dir /srv/trust", "trust"),
            str![[r#"
Made in /srv/trust: server.crt, store.db
Kept in /srv/trust: ca.key, ca.crt
The certificate is for trust.example, 10.0.0.1 until 2027-03-01T12:00:00Z.

Start the server:

    trust server run --dir /srv/trust

Clients that use docker or trust:

    mkdir -p ~/.docker/tls/trust.example:4443
    cp /srv/trust/ca.crt ~/.docker/tls/trust.example:4443/ca.crt
    export DOCKER_CONTENT_TRUST=1
    export DOCKER_CONTENT_TRUST_SERVER=https://trust.example:4443

Clients that use notary:

    alias notary='notary -s https://trust.example:4443 --tlscacert /srv/trust/ca.crt -d ~/.docker/trust'

"#]]
        );
    }

    #[test]
    fn a_shell_reads_what_was_meant() {
        assert_eq!(quoted("/srv/trust-1"), "/srv/trust-1");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn nothing_means_something_else_to_a_shell() {
        let text = told("/srv/it's", &["::1"]).text("", "trust");
        assert!(
            text.contains("mkdir -p ~/.docker/tls/'[::1]:4443'\n"),
            "{text}"
        );
        assert!(text.contains(r"cp '/srv/it'\''s/ca.crt' ~/.docker/tls/'[::1]:4443'/ca.crt"));
        assert!(text.contains("SERVER='https://[::1]:4443'\n"), "{text}");
    }

    #[test]
    fn addresses_and_jokers_make_no_wrong_url() {
        for (hosts, listen, expected) in [
            (&["::1", "x"][..], ":443", "https://[::1]:443"),
            (&["*.example", "a.example"], "[::]:1", "https://a.example:1"),
            (&["*.example"], "0.0.0.0:4443", "https://localhost:4443"),
        ] {
            assert_eq!(url(&facts(hosts), listen), expected);
        }
    }
}
