//! `trust sign`

mod approve;
mod first;
mod source;
mod stage;

use super::{
    failure::{Failure, worst},
    notice,
    prompt::Prompt,
    request::Delivery,
    session::Session,
};
use serde::Serialize;
use source::Source;
use std::path::PathBuf;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{Error, Event, Repository, keyring::Keyring, sign::SignRequest},
    tuf::{canonical::Node, role::RoleName},
};

/// Sign images
///
/// Signs what the registry serves for the tag. If the registry lacks the tag and the Docker engine
/// has it, or with --local, the image is pushed through the engine first. IMAGE:TAG@DIGEST signs
/// exactly that digest.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Push the engine's image first, whatever the registry has
    #[arg(long)]
    local: bool,
    /// Sign with the keys of this signer only; a new repository begins with this signer
    #[arg(long = "as", value_name = "NAME")]
    signer: Option<String>,
    /// Sign into this role only, such as targets/releases
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Option<RoleName>,
    /// Data of your own to sign along with the digest
    #[arg(long, value_name = "JSON", value_parser = custom)]
    custom: Option<Custom>,
    #[command(flatten)]
    delivery: Delivery,
    /// Check what somebody requests in this file, sign it too, and publish it if nobody else has to
    #[arg(long, value_name = "FILE", conflicts_with_all = ["images", "local", "signer", "role", "custom", "request"])]
    approve: Option<PathBuf>,
    /// Do not ask before a request is signed
    #[arg(short, long, requires = "approve")]
    yes: bool,
    /// Do not publish: put it on the list of changes, for `trust repo publish`; where others have to
    /// sign it too, write a request to PATH-TAG.request.json
    #[arg(long, conflicts_with_all = ["approve", "request"])]
    stage: bool,
    /// Size of the manifest that IMAGE:TAG@DIGEST names; then the registry is not asked
    #[arg(long, value_name = "BYTES", conflicts_with = "approve")]
    size: Option<u64>,
    /// Images to sign
    #[arg(required_unless_present = "approve", value_name = "IMAGE:TAG[@DIGEST]")]
    images: Vec<String>,
}

/// Signed data, checked when the command line is read.
#[derive(Clone)]
struct Custom(Node<'static>);

/// How far an image came.
enum Done {
    /// It is signed, or on the list
    Here(Source),
    /// Others have to sign it, too
    InTurn,
}

/// What was signed, as programs see it.
#[derive(Serialize)]
struct Signed<'a> {
    image: &'a str,
    name: &'a str,
    tag: &'a str,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    staged: bool,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    if let Some(file) = &args.approve {
        return approve::run(file, args.yes, session).await;
    }
    if let Some(signer) = &args.signer {
        super::name::check("signer", signer)?;
    }
    let images = args.images.iter().map(|typed| {
        target(typed, args.local).map_err(|failure| failure.doing(format!("sign {typed}")))
    });
    let images = images.collect::<Result<Vec<_>, _>>()?;
    if args.size.is_some() && !args.stage && !args.delivery.is_request() {
        let words = "--size goes with --stage or --request; else the registry is asked";
        return Err(Failure::wrong(words));
    }
    if args.size.is_some() && images.len() > 1 {
        let words = "--size is the size of one image's manifest, and several images are named";
        return Err(Failure::wrong(words));
    }
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    if args.delivery.is_request() {
        return together(&images, &args.delivery, args, &mut keyring, session).await;
    }
    let (mut done, mut in_turn, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for (image, tag) in &images {
        match sign(image, tag, args, &mut keyring, session).await {
            Ok(Done::InTurn) => in_turn.push((image.clone(), tag.clone())),
            Ok(Done::Here(source)) => done.push(Signed {
                image: image.typed(),
                name: image.familiar(),
                tag,
                digest: source.digest.to_string(),
                size: source.size,
                staged: args.stage,
            }),
            Err(failure) => {
                kinds.push(failure.kind());
                failure
                    .doing(format!("sign {}", image.typed()))
                    .tell(&session.out);
            }
        }
    }
    if let Some((first, tag)) = in_turn.first() {
        let delivery = Delivery::to(first, tag);
        return together(&in_turn, &delivery, args, &mut keyring, session).await;
    }
    if session.out.is_json() {
        session.out.json(&done);
    }
    worst(kinds).map_or(Ok(()), |kind| Err(Failure::told(kind)))
}

