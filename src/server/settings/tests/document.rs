//! `docs/server.md` describes the configuration as it is.

use super::*;

const DOCUMENT: &str = include_str!("../../../../docs/server.md");

/// The keys of a section, asked of the parser itself.
fn keys_of(section: &str) -> Vec<String> {
    let text = match section {
        "" => "no-such-key = 1".to_owned(),
        section => format!("[{section}]\nno-such-key = 1"),
    };
    let refused = toml::from_str::<Settings>(&text).unwrap_err();
    let Some((_, expected)) = refused
        .message()
        .split_once("unknown field `no-such-key`, expected")
    else {
        return Vec::new();
    };
    let words = expected.split('`');
    words.skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// Every section with its keys, the top level included.
fn sections() -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut open = vec![String::new()];
    while let Some(section) = open.pop() {
        let (inner, keys): (Vec<_>, Vec<_>) = keys_of(&section).into_iter().partition(|key| {
            let inner = format!("{section}.{key}");
            !keys_of(inner.trim_start_matches('.')).is_empty()
        });
        open.extend(inner.iter().map(|key| {
            let inner = format!("{section}.{key}");
            inner.trim_start_matches('.').to_owned()
        }));
        found.push((section, keys));
    }
    found
}

#[test]
fn every_key_is_described() {
    let sections = sections();
    assert_eq!(sections.len(), 13);
    for (section, keys) in sections {
        let heading = match &*section {
            "" => "\n### Top level\n".to_owned(),
            section => format!("\n### `[{section}]`\n"),
        };
        let (_, after) = DOCUMENT
            .split_once(&heading)
            .unwrap_or_else(|| panic!("no heading {heading}"));
        let description = after.split("\n#").next().unwrap();
        for key in &keys {
            let row = format!("\n| `{key}` |");
            assert!(
                description.contains(&row),
                "{section}.{key} is not described"
            );
        }
        let rows = description.matches("\n| `").count();
        assert_eq!(rows, keys.len(), "{heading} describes what does not exist");
    }
}

#[test]
fn the_complete_example_is_what_holds_without_it() {
    let (_, after) = DOCUMENT.split_once("\n```toml\n").unwrap();
    let (example, _) = after.split_once("\n```\n").unwrap();
    assert_eq!(
        toml::from_str::<Settings>(example).unwrap(),
        Settings::default()
    );
    // What has no default stands there as a comment, and is right as well.
    let all: Vec<_> = example
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .collect();
    let all = all.join("\n");
    toml::from_str::<Settings>(&all).unwrap();
    let all = toml::from_str::<toml::Table>(&all).unwrap();
    for (section, keys) in sections() {
        let mut table = &all;
        for part in section.split('.').filter(|part| !part.is_empty()) {
            table = table[part].as_table().unwrap();
        }
        for key in keys {
            assert!(
                table.contains_key(&key),
                "{section}.{key} is not in the example"
            );
        }
    }
}
