//! Who is asking, and what that somebody may do.

use super::Wanted;
use super::rights::{allow, contains};
use super::token::Scopes;
use crate::server::settings::access::Everybody;
use std::fmt;
use trust_store::server::{Action, Right};

/// Somebody who was let in.
#[derive(Clone, Debug)]
pub struct Who {
    name: Name,
    everybody: Everybody,
}

/// How somebody is known, and what that gives beyond what everybody may.
#[derive(Clone, Debug)]
pub(super) enum Name {
    Anonymous,
    /// The common name of a certificate; without rights if there is no such user
    Certificate(String, Option<Vec<Right>>),
    Token(String, Scopes),
    User(String, Vec<Right>),
}

impl Who {
    pub(super) fn new(name: Name, everybody: Everybody) -> Self {
        Self { name, everybody }
    }

    /// Whether this somebody may know that the repository exists and read it.
    pub fn may_read(&self, gun: &str) -> bool {
        self.may(gun, Action::Pull)
    }

    /// Whether this somebody may learn from the list of all changes that this one changed.
    ///
    /// A token for the catalog is for all of it (distribution, `registry:catalog:*`).
    pub fn may_follow(&self, gun: &str) -> bool {
        let whole = matches!(&self.name, Name::Token(_, scopes) if scopes.of_catalog());
        whole || self.may_read(gun)
    }

    pub(super) fn may_do(&self, wanted: &Wanted<'_>) -> bool {
        match wanted {
            Wanted::Repository { gun, actions } => {
                actions.iter().all(|action| self.may(gun, *action))
            }
            Wanted::Catalog => self.everybody == Everybody::All || self.may_list(),
            Wanted::Pages => self.everybody != Everybody::None || self.is_known(),
        }
    }

    /// A valid token came with the request, so all that is missing is a scope.
    pub(super) fn has_token(&self) -> bool {
        matches!(self.name, Name::Token(..))
    }

    fn may(&self, gun: &str, action: Action) -> bool {
        let as_everybody = match self.everybody {
            Everybody::All => true,
            Everybody::Pull => action == Action::Pull,
            Everybody::None => false,
        };
        as_everybody
            || match &self.name {
                Name::User(_, rights) | Name::Certificate(_, Some(rights)) => {
                    allow(rights, gun, action)
                }
                Name::Token(_, scopes) => contains(scopes.of_repository(gun), action),
                Name::Anonymous | Name::Certificate(_, None) => false,
            }
    }

    /// Users may ask for the list, and see of it what they may read; a token has to say so.
    fn may_list(&self) -> bool {
        match &self.name {
            Name::Token(_, scopes) => scopes.of_catalog(),
            _ => self.is_known(),
        }
    }

    fn is_known(&self) -> bool {
        !matches!(self.name, Name::Anonymous | Name::Certificate(_, None))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match &self.name {
            Name::Anonymous => return f.write_str("anonymous"),
            Name::Certificate(name, _) => ("certificate", name),
            Name::Token(name, _) => ("token", name),
            Name::User(name, _) => ("user", name),
        };
        write!(f, "{kind} ")?;
        // Names come from other people's tokens and certificates.
        name.chars()
            .take(LONGEST_NAME)
            .try_for_each(|letter| match letter {
                letter if letter.is_control() => write!(f, "{}", letter.escape_default()),
                letter => write!(f, "{letter}"),
            })
    }
}

/// Characters of a name in the log.
const LONGEST_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_log_lines() {
        let who = |name| Who::new(name, Everybody::None).to_string();
        assert_eq!(who(Name::Anonymous), "anonymous");
        assert_eq!(who(Name::User("bob".into(), vec![])), "user bob");
        let long = Name::Certificate(format!("a\n{}", "x".repeat(999)), None);
        let shown = who(long);
        assert!(shown.starts_with("certificate a\\nxxx") && shown.len() < 300);
    }

    #[test]
    fn everybodys_rights_are_everybodys() {
        use Action::{All, Pull, Push};
        let rights = vec![Right {
            prefix: "a".into(),
            actions: vec![Push],
        }];
        let user = |everybody| Who::new(Name::User("u".into(), rights.clone()), everybody);
        for (everybody, gun, actions, expected) in [
            (Everybody::Pull, "a/x", &[Pull, Push][..], true),
            (Everybody::None, "a/x", &[Pull, Push], false),
            (Everybody::None, "a/x", &[Push], true),
            (Everybody::Pull, "b", &[Pull], true),
            (Everybody::Pull, "b", &[Push], false),
            (Everybody::All, "b", &[All], true),
        ] {
            let wanted = Wanted::Repository { gun, actions };
            assert_eq!(user(everybody).may_do(&wanted), expected, "{wanted:?}");
        }
        assert!(user(Everybody::None).may_do(&Wanted::Catalog));
        assert!(user(Everybody::None).may_do(&Wanted::Pages));
        let stranger = |everybody| Who::new(Name::Anonymous, everybody);
        assert!(!stranger(Everybody::Pull).may_do(&Wanted::Catalog));
        assert!(stranger(Everybody::Pull).may_do(&Wanted::Pages));
        assert!(!stranger(Everybody::None).may_do(&Wanted::Pages));
    }
}
