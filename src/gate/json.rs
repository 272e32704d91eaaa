//! JSON that means one thing only: no member twice, and an end to depth and number of values.
//!
//! Others read these documents after us, and of two members of one name they may take another.

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, map::Entry};
use std::{cell::Cell, fmt};

/// How much a document may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Objects and lists in each other; serde's own end is at 128
    pub(super) depth: usize,
    /// Values of every kind
    pub(super) values: usize,
}

/// Parses one document.
///
/// # Errors
/// Not JSON, not UTF-8, a member twice, or beyond the bounds.
pub(super) fn parse(bytes: &[u8], bounds: Bounds) -> Result<Value, serde_json::Error> {
    let budget = Cell::new(bounds.values);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Reader {
        depth: bounds.depth,
        budget: &budget,
    };
    let value = seed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads one value; what it holds is as much less deep and less many.
#[derive(Clone, Copy)]
struct Reader<'b> {
    depth: usize,
    budget: &'b Cell<usize>,
}

impl Reader<'_> {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        let left = self.budget.get().checked_sub(1);
        self.budget
            .set(left.ok_or_else(|| D::Error::custom("too many values"))?);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inside()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            match map.entry(name) {
                Entry::Vacant(place) => place.insert(members.next_value_seed(self.inside()?)?),
                Entry::Occupied(taken) => {
                    let name: String = taken.key().chars().take(SHOWN).collect();
                    return Err(A::Error::custom(format!("{name:?} is there twice")));
                }
            };
        }
        Ok(Value::Object(map))
    }
}

/// Letters of a name in a message.
const SHOWN: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DEPTH: usize = 100;
    const VALUES: usize = 1_000_000;

    fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
        let (depth, values) = (DEPTH, VALUES);
        super::parse(bytes, Bounds { depth, values })
    }

    #[test]
    fn ordinary_json_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,1.5,18446744073709551615,null,true,"\u00e9\u0000"],"":{}}"#;
        let expected = json!({"a": [1, -2, 1.5, u64::MAX, null, true, "é\0"], "": {}});
        assert_eq!(parse(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_means_two_things_is_refused() {
        for (text, why) in [
            (r#"{"a":1,"b":{"c":1,"c":1}}"#, "\"c\" is there twice"),
            (r#"{"a":1,"\u0061":1}"#, "\"a\" is there twice"),
            ("{} {}", "trailing characters"),
            ("[1,]", "trailing comma"),
            ("", "EOF"),
            (r#""\ud800""#, "unexpected end of hex escape"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn depth_and_number_have_an_end() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEPTH).as_bytes()).is_ok());
        let error = parse(nested(DEPTH + 1).as_bytes()).unwrap_err();
        assert!(error.to_string().contains("nested too deeply"));
        assert!(parse(nested(1_000_000).as_bytes()).is_err());
        let many = format!("[{}0]", "0,".repeat(VALUES));
        let error = parse(many.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("too many values"));
    }
}
