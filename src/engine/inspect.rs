//! What the engine knows of its images and containers.

use super::{Engine, EngineError};
use bollard::{
    errors::Error,
    models::{ContainerInspectResponse, ImageInspect, Mount, MountType},
    query_parameters::InspectContainerOptions,
};

/// An image the engine has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LocalImage {
    /// `sha256:…`: of its configuration or of its manifest, as the engine keeps images.
    pub id: String,
    /// Its names with tags.
    pub tags: Vec<String>,
    /// Its names with the digests of the manifests under which registries have it.
    pub digests: Vec<String>,
}

/// A container the engine has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LocalContainer {
    /// Its own id.
    pub id: String,
    /// Id of the image it was made of; empty if it was made of none.
    pub image: String,
    /// The name by which that was asked for.
    pub name: String,
    /// Images mounted into it, by name.
    pub mounts: Vec<String>,
}

impl Engine {
    /// The image the engine takes for this name or id, if it has one.
    pub async fn image(&self, name: &str) -> Result<Option<LocalImage>, EngineError> {
        let found = self.docker.inspect_image(name).await;
        Ok(self.found(found)?.map(LocalImage::from))
    }

    /// The container of this name or id, if there is one.
    pub async fn container(&self, name: &str) -> Result<Option<LocalContainer>, EngineError> {
        let options = None::<InspectContainerOptions>;
        let found = self.docker.inspect_container(name, options).await;
        Ok(self.found(found)?.map(LocalContainer::from))
    }

    /// What is not there is no failure.
    fn found<T>(&self, asked: Result<T, Error>) -> Result<Option<T>, EngineError> {
        match asked {
            Ok(found) => Ok(Some(found)),
            Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(None),
            Err(error) => Err(self.fault(error)),
        }
    }
}

impl From<ImageInspect> for LocalImage {
    fn from(image: ImageInspect) -> Self {
        Self {
            id: image.id.unwrap_or_default(),
            tags: image.repo_tags.unwrap_or_default(),
            digests: image.repo_digests.unwrap_or_default(),
        }
    }
}

impl From<ContainerInspectResponse> for LocalContainer {
    fn from(container: ContainerInspectResponse) -> Self {
        let config = container.config.unwrap_or_default();
        let host = container.host_config.unwrap_or_default();
        Self {
            id: container.id.unwrap_or_default(),
            image: container.image.unwrap_or_default(),
            name: config.image.unwrap_or_default(),
            mounts: mounted(host.mounts),
        }
    }
}

fn mounted(mounts: Option<Vec<Mount>>) -> Vec<String> {
    let mounts = mounts.unwrap_or_default().into_iter();
    let images = mounts.filter(|mount| mount.typ == Some(MountType::IMAGE));
    images.filter_map(|mount| mount.source).collect()
}
