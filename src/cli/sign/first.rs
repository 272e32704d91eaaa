//! Who signs a repository that has no trust data yet.

use crate::cli::{failure::Failure, name, session::Session};
use trust::{
    config::Credentials,
    reference::ImageReference,
    repository::{keyring::Keyring, sign::NewSigner},
    tuf::key::PublicKey,
};
use trust_store::keys::Algorithm;

/// The first signer: as named, else whoever is logged in, with a local key or a new one.
pub(super) async fn signer(
    image: &ImageReference,
    named: Option<&str>,
    keyring: &mut Keyring<'_>,
    session: &Session,
) -> Result<NewSigner, Failure> {
    let name = match named {
        Some(name) => name.to_owned(),
        None => user(image, session).await?,
    };
    let mut keys = keyring.store().list()?;
    keys.retain(|key| key.role.as_deref() == Some(name.as_str()));
    let key = match keys.iter().min_by(|a, b| a.id.cmp(&b.id)) {
        Some(stored) => keyring.open(stored, &name)?,
        None => keyring.create(Algorithm::EcdsaP256, &name, None)?,
    };
    let public = key.public();
    let key = PublicKey::new(&public.key_type, public.bytes.clone())
        .map_err(|error| Failure::wrong(error.to_string()))?;
    Ok(NewSigner {
        name,
        keys: vec![key],
    })
}

/// The user logged in to the image's registry, if the name can be a signer's.
async fn user(image: &ImageReference, session: &Session) -> Result<String, Failure> {
    let nobody = || {
        Failure::wrong(format!(
            "{} has no trust data yet, and nobody is named who signs it first",
            image.gun()
        ))
        .hint("name the first signer with --as NAME, or log in to the registry")
    };
    match session.credentials(image).await? {
        Credentials::Basic { username, .. } => name::check("signer", &username)
            .map(|()| username)
            .map_err(|failure| failure.hint("name the first signer with --as NAME")),
        _ => Err(nobody()),
    }
}
