//! Who may do what, with the credentials that docker finds: `trust` asks the
//! same questions and gets as far.

use std::{fs, os::unix::fs::PermissionsExt};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::peers::{
    home::{Home, files_below},
    image::hex_of,
    lab::Lab,
    registry::HTPASSWD_USER,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    a_password_lets_nigel_do_all_that_docker_does,
    a_guest_may_look_but_not_sign,
    strangers_are_told_to_log_in,
    what_is_public_needs_no_credentials,
    an_identity_token_is_as_good_as_a_password,
    credential_helpers_are_asked_as_docker_asks_them,
    the_environment_can_hold_the_credentials,
    a_registry_with_passwords_tells_its_tags_to_those_it_knows
);

fn a_password_lets_nigel_do_all_that_docker_does(server: Kind) {
    let lab = Lab::with_tokens(server);
    let (nigel, app) = (nigel_in(&lab), lab.name("team/app"));
    nigel.docker("trust key generate nigel").ok();
    lab.tokens().asked();
    nigel
        .docker(&format!("trust signer add --key nigel.pub nigel {app}"))
        .ok();
    let to_write = lab.tokens().asked();
    assert_eq!(
        to_write,
        [format!("GET nigel repository:{app}:pull,push")],
        "docker asks differently now"
    );

    let other = lab.name("team/other");
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {other}"))
        .ok();
    assert_eq!(
        lab.tokens().asked(),
        [format!("GET nigel repository:{other}:pull,push")]
    );
    let digest = lab.push("team/app", "v1").digest();
    nigel.trust(&format!("sign {app}:v1")).ok();
    lab.push("team/app", "v2");
    nigel.trust(&format!("sign {app}:v2")).ok();
    nigel.docker(&format!("trust revoke {app}:v2")).ok();
    lab.tokens().asked();

    let theirs = nigel.docker(&format!("trust inspect {app}")).ok();
    let to_read = lab.tokens().asked();
    let ours = nigel.trust(&format!("inspect {app}")).ok();
    assert_eq!(lab.tokens().asked(), to_read);
    assert_eq!(ours.stdout, theirs.says(hex_of(&digest)).stdout);
    verifies(&nigel, &app, &digest);
    assert_eq!(lab.tokens().asked(), to_read);
}

fn a_guest_may_look_but_not_sign(server: Kind) {
    let lab = Lab::with_tokens(server);
    let (nigel, app) = (nigel_in(&lab), lab.name("team/app"));
    let digest = signed_by(&nigel);
    // The guest has every key, so that only the server can say no.
    let guest = logged_in(&lab, "guest", &auth("guest", "welcome", &lab));
    copy_keys(&nigel, &guest);
    verifies(&guest, &app, &digest);
    guest.docker(&format!("trust inspect {app}")).ok();

    lab.push("team/app", "v2");
    let before = nigel.trust(&format!("inspect {app}")).ok().stdout;
    guest
        .docker(&format!("trust revoke -y {app}:v1"))
        .exit(1)
        .says(NOT_AUTHORIZED);
    for line in [
        format!("revoke -y {app}:v1"),
        format!("sign {app}:v2"),
        format!("signer remove -f nigel {app}"),
    ] {
        guest.trust(&line).exit(3).says(NOT_AUTHORIZED);
    }
    let after = nigel.trust(&format!("inspect {app}")).ok().stdout;
    assert_eq!(before, after);
    verifies(&guest, &app, &digest);
}

fn strangers_are_told_to_log_in(server: Kind) {
    let lab = Lab::with_tokens(server);
    let (nigel, app) = (nigel_in(&lab), lab.name("team/app"));
    signed_by(&nigel);
    let strangers = [
        logged_in(&lab, "nobody", &json!({})),
        logged_in(&lab, "typist", &auth("nigel", "wrong", &lab)),
        logged_in(&lab, "late", &identity("expired", &lab)),
    ];
    for stranger in &strangers {
        stranger.docker(&format!("trust inspect {app}")).exit(1);
        for line in ["verify", "inspect", "repo list"] {
            stranger
                .trust(&format!("{line} {app}{}", tag_for(line)))
                .exit(3)
                .says(NOT_AUTHORIZED)
                .says("log in")
                .does_not_say("wrong")
                .does_not_say("expired");
        }
        assert!(
            files_below(&stranger.cache_of(&app)).is_empty(),
            "something came through"
        );
    }
}

