//! A real dockerd that asks our plugin before it does anything.

mod compose;
mod scene;

use crate::peers::image::{DOCKER_INDEX, OCI_INDEX, image, image_for, index};
use scene::{CLOSED, alone, ask, gated, lab, post, send, sign};
use std::fs;

#[test]
fn signed_images_are_pulled_and_run_and_others_refused() {
    let _turn = alone();
    let (mut lab, signed, unsigned) = lab();
    let authz = gated(&lab, CLOSED);
    // The engine comes back, and the plugin talks to the new one.
    lab.home("reader")
        .docker(&format!("create {}", lab.name("team/app:signed")))
        .ok();
    lab.stop_engine();
    lab.start_engine_asking(&authz.name);
    let reader = lab.home("reader");
    let app = lab.name("team/app");

    reader
        .docker(&format!("pull {app}:signed"))
        .ok()
        .says(&signed);
    reader
        .docker(&format!("run --rm --network none {app}:signed"))
        .ok()
        .says("team/app:signed");
    reader.docker(&format!("pull {app}@{signed}")).ok();
    let id = reader
        .docker(&format!("image inspect --format {{{{.Id}}}} {app}:signed"))
        .ok()
        .stdout;
    let id = id.trim().trim_start_matches("sha256:");
    for name in [
        id,
        &id[..12],
        &format!("sha256:{id}"),
        &format!("{app}@{signed}"),
    ] {
        reader
            .docker(&format!("run --rm --network none {name}"))
            .ok()
            .says("team/app:signed");
    }
    reader.docker(&format!("rmi -f {id}")).ok();
    // What is missing is pulled by `run`, once it is allowed.
    reader
        .docker(&format!("run --rm --network none {app}:signed"))
        .ok()
        .says("team/app:signed");

    for refused in [format!("{app}:unsigned"), format!("{app}@{unsigned}")] {
        for verb in ["pull", "run --rm --network none", "create"] {
            reader
                .docker(&format!("{verb} {refused}"))
                .exit(if verb.starts_with("run") { 125 } else { 1 })
                .says(&format!("authorization denied by plugin {}", authz.name))
                .says(&format!("{refused} is refused"));
        }
    }
    reader
        .docker(&format!("pull {app}:unsigned"))
        .exit(1)
        .says("No valid trust data for unsigned")
        .says("[unsigned]");
    // Bypass 5: a digest nobody signed.
    reader
        .docker(&format!("pull {app}@{unsigned}"))
        .exit(1)
        .says("[digest-not-signed]");
    reader
        .docker(&format!("pull --all-tags {app}"))
        .exit(1)
        .says("trust pull --all-tags");
    lab.push("elsewhere", "1");
    reader
        .docker(&format!("pull {}", lab.name("elsewhere:1")))
        .exit(1)
        .says("[no-rule]");
    lab.push("free/app", "1");
    let free = lab.name("free/app:1");
    reader
        .docker(&format!("run --rm --network none {free}"))
        .ok();
    lab.push("tried/app", "1");
    let tried = lab.name("tried/app:1");
    reader
        .docker(&format!("run --rm --network none {tried}"))
        .ok();
    let decisions = authz.decisions();
    for words in [
        "\"door\":\"authz\"",
        "\"verdict\":\"audited\"",
        "\"verdict\":\"trusted\"",
    ] {
        assert!(
            decisions.contains(words),
            "{words} is missing:\n{decisions}"
        );
    }
}

/// What is signed of an image for several platforms is its index.
#[test]
fn an_index_is_what_the_engine_remembers() {
    let _turn = alone();
    let (lab, _, _) = lab();
    let _authz = gated(&lab, CLOSED);
    let (nigel, reader) = (lab.home("nigel"), lab.home("reader"));
    let (here, there) = (image_for("amd64", "here"), image_for("arm64", "there"));
    for (tag, image) in [("here", &here), ("there", &there)] {
        lab.registry.push("team/app", tag, image);
    }
    let app = lab.name("team/app");
    let indexes = [(DOCKER_INDEX, "list"), (OCI_INDEX, "index")].map(|(kind, tag)| {
        let index = index(kind, &[("amd64", &here), ("arm64", &there)]);
        lab.registry.put_manifest("team/app", tag, &index);
        nigel.trust(&format!("sign {app}:{tag}")).ok();
        (tag, index.digest())
    });
    for (tag, digest) in indexes {
        reader
            .docker(&format!("pull {app}:{tag}"))
            .ok()
            .says(&digest);
        reader
            .docker(&format!("run --rm --network none {app}:{tag}"))
            .ok()
            .says("here");
    }
    // Bypass 6: the image of one platform by its own digest, which nobody signed.
    reader
        .docker(&format!("pull {app}@{}", here.digest()))
        .exit(1)
        .says("[digest-not-signed]");
}

