//! Decides whether an image is signed: `cargo run --example verify -- localhost:5000/team/app:1.0`
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use trust::config::Environment;
use trust::policy::{Requirement, Verdict};
use trust::reference::ImageReference;
use trust::remote::Actions;
use trust::repository::Reach;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: verify IMAGE")?;
    let image = ImageReference::parse(&name)?.or_latest();

    let environment = Environment::capture();
    let docker = environment.docker_config()?;
    let reach = Reach {
        docker: &docker,
        trust_dir: &docker.trust_dir(),
        server: environment.trust_server.as_deref(),
        tls_ca: None,
    };
    let repository = reach.repository(&image, Actions::Pull).await?;

    let (demand, now) = (Requirement::default(), jiff::Timestamp::now());
    let tell = &mut |event| println!("note: {event:?}");
    let decision = repository.decide(&image, &demand, now, tell).await;
    let judgement = decision.judgement;
    match judgement.decided_by {
        Some(signed) if judgement.verdict == Verdict::Trusted => {
            println!("sha256:{} by {:?}", signed.digest, judgement.signers);
            Ok(())
        }
        _ => Err(judgement.message.into()),
    }
}
