//! Policies as people write them, on metadata as servers serve them.

use crate::world::{Client, GUN, Key, Publisher, Server, TAG, now};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use trust::policy::{Policy, Reason};
use trust::reference::{Digest, ImageReference};
use trust::repository::Decision;
use trust::tuf::canonical::Node;

/// A repository on a server, before it is published.
struct Scene {
    server: Server,
    publisher: Publisher,
    client: Client,
    authorities: Vec<(String, String)>,
}

impl Scene {
    async fn new() -> Self {
        Self {
            server: Server::start().await,
            publisher: Publisher::new(),
            client: Client::new(),
            authorities: Vec::new(),
        }
    }

    fn publish(&mut self) {
        self.publisher.advance();
        self.publisher.publish(&self.server);
    }

    /// What a machine decides that keeps what it has seen.
    async fn decide(&self, policy: &str, image: &str) -> Decision {
        let policy = Policy::parse(policy, &mut |name| {
            let found = self.authorities.iter().find(|(file, _)| file == name);
            let (_, pem) = found.ok_or("no such file")?;
            Ok(pem.clone().into_bytes())
        });
        let policy = policy.unwrap();
        let image = ImageReference::parse(image).unwrap();
        let decider = self.client.decider(&self.server);
        let rule = policy.rule(&image);
        let mut watch = |_| ();
        let decision = decider.decide(&image, rule, now(), &mut watch).await;
        decision.unwrap()
    }

    async fn reason(&self, policy: &str, image: &str) -> Option<Reason> {
        self.decide(policy, image).await.judgement.reason
    }

    /// Writes custom data beside a tag.
    fn custom(&mut self, role: &str, tag: &str, json: &'static str) {
        let targets = &mut self.publisher.targets.get_mut(role).unwrap().targets;
        targets.get_mut(tag).unwrap().custom = Some(Node::parse(json.as_bytes()).unwrap());
    }
}

fn image() -> String {
    format!("{GUN}:{TAG}")
}

fn signed(lines: &str) -> String {
    format!("[default]\nrequire = \"signed\"\n{lines}\n")
}

const FIRST: &str = "first_use = true";

#[tokio::test]
async fn custom_data_say_what_an_image_is_for() {
    let mut scene = Scene::new().await;
    scene.custom(
        "targets/releases",
        TAG,
        r#"{"context": ["stage"], "note": 1}"#,
    );
    scene.publish();
    let policy = |context: &str| signed(&format!("{FIRST}\ncontext = \"{context}\""));
    assert_eq!(scene.reason(&policy("stage"), &image()).await, None);
    let refused = scene.decide(&policy("prod"), &image()).await.judgement;
    assert_eq!(refused.reason, Some(Reason::WrongContext));
    assert_eq!(refused.message, "1.0 is not signed for prod");
    // Its name is that of a role, too.
    assert_eq!(scene.reason(&policy("alice"), &image()).await, None);
}

#[tokio::test]
async fn what_is_superseded_is_refused_where_that_is_wanted() {
    let mut scene = Scene::new().await;
    let json = r#"{"superseded_by": "1.1", "note": 1}"#;
    scene.custom("targets/alice", TAG, json);
    scene.publish();
    let policy = signed(&format!("{FIRST}\nrefuse_superseded = true"));
    let refused = scene.decide(&policy, &image()).await.judgement;
    assert_eq!(refused.reason, Some(Reason::Superseded));
    assert_eq!(
        refused.message,
        "1.0 is superseded by 1.1, says targets/alice"
    );
    assert_eq!(scene.reason(&signed(FIRST), &image()).await, None);
}

/// A digest is asked for by itself: what a role of less weight says of its tag does not count.
#[tokio::test]
async fn a_digest_that_only_targets_means_is_not_released() {
    let mut scene = Scene::new().await;
    scene.publisher.sign_image("targets", TAG, b"other");
    scene.publisher.sign_image("targets", "only", b"only");
    scene.publish();
    let by_digest = |bytes: &[u8]| format!("{GUN}@{}", Digest::of(bytes));
    let policy = signed(FIRST);
    assert_eq!(scene.reason(&policy, &by_digest(b"manifest")).await, None);
    assert_eq!(scene.reason(&policy, &by_digest(b"only")).await, None);
    let refused = scene.reason(&policy, &by_digest(b"other")).await;
    assert_eq!(refused, Some(Reason::DigestNotSigned));
}