#[test]
fn a_tag_moved_after_signing_is_refused() {
    let _turn = alone();
    let (lab, signed, unsigned) = lab();
    let _authz = gated(&lab, CLOSED);
    let app = lab.name("team/app");
    let nigel = lab.home("nigel");
    nigel
        .copy_image(&format!("{app}:unsigned"), &format!("{app}:signed"))
        .ok();
    let reader = lab.home("reader");
    for verb in ["pull", "create"] {
        reader
            .docker(&format!("{verb} {app}:signed"))
            .exit(1)
            .says(&signed)
            .says(&unsigned)
            .says("[digest-not-signed]");
    }
    reader.docker(&format!("pull {app}@{signed}")).ok();
    reader
        .docker(&format!("run --rm --network none {app}@{signed}"))
        .ok()
        .says("team/app:signed");
    // trust pull asks for the digest, and tags it.
    reader.trust(&format!("pull {app}:signed")).ok();
    reader
        .docker(&format!("run --rm --network none {app}:signed"))
        .ok()
        .says("team/app:signed");
}

/// Bypass 10: load, import, commit, tag; and build, copying into a container.
#[test]
fn what_no_registry_vouches_for_stays_out() {
    let _turn = alone();
    let (lab, _, _) = lab();
    let _authz = gated(&lab, CLOSED);
    let reader = lab.home("reader");
    let app = lab.name("team/app");
    reader.docker(&format!("pull {app}:signed")).ok();
    reader
        .docker(&format!("create --name made --network none {app}:signed"))
        .ok();
    reader
        .docker(&format!("save -o saved.tar {app}:signed"))
        .ok();
    fs::write(
        reader.folder().join("Dockerfile"),
        format!("FROM {app}:unsigned\n"),
    )
    .unwrap();
    let tag = format!("tag {app}:signed {}", lab.name("team/other:1"));
    for line in [
        "load -i saved.tar",
        "import saved.tar",
        "import http://127.0.0.1:1/x.tar",
        "commit made",
        "commit made free:1",
        "build .",
        "cp Dockerfile made:/",
        &tag,
        "swarm join --token x 127.0.0.1:1",
    ] {
        reader
            .with("DOCKER_BUILDKIT", "0")
            .docker(line)
            .exit(1)
            .says("authorization denied by plugin");
    }
    // The signed image under its signed name, or under a name that need not be signed.
    reader
        .docker(&format!("tag {app}:signed {}", lab.name("free/app:mine")))
        .ok();
    reader
        .docker(&format!(
            "run --rm --network none {}",
            lab.name("free/app:mine")
        ))
        .ok();
    reader.docker("rm made").ok();
}

/// Bypass 10: what was let in shadows no name that has to be signed.
#[test]
fn local_images_take_no_signed_names() {
    let _turn = alone();
    let (lab, signed, _) = lab();
    let _authz = gated(&lab, "local = \"accept\"\nbuild = \"accept\"");
    let reader = lab.home("reader").with("DOCKER_BUILDKIT", "0");
    let app = lab.name("team/app");
    lab.push("free/app", "1");
    let free = lab.name("free/app:1");
    reader.docker(&format!("pull {free}")).ok();
    fs::write(
        reader.folder().join("Dockerfile"),
        format!("FROM {free}\nCMD [\"/bin/busybox\", \"echo\", \"built here\"]\n"),
    )
    .unwrap();
    reader.docker("build -t mine .").ok();
    let id = reader.docker("image inspect --format {{.Id}} mine").ok();
    reader
        .docker(&format!("run --rm --network none {}", id.stdout.trim()))
        .ok()
        .says("built here");
    for line in [
        format!("build -t {app}:signed ."),
        format!("tag mine {app}:signed"),
        format!("import Dockerfile {app}:signed"),
    ] {
        reader
            .docker(&line)
            .exit(1)
            .says("given only to what is signed");
    }
    // An archive may hold any name; the image under it is not the signed one.
    let evil = image("loaded");
    fs::write(
        reader.folder().join("evil.tar"),
        evil.archive(&format!("{app}:signed")),
    )
    .unwrap();
    reader.docker("load -i evil.tar").ok();
    reader
        .docker(&format!("run --rm --network none {app}:signed"))
        .exit(125)
        .says("was not pulled from a registry")
        .says("[digest-not-signed]");
    reader
        .docker(&format!("pull {app}:signed"))
        .ok()
        .says(&signed);
    reader
        .docker(&format!("run --rm --network none {app}:signed"))
        .ok()
        .says("team/app:signed");
}

