//! What several people sign in turn, each on their own machine with their own key: what comes of it
//! is for docker and notary as if one had signed it.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::peers::{
    home::Home,
    image::hex_of,
    lab::Lab,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    a_release_that_two_of_three_sign,
    stale_and_tampered_requests_are_refused,
    a_request_signed_without_the_network,
    a_root_of_two_out_of_three_people,
);

/// Three signers of whom two have to release, and who reads what they did.
struct Team<'lab> {
    app: String,
    owner: Home<'lab>,
    alice: Home<'lab>,
    bob: Home<'lab>,
    carol: Home<'lab>,
}

impl<'lab> Team<'lab> {
    fn of_three(lab: &'lab Lab) -> Self {
        let (owner, app) = (lab.home("owner"), lab.name("team/app"));
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| {
            let home = lab.home(name);
            home.trust(&format!("key generate {name}")).ok();
            hand(&home, &owner, &format!("{name}.pub"));
            owner
                .trust(&format!("signer add --key {name}.pub {name} {app}"))
                .ok();
            home
        });
        owner
            .trust(&format!(
                "delegation add --threshold 2 {app} targets/releases"
            ))
            .ok();
        Self {
            app,
            owner,
            alice,
            bob,
            carol,
        }
    }

    /// Has alice ask for a tag; its digest.
    #[track_caller]
    fn requested(&self, tag: &str) -> String {
        let digest = self.owner.lab.push("team/app", tag).digest();
        let ran = self
            .alice
            .trust(&format!("sign --stage {}:{tag}", self.app));
        ran.ok()
            .says(&format!("app-{tag}.request.json"))
            .says("targets/releases: signed by 1 of 2: alice");
        digest
    }

    /// Docker, notary and trust, with what they knew before, and somebody new.
    #[track_caller]
    fn read(&self, tag: &str, digest: &str) {
        let (app, hex, lab) = (&self.app, hex_of(digest), self.owner.lab);
        for reader in ["docker", "newcomer"] {
            let inspected = lab.home(reader).docker(&format!("trust inspect {app}"));
            inspected.ok().says(hex).says("\"alice\"");
        }
        let listed = lab.home("notary").notary(&format!("list {app}"));
        listed.ok().says(hex).does_not_say("did not meet threshold");
        let verified = lab.home("trust").trust(&format!("verify -q {app}:{tag}"));
        assert_eq!(verified.ok().stdout, format!("{app}:{tag}@{digest}\n"));
    }

    /// Nobody takes the tag for signed.
    #[track_caller]
    fn not_read(&self, tag: &str, digest: &str) {
        let (app, lab) = (&self.app, self.owner.lab);
        let inspected = lab.home("docker").docker(&format!("trust inspect {app}"));
        inspected.ok().does_not_say(hex_of(digest));
        let verified = lab.home("trust").trust(&format!("verify {app}:{tag}"));
        verified.exit(1).says("[unsigned]");
    }
}

fn a_release_that_two_of_three_sign(server: Kind) {
    let lab = Lab::start(server);
    let team = Team::of_three(&lab);
    let first = team.requested("1.0.0");
    let file = "app-1.0.0.request.json";
    team.not_read("1.0.0", &first);
    // It is there already, and stays.
    let again = team
        .alice
        .trust(&format!("sign --stage {}:1.0.0", team.app));
    again.exit(2).says(file);

    hand(&team.alice, &team.bob, file);
    // Nobody is there to say yes: an error at once.
    let start = Instant::now();
    let unasked = team.bob.trust(&format!("sign --approve {file}")).exit(2);
    assert!(start.elapsed() < Duration::from_secs(5), "{unasked}");
    unasked.says("-y").says(&first);
    assert_eq!(text(&team.alice, file), text(&team.bob, file));
    team.not_read("1.0.0", &first);
    // A stranger, and alice again, sign nothing.
    for home in [&lab.home("stranger"), &team.alice] {
        hand(&team.alice, home, file);
        home.trust(&format!("sign --approve {file} -y")).exit(1);
    }
    team.not_read("1.0.0", &first);
    team.bob
        .trust(&format!("sign --approve {file} -y"))
        .ok()
        .says(&format!(
            "Successfully published the request for {}",
            team.app
        ));
    team.read("1.0.0", &first);

    // Others of the three, for a second release; then a tag goes in turn, too.
    let second = lab.push("team/app", "1.1.0").digest();
    team.carol
        .trust(&format!("sign {}:1.1.0 --request it.json", team.app))
        .ok();
    hand(&team.carol, &team.alice, "it.json");
    let json = team.alice.trust("sign --approve it.json -y --format json");
    let json: serde_json::Value = serde_json::from_str(&json.ok().stdout).expect("JSON");
    assert_eq!(
        (&json["complete"], &json["published"]),
        (&true.into(), &true.into())
    );
    let listed = lab.home("notary").notary(&format!("list {}", team.app));
    listed.ok().says(hex_of(&second)).says(hex_of(&first));
    team.read("1.0.0", &first);
    // One alone cannot, whichever client.
    lab.push("team/app", "1.2.0");
    team.bob.trust(&format!("sign {}:1.2.0", team.app)).exit(1);
}

