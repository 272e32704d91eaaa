//! A root key and its certificate may come from elsewhere, such as a company's own authority.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::peers::{
    home::Home,
    image::hex_of,
    lab::Lab,
    run::run,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    the_others_accept_it,
    one_is_made_for_an_rsa_key,
    one_that_does_not_fit_is_refused
);

const EC: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
const RSA: &str = "-newkey rsa:2048";

fn the_others_accept_it(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    for (kind, options) in [("ec", EC), ("rsa", RSA)] {
        let path = format!("certified/{kind}");
        let app = lab.name(&path);
        certify(&nigel, kind, options, &lab.name("certified/*"));
        let with = format!("--root-key {kind}.key --root-cert {kind}.crt");
        nigel.trust(&format!("repo init {with} {app}")).ok();
        let digest = lab.push(&path, "one").digest();
        nigel.trust(&format!("sign {app}:one")).ok();
        for seen in [
            nigel.notary(&format!("lookup {app} one")),
            nigel.docker(&format!("trust inspect {app}")),
        ] {
            seen.ok().says(hex_of(&digest));
        }
    }
}

/// RSA root keys, which `openssl` makes and neither docker nor notary, get a certificate too.
fn one_is_made_for_an_rsa_key(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    certify(&nigel, "rsa", RSA, &app);
    nigel
        .trust(&format!("repo init --root-key rsa.key {app}"))
        .ok();
    let digest = lab.push("app", "one").digest();
    nigel.trust(&format!("sign {app}:one")).ok();
    for seen in [
        nigel.notary(&format!("lookup {app} one")),
        nigel.docker(&format!("trust inspect {app}")),
    ] {
        seen.ok().says(hex_of(&digest));
    }
}

fn one_that_does_not_fit_is_refused(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    certify(&nigel, "one", EC, &lab.name("certified/*"));
    certify(&nigel, "two", EC, &lab.name("certified/*"));
    let init =
        |with: &str, path: &str| nigel.trust(&format!("repo init {with} {}", lab.name(path)));
    init("--root-key one.key --root-cert two.crt", "certified/app")
        .exit(2)
        .says("the certificate is of another key");
    init("--root-key one.key --root-cert one.crt", "other")
        .exit(2)
        .says("the certificate is for");
    init("--root-key one.key --root-cert one.key", "certified/app")
        .exit(2)
        .says("not a certificate");
}

/// A self-signed certificate and its key, in files called after `kind`.
fn certify(home: &Home<'_>, kind: &str, options: &str, name: &str) {
    let name = name.replace('/', "\\/");
    let files = format!("-keyout {kind}.key -out {kind}.crt");
    let leaf = "-addext basicConstraints=critical,CA:FALSE";
    let line = format!("req -x509 -noenc -days 30 {options} {leaf} -subj /CN={name} {files}");
    run(home.command(Path::new("openssl"), &line)).ok();
    let key = home.folder().join(format!("{kind}.key"));
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("a mode");
}