/// Containers and names from before there was a gate.
#[test]
fn what_was_there_before_the_gate_does_not_start() {
    let _turn = alone();
    let (mut lab, signed, unsigned) = lab();
    lab = lab.with_engine();
    let app = lab.name("team/app");
    {
        let before = lab.home("before");
        for tag in ["signed", "unsigned"] {
            before.docker(&format!("pull {app}:{tag}")).ok();
            before
                .docker(&format!("create --name {tag} --network none {app}:{tag}"))
                .ok();
        }
        before
            .docker(&format!("tag {app}:unsigned {app}:shadow"))
            .ok();
        before
            .docker(&format!("tag {app}:unsigned {}", lab.name("free/shadow:1")))
            .ok();
    }
    lab.stop_engine();
    let authz = gated(&lab, CLOSED);
    let reader = lab.home("reader");
    reader
        .docker("start -a signed")
        .ok()
        .says("team/app:signed");
    for verb in ["start", "restart"] {
        reader
            .docker(&format!("{verb} unsigned"))
            .exit(1)
            .says(&unsigned)
            .says("is refused");
    }
    for name in [
        format!("{app}:shadow"),
        format!("{app}:unsigned"),
        lab.name("free/shadow:1"),
    ] {
        reader
            .docker(&format!("create --network none {name}"))
            .exit(1)
            .says("is refused");
    }
    // A tag that means something else by now.
    reader.docker(&format!("rmi {app}:shadow")).ok();
    let nigel = lab.home("nigel");
    let newer = sign(&nigel, "newer");
    nigel
        .copy_image(&format!("{app}:newer"), &format!("{app}:signed"))
        .ok();
    nigel.trust(&format!("sign {app}:signed")).ok();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    reader
        .docker(&format!("create --network none {app}:signed"))
        .exit(1)
        .says(&signed)
        .says(&newer);
    reader
        .docker(&format!("pull {app}:signed"))
        .ok()
        .says(&newer);
    reader
        .docker(&format!("run --rm --network none {app}:signed"))
        .ok()
        .says("team/app:newer");
    // Without the plugin the engine does nothing at all.
    authz.stop();
    reader.docker("ps").exit(1).says("plugin");
}

