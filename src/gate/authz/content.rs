//! The images that the bodies of requests name.

use super::{Call, Effect, Unclear, json, named::parse};
use serde_json::Value;

/// A container to be made: its image, and images mounted into it.
///
/// Up to Docker 25 the host's configuration could stand beside the container's as well as in
/// `HostConfig`.
pub(super) fn container(call: &Call) -> Result<Effect, Unclear> {
    let body = call.json()?;
    let image = Some(json::text(&body, "Image")?).filter(|image| !image.is_empty());
    let mut mounts = mounted(&body)?;
    if let Some(host) = json::field(&body, "HostConfig")? {
        mounts.extend(mounted(host)?);
    }
    Ok(Effect::Create {
        image: image.map(str::to_owned),
        mounts,
    })
}

/// A service to be made or changed: what its tasks are made of, on whatever node.
pub(super) fn service(call: &Call) -> Result<Effect, Unclear> {
    let body = call.json()?;
    let mut names = Vec::new();
    if let Some(task) = json::field(&body, "TaskTemplate")? {
        if let Some(container) = json::field(task, "ContainerSpec")? {
            names.push(json::text(container, "Image")?.to_owned());
            names.extend(mounted(container)?);
        }
        if let Some(plugin) = json::field(task, "PluginSpec")? {
            names.push(json::text(plugin, "Remote")?.to_owned());
        }
    }
    let names = names.iter().filter(|name| !name.is_empty());
    let images = names.map(|name| Ok(parse(name)?.or_latest()));
    Ok(Effect::Deploy {
        images: images.collect::<Result<_, Unclear>>()?,
    })
}

/// Images among the mounts (since API 1.48).
fn mounted(config: &Value) -> Result<Vec<String>, Unclear> {
    let mut images = Vec::new();
    for mount in json::list(config, "Mounts")? {
        if json::text(mount, "Type")?.eq_ignore_ascii_case("image") {
            images.push(json::text(mount, "Source")?.to_owned());
        }
    }
    Ok(images)
}