async fn sign(
    image: &ImageReference,
    tag: &str,
    args: &Args,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<Done, Failure> {
    let (out, typed) = (&session.out, image.typed());
    let full = format!("{}:{tag}", image.gun());
    let failed = |error: Error| Failure::from(error).after(&format!("failed to sign {full}"));
    let source = match stage::named(image, args, session)? {
        Some(source) => source,
        None => source::find(image, args.local, session).await?,
    };
    out.say(&source.line(tag));
    if !args.stage {
        out.say(&format!("Signing and pushing trust metadata for {typed}"));
    }
    let repository = session.repository(image, Actions::PullPush).await?;
    let mut request = request(tag, &source, args)?;
    if args.stage {
        let staged = stage::stage(&repository, keyring, &request, session).await?;
        return Ok(if staged {
            Done::Here(source)
        } else {
            Done::InTurn
        });
    }
    match publish(&repository, keyring, &request, session).await {
        Err(Error::NotInitialized { .. }) => {
            let first = first::signer(image, args.signer.as_deref(), keyring, session).await?;
            let created = format!("Created signer: {}", first.name);
            request.first_signer = Some(first);
            publish(&repository, keyring, &request, session)
                .await
                .map_err(failed)?;
            out.say(&created);
            out.say(&format!(
                "Finished initializing signed repository for {typed}"
            ));
        }
        published => published.map_err(failed)?,
    }
    out.say(&format!("Successfully signed {full}"));
    Ok(Done::Here(source))
}

/// Makes one request of all these tags, for others to sign.
async fn together(
    images: &[(ImageReference, String)],
    delivery: &Delivery,
    args: &Args,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<(), Failure> {
    let Some((first, _)) = images.first() else {
        return Ok(());
    };
    if images.iter().any(|(image, _)| image.gun() != first.gun()) {
        return Err(Failure::wrong("one request is for one repository"));
    }
    let mut requests = Vec::new();
    for (image, tag) in images {
        let source = match stage::named(image, args, session)? {
            Some(source) => source,
            None => source::find(image, args.local, session).await?,
        };
        requests.push(request(tag, &source, args)?);
    }
    let repository = session.repository(first, Actions::PullPush).await?;
    let repository = delivery.of(repository)?;
    let mut watch = |event| notice::tell(&session.out, event);
    repository
        .sign_together(keyring, &requests, session.now(), &mut watch)
        .await?;
    delivery.finish(&repository, session)
}

fn request(tag: &str, source: &Source, args: &Args) -> Result<SignRequest, Failure> {
    Ok(SignRequest {
        tag: tag.to_owned(),
        sha256: source.sha256()?,
        size: source.size,
        custom: args.custom.clone().map(|custom| custom.0),
        role: args.role.clone(),
        signer: args.signer.clone(),
        first_signer: None,
    })
}

async fn publish(
    repository: &Repository,
    keyring: &mut Keyring<'_>,
    request: &SignRequest,
    session: &Session,
) -> Result<(), Error> {
    let (out, tag) = (&session.out, &request.tag);
    let mut watch = |event| match event {
        Event::ExistingSignatures {
            digest,
            mut signers,
        } => {
            signers.sort_unstable();
            let signers = signers.join(", ");
            out.say(&format!(
                "Existing signatures for tag {tag} digest {digest} from:\n{signers}"
            ));
        }
        other => notice::tell(out, other),
    };
    repository
        .sign(keyring, request, session.now(), &mut watch)
        .await
}

/// An image that can be signed, and its tag; a digest is there only if that is to be signed.
fn target(typed: &str, local: bool) -> Result<(ImageReference, String), Failure> {
    let doing = |failure: Failure| failure.doing(format!("sign {typed}"));
    let wrong = |words: &str| doing(Failure::wrong(words));
    let image = ImageReference::parse(typed).map_err(|error| doing(error.into()))?;
    match (image.tag(), image.digest()) {
        (None, Some(_)) => Err(wrong("cannot use a digest reference for IMAGE:TAG")
            .hint("name the tag too, as IMAGE:TAG@DIGEST")),
        (None, None) => Err(wrong(&format!("no tag specified for {typed}"))),
        (Some(_), Some(_)) if local => {
            let words = "--local signs what the engine pushes; leave the digest out";
            Err(wrong(words))
        }
        (Some(tag), _) => {
            let tag = tag.to_owned();
            Ok((image, tag))
        }
    }
}

fn role(name: &str) -> Result<RoleName, String> {
    RoleName::parse(name)
        .filter(|role| role.is_delegation() || *role == RoleName::targets())
        .ok_or_else(|| {
            "images are signed into targets or a role below it, such as targets/releases".to_owned()
        })
}

fn custom(json: &str) -> Result<Custom, String> {
    Node::parse(json.as_bytes())
        .map(|node| Custom(node.into_owned()))
        .map_err(|error| error.to_string())
}
