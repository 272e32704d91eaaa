//! `trust inspect`

mod described;
mod tables;

use super::{
    failure::{Failure, worst},
    notice,
    session::Session,
};
use described::Described;
use tables::tables;
use trust::{reference::ImageReference, remote::Actions, repository::inspect::Inspection};

/// Show who signed what in repositories
///
/// Prints the same JSON and the same tables as `docker trust inspect`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print tables for people
    #[arg(long)]
    pretty: bool,
    /// Repositories, or single tags of them
    #[arg(required = true, value_name = "IMAGE[:TAG]")]
    images: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    if args.pretty && !session.out.is_json() {
        pretty(args, session).await
    } else {
        json(args, session).await
    }
}

/// One array of what could be had, then what could not.
async fn json(args: &Args, session: &Session) -> Result<(), Failure> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for image in &args.images {
        match look(image, session).await {
            Ok(inspection) => found.push(Described::new(image, inspection)),
            Err(failure) => failed.push(failure),
        }
    }
    session.out.json(&found);
    for failure in &failed {
        failure.tell(&session.out);
    }
    worst(failed.iter().map(Failure::kind)).map_or(Ok(()), |kind| Err(Failure::told(kind)))
}

/// One image after the other until one fails, as Docker does it.
async fn pretty(args: &Args, session: &Session) -> Result<(), Failure> {
    for (index, image) in args.images.iter().enumerate() {
        if index > 0 {
            session.out.text("\n\n");
        }
        let inspection = look(image, session).await?;
        session.out.text(&tables(image, &inspection));
    }
    Ok(())
}

async fn look(typed: &str, session: &Session) -> Result<Inspection, Failure> {
    let image = ImageReference::parse(typed)
        .map_err(|error| Failure::from(error).doing(format!("inspect {typed}")))?;
    let found = async {
        let repository = session.repository(&image, Actions::Pull).await?;
        let mut watch = |event| notice::tell(&session.out, event);
        let inspection = repository.inspect(image.tag(), session.now(), &mut watch);
        inspection.await.map_err(Failure::from)
    };
    found.await.map_err(|failure| {
        let words = format!("no signatures or cannot access {typed}");
        if session.out.is_plugin() {
            failure.saying(words)
        } else {
            failure.after(&words)
        }
    })
}

/// What signs a tag that no signer signed (Docker client).
const ADMIN: &str = "Repo Admin";
