//! The lab is sound: the real programs alone finish their whole job in it.

use crate::peers::{
    home::{REPOSITORY, ROOT},
    image::hex_of,
    lab::Lab,
    program,
    server::{Kind, on_both_servers},
    terminal::Terminal,
};

on_both_servers!(
    docker_signs_and_pulls_what_it_signed,
    notary_signs_and_lists_what_it_signed,
    a_person_on_a_terminal_answers_docker
);

fn docker_signs_and_pulls_what_it_signed(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    lab.push("team/app", "signed");
    lab.push("team/app", "unsigned");

    nigel.docker("trust key generate nigel").ok();
    nigel
        .docker(&format!("trust signer add --key nigel.pub nigel {app}"))
        .ok();
    nigel.docker(&format!("pull {app}:signed")).ok();
    nigel.docker(&format!("trust sign {app}:signed")).ok();
    // The engine compresses layers anew, so the digest is what it pushed.
    let digest = nigel.served_digest(&format!("{app}:signed"));
    nigel
        .docker(&format!("trust inspect {app}:signed"))
        .ok()
        .says(hex_of(&digest));
    nigel
        .docker_trusting(&format!("pull {app}:signed"))
        .ok()
        .says(&digest);
    nigel
        .docker_trusting(&format!("pull {app}:unsigned"))
        .exit(1)
        .says("No valid trust data for unsigned");
}

fn notary_signs_and_lists_what_it_signed(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("team/app");
    let image = lab.push("team/app", "v1");
    let (size, hex) = (
        image.manifest.bytes.len(),
        hex_of(&image.digest()).to_owned(),
    );

    nigel.notary(&format!("init -p {app}")).ok();
    nigel
        .notary(&format!("addhash -p {app} v1 {size} --sha256 {hex}"))
        .ok();
    nigel.notary(&format!("lookup {app} v1")).ok().says(&hex);
    let manifest = nigel.raw_manifest(&format!("{app}:v1"));
    nigel
        .notary_with_input(&format!("verify -q {app} v1"), &manifest)
        .ok();
}

fn a_person_on_a_terminal_answers_docker(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel").without_passphrases();
    let docker = program::find("docker");
    let mut terminal = Terminal::start(nigel.command(&docker, "trust key generate nigel"));
    terminal
        .shows("Enter passphrase for new nigel key with ID ")
        .types_secret(REPOSITORY)
        .shows("Repeat passphrase for new nigel key with ID ")
        .types_secret(REPOSITORY);
    let transcript = terminal.ends(0);
    assert!(
        !transcript.contains(REPOSITORY),
        "the passphrase was shown:\n{transcript}"
    );

    let app = lab.name("team/app");
    let line = format!("trust signer add --key nigel.pub nigel {app}");
    let mut terminal = Terminal::start(nigel.command(&docker, &line));
    for (prompt, answer) in [("new root", ROOT), ("new repository", REPOSITORY)] {
        terminal.shows(&format!("Enter passphrase for {prompt} key with ID "));
        terminal.types_secret(answer);
        terminal.shows(&format!("Repeat passphrase for {prompt} key with ID "));
        terminal.types_secret(answer);
    }
    terminal.shows("Successfully added signer: nigel");
    terminal.ends(0);
}
