//! What a request does to the images and containers of an engine.

use super::Unclear;
use crate::reference::ImageReference;
use std::fmt;

/// The part of a request's meaning that trust is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Brings in no image and starts no container.
    Harmless,
    /// Nobody can say; refused.
    Refused(Unclear),
    /// Pulls a tag or a digest.
    Pull(ImageReference),
    /// Pulls every tag of a repository.
    PullAll(ImageReference),
    /// Installs a plugin of the engine from a registry.
    PullPlugin(ImageReference),
    /// Makes a container of images the engine has, under the names it knows them by.
    Create {
        /// The image; none for an empty root.
        image: Option<String>,
        /// Images mounted into the container.
        mounts: Vec<String>,
    },
    /// Runs a container that is there, by its name or id.
    Start {
        /// Name or id.
        container: String,
        /// Whether from the memory of a checkpoint.
        restored: bool,
    },
    /// Has nodes of the swarm pull images later.
    Deploy {
        /// What they pull.
        images: Vec<ImageReference>,
    },
    /// Gives an image the engine has another name.
    Tag {
        /// The image, as the engine knows it.
        source: String,
        /// The name.
        target: ImageReference,
    },
    /// Brings in what no registry vouches for.
    Bring {
        /// How.
        way: Way,
        /// Names the result is given.
        names: Vec<ImageReference>,
    },
}

/// How content comes in that no registry vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Files put into a container.
    Archive,
    /// A build; which images it begins from is not to be seen.
    Build,
    /// A container made an image.
    Commit,
    /// An archive of files made an image.
    Import,
    /// A node that runs what the managers of a swarm send it.
    Join,
    /// Images from an archive.
    Load,
    /// A plugin of the engine from an archive.
    Plugin,
    /// A service goes back to a state that the request does not show.
    RollBack,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Archive => "copying files into a container",
            Self::Build => "building an image",
            Self::Commit => "making an image of a container",
            Self::Import => "importing an image",
            Self::Join => "joining a swarm",
            Self::Load => "loading images",
            Self::Plugin => "making a plugin",
            Self::RollBack => "rolling a service back",
        })
    }
}

/// One line, as tables of tests have it.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[ImageReference]| {
            let names = names
                .iter()
                .map(|name| format!(" {}", name.familiar_reference()));
            names.collect::<String>()
        };
        match self {
            Self::Harmless => f.write_str("harmless"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Pull(image) => write!(f, "pull {}", image.familiar_reference()),
            Self::PullAll(image) => write!(f, "pull all {}", image.familiar()),
            Self::PullPlugin(image) => write!(f, "pull plugin {}", image.familiar_reference()),
            Self::Create { image, mounts } => {
                write!(f, "create {}", image.as_deref().unwrap_or("of nothing"))?;
                mounts
                    .iter()
                    .try_for_each(|mount| write!(f, " with {mount}"))
            }
            Self::Start {
                container,
                restored,
            } => write!(
                f,
                "{} {container}",
                if *restored { "restore" } else { "start" }
            ),
            Self::Deploy { images } => write!(f, "deploy{}", list(images)),
            Self::Tag { source, target } => {
                write!(f, "tag {source} {}", target.familiar_reference())
            }
            Self::Bring { way, names } => write!(f, "{way}{}", list(names)),
        }
    }
}
