//! `daemon.json`: our plugin in and out, every other byte as it was.

use serde_json::{Map, Value};
use std::ops::Range;

/// Why a `daemon.json` cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// dockerd does not start with it either
    #[error("it is no JSON that dockerd would read: {0}")]
    Json(String),
    /// A setting that means something else than dockerd wants
    #[error("`{0}` is not a list of names")]
    NotAList(&'static str),
    /// dockerd takes the last one
    #[error("`{0}` stands there twice")]
    Twice(String),
}

/// The settings; an empty file has none.
pub(crate) fn settings(text: &str) -> Result<Map<String, Value>, Unusable> {
    let text = text.trim_start_matches(BOM);
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text).map_err(|error| Unusable::Json(error.to_string()))
}

/// The texts of a list, none if the setting is missing.
pub(crate) fn list(
    settings: &Map<String, Value>,
    key: &'static str,
) -> Result<Vec<String>, Unusable> {
    let Some(value) = settings.get(key) else {
        return Ok(Vec::new());
    };
    let texts = value.as_array().and_then(|list| {
        let texts = list.iter().map(|it| it.as_str().map(str::to_owned));
        texts.collect::<Option<Vec<_>>>()
    });
    texts.ok_or(Unusable::NotAList(key))
}

/// The text with the plugin first among the authorization plugins.
pub(super) fn with_plugin(text: &str, plugin: &str) -> Result<String, Unusable> {
    let settings = settings(text)?;
    if list(&settings, KEY)?.iter().any(|it| it == plugin) {
        return Ok(text.to_owned());
    }
    let name = Value::from(plugin).to_string();
    let Some(outer) = Members::of(text)? else {
        return Ok(format!("{{\n  \"{KEY}\": [{name}]\n}}\n"));
    };
    if let Some(member) = outer.find(KEY) {
        let inside = member.value.start + 1;
        let rest = text.get(inside..).unwrap_or_default();
        let gap = blank(rest);
        let added = match (rest.trim_start().starts_with(']'), gap) {
            (true, _) => name,
            (false, "") => format!("{name}, "),
            (false, gap) => format!("{gap}{name},"),
        };
        return Ok(spliced(text, inside..inside, &added));
    }
    let added = match outer.list.as_slice() {
        [] => {
            let inside = outer.open + 1..outer.close;
            return Ok(spliced(text, inside, &format!("\n  \"{KEY}\": [{name}]\n")));
        }
        [first, ..] => {
            let gap = text.get(outer.open + 1..first.key).unwrap_or_default();
            let gap = if gap.is_empty() { " " } else { gap };
            format!(",{gap}\"{KEY}\": [{name}]")
        }
    };
    let end = outer
        .list
        .last()
        .map_or(outer.open + 1, |last| last.value.end);
    Ok(spliced(text, end..end, &added))
}

/// The text without the plugin; the whole setting goes if it was `ours` and nothing is left.
pub(super) fn without_plugin(text: &str, plugin: &str, ours: bool) -> Result<String, Unusable> {
    let names = list(&settings(text)?, KEY)?;
    let Some(outer) = Members::of(text)? else {
        return Ok(text.to_owned());
    };
    let (Some(member), true) = (outer.find(KEY), names.iter().any(|it| it == plugin)) else {
        return Ok(text.to_owned());
    };
    if names.len() == 1 && ours {
        return Ok(spliced(text, outer.with_its_comma(member, text), ""));
    }
    let left = names.iter().filter(|it| *it != plugin);
    let left: Vec<String> = left
        .map(|it| Value::from(it.as_str()).to_string())
        .collect();
    let inside = text.get(member.value.clone()).unwrap_or_default();
    let gap = blank(inside.get(1..).unwrap_or_default());
    let end = blank_end(
        inside
            .get(..inside.len().saturating_sub(1))
            .unwrap_or_default(),
    );
    let between = if gap.is_empty() {
        ", ".to_owned()
    } else {
        format!(",{gap}")
    };
    let list = match left.as_slice() {
        [] => "[]".to_owned(),
        left => format!("[{gap}{}{end}]", left.join(&between)),
    };
    Ok(spliced(text, member.value.clone(), &list))
}

/// The members of the outermost object and where they stand, in bytes.
struct Members {
    open: usize,
    close: usize,
    list: Vec<Member>,
}

struct Member {
    name: String,
    key: usize,
    value: Range<usize>,
}

impl Members {
    /// Finds them in a text that is known to be an object; none if it is blank.
    fn of(text: &str) -> Result<Option<Self>, Unusable> {
        let mut found = Self {
            open: 0,
            close: 0,
            list: Vec::new(),
        };
        let (mut depth, mut at) = (0_usize, 0);
        let mut key: Option<Range<usize>> = None;
        let mut value: Option<usize> = None;
        let bytes = text.as_bytes();
        while let Some(&byte) = bytes.get(at) {
            let mut end = at + 1;
            match byte {
                b'"' => {
                    end = end_of_text(bytes, at);
                    if depth == 1 && value.is_none() && key.is_none() {
                        key = Some(at..end);
                    } else if depth == 1 && value == Some(0) {
                        value = Some(at);
                    }
                }
                b':' if depth == 1 => value = Some(0),
                b'{' | b'[' => {
                    if depth == 0 {
                        found.open = at;
                    } else if depth == 1 && value == Some(0) {
                        value = Some(at);
                    }
                    depth += 1;
                }
                b',' | b'}' | b']' => {
                    if depth == 1
                        && let (Some(key), Some(start)) = (key.take(), value.take())
                    {
                        found.add(text, &key, start..at)?;
                    }
                    if byte != b',' {
                        depth = depth.saturating_sub(1);
                        found.close = at;
                    }
                }
                b' ' | b'\t' | b'\n' | b'\r' => {}
                _ if depth == 1 && value == Some(0) => value = Some(at),
                _ => {}
            }
            at = end;
        }
        Ok((found.close > 0).then_some(found))
    }