fn stale_and_tampered_requests_are_refused(server: Kind) {
    let lab = Lab::start(server);
    let team = Team::of_three(&lab);
    let first = team.requested("1.0.0");
    let second = lab.push("team/app", "1.1.0").digest();
    team.carol
        .trust(&format!("sign {}:1.1.0 --request it.json", team.app))
        .ok();
    let file = "app-1.0.0.request.json";
    hand(&team.alice, &team.bob, file);
    let approve = |file: &str| team.bob.trust(&format!("sign --approve {file} -y"));

    // Another digest, another tag, another repository, a signature too few: each is seen.
    let honest = text(&team.bob, file);
    let foreign = lab.name("team/other");
    team.owner
        .trust(&format!("signer add --key bob.pub alice {foreign}"))
        .ok();
    let digest = |digest: &str| base64_of(hex_of(digest));
    let other = lab.push("team/app", "evil").digest();
    assert!(honest.contains(&digest(&first)), "{honest}");
    let forgeries = [
        honest.replace(&digest(&first), &digest(&other)),
        honest.replace("1.0.0", "6.6.6"),
        honest.replace(&team.app, &foreign),
        honest.replace("\"version\":1", "\"version\":2"),
        honest.replace("\"expires\":\"20", "\"expires\":\"21"),
        honest.replacen("\"sig\":\"", "\"sig\":\"AAAA", 1),
    ];
    for (number, forged) in forgeries.iter().enumerate() {
        assert_ne!(*forged, honest, "{number}");
        fs::write(team.bob.folder().join("forged.json"), forged).expect("a file");
        let refused = approve("forged.json").exit(1);
        assert_eq!(&text(&team.bob, "forged.json"), forged, "{refused}");
    }
    fs::write(team.bob.folder().join("forged.json"), &honest[1..]).expect("a file");
    approve("forged.json").exit(2).says("this is no request");
    team.not_read("1.0.0", &first);

    // What carol requested is published first: alice has to ask again.
    hand(&team.carol, &team.bob, "it.json");
    approve("it.json").ok();
    approve(file).exit(1).says("stale").says("[rollback]");
    approve("it.json").exit(1).says("stale");
    team.not_read("1.0.0", &first);
    fs::remove_file(team.alice.folder().join(file)).expect("a request");
    assert_eq!(team.requested("1.0.0"), first);
    hand(&team.alice, &team.bob, file);
    approve(file).ok();
    team.read("1.0.0", &first);
    let listed = lab.home("notary").notary(&format!("list {}", team.app));
    listed.ok().says(hex_of(&second));
}

fn a_request_signed_without_the_network(server: Kind) {
    let lab = Lab::start(server);
    let team = Team::of_three(&lab);
    team.bob.trust(&format!("repo show {}", team.app)).ok();
    let first = team.requested("1.0.0");
    let file = "app-1.0.0.request.json";
    hand(&team.alice, &team.bob, file);
    let before = text(&team.bob, file);
    team.bob
        .trust(&format!("--offline sign --approve {file} -y"))
        .ok()
        .says("is to be handed on")
        .says("targets/releases: signed by 2 of 2");
    assert_ne!(text(&team.bob, file), before);
    team.not_read("1.0.0", &first);
    // Whoever reaches the server publishes it, without any key that is asked for.
    let courier = lab.home("courier");
    hand(&team.bob, &courier, file);
    courier
        .trust(&format!("sign --approve {file} -y"))
        .ok()
        .says("Successfully published");
    team.read("1.0.0", &first);
    // Bob's machine was away for this, and goes on.
    team.bob
        .trust(&format!("sign --approve {file} -y"))
        .exit(1)
        .says("stale");
}

