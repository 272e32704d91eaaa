//! `trust pull`

mod target;

use super::{
    decision::Judge, failure::Failure, progress::Layers, rules::PolicyArgs, session::Session,
};
use serde::Serialize;
use target::{Target, decided, everything, unchecked};
use trust::{
    engine::Engine,
    policy::Reason,
    reference::ImageReference,
    registry::{Platform, Registry, RegistryError},
};

/// Pull images that are signed
///
/// The Docker engine pulls exactly the digest that is signed, then gives it the tag. What is not
/// signed is not pulled.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// Pull all signed tags of the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Pull the image for this platform from a multi-platform image
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<Platform>,
    /// Pull whatever the registry serves, signed or not
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(
        value_name = "BOOL",
        default_value = "false",
        hide_default_value = true
    )]
    #[arg(action = clap::ArgAction::Set)]
    disable_content_trust: bool,
    /// Images to pull; tag latest if neither tag nor digest is named
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// What was pulled, as programs see it.
#[derive(Serialize)]
struct Pulled {
    image: String,
    name: String,
    tag: Option<String>,
    digest: String,
    /// What is signed; nothing if nobody was asked
    size: Option<u64>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let judge = Judge::new(&args.policy, None, session).map_err(|failure| failure.doing("pull"))?;
    let mut pulled = Vec::new();
    for typed in &args.images {
        let doing = |failure: Failure| failure.doing(format!("pull {typed}"));
        pulled.extend(image(typed, args, &judge, session).await.map_err(doing)?);
    }
    if session.out.is_json() {
        session.out.json(&pulled);
    }
    Ok(())
}

async fn image(
    typed: &str,
    args: &Args,
    judge: &Judge<'_>,
    session: &Session,
) -> Result<Vec<Pulled>, Failure> {
    let out = &session.out;
    let named = ImageReference::parse(typed)?;
    let bare = named.tag().is_none() && named.digest().is_none();
    if args.all_tags && !bare {
        return Err(Failure::wrong("tag can't be used with --all-tags/-a"));
    }
    if bare && !args.all_tags && !out.is_quiet() {
        out.say("Using default tag: latest");
    }
    let image = if args.all_tags {
        named
    } else {
        named.or_latest()
    };
    let registry = session.registry(&image).await?;
    let targets = match (args.disable_content_trust, args.all_tags) {
        (true, true) => {
            return Err(Failure::wrong(
                "--all-tags pulls what is signed, and --disable-content-trust asks for all else",
            ));
        }
        (true, false) => vec![unchecked(&image, &registry).await?],
        (false, true) => everything(&image, judge, &registry, session).await?,
        (false, false) => vec![decided(&image, judge, &registry, session).await?],
    };
    let engine = session.engine().await?;
    for (index, target) in targets.iter().enumerate() {
        if target.size.is_some() {
            out.say(&format!(
                "Pull ({} of {}): {}",
                index + 1,
                targets.len(),
                target.line(&image)
            ));
        }
        check(target, args.platform.as_ref(), &image, &registry).await?;
        pull(target, args, &image, &engine, session).await?;
    }
    out.say(&image.to_string());
    let rows = targets.into_iter().map(|target| Pulled {
        image: typed.to_owned(),
        name: image.familiar().to_owned(),
        tag: target.tag,
        digest: target.digest.to_string(),
        size: target.size,
    });
    Ok(rows.collect())
}

/// Has the registry show, before the engine pulls, that it serves what was signed.
async fn check(
    target: &Target,
    platform: Option<&Platform>,
    image: &ImageReference,
    registry: &Registry,
) -> Result<(), Failure> {
    let served = registry.manifest_by_digest(image, &target.digest).await;
    let manifest = served.map_err(|error| match error {
        // It is signed, so it has to be somewhere: the registry lost it.
        RegistryError::NotFound { .. } => {
            Failure::unfinished(error.to_string()).because(Reason::Unreachable)
        }
        other => other.into(),
    })?;
    if let Some(signed) = target.size.filter(|signed| *signed != manifest.size) {
        let (digest, served) = (&target.digest, manifest.size);
        let words = format!("{digest} is signed as {signed} bytes, the registry serves {served}");
        return Err(Failure::refused(words).because(Reason::DigestNotSigned));
    }
    match platform.filter(|_| manifest.is_index()) {
        Some(platform) => Ok(manifest.child(platform).map(drop)?),
        None => Ok(()),
    }
}

async fn pull(
    target: &Target,
    args: &Args,
    image: &ImageReference,
    engine: &Engine,
    session: &Session,
) -> Result<(), Failure> {
    let credentials = session.credentials(image).await?;
    let platform = args.platform.as_ref().map(ToString::to_string);
    let mut layers = Layers::new(&session.out);
    let show = &mut |line| layers.show(&line);
    engine
        .pull(
            image,
            &target.digest,
            platform.as_deref(),
            &credentials,
            show,
        )
        .await?;
    layers.end();
    let Some(tag) = &target.tag else {
        return Ok(());
    };
    let (source, tagged) = (image.with_digest(&target.digest), image.with_tag(tag)?);
    let (from, to) = (source.familiar_reference(), tagged.familiar_reference());
    session.out.note(&format!("Tagging {from} as {to}"));
    Ok(engine.tag(&source, &tagged).await?)
}
