//! The page is complete: it has every command and flag that notary's help has, and no other.

use std::{collections::BTreeSet, process::Command};

use super::page::Page;
use crate::peers::{program, run::run};

/// A command of notary, as words, and a flag of it as the help shows it: `-p, --publish`.
type Flag = (Vec<String>, String);

#[test]
fn every_command_and_flag_of_notary_is_on_the_page() {
    let (mut commands, mut flags) = (BTreeSet::new(), BTreeSet::new());
    ask(&[], &mut commands, &mut flags);
    assert!(commands.len() > 25, "{commands:?}");
    assert!(flags.len() > 200, "{flags:?}");

    let page = Page::read();
    let spans = page.rows.iter().flat_map(|row| &row.spans);
    let named: Vec<Flag> = spans.flat_map(|span| named(span)).collect();
    for command in &commands {
        let there = named.iter().any(|(path, _)| path == command);
        assert!(there, "no row for `{}`", command.join(" "));
    }
    for (command, flag) in &flags {
        // A flag that several commands have may stand in one row without a command.
        let there = |(path, name): &Flag| name == flag && command.starts_with(path);
        let there = named.iter().any(there);
        assert!(there, "no row for `{} {flag}`", command.join(" "));
    }
    for (path, flag) in named.iter().filter(|(_, flag)| !flag.is_empty()) {
        let fits = |(command, name): &Flag| name == flag && command.starts_with(path);
        let known = flags.iter().any(fits);
        assert!(known, "notary has no `{} {flag}`", path.join(" "));
    }
}

/// Adds what `notary PATH --help` tells, and what the commands below do.
fn ask(path: &[String], commands: &mut BTreeSet<Vec<String>>, flags: &mut BTreeSet<Flag>) {
    let mut notary = Command::new(program::find("notary"));
    notary.args(path).arg("--help");
    let help = run(notary).ok().stdout;
    let mut section = "";
    let mut below = Vec::new();
    for line in help.lines() {
        let Some(entry) = line.strip_prefix("  ") else {
            section = line;
            continue;
        };
        let words: Vec<&str> = entry.split_whitespace().collect();
        match (section, words.as_slice()) {
            ("Available Commands:", [name, ..]) => below.push((*name).to_owned()),
            ("Flags:" | "Global Flags:", [short, long, ..]) if short.ends_with(',') => {
                flags.insert((path.to_vec(), format!("{short} {long}")));
            }
            ("Flags:" | "Global Flags:", [long, ..]) => {
                flags.insert((path.to_vec(), (*long).to_owned()));
            }
            _ => {}
        }
    }
    // What stands below `completion` are names of shells.
    let is_shell = path.len() > 1 && path[0] == "completion";
    if path == ["completion"] || (below.is_empty() && !is_shell) {
        commands.insert(path.to_vec());
    }
    for name in below {
        ask(&[path, &[name]].concat(), commands, flags);
    }
}

/// The command of a span, once with each of its flags, or with none.
fn named(span: &str) -> Vec<Flag> {
    let words: Vec<&str> = span.split_whitespace().collect();
    let is_command = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase());
    let path = words.iter().take_while(is_command);
    let path: Vec<String> = path.map(|word| (*word).to_owned()).collect();
    let mut found = vec![(path.clone(), String::new())];
    let mut words = words.into_iter().skip(path.len());
    while let Some(word) = words.next() {
        if word.ends_with(',') {
            let long = words.next().expect("a long form");
            found.push((path.clone(), format!("{word} {long}")));
        } else if word.starts_with("--") {
            found.push((path.clone(), word.to_owned()));
        }
    }
    found
}
