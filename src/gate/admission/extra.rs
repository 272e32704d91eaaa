//! Images of custom resources in places that nobody can guess.

use super::pointer::Pointer;
use serde_json::Value;
use std::str::FromStr;

/// A path to images in objects of one kind: `argoproj.io/Workflow:/spec/templates/*/script/image`.
///
/// The path is a JSON Pointer, in which `*` stands for every item or member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraPath {
    group: String,
    kind: String,
    first: String,
    rest: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Every,
    One(String),
}

/// Why a text is no such path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtraPathError {
    /// A `~` that is neither `~0` nor `~1`.
    #[error("a ~ in a path is written ~0, and a / in a name ~1")]
    Escape,
    /// It does not begin with a kind.
    #[error(
        "expected GROUP/KIND:/PATH, such as argoproj.io/Workflow:/spec/templates/*/script/image"
    )]
    Form,
    /// A path that names the object itself, or all its members.
    #[error("a path begins with the name of a member, such as /spec")]
    Root,
}

impl ExtraPath {
    /// Whether it is about this kind; no version of it is different.
    pub(super) fn is_of(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// The member of the object in which all of it is.
    pub(super) fn root(&self) -> Pointer {
        Pointer::default().member(&self.first)
    }

    /// Every value it leads to.
    pub(super) fn matches<'v>(&self, object: &'v Value) -> Vec<(Pointer, &'v Value)> {
        let root = self.root();
        let mut found: Vec<_> = root
            .of(object)
            .map(|value| (root, value))
            .into_iter()
            .collect();
        for step in &self.rest {
            found = found
                .into_iter()
                .flat_map(|(at, value)| step.from(&at, value))
                .collect();
        }
        found
    }
}

impl Step {
    fn from<'v>(&self, at: &Pointer, value: &'v Value) -> Vec<(Pointer, &'v Value)> {
        match (self, value) {
            (Self::Every, Value::Array(items)) => {
                let items = items.iter().enumerate();
                items.map(|(n, item)| (at.item(n), item)).collect()
            }
            (Self::Every, Value::Object(members)) => {
                let members = members.iter();
                members
                    .map(|(name, member)| (at.member(name), member))
                    .collect()
            }
            (Self::One(name), Value::Object(members)) => {
                let member = members.get(name);
                member
                    .map(|member| (at.member(name), member))
                    .into_iter()
                    .collect()
            }
            (Self::One(number), Value::Array(items)) => {
                let number = number.parse::<usize>().ok();
                let item = number.and_then(|n| Some((at.item(n), items.get(n)?)));
                item.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

impl FromStr for ExtraPath {
    type Err = ExtraPathError;

    fn from_str(text: &str) -> Result<Self, ExtraPathError> {
        let (of, path) = text.split_once(':').ok_or(ExtraPathError::Form)?;
        let (group, kind) = of.rsplit_once('/').unwrap_or(("", of));
        let path = path.strip_prefix('/').ok_or(ExtraPathError::Form)?;
        if kind.is_empty() || group.contains('/') {
            return Err(ExtraPathError::Form);
        }
        let mut steps = path.split('/');
        let first = match steps.next().map(step).transpose()? {
            Some(Step::One(first)) if !first.is_empty() => first,
            _ => return Err(ExtraPathError::Root),
        };
        Ok(Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
            first,
            rest: steps.map(step).collect::<Result<_, _>>()?,
        })
    }
}

fn step(text: &str) -> Result<Step, ExtraPathError> {
    if text == "*" {
        return Ok(Step::Every);
    }
    let rest = text.replace("~0", "").replace("~1", "");
    if rest.contains('~') {
        return Err(ExtraPathError::Escape);
    }
    Ok(Step::One(text.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(path: &str, object: &Value) -> Vec<String> {
        let path: ExtraPath = path.parse().unwrap();
        let matches = path.matches(object).into_iter();
        matches
            .map(|(at, value)| format!("{}={value}", at.json()))
            .collect()
    }

    #[test]
    fn leads_to_every_item_and_member() {
        let object = json!({"spec": {
            "templates": [{"script": {"image": "a"}}, {"other": 1}, 7, {"script": {"image": 2}}],
            "a/b": {"x": {"~": "c"}, "y": {"~": null}},
        }});
        for (path, expected) in [
            (
                "argoproj.io/Workflow:/spec/templates/*/script/image",
                vec![
                    "/spec/templates/0/script/image=\"a\"",
                    "/spec/templates/3/script/image=2",
                ],
            ),
            (
                "Kind:/spec/templates/0/script/image",
                vec!["/spec/templates/0/script/image=\"a\""],
            ),
            (
                "g/K:/spec/a~1b/*/~0",
                vec!["/spec/a~1b/x/~0=\"c\"", "/spec/a~1b/y/~0=null"],
            ),
            ("g/K:/spec/templates/9/script", vec![]),
            ("g/K:/other/*", vec![]),
        ] {
            assert_eq!(found(path, &object), expected, "{path}");
        }
    }

    #[test]
    fn is_about_one_kind_of_one_group() {
        let path: ExtraPath = "example.com/Pod:/spec/image".parse().unwrap();
        assert!(path.is_of("example.com", "Pod") && !path.is_of("", "Pod"));
        let path: ExtraPath = "Pod:/spec/image".parse().unwrap();
        assert!(path.is_of("", "Pod") && !path.is_of("example.com", "Pod"));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, error) in [
            ("", ExtraPathError::Form),
            ("g/K", ExtraPathError::Form),
            ("g/K:spec", ExtraPathError::Form),
            ("g/:/spec", ExtraPathError::Form),
            ("g/h/K:/spec", ExtraPathError::Form),
            ("g/K:/", ExtraPathError::Root),
            ("g/K:/*/image", ExtraPathError::Root),
            ("g/K:/spec/a~2", ExtraPathError::Escape),
            ("g/K:/spec/a~", ExtraPathError::Escape),
        ] {
            assert_eq!(text.parse::<ExtraPath>(), Err(error), "{text}");
        }
    }
}
