//! JSON as Go reads it, where that is clear.
//!
//! Go's `encoding/json` takes a member for a field if the names are the same up to case, and of
//! several such members the last. Here several are an error, and so is a name that stands twice.

use super::Unclear;
use crate::gate::json::{self, Bounds};
use serde_json::Value;

/// One document, within bounds, in which no object has a name twice.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Unclear> {
    json::parse(bytes, BOUNDS).map_err(|error| unclear(error.to_string()))
}

/// The member that Go takes for this field; none if there is none, or null.
///
/// `field` is ASCII.
pub(super) fn field<'v>(value: &'v Value, field: &str) -> Result<Option<&'v Value>, Unclear> {
    let members = match value {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        _ => return Err(unclear(format!("{field} is looked for where no object is"))),
    };
    let named = members.iter().filter(|(name, _)| is_field(name, field));
    match named.collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        [(_, value)] => Ok(Some(*value).filter(|value| !value.is_null())),
        several => {
            let mut spelt = several.iter().map(|(name, _)| name.as_str());
            let other = spelt.find(|name| *name != field).unwrap_or(field);
            Err(unclear(format!("{field} stands there again as {other:?}")))
        }
    }
}

/// The string in a field, empty if there is none.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, Unclear> {
    match field(value, name)? {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(unclear(format!("{name} is no string"))),
    }
}

/// The list in a field, empty if there is none.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> Result<&'v [Value], Unclear> {
    match field(value, name)? {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(unclear(format!("{name} is no list"))),
    }
}

fn unclear(wrong: String) -> Unclear {
    Unclear::Json { wrong }
}

/// Whether Go takes a member of this name for the field: two letters beyond ASCII fold into it.
fn is_field(name: &str, field: &str) -> bool {
    let folded = name.chars().map(|letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    });
    folded.eq(field.chars().map(|letter| letter.to_ascii_lowercase()))
}

/// A container's configuration needs six levels; one with a thousand labels has some two thousand
/// values.
const BOUNDS: Bounds = Bounds {
    depth: 32,
    values: 100_000,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Result<String, Unclear> {
        let document = parse(text.as_bytes())?;
        self::text(&document, "Image").map(str::to_owned)
    }

    #[test]
    fn fields_are_found_in_any_case() {
        for name in ["Image", "image", "IMAGE", "\\u0049mage"] {
            let text = format!("{{\"{name}\":\"app\",\"Labels\":{{\"image\":\"x\"}}}}");
            assert_eq!(image(&text).unwrap(), "app", "{name}");
        }
        for text in ["{}", "{\"Image\":null}", "null", "{\"İmage\":\"x\"}"] {
            assert_eq!(image(text).unwrap(), "", "{text}");
        }
        let folded = "{\"Ho\u{17f}tConfig\":{},\"Tas\u{212a}Template\":{}}";
        let folded = parse(folded.as_bytes()).unwrap();
        for field in ["HostConfig", "TaskTemplate"] {
            assert!(self::field(&folded, field).unwrap().is_some(), "{field}");
        }
    }

    #[test]
    fn what_others_might_read_differently_is_refused() {
        let deep = format!(
            "{{\"Image\":\"a\",\"x\":{}{}}}",
            "[".repeat(40),
            "]".repeat(40)
        );
        let many = format!("[{}0]", "0,".repeat(BOUNDS.values));
        for text in [
            "",
            "{",
            "{}{}",
            "{\"Image\":\"a\"} x",
            "[]",
            "5",
            "{\"Image\":5}",
            "{\"Image\":[\"a\"]}",
            "{\"Image\":\"a\",\"Image\":\"a\"}",
            "{\"Image\":\"a\",\"image\":\"a\"}",
            "{\"Image\":\"a\",\"image\":null}",
            "{\"Image\":\"a\",\"x\":{\"y\":1,\"y\":1}}",
            "{\"Image\":\"\\ud800\"}",
            "\u{feff}{}",
            &deep,
            &many,
        ] {
            assert!(image(text).is_err(), "{text:.80}");
        }
        assert!(parse(b"{\"Image\":\"\xff\"}").is_err());
    }
}
