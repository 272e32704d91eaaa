//! The bytes that are signed: JSON read strictly and written in docker/go's canonical form.
//!
//! Members are sorted by the bytes of their names, only `"` and `\` are escaped, numbers are
//! integers. Unlike Go, a duplicate member, invalid UTF-8 or a lone surrogate is an error.

use super::limits;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::Write as _;

/// A JSON value whose objects are sorted and free of duplicates.
///
/// Boxed slices, because a big file has one for each of its tags and each is as long as it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number; Go reads any number through a 64-bit float, so do we.
    Int(i64),
    /// A string
    Text(Cow<'a, str>),
    /// An array
    List(Box<[Node<'a>]>),
    /// An object, sorted by the bytes of its names
    Object(Box<[(Cow<'a, str>, Node<'a>)]>),
}

impl<'a> Node<'a> {
    /// Parses one JSON document within the budgets of [`limits`].
    ///
    /// # Errors
    /// Not JSON, not UTF-8, a duplicate member, a fraction, too deep or too many values.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        Self::parse_within(bytes, limits::JSON_DEPTH)
    }

    /// The same with objects and arrays nested at most so deep.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_within(bytes: &'a [u8], deepest: usize) -> Result<Self, serde_json::Error> {
        let budget = Cell::new(limits::JSON_VALUES);
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let node = Reader {
            depth: 0,
            deepest,
            budget: &budget,
        }
        .deserialize(&mut reader)?;
        reader.end()?;
        Ok(node)
    }

    /// The same value, owning its strings.
    pub fn into_owned(self) -> Node<'static> {
        match self {
            Self::Null => Node::Null,
            Self::Bool(value) => Node::Bool(value),
            Self::Int(value) => Node::Int(value),
            Self::Text(text) => Node::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Node::List(items.into_iter().map(Node::into_owned).collect()),
            Self::Object(members) => Node::Object(
                members
                    .into_iter()
                    .map(|(n, v)| (Cow::Owned(n.into_owned()), v.into_owned()))
                    .collect(),
            ),
        }
    }

    /// The same value as the JSON library has it.
    pub fn to_value(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Text(text) => text.as_ref().into(),
            Self::List(items) => items.iter().map(Node::to_value).collect(),
            Self::Object(members) => {
                let members = members.iter();
                members
                    .map(|(name, value)| (name.to_string(), value.to_value()))
                    .collect()
            }
        }
    }

    /// An object of these members, put in canonical order.
    pub fn object(members: impl IntoIterator<Item = (&'a str, Node<'a>)>) -> Self {
        let mut members: Vec<_> = members
            .into_iter()
            .map(|(n, v)| (Cow::Borrowed(n), v))
            .collect();
        members.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        Self::Object(members.into())
    }

    /// A string value.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// The member called `name`, if this is an object that has one.
    pub fn member(&self, name: &str) -> Option<&Node<'a>> {
        let Self::Object(members) = self else {
            return None;
        };
        let at = members
            .binary_search_by(|(n, _)| n.as_bytes().cmp(name.as_bytes()))
            .ok()?;
        members.get(at).map(|(_, value)| value)
    }

    /// The canonical bytes: what a signature covers.
    pub fn canonical(&self) -> Vec<u8> {
        self.canonical_of_about(0)
    }

    /// The same where it is known about how many bytes it takes.
    pub(super) fn canonical_of_about(&self, length: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(length);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Int(value) => drop(write!(out, "{value}")), // a vector takes everything
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push(b'[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    item.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (i, (name, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write_text(name, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    if !has_any(rest, |b| matches!(b, b'"' | b'\\')) {
        out.extend_from_slice(rest);
        out.push(b'"');
        return;
    }
    while let Some(at) = rest.iter().position(|b| matches!(b, b'"' | b'\\')) {
        let (plain, from_escaped) = rest.split_at(at);
        out.extend_from_slice(plain);
        out.push(b'\\');
        let (escaped, after) = from_escaped.split_at(1);
        out.extend_from_slice(escaped);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Canonical bytes as Go writes them into a file: `<`, `>`, `&`, U+2028 and U+2029 escaped.
pub fn html_safe(canonical: &[u8]) -> Vec<u8> {
    if !has_any(canonical, |b| matches!(b, b'<' | b'>' | b'&' | 0xE2)) {
        return canonical.to_vec();
    }
    let mut out = Vec::with_capacity(canonical.len());
    let mut rest = canonical;
    while let Some((first, tail)) = rest.split_first() {
        match (first, tail) {
            (b'<', _) => out.extend_from_slice(b"\\u003c"),
            (b'>', _) => out.extend_from_slice(b"\\u003e"),
            (b'&', _) => out.extend_from_slice(b"\\u0026"),
            (0xE2, [0x80, last @ (0xA8 | 0xA9), after @ ..]) => {
                out.extend_from_slice(if *last == 0xA8 {
                    b"\\u2028"
                } else {
                    b"\\u2029"
                });
                rest = after;
                continue;
            }
            (byte, _) => out.push(*byte),
        }
        rest = tail;
    }
    out
}

/// Whether one of the bytes is special; looks at all of them, many at once.
fn has_any(bytes: &[u8], special: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(false, |any, byte| any | special(*byte))
}

/// Reads one value, counting depth and values.
#[derive(Clone, Copy)]
struct Reader<'b> {
    depth: usize,
    deepest: usize,
    budget: &'b Cell<usize>,
}

impl Reader<'_> {
    fn inside(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Node<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Node<'de>, D::Error> {
        let left = self.budget.get().checked_sub(1);
        self.budget
            .set(left.ok_or_else(|| D::Error::custom("too many values"))?);
        if self.depth > self.deepest {
            return Err(D::Error::custom("nested too deeply"));
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without fractions")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    #[allow(clippy::cast_precision_loss)] // as Go does: every number passes through a float
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node<'de>, E> {
        self.visit_f64(value as f64)
    }

    #[allow(clippy::cast_precision_loss)] // as Go does: every number passes through a float
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node<'de>, E> {
        self.visit_f64(value as f64)
    }

    #[allow(clippy::cast_possible_truncation)] // the range is checked first
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node<'de>, E> {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0; // 2^63
        if value.fract() == 0.0 && (-LIMIT..LIMIT).contains(&value) {
            return Ok(Node::Int(value as i64));
        }
        Err(E::custom(format_args!("unsupported value: {value}")))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.inside())? {
            list.push(item);
        }
        Ok(Node::List(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node<'de>, A::Error> {
        let mut object: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        let mut ascending = true;
        while let Some(name) = members.next_key_seed(Name)? {
            let value = members.next_value_seed(self.inside())?;
            ascending &= object
                .last()
                .is_none_or(|(last, _)| last.as_bytes() < name.as_bytes());
            if object.len() == object.capacity() {
                // Most objects have one or two members, and room for more would be given back.
                object.reserve_exact(object.len().max(1));
            }
            object.push((name, value));
        }
        if !ascending {
            object.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            if let Some(twice) = object.windows(2).find_map(|pair| match pair {
                [a, b] if a.0 == b.0 => Some(&a.0),
                _ => None,
            }) {
                return Err(A::Error::custom(format_args!("duplicate member {twice:?}")));
            }
        }
        Ok(Node::Object(object.into()))
    }
}

