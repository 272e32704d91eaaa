//! What is staged without a network, in notary's words.

use super::Home;
use snapbox::{IntoData as _, assert_data_eq, str};

#[test]
fn changes_are_staged_listed_and_reset_offline() {
    let home = Home::new();
    let digest = format!("sha256:{}", "ab".repeat(32));
    home.trust("repo status --offline reg.test/app")
        .ends(0)
        .stdout
        .eq("No unpublished changes for reg.test/app\n")
        .then_some(())
        .unwrap();
    for line in [
        format!("sign --stage --role targets/releases --size 5 reg.test/app:1@{digest}"),
        "delegation add --stage reg.test/app team/qa --path v --threshold 2".to_owned(),
        "delegation remove --stage -y reg.test/app targets/old".to_owned(),
        "witness --stage reg.test/app targets".to_owned(),
        format!(
            "delegation purge --stage reg.test/app --key {}",
            "cd".repeat(32)
        ),
    ] {
        home.trust(&format!("--offline {line}")).ends(0);
    }
    assert_data_eq!(
        home.trust("repo status --offline reg.test/app")
            .ends(0)
            .stdout,
        str![[r#"
Unpublished changes for reg.test/app:

#         ACTION    SCOPE              TYPE         PATH
-         ------    -----              ----         ----
0         create    targets/releases   target       1
1         create    targets/team/qa    delegation   
2         update    targets/team/qa    delegation   
3         delete    targets/old        delegation   
4         update    targets            witness      
5         update    targets/*          delegation   

"#]]
        .raw()
    );
    let json = home.trust("repo status --offline --format json reg.test/app");
    let rows: serde_json::Value = serde_json::from_str(&json.ends(0).stdout).unwrap();
    assert_eq!(rows[0]["path"], "1");
    assert_eq!(rows[5]["scope"], "targets/*");
    home.trust("repo reset --offline reg.test/app").ends(2);
    home.trust("repo reset --offline reg.test/app --all -n 1")
        .ends(2);
    home.trust("repo reset --offline reg.test/app -n 0,1,77")
        .ends(0);
    home.trust("repo publish --offline reg.test/app").ends(3);
    let left = home
        .trust("repo status --offline reg.test/app")
        .ends(0)
        .stdout;
    assert_eq!(left.lines().count(), 8, "{left}");

    // A file that is no change is shown, stops the publish, and can be taken out.
    let list = home
        .path()
        .join(".docker/trust/tuf/reg.test/app/changelist");
    let strange = list.join("00000000000000000000_x.change");
    trust_store::write_atomic(&strange, b"{}", 0o600).unwrap();
    let shown = home.trust("repo status --offline reg.test/app").ends(0);
    assert!(shown.stderr.contains("change 0 ("), "{}", shown.stderr);
    let refused = home.trust("repo publish --offline reg.test/app").ends(2);
    assert!(
        refused.stderr.contains("trust repo reset"),
        "{}",
        refused.stderr
    );
    home.trust("repo reset --offline reg.test/app -n 0").ends(0);
    assert!(!strange.exists());
    home.trust("repo reset --offline reg.test/app --all")
        .ends(0);
    assert_eq!(std::fs::read_dir(&list).unwrap().count(), 0);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_done() {
    let home = Home::new();
    let digest = format!("sha256:{}", "ab".repeat(32));
    for (line, words) in [
        (
            "delegation add reg.test/app Team --all-paths".to_owned(),
            "tuf: invalid role Team. invalid delegation role name",
        ),
        (
            "delegation add reg.test/app team".to_owned(),
            "nothing to add",
        ),
        (
            "delegation purge reg.test/app --key ab".to_owned(),
            "64 hex digits",
        ),
        (
            "sign --stage reg.test/app:1".to_owned(),
            "the digest and the size of the manifest have to be named",
        ),
        (
            "sign --stage --size 5 reg.test/app:1".to_owned(),
            "--size goes with a digest",
        ),
        (format!("sign --size 5 reg.test/app:1@{digest}"), "--stage"),
        (
            format!("sign --stage --size 5 reg.test/app:1@{digest} reg.test/app:2@{digest}"),
            "several images",
        ),
        ("signer replace reg.test/app".to_owned(), "--key"),
    ] {
        let ran = home.trust(&format!("--offline {line}")).ends(2);
        assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
    }
    assert!(!home.path().join(".docker").exists());
}
