//! Rules that ask for less: accept, audit, exemptions; what is named by digest is checked all the same.

use super::image::{IMAGE, image, index};
use super::registry::Answer;
use super::{APP, Scene};
use crate::world::{TAG, days};
use trust::policy::{Demand, Exemption, Mode, Policy};
use trust::reference::Digest;

fn accept() -> Policy {
    let mut policy = Policy::signed();
    policy.default.demand = Demand::Accept;
    policy
}

fn audit() -> Policy {
    let mut policy = Policy::signed();
    policy.default.mode = Mode::Audit;
    policy
}

#[tokio::test]
async fn what_is_accepted_passes_as_it_is() {
    let scene = Scene::under(accept()).await;
    let image = image(&scene.registry, "any/app", &["1"], "an app");
    let manifest = scene.path("any/app", "manifests/1");
    let got = scene.get(&manifest).await;
    assert_eq!(got.is(200).body, image.bytes);
    assert_eq!(got.header("content-type"), IMAGE);
    assert_eq!(got.header("docker-content-digest"), image.digest.as_str());
    assert!(!got.headers.contains_key("warning"));
    // The tag is asked for anew each time.
    scene.get(&manifest).await.is(200);
    assert_eq!(scene.registry.asked().len(), 2);
    let layer = scene.path("any/app", format!("blobs/{}", image.layer));
    scene.get(&layer).await.is(200);
    // No trust server was asked.
    assert!(scene.trust.asked().is_empty());
    // What a registry has besides images passes with the registry's word for it.
    scene.registry.put(
        "any/app/manifests/old",
        Answer::of(
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            r#"{"schemaVersion":1}"#,
        ),
    );
    let got = scene.get(&scene.path("any/app", "manifests/old")).await;
    assert_eq!(
        got.is(200).header("content-type"),
        "application/vnd.docker.distribution.manifest.v1+prettyjws"
    );
}

#[tokio::test]
async fn what_is_accepted_by_digest_has_that_digest() {
    let scene = Scene::under(accept()).await;
    let image = image(&scene.registry, APP, &["1"], "an app");
    scene.registry.put(
        &format!("{APP}/manifests/{}", image.digest),
        Answer::of(IMAGE, "{}"),
    );
    scene
        .manifest(&image.digest)
        .await
        .is_refused("changed the image");
}

#[tokio::test]
async fn layers_of_what_is_accepted_need_no_manifest_before_them() {
    let scene = Scene::under(accept()).await;
    let child = image(&scene.registry, APP, &["1"], "an app");
    scene.blob(&child.layer).await.is(200);
    scene.manifest("1").await.is(200);
    // Not even there do manifests that are known go out as blobs.
    let bytes = index(&scene.registry, APP, &["index"], &[&child]);
    scene.registry.blob(APP, &child.bytes);
    scene.manifest("index").await.is(200);
    scene
        .blob(&child.digest)
        .await
        .is_refused("it is a manifest, not a blob");
    assert!(!bytes.is_empty());
}

#[tokio::test]
async fn an_audit_lets_pass_and_says_what_it_would_refuse() {
    let mut scene = Scene::under(audit()).await;
    let signed = scene.signed_image();
    let got = scene.manifest(TAG).await;
    assert_eq!(got.is(200).body, signed.bytes);
    assert!(!got.headers.contains_key("warning"), "{got:?}");
    let other = image(&scene.registry, APP, &["other"], "another app");
    let got = scene.manifest("other").await;
    assert_eq!(got.is(200).body, other.bytes);
    let warning = got.header("warning");
    assert!(
        warning.starts_with("299 - \"") && warning.ends_with('"'),
        "{warning}"
    );
    assert!(
        warning.contains("unsigned") || warning.contains("other"),
        "{warning}"
    );
    scene.blob(&other.layer).await.is(200);
    // A tag that moved is what would be refused, too.
    image(&scene.registry, APP, &[TAG], "moved");
    let got = scene.manifest(TAG).await;
    assert!(
        got.is(200).header("warning").contains("digest-not-signed"),
        "{got:?}"
    );
}

/// A mirror is judged as what it mirrors, and fetched from itself.
#[tokio::test]
async fn a_mirror_is_judged_under_the_name_of_the_original() {
    let mut scene = Scene::new().await;
    let image = image(&scene.registry, "mirror/team/app", &[TAG], "the app");
    scene.sign(TAG, &image.bytes);
    let (host, first_use) = (&scene.registry.host, "first_use = true");
    scene.gate.enforce(super::policy(&format!(
        "[default]\nrequire = \"reject\"\n[[rule]]\nmatch = \"{host}/mirror/**\"\n\
         require = \"signed\"\nas = \"original.test/**\"\n{first_use}\n"
    )));
    let mirrored = |rest: String| scene.path("mirror/team/app", rest);
    let got = scene.get(&mirrored(format!("manifests/{TAG}"))).await;
    assert_eq!(got.is(200).body, image.bytes);
    let layer = mirrored(format!("blobs/{}", image.layer));
    scene.get(&layer).await.is(200);
    scene.manifest(TAG).await.is_refused("no-rule");
}

#[tokio::test]
async fn an_exempt_digest_passes_by_tag_and_by_digest() {
    let registry_free = |digest: &Digest| {
        let mut policy = Policy::signed();
        policy.default.exempt.push(Exemption {
            digest: digest.sha256_hex().unwrap().to_owned(),
            until: days(1),
            why: None,
        });
        policy
    };
    let mut scene = Scene::new().await;
    scene.signed_image();
    let other = image(&scene.registry, APP, &["other"], "another app");
    scene.manifest("other").await.is(403);
    scene.gate.enforce(registry_free(&other.digest));
    assert_eq!(scene.manifest("other").await.is(200).body, other.bytes);
    assert_eq!(
        scene.manifest(&other.digest).await.is(200).body,
        other.bytes
    );
    scene.blob(&other.layer).await.is(200);
    scene.registry.blob(APP, &other.bytes);
    scene
        .blob(&other.digest)
        .await
        .is_refused("it is a manifest, not a blob");
    // The tag moves on, the exemption does not.
    image(&scene.registry, APP, &["other"], "evil");
    scene.manifest("other").await.is(403);
    // It ends.
    scene.restart(registry_free(&other.digest), || days(2));
    scene.manifest(&other.digest).await.is(403);
}