/// Reads a member's name without copying it where the bytes allow.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(json: &str) -> Result<String, String> {
        let node = Node::parse(json.as_bytes()).map_err(|e| e.to_string())?;
        Ok(String::from_utf8(node.canonical()).unwrap())
    }

    #[test]
    fn is_the_value_that_the_json_library_reads() {
        let json = r#"{"b":["two\nlines\u0001","é\"\\"],"a":{"":null},"c":[true,-1,0]}"#;
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(Node::parse(json.as_bytes()).unwrap().to_value(), value);
    }

    #[test]
    fn writes_what_docker_go_signs() {
        for (json, expected) in [
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
            (r#"{"a b":1,"a!":2,"a":3}"#, r#"{"a":3,"a b":1,"a!":2}"#),
            (r#"{ "a" : [ 1 , 2 ] }"#, r#"{"a":[1,2]}"#),
            (
                r#""\u003c\u2028\u0001\n\"\\""#,
                "\"<\u{2028}\u{1}\n\\\"\\\\\"",
            ),
            ("1e3", "1000"),
            ("-0", "0"),
            ("1.0", "1"),
            ("9007199254740993", "9007199254740992"),
            ("null", "null"),
            ("{}", "{}"),
            (r#""\u00e9e\u0301""#, "\"\u{e9}e\u{301}\""),
        ] {
            assert_eq!(canonical(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn refuses_what_has_no_canonical_form() {
        for json in [
            "1.5",
            "1e400",
            "9223372036854775808",
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"c":2,"b":3}}"#,
            r#"{"b":1,"a":1,"\u0062":2}"#,
            r#""\ud800""#,
            "{",
            "",
            "{} x",
            "[1,]",
            "NaN",
        ] {
            assert!(canonical(json).is_err(), "{json}");
        }
        assert!(Node::parse(b"\"\xff\"").is_err());
        let deep = "[".repeat(limits::JSON_DEPTH + 2) + &"]".repeat(limits::JSON_DEPTH + 2);
        assert!(canonical(&deep).unwrap_err().contains("nested too deeply"));
        let wide = format!("[{}0]", "0,".repeat(limits::JSON_VALUES));
        assert!(canonical(&wide).unwrap_err().contains("too many values"));
    }

    #[test]
    fn escapes_for_the_file_as_go_does() {
        assert_eq!(
            html_safe("\"<a&b>\u{2028}\u{2029}\u{2027}\"".as_bytes()),
            "\"\\u003ca\\u0026b\\u003e\\u2028\\u2029\u{2027}\"".as_bytes()
        );
    }

    fn any_node() -> impl Strategy<Value = Node<'static>> {
        let leaf = prop_oneof![
            Just(Node::Null),
            any::<bool>().prop_map(Node::Bool),
            (-9_007_199_254_740_992_i64..=9_007_199_254_740_992).prop_map(Node::Int),
            "[^\\x00-\\x1f]{0,8}".prop_map(|text: String| Node::text(text)),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|list| Node::List(list.into())),
                prop::collection::btree_map("[^\\x00-\\x1f]{0,6}", inner, 0..6).prop_map(|m| {
                    Node::Object(m.into_iter().map(|(n, v)| (Cow::Owned(n), v)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_canonical_form_reads_back_as_itself(node in any_node()) {
            let bytes = node.canonical();
            prop_assert_eq!(Node::parse(&bytes).unwrap(), node.clone());
            let file = html_safe(&bytes);
            prop_assert_eq!(Node::parse(&file).unwrap().canonical(), bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Node::parse(&bytes).map(|node| node.canonical());
        }
    }
}
