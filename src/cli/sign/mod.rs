//! `trust sign`

mod first;
mod source;

use super::{failure::Failure, notice, prompt::Prompt, session::Session};
use source::Source;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{Event, Repository, keyring::Keyring, sign::SignRequest},
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
    /// Images to sign
    #[arg(required = true, value_name = "IMAGE:TAG[@DIGEST]")]
    images: Vec<String>,
}

/// Signed data, checked when the command line is read.
#[derive(Clone)]
struct Custom(Node<'static>);

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    if let Some(signer) = &args.signer {
        super::name::check("signer", signer)?;
    }
    let images = args.images.iter().map(|typed| {
        target(typed, args.local).map_err(|failure| failure.doing(format!("sign {typed}")))
    });
    let images = images.collect::<Result<Vec<_>, _>>()?;
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let mut signed = Vec::new();
    for image in &images {
        let source = sign(image, args, &mut keyring, session)
            .await
            .map_err(|failure| failure.doing(format!("sign {}", image.typed())))?;
        signed.push(serde_json::json!({
            "image": image.typed(),
            "name": image.familiar(),
            "tag": image.tag(),
            "digest": source.digest.as_str(),
            "size": source.size,
        }));
    }
    if session.out.is_json() {
        session.out.json(&signed);
    }
    Ok(())
}

async fn sign(
    image: &ImageReference,
    args: &Args,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<Source, Failure> {
    let typed = image.typed();
    let tag = image.tag().unwrap_or_default();
    let full = format!("{}:{tag}", image.gun());
    let failed = |failure: Failure| failure.after(&format!("failed to sign {full}"));
    let source = source::find(image, args.local, session).await?;
    let out = &session.out;
    out.say(&source.line(tag));
    out.say(&format!("Signing and pushing trust metadata for {typed}"));
    let repository = session.repository(image, Actions::PullPush).await?;
    let request = SignRequest {
        tag: tag.to_owned(),
        sha256: source.sha256()?,
        size: source.size,
        custom: args.custom.clone().map(|custom| custom.0),
        role: args.role.clone(),
        signer: args.signer.clone(),
        first_signer: None,
    };
    let signed = publish(&repository, keyring, request, tag, session).await;
    match signed {
        Ok(()) => {}
        Err((trust::repository::Error::NotInitialized { .. }, request)) => {
            let signer = first::signer(image, args.signer.as_deref(), keyring, session).await?;
            let name = signer.name.clone();
            let first_signer = Some(signer);
            let request = SignRequest {
                first_signer,
                ..request
            };
            publish(&repository, keyring, request, tag, session)
                .await
                .map_err(|(error, _)| failed(error.into()))?;
            out.say(&format!("Created signer: {name}"));
            out.say(&format!(
                "Finished initializing signed repository for {typed}"
            ));
        }
        Err((error, _)) => return Err(failed(error.into())),
    }
    out.say(&format!("Successfully signed {full}"));
    Ok(source)
}

/// One publish; gives the request back if it failed.
async fn publish(
    repository: &Repository,
    keyring: &mut Keyring<'_>,
    request: SignRequest,
    tag: &str,
    session: &Session,
) -> Result<(), (trust::repository::Error, SignRequest)> {
    let out = &session.out;
    let mut watch = |event| match event {
        Event::ExistingSignatures {
            digest,
            mut signers,
        } => {
            signers.sort_unstable();
            out.say(&format!(
                "Existing signatures for tag {tag} digest {digest} from:\n{}",
                signers.join(", ")
            ));
        }
        other => notice::tell(out, other),
    };
    let signed = repository.sign(keyring, &request, session.now(), &mut watch);
    signed.await.map_err(|error| (error, request))
}

/// A name that can be signed: it has a tag, and a digest only if that is to be signed.
fn target(typed: &str, local: bool) -> Result<ImageReference, Failure> {
    let image = ImageReference::parse(typed)?;
    match (image.tag(), image.digest()) {
        (None, Some(_)) => Err(
            Failure::wrong("cannot use a digest reference for IMAGE:TAG")
                .hint("name the tag too, as IMAGE:TAG@DIGEST"),
        ),
        (None, None) => Err(Failure::wrong(format!("no tag specified for {typed}"))),
        (Some(_), Some(_)) if local => Err(Failure::wrong(
            "--local signs what the engine pushes; leave the digest out",
        )),
        (Some(_), _) => Ok(image),
    }
}

fn role(name: &str) -> Result<RoleName, String> {
    RoleName::parse(name)
        .filter(|role| role.is_delegation() || *role == RoleName::targets())
        .ok_or_else(|| "images are signed into targets or a role below it, such as targets/releases".to_owned())
}

fn custom(json: &str) -> Result<Custom, String> {
    Node::parse(json.as_bytes())
        .map(|node| Custom(node.into_owned()))
        .map_err(|error| error.to_string())
}
