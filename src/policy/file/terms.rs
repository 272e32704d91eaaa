//! From the terms of `[default]` and each `[[rule]]` to a rule.

use super::Files;
use super::document::{self, Exempt, Names, Require, Terms, Text};
use super::groups::Groups;
use super::problem::Problem;
use super::value;
use crate::policy::pattern::Pattern;
use crate::policy::rule::DEFAULT;
use crate::policy::{Demand, Exemption, Identity, Mode, Quorum, Requirement, RootTrust, Rule};
use crate::quantity::Period;
use crate::tuf::authority::authorities;
use std::collections::BTreeSet;
use std::time::Duration;
use toml::Spanned;

/// Reads rules with the groups of their file, and the files it names.
pub(super) struct Reader<'r, 'f> {
    groups: &'r Groups,
    files: &'r mut Files<'f>,
}

impl<'r, 'f> Reader<'r, 'f> {
    pub(super) fn new(groups: &'r Groups, files: &'r mut Files<'f>) -> Self {
        Self { groups, files }
    }

    /// What holds where no rule matches.
    pub(super) fn default(&mut self, terms: Terms) -> Result<Rule, Problem> {
        let nowhere = [("match", &terms.pattern), ("as", &terms.identity)];
        for (key, found) in nowhere {
            if let Some(found) = found {
                return Err(Problem::with(found, format!("[default] has no `{key}`")));
            }
        }
        self.rule_for(None, terms)
    }

    /// A rule, with its pattern and where that stands.
    pub(super) fn rule(
        &mut self,
        terms: Spanned<Terms>,
    ) -> Result<(usize, Pattern, Rule), Problem> {
        let begin = terms.span().start;
        let terms = terms.into_inner();
        let Some(text) = &terms.pattern else {
            return Err(Problem::new(begin, "missing field `match`"));
        };
        let place = text.span().start;
        let pattern = Pattern::parse(text.as_ref())
            .map_err(|error| Problem::new(place, error.to_string()))?;
        let rule = self.rule_for(Some(&pattern), terms)?;
        Ok((place, pattern, rule))
    }

    fn rule_for(&mut self, pattern: Option<&Pattern>, terms: Terms) -> Result<Rule, Problem> {
        let demand = match terms.require.as_ref() {
            Require::Accept => {
                without(&terms, "accept", &["exempt", "mode"])?;
                without(&terms, "accept", &SIGNATURES)?;
                Demand::Accept
            }
            Require::Reject => {
                without(&terms, "reject", &SIGNATURES)?;
                Demand::Reject
            }
            Require::Signed => Demand::Signed(Box::new(self.requirement(pattern, &terms)?)),
        };
        Ok(Rule {
            name: pattern.map_or_else(|| DEFAULT.to_owned(), Pattern::to_string),
            pattern: pattern.cloned(),
            mode: match terms.mode.map(Spanned::into_inner) {
                Some(document::Mode::Audit) => Mode::Audit,
                Some(document::Mode::Enforce) | None => Mode::Enforce,
            },
            demand,
            exempt: exemptions(terms.exempt.as_ref())?,
        })
    }

    fn requirement(
        &mut self,
        pattern: Option<&Pattern>,
        terms: &Terms,
    ) -> Result<Requirement, Problem> {
        let (refresh, max_age) = ages(terms)?;
        let signers = terms
            .signers
            .as_ref()
            .map(|names| self.groups.signers(names));
        let roles = terms.roles.as_ref().map(roles);
        Ok(Requirement {
            roles: roles.transpose()?.unwrap_or_default(),
            signers: signers.transpose()?.unwrap_or_default(),
            quorums: self.quorums(terms.quorum.as_ref())?,
            root: self.root(terms)?,
            identity: identity(pattern, terms.identity.as_ref())?,
            server: terms.server.as_ref().map(value::server).transpose()?,
            context: terms.context.as_ref().map(value::context).transpose()?,
            refuse_superseded: terms
                .refuse_superseded
                .as_ref()
                .is_some_and(|it| *it.as_ref()),
            refresh,
            max_age,
        })
    }

    fn quorums(
        &self,
        found: Option<&Spanned<Vec<document::Quorum>>>,
    ) -> Result<Vec<Quorum>, Problem> {
        let Some(found) = found else {
            return Ok(Vec::new());
        };
        let quorums = value::some(found, "the list")?
            .iter()
            .map(|quorum| self.quorum(quorum));
        quorums.collect()
    }

    fn quorum(&self, found: &document::Quorum) -> Result<Quorum, Problem> {
        let wrong = |words: String| Problem::with(&found.at_least, words);
        let number = *found.at_least.as_ref();
        let at_least = u64::try_from(number).ok().filter(|number| *number > 0);
        let at_least = at_least.ok_or_else(|| wrong(format!("{number} signers are none")))?;
        let Some(of) = &found.of else {
            let of = Vec::new();
            return Ok(Quorum { at_least, of });
        };
        let of = self.groups.members(of)?;
        if usize::try_from(at_least).is_ok_and(|needed| needed <= of.len()) {
            return Ok(Quorum { at_least, of });
        }
        Err(wrong(format!(
            "{at_least} of {} signers can never be had",
            of.len()
        )))
    }

