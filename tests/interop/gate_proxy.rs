//! Engines whose registry is the gate get what was signed, or a reason on the terminal.

use crate::peers::{
    containerd::Containerd,
    gate_proxy::GateProxy,
    home::Home,
    image::{OCI_INDEX, image_for, index},
    lab::Lab,
    program,
    registry::HTPASSWD_USER,
    run::run_with_input,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    docker_gets_what_is_signed_and_shows_why_not,
    buildkit_gets_what_is_signed_and_shows_why_not,
    podman_gets_what_is_signed_and_shows_why_not,
    skopeo_gets_what_is_signed_and_shows_why_not,
    containerd_gets_what_is_signed_and_shows_why_not,
    a_platform_of_a_signed_index_is_pulled,
    without_a_trust_server_kept_state_serves,
    the_gate_logs_in_for_its_clients,
    clients_show_a_certificate_or_a_secret,
);

/// What unsigned images are refused with.
const REFUSAL: &str = "No valid trust data for unsigned";

fn docker_gets_what_is_signed_and_shows_why_not(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let scene = Scene::of(&lab);
    let gate = GateProxy::start(&lab.home("gate"));
    let reader = lab.home("reader");
    let host = gate.host.clone();
    let name = |version: &str| format!("{host}/team/app{version}");
    reader
        .docker(&format!("pull {}", name(":signed")))
        .ok()
        .says(&scene.signed);
    let ran = reader.docker(&format!("run --rm {}", name(":signed")));
    assert!(
        ran.code == 0 || ran.stderr.contains("runc") || ran.stderr.contains("OCI"),
        "{ran}"
    );
    let ran = reader
        .docker(&format!("pull {}", name(":unsigned")))
        .exit(1);
    ran.says(REFUSAL);
    // Bypass 5: the same by digest.
    let ran = reader
        .docker(&format!("pull {}", name(&format!("@{}", scene.unsigned))))
        .exit(1);
    ran.says("digest-not-signed");
    reader
        .docker(&format!("pull {}", name(&format!("@{}", scene.signed))))
        .ok();
    // A tag that moved still means what was signed.
    reader
        .docker(&format!("pull {}", name(":moved")))
        .ok()
        .says(&scene.moved)
        .does_not_say(&scene.unsigned);
    reader
        .docker(&format!("pull -a {}", name("")))
        .ok()
        .does_not_say("unsigned:");
    // Bypass 11: building on it is pulling it.
    let legacy = reader.with("DOCKER_BUILDKIT", "0");
    let build = |version: &str| {
        let command = legacy.command(&program::find("docker"), "build --network none -");
        run_with_input(command, &format!("FROM {}\nLABEL a=b\n", name(version)))
    };
    build(":signed").ok();
    reader.docker(&format!("rmi {}", name(":signed"))).ok();
    build(":signed").ok();
    build(":unsigned").exit(1).says(REFUSAL);
    // There is no way in.
    reader
        .docker(&format!("push {}", name(":signed")))
        .exit(1)
        .says("only lets images out");
    // Bypass 1: no gate, no image.
    let before = lab.registry.requests_for("team/app");
    drop(gate.stopped());
    reader.docker(&format!("pull {}", name(":signed"))).exit(1);
    assert_eq!(lab.registry.requests_for("team/app"), before);
}

/// Bypass 11: `BuildKit` in the engine, which speaks plain HTTP to its own machine.
fn buildkit_gets_what_is_signed_and_shows_why_not(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let scene = Scene::of(&lab);
    let gate = GateProxy::in_the_clear(&lab.home("gate"));
    let kit = lab.home("reader").with("DOCKER_BUILDKIT", "1");
    let build = |version: &str| {
        let words = "build --network none --progress plain -";
        let command = kit.command(program::engines_docker(), words);
        let name = format!("{}/team/app{version}", gate.host);
        run_with_input(command, &format!("FROM {name}\nLABEL a=b\n"))
    };
    build(":signed").ok().says(&scene.signed);
    build(":moved").ok().says(&scene.moved);
    build(":unsigned").exit(1).says(REFUSAL);
    build(&format!("@{}", scene.unsigned))
        .exit(1)
        .says("digest-not-signed");
}

