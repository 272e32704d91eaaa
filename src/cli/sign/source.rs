//! What is signed: the bytes the registry serves, pushed there first if need be.

use crate::cli::{failure::Failure, progress::Layers, session::Session};
use trust::{
    engine::Engine,
    reference::{Digest, ImageReference},
    registry::{Registry, RegistryError},
};

/// The manifest a signature will be about.
pub(super) struct Source {
    /// Its digest, computed from its bytes
    pub(super) digest: Digest,
    /// Its size in bytes
    pub(super) size: u64,
}

impl Source {
    /// How Docker says what was pushed.
    pub(super) fn line(&self, tag: &str) -> String {
        format!("{tag}: digest: {} size: {}", self.digest, self.size)
    }

    /// The digest as trust data hold it.
    pub(super) fn sha256(&self) -> Result<[u8; 32], Failure> {
        let mut bytes = [0; 32];
        let hex = self.digest.sha256_hex().unwrap_or_default();
        hex::decode_to_slice(hex, &mut bytes).map_err(|_| {
            Failure::wrong(format!(
                "only sha256 digests can be signed, not {}",
                self.digest
            ))
        })?;
        Ok(bytes)
    }
}

/// Finds what to sign for an image: in the registry, else in the engine.
pub(super) async fn find(
    image: &ImageReference,
    local: bool,
    session: &Session,
) -> Result<Source, Failure> {
    let registry = session.registry(image).await?;
    if local {
        let engine = session.engine().await?;
        return push(image, &engine, &registry, session).await;
    }
    match registry.manifest(image).await {
        Ok(manifest) => Ok(Source {
            // Asked for by digest, these bytes have it, whatever its algorithm.
            digest: image.digest().cloned().unwrap_or(manifest.digest),
            size: manifest.size,
        }),
        Err(error @ RegistryError::NotFound { .. }) if image.digest().is_none() => {
            match engine_with(image, session).await? {
                Some(engine) => push(image, &engine, &registry, session).await,
                None => Err(Failure::from(error)
                    .hint("push the image first; no Docker engine that runs here has it either")),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// The engine if it has the image; an engine that does not run has none.
async fn engine_with(image: &ImageReference, session: &Session) -> Result<Option<Engine>, Failure> {
    let Ok(engine) = session.engine().await else {
        return Ok(None);
    };
    let has = engine.has(image).await?;
    Ok(has.then_some(engine))
}

/// Pushes the engine's image; then the registry's bytes count, not the engine's word.
async fn push(
    image: &ImageReference,
    engine: &Engine,
    registry: &Registry,
    session: &Session,
) -> Result<Source, Failure> {
    session.out.note(&format!(
        "Signing and pushing trust data for local image {}, may overwrite remote trust data",
        image.typed()
    ));
    let credentials = session.credentials(image).await?;
    let mut layers = Layers::new(&session.out);
    let pushed = engine
        .push(image, &credentials, &mut |line| {
            // The last line is ours to say, once the registry has shown what it got.
            if !line.status.contains(": digest: ") {
                layers.show(&line);
            }
        })
        .await?;
    let manifest = registry.manifest_by_digest(image, &pushed.digest).await?;
    Ok(Source {
        digest: manifest.digest,
        size: manifest.size,
    })
}
