//! `trust policy explain`

use super::described::Described;
use super::words;
use crate::cli::{failure::Failure, rules::PolicyArgs, session::Session};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt::Write as _;
use trust::policy::{Demand, Exemption, Mode, Policy, Reason, Rule};
use trust::reference::ImageReference;

/// Explain which rule of a policy is for an image, and what it demands
///
/// Nothing is decided, and the network is not used: `trust why` does both.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    policy: PolicyArgs,
    /// The image; tag latest if neither tag nor digest is named
    image: String,
}

/// Which rule, and why.
#[derive(Serialize)]
struct Explained<'p> {
    image: String,
    rule: Described<'p>,
    /// From 1; none for the default
    position: Option<usize>,
    rules: usize,
    others: Vec<Other>,
    judged_as: Option<String>,
    exempt: Option<String>,
    demands: Vec<String>,
}

/// A rule that is for the image, too, and comes later.
#[derive(Serialize)]
struct Other {
    #[serde(rename = "match")]
    pattern: String,
    because: String,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let image = ImageReference::parse(&args.image)?.or_latest();
    let policy = args
        .policy
        .find(session)?
        .ok_or_else(|| Failure::wrong("there is no policy").hint("name one with --policy"))?;
    let explained = Explained::of(&policy, &image, session.now());
    if session.out.is_json() {
        session.out.json(&explained);
    } else {
        session.out.text(&explained.text(policy.rule(&image)));
    }
    Ok(())
}

impl<'p> Explained<'p> {
    fn of(policy: &'p Policy, image: &ImageReference, now: Timestamp) -> Self {
        let rule = policy.rule(image);
        let position = policy
            .rules
            .iter()
            .position(|it| it.pattern == rule.pattern);
        Self {
            image: image.to_string(),
            rule: Described::of(rule),
            position: position.map(|index| index + 1),
            rules: policy.rules.len(),
            others: others(policy, rule, image),
            judged_as: judged_as(rule, image),
            exempt: exemption(rule, image, now).map(|it| it.until.to_string()),
            demands: demands(rule),
        }
    }

    fn text(&self, rule: &Rule) -> String {
        let mut text = format!("Image:    {}\n", self.image);
        let _ = match self.position {
            Some(position) => {
                writeln!(
                    text,
                    "Rule:     {}, {position} of {}",
                    rule.name, self.rules
                )
            }
            None => writeln!(
                text,
                "Rule:     {}, because no other rule matches",
                rule.name
            ),
        };
        for other in &self.others {
            let Other { pattern, because } = other;
            let _ = writeln!(text, "          before {pattern}, because {because}");
        }
        if let Some(name) = &self.judged_as {
            let _ = writeln!(text, "Judged:   as {name}");
        }
        if let Some(until) = &self.exempt {
            let _ = writeln!(text, "Exempt:   until {until}: it passes");
        }
        let mut label = "Demands:";
        for demand in &self.demands {
            let _ = writeln!(text, "{label:10}{demand}");
            label = "";
        }
        if rule.mode == Mode::Audit {
            text.push_str("Mode:     audit: what is refused passes all the same\n");
        }
        text
    }
}

fn others(policy: &Policy, rule: &Rule, image: &ImageReference) -> Vec<Other> {
    let Some(mine) = &rule.pattern else {
        return Vec::new();
    };
    let patterns = policy.rules.iter().filter_map(|rule| rule.pattern.as_ref());
    let others = patterns.filter(|other| *other != mine && other.matches(image));
    let others = others.filter_map(|other| {
        let (ours, theirs) = mine.difference(other)?;
        Some(Other {
            pattern: other.to_string(),
            because: format!("`{ours}` stands for less than `{theirs}`"),
        })
    });
    others.collect()
}

fn judged_as(rule: &Rule, image: &ImageReference) -> Option<String> {
    let Demand::Signed(requirement) = &rule.demand else {
        return None;
    };
    requirement.identity.as_ref()?;
    Some(match requirement.judged_as(image) {
        Some(name) => name.to_string(),
        None => format!("nothing: it has no name there [{}]", Reason::NoRule),
    })
}

fn exemption<'r>(rule: &'r Rule, image: &ImageReference, now: Timestamp) -> Option<&'r Exemption> {
    let digest = image.digest()?.sha256_hex()?;
    let mut exempt = rule.exempt.iter();
    exempt.find(|exempt| exempt.digest == digest && now < exempt.until)
}

fn demands(rule: &Rule) -> Vec<String> {
    match &rule.demand {
        Demand::Accept => vec!["it passes, signed or not".to_owned()],
        Demand::Reject => vec!["it is refused, signed or not".to_owned()],
        Demand::Signed(requirement) => words::sentences(requirement),
    }
}