fn podman_gets_what_is_signed_and_shows_why_not(server: Kind) {
    let lab = Lab::start(server);
    let scene = Scene::of(&lab);
    let gate = GateProxy::start(&lab.home("gate"));
    let reader = lab.home("reader");
    let app = lab.name("team/app");
    let host = gate.host.clone();
    let pull = |version: &str| reader.podman(&host, &format!("pull {app}{version}"));
    pull(":signed").ok();
    let digest = reader.podman(
        &gate.host,
        &format!("inspect --format {{{{.Digest}}}} {app}:signed"),
    );
    digest.ok().says(&scene.signed);
    pull(":unsigned").exit(125).says(REFUSAL);
    pull(&format!("@{}", scene.unsigned))
        .exit(125)
        .says("digest-not-signed");
    pull(":moved").ok();
    let digest = reader.podman(
        &gate.host,
        &format!("inspect --format {{{{.Digest}}}} {app}:moved"),
    );
    digest.ok().says(&scene.moved);
    let before = lab.registry.requests_for("team/app");
    let gone = gate.stopped();
    let ran = reader.podman(&gone, &format!("pull {app}:signed"));
    assert_ne!(ran.code, 0, "{ran}");
    assert_eq!(lab.registry.requests_for("team/app"), before);
}

fn skopeo_gets_what_is_signed_and_shows_why_not(server: Kind) {
    let lab = Lab::start(server);
    let scene = Scene::of(&lab);
    let gate = GateProxy::start(&lab.home("gate"));
    let reader = lab.home("reader");
    let app = lab.name("team/app");
    reader
        .fetch(&gate.host, &format!("{app}:signed"), "signed")
        .ok();
    let manifest = std::fs::read(reader.folder().join("signed/manifest.json")).unwrap();
    assert_eq!(crate::peers::image::digest(&manifest), scene.signed);
    reader
        .fetch(&gate.host, &format!("{app}:unsigned"), "unsigned")
        .exit(1)
        .says(REFUSAL);
    reader
        .fetch(&gate.host, &format!("{app}:moved"), "moved")
        .ok();
    let manifest = std::fs::read(reader.folder().join("moved/manifest.json")).unwrap();
    assert_eq!(crate::peers::image::digest(&manifest), scene.moved);
    let nobody = lab.name("nobody/app:this");
    reader
        .fetch(&gate.host, &nobody, "nobody")
        .exit(1)
        .says("does not have trust data");
    let before = lab.registry.requests_for("team/app");
    let gone = gate.stopped();
    reader
        .fetch(&gone, &format!("{app}:signed"), "again")
        .exit(1);
    assert_eq!(lab.registry.requests_for("team/app"), before);
}

fn containerd_gets_what_is_signed_and_shows_why_not(server: Kind) {
    let lab = Lab::start(server);
    let scene = Scene::of(&lab);
    let gate = GateProxy::start(&lab.home("gate"));
    let reader = lab.home("reader");
    let containerd = Containerd::start(lab.folder());
    containerd.send_to(&lab.registry.host, &gate.host, &lab.ca());
    let app = lab.name("team/app");
    let pull = |version: &str| containerd.pull(&reader, &format!("{app}{version}"));
    pull(":signed").ok();
    let listed = || containerd.ctr(&reader, "images list").ok();
    listed().says(&scene.signed);
    pull(":unsigned").exit(1).says(REFUSAL);
    pull(&format!("@{}", scene.unsigned))
        .exit(1)
        .says("digest-not-signed");
    pull(":moved").ok();
    listed().says(&scene.moved).does_not_say(&scene.unsigned);
    let before = lab.registry.requests_for("team/app");
    drop(gate.stopped());
    pull(":another").exit(1);
    assert_eq!(lab.registry.requests_for("team/app"), before);
}

fn a_platform_of_a_signed_index_is_pulled(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = signer(&lab);
    let images = ["amd64", "arm64"].map(|it| image_for(it, "index"));
    for image in &images {
        lab.registry
            .push("team/app", &image.digest().replace(':', "-"), image);
    }
    let list = index(OCI_INDEX, &[("amd64", &images[0]), ("arm64", &images[1])]);
    lab.registry.put_manifest("team/app", "many", &list);
    nigel
        .trust(&format!("sign {}", lab.name("team/app:many")))
        .ok();
    let gate = GateProxy::start(&lab.home("gate"));
    let reader = lab.home("reader");
    let name = format!("{}/team/app", gate.host);
    // Bypass 6: the platform's own digest, before the index was served and after.
    reader
        .docker(&format!("pull {name}@{}", images[1].digest()))
        .exit(1)
        .says("digest-not-signed");
    reader
        .docker(&format!("pull --platform linux/arm64 {name}:many"))
        .ok()
        .says(&list.digest());
    reader
        .docker(&format!("pull {name}@{}", images[1].digest()))
        .ok();
    let app = lab.name("team/app");
    reader
        .podman(&gate.host, &format!("pull --arch arm64 {app}:many"))
        .ok();
}