fn what_is_public_needs_no_credentials(server: Kind) {
    let lab = Lab::with_tokens(server);
    let nigel = nigel_in(&lab);
    let app = lab.name("public/app");
    let digest = signed(&nigel, "public/app");
    let nobody = logged_in(&lab, "nobody", &json!({}));
    lab.tokens().asked();
    nobody
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(hex_of(&digest));
    let theirs = lab.tokens().asked();
    assert_eq!(theirs, [format!("GET  repository:{app}:pull")]);
    verifies(&nobody, &app, &digest);
    assert_eq!(lab.tokens().asked(), theirs);
    copy_keys(&nigel, &nobody);
    nobody
        .trust(&format!("revoke -y {app}:v1"))
        .exit(3)
        .says(NOT_AUTHORIZED)
        .says("log in");
    verifies(&nobody, &app, &digest);
}

fn an_identity_token_is_as_good_as_a_password(server: Kind) {
    let lab = Lab::with_tokens(server);
    let nigel = logged_in(&lab, "nigel", &identity("nigel/identity+token=", &lab));
    let app = lab.name("team/app");
    let digest = signed_by(&nigel);
    lab.tokens().asked();
    nigel
        .docker(&format!("trust inspect {app}"))
        .ok()
        .says(hex_of(&digest));
    let theirs = lab.tokens().asked();
    verifies(&nigel, &app, &digest);
    assert_eq!(lab.tokens().asked(), theirs);
    assert!(theirs[0].starts_with("POST docker "), "{theirs:?}");
}

fn credential_helpers_are_asked_as_docker_asks_them(server: Kind) {
    let lab = Lab::with_tokens(server);
    let (host, app) = (&lab.registry.host, lab.name("team/app"));
    let digest = signed_by(&nigel_in(&lab));
    for (person, config, user, secret) in [
        ("store", json!({ "credsStore": "test" }), "nigel", NIGEL),
        (
            "one",
            json!({ "credHelpers": { host: "test" } }),
            "nigel",
            NIGEL,
        ),
        (
            "both",
            json!({ "credsStore": "absent", "credHelpers": { host: "test" } }),
            "nigel",
            NIGEL,
        ),
        (
            "token",
            json!({ "credsStore": "test" }),
            "<token>",
            "nigel/identity+token=",
        ),
    ] {
        let home = with_helper(&logged_in(&lab, person, &config), user, secret);
        home.docker(&format!("trust inspect {app}"))
            .ok()
            .says(hex_of(&digest));
        assert_eq!(helper_was_asked_for(&home), [host.as_str()]);
        verifies(&home, &app, &digest);
        assert_eq!(helper_was_asked_for(&home), [host.as_str()]);
    }
}

fn the_environment_can_hold_the_credentials(server: Kind) {
    let lab = Lab::with_tokens(server);
    let app = lab.name("team/app");
    let digest = signed_by(&nigel_in(&lab));
    // Docker reads this variable since 28.3; before, it would say that nobody is logged in.
    let config = auth("nigel", NIGEL, &lab).to_string();
    for (person, file) in [
        ("pipeline", json!({})),
        ("stale", auth("nigel", "wrong", &lab)),
    ] {
        let home = logged_in(&lab, person, &file).with("DOCKER_AUTH_CONFIG", &config);
        verifies(&home, &app, &digest);
    }
}

