//! From a request to its effect: every route of the engine that writes, and nothing else.
//!
//! What only reads or removes is harmless. A route that is not listed here is refused, so that
//! what a newer engine learns is closed until somebody has thought about it.

use super::{Call, Effect, Unclear, Way, content, named::named, target::Target};
use crate::reference::ImageReference;

/// What a request does, or why that cannot be said.
pub fn route(call: &Call) -> Effect {
    match call.method.as_str() {
        "GET" | "HEAD" | "OPTIONS" | "DELETE" => Effect::Harmless,
        "POST" => write(call, post).unwrap_or_else(Effect::Refused),
        "PUT" => write(call, put).unwrap_or_else(Effect::Refused),
        _ => Effect::Refused(Unclear::Unknown),
    }
}

type Meaning = Result<Effect, Unclear>;

fn write(call: &Call, method: fn(&Call, &Target) -> Meaning) -> Meaning {
    method(call, &Target::parse(&call.uri)?)
}

fn post(call: &Call, target: &Target) -> Meaning {
    let segments = target.segments();
    if HARMLESS.contains(&segments.join("/").as_str()) {
        return Ok(Effect::Harmless);
    }
    match segments.as_slice() {
        ["build"] => build(call, target),
        ["commit"] => commit(call, target),
        ["containers", "create"] => content::container(call),
        ["grpc" | "session"] => Ok(bring(Way::Build)),
        ["images", "create"] => pull_or_import(call, target),
        ["images", "load"] => Ok(bring(Way::Load)),
        ["plugins", "create"] => Ok(bring(Way::Plugin)),
        ["plugins", "pull"] => plugin(call, target),
        ["services", "create"] => content::service(call),
        ["swarm", "join"] => Ok(bring(Way::Join)),
        ["services", _, "update"] => update(call, target),
        [kind, name @ .., verb] if !name.is_empty() => to_one(call, target, kind, name, verb),
        _ => Err(Unclear::Unknown),
    }
}

fn put(_: &Call, target: &Target) -> Meaning {
    match target.segments().as_slice() {
        ["containers", name @ .., "archive"] if !name.is_empty() => Ok(bring(Way::Archive)),
        ["volumes", _] => Ok(Effect::Harmless),
        _ => Err(Unclear::Unknown),
    }
}

/// What is done to one thing by name; names may hold slashes.
fn to_one(call: &Call, target: &Target, kind: &str, name: &[&str], verb: &str) -> Meaning {
    match (kind, verb) {
        (
            "containers",
            "attach" | "checkpoints" | "exec" | "kill" | "pause" | "rename" | "resize" | "stop"
            | "unpause" | "update" | "wait",
        )
        | ("exec", "resize" | "start")
        | ("images", "push")
        | ("networks", "connect" | "disconnect")
        | ("plugins", "disable" | "enable" | "push" | "set") => Ok(Effect::Harmless),
        ("configs" | "nodes" | "secrets", "update") if name.len() == 1 => Ok(Effect::Harmless),
        ("containers", "restart" | "start") => start(call, target, name.join("/")),
        ("images", "tag") => tag(call, target, name.join("/")),
        ("plugins", "upgrade") => plugin(call, target),
        _ => Err(Unclear::Unknown),
    }
}

fn bring(way: Way) -> Effect {
    let names = Vec::new();
    Effect::Bring { way, names }
}

/// Without `fromImage` it is an import, wherever from.
fn pull_or_import(call: &Call, target: &Target) -> Meaning {
    call.is_no_form()?;
    let Some(image) = target.one("fromImage")? else {
        let way = Way::Import;
        let names = names_result(target)?;
        return Ok(Effect::Bring { way, names });
    };
    call.hides_no_form()?;
    // So asks who wants every tag (moby, `PullImage`).
    let image = image.strip_suffix(':').unwrap_or(image);
    let image = named(image, target.one("tag")?)?;
    Ok(match (image.tag(), image.digest()) {
        (None, None) => Effect::PullAll(image),
        _ => Effect::Pull(image),
    })
}

fn build(call: &Call, target: &Target) -> Meaning {
    call.is_no_form()?;
    let names = target.all("t").filter(|name| !name.is_empty());
    let names = names.map(|name| Ok(named(name, None)?.or_latest()));
    Ok(Effect::Bring {
        way: Way::Build,
        names: names.collect::<Result<_, Unclear>>()?,
    })
}

fn commit(call: &Call, target: &Target) -> Meaning {
    call.hides_no_form()?;
    Ok(Effect::Bring {
        way: Way::Commit,
        names: names_result(target)?,
    })
}

/// The name that `repo` and `tag` give to what is made, if any.
fn names_result(target: &Target) -> Result<Vec<ImageReference>, Unclear> {
    let tag = target.one("tag")?;
    let name = target.one("repo")?.map(|repo| named(repo, tag));
    Ok(name
        .transpose()?
        .map(ImageReference::or_latest)
        .into_iter()
        .collect())
}

fn tag(call: &Call, target: &Target, source: String) -> Meaning {
    call.hides_no_form()?;
    let repository = target.one("repo")?.unwrap_or_default();
    let target = named(repository, target.one("tag")?)?.or_latest();
    Ok(Effect::Tag { source, target })
}

fn plugin(call: &Call, target: &Target) -> Meaning {
    call.hides_no_form()?;
    let remote = target.one("remote")?.unwrap_or_default();
    target.one("name")?;
    Ok(Effect::PullPlugin(named(remote, None)?.or_latest()))
}

fn start(call: &Call, target: &Target, container: String) -> Meaning {
    call.hides_no_form()?;
    let restored = target.one("checkpoint")?.is_some() || target.one("checkpoint-dir")?.is_some();
    Ok(Effect::Start {
        container,
        restored,
    })
}

/// What a service goes back to stands in no request.
fn update(call: &Call, target: &Target) -> Meaning {
    match target.one("rollback")? {
        None | Some("none") => content::service(call),
        Some(_) => Ok(bring(Way::RollBack)),
    }
}

/// What is written to, and brings in no image and starts no container.
const HARMLESS: [&str; 15] = [
    "auth",
    "build/cancel",
    "build/prune",
    "configs/create",
    "containers/prune",
    "images/prune",
    "networks/create",
    "networks/prune",
    "secrets/create",
    "swarm/init",
    "swarm/leave",
    "swarm/unlock",
    "swarm/update",
    "volumes/create",
    "volumes/prune",
];
