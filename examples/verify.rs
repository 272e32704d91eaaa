//! Decides whether an image is signed: `cargo run --example verify -- localhost:5000/team/app:1.0`
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use trust::config::Environment;
use trust::policy::{Policy, Verdict};
use trust::reference::ImageReference;
use trust::repository::{Decider, Reach};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: verify IMAGE")?;
    let image = ImageReference::parse(&name)?.or_latest();

    let environment = Environment::capture();
    let docker = environment.docker_config()?;
    let reach = Reach {
        trust_dir: docker.trust_dir(),
        docker: docker.into(),
        server: environment.trust_server.clone(),
        tls_ca: None,
        offline: false,
    };

    let (policy, now) = (Policy::signed(), jiff::Timestamp::now());
    let rule = policy.rule(&image);
    let tell = &mut |event| println!("note: {event:?}");
    let decider = Decider::new(reach);
    let decision = decider.decide(&image, rule, now, tell).await?;
    let judgement = decision.judgement;
    match judgement.decided_by {
        Some(signed) if judgement.verdict == Verdict::Trusted => {
            println!("sha256:{} by {:?}", signed.digest, judgement.signers);
            Ok(())
        }
        _ => Err(judgement.message.into()),
    }
}
