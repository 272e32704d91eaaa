//! `trust repo renew`: what has expired comes back, on each server as far as it lets it.

use jiff::{SignedDuration, Timestamp};
use std::fs;
use trust::repository::init::SnapshotKey;

use crate::peers::{
    home::Home,
    lab::Lab,
    past::{Made, soon, wait_until_after},
    server::{Kind, on_both_servers},
};

on_both_servers!(
    targets_and_delegations_that_expired,
    targets_and_a_snapshot_of_our_own_that_expired,
    a_root_that_expired,
    a_root_that_expired_with_its_certificate,
    what_expires_soon_and_keys_that_are_missing,
    a_warning_names_the_command,
);

fn targets_and_delegations_that_expired(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(1095);
    made.begun(SnapshotKey::Server, past);
    nigel.notary(&format!("list {app}")).ok();
    wait_until_after(expires);
    nigel.notary(&format!("list {app}")).exit(1);
    nigel
        .trust(&format!("repo show {app}"))
        .exit(1)
        .says("trust repo renew");
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("targets is signed again")
        .does_not_say("root is");
    in_force(&nigel, &app);
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("nothing expires");
}

fn targets_and_a_snapshot_of_our_own_that_expired(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(1095);
    made.begun(SnapshotKey::Local, past);
    wait_until_after(expires);
    let refused = nigel.trust(&format!("repo show {app}"));
    assert_ne!(refused.code, 0, "{refused}");
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("targets is signed again")
        .says("snapshot is signed again");
    in_force(&nigel, &app);
}

fn a_root_that_expired(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(3650);
    made.with_a_root_from(past, Timestamp::now());
    let reader = lab.home("reader");
    reader.notary(&format!("list {app}")).ok();
    reader.trust(&format!("repo list {app}")).ok();
    wait_until_after(expires);
    nigel.trust(&format!("repo show {app}")).exit(1);
    nigel
        .trust(&format!("repo renew {app}"))
        .ok()
        .says("root is signed again");
    in_force(&nigel, &app);
    reader.trust(&format!("repo list {app}")).ok();
    reader.notary(&format!("list {app}")).ok();
}

fn a_root_that_expired_with_its_certificate(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let made = Made::by(&nigel, &app);
    let (past, expires) = soon(3650);
    made.with_a_root_from(past, past);
    let reader = lab.home("reader");
    reader.notary(&format!("list {app}")).ok();
    reader.trust(&format!("repo list {app}")).ok();
    wait_until_after(expires);
    nigel.trust(&format!("repo show {app}")).exit(1);
    let renewed = nigel.trust(&format!("repo renew {app}"));
    if server == Kind::Notary {
        // It takes no root after one whose certificate has ended.
        renewed.exit(1).says("Update sent by the client is invalid");
        return;
    }
    renewed.ok().says("root is signed again");
    in_force(&nigel, &app);
    reader.trust(&format!("repo list {app}")).ok();
    reader.notary(&format!("list {app}")).ok();
}

fn what_expires_soon_and_keys_that_are_missing(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    lab.push("app", "v1");
    nigel.trust("key generate nigel").ok();
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.trust(&format!("sign {app}:v1")).ok();
    let id = key_of(&nigel, "nigel");
    let file = nigel.trust_dir().join("private").join(format!("{id}.key"));
    fs::remove_file(file).unwrap();
    let renew = |line: &str| nigel.trust(&format!("repo renew {line}"));
    renew(&app).ok().says("nothing expires before");
    renew(&format!("{app} --expiring-within 1100d"))
        .exit(1)
        .says("targets is signed again")
        .says("targets/nigel is not signed again")
        .says(&id);
    let said = renew("--all --expiring-within 1100d --format json").exit(1);
    let rows: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(rows[0]["repository"], app.as_str());
    let roles = rows[0]["roles"].as_array().unwrap();
    let of = |role: &str| roles.iter().find(|row| row["role"] == role).unwrap();
    assert_eq!(of("targets")["renewed"], true);
    assert_eq!(of("snapshot")["signed_by_server"], true);
    assert_eq!(of("targets/releases")["missing_key_ids"][0], id.as_str());
    in_force(&nigel, &app);
}

fn a_warning_names_the_command(server: Kind) {
    let lab = Lab::start(server);
    let (nigel, app) = (lab.home("nigel"), lab.name("app"));
    let long_ago = Timestamp::now().saturating_sub(SignedDuration::from_hours(24 * 1000));
    Made::by(&nigel, &app).begun(SnapshotKey::Local, long_ago.unwrap());
    let shown = nigel.trust(&format!("repo show --format json {app}")).ok();
    let roles: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let of = |role: &str| {
        let rows = roles.as_array().expect("roles").iter();
        rows.clone()
            .find(|row| row["role"] == role)
            .expect("a role")["expires"]
            .clone()
    };
    let soon = |role: &str| {
        let expires: Timestamp = of(role).as_str().expect("a date").parse().expect("a date");
        expires < Timestamp::now() + SignedDuration::from_hours(24 * 96)
    };
    assert!(soon("targets") && soon("snapshot") && !soon("root"));
    let command = format!("trust repo renew {app}");
    shown.says(&command);
    nigel
        .trust(&command.replacen("trust ", "", 1))
        .ok()
        .says("targets is signed again")
        .says("snapshot is signed again");
    let shown = nigel.trust(&format!("repo show {app}")).ok();
    shown.does_not_say(&command);
}

/// Everybody reads it, and it can be signed into.
fn in_force(home: &Home<'_>, app: &str) {
    home.trust(&format!("repo show {app}")).ok();
    home.notary(&format!("list {app}")).ok();
    home.docker(&format!("trust inspect {app}")).ok();
    let newcomer = home.lab.home("newcomer");
    newcomer.trust(&format!("repo list {app}")).ok();
    newcomer.notary(&format!("list {app}")).ok();
}

fn key_of(home: &Home<'_>, name: &str) -> String {
    let line = format!("key show --format json {name}");
    let shown: serde_json::Value = serde_json::from_str(&home.trust(&line).ok().stdout).unwrap();
    shown["id"].as_str().unwrap().to_owned()
}