fn a_registry_with_passwords_tells_its_tags_to_those_it_knows(server: Kind) {
    let lab = Lab::with_passwords(server);
    let app = lab.name("team/app");
    let (name, password) = HTPASSWD_USER;
    let nigel = logged_in(&lab, "nigel", &auth(name, password, &lab));
    let digest = signed_by(&nigel);
    verifies(&nigel, &app, &digest);

    lab.push("team/app", "v2");
    let before = nigel.trust(&format!("inspect {app}")).ok().stdout;
    for (person, config) in [
        ("nobody", json!({})),
        ("typist", auth(name, "wrong", &lab)),
        // An identity token is for token servers only.
        ("late", identity("expired", &lab)),
    ] {
        let stranger = logged_in(&lab, person, &config);
        copy_keys(&nigel, &stranger);
        stranger
            .trust(&format!("sign {app}:v2"))
            .exit(3)
            .says("log in")
            .does_not_say("wrong")
            .does_not_say("expired");
    }
    assert_eq!(nigel.trust(&format!("inspect {app}")).ok().stdout, before);
}

/// A home whose `config.json` says this.
fn logged_in<'lab>(lab: &'lab Lab, person: &str, config: &Value) -> Home<'lab> {
    let home = lab.home(person);
    let file = home.docker_config().join("config.json");
    fs::write(file, config.to_string()).expect("config.json");
    home
}

fn nigel_in(lab: &Lab) -> Home<'_> {
    logged_in(lab, "nigel", &auth("nigel", NIGEL, lab))
}

/// What `docker login` leaves in `config.json`.
fn auth(name: &str, password: &str, lab: &Lab) -> Value {
    let pair = BASE64_STANDARD.encode(format!("{name}:{password}"));
    json!({ "auths": { &lab.registry.host: { "auth": pair } } })
}

/// The same from a registry that gives out identity tokens.
fn identity(token: &str, lab: &Lab) -> Value {
    let nobody = BASE64_STANDARD.encode("00000000-0000-0000-0000-000000000000:");
    json!({ "auths": { &lab.registry.host: { "auth": nobody, "identitytoken": token } } })
}

fn signed_by(home: &Home<'_>) -> String {
    signed(home, "team/app")
}

/// The digest of `path:v1`, pushed and signed with a new key, by trust alone.
fn signed(home: &Home<'_>, path: &str) -> String {
    let app = home.lab.name(path);
    home.trust("key generate nigel").ok();
    home.trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    let digest = home.lab.push(path, "v1").digest();
    home.trust(&format!("sign {app}:v1")).ok();
    digest
}

#[track_caller]
fn verifies(home: &Home<'_>, app: &str, digest: &str) {
    let ran = home.trust(&format!("verify -q {app}:v1")).ok();
    assert_eq!(ran.stdout, format!("{app}:v1@{digest}\n"));
}

fn copy_keys(from: &Home<'_>, to: &Home<'_>) {
    let private = from.trust_dir().join("private");
    let there = to.trust_dir().join("private");
    fs::create_dir_all(&there).expect("a folder");
    for (path, bytes) in files_below(&private) {
        let file = there.join(path.file_name().expect("a name"));
        fs::write(&file, bytes).expect("a key file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
    }
}

/// The same home with `docker-credential-test` in front of its PATH.
fn with_helper<'lab>(home: &Home<'lab>, user: &str, secret: &str) -> Home<'lab> {
    let folder = home.folder().join("bin");
    fs::create_dir_all(&folder).expect("a folder");
    let answer = json!({ "ServerURL": "", "Username": user, "Secret": secret });
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = get ] || exit 1\n{{ cat; echo; }} >>\"$HOME/asked\"\n\
         cat <<'END'\n{answer}\nEND\n"
    );
    let file = folder.join("docker-credential-test");
    fs::write(&file, script).expect("a script");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("permissions");
    let path = std::env::var("PATH").unwrap_or_default();
    home.with("PATH", &format!("{}:{path}", folder.display()))
}

/// The registries the helper was asked for since the last call, each once.
fn helper_was_asked_for(home: &Home<'_>) -> Vec<String> {
    let file = home.folder().join("asked");
    let mut asked: Vec<String> = fs::read_to_string(&file)
        .expect("a helper that was asked")
        .lines()
        .map(str::to_owned)
        .collect();
    fs::remove_file(file).expect("a file to forget");
    asked.dedup();
    asked
}

fn tag_for(command: &str) -> &'static str {
    if command == "verify" { ":v1" } else { "" }
}

const NIGEL: &str = "horse: battery";
const NOT_AUTHORIZED: &str = "you are not authorized to perform this operation";
