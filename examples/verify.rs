//! Decides whether an image is signed: `cargo run --example verify -- localhost:5000/team/app:1.0`
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program may read the clock and print"
)]

use std::error::Error;
use trust::config::{Environment, trust_server_for};
use trust::policy::{Asked, Requirement, Verdict};
use trust::reference::{Digest, ImageReference};
use trust::remote::{Actions, Notary};
use trust::repository::Repository;
use trust::tls::{TlsFiles, http_client};
use trust_store::metadata::Cache;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args()
        .nth(1)
        .ok_or("usage: verify IMAGE[:TAG][@DIGEST]")?;
    let image = ImageReference::parse(&name)?.or_latest();

    let environment = Environment::capture();
    let docker = environment.docker_config()?;
    let server = trust_server_for(image.registry(), environment.trust_server.as_deref())?;
    let host = server.authority().to_owned();
    let http = http_client(
        &TlsFiles::for_trust_server(None, &docker.tls_dir(&host))?,
        &host,
    )?;
    let credentials = docker.credentials(image.registry()).await?;

    let remote = Notary::new(http, &server, image.gun(), Actions::Pull, credentials);
    let kept = Cache::at(&docker.trust_dir()).repository(image.gun())?;
    let repository = Repository::new(image.gun(), kept, Some(remote));

    let asked = Asked {
        tag: image.tag(),
        digest: image.digest().and_then(Digest::sha256_hex),
    };
    let (now, mut tell) = (jiff::Timestamp::now(), |event| println!("note: {event:?}"));
    let decision = repository
        .decide(asked, &Requirement::default(), now, &mut tell)
        .await;
    match (decision.judgement.verdict, decision.judgement.decided_by) {
        (Verdict::Trusted, Some(signed)) => {
            println!("{}@sha256:{}", image.familiar(), signed.digest)
        }
        _ => return Err(decision.judgement.message.into()),
    }
    Ok(())
}
