//! The way from an object to a value inside it, as programs and as people write it.

use serde_json::Value;
use std::fmt;

/// The way to a value: names of members and numbers of items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
}

impl Pointer {
    /// The way to a member of what this leads to.
    #[must_use]
    pub(super) fn member(&self, name: &str) -> Self {
        self.then(Step::Member(name.to_owned()))
    }

    /// The way to an item of the list this leads to.
    #[must_use]
    pub(super) fn item(&self, number: usize) -> Self {
        self.then(Step::Item(number))
    }

    /// What it leads to, if that is there.
    pub(super) fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Member(name) => value.as_object()?.get(name),
            Step::Item(number) => value.as_array()?.get(*number),
        })
    }

    /// The way as a JSON Pointer (RFC 6901).
    pub(super) fn json(&self) -> String {
        let mut text = String::new();
        for step in &self.0 {
            text.push('/');
            match step {
                Step::Member(name) => text.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Item(number) => text.push_str(&number.to_string()),
            }
        }
        text
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }
}

/// Prints the way as Kubernetes does in its messages: `spec.containers[0].image`.
impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Item(item) => write!(f, "[{item}]")?,
                Step::Member(name) if is_plain(name) => {
                    let dot = if number == 0 { "" } else { "." };
                    write!(f, "{dot}{name}")?;
                }
                Step::Member(name) => write!(f, "[{name:?}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn is_written_for_programs_and_for_people() {
        let root = Pointer::default();
        let containers = root.member("spec").member("containers");
        let odd = root.member("a/b~c").item(2).member("").member("d");
        for (pointer, json, shown) in [
            (root.clone(), "", ""),
            (
                containers.item(0).member("image"),
                "/spec/containers/0/image",
                "spec.containers[0].image",
            ),
            (odd, "/a~1b~0c/2//d", r#"["a/b~c"][2][""].d"#),
        ] {
            assert_eq!(
                (pointer.json().as_str(), pointer.to_string()),
                (json, shown.to_owned())
            );
        }
    }

    #[test]
    fn leads_where_serde_says_too() {
        let value = json!({"a/b~c": [0, {"": "here"}], "0": "no item"});
        let pointer = Pointer::default().member("a/b~c").item(1).member("");
        assert_eq!(pointer.of(&value), value.pointer(&pointer.json()));
        assert_eq!(pointer.of(&value), Some(&json!("here")));
        assert_eq!(Pointer::default().item(0).of(&value), None);
        assert_eq!(Pointer::default().member("x").of(&value), None);
    }
}