fn without_a_trust_server_kept_state_serves(server: Kind) {
    let lab = Lab::start(server);
    Scene::of(&lab);
    let keeper = lab.home("gate");
    let app = lab.name("team/app");
    let reader = lab.home("reader");
    let first = GateProxy::start(&keeper);
    reader
        .fetch(&first.host, &format!("{app}:signed"), "signed")
        .ok();
    drop(first.stopped());
    let alone = keeper.with("DOCKER_CONTENT_TRUST_SERVER", "https://127.0.0.1:1");
    let second = GateProxy::start(&alone);
    reader
        .fetch(&second.host, &format!("{app}:signed"), "again")
        .ok();
    reader
        .fetch(&second.host, &format!("{app}:unsigned"), "unsigned")
        .exit(1)
        .says(REFUSAL);
    // Of what was never asked there is nothing kept.
    let other = lab.name("nobody/app:this");
    let ran = reader.fetch(&second.host, &other, "other").exit(1);
    assert!(
        ran.stderr.contains("unreachable"),
        "{ran}\n{}",
        second.log()
    );
}

fn the_gate_logs_in_for_its_clients(server: Kind) {
    let lab = Lab::with_passwords(server);
    let keeper = lab.home("gate");
    keeper.logs_in(HTPASSWD_USER);
    let nigel = signer_as(&keeper);
    let signed = sign(&nigel, "signed");
    lab.push("team/app", "unsigned");
    let gate = GateProxy::start(&keeper);
    let reader = lab.home("reader");
    let app = lab.name("team/app");
    reader
        .fetch(&gate.host, &format!("{app}:signed"), "signed")
        .ok();
    let manifest = std::fs::read(reader.folder().join("signed/manifest.json")).unwrap();
    assert_eq!(crate::peers::image::digest(&manifest), signed);
    reader
        .fetch(&gate.host, &format!("{app}:unsigned"), "unsigned")
        .exit(1)
        .says(REFUSAL);
    // Who knows nothing is told where to log in, and it is not the client.
    let stranger = GateProxy::start(&lab.home("stranger"));
    let ran = reader
        .fetch(&stranger.host, &format!("{app}:signed"), "stranger")
        .exit(1);
    ran.says("docker login");
}

fn clients_show_a_certificate_or_a_secret(server: Kind) {
    let lab = Lab::start(server);
    Scene::of(&lab);
    let keeper = lab.home("gate");
    let reader = lab.home("reader");
    let containerd = Containerd::start(lab.folder());
    let image = lab.name("team/app:signed");
    let file = |name: &str| lab.folder().join(name).display().to_string();
    std::fs::write(file("secret"), "correct-horse-battery\n").unwrap();
    let (certificate, key) = (file("server.crt"), file("server.key"));
    for (option, shown, refusal) in [
        (
            format!("--client-ca {}", lab.ca().display()),
            format!("client = [[\"{certificate}\", \"{key}\"]]"),
            "certificate",
        ),
        (
            format!("--client-secret-file {}", file("secret")),
            "[header]\nX-Trust-Gate-Secret = \"correct-horse-battery\"".to_owned(),
            "this gate wants its secret",
        ),
    ] {
        let gate = GateProxy::start_with(&keeper, &option);
        let registry = &lab.registry.host;
        containerd.send_to(registry, &gate.host, &lab.ca());
        containerd.pull(&reader, &image).exit(1).says(refusal);
        containerd.send_with(registry, &gate.host, &lab.ca(), &shown);
        containerd.pull(&reader, &image).ok();
    }
}

/// What is in the registry of every test.
struct Scene {
    signed: String,
    unsigned: String,
    moved: String,
}

impl Scene {
    fn of(lab: &Lab) -> Self {
        let nigel = signer(lab);
        let (signed, moved) = (sign(&nigel, "signed"), sign(&nigel, "moved"));
        let unsigned = lab.push("team/app", "unsigned").digest();
        lab.push("nobody/app", "this");
        let app = lab.name("team/app");
        nigel
            .copy_image(&format!("{app}:unsigned"), &format!("{app}:moved"))
            .ok();
        assert_eq!(nigel.served_digest(&format!("{app}:moved")), unsigned);
        Self {
            signed,
            unsigned,
            moved,
        }
    }
}

/// A person who may sign `team/app`.
fn signer(lab: &Lab) -> Home<'_> {
    signer_as(&lab.home("nigel"))
}

fn signer_as<'lab>(nigel: &Home<'lab>) -> Home<'lab> {
    nigel.trust("key generate nigel").ok();
    let app = nigel.lab.name("team/app");
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.clone()
}

/// Pushes an image under the tag and signs it; its digest.
fn sign(home: &Home<'_>, tag: &str) -> String {
    let image = home.lab.push("team/app", tag);
    home.trust(&format!(
        "sign {}",
        home.lab.name(&format!("team/app:{tag}"))
    ))
    .ok();
    image.digest()
}
