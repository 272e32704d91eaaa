//! docs/recovery.md, followed to the letter: each section is a test, in which docker, notary and
//! trust clients that had the old state go on, or refuse where they must.

mod dates;
mod keys;
mod leaks;
mod page;
mod roots;

use std::fs;

use crate::peers::{home::Home, image::hex_of, lab::Lab, run::Ran, server::on_both_servers};
use dates::{targets_have_expired, the_root_has_expired};
use keys::{a_signer_lost_their_key, the_snapshot_key_is_lost, the_targets_key_is_lost};
use leaks::{a_signers_key_leaked, the_root_key_leaked};
use roots::{
    a_client_trusts_a_root_that_is_gone, one_of_several_root_keys_is_lost,
    the_only_root_key_is_lost,
};

macro_rules! sections {
    ($($test:ident),+ $(,)?) => {
        on_both_servers!($($test),+);
        const SECTIONS: &[&str] = &[$(stringify!($test)),+];
    };
}

sections!(
    a_signer_lost_their_key,
    the_targets_key_is_lost,
    the_snapshot_key_is_lost,
    a_signers_key_leaked,
    the_root_key_leaked,
    one_of_several_root_keys_is_lost,
    the_only_root_key_is_lost,
    targets_have_expired,
    the_root_has_expired,
    a_client_trusts_a_root_that_is_gone,
);

/// Each section has the test that bears its heading as a name.
#[test]
fn every_section_is_a_test() {
    let name = |heading: &String| heading.to_lowercase().replace('\'', "").replace(' ', "_");
    let names: Vec<_> = page::headings().iter().map(name).collect();
    assert_eq!(names, SECTIONS);
}

/// Three machines that only pull, each with a client of its own.
struct Readers<'lab> {
    docker: Home<'lab>,
    notary: Home<'lab>,
    trust: Home<'lab>,
}

impl<'lab> Readers<'lab> {
    fn of(lab: &'lab Lab) -> Self {
        Self {
            docker: lab.home("docker"),
            notary: lab.home("notary"),
            trust: lab.home("trust"),
        }
    }

    /// All of them believe that `tag` means `digest`.
    #[track_caller]
    fn see(&self, app: &str, tag: &str, digest: &str) {
        self.docker_sees(app, digest);
        self.notary_sees(app, digest);
        sees(&self.trust, app, tag, digest);
    }

    #[track_caller]
    fn docker_sees(&self, app: &str, digest: &str) {
        let inspected = self.docker.docker(&format!("trust inspect {app}"));
        inspected.ok().says(hex_of(digest));
    }

    #[track_caller]
    fn notary_sees(&self, app: &str, digest: &str) {
        let listed = self.notary.notary(&format!("list {app}"));
        listed.ok().says(hex_of(digest));
    }

    /// None of them believes in a tag that means `digest`, and all believe the rest.
    #[track_caller]
    fn do_not_see(&self, app: &str, tag: &str, digest: &str) {
        let hex = hex_of(digest);
        let inspected = self.docker.docker(&format!("trust inspect {app}"));
        inspected.ok().does_not_say(hex);
        let listed = self.notary.notary(&format!("list {app}"));
        listed.ok().does_not_say(hex);
        let verified = self.trust.trust(&format!("verify {app}:{tag}"));
        verified.exit(1).says("[unsigned]");
    }
}

/// This machine believes that `tag` means `digest`.
#[track_caller]
fn sees(home: &Home<'_>, app: &str, tag: &str, digest: &str) {
    let verified = home.trust(&format!("verify -q {app}:{tag}")).ok();
    assert_eq!(verified.stdout, format!("{app}:{tag}@{digest}\n"));
}

/// A signer of `app` with a key made on their own machine.
fn signer<'lab>(owner: &Home<'lab>, name: &str, app: &str) -> Home<'lab> {
    let home = owner.lab.home(name);
    home.trust(&format!("key generate {name}")).ok();
    hand(&home, owner, &format!("{name}.pub"));
    owner
        .trust(&format!("signer add --key {name}.pub {name} {app}"))
        .ok();
    home
}

/// Pushes an image and has it signed; its digest.
#[track_caller]
fn signed(home: &Home<'_>, app: &str, tag: &str) -> String {
    let path = app.split_once('/').expect("a registry").1;
    let digest = home.lab.push(path, tag).digest();
    home.trust(&format!("sign {app}:{tag}")).ok();
    digest
}

/// Takes a copy of a file from one machine to the other.
fn hand(from: &Home<'_>, to: &Home<'_>, file: &str) {
    if from.folder() != to.folder() {
        fs::copy(from.folder().join(file), to.folder().join(file)).expect("a file to hand on");
    }
}

/// A machine loses the private keys of a role.
fn lose(home: &Home<'_>, app: &str, role: &str) {
    for id in key_ids(home, app, role) {
        lose_key(home, &id);
    }
}

fn lose_key(home: &Home<'_>, id: &str) {
    let file = home.trust_dir().join("private").join(format!("{id}.key"));
    fs::remove_file(file).expect("a key to lose");
}

/// Canonical ids of the keys of a role, as this machine sees the repository.
#[track_caller]
fn key_ids(home: &Home<'_>, app: &str, role: &str) -> Vec<String> {
    let shown = home.trust(&format!("repo show --format json {app}")).ok();
    let rows: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let mut rows = rows.as_array().expect("roles").iter();
    let row = rows.find(|row| row["role"] == role).expect("the role");
    let ids = row["key_ids"].as_array().expect("ids").iter();
    ids.map(|id| id.as_str().expect("an id").to_owned())
        .collect()
}

/// The canonical id of the key of this name.
fn id_of(home: &Home<'_>, name: &str) -> String {
    let shown = home.trust(&format!("key show --format json {name}")).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    shown["id"].as_str().expect("an id").to_owned()
}

/// Refused because the root is another than the one this machine trusts.
#[track_caller]
fn is_another_root(ran: Ran) {
    ran.exit(1).says("[root-mismatch]");
}