/// Bypass 12, 13, 14, 15, with the daemon's own socket.
#[test]
fn requests_written_misleadingly_are_refused() {
    let _turn = alone();
    let (lab, _, _) = lab();
    let _authz = gated(&lab, CLOSED);
    let reader = lab.home("reader");
    let (good, evil) = (lab.name("team/app"), lab.name("team/evil"));
    lab.push("team/evil", "signed");
    let create = format!("/v1.41/images/create?fromImage={good}&tag=signed");
    post(&lab, &create).let_through();

    let form = format!("fromImage={evil}");
    let urlencoded = "Content-Type: application/x-www-form-urlencoded";
    let line = format!("POST {create} HTTP/1.1");
    let length = format!("Content-Length: {}", form.len());
    ask(&lab, &[&line, urlencoded, &length], form.as_bytes()).refused("a form in the body");
    // The engine believes the first of two types and tells of the last, and of no length.
    let two = [
        &line,
        urlencoded,
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
    ];
    let chunks = format!("{:x}\r\n{form}\r\n0\r\n\r\n", form.len());
    ask(&lab, &two, chunks.as_bytes()).refused("its body cannot be seen");
    let two = [&line, urlencoded, "Content-Type: application/json", &length];
    ask(&lab, &two, form.as_bytes()).refused("its body cannot be seen");

    for path in [
        format!("/images/%63reate?fromImage={evil}&tag=signed"),
        format!("/images/create?fromImage={good}&fromImage={evil}&tag=signed"),
        format!("/images/create?fromImage={good}&from%49mage={evil}&tag=signed"),
        format!("http://docker/images/create?fromImage={evil}&tag=signed"),
    ] {
        post(&lab, &path).refused("is refused");
    }
    // The router sends these elsewhere before anybody is asked.
    let moved = post(
        &lab,
        &format!("//v1.41//images/create?fromImage={evil}&tag=signed"),
    );
    assert_eq!(moved.status, 301, "{moved:?}");

    let run = |json: &str| send(&lab, "POST /v1.41/containers/create", json);
    let body = |image: &str, more: &str| format!("{{\"Image\":\"{image}\"{more}}}");
    let good_tag = format!("{good}:signed");
    let evil_tag = format!("{evil}:signed");
    run(&body(&good_tag, "")).let_through();
    run(&body(&good_tag, &format!(",\"image\":\"{evil_tag}\""))).refused("stands there again");
    run(&body(&good_tag, &format!(",\"Image\":\"{evil_tag}\""))).refused("twice");
    run(&(body(&good_tag, "") + &body(&evil_tag, ""))).refused("trailing");
    run("").refused("its body cannot be seen");
    let padding = format!(",\"Labels\":{{\"a\":\"{}\"}}", "x".repeat(4 << 20));
    run(&body(&good_tag, &padding)).refused("its body cannot be seen");
    let json = body(&good_tag, "");
    let length = format!("Content-Length: {}", json.len());
    let line = "POST /containers/create HTTP/1.1";
    ask(&lab, &[line, &length], json.as_bytes()).refused("its body cannot be seen");
    let chunks = format!("{:x}\r\n{json}\r\n0\r\n\r\n", json.len());
    let chunked = "Transfer-Encoding: chunked";
    ask(&lab, &[line, chunked], chunks.as_bytes()).refused("its body cannot be seen");
    let kind = "Content-Type: application/json";
    ask(&lab, &[line, kind, chunked], chunks.as_bytes()).let_through();
    run("{\"Cmd\":[\"sh\"]}").refused("no registry vouches for it");
    let mount = ",\"HostConfig\":{\"Mounts\":[{\"Type\":\"image\",\"Source\":\"SOURCE\",\"Target\":\"/x\"}]}";
    let mount = |source: &str| mount.replace("SOURCE", source);
    run(&body(&good_tag, &mount("../../containers/x"))).refused("invalid reference format");

    send(&lab, "PATCH /v1.41/containers/x", "{}").let_through();
    post(&lab, "/v1.41/session").refused("building an image");
    post(&lab, "/v1.41/grpc").refused("building an image");
    post(&lab, "/v1.41/build?remote=http://127.0.0.1:1/x").refused("building an image");
    post(&lab, &format!("/v1.41/plugins/pull?remote={evil_tag}")).refused("is refused");
    post(&lab, &format!("/v1.41/plugins/pull?remote={good_tag}")).refused("name it by its digest");
    post(&lab, "/v1.41/plugins/create?name=x").refused("making a plugin");
    drop(reader);
}

/// Bypass 16: what a swarm runs later, on whatever node.
#[test]
fn services_name_the_digest_that_is_signed() {
    let _turn = alone();
    let (lab, signed, unsigned) = lab();
    let _authz = gated(&lab, CLOSED);
    let reader = lab.home("reader");
    let app = lab.name("team/app");
    reader.docker("swarm init --advertise-addr 127.0.0.1").ok();
    let service = |image: &str| {
        let spec = format!(
            "{{\"Name\":\"s\",\"TaskTemplate\":{{\"ContainerSpec\":{{\"Image\":\"{image}\"}}}}}}"
        );
        send(&lab, "POST /v1.41/services/create", &spec)
    };
    service(&format!("{app}:signed")).refused("name it by its digest");
    service(&format!("{app}:signed@{unsigned}")).refused("[digest-not-signed]");
    service(&format!("{app}:unsigned@{unsigned}")).refused("is refused");
    reader
        .docker(&format!("service create --detach --name s {app}:signed"))
        .ok();
    reader
        .docker(&format!("service update --detach --image {app}:unsigned s"))
        .exit(1)
        .says("is refused");
    reader
        .docker(&format!("service update --detach --image {app}@{signed} s"))
        .ok();
    reader
        .docker("service rollback --detach s")
        .exit(1)
        .says("rolling a service back");
    reader.docker("service rm s").ok();
    reader.docker("swarm leave --force").ok();
}
