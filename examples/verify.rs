//! Decides whether an image is signed: `cargo run --example verify -- localhost:5000/team/app:1.0`
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the clock and the terminal"
)]

use trust::config::Environment;
use trust::policy::{Asked, Requirement, Verdict};
use trust::reference::{Digest, ImageReference};
use trust::remote::Actions;
use trust::repository::Reach;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: verify IMAGE")?;
    let image = ImageReference::parse(&name)?.or_latest();

    let environment = Environment::capture();
    let (docker, server) = (
        environment.docker_config()?,
        environment.trust_server.as_deref(),
    );
    let trust_dir = docker.trust_dir();
    let reach = Reach {
        docker: &docker,
        trust_dir: &trust_dir,
        server,
        tls_ca: None,
    };
    let repository = reach.repository(&image, Actions::Pull).await?;

    let digest = image.digest().and_then(Digest::sha256_hex);
    let asked = Asked {
        tag: image.tag(),
        digest,
    };
    let mut tell = |event| println!("note: {event:?}");
    let now = jiff::Timestamp::now();
    let decision = repository
        .decide(asked, &Requirement::default(), now, &mut tell)
        .await;

    let judgement = decision.judgement;
    if judgement.verdict != Verdict::Trusted {
        return Err(judgement.message.into());
    }
    let signed = judgement.decided_by.ok_or("nothing decided")?;
    println!(
        "{}@sha256:{}, signed by {:?}",
        image.familiar(),
        signed.digest,
        judgement.signers
    );
    Ok(())
}