    fn add(&mut self, text: &str, key: &Range<usize>, value: Range<usize>) -> Result<(), Unusable> {
        let name = text.get(key.clone()).unwrap_or_default();
        let name: String =
            serde_json::from_str(name).map_err(|error| Unusable::Json(error.to_string()))?;
        if self.find(&name).is_some() {
            return Err(Unusable::Twice(name));
        }
        let trimmed = text.get(value.clone()).unwrap_or_default().trim_end().len();
        self.list.push(Member {
            name,
            key: key.start,
            value: value.start..value.start + trimmed,
        });
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Member> {
        self.list.iter().find(|member| member.name == name)
    }

    /// Where a member stands with the comma that goes when it goes.
    fn with_its_comma(&self, member: &Member, text: &str) -> Range<usize> {
        let before = self.list.iter().rfind(|other| other.key < member.key);
        if let Some(before) = before {
            return before.value.end..member.value.end;
        }
        let after = self.list.iter().find(|other| other.key > member.key);
        if let Some(after) = after {
            return member.key..after.key;
        }
        let before = text.get(..member.key).unwrap_or_default();
        member.key - blank_end(before).len()..self.close
    }
}

/// One past the quote that ends the text beginning at `at`.
fn end_of_text(bytes: &[u8], at: usize) -> usize {
    let mut escaped = false;
    for (offset, byte) in bytes.iter().enumerate().skip(at + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return offset + 1,
            _ => {}
        }
    }
    bytes.len()
}

fn blank(text: &str) -> &str {
    let end = text.len() - text.trim_start().len();
    text.get(..end).unwrap_or_default()
}

fn blank_end(text: &str) -> &str {
    text.get(text.trim_end().len()..).unwrap_or_default()
}

fn spliced(text: &str, place: Range<usize>, new: &str) -> String {
    let before = text.get(..place.start).unwrap_or_default();
    let after = text.get(place.end..).unwrap_or_default();
    format!("{before}{new}{after}")
}

/// What dockerd has asked before each request.
const KEY: &str = "authorization-plugins";
const BOM: char = '\u{feff}';

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_plugin_comes_first_and_the_rest_stays() {
        for (before, after) in [
            ("", "{\n  \"authorization-plugins\": [\"trust\"]\n}\n"),
            ("{}", "{\n  \"authorization-plugins\": [\"trust\"]\n}"),
            (
                "{\n    \"debug\": true\n}\n",
                "{\n    \"debug\": true,\n    \"authorization-plugins\": [\"trust\"]\n}\n",
            ),
            (
                r#"{"a":"},{\"","b":[1,{"c":2}]}"#,
                r#"{"a":"},{\"","b":[1,{"c":2}], "authorization-plugins": ["trust"]}"#,
            ),
            (
                r#"{"authorization-plugins": []}"#,
                r#"{"authorization-plugins": ["trust"]}"#,
            ),
            (
                r#"{"authorization-plugins":["a"],"x":1}"#,
                r#"{"authorization-plugins":["trust", "a"],"x":1}"#,
            ),
            (
                "{\n\t\"authorization-plugins\" : [\n\t\t\"a\"\n\t]\n}",
                "{\n\t\"authorization-plugins\" : [\n\t\t\"trust\",\n\t\t\"a\"\n\t]\n}",
            ),
            (
                r#"{"authorization-plugins": ["a", "trust"]}"#,
                r#"{"authorization-plugins": ["a", "trust"]}"#,
            ),
        ] {
            let done = with_plugin(before, "trust").unwrap();
            assert_eq!(done, after);
            let back = without_plugin(&done, "trust", !before.contains(KEY)).unwrap();
            if !before.contains("trust") && !before.trim_matches(['{', '}']).is_empty() {
                assert_eq!(settings(&back), settings(before), "{back}");
            }
        }
    }

    #[test]
    fn what_dockerd_does_not_read_is_refused() {
        for text in [
            "{",
            "[]",
            "{} {}",
            r#"{"authorization-plugins": "trust"}"#,
            r#"{"authorization-plugins": [1]}"#,
            r#"{"authorization-plugins": ["a"], "authorization-plugins": []}"#,
        ] {
            assert!(with_plugin(text, "trust").is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn in_and_out_again_means_the_same(
            names in proptest::collection::vec("[a-z]{1,4}", 0..4),
            other in proptest::collection::btree_map("[a-z]{1,6}", "[ -~]{0,6}", 0..4),
            pretty in any::<bool>(),
            present in any::<bool>(),
        ) {
            let mut value = serde_json::to_value(&other).unwrap();
            if present {
                value[KEY] = serde_json::to_value(&names).unwrap();
            }
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            let done = with_plugin(&text, "trust").unwrap();
            let plugins = list(&settings(&done).unwrap(), KEY).unwrap();
            prop_assert_eq!(plugins.first().map(String::as_str), Some("trust"));
            prop_assert_eq!(with_plugin(&done, "trust").unwrap(), done.clone());
            let back = without_plugin(&done, "trust", !present).unwrap();
            prop_assert_eq!(Value::from(settings(&back).unwrap()), value);
        }
    }
}
