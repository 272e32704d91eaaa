//! Policy files: strict TOML, every problem with its line and column.
//!
//! What is mistyped is never passed over: an unknown key, a group that is none, a key that has no
//! meaning beside another, two rules of which nobody could say which holds.

mod document;
mod groups;
mod problem;
mod terms;
mod value;

#[cfg(test)]
mod tests;

pub use problem::PolicyError;

use super::pattern::{Pattern, Precedence};
use super::{Allowance, EngineRules, Policy, Rule};
use crate::place::Place;
use crate::reference::Digest;
use document::{Allowed, Document};
use groups::Groups;
use problem::Problem;
use terms::Reader;

/// Finds the bytes of a file that a policy names, or says why not.
pub type Files<'f> = dyn FnMut(&str) -> Result<Vec<u8>, String> + 'f;

impl Policy {
    /// Reads a policy; the files it names are asked for by the names that stand there.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str, files: &mut Files<'_>) -> Result<Self, PolicyError> {
        read(text, files).map_err(|problem| PolicyError::of(text, problem))
    }
}

fn read(text: &str, files: &mut Files<'_>) -> Result<Policy, Problem> {
    if text.len() > MAX_FILE {
        return Err(Problem::new(
            0,
            format!("the file is larger than {MAX_FILE} bytes"),
        ));
    }
    let document: Document = toml::from_str(text)?;
    let groups = Groups::read(&document.groups)?;
    let mut reader = Reader::new(&groups, files);
    let default = match document.default {
        Some(terms) => reader.default(terms)?,
        None => Rule::nothing_passes(),
    };
    let mut rules = Vec::new();
    for terms in document.rule {
        if rules.len() == MAX_RULES {
            let words = format!("more than {MAX_RULES} rules");
            return Err(Problem::new(terms.span().start, words));
        }
        rules.push(reader.rule(terms)?);
    }
    check_order(text, &rules)?;
    rules.sort_by(|(_, first, _), (_, second, _)| first.order(second));
    Ok(Policy {
        rules: rules.into_iter().map(|(_, _, rule)| rule).collect(),
        default,
        engine: EngineRules {
            local: allowance(document.engine.local),
            build: allowance(document.engine.build),
        },
        hash: Digest::of(text.as_bytes())
            .sha256_hex()
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Refuses two rules for one name of which neither is more exact.
fn check_order(text: &str, rules: &[(usize, Pattern, Rule)]) -> Result<(), Problem> {
    for (index, (offset, pattern, _)) in rules.iter().enumerate() {
        let earlier = rules.iter().take(index);
        let tie = earlier.map(|(earlier, other, _)| (*earlier, other, pattern.precedence(other)));
        let mut ties =
            tie.filter(|(.., found)| matches!(found, Precedence::Same | Precedence::Unclear));
        let Some((earlier, other, found)) = ties.next() else {
            continue;
        };
        let at = Place::of(text, earlier);
        let words = if found == Precedence::Same {
            format!("`{pattern}` has a rule already, in {at}")
        } else {
            format!(
                "`{pattern}` and `{other}` ({at}) match the same names, and neither is more exact"
            )
        };
        return Err(Problem::new(*offset, words));
    }
    Ok(())
}

fn allowance(allowed: Allowed) -> Allowance {
    match allowed {
        Allowed::Accept => Allowance::Accept,
        Allowed::Reject => Allowance::Reject,
    }
}

/// Bytes; a policy has a few thousand.
pub const MAX_FILE: usize = 1024 * 1024;
/// Each is compared with each when a file is read.
const MAX_RULES: usize = 4096;