fn a_root_of_two_out_of_three_people(server: Kind) {
    let lab = Lab::start(server);
    let app = lab.name("team/app");
    let people = ["ann", "ben", "cat"].map(|name| lab.home(name));
    let [ann, ben, cat] = &people;
    for home in &people {
        home.trust("key generate root").ok();
    }
    for (home, file) in [(ben, "ben.crt"), (cat, "cat.crt")] {
        let id = key_id(home, "root");
        home.trust(&format!("key export {id} --certificate {app} -o {file}"))
            .ok();
        hand(home, ann, file);
    }
    // Without --server-managed-snapshot ann keeps the snapshot key.
    ann.trust(&format!(
        "repo init --root-threshold 2 --root-key {} --root-cert ben.crt --root-cert cat.crt \
         --request root.json {app}",
        key_id(ann, "root")
    ))
    .ok()
    .says("root: signed by 1 of 2");
    ben.trust(&format!("repo show {app}")).exit(1);
    hand(ann, cat, "root.json");
    cat.trust("--offline sign --approve root.json -y").ok();
    hand(cat, ann, "root.json");
    ann.trust("sign --approve root.json -y").ok();

    let shown = ben.trust(&format!("repo show --format json {app}")).ok();
    let rows: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let mut rows = rows.as_array().expect("roles").iter();
    let root = rows.find(|row| row["role"] == "root").expect("a root");
    assert_eq!(root["threshold"], 2);
    let mut ids = people.each_ref().map(|home| key_id(home, "root"));
    ids.sort();
    let mut listed: Vec<_> = root["key_ids"].as_array().expect("ids").iter().collect();
    listed.sort_by_key(ToString::to_string);
    assert_eq!(listed, ids.iter().collect::<Vec<_>>());

    // Ann signs, docker and notary read; the root is two people's.
    let digest = lab.push("team/app", "v1").digest();
    ann.trust(&format!("sign {app}:v1")).ok();
    let (docker, notary) = (lab.home("docker"), lab.home("notary"));
    let read = || {
        let inspected = docker.docker(&format!("trust inspect {app}"));
        inspected.ok().says(hex_of(&digest));
        let listed = notary.notary(&format!("list {app}"));
        listed.ok().says(hex_of(&digest));
    };
    read();
    ann.trust(&format!("key rotate targets {app}")).exit(1);
    ann.trust(&format!("key rotate targets --request turn.json {app}"))
        .ok();
    // Ben has all but the snapshot key: what he signed is kept, and ann publishes it.
    hand(ann, ben, "turn.json");
    ben.trust("sign --approve turn.json -y")
        .exit(1)
        .says("only the holder of the snapshot key can publish it")
        .says("hand the signed file");
    hand(ben, ann, "turn.json");
    ann.trust("sign --approve turn.json -y").ok();
    read();
    // Once the snapshot key is the server's, the last of them publishes.
    let turns = [
        ("snapshot --server-managed", ann, cat),
        ("targets", cat, ben),
    ];
    for (number, (how, from, to)) in turns.into_iter().enumerate() {
        let file = format!("{number}.json");
        from.trust(&format!("key rotate {how} --request {file} {app}"))
            .ok();
        hand(from, to, &file);
        to.trust(&format!("sign --approve {file} -y"))
            .ok()
            .says("Successfully published");
        read();
    }
}

/// Takes a copy of a file from one machine to the other.
fn hand(from: &Home<'_>, to: &Home<'_>, file: &str) {
    if from.folder() != to.folder() {
        fs::copy(from.folder().join(file), to.folder().join(file)).expect("a file to hand on");
    }
}

fn text(home: &Home<'_>, file: &str) -> String {
    fs::read_to_string(home.folder().join(file)).expect("a file")
}

fn key_id(home: &Home<'_>, name: &str) -> String {
    let shown = home.trust(&format!("key show --format json {name}")).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
    shown["id"].as_str().expect("an id").to_owned()
}

/// A hash as metadata write it.
fn base64_of(hex: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let bytes = hex.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("a byte")
    });
    STANDARD.encode(bytes.collect::<Vec<_>>())
}
