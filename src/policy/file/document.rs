//! A policy file as TOML has it: every value with its place, nothing judged yet.

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;

/// A string and where it stands.
pub(super) type Text = Spanned<String>;

/// The whole file.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) default: Option<Terms>,
    #[serde(default)]
    pub(super) groups: BTreeMap<Text, Spanned<Vec<Text>>>,
    #[serde(default)]
    pub(super) engine: Engine,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<Terms>>,
}

/// `[engine]`: what no registry vouches for.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Engine {
    #[serde(default)]
    pub(super) local: Allowed,
    #[serde(default)]
    pub(super) build: Allowed,
}

/// Whether something is let pass.
#[derive(Clone, Copy, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Allowed {
    Accept,
    #[default]
    Reject,
}

/// `[default]` or a `[[rule]]`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    #[serde(rename = "match")]
    pub(super) pattern: Option<Text>,
    pub(super) require: Spanned<Require>,
    pub(super) mode: Option<Spanned<Mode>>,
    pub(super) signers: Option<Spanned<Vec<Text>>>,
    pub(super) quorum: Option<Spanned<Vec<Quorum>>>,
    pub(super) roles: Option<Spanned<Vec<Text>>>,
    pub(super) root_keys: Option<Spanned<Vec<Text>>>,
    pub(super) root_ca: Option<Spanned<Names>>,
    pub(super) first_use: Option<Spanned<bool>>,
    #[serde(rename = "as")]
    pub(super) identity: Option<Text>,
    pub(super) server: Option<Text>,
    pub(super) context: Option<Text>,
    pub(super) refuse_superseded: Option<Spanned<bool>>,
    pub(super) refresh: Option<Text>,
    pub(super) max_age: Option<Text>,
    pub(super) exempt: Option<Spanned<Vec<Exempt>>>,
}

/// What a rule is about to do.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Require {
    Accept,
    Reject,
    Signed,
}

/// Whether a refusal refuses.
#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    Audit,
    Enforce,
}

/// So many of these.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quorum {
    pub(super) at_least: Spanned<i64>,
    pub(super) of: Option<Spanned<Names>>,
}

/// A digest let pass for some time.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exempt {
    pub(super) digest: Text,
    pub(super) until: Spanned<toml::Value>,
    pub(super) why: Option<String>,
}

/// One name, or a list of them.
pub(super) enum Names {
    Many(Vec<Text>),
    One(String),
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        given.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name or a list of names")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Names, E> {
        Ok(Names::One(name.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = items.next_element()? {
            names.push(name);
        }
        Ok(Names::Many(names))
    }
}
