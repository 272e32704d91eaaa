//! A token that is pulled out in the middle: at each call that is made to it, in turn.

use super::{ROOT_TOKEN, two_tokens, with};
use crate::peers::{
    home::{Home, files_below},
    lab::Lab,
    run::Ran,
    server::{Kind, on_both_servers},
    softhsm::SoftHsm,
};

on_both_servers!(nothing_is_half_done_and_the_command_repeated_finishes);

fn nothing_is_half_done_and_the_command_repeated_finishes(server: Kind) {
    let lab = Lab::start(server);
    let (tokens, nigel) = two_tokens(&lab);
    for name in ["root", "nigel"] {
        nigel
            .trust(&format!("key generate {name} --token {ROOT_TOKEN}"))
            .ok();
    }
    let app = lab.name("app");
    lab.push("app", "v1");
    let add = format!("signer add --key nigel.pub nigel {app}");
    let begun = pulled_out_at_each_call(&tokens, &nigel, &add, |ran| {
        // Keys that are made for the repository are kept for the next try.
        nigel.notary(&format!("list {app}")).exit(1);
        assert!(ran.stderr.contains("token"), "{ran}");
    });
    assert!(begun > 20, "only {begun} calls to begin a repository");
    let before = files_below(&nigel.trust_dir());
    let signed = pulled_out_at_each_call(&tokens, &nigel, &format!("sign {app}:v1"), |ran| {
        assert_eq!(ran.code, 3, "{ran}");
        let told = ran
            .stderr
            .lines()
            .filter(|line| line.starts_with("trust: "));
        assert_eq!(told.count(), 1, "{ran}");
        let now = files_below(&nigel.trust_dir());
        let changed = now
            .iter()
            .filter(|(path, bytes)| before.get(*path) != Some(bytes));
        let mut changed = changed.map(|(path, _)| path.display().to_string());
        let refreshed = |path: &String| path.contains("/tuf/");
        assert!(changed.all(|path| refreshed(&path)), "{ran}");
    });
    assert!(signed > 20, "only {signed} calls to sign");
    nigel.trust(&format!("verify {app}:v1")).ok();
    nigel
        .docker(&format!("trust inspect --pretty {app}"))
        .ok()
        .says("nigel");
}

#[test]
fn a_key_is_whole_or_not_there() {
    let lab = Lab::start(Kind::Trust);
    let (tokens, nigel) = two_tokens(&lab);
    let line = format!("key generate nigel --token {ROOT_TOKEN}");
    pulled_out_at_each_call(&tokens, &nigel, &line, |_| {
        assert!(!nigel.folder().join("nigel.pub").exists());
    });
    // Whatever is there now has both halves: it can begin a repository.
    let listed = nigel.trust("key list --format json").ok().stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let listed = listed.as_array().expect("a list");
    assert!(!listed.is_empty());
    for (index, key) in listed.iter().enumerate() {
        let id = key["id"].as_str().expect("an id");
        let name = lab.name(&format!("app{index}"));
        nigel
            .trust(&format!("repo init --root-key {id} {name}"))
            .ok();
    }
}

/// Runs the command with the tokens pulled out at the first call, the second, and so on, until it
/// goes through; how many calls that took.
fn pulled_out_at_each_call(
    tokens: &SoftHsm,
    home: &Home<'_>,
    line: &str,
    check: impl Fn(&Ran),
) -> u32 {
    for call in 1..500 {
        let mut pulled = with(home.clone(), tokens);
        for (variable, value) in tokens.pulled_out_at(call) {
            pulled = pulled.with(variable, &value);
        }
        let ran = pulled.trust(line);
        if ran.code == 0 {
            return call;
        }
        let words = [
            "was pulled out before it could",
            "no token is in the slots",
            "no token is called",
        ];
        assert!(
            words.iter().any(|it| ran.stderr.contains(it)),
            "call {call}:\n{ran}"
        );
        check(&ran);
    }
    panic!("never finished: {line}");
}
