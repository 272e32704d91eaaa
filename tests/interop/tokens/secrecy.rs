//! No byte of a private key that is on a token reaches the disk.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{ROOT_TOKEN, SIGNER_TOKEN, two_tokens};
use crate::peers::{
    home::{Home, files_below},
    lab::Lab,
    run::run,
    server::{Kind, on_both_servers},
};

on_both_servers!(no_private_byte_reaches_the_disk);

fn no_private_byte_reaches_the_disk(server: Kind) {
    let lab = Lab::start(server);
    let (tokens, nigel) = two_tokens(&lab);
    let temporary = nigel.folder().join("tmp");
    fs::create_dir_all(&temporary).expect("a folder");
    let nigel = nigel.with("TMPDIR", &temporary.display().to_string());
    let app = lab.name("app");
    lab.push("app", "v1");

    let mut secrets = Vec::new();
    for (name, token, made) in [
        (
            "root",
            ROOT_TOKEN,
            "ec -pkeyopt ec_paramgen_curve:prime256v1",
        ),
        (
            "nigel",
            SIGNER_TOKEN,
            "ec -pkeyopt ec_paramgen_curve:prime256v1",
        ),
        ("rosa", SIGNER_TOKEN, "rsa -pkeyopt rsa_keygen_bits:2048"),
    ] {
        let file = nigel.folder().join(format!("{name}.key"));
        let line = format!("genpkey -out {name}.key -algorithm {made}");
        run(nigel.command(Path::new("openssl"), &line)).ok();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        secrets.push(secret_in(&nigel, name));
        // The search finds what is there.
        let found = files_that_hold(lab.folder(), &secrets);
        assert_eq!(
            found,
            std::slice::from_ref(&file),
            "before {name} is loaded"
        );
        nigel
            .trust(&format!(
                "key load --name {name} --token {token} {name}.key"
            ))
            .ok();
        fs::remove_file(&file).expect("a key file");
        let public = nigel.trust(&format!("key show {name}")).ok().stdout;
        fs::write(nigel.folder().join(format!("{name}.pub")), public).expect("a public key");
    }
    for name in ["nigel", "rosa"] {
        nigel
            .trust(&format!("signer add --key {name}.pub {name} {app}"))
            .ok();
    }
    nigel.trust(&format!("sign -v {app}:v1")).ok();
    nigel
        .trust(&format!("inspect {app}"))
        .ok()
        .says("nigel")
        .says("rosa");
    nigel
        .docker(&format!("trust inspect --pretty {app}"))
        .ok()
        .says("nigel, rosa");
    nigel.notary(&format!("list {app}")).ok();
    let files = files_below(lab.folder());
    assert!(files.len() > 20, "only {} files were searched", files.len());
    assert_eq!(files_that_hold(lab.folder(), &secrets), [] as [PathBuf; 0]);
    drop(tokens);
}

/// The secret number of a key: the scalar, or the private exponent.
fn secret_in(home: &Home<'_>, name: &str) -> Vec<u8> {
    let line = format!("pkey -in {name}.key -noout -text");
    let text = run(home.command(Path::new("openssl"), &line)).ok().stdout;
    let label = if text.contains("privateExponent:") {
        "privateExponent:"
    } else {
        "priv:"
    };
    let (_, rest) = text.split_once(label).expect("a private key");
    let lines = rest
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with(' '));
    let digits: String = lines
        .flat_map(str::chars)
        .filter(char::is_ascii_hexdigit)
        .collect();
    let bytes = hex::decode(digits).expect("hex digits");
    // Without the zeros before it, which an encoding may leave away.
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

fn files_that_hold(folder: &Path, secrets: &[Vec<u8>]) -> Vec<PathBuf> {
    let wanted: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    let files: BTreeMap<PathBuf, Vec<u8>> = files_below(folder);
    let holds = |bytes: &[u8]| {
        wanted
            .iter()
            .any(|form| bytes.windows(form.len()).any(|part| part == form))
    };
    files
        .into_iter()
        .filter(|(_, bytes)| {
            let joined: Vec<u8> = bytes
                .iter()
                .copied()
                .filter(|b| !b.is_ascii_whitespace())
                .collect();
            holds(bytes) || holds(&joined)
        })
        .map(|(path, _)| path)
        .collect()
}

/// The number as bytes (as it is also in DER), in hex, and in base64 at each place of a group.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    // Thirty bytes of it are proof enough, and make patterns of one length quick to look for.
    let secret = &secret[..30];
    let hex = hex::encode(secret);
    let mut forms = vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    for before in 0..3 {
        let bytes = [&[0_u8; 2][..before], secret].concat();
        let text = BASE64_STANDARD.encode(bytes);
        // The first and the last group hold bits of the neighbours.
        forms.push(text.as_bytes()[4..text.len() - 4].to_vec());
    }
    forms
}