    fn root(&mut self, terms: &Terms) -> Result<RootTrust, Problem> {
        let mut trust = RootTrust::default();
        if let Some(found) = &terms.root_keys {
            let ids = value::some(found, "the list")?.iter().map(value::key_id);
            trust.key_ids = ids.collect::<Result<BTreeSet<_>, _>>()?;
        }
        if let Some(found) = &terms.root_ca {
            trust.authorities = self.authorities(found)?;
        }
        if let Some(first_use) = &terms.first_use {
            trust.first_use = *first_use.as_ref();
            if trust.first_use && trust.is_pinned() {
                let words = "`first_use` makes no sense beside `root_keys` or `root_ca`";
                return Err(Problem::with(first_use, words));
            }
        }
        Ok(trust)
    }

    fn authorities(&mut self, found: &Spanned<Names>) -> Result<Vec<Vec<u8>>, Problem> {
        let one;
        let names = match found.as_ref() {
            Names::One(name) => {
                one = [Spanned::new(found.span(), name.clone())];
                &one[..]
            }
            Names::Many(names) if names.is_empty() => {
                return Err(Problem::with(found, "the list is empty"));
            }
            Names::Many(names) => names,
        };
        let mut found = Vec::new();
        for name in names {
            let wrong = |words: String| Problem::with(name, format!("{}: {words}", name.as_ref()));
            let bytes = (self.files)(name.as_ref()).map_err(wrong)?;
            found.extend(authorities(&bytes).map_err(|error| wrong(error.to_string()))?);
        }
        Ok(found)
    }
}

/// Refuses keys that mean nothing here, so that nobody relies on them.
fn without(terms: &Terms, require: &str, keys: &[&str]) -> Result<(), Problem> {
    let found = keys.iter().find_map(|key| Some((key, place(terms, key)?)));
    match found {
        None => Ok(()),
        Some((key, offset)) => Err(Problem::new(
            offset,
            format!("`{key}` makes no sense with `require = \"{require}\"`"),
        )),
    }
}

/// Where the value of a key stands.
fn place(terms: &Terms, key: &str) -> Option<usize> {
    fn start<T>(value: Option<&Spanned<T>>) -> Option<usize> {
        value.map(|value| value.span().start)
    }
    match key {
        "as" => start(terms.identity.as_ref()),
        "context" => start(terms.context.as_ref()),
        "exempt" => start(terms.exempt.as_ref()),
        "first_use" => start(terms.first_use.as_ref()),
        "max_age" => start(terms.max_age.as_ref()),
        "mode" => start(terms.mode.as_ref()),
        "quorum" => start(terms.quorum.as_ref()),
        "refresh" => start(terms.refresh.as_ref()),
        "refuse_superseded" => start(terms.refuse_superseded.as_ref()),
        "roles" => start(terms.roles.as_ref()),
        "root_ca" => start(terms.root_ca.as_ref()),
        "root_keys" => start(terms.root_keys.as_ref()),
        "server" => start(terms.server.as_ref()),
        "signers" => start(terms.signers.as_ref()),
        _ => None,
    }
}

fn roles(found: &Spanned<Vec<Text>>) -> Result<Vec<String>, Problem> {
    let mut roles = Vec::new();
    for name in value::some(found, "the list")? {
        let role = value::role(name)?;
        if roles.contains(&role) {
            return Err(Problem::with(name, format!("`{role}` is named twice")));
        }
        roles.push(role);
    }
    Ok(roles)
}

fn identity(pattern: Option<&Pattern>, found: Option<&Text>) -> Result<Option<Identity>, Problem> {
    let (Some(from), Some(text)) = (pattern, found) else {
        return Ok(None);
    };
    let to = Pattern::parse(text.as_ref()).map_err(|error| Problem::with(text, error))?;
    from.carries_to(&to)
        .map_err(|words| Problem::with(text, words))?;
    let from = from.clone();
    Ok(Some(Identity { from, to }))
}

/// How old verified state may get before the server is asked, and before it is refused.
fn ages(terms: &Terms) -> Result<(Duration, Option<Duration>), Problem> {
    let year = Period::days(365);
    let refresh = terms.refresh.as_ref();
    let refresh = refresh.map(|text| value::period(text, Period::default(), year));
    let max_age = terms.max_age.as_ref();
    let max_age = max_age.map(|text| value::period(text, Period::seconds(1), year));
    let (refresh, max_age) = (refresh.transpose()?, max_age.transpose()?);
    let default = Requirement::default().refresh;
    let oldest = max_age.unwrap_or(Duration::MAX);
    match (refresh, &terms.refresh) {
        (Some(refresh), Some(text)) if refresh > oldest => Err(Problem::with(
            text,
            "`refresh` is longer than `max_age`: what is too old would not be asked for anew",
        )),
        (refresh, _) => Ok((refresh.unwrap_or(default.min(oldest)), max_age)),
    }
}

fn exemptions(found: Option<&Spanned<Vec<Exempt>>>) -> Result<Vec<Exemption>, Problem> {
    let Some(found) = found else {
        return Ok(Vec::new());
    };
    let mut exemptions: Vec<Exemption> = Vec::new();
    for exempt in value::some(found, "the list")? {
        let digest = value::digest(&exempt.digest)?;
        if exemptions.iter().any(|earlier| earlier.digest == digest) {
            return Err(Problem::with(
                &exempt.digest,
                "this digest is exempt already",
            ));
        }
        exemptions.push(Exemption {
            digest,
            until: value::end(&exempt.until)?,
            why: exempt.why.clone(),
        });
    }
    Ok(exemptions)
}

/// Keys that say which signatures are demanded.
const SIGNATURES: [&str; 12] = [
    "as",
    "context",
    "first_use",
    "max_age",
    "quorum",
    "refresh",
    "refuse_superseded",
    "roles",
    "root_ca",
    "root_keys",
    "server",
    "signers",
];