#[tokio::test]
async fn a_root_is_pinned_by_its_key_or_its_authority() {
    let mut scene = Scene::new().await;
    let ours = issuer("ours");
    let theirs = issuer("theirs");
    scene.authorities = [("ours.pem", ours.pem()), ("theirs.pem", theirs.pem())]
        .map(|(name, pem)| (name.to_owned(), pem))
        .into();
    let root = Key::issued(GUN, &ours);
    scene
        .publisher
        .entrust("root", std::slice::from_ref(&root), 1);
    scene
        .publisher
        .signers
        .insert("root".to_owned(), vec![root.clone()]);
    scene.publish();
    let (listed, canonical) = (root.public.id(), root.public.canonical_id());
    assert_ne!(*listed, canonical);
    let refused = Some(Reason::RootMismatch);
    for (lines, expected) in [
        (String::new(), refused),
        ("root_ca = \"theirs.pem\"".to_owned(), refused),
        (format!("root_keys = [\"{}\"]", "0".repeat(64)), refused),
        ("root_ca = [\"theirs.pem\", \"ours.pem\"]".to_owned(), None),
        (format!("root_keys = [\"{listed}\"]"), None),
        (format!("root_keys = [\"{canonical}\"]"), None),
        (
            format!("root_keys = [\"{canonical}\"]\nroot_ca = \"theirs.pem\""),
            None,
        ),
    ] {
        scene.client = Client::new();
        assert_eq!(
            scene.reason(&signed(&lines), &image()).await,
            expected,
            "{lines}"
        );
        let kept = !scene.client.kept().is_empty();
        assert_eq!(kept, expected.is_none(), "a refused root is not kept");
    }
}

/// Public keys are public: a root that only names the pinned one is anybody's.
#[tokio::test]
async fn a_root_that_names_a_pinned_key_is_not_signed_by_it() {
    let mut scene = Scene::new().await;
    let ours = issuer("ours");
    scene.authorities = vec![("ours.pem".to_owned(), ours.pem())];
    let (pinned, hostile) = (Key::issued(GUN, &ours), Key::root(GUN));
    let id = pinned.public.id().to_string();
    let both = [pinned.clone(), hostile.clone()];
    scene.publisher.entrust("root", &both, 1);
    let signers = vec![hostile.clone()];
    scene.publisher.signers.insert("root".to_owned(), signers);
    scene.publish();
    let pins = [
        format!("root_keys = [\"{id}\"]"),
        "root_ca = \"ours.pem\"".to_owned(),
    ];
    for pin in &pins {
        let reason = scene.reason(&signed(pin), &image()).await;
        assert_eq!(reason, Some(Reason::RootMismatch), "{pin}");
        assert!(scene.client.kept().is_empty());
    }
    scene.publisher.root.version += 1;
    scene
        .publisher
        .signers
        .insert("root".to_owned(), vec![hostile, pinned]);
    scene.publish();
    for pin in &pins {
        assert_eq!(scene.reason(&signed(pin), &image()).await, None, "{pin}");
    }
}

#[tokio::test]
async fn a_mirror_is_judged_as_what_it_mirrors() {
    let mut scene = Scene::new().await;
    scene.publish();
    let policy = format!(
        "[[rule]]\nmatch = \"mirror.test/m/**\"\nrequire = \"signed\"\n{FIRST}\n\
         as = \"registry.test:5000/**\"\n"
    );
    let found = scene
        .decide(&policy, &format!("mirror.test/m/team/app:{TAG}"))
        .await;
    assert_eq!(found.judgement.reason, None);
    let digest = format!("sha256:{}", found.judgement.decided_by.unwrap().digest);
    assert_eq!(digest, Digest::of(b"manifest").as_str());
    assert_eq!(scene.reason(&policy, &image()).await, Some(Reason::NoRule));
}

/// The tags of a repository are those that pass one by one.
#[tokio::test]
async fn the_tags_are_those_that_pass() {
    let mut scene = Scene::new().await;
    scene
        .publisher
        .sign_image("targets/releases", "2.0", b"two");
    scene.publisher.sign_image("targets", "3.0", b"three");
    scene.publisher.sign_image("targets/alice", "4.0", b"four");
    scene.publish();
    for (lines, expected) in [
        ("", &["1.0", "2.0", "3.0"][..]),
        ("signers = [\"alice\"]", &["1.0"]),
        ("roles = [\"targets/alice\"]", &["1.0", "4.0"]),
    ] {
        let policy = Policy::parse(&signed(&format!("{FIRST}\n{lines}")), &mut |_| {
            Err(String::new())
        });
        let (policy, image) = (policy.unwrap(), ImageReference::parse(GUN).unwrap());
        let decider = scene.client.decider(&scene.server);
        let tags = decider
            .tags(&image, &policy.default, now(), &mut |_| ())
            .await;
        assert_eq!(tags.unwrap().unwrap(), expected, "{lines}");
        for tag in ["1.0", "2.0", "3.0", "4.0"] {
            let reason = scene.reason(&signed(lines), &format!("{GUN}:{tag}")).await;
            assert_eq!(reason.is_none(), expected.contains(&tag), "{lines} {tag}");
        }
    }
    let pinned = signed(&format!("root_keys = [\"{}\"]", "0".repeat(64)));
    let policy = Policy::parse(&pinned, &mut |_| Err(String::new())).unwrap();
    let (decider, image) = (
        scene.client.decider(&scene.server),
        ImageReference::parse(GUN).unwrap(),
    );
    let tags = decider
        .tags(&image, &policy.default, now(), &mut |_| ())
        .await;
    let refused = tags.unwrap().unwrap_err();
    assert_eq!(refused.judgement.reason, Some(Reason::RootMismatch));
}

fn issuer(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
