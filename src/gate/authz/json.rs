//! JSON as Go reads it, where that is clear.
//!
//! Go's `encoding/json` takes a member for a field if the names are the same up to case, and of
//! several such members the last. Here several are an error, and so is a name that stands twice.

use super::Unclear;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use std::{cell::Cell, collections::BTreeSet, fmt};

/// A value; numbers and booleans are of no interest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
    Other,
}

impl Json {
    /// One document, within bounds, in which no object has a name twice.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unclear> {
        let budget = Cell::new(VALUES);
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let seed = Reader {
            depth: 0,
            budget: &budget,
        };
        let value = seed.deserialize(&mut reader);
        let value = value.and_then(|value| reader.end().map(|()| value));
        value.map_err(|error| unclear(error.to_string()))
    }

    /// The member that Go takes for this field; none if there is none, or null.
    ///
    /// `field` is ASCII.
    pub(super) fn field(&self, field: &str) -> Result<Option<&Self>, Unclear> {
        let members = match self {
            Self::Null => return Ok(None),
            Self::Object(members) => members,
            _ => return Err(unclear(format!("{field} is looked for where no object is"))),
        };
        let mut named = members.iter().filter(|(name, _)| is_field(name, field));
        let first = named.next().map(|(_, value)| value);
        if let Some((other, _)) = named.next() {
            return Err(unclear(format!("{field} stands there again as {other:?}")));
        }
        Ok(first.filter(|value| **value != Self::Null))
    }

    /// The string in a field, empty if there is none.
    pub(super) fn text(&self, field: &str) -> Result<&str, Unclear> {
        match self.field(field)? {
            None => Ok(""),
            Some(Self::Text(text)) => Ok(text),
            Some(_) => Err(unclear(format!("{field} is no string"))),
        }
    }

    /// The list in a field, empty if there is none.
    pub(super) fn list(&self, field: &str) -> Result<&[Self], Unclear> {
        match self.field(field)? {
            None => Ok(&[]),
            Some(Self::List(items)) => Ok(items),
            Some(_) => Err(unclear(format!("{field} is no list"))),
        }
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

struct Reader<'b> {
    depth: usize,
    budget: &'b Cell<usize>,
}

impl Reader<'_> {
    fn below<E: serde::de::Error>(&self) -> Result<Self, E> {
        if self.depth == DEPTH {
            return Err(E::custom("nested too deeply"));
        }
        Ok(Self {
            depth: self.depth + 1,
            budget: self.budget,
        })
    }

    fn spend<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.budget.get().checked_sub(1);
        self.budget
            .set(left.ok_or_else(|| E::custom("too many values"))?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        self.spend()?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below()?)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut seen = BTreeSet::new();
        let mut object = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("{name:?} stands there twice")));
            }
            object.push((name, members.next_value_seed(self.below()?)?));
        }
        Ok(Json::Object(object))
    }
}

/// Objects and lists in each other; a container's configuration needs six.
const DEPTH: usize = 32;
/// Values of a document; a container with a thousand labels has some two thousand.
const VALUES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Result<String, Unclear> {
        Json::parse(text.as_bytes())?
            .text("Image")
            .map(str::to_owned)
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
        let folded = Json::parse(folded.as_bytes()).unwrap();
        for field in ["HostConfig", "TaskTemplate"] {
            assert!(folded.field(field).unwrap().is_some(), "{field}");
        }
    }

    #[test]
    fn what_others_might_read_differently_is_refused() {
        let deep = format!(
            "{{\"Image\":\"a\",\"x\":{}{}}}",
            "[".repeat(40),
            "]".repeat(40)
        );
        let many = format!("[{}0]", "0,".repeat(VALUES));
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
        assert!(Json::parse(b"{\"Image\":\"\xff\"}").is_err());
    }
}
