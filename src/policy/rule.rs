//! What an operator demands of images: rules, and the one that holds where none matches.

use super::pattern::Name;
use super::{Pattern, Reason, RootTrust};
use crate::reference::ImageReference;
use jiff::Timestamp;
use std::time::Duration;

/// The rules of a policy file, most specific first, and what holds elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Rules in order of precedence
    pub rules: Vec<Rule>,
    /// The rule where none matches
    pub default: Rule,
    /// What an engine may run that no registry vouches for
    pub engine: EngineRules,
    /// SHA-256 of the file in lower-case hex
    pub hash: String,
}

impl Policy {
    /// The policy of `DOCKER_CONTENT_TRUST=1`: every image is signed, the first root is trusted.
    pub fn signed() -> Self {
        let root = RootTrust {
            first_use: true,
            ..RootTrust::default()
        };
        let requirement = Requirement {
            root,
            ..Requirement::default()
        };
        let allowed = Allowance::Accept;
        Self {
            rules: Vec::new(),
            default: Rule::of("DOCKER_CONTENT_TRUST", requirement),
            engine: EngineRules {
                local: allowed,
                build: allowed,
            },
            hash: String::new(),
        }
    }

    /// The rule for an image.
    pub fn rule(&self, image: &ImageReference) -> &Rule {
        let name = Name::of(image);
        let mut rules = self.rules.iter();
        let found = rules.find(|rule| {
            let pattern = rule.pattern.as_ref();
            pattern.is_some_and(|pattern| pattern.matches_name(&name))
        });
        found.unwrap_or(&self.default)
    }
}

/// What is demanded of the images that a pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What the log calls it
    pub name: String,
    /// Which repositories it is for; none: those that no rule is for
    pub pattern: Option<Pattern>,
    /// Whether it holds, or is only tried out
    pub mode: Mode,
    /// What is demanded
    pub demand: Demand,
    /// Digests that pass all the same
    pub exempt: Vec<Exemption>,
}

impl Rule {
    /// The same, and these signers besides; a rule that accepts comes to demand signatures.
    #[must_use]
    pub fn and(mut self, signers: &[String], quorums: &[Quorum]) -> Self {
        if signers.is_empty() && quorums.is_empty() {
            return self;
        }
        if self.demand == Demand::Accept {
            self.demand = Policy::signed().default.demand;
        }
        if let Demand::Signed(requirement) = &mut self.demand {
            requirement.signers.extend_from_slice(signers);
            requirement.quorums.extend_from_slice(quorums);
            self.exempt.clear();
        }
        self
    }

    /// Why nothing passes, if the rule rejects everything.
    pub(super) fn rejection(&self) -> Option<(Reason, String)> {
        let said = match &self.pattern {
            Some(_) => (
                Reason::DeniedByRule,
                format!("rule {} rejects it", self.name),
            ),
            None => (
                Reason::NoRule,
                "no rule is for it, and the default rejects".to_owned(),
            ),
        };
        (self.demand == Demand::Reject).then_some(said)
    }

    /// What holds where neither a rule nor a default says anything.
    pub(super) fn nothing_passes() -> Self {
        Self {
            demand: Demand::Reject,
            ..Self::of(DEFAULT, Requirement::default())
        }
    }

    /// A rule in force with this requirement and no exemptions.
    pub fn of(name: &str, requirement: Requirement) -> Self {
        Self {
            name: name.to_owned(),
            pattern: None,
            mode: Mode::Enforce,
            demand: Demand::Signed(Box::new(requirement)),
            exempt: Vec::new(),
        }
    }
}

/// Whether a rule holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What it refuses is refused
    #[default]
    Enforce,
    /// What it would refuse passes, and is written down
    Audit,
}

/// What is demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nothing
    Accept,
    /// Nothing passes
    Reject,
    /// Signatures
    Signed(Box<Requirement>),
}

/// Which signatures are demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The tag stands in each of these roles; none: in the released set
    pub roles: Vec<String>,
    /// All of these signers signed it
    pub signers: Vec<String>,
    /// So many of these signed it
    pub quorums: Vec<Quorum>,
    /// Which roots are trusted
    pub root: RootTrust,
    /// The name under which the image is judged, if not its own
    pub identity: Option<Identity>,
    /// The trust server, if it does not follow from the registry
    pub server: Option<String>,
    /// What it was signed for
    pub context: Option<String>,
    /// Whether a tag that something newer replaced is refused
    pub refuse_superseded: bool,
    /// Verified state older than this is asked for anew
    pub refresh: Duration,
    /// State that the server has not confirmed for longer is refused, even unexpired
    pub max_age: Option<Duration>,
}

impl Requirement {
    /// The image under the name by which it is judged; nothing, if that makes no name.
    pub fn judged_as(&self, image: &ImageReference) -> Option<ImageReference> {
        let Some(identity) = &self.identity else {
            return Some(image.clone());
        };
        let mut name = identity.from.carry(image, &identity.to)?;
        if let Some(tag) = image.tag() {
            name = format!("{name}:{tag}");
        }
        if let Some(digest) = image.digest() {
            name = format!("{name}@{digest}");
        }
        ImageReference::parse(&name).ok()
    }
}

impl Default for Requirement {
    fn default() -> Self {
        Self {
            roles: Vec::new(),
            signers: Vec::new(),
            quorums: Vec::new(),
            root: RootTrust::default(),
            identity: None,
            server: None,
            context: None,
            refuse_superseded: false,
            refresh: REFRESH,
            max_age: None,
        }
    }
}

/// So many signers with keys of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// How many
    pub at_least: u64,
    /// Of these; none: of any
    pub of: Vec<String>,
}

/// Names of one form are judged under names of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The form of the image's name
    pub from: Pattern,
    /// The form of the other name, in which the last `*` or `**` stands for the same
    pub to: Pattern,
}

/// A digest that passes until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// SHA-256 of the manifest in lower-case hex
    pub digest: String,
    /// From then on it counts no more
    pub until: Timestamp,
    /// Why it passes
    pub why: Option<String>,
}

/// What an engine may do with content that no registry vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineRules {
    /// Run local images, load, import, commit
    pub local: Allowance,
    /// Build
    pub build: Allowance,
}

/// Whether something may be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allowance {
    /// It may
    Accept,
    /// It may not
    #[default]
    Reject,
}

/// What [default] is called.
pub(super) const DEFAULT: &str = "default";
/// A revoked tag is refused this soon; a busy repository costs one small request in this time.
const REFRESH: Duration = Duration::from_mins(1);
