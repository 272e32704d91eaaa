//! The first session of a new user, on a terminal, word for word where Docker
//! prints the words.

use crate::peers::{
    home::{Home, REPOSITORY, ROOT},
    image::hex_of,
    lab::Lab,
    server::{Kind, on_both_servers},
    terminal::Terminal,
};

on_both_servers!(
    from_the_first_key_to_a_refused_pull,
    a_root_key_that_exists_is_asked_for_and_not_made_again,
    tries_end_where_dockers_end
);

fn from_the_first_key_to_a_refused_pull(server: Kind) {
    let lab = Lab::start(server).with_engine();
    let nigel = lab.home("nigel").without_passphrases();
    let app = lab.name("team/app");
    let digest = lab.push("team/app", "signed").digest();
    lab.push("team/app", "unsigned");

    generates_a_key(&nigel);
    initialises_a_repository(&nigel, &app);
    signs(&nigel, &app, &digest);
    inspects(&nigel, &app, &digest);

    let shown = on_terminal(&nigel, &format!("pull {app}:unsigned")).ends(1);
    assert!(
        shown.contains("No valid trust data for unsigned"),
        "{shown}"
    );
}

fn a_root_key_that_exists_is_asked_for_and_not_made_again(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel").without_passphrases();
    generates_a_key(&nigel);
    initialises_a_repository(&nigel, &lab.name("first"));

    let second = lab.name("second");
    let mut terminal = on_terminal(
        &nigel,
        &format!("signer add --key nigel.pub nigel {second}"),
    );
    terminal
        .shows("Enter passphrase for root key with ID ")
        .types_secret("not the one");
    terminal.shows("Passphrase incorrect. Please retry.");
    terminal
        .shows("Enter passphrase for root key with ID ")
        .types_secret(ROOT);
    new_passphrase(&mut terminal, "repository", REPOSITORY);
    terminal.shows(&format!("Successfully initialized \"{second}\""));
    terminal.ends(0);
}

fn tries_end_where_dockers_end(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel").without_passphrases();
    generates_a_key(&nigel);
    initialises_a_repository(&nigel, &lab.name("first"));

    // An existing key: four.
    let line = format!("signer add --key nigel.pub nigel {}", lab.name("second"));
    let mut terminal = on_terminal(&nigel, &line);
    for _ in 0..4 {
        terminal
            .shows("Enter passphrase for root key with ID ")
            .types_secret("not the one");
    }
    let shown = terminal.ends_in_failure();
    assert!(
        shown.contains("password invalid, operation has failed."),
        "{shown}"
    );
    assert_eq!(shown.matches("Enter passphrase for").count(), 4, "{shown}");

    // A new key: twelve.
    let mut terminal = on_terminal(&nigel, "key generate never");
    for _ in 0..12 {
        terminal
            .shows("Enter passphrase for new never key with ID ")
            .types_secret("short");
    }
    let shown = terminal.ends_in_failure();
    assert!(
        shown.contains("Passphrase is too short. Please use a password manager"),
        "{shown}"
    );
    assert!(
        shown.contains("maximum number of passphrase attempts exceeded"),
        "{shown}"
    );
}

fn generates_a_key(nigel: &Home<'_>) {
    let mut terminal = on_terminal(nigel, "key generate nigel");
    terminal.shows("Generating key for nigel...\r\n");
    new_passphrase(&mut terminal, "nigel", REPOSITORY);
    terminal.shows(&format!(
        "Successfully generated and loaded private key. \
         Corresponding public key available: {}",
        nigel.folder().join("nigel.pub").display()
    ));
    let shown = terminal.ends(0);
    assert!(
        !shown.contains(REPOSITORY),
        "the passphrase was shown:\n{shown}"
    );
}

fn initialises_a_repository(nigel: &Home<'_>, app: &str) {
    let mut terminal = on_terminal(nigel, &format!("signer add --key nigel.pub nigel {app}"));
    terminal.shows(&format!("Adding signer \"nigel\" to {app}...\r\n"));
    terminal.shows(&format!("Initializing signed repository for {app}...\r\n"));
    terminal.shows(
        "You are about to create a new root signing key passphrase. This passphrase\r\n\
         will be used to protect the most sensitive key in your signing system. Please\r\n\
         choose a long, complex passphrase and be careful to keep the password and the\r\n\
         key file itself secure and backed up. It is highly recommended that you use a\r\n\
         password manager to generate the passphrase and keep it safe. There will be no\r\n\
         way to recover this key. You can find the key in your config directory.\r\n",
    );
    new_passphrase(&mut terminal, "root", ROOT);
    new_passphrase(&mut terminal, "repository", REPOSITORY);
    terminal.shows(&format!("Successfully initialized \"{app}\"\r\n"));
    terminal.shows(&format!("Successfully added signer: nigel to {app}\r\n"));
    terminal.ends(0);
}

fn signs(nigel: &Home<'_>, app: &str, digest: &str) {
    let mut terminal = on_terminal(nigel, &format!("sign {app}:signed"));
    terminal
        .shows("Enter passphrase for nigel key with ID ")
        .types_secret(REPOSITORY);
    terminal.shows(&format!("Successfully signed {app}:signed"));
    let shown = terminal.ends(0);
    assert!(
        shown.contains(digest),
        "the signed digest is not shown:\n{shown}"
    );
}

fn inspects(nigel: &Home<'_>, app: &str, digest: &str) {
    let shown = on_terminal(nigel, &format!("inspect --pretty {app}:signed")).ends(0);
    let hex = hex_of(digest);
    for words in [
        format!("\nSignatures for {app}:signed\n\nSIGNED TAG   DIGEST  "),
        format!("signed       {hex}   nigel\n"),
        format!("\nList of signers and their keys for {app}:signed\n\nSIGNER    KEYS\nnigel     "),
        format!("\nAdministrative keys for {app}:signed\n\n  Repository Key:\t"),
    ] {
        assert!(shown.contains(&words), "`{words}` is missing from\n{shown}");
    }
}

fn new_passphrase(terminal: &mut Terminal, name: &str, passphrase: &str) {
    let prompt = format!("passphrase for new {name} key with ID ");
    terminal
        .shows(&format!("Enter {prompt}"))
        .types_secret(passphrase);
    terminal
        .shows(&format!("Repeat {prompt}"))
        .types_secret(passphrase);
}

fn on_terminal(home: &Home<'_>, line: &str) -> Terminal {
    Terminal::start(home.trust_command(line))
}
