//! The same commands of the real docker and notary against notary-server and against ours: what
//! they print is the same, but for ids, digests and times.

mod mask;

use crate::peers::{
    home::Home,
    image::{Image, hex_of},
    lab::Lab,
    program,
    run::{Ran, run},
    server::Kind,
};
use std::collections::BTreeMap;

#[test]
fn docker_trust() {
    same(include_str!("docker_trust.txt"));
}

#[test]
fn docker_with_content_trust() {
    same(include_str!("content_trust.txt"));
}

#[test]
fn notary() {
    same(include_str!("notary.txt"));
}

#[test]
fn notary_rotates_keys() {
    same(include_str!("rotation.txt"));
}

#[test]
fn notary_and_docker_are_told_what_is_wrong() {
    same(include_str!("refusals.txt"));
}

/// Runs the script against both, from nothing.
#[track_caller]
fn same(script: &str) {
    let [theirs, ours] = [Kind::Notary, Kind::Trust].map(|server| transcript(server, script));
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert!(
            theirs == ours,
            "notary-server:\n{theirs}\n\ntrust server:\n{ours}"
        );
    }
    assert_eq!(theirs.len(), ours.len());
}

/// What each line of the script came to.
fn transcript(server: Kind, script: &str) -> Vec<String> {
    let lab = Lab::in_earnest(server);
    let lab = if script.contains(" docker") {
        lab.with_engine()
    } else {
        lab
    };
    let mut stage = Stage {
        lab: &lab,
        homes: BTreeMap::new(),
        images: BTreeMap::new(),
    };
    let lines = script.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| stage.play(line))
        .collect()
}

/// Who has come on, and what was pushed.
struct Stage<'lab> {
    lab: &'lab Lab,
    homes: BTreeMap<String, Home<'lab>>,
    images: BTreeMap<String, Image>,
}

impl Stage<'_> {
    /// Plays `WHO PROGRAM WORDS`, or `lab push TAG`. `!` in front: it fails. `<` behind: what is
    /// typed.
    fn play(&mut self, line: &str) -> Option<String> {
        let (fails, line) = match line.strip_prefix("! ") {
            Some(line) => (true, line),
            None => (false, line),
        };
        let (spoken, typed) = line.split_once(" < ").unwrap_or((line, ""));
        let (who, rest) = spoken.split_once(' ').expect("who does it");
        let (what, words) = rest.split_once(' ').expect("what is done");
        if (who, what) == ("lab", "push") {
            let image = self.lab.push("team/app", words);
            self.images.insert(words.to_owned(), image);
            return None;
        }
        let words = self.filled_in(words);
        let home = self.home(who);
        let ran = match what {
            "docker" => home.docker(&words),
            "trusting-docker" => home.docker_trusting(&words),
            "notary" => home.notary_with_input(&words, &format!("{typed}\n")),
            other => run(home.command(&program::find(other), &words)),
        };
        assert_eq!(ran.code != 0, fails, "{line}\n{ran}");
        Some(self.told(line, &ran))
    }

    fn home(&mut self, who: &str) -> &Home<'_> {
        let lab = self.lab;
        self.homes
            .entry(who.to_owned())
            .or_insert_with(|| lab.home(who))
    }

    /// `APP` is a repository, `HEX(TAG)` and `SIZE(TAG)` are of what was pushed.
    fn filled_in(&self, words: &str) -> String {
        let lab = self.lab;
        let mut words = words
            .replace("APP", &lab.name("team/app"))
            .replace("LAB", &lab.folder().display().to_string())
            .replace("SERVER", &lab.server.url());
        for (tag, image) in &self.images {
            let size = image.manifest.bytes.len().to_string();
            words = words
                .replace(&format!("HEX({tag})"), hex_of(&image.digest()))
                .replace(&format!("SIZE({tag})"), &size);
        }
        words
    }

    fn told(&self, line: &str, ran: &Ran) -> String {
        let text = format!(
            "{line}\nexit {}\n{}--- stderr\n{}",
            ran.code, ran.stdout, ran.stderr
        );
        let lab = self.lab;
        let folder = lab.folder().display().to_string();
        let text = text
            .replace(&lab.registry.host, "REGISTRY")
            .replace(&lab.server.host, "SERVER")
            .replace(&folder, "LAB")
            // A list of keys shows the end of long paths.
            .replace(
                &format!("...{}/home", &folder[folder.len() - 4..]),
                "...LAB/home",
            );
        mask::masked(&text)
    }
}
