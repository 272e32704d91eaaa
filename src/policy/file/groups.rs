//! Groups of signers, and names that may stand for one.

use super::document::{Names, Text};
use super::problem::Problem;
use super::value;
use std::collections::BTreeMap;
use toml::Spanned;

/// The members of each group.
pub(super) struct Groups(BTreeMap<String, Vec<String>>);

impl Groups {
    pub(super) fn read(found: &BTreeMap<Text, Spanned<Vec<Text>>>) -> Result<Self, Problem> {
        let mut groups = BTreeMap::new();
        for (name, members) in found {
            value::signer(name)?;
            let mut names = Vec::new();
            for member in value::some(members, "a group")? {
                if found.contains_key(member) {
                    let words = format!("`{}` is a group: groups do not nest", member.as_ref());
                    return Err(Problem::with(member, words));
                }
                once(&mut names, member)?;
            }
            groups.insert(name.as_ref().clone(), names);
        }
        Ok(Self(groups))
    }

    /// Signers, all members of the groups among the names.
    pub(super) fn signers(&self, names: &Spanned<Vec<Text>>) -> Result<Vec<String>, Problem> {
        let mut signers: Vec<String> = Vec::new();
        for name in value::some(names, "the list")? {
            let Some(members) = self.0.get(name.as_ref()) else {
                once(&mut signers, name)?;
                continue;
            };
            for member in members {
                if !signers.contains(member) {
                    signers.push(member.clone());
                }
            }
        }
        Ok(signers)
    }

    /// The members of one group, or of a list as [`Self::signers`] reads it.
    pub(super) fn members(&self, of: &Spanned<Names>) -> Result<Vec<String>, Problem> {
        match of.as_ref() {
            Names::One(group) => self.0.get(group).cloned().ok_or_else(|| {
                Problem::with(of, format!("there is no group `{group}` in [groups]"))
            }),
            Names::Many(names) => self.signers(&Spanned::new(of.span(), names.clone())),
        }
    }
}

fn once(names: &mut Vec<String>, name: &Text) -> Result<(), Problem> {
    let signer = value::signer(name)?;
    if names.contains(&signer) {
        return Err(Problem::with(name, format!("`{signer}` is named twice")));
    }
    names.push(signer);
    Ok(())
}
