//! What a rule says, in words for people.

use trust::policy::{Demand, Mode, Quorum, Requirement, Rule};
use trust::quantity::Period;

/// The word for what is demanded.
pub(super) fn require(rule: &Rule) -> &'static str {
    match rule.demand {
        Demand::Accept => "accept",
        Demand::Reject => "reject",
        Demand::Signed(_) => "signed",
    }
}

/// The word for whether the rule holds.
pub(super) fn mode(rule: &Rule) -> &'static str {
    match rule.mode {
        Mode::Audit => "audit",
        Mode::Enforce => "enforce",
    }
}

/// What is demanded beyond a signature, in a word or two each.
pub(super) fn summary(requirement: &Requirement) -> Vec<String> {
    let mut words = Vec::new();
    if !requirement.roles.is_empty() {
        words.push(format!("in {}", requirement.roles.join(" and ")));
    }
    if !requirement.signers.is_empty() {
        words.push(format!("by {}", requirement.signers.join(", ")));
    }
    words.extend(requirement.quorums.iter().map(quorum));
    let root = &requirement.root;
    words.extend(
        root.key_ids
            .iter()
            .map(|id| format!("root key {}", id.get(..12).unwrap_or(id))),
    );
    match root.authorities.len() {
        0 => {}
        1 => words.push("root from an authority".to_owned()),
        several => words.push(format!("root from one of {several} authorities")),
    }
    if root.first_use {
        words.push("first root trusted".to_owned());
    }
    words.extend(
        requirement
            .identity
            .iter()
            .map(|identity| format!("as {}", identity.to)),
    );
    words.extend(
        requirement
            .server
            .iter()
            .map(|server| format!("from {server}")),
    );
    words.extend(
        requirement
            .context
            .iter()
            .map(|context| format!("for {context}")),
    );
    if requirement.refuse_superseded {
        words.push("not superseded".to_owned());
    }
    let age = requirement.max_age.map(Period::from);
    words.extend(age.map(|age| format!("confirmed within {age}")));
    words
}

/// What is demanded, each in a sentence.
pub(super) fn sentences(requirement: &Requirement) -> Vec<String> {
    let mut said = vec![match &requirement.roles[..] {
        [] => "targets/releases says which digest the tag means; where it says nothing, targets"
            .to_owned(),
        [role] => format!("{role} says which digest the tag means"),
        roles => format!(
            "{} say which digest the tag means, and agree",
            roles.join(" and ")
        ),
    }];
    for signer in &requirement.signers {
        said.push(format!("{signer} signed the same digest for the tag"));
    }
    let quorums = requirement.quorums.iter();
    said.extend(quorums.map(|it| format!("{} signed it, each with another key", quorum(it))));
    said.push(root(requirement));
    if let Some(server) = &requirement.server {
        said.push(format!("the trust server is {server}"));
    }
    if let Some(context) = &requirement.context {
        said.push(format!(
            "it is signed for {context}: by targets/{context}, or with \"context\": \"{context}\" \
             beside the digest"
        ));
    }
    if requirement.refuse_superseded {
        said.push("no signer calls it superseded".to_owned());
    }
    let refresh = Period::from(requirement.refresh);
    said.push(match requirement.max_age.map(Period::from) {
        Some(age) => {
            format!("the server is asked again after {refresh}, and has confirmed it within {age}")
        }
        None => format!("the server is asked again after {refresh}"),
    });
    said
}

fn quorum(quorum: &Quorum) -> String {
    match &quorum.of[..] {
        [] => format!("{} signers", quorum.at_least),
        of => format!("{} of {}", quorum.at_least, of.join(", ")),
    }
}

fn root(requirement: &Requirement) -> String {
    let trust = &requirement.root;
    if !trust.is_pinned() && trust.first_use {
        return "the first root that is seen is trusted from then on".to_owned();
    }
    if !trust.is_pinned() {
        let words = "the root is one this machine keeps already: none is trusted on first use";
        return words.to_owned();
    }
    let keys = trust.key_ids.iter().map(|id| format!("the key {id}"));
    let issued = "a key whose certificate a pinned authority issued".to_owned();
    let issued = (!trust.authorities.is_empty()).then_some(issued);
    let pins: Vec<_> = keys.chain(issued).collect();
    format!("the root is signed with {}", pins.join(", or "))
}
